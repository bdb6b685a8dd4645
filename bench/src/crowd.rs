//! The load: thousands of clients on one thread that read every frame, answer with inputs, and verify some of what they
//! hold.
//!
//! Most clients read only the head of a frame, which is what a report needs; every so-manieth asks for a hash in each frame
//! and mirrors the whole view with a real [`Replica`](tiltyard_shared::replica::Replica). Sockets are non-blocking; inputs are
//! spread evenly over time. Every so-manieth client is watched with epoll and measures when its frames come. The others, once
//! they play, look when they send, every tenth of a second: a client far away makes no server pay for waking it. `client` is one client, [`Measures`]
//! what came out.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token};
use tiltyard_shared::{
    game::{Rng, Tick},
    replicate::EntitySchema,
};
use uuid::Uuid;

mod client;
mod colyseus;
mod measures;
mod recovery;

pub use client::{Client, Reading};
use client::{Request, Stage};
pub use measures::Measures;
pub use recovery::Recovery;

/// What a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Tiltyard's protocol.
    Tiltyard,
    /// Frames and inputs of the same bytes, without handshake or meaning.
    Floor,
    /// Colyseus 0.18: seats are reserved over HTTP first.
    Colyseus,
}

/// What clients want of a server of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A seat in a room of so many.
    Play {
        /// Clients in each room.
        room_size: usize,
    },
    /// A seat in any open room of the game.
    Join,
    /// To look at the list of rooms.
    Browse,
}

/// What a crowd does.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server.
    pub addr: SocketAddr,
    /// What it speaks.
    pub dialect: Dialect,
    /// How many clients.
    pub clients: usize,
    /// What they want.
    pub wish: Wish,
    /// They enter one after the other over this time.
    pub ramp: Duration,
    /// So often a second each sends something.
    pub input_hz: u32,
    /// Every so-manieth client verifies every frame; 0: none.
    pub verify_every: usize,
    /// The game.
    pub game: &'static str,
    /// The bytes of its config.
    pub config: Vec<u8>,
    /// What its entities are made of.
    pub schema: EntitySchema,
    /// The hash of its schema.
    pub schema_hash: u64,
    /// The bytes of one more input; if there are none, only a report is sent.
    pub input: fn(&mut Rng) -> Vec<u8>,
}

/// How many events the kernel tells at a time.
const EVENTS: usize = 1024;

/// Frames are read into so much memory at a time, for all clients the same.
const READ_BYTES: usize = 256 * 1024;

/// Every so-manieth client is watched as long as it lives; of its frames the intervals are measured.
const WATCH_EVERY: usize = 20;

/// Connections that may be on their way into the server at a time.
const MAX_ENTERING: usize = 256;

/// A crowd that plays while [`Crowd::run`] runs.
#[derive(Debug)]
pub struct Crowd {
    plan: Plan,
    poll: Poll,
    events: Events,
    scratch: Vec<u8>,
    clients: Vec<Client>,
    /// The rooms of those who have made one.
    rooms: Vec<Uuid>,
    start: Instant,
    /// Inputs sent so far, over all clients in turn.
    turns: u64,
    measures: Measures,
    entering: usize,
    playing: usize,
    rng: Rng,
}

