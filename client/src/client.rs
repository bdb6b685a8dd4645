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

/// The options of a client.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server: `ws://host:port/ws`. A seat may be on another server, where it is then resumed.
    pub url: String,
    /// The player's name: at most 32 bytes. Default empty.
    pub name: String,
    /// Whether every frame carries a hash, instead of one in 128. Default false.
    pub verify: bool,
    /// How long to try before the first seat. Default 10 s. Later the client tries for as long as the server keeps the
    /// seat.
    pub patience: Duration,
    /// The waits between attempts when the line breaks.
    pub backoff: Backoff,
    /// Random bytes by which servers recognize the client: keep them and give the same each time. Default: new ones.
    pub client_key: [u8; 16],
    /// A statement of who the player is, by somebody whom the server trusts: at most 8 KiB. Default none.
    pub credential: Option<Vec<u8>>,
    /// The seed of the backoff's jitter. Default: random.
    pub seed: u64,
}

impl Options {
    /// The default options for a server.
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
/// Everything happens only while [`Client::next`] (or [`Client::next_before`]) is awaited: the client sends, reads,
/// reports, pings, resyncs and reconnects. Dropping that future loses nothing.
pub struct Client<G: ClientGame> {
    session: Session<G>,
    link: Link,
    options: Options,
    /// The pass of a redirect, to be shown instead of the resume.
    pass: Vec<u8>,
}

impl<G: ClientGame> Client<G> {
    /// Connects, says hello, and takes a seat. Tries for [`Options::patience`] if the server cannot be reached or
    /// refuses for now. Dropping the future withdraws the wish.
    ///
    /// # Errors
    ///
    /// All errors but [`Error::Over`].
    pub async fn enter(options: Options, target: Target) -> Result<Self, Error> {
        let (link, session) = handshake::enter::<G>(&options, target).await?;
        Ok(Self { session, link, options, pass: Vec::new() })
    }

    /// Waits for the next event.
    ///
    /// # Errors
    ///
    /// [`Error::Violation`], [`Error::Refused`] and others when the seat is lost; [`Error::Line`] when the client could
    /// not come back for as long as the seat is kept; [`Error::Over`] after [`Event::Goodbye`], and after any other
    /// error.
    pub async fn next(&mut self) -> Result<Event<G::Event>, Error> {
        loop {
            let far = Instant::now() + Duration::from_secs(3600);
            if let Some(event) = self.next_before(far).await? {
                return Ok(event);
            }
        }
    }

    /// Waits for the next event; `None` if there is none before the deadline. One timer serves this and the client
    /// itself.
    ///
    /// # Errors
    ///
    /// As [`Client::next`].
    pub async fn next_before(&mut self, deadline: Instant) -> Result<Option<Event<G::Event>>, Error> {
        poll_fn(|cx| self.poll(deadline, cx)).await
    }

    /// Sends an input with the next call of [`Client::next`], and returns its number. While the line is broken, inputs
    /// are kept and sent after the resume.
    ///
    /// # Errors
    ///
    /// [`NotSent`] if no server takes it, or if too many inputs are unanswered.
    pub fn send(&mut self, input: &G::Input) -> Result<u32, NotSent> {
        self.session.send(input, Instant::now())
    }

    /// Gives up the seat. Continue with [`Client::next`] until [`Event::Goodbye`].
    pub fn leave(&mut self) {
        self.session.leave();
    }

    /// Breaks the line on purpose, as a test or a changed network does. The client comes back by itself.
    pub fn drop_line(&mut self) {
        self.link.drop_line(Duration::ZERO);
    }

    /// Tries to come back at once instead of waiting, also after having given up.
    pub fn retry(&mut self) {
        self.link.retry();
    }

    /// Reports that the system has a network again, or another one. A client that waits tries at once, unless the
    /// server has told it to wait; a connected one checks its line.
    pub fn online(&mut self) {
        self.link.online();
    }

    /// The client's view of the world.
    pub fn replica(&self) -> &Replica {
        self.session.replica()
    }

    /// The seat, the clock and the counts.
    pub fn session(&self) -> &Session<G> {
        &self.session
    }

    /// The playout: the tick to draw now, and the delay and underruns of the picture.
    pub fn playout(&mut self) -> &mut Playout {
        self.session.playout()
    }

    /// The connection and its round trips.
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
            // A client that ends without a message may come back as long as the seat is kept.
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
            // After a final goodbye the next call returns the error.
            Told::Over { .. } if self.session.is_over() => {}
            Told::Over { why, code, message } => return Err(self.link.error(why, code, message)),
        }
        Ok(())
    }

    fn entered(&mut self, entered: Entered) -> Result<(), Error> {
        let (seat, _) = handshake::seat(entered, Some(self.session.schema().clone()))?;
        if seat.is_same(self.session.seat()) {
            Ok(self.session.resumed(seat, Instant::now())?)
        } else {
            self.session.transferred(seat, Instant::now());
            Ok(())
        }
    }

    /// Ends the link on an error.
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
