//! Three ways to be slow: a client that does not read, one that reads and applies nothing, one on a narrow line. Each is a
//! [`Session`] on a [`Link`], driven by hand, that notes whether it was exact again in time and what it was told.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use tiltyard_arena::{Arena, messages::Input};
use tiltyard_client::{
    Event, Options, Session,
    connection::Told,
    handshake,
    link::{Heard, Link},
    session::Frame,
};
use tiltyard_shared::{game::Tick, protocol::Target};
use uuid::Uuid;

use crate::{proxy::Proxy, witness::is_shared};

/// Inputs go out so often, as an honest bot's do.
const PERIOD: Duration = Duration::from_millis(50);
/// With more ticks than this without a frame it is throttled: at 20 Hz the idle rule allows five.
const THROTTLE_TICKS: u32 = 5;
/// A client is up to date when its frames are younger than this.
const CURRENT: Duration = Duration::from_millis(250);

/// How a client is slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It does not read.
    Deaf,
    /// It reads, and applies nothing, as a hidden browser tab.
    Hidden,
    /// It sits behind a narrow line.
    Narrow,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Deaf, Self::Hidden, Self::Narrow];

    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Deaf => "one that does not read",
            Self::Hidden => "one that reads and applies nothing",
            Self::Narrow => "one on a quarter of the bytes",
        }
    }
}

/// What a slow client noted.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Releases and new epochs.
    pub(crate) returns: u32,
    /// How many frames the worst return took until the client was exact.
    pub(crate) worst_return: u32,
    /// Numbers of the events that all can see, in the order in which they were told.
    pub(crate) events: Vec<u64>,
    pub(crate) largest_frame: usize,
    last: Option<Tick>,
    returning: Option<u32>,
    current: bool,
}

/// A client that will be slow.
pub(crate) struct Slow {
    pub(crate) kind: Kind,
    pub(crate) notes: Notes,
    /// The two ends of the server's connection: the peer's and its own.
    pub(crate) ends: (SocketAddr, SocketAddr),
    link: Link,
    session: Session<Arena>,
    proxy: Option<Proxy>,
    next_input: Instant,
    /// What was read and not applied. Bounded by the server, which throttles who applies nothing.
    unapplied: Vec<Vec<u8>>,
}

impl Slow {
    /// Takes a seat. `rate` are the bytes a second of a narrow line.
    pub(crate) async fn enter(kind: Kind, url: &str, room: Uuid, rate: u64) -> anyhow::Result<Self> {
        let server: SocketAddr = url.trim_start_matches("ws://").trim_end_matches("/ws").parse()?;
        let proxy = match kind {
            Kind::Narrow => Some(Proxy::start(server, rate).await?),
            Kind::Deaf | Kind::Hidden => None,
        };
        let target = proxy.as_ref().map_or(server, |proxy| proxy.address);
        let options = Options { name: "slow".to_owned(), verify: true, ..Options::new(format!("ws://{target}/ws")) };
        let (link, session) = handshake::enter::<Arena>(&options, Target::Room(room)).await?;
        let ends = match &proxy {
            Some(proxy) => proxy.ends().context("the proxy has no connection")?,
            None => link.addresses()?,
        };
        let (notes, next_input) = (Notes::default(), Instant::now());
        Ok(Self { kind, notes, ends, link, session, proxy, next_input, unapplied: Vec::new() })
    }

    /// Behaves well until then.
    pub(crate) async fn play(&mut self, until: Instant) -> anyhow::Result<()> {
        loop {
            let now = Instant::now();
            if now >= until {
                return Ok(());
            }
            self.session.handle_time(now);
            if now >= self.next_input {
                self.act(now);
            }
            let wake = self.session.deadline().map_or(until, |due| due.min(until)).min(self.next_input);
            let heard = self.link.next(&mut self.session.outgoing, wake).await;
            self.take(heard)?;
        }
    }

