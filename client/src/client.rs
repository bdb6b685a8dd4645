//! A player's client: a [`Session`] on a [`Link`], which comes back by itself when the line breaks.

use std::{
    fmt,
    future::poll_fn,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tiltyard_shared::{
    protocol::{Entered, ServerMessage, Target},
    replica::Replica,
};

use crate::{
    backoff::Backoff,
    connection::{PATIENCE, State, Told},
    error::Error,
    game::ClientGame,
    handshake,
    inputs::NotSent,
    link::{Heard, Link},
    playout::Playout,
    session::{Event, Session},
};

#[cfg(test)]
mod tests;

/// How a client connects.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server: `ws://host:port/ws`. A seat may be on another one, where it is resumed.
    pub url: String,
    /// The player's name: at most 32 bytes. Default empty.
    pub name: String,
    /// Whether every frame shall carry a hash, instead of one in 128. Default false.
    pub verify: bool,
    /// For how long to try before the first seat. Default 10 s. Later it is tried for as long as the server keeps the seat.
    pub patience: Duration,
    /// What to do when the line breaks.
    pub backoff: Backoff,
    /// Random bytes by which servers know the client again: keep them and give the same each time. Default: new ones.
    pub client_key: [u8; 16],
    /// Who the player is, as somebody whom the server trusts says: at most 8 KiB. Default none.
    pub credential: Option<Vec<u8>>,
    /// The seed of the backoff's jitter. Default: from the process' own randomness.
    pub seed: u64,
}

impl Options {
    /// The defaults for a server.
    pub fn new(url: impl Into<String>) -> Self {
        use std::hash::{BuildHasher as _, Hasher as _, RandomState};
        let random = || RandomState::new().build_hasher().finish();
        let key = u128::from(random()) << 64 | u128::from(random());
        Self {
            url: url.into(),
            name: String::new(),
            verify: false,
            patience: PATIENCE,
            backoff: Backoff::default(),
            client_key: key.to_le_bytes(),
            credential: None,
            seed: random(),
        }
    }
}

/// A client in a room.
///
/// Everything moves only while [`Client::next`] (or [`Client::next_before`]) is awaited: it sends, reads, reports, pings,
/// resyncs and reconnects. Dropping that future loses nothing.
pub struct Client<G: ClientGame> {
    session: Session<G>,
    link: Link,
    options: Options,
    /// What a redirect gave to show instead of the resume.
    pass: Vec<u8>,
}

impl<G: ClientGame> Client<G> {
    /// Connects, says hello, and takes a seat. Tries for [`Options::patience`] if the server cannot be reached, or says no
    /// for now. Who drops the future takes the wish back.
    ///
    /// # Errors
    ///
    /// Every [`Error`] but [`Error::Over`].
    pub async fn enter(options: Options, target: Target) -> Result<Self, Error> {
        let (link, session) = handshake::enter::<G>(&options, target).await?;
        Ok(Self { session, link, options, pass: Vec::new() })
    }

    /// What happens next.
    ///
    /// # Errors
    ///
    /// [`Error::Violation`], [`Error::Refused`] and the like when the seat is lost; [`Error::Line`] when it was tried in vain
    /// to come back for as long as the seat is kept; [`Error::Over`] after [`Event::Goodbye`], and after any other error.
    pub async fn next(&mut self) -> Result<Event<G::Event>, Error> {
        loop {
            let far = Instant::now() + Duration::from_secs(3600);
            if let Some(event) = self.next_before(far).await? {
                return Ok(event);
            }
        }
    }

    /// What happens next, or `None` if nothing does until then. One timer serves this and all the client's own.
    ///
    /// # Errors
    ///
    /// As [`Client::next`].
    pub async fn next_before(&mut self, deadline: Instant) -> Result<Option<Event<G::Event>>, Error> {
        poll_fn(|cx| self.poll(deadline, cx)).await
    }

    /// Sends an input with the next call of [`Client::next`] and returns its number. While the line is broken it is kept
    /// and sent after the resume.
    ///
    /// # Errors
    ///
    /// [`NotSent`] if no server takes it, or so many inputs are unanswered that another makes no sense.
    pub fn send(&mut self, input: &G::Input) -> Result<u32, NotSent> {
        self.session.send(input, Instant::now())
    }

