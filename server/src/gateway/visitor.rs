//! A connection without a seat: its next message, the live list of rooms while it browses, the state of its search for
//! a match, and the messages of its channels.
//!
//! Nothing waits for a visitor: messages are taken as they arrive, and written only when the socket has taken
//! everything before. So a slow visitor gets one difference for everything that has changed in the meantime, and never
//! a queue. Pings from the hello on measure the round trip.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tiltyard_core::{admission::Bucket, directory::Page};
use tiltyard_shared::protocol::{ClientMessage, Code, ServerMessage, codec, limits, lobby::Browse, search::Search};
use tokio::{sync::watch, time::sleep_until};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use super::Gateway;
use crate::{
    chat::Attending,
    matchmaking::Searching,
    metrics,
    net::{
        keepalive::{Beat, Keepalive},
        socket::{self, Gone, Inbox, Socket},
    },
    placement::Elsewhere,
    stop::Stop,
};

/// The gateway's state of a connection beside its socket.
pub(super) struct Visitor<'a> {
    gateway: &'a Gateway,
    stop: Stop,
    /// A second handle, for the wait until this instance drains.
    drain: Stop,
    /// Whether the client has been redirected because this instance drains.
    sent_away: bool,
    /// The capabilities of the client, known from its hello on.
    pub(super) capabilities: u64,
    /// The key that the client shows in its hello; all zero if none.
    pub(super) client_key: [u8; 16],
    bucket: Bucket,
    blocked: bool,
    /// The time by which it must state a wish, unless it browses, searches or is in a channel.
    deadline: Duration,
    browsing: Option<Browsing>,
    searching: Option<Searching>,
    attending: Option<Attending>,
    /// Whether the state of the search may have changed.
    changed: bool,
    /// Present once the client has said hello: before, it might speak another version.
    keepalive: Option<Keepalive>,
    /// The bytes that the line had taken at the last look.
    sent: u64,
}

/// The state of a connection that browses the list.
struct Browsing {
    browse: Browse,
    held: Option<Arc<Page>>,
    beats: watch::Receiver<u64>,
    /// Whether the list may have changed.
    stale: bool,
    /// The earliest time of the next message about the list.
    next: Duration,
    _counted: metrics::LobbyClient,
}

impl<'a> Visitor<'a> {
    /// The state of a new connection.
    pub(super) fn new(gateway: &'a Gateway) -> Self {
        let (now, timing) = (gateway.now(), &gateway.timing);
        Self {
            gateway,
            stop: gateway.here.stop(),
            drain: gateway.here.stop(),
            sent_away: false,
            capabilities: 0,
            client_key: [0; 16],
            bucket: Bucket::per_second(limits::MESSAGES_PER_SECOND, now),
            blocked: false,
            deadline: now + timing.hello,
            browsing: None,
            searching: None,
            attending: None,
            changed: false,
            keepalive: None,
            sent: 0,
        }
    }

    /// Starts to ping, once the client has said hello.
    pub(super) fn start_pings(&mut self) {
        let timing = &self.gateway.timing;
        self.keepalive = Some(Keepalive::new(timing.ping, timing.missed_pings, self.now()));
    }

    /// The current time.
    pub(super) fn now(&self) -> Duration {
        self.gateway.now()
    }

    /// Gives the visitor its full time again.
    pub(super) fn start_waiting(&mut self) {
        self.deadline = self.now() + self.gateway.timing.hello;
    }

    /// Shows another page of the list, or none.
    ///
    /// # Errors
    ///
    /// [`Code::BadFilter`], [`Code::UnknownGame`]: the page shown so far stays.
    pub(super) fn browse(&mut self, browse: Option<Browse>) -> Result<(), Code> {
        let now = self.now();
        let Some(browse) = browse else {
            self.browsing = None;
            self.start_waiting();
            return Ok(());
        };
        browse.check()?;
        browse.game.as_ref().map(|game| self.gateway.game(game)).transpose()?;
        let browsing = self.browsing.get_or_insert_with(|| Browsing {
            browse: Browse::default(),
            held: None,
            beats: self.gateway.here.lobby().watch(),
            stale: true,
            next: now,
            _counted: metrics::LobbyClient::new(),
        });
        (browsing.browse, browsing.held, browsing.stale) = (browse, None, true);
        Ok(())
    }