impl Crowd {
    /// Nobody has connected yet.
    ///
    /// # Errors
    ///
    /// If the system gives no event queue or not enough files.
    pub fn new(plan: Plan) -> io::Result<Self> {
        rlimit::increase_nofile_limit(u64::MAX)?;
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS),
            scratch: vec![0; READ_BYTES],
            clients: Vec::new(),
            rooms: Vec::new(),
            start: Instant::now(),
            turns: 0,
            measures: Measures::default(),
            entering: 0,
            playing: 0,
            rng: Rng::new(7),
            plan,
        })
    }

    /// How many clients get frames now.
    pub fn playing(&self) -> usize {
        self.playing
    }

    /// How many were asked for.
    pub fn size(&self) -> usize {
        self.plan.clients
    }

    /// From now on measures count anew.
    pub fn begin(&mut self) {
        self.measures = Measures::default();
        for client in &mut self.clients {
            client.begin();
        }
    }

    /// What was measured since [`Crowd::begin`].
    pub fn measures(&mut self) -> Measures {
        let mut measures = self.measures.clone();
        for client in &self.clients {
            measures.client(client.frames());
        }
        measures
    }

    /// How one client reads from now on.
    pub fn set_reading(&mut self, place: usize, reading: Reading) {
        self.clients[place].reading = reading;
        self.read(place);
    }

    /// From now on a client notes how it comes to hold what the server has at a tick after `since`. Only for who verifies.
    pub fn watch_recovery(&mut self, place: usize, since: Tick) {
        self.clients[place].recovery = Recovery::after(since);
    }

    /// A client forgets everything and asks to be told anew. Only for who verifies.
    pub fn forget(&mut self, place: usize) {
        self.clients[place].forget();
    }

    /// One client, for what only some scenes ask.
    pub fn client(&self, place: usize) -> &Client {
        &self.clients[place]
    }

    /// Plays until everybody is in.
    ///
    /// # Errors
    ///
    /// If that takes longer than `patience` beyond the ramp, or somebody was turned away.
    pub fn enter(&mut self, patience: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + self.plan.ramp + patience;
        while self.playing < self.plan.clients {
            if Instant::now() >= end {
                let stuck = self.clients.iter().find(|client| client.stage.is_entering()).map(|client| client.stage);
                anyhow::bail!(
                    "only {} of {} are in; the first of the others: {stuck:?}",
                    self.playing,
                    self.plan.clients
                );
            }
            if let Some(complaint) = &self.measures.complaint {
                anyhow::bail!("{complaint}");
            }
            self.run(Duration::from_millis(20))?;
        }
        Ok(())
    }

    /// Plays for so long.
    ///
    /// # Errors
    ///
    /// If the event queue fails.
    pub fn run(&mut self, time: Duration) -> io::Result<()> {
        let end = Instant::now() + time;
        loop {
            let now = Instant::now();
            if now >= end {
                return Ok(());
            }
            self.connect_due(now)?;
            let next = self.send_due(now)?;
            let wait = next.min(end).saturating_duration_since(Instant::now());
            let wait = wait.clamp(Duration::from_millis(1), Duration::from_millis(5));
            match self.poll.poll(&mut self.events, Some(wait)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
            for event in &events {
                if event.is_writable() {
                    self.clients[event.token().0].flush();
                }
                self.read(event.token().0);
            }
            self.events = events;
        }
    }

    /// Opens the connections whose turn it is.
    fn connect_due(&mut self, now: Instant) -> io::Result<()> {
        let Plan { clients, ramp, .. } = self.plan;
        let passed = now.duration_since(self.start).as_secs_f64() / ramp.as_secs_f64().max(1e-6);
        let due = ((passed * clients as f64) as usize).min(clients);
        while self.clients.len() < due && self.entering < MAX_ENTERING {
            let place = self.clients.len();
            let Some(request) = self.request(place) else { break };
            let mut client = Client::connect(&self.plan, place, request)?;
            self.poll.registry().register(client.stream(), Token(place), Interest::READABLE | Interest::WRITABLE)?;
            self.clients.push(client);
            self.entering += 1;
        }
        Ok(())
    }

    /// What the next client is to ask for; `None` while the room that it wants is being made.
    fn request(&self, place: usize) -> Option<Request> {
        match self.plan.wish {
            Wish::Browse => Some(Request::Rooms),
            Wish::Join => Some(Request::AnySeat),
            // Colyseus makes a room for who comes first, too.
            Wish::Play { .. } if self.plan.dialect != Dialect::Tiltyard => {
                (place == 0 || self.playing > 0 || self.plan.dialect == Dialect::Floor).then_some(Request::AnySeat)
            }
            // Who comes first makes the rooms, all at once; the others are dealt out to them.
            Wish::Play { room_size } => {
                let rooms = self.plan.clients.div_ceil(room_size.max(1));
                if place < rooms {
                    return Some(Request::NewRoom);
                }
                self.rooms.get(place % rooms).copied().map(Request::Seat)
            }
        }
    }

    /// Sends the inputs that are due, one client after the other; when the next is.
    fn send_due(&mut self, now: Instant) -> io::Result<Instant> {
        let Plan { clients, input_hz, .. } = self.plan;
        let per_second = f64::from(input_hz) * clients as f64;
        let due = (now.duration_since(self.start).as_secs_f64() * per_second) as u64;
        // After a pause what was missed is not made up for: nobody sends twice at once.
        self.turns = self.turns.max(due.saturating_sub(clients as u64));
        while self.turns < due {
            let place = (self.turns % clients as u64) as usize;
            self.turns += 1;
            let Some(client) = self.clients.get_mut(place) else { continue };
            if client.stops_being_watched() {
                self.poll.registry().deregister(client.stream())?;
            }
            if client.looks(now) {
                client.flush();
                self.read(place);
            }
            let client = &mut self.clients[place];
            match (self.plan.input)(&mut self.rng) {
                input if input.is_empty() => client.report(),
                input => client.act(input, self.plan.dialect),
            }
        }
        Ok(self.start + Duration::from_secs_f64((due + 1) as f64 / per_second))
    }

    fn read(&mut self, place: usize) {
        let client = &mut self.clients[place];
        let before = client.stage;
        client.read(&self.plan, &mut self.scratch, &mut self.measures);
        if before == client.stage {
            return;
        }
        let counts = |stage: Stage| (usize::from(stage.is_entering()), usize::from(stage == Stage::Playing));
        let ((entering, playing), (now_entering, now_playing)) = (counts(before), counts(client.stage));
        self.entering = self.entering + now_entering - entering;
        self.playing = self.playing + now_playing - playing;
        self.rooms.extend(self.clients[place].take_made());
    }
}
