//! A [`Connection`] on real sockets and timers: the rim of everything that talks to a server. As `web/sdk/link.js`.
//!
//! Its owner polls it, says what it is asked for, and is told what happens; [`Client`](crate::Client) and
//! [`Searching`](crate::Searching) are owners.

use std::{
    collections::VecDeque,
    fmt,
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tiltyard_shared::{
    game::Rng,
    protocol::{
        CONTROL, ClientMessage, Code, FRAME, PIECE,
        codec::{self, CodecError},
    },
};
use tokio::time::Sleep;

use crate::{
    backoff::Backoff,
    connection::{Connection, Effect, Event, State, Told, Why},
    error::{Error, Violation},
    socket::{Bytes, Incoming, Socket},
};

/// On a line that has not taken so many messages, pings and pongs are left out.
const BACKLOG: usize = 16;

/// What the owner hears.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// A frame message, or a piece of one, while the connection is ready.
    Frame(Bytes),
    /// A message of a later version, passed over.
    Unknown,
    /// What the connection tells.
    Told(Told),
    /// The owner is to [send](Link::send) what it wants, under this number.
    Wish(u32),
    /// The owner is to send its last words.
    Farewell,
    /// It is time for what the owner has to do.
    Time,
}

/// How a link connects.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whether a seat is asked for.
    pub seat: bool,
    /// For how long to try before the first success; `None` for ever.
    pub patience: Option<Duration>,
    /// What to do when the line breaks.
    pub backoff: Backoff,
    /// The seed of the backoff's jitter.
    pub seed: u64,
    /// What to say first.
    pub hello: ClientMessage,
}

type Opening = Pin<Box<dyn Future<Output = Result<Socket, Error>> + Send>>;

enum Line {
    None,
    Opening(Opening),
    Open(Box<Socket>),
}

/// A connection that comes back by itself.
pub struct Link {
    connection: Connection,
    line: Line,
    effects: VecDeque<Effect>,
    /// What goes out before anything that the owner has to send while it is ready.
    outgoing: VecDeque<Vec<u8>>,
    hello: ClientMessage,
    /// Why it could not go on.
    failure: Option<Error>,
    /// Where it was sent last, and with which pass.
    redirect: Option<(String, Vec<u8>)>,
    rng: Rng,
    timer: Pin<Box<Sleep>>,
}

impl Link {
    /// Begins to connect.
    pub fn start(plan: Plan, url: String) -> Self {
        let connection = Connection::new(plan.seat, plan.patience, plan.backoff, Instant::now());
        let mut link = Self {
            connection,
            line: Line::None,
            effects: VecDeque::new(),
            outgoing: VecDeque::new(),
            hello: plan.hello,
            failure: None,
            redirect: None,
            rng: Rng::new(plan.seed),
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
        };
        link.handle(Event::Start(url));
        link
    }

    /// The life of the connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whether it is in.
    pub fn is_ready(&self) -> bool {
        self.connection.state() == State::Ready
    }

    /// A number for a request that expects an answer.
    pub fn request(&mut self) -> u32 {
        self.connection.request()
    }

    /// Sends a message on the open line, when it is polled next. What is sent while there is none is lost.
    pub fn send(&mut self, message: &ClientMessage) {
        self.outgoing.push_back(codec::encode(message));
    }

    /// Breaks the line on purpose. It comes back, but not before so long.
    pub fn drop_line(&mut self, wait: Duration) {
        self.handle(Event::Drop(wait));
    }

    /// Tries at once instead of waiting, also after having given up.
    pub fn retry(&mut self) {
        self.handle(Event::Retry);
    }

    /// The network is there again, or another one.
    pub fn online(&mut self) {
        self.handle(Event::Online);
    }

    /// Ends it for good.
    pub fn close(&mut self) {
        self.handle(Event::Close);
    }

    /// The server said what it must not say, or the owner cannot go on: ends it for good. What [`Link::error`] makes of the
    /// end is this.
    pub fn fail(&mut self, error: Error) {
        self.failure = Some(error);
        self.close();
    }

    /// Whether the owner has yet to hear of something that has happened.
    pub fn has_news(&self) -> bool {
        !self.effects.is_empty()
    }

    /// The error that an end is, as [`Told::Over`] tells it.
    pub fn error(&mut self, why: Why, code: Option<Code>, message: String) -> Error {
        match (self.failure.take(), self.redirect.take(), code) {
            (Some(failure), ..) => failure,
            (None, Some((url, pass)), _) if why == Why::Redirected => Error::Redirected { url, pass },
            (None, _, Some(code)) => Error::Refused { code, message },
            (None, ..) if why == Why::Closed => Error::Over,
            (None, ..) => Error::Line(message),
        }
    }

