//! A [`Connection`] on real sockets and timers: the rim of all clients. As `web/sdk/link.js`.
//!
//! Its owner polls it, sends what it asks for, and gets its news; [`Client`](crate::Client) and
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

/// The number of waiting messages from which on pings and pongs are left out.
const BACKLOG: usize = 16;

/// News for the owner.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// A frame, or a piece of one, while the connection is ready.
    Frame(Bytes),
    /// A message of a later version, which was passed over.
    Unknown,
    /// News of the connection.
    Told(Told),
    /// The owner has to [send](Link::send) its wish, under this request number.
    Wish(u32),
    /// The owner has to send its last messages.
    Farewell,
    /// The time `wake` of [`Link::poll`] has come.
    Time,
}

/// How a link connects.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whether to ask for a seat.
    pub seat: bool,
    /// How long to try before the first success; `None` for ever.
    pub patience: Option<Duration>,
    /// The waits between attempts when the line breaks.
    pub backoff: Backoff,
    /// The seed of the backoff's jitter.
    pub seed: u64,
    /// The first message.
    pub hello: ClientMessage,
}

type Opening = Pin<Box<dyn Future<Output = Result<Socket, Error>> + Send>>;

enum Line {
    None,
    Opening(Opening),
    Open(Box<Socket>),
}

/// A connection that reconnects automatically.
pub struct Link {
    connection: Connection,
    line: Line,
    effects: VecDeque<Effect>,
    /// Messages to send before all others of the owner.
    outgoing: VecDeque<Vec<u8>>,
    hello: ClientMessage,
    /// Why it was ended here.
    failure: Option<Error>,
    /// The URL and the pass of the last redirect.
    redirect: Option<(String, Vec<u8>)>,
    rng: Rng,
    timer: Pin<Box<Sleep>>,
}

impl Link {
    /// Starts to connect.
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

    /// Whether the connection is ready.
    pub fn is_ready(&self) -> bool {
        self.connection.state() == State::Ready
    }

    /// A new number for a request that expects an answer.
    pub fn request(&mut self) -> u32 {
        self.connection.request()
    }

    /// Sends a message on the open line with the next poll. It is lost if there is no line.
    pub fn send(&mut self, message: &ClientMessage) {
        self.outgoing.push_back(codec::encode(message));
    }

    /// Breaks the line on purpose. It does not come back within `wait`.
    pub fn drop_line(&mut self, wait: Duration) {
        self.handle(Event::Drop(wait));
    }

    /// Tries at once instead of waiting, also after having given up.
    pub fn retry(&mut self) {
        self.handle(Event::Retry);
    }

    /// Reports that the network is there again, or another one.
    pub fn online(&mut self) {
        self.handle(Event::Online);
    }

    /// Ends it for good.
    pub fn close(&mut self) {
        self.handle(Event::Close);
    }

    /// Ends it for good, because the server broke the protocol or the owner cannot go on. [`Link::error`] then returns
    /// this error.
    pub fn fail(&mut self, error: Error) {
        self.failure = Some(error);
        self.close();
    }

    /// Whether there is news that the owner has not got yet.
    pub fn has_news(&self) -> bool {
        !self.effects.is_empty()
    }

    /// The error for the news of [`Told::Over`].
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
    /// If there is no open line, or it is broken already.
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

    /// Returns the next news for the owner; at `wake` that is [`Heard::Time`]. While the connection is ready, it sends
    /// messages of `outgoing` as far as the line takes them.
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

    /// Drops the line without waiting for a close that may hang. Waiting messages are sent if they fit into the
    /// system's buffers.
    pub(crate) fn shut(&mut self) {
        if let Line::Open(socket) = &mut self.line {
            socket.say(&mut self.outgoing);
        }
        self.line = Line::None;
        self.outgoing.clear();
    }

    /// Ready if something has changed, with the news for the owner.
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

    /// Notes a sign of life, and the passing of time.
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

/// A client that drops its wish for a seat says so, or the seat would stay empty.
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