    /// Starts to search for a match. Returns a URL if the search must be made there instead.
    ///
    /// # Errors
    ///
    /// [`Code::UnknownGame`], [`Code::AlreadySearching`], and as [`Matchmaking::search`].
    ///
    /// [`Matchmaking::search`]: crate::matchmaking::Matchmaking::search
    pub(super) fn search(&mut self, search: Search) -> Result<Option<String>, Code> {
        if self.searching.is_some() {
            return Err(Code::AlreadySearching);
        }
        self.gateway.game(&search.game)?;
        let matchmaking = &self.gateway.matchmaking;
        if let Some(url) = matchmaking.elsewhere(&search) {
            return Ok(Some(url));
        }
        let round_trip = self.keepalive.as_ref().and_then(Keepalive::measured);
        self.searching = Some(matchmaking.search(search, self.client_key, round_trip)?);
        self.changed = false;
        Ok(None)
    }

    /// Ends the search for a match. Returns false if there was none.
    pub(super) fn cancel_search(&mut self) -> bool {
        self.start_waiting();
        self.searching.take().is_some_and(|searching| searching.cancel())
    }

    /// Reports that the seat in a match could not be taken.
    pub(super) fn search_again(&mut self, id: Uuid) -> Result<(), Gone> {
        let told = self.searching.as_ref().is_none_or(|searching| searching.again(id));
        if told { Ok(()) } else { Err(Code::ServerFull.into()) }
    }

    /// Does something in the channels. A refusal is reported to the client.
    pub(super) fn chat(&mut self, request: u32, work: impl FnOnce(&mut Attending) -> Result<(), Code>) {
        let attending = self.attending.get_or_insert_with(|| self.gateway.chat.join());
        let was_somewhere = attending.is_somewhere();
        if let Err(code) = work(attending) {
            metrics::refusal(code);
            attending.refuse(request, code);
        }
        if was_somewhere {
            self.start_waiting();
        }
    }

    /// Whether it browses the list or is in a channel, which another instance can show as well.
    fn looks_on(&self) -> bool {
        self.browsing.is_some() || self.attending.as_ref().is_some_and(Attending::is_somewhere)
    }

    /// Waits for the next message of the client. Meanwhile it shows the client the list if it browses, and tells it
    /// about its search and its channels.
    ///
    /// # Errors
    ///
    /// [`Code::HelloTimeout`] if it takes too long, [`Code::TooFast`], [`Code::Stopping`] if the server stops first, and
    /// the end of the connection.
    pub(super) async fn next(&mut self, socket: &mut Socket) -> Result<ClientMessage, Gone> {
        loop {
            if let Some(message) = self.take(socket)? {
                return Ok(message);
            }
            self.write(socket)?;
            self.wait(socket).await?;
        }
    }

    /// Takes a message that has arrived.
    fn take(&mut self, socket: &mut Socket) -> Result<Option<ClientMessage>, Gone> {
        let mut inbox = Inbox::new();
        socket.fetch(&mut inbox)?;
        let mut message = None;
        while message.is_none()
            && let Some(incoming) = socket.next(&mut inbox)?
        {
            if !self.bucket.take(self.now()) {
                return Err(Code::TooFast.into());
            }
            message = socket::hear(socket, &incoming)?;
            let now = self.now();
            if let Some(keepalive) = &mut self.keepalive {
                keepalive.note_life();
                if let Some(ClientMessage::Pong { number, held_ms }) = message {
                    keepalive.answer(number, Duration::from_millis(held_ms.into()), now);
                    message = None;
                }
            }
        }
        socket.keep(&inbox);
        Ok(message)
    }

    /// Writes what is due, unless earlier data is still blocked.
    fn write(&mut self, socket: &mut Socket) -> Result<(), Gone> {
        let was_blocked = self.blocked;
        self.blocked = !socket::unless_blocked(socket.flush())?;
        let sent = std::mem::replace(&mut self.sent, socket.line().sent());
        let moved = was_blocked && self.sent > sent;
        self.send_away(socket)?;
        self.beat(socket, moved)?;
        self.write_search(socket)?;
        self.write_list(socket)?;
        self.write_chat(socket)
    }

    /// Sends a ping when one is due. If blocked bytes have `moved`, that counts as a sign of life.
    fn beat(&mut self, socket: &mut Socket, moved: bool) -> Result<(), Gone> {
        let (now, blocked) = (self.now(), self.blocked);
        let Some(keepalive) = &mut self.keepalive else { return Ok(()) };
        if moved {
            keepalive.note_life();
        }
        match keepalive.beat(now, blocked) {
            Beat::Wait => {}
            Beat::Silent => return Err(Gone::Silent),
            Beat::Ping(number) => {
                let ping = codec::encode_control(&ServerMessage::Ping { number });
                self.blocked = !socket::unless_blocked(socket.send(Message::Binary(ping.into())))?;
            }
        }
        Ok(())
    }