    /// Is slow until then, in its way.
    pub(crate) async fn dawdle(&mut self, until: Instant) -> anyhow::Result<()> {
        match self.kind {
            Kind::Deaf => tokio::time::sleep_until(until.into()).await,
            Kind::Hidden => {
                while Instant::now() < until {
                    match self.link.next(&mut self.session.outgoing, until).await {
                        Heard::Frame(bytes) => self.unapplied.push(bytes.to_vec()),
                        heard => self.take(heard)?,
                    }
                }
            }
            Kind::Narrow => self.play(until).await?,
        }
        Ok(())
    }

    /// Is slow no more: applies what it has, and plays until it is up to date. Fails if that takes longer than `patience`.
    pub(crate) async fn recover(&mut self, patience: Duration) -> anyhow::Result<Duration> {
        let start = Instant::now();
        if let Some(proxy) = &self.proxy {
            proxy.widen();
        }
        for bytes in std::mem::take(&mut self.unapplied) {
            self.session.handle(&bytes, Instant::now())?;
            self.note();
        }
        self.notes.current = false;
        while !self.notes.current {
            if start.elapsed() > patience {
                bail!("{} is still behind after {patience:?}", self.kind.describe());
            }
            self.play(Instant::now() + Duration::from_millis(20)).await?;
        }
        Ok(start.elapsed())
    }

    /// Leaves, and gives how many frames it read and how many were handed over.
    pub(crate) async fn leave(mut self) -> anyhow::Result<(u64, u64, Self)> {
        self.session.leave();
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            let heard = self.link.next(&mut self.session.outgoing, deadline).await;
            self.handle(heard)?;
            if let Some(handed) = self.note() {
                return Ok((self.session.counts().frames, handed, self));
            }
        }
        bail!("no goodbye")
    }

    /// What the session counted.
    pub(crate) fn session(&self) -> &Session<Arena> {
        &self.session
    }

    /// Walks in a circle and holds the trigger, so that events of its own arise too.
    fn act(&mut self, now: Instant) {
        self.next_input = now + PERIOD;
        let turn = self.session.clock().newest().0 as f32 / 20.0;
        let walk = [turn.cos(), turn.sin()].map(|part| (part * 127.0) as i8);
        self.session.send(&Input { walk, aim: turn.rem_euclid(std::f32::consts::TAU), fire: true }, now).ok();
    }

    fn take(&mut self, heard: Heard) -> anyhow::Result<()> {
        self.handle(heard)?;
        if self.note().is_some() {
            bail!("the server said goodbye");
        }
        Ok(())
    }

    fn handle(&mut self, heard: Heard) -> anyhow::Result<()> {
        match heard {
            Heard::Frame(bytes) => self.session.handle(&bytes, Instant::now())?,
            Heard::Told(Told::Message(message)) => self.session.handle_message(*message)?,
            Heard::Told(told @ (Told::Lost | Told::Waiting { .. })) => bail!("the line was lost: {told:?}"),
            _ => {}
        }
        Ok(())
    }

    /// Notes what happened; gives the frames handed over when it was the goodbye.
    fn note(&mut self) -> Option<u64> {
        while let Some(event) = self.session.next_event() {
            match event {
                Event::Frame(frame) => self.note_frame(frame),
                Event::Game { number, event } if is_shared(&event) => self.notes.events.push(number),
                Event::Goodbye { frames, .. } => return Some(frames),
                _ => {}
            }
        }
        None
    }

    /// After being throttled or at the start of an epoch, counts frames until the state is exact: no group behind, and
    /// the hash, which every frame carries, the server's. (A frame that does not agree never gets here.)
    fn note_frame(&mut self, frame: Frame) {
        let notes = &mut self.notes;
        let throttled = notes.last.is_some_and(|last| frame.tick.0 > last.0 + THROTTLE_TICKS);
        if throttled || frame.start {
            notes.returns += 1;
            notes.returning = Some(0);
        }
        notes.last = Some(frame.tick);
        notes.largest_frame = notes.largest_frame.max(frame.bytes);
        notes.current = frame.age < CURRENT && notes.returning.is_none();
        if let Some(frames) = &mut notes.returning {
            *frames += 1;
            notes.worst_return = notes.worst_return.max(*frames);
            if frame.verified && self.session.replica().tables().all(|(_, _, behind)| !behind) {
                notes.returning = None;
            }
        }
    }
}