    /// The addresses of this end of the open line and of the other.
    ///
    /// # Errors
    ///
    /// If there is none, or it is broken already.
    pub fn addresses(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        match &self.line {
            Line::Open(socket) => socket.addresses(),
            Line::None | Line::Opening(_) => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// As [`Link::poll`]. Nothing is lost if the future is dropped.
    pub async fn next(&mut self, outgoing: &mut VecDeque<Vec<u8>>, wake: Instant) -> Heard {
        poll_fn(|cx| self.poll(outgoing, wake, cx)).await
    }

    /// What the owner hears next; at `wake` it is [`Heard::Time`]. While the connection is ready, `outgoing` goes out as far
    /// as the line takes it.
    pub fn poll(&mut self, outgoing: &mut VecDeque<Vec<u8>>, wake: Instant, cx: &mut Context<'_>) -> Poll<Heard> {
        loop {
            while let Some(effect) = self.effects.pop_front() {
                if let Some(heard) = self.run(effect) {
                    return Poll::Ready(heard);
                }
            }
            let now = Instant::now();
            if now >= wake {
                return Poll::Ready(Heard::Time);
            }
            if self.connection.deadline().is_some_and(|due| due <= now) {
                self.handle(Event::Tick);
                continue;
            }
            match self.poll_line(outgoing, cx) {
                Poll::Ready(Some(heard)) => return Poll::Ready(heard),
                Poll::Pending if self.poll_timer(wake, cx).is_pending() => return Poll::Pending,
                Poll::Ready(None) | Poll::Pending => {}
            }
        }
    }

    fn handle(&mut self, event: Event) {
        let random = f64::from(self.rng.unit());
        self.effects.extend(self.connection.handle(event, Instant::now(), random));
    }

    fn run(&mut self, effect: Effect) -> Option<Heard> {
        match effect {
            Effect::Open => {
                let url = self.connection.address().to_owned();
                self.line = Line::Opening(Box::pin(async move { Socket::open(&url).await }));
            }
            Effect::Shut => self.shut(),
            Effect::Greet => self.outgoing.push_back(codec::encode(&self.hello)),
            Effect::Wish(request) => return Some(Heard::Wish(request)),
            Effect::Farewell => return Some(Heard::Farewell),
            Effect::Send(message) if self.outgoing.len() < BACKLOG => self.send(&message),
            Effect::Send(_) => {}
            Effect::Tell(told) => {
                if let Told::Redirect { url, pass } = &told {
                    self.redirect = Some((url.clone(), pass.clone()));
                }
                return Some(Heard::Told(told));
            }
        }
        None
    }

    /// Lets go of the line: nobody waits for a close that may hang. What still fits into the system's buffers is said.
    pub(crate) fn shut(&mut self) {
        if let Line::Open(socket) = &mut self.line {
            socket.say(&mut self.outgoing);
        }
        self.line = Line::None;
        self.outgoing.clear();
    }

    /// Ready if something has changed, with what the owner is to hear of it.
    fn poll_line(&mut self, outgoing: &mut VecDeque<Vec<u8>>, cx: &mut Context<'_>) -> Poll<Option<Heard>> {
        let incoming = match &mut self.line {
            Line::None => return Poll::Pending,
            Line::Opening(opening) => match opening.as_mut().poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(socket)) => {
                    self.line = Line::Open(Box::new(socket));
                    self.handle(Event::Opened);
                    return Poll::Ready(None);
                }
                Poll::Ready(Err(error)) => Err(error),
            },
            Line::Open(socket) => {
                let mut nothing = VecDeque::new();
                let outgoing = if self.connection.state() == State::Ready { outgoing } else { &mut nothing };
                match socket.poll(&mut self.outgoing, outgoing, cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(incoming) => incoming,
                }
            }
        };
        Poll::Ready(match incoming {
            Ok(Incoming::Message(bytes)) => self.receive(bytes),
            Ok(Incoming::Sign) => self.sign(),
            Ok(Incoming::Closed(code)) => self.happen(Event::Closed(code)),
            Err(Error::Line(_)) => self.happen(Event::Closed(None)),
            Err(error) => {
                self.fail(error);
                None
            }
        })
    }

    fn happen(&mut self, event: Event) -> Option<Heard> {
        self.handle(event);
        None
    }

    /// Whoever hears something also looks at the time.
    fn sign(&mut self) -> Option<Heard> {
        self.handle(Event::Sign);
        self.happen(Event::Tick)
    }

    fn receive(&mut self, bytes: Bytes) -> Option<Heard> {
        match bytes.first() {
            Some(&CONTROL) => match codec::decode_server(&bytes[1..]) {
                Ok(message) => {
                    self.handle(Event::Message(Box::new(message)));
                    self.happen(Event::Tick)
                }
                Err(CodecError::Unknown(_)) => {
                    self.sign();
                    Some(Heard::Unknown)
                }
                Err(error) => {
                    self.fail(Violation::Control(error).into());
                    None
                }
            },
            Some(&(FRAME | PIECE)) => {
                self.sign();
                self.is_ready().then_some(Heard::Frame(bytes))
            }
            _ => {
                self.fail(Violation::UnknownKind.into());
                None
            }
        }
    }

    fn poll_timer(&mut self, wake: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let due = self.connection.deadline().map_or(wake, |due| due.min(wake));
        let wanted = tokio::time::Instant::from_std(due);
        if self.timer.deadline() != wanted {
            self.timer.as_mut().reset(wanted);
        }
        self.timer.as_mut().poll(cx)
    }
}

/// Who was about to get a seat and does not want it any more says so, or the seat would stand there empty.
impl Drop for Link {
    fn drop(&mut self) {
        if self.connection.state() == State::Entering {
            self.send(&ClientMessage::Leave);
            self.shut();
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("connection", &self.connection).finish_non_exhaustive()
    }
}