    fn write_chat(&mut self, socket: &mut Socket) -> Result<(), Gone> {
        while let Some(bytes) = self.attending.as_ref().filter(|_| !self.blocked).and_then(Attending::next) {
            self.blocked = !socket::unless_blocked(socket.send(Message::Binary(bytes)))?;
        }
        Ok(())
    }

    fn write_search(&mut self, socket: &mut Socket) -> Result<(), Gone> {
        let Some(searching) = self.searching.as_mut().filter(|_| self.changed && !self.blocked) else { return Ok(()) };
        self.changed = false;
        let state = searching.state();
        let is_over = state.is_over();
        let bytes = codec::encode_control(&ServerMessage::Search(state));
        self.blocked = !socket::unless_blocked(socket.send(Message::Binary(bytes.into())))?;
        if is_over {
            self.searching = None;
            self.start_waiting();
        }
        Ok(())
    }

    fn write_list(&mut self, socket: &mut Socket) -> Result<(), Gone> {
        let now = self.now();
        let Some(browsing) = &mut self.browsing else { return Ok(()) };
        if self.blocked || !browsing.stale || now < browsing.next {
            return Ok(());
        }
        browsing.stale = false;
        if let Some(bytes) = browsing.advance(self.gateway) {
            browsing.next = now + limits::LIST_SPACING;
            self.blocked = !socket::unless_blocked(socket.send(Message::Binary(bytes)))?;
        }
        Ok(())
    }

    /// Redirects a client that only looks on to another instance, if this one drains and there is another.
    fn send_away(&mut self, socket: &mut Socket) -> Result<(), Gone> {
        let stays = !self.looks_on() || self.searching.is_some();
        if stays || self.sent_away || self.blocked || !self.drain.is_draining() {
            return Ok(());
        }
        self.sent_away = true;
        self.gateway.placement.another().map_or(Ok(()), |place| redirect(socket, 0, place))
    }

    /// Waits until something may be read, may be written or is due.
    async fn wait(&mut self, socket: &Socket) -> Result<(), Gone> {
        let (line, clock) = (socket.line(), self.gateway.here.clock());
        let patient = self.looks_on() || self.searching.is_some();
        let list =
            self.browsing.as_ref().filter(|browsing| browsing.stale && !self.blocked).map(|browsing| browsing.next);
        let deadline = (!patient).then_some(self.deadline);
        let beat = self.keepalive.as_ref().map(Keepalive::next);
        let due =
            [list, deadline, beat].into_iter().flatten().fold(self.now() + self.gateway.timing.hello, Duration::min);
        let late = deadline.is_some_and(|deadline| deadline <= due);
        let leaves = self.looks_on() && self.searching.is_none() && !self.sent_away && !self.blocked;
        let blocked = self.blocked;
        let beats = async {
            match &mut self.browsing {
                Some(browsing) if !browsing.stale => {
                    let _ = browsing.beats.changed().await;
                    browsing.stale = true;
                }
                _ => std::future::pending().await,
            }
        };
        let told = async {
            match &mut self.searching {
                Some(searching) if !self.changed => {
                    searching.changed().await;
                    self.changed = true;
                }
                _ => std::future::pending().await,
            }
        };
        let heard = async {
            match &self.attending {
                Some(attending) if !blocked => attending.arrived().await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.stop.requested() => Err(Code::Stopping.into()),
            () = self.drain.draining(), if leaves => Ok(()),
            ready = line.readable() => ready.map_err(|_| Gone::Lost),
            ready = line.writable(), if self.blocked => ready.map_err(|_| Gone::Lost),
            () = beats => Ok(()),
            () = told => Ok(()),
            () = heard => Ok(()),
            () = sleep_until(clock.at(due)) => if late { Err(Code::HelloTimeout.into()) } else { Ok(()) },
        }
    }
}

impl Browsing {
    /// Returns the message that updates the client's page to the current state.
    fn advance(&mut self, gateway: &Gateway) -> Option<Bytes> {
        let lobby = gateway.here.lobby();
        let (page, bytes) = match &self.held {
            None => lobby.snapshot(&self.browse),
            Some(held) => lobby.difference(&self.browse, held)?,
        };
        metrics::list(self.held.is_none(), bytes.len());
        self.held = Some(page);
        Some(bytes)
    }
}

/// Redirects a client to another instance.
pub(super) fn redirect(socket: &mut Socket, request: u32, place: Elsewhere) -> Result<(), Gone> {
    metrics::redirect();
    socket::say(socket, &ServerMessage::Redirect { request, url: place.url, pass: place.pass })
}