    /// Gives the seat up. Go on with [`Client::next`] until [`Event::Goodbye`].
    pub fn leave(&mut self) {
        self.session.leave();
    }

    /// Breaks the line on purpose, as a test or a changed network does. The client comes back by itself.
    pub fn drop_line(&mut self) {
        self.link.drop_line(Duration::ZERO);
    }

    /// Tries at once to come back instead of waiting, also after having given up.
    pub fn retry(&mut self) {
        self.link.retry();
    }

    /// The system says that the network is there again, or another one: a client that waits tries at once, unless the server
    /// has told it to wait; one that believes itself in asks whether it is.
    pub fn online(&mut self) {
        self.link.online();
    }

    /// What the client sees.
    pub fn replica(&self) -> &Replica {
        self.session.replica()
    }

    /// Seat, clock, counts.
    pub fn session(&self) -> &Session<G> {
        &self.session
    }

    /// Which tick to draw now, and how old and how starved the picture is.
    pub fn playout(&mut self) -> &mut Playout {
        self.session.playout()
    }

    /// The connection, its round trips.
    pub fn link(&self) -> &Link {
        &self.link
    }

    fn poll(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<Result<Option<Event<G::Event>>, Error>> {
        loop {
            if let Some(event) = self.session.next_event() {
                return Poll::Ready(Ok(Some(event)));
            }
            if self.session.is_over() || (self.link.connection().state() == State::Over && !self.link.has_news()) {
                return Poll::Ready(Err(Error::Over));
            }
            let now = Instant::now();
            if now >= deadline {
                return Poll::Ready(Ok(None));
            }
            let mut wake = deadline;
            if self.link.is_ready() {
                self.session.handle_time(now);
                wake = self.session.deadline().map_or(deadline, |due| due.min(deadline));
            }
            match self.link.poll(&mut self.session.outgoing, wake, cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(heard) => self.take(heard)?,
            }
        }
    }

    fn take(&mut self, heard: Heard) -> Result<(), Error> {
        match heard {
            Heard::Frame(bytes) => {
                let handled = self.session.handle(&bytes, Instant::now());
                self.check(handled.map_err(Error::Violation));
            }
            Heard::Unknown => self.session.pass_over(),
            Heard::Wish(request) => {
                let target = match std::mem::take(&mut self.pass) {
                    pass if pass.is_empty() => Target::Resume(self.session.resume()),
                    pass => Target::Pass(pass),
                };
                let known = Some(self.session.schema());
                self.link.send(&handshake::wish(&self.options, request, target, known));
            }
            Heard::Told(told) => self.hear(told)?,
            // Whoever ends without a word may come back as long as the seat is kept.
            Heard::Farewell | Heard::Time => {}
        }
        Ok(())
    }

    fn hear(&mut self, told: Told) -> Result<(), Error> {
        match told {
            Told::Message(message) if matches!(*message, ServerMessage::Welcome { .. }) && !self.link.is_ready() => {}
            Told::Message(message) => {
                let handled = self.session.handle_message(*message);
                self.check(handled.map_err(Error::Violation));
            }
            Told::Redirect { pass, .. } => self.pass = pass,
            Told::Ready(entered) => {
                let entered = entered.map_or(Ok(()), |entered| self.entered(*entered));
                self.check(entered);
            }
            Told::Lost => self.session.lost(),
            Told::Waiting { attempt, wait, code, .. } => {
                self.pass.clear();
                self.session.tell(Event::Reconnecting { attempt, wait, code });
            }
            // What was told goodbye finally has the error after that.
            Told::Over { .. } if self.session.is_over() => {}
            Told::Over { why, code, message } => return Err(self.link.error(why, code, message)),
        }
        Ok(())
    }

    fn entered(&mut self, entered: Entered) -> Result<(), Error> {
        let (seat, _) = handshake::seat(entered, Some(self.session.schema().clone()))?;
        Ok(self.session.resumed(seat, Instant::now())?)
    }

    /// What cannot go on ends for good.
    fn check(&mut self, result: Result<(), Error>) {
        if let Err(error) = result {
            self.link.fail(error);
        }
    }
}

impl<G: ClientGame> fmt::Debug for Client<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("seat", self.session.seat()).finish_non_exhaustive()
    }
}
