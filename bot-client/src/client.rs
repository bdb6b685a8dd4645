//! A player's client: a [`Session`] on a [`Socket`] that comes back by itself when the line breaks.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tiltyard_shared::{
    game::{Game, Rng},
    protocol::{Code, Target},
    replica::Replica,
};
use tokio::time::Sleep;

use crate::{
    backoff::Backoff,
    error::Error,
    handshake,
    inputs::Full,
    session::{Event, Seat, Session},
    socket::{Incoming, Socket},
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
    /// What to do when the line breaks.
    pub backoff: Backoff,
    /// The seed of the backoff's jitter. Default: from the process' own randomness.
    pub seed: u64,
}

impl Options {
    /// The defaults for a server.
    pub fn new(url: impl Into<String>) -> Self {
        use std::hash::{BuildHasher as _, Hasher as _, RandomState};
        let seed = RandomState::new().build_hasher().finish();
        Self { url: url.into(), name: String::new(), verify: false, backoff: Backoff::default(), seed }
    }
}

/// A client in a room.
///
/// Everything moves only while [`Client::next`] (or [`Client::next_before`]) is awaited: it sends, reads, reports, pings,
/// jumps and reconnects. Dropping that future loses nothing.
pub struct Client<G: Game> {
    session: Session<G>,
    link: Link,
    /// Where the seat is.
    place: String,
    options: Arc<Options>,
    rng: Rng,
    timer: Pin<Box<Sleep>>,
}

type Attempt = Pin<Box<dyn Future<Output = Result<(Socket, Seat, String), Error>> + Send>>;

enum Link {
    Open(Box<Socket>),
    /// Broken: the next attempt (the first is 1) comes then.
    Waiting(u32, Instant),
    /// The running attempt.
    Opening(u32, Attempt),
}

impl<G: Game> Client<G> {
    /// Connects, says hello, and takes a seat.
    ///
    /// # Errors
    ///
    /// Every [`Error`] but [`Error::Over`].
    pub async fn enter(options: Options, target: Target) -> Result<Self, Error> {
        let (socket, seat, place) = handshake::enter_at::<G>(&options, options.url.clone(), target).await?;
        Ok(Self {
            session: Session::new(seat, Instant::now()),
            place,
            link: Link::Open(Box::new(socket)),
            rng: Rng::new(options.seed),
            options: Arc::new(options),
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
        })
    }

    /// What happens next.
    ///
    /// # Errors
    ///
    /// [`Error::Violation`], [`Error::Refused`] and the like when the seat is lost; [`Error::Line`] when all attempts to
    /// come back have failed; [`Error::Over`] after [`Event::Goodbye`].
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
    /// [`Full`] if so many inputs are unanswered that another makes no sense.
    pub fn send(&mut self, input: &G::Input) -> Result<u32, Full> {
        self.session.send(input, Instant::now())
    }

    /// Gives the seat up. Go on with [`Client::next`] until [`Event::Goodbye`].
    pub fn leave(&mut self) {
        self.session.leave();
    }

    /// Breaks the line on purpose, as a test or a changed network does. The client comes back by itself.
    ///
    /// # Errors
    ///
    /// [`Error::Line`] if it is not to come back at all.
    pub fn drop_line(&mut self) -> Result<(), Error> {
        self.lose()
    }

    /// What the client sees.
    pub fn replica(&self) -> &Replica {
        self.session.replica()
    }

    /// Seat, clock, counts.
    pub fn session(&self) -> &Session<G> {
        &self.session
    }

    fn poll(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<Result<Option<Event<G::Event>>, Error>> {
        loop {
            if let Some(event) = self.session.next_event() {
                return Poll::Ready(Ok(Some(event)));
            }
            if self.session.is_over() {
                return Poll::Ready(Err(Error::Over));
            }
            let now = Instant::now();
            if now >= deadline {
                return Poll::Ready(Ok(None));
            }
            if self.poll_link(now, cx)?.is_pending() && self.poll_timer(deadline, cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Ready if something has changed.
    fn poll_link(&mut self, now: Instant, cx: &mut Context<'_>) -> Result<Poll<()>, Error> {
        match &mut self.link {
            Link::Open(socket) => {
                self.session.handle_time(now);
                match socket.poll(&mut self.session.outgoing, cx) {
                    Poll::Pending if !self.session.is_dead(now) => return Ok(Poll::Pending),
                    Poll::Pending | Poll::Ready(Err(Error::Line(_))) => self.lose()?,
                    Poll::Ready(incoming) => self.handle(incoming?)?,
                }
            }
            Link::Waiting(_, due) if now < *due => return Ok(Poll::Pending),
            Link::Waiting(attempt, _) => {
                let attempt = *attempt;
                self.link = Link::Opening(attempt, self.resume(attempt));
            }
            Link::Opening(attempt, opening) => match opening.as_mut().poll(cx) {
                Poll::Pending => return Ok(Poll::Pending),
                Poll::Ready(Ok((socket, seat, place))) => {
                    self.place = place;
                    self.session.resumed(seat, Instant::now())?;
                    self.link = Link::Open(Box::new(socket));
                }
                Poll::Ready(Err(error @ (Error::Line(_) | Error::Timeout))) => {
                    let attempt = *attempt + 1;
                    self.wait(attempt).ok_or(error)?;
                }
                Poll::Ready(Err(error)) => return Err(error),
            },
        }
        Ok(Poll::Ready(()))
    }

    fn poll_timer(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let own = match &self.link {
            Link::Open(_) => self.session.deadline(),
            Link::Waiting(_, due) => *due,
            Link::Opening(..) => deadline,
        };
        let wanted = tokio::time::Instant::from_std(own.min(deadline));
        if self.timer.deadline() != wanted {
            self.timer.as_mut().reset(wanted);
        }
        self.timer.as_mut().poll(cx)
    }

    fn handle(&mut self, incoming: Incoming) -> Result<(), Error> {
        let now = Instant::now();
        match incoming {
            Incoming::Message(bytes) => self.session.handle(&bytes, now)?,
            Incoming::Sign => self.session.heard(now),
            Incoming::Closed(None | Some(Code::Unresponsive)) => self.lose()?,
            Incoming::Closed(Some(code)) => return Err(Error::Refused { code, message: code.to_string() }),
        }
        Ok(())
    }

    /// The line is broken: a first attempt to come back follows, after a wait.
    fn lose(&mut self) -> Result<(), Error> {
        if matches!(self.link, Link::Open(_)) && !self.session.is_over() {
            self.wait(1).ok_or_else(|| Error::Line("lost".to_owned()))?;
        }
        Ok(())
    }

    /// Waits for this attempt; `None` if there have been enough.
    fn wait(&mut self, attempt: u32) -> Option<()> {
        let wait = self.options.backoff.wait(attempt, &mut self.rng)?;
        self.link = Link::Waiting(attempt, Instant::now() + wait);
        self.session.tell(Event::Reconnecting { attempt, wait });
        Some(())
    }

    /// Where the seat is, and every second time where the client came in: from there it is sent on if the seat has moved.
    fn resume(&mut self, attempt: u32) -> Attempt {
        let resume = self.session.resume();
        let options = Arc::clone(&self.options);
        let url = if attempt % 2 == 1 { &self.place } else { &options.url }.clone();
        Box::pin(async move { handshake::enter_at::<G>(&options, url, Target::Resume(resume)).await })
    }
}

impl<G: Game> fmt::Debug for Client<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("seat", self.session.seat()).finish_non_exhaustive()
    }
}
