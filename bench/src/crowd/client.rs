//! One client of the crowd: its way into a room, the heads that it reads, the inputs that it sends.

use std::{
    io::{self, Read as _, Write as _},
    mem,
    net::SocketAddr,
    time::{Duration, Instant},
};

use mio::net::TcpStream;
use tiltyard_shared::{
    game::Tick,
    protocol::{CONTROL, ClientMessage, FRAME, Report, codec},
    replica::{Applied, Replica},
};
use uuid::Uuid;

use super::{Dialect, Measures, Plan, Recovery, WATCH_EVERY, colyseus};
use crate::websocket::{self, opcode};

mod entry;

/// Where a client is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The connection is being made.
    Connecting,
    /// It is being turned into a WebSocket.
    Upgrading,
    /// Hello is said.
    Greeting,
    /// A seat is asked for.
    Entering,
    /// Frames come.
    Playing,
    /// It was closed.
    Gone,
}

impl Stage {
    pub(super) fn is_entering(self) -> bool {
        !matches!(self, Self::Playing | Self::Gone)
    }
}

/// What a client asks a server of ours for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// A seat in any open room.
    AnySeat,
    /// A seat in a room of its own making.
    NewRoom,
    /// A seat in this room.
    Seat(Uuid),
    /// The list of rooms.
    Rooms,
}

/// Whether the event queue tells of a client's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watch {
    /// Always.
    Always,
    /// Until its first frame.
    Entry,
    /// No more: it looks when it sends.
    No,
}

/// How a client reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Everything, at once.
    All,
    /// Nothing: the bytes stay in the kernel.
    Nothing,
    /// Everything, but it applies nothing and reports no more.
    Unapplied,
}

/// Who is not watched looks at the first sending so long after the last look: with twenty or ten sendings a second, what it
/// reports as applied is at most 100 ms old, as the SDKs' reports are.
const LOOK_SPACING: Duration = Duration::from_millis(75);

/// Inputs aim so many ticks beyond the newest that is held, and at most twice as many.
const LEAD: u32 = 2;

/// A client.
#[derive(Debug)]
pub struct Client {
    pub(super) stage: Stage,
    pub(super) reading: Reading,
    stream: TcpStream,
    /// The beginning of a message whose end has not arrived.
    partial: Vec<u8>,
    /// What the kernel has not taken.
    unsent: Vec<u8>,
    replica: Option<Box<Replica>>,
    report: Report,
    number: u32,
    /// The tick that its last input aims at.
    aim: Tick,
    frames: u64,
    last_frame: Option<Instant>,
    verifies: bool,
    watch: Watch,
    next_look: Instant,
    path: String,
    request: Request,
    /// The room that it has made, until somebody takes note of it.
    made: Option<Uuid>,
    /// Bytes read since it began anew.
    bytes: u64,
    pub(super) recovery: Recovery,
    /// When it began to connect, and its first frame.
    born: Instant,
    first_frame: Option<Instant>,
    /// Messages kept unread while [`Reading::Unapplied`].
    unapplied: Vec<Vec<u8>>,
}

impl Client {
    /// Begins to connect client number `place`.
    pub(super) fn connect(plan: &Plan, place: usize, request: Request) -> io::Result<Self> {
        let path = match plan.dialect {
            Dialect::Colyseus => colyseus::reserve(plan.addr, plan.game)?,
            Dialect::Tiltyard | Dialect::Floor => "/ws".to_owned(),
        };
        let stream = TcpStream::connect(plan.addr)?;
        Ok(Self {
            stage: Stage::Connecting,
            reading: Reading::All,
            stream,
            partial: Vec::new(),
            unsent: Vec::new(),
            replica: None,
            report: Report::default(),
            number: 0,
            aim: Tick(0),
            frames: 0,
            last_frame: None,
            verifies: plan.verify_every > 0 && place.is_multiple_of(plan.verify_every),
            watch: if place.is_multiple_of(WATCH_EVERY) { Watch::Always } else { Watch::Entry },
            next_look: Instant::now(),
            path,
            request,
            made: None,
            bytes: 0,
            recovery: Recovery::default(),
            born: Instant::now(),
            first_frame: None,
            unapplied: Vec::new(),
        })
    }

    pub(super) fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Whether the event queue is to tell of its bytes no more.
    pub(super) fn stops_being_watched(&mut self) -> bool {
        let stops = self.watch == Watch::Entry && self.first_frame.is_some();
        if stops {
            self.watch = Watch::No;
        }
        stops
    }

    /// Whether it is time to look what has come, because the event queue does not tell.
    pub(super) fn looks(&mut self, now: Instant) -> bool {
        let due = now >= self.next_look;
        if due {
            self.next_look = now + LOOK_SPACING;
        }
        due && self.watch == Watch::No
    }

    pub(super) fn begin(&mut self) {
        (self.frames, self.bytes) = (0, 0);
    }

    /// Frames since it began anew.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Its own address.
    ///
    /// # Errors
    ///
    /// If its connection is gone.
    pub fn addr(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    /// Bytes read since it began anew.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How it came to hold what the server has. Only for who verifies.
    pub fn recovery(&self) -> Recovery {
        self.recovery
    }

    /// The tick that it has applied.
    pub fn applied(&self) -> Tick {
        self.report.applied
    }

    /// The room that it has made, once.
    pub(super) fn take_made(&mut self) -> Option<Uuid> {
        self.made.take()
    }

    /// Forgets everything and asks to be told anew.
    pub(super) fn forget(&mut self) {
        if let Some(replica) = &mut self.replica {
            let resync = replica.resync(true);
            self.say(&ClientMessage::Resync(resync));
        }
    }

    /// From the first byte of its connection to its first frame.
    pub fn time_to_frame(&self) -> Option<Duration> {
        Some(self.first_frame?.duration_since(self.born))
    }

    /// Reads what has arrived.
    pub(super) fn read(&mut self, plan: &Plan, scratch: &mut [u8], measures: &mut Measures) {
        if self.reading == Reading::Nothing || self.stage == Stage::Gone {
            return;
        }
        if self.stage == Stage::Connecting {
            self.connected(plan);
        }
        if self.reading == Reading::All {
            self.catch_up(measures);
        }
        loop {
            let read = match self.stream.read(scratch) {
                Ok(0) => return self.lose(measures, "closed by the server"),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => return self.lose(measures, &error.to_string()),
            };
            self.bytes += read as u64;
            if self.partial.is_empty() {
                let left = self.take(plan, &scratch[..read], measures);
                self.partial.extend_from_slice(&scratch[read - left..read]);
            } else {
                let mut bytes = mem::take(&mut self.partial);
                bytes.extend_from_slice(&scratch[..read]);
                let left = self.take(plan, &bytes, measures);
                bytes.drain(..bytes.len() - left);
                self.partial = bytes;
            }
            if read < scratch.len() {
                return;
            }
        }
    }

    fn lose(&mut self, measures: &mut Measures, why: &str) {
        self.stage = Stage::Gone;
        measures.lost += 1;
        measures.complain(|| format!("a connection was lost: {why}"));
    }

    /// Takes all whole messages of these bytes; how many bytes are left.
    fn take(&mut self, plan: &Plan, mut bytes: &[u8], measures: &mut Measures) -> usize {
        if self.stage == Stage::Upgrading {
            let Some(end) = websocket::upgraded(bytes) else { return bytes.len() };
            bytes = &bytes[end..];
            self.upgraded(plan);
        }
        while let Some(arrived) = websocket::parse(bytes) {
            bytes = &bytes[arrived.bytes..];
            match arrived.opcode {
                opcode::PING => self.send(opcode::PONG, arrived.payload),
                opcode::CLOSE => self.lose(measures, "closed"),
                _ if plan.dialect == Dialect::Colyseus => {
                    if self.take_colyseus(arrived.payload) {
                        self.count(arrived.bytes, measures);
                    }
                }
                _ => match arrived.payload.first() {
                    Some(&FRAME) => {
                        if self.reading == Reading::Unapplied {
                            self.unapplied.push(arrived.payload.to_vec());
                        } else {
                            self.catch_up(measures);
                            self.apply(arrived.payload, measures);
                        }
                        self.count(arrived.bytes, measures);
                    }
                    Some(&CONTROL) => self.take_control(plan, &arrived.payload[1..], measures),
                    _ => self.lose(measures, "an unknown message"),
                },
            }
        }
        bytes.len()
    }

    /// Applies a frame wholly or by its head.
    fn apply(&mut self, frame: &[u8], measures: &mut Measures) {
        let Some(replica) = &mut self.replica else {
            if let Some(tick) = read_tick(frame, self.report.applied) {
                self.report.applied = tick;
            }
            return;
        };
        match replica.apply(frame) {
            Ok(Applied::Frame(head)) => {
                measures.verified += u64::from(head.hash.is_some());
                self.recovery.note(head.tick, frame.len(), head.hash.is_some());
                self.report = replica.report();
                replica.drain_events().for_each(drop);
            }
            Ok(Applied::Stale | Applied::Piece) => {}
            Err(error) => {
                measures.mismatches += 1;
                measures.complain(|| error.to_string());
            }
        }
    }

    /// Applies what was read and put aside.
    fn catch_up(&mut self, measures: &mut Measures) {
        for frame in mem::take(&mut self.unapplied) {
            self.apply(&frame, measures);
        }
    }

    fn count(&mut self, bytes: usize, measures: &mut Measures) {
        let now = Instant::now();
        measures.frames += 1;
        measures.bytes += bytes as u64;
        self.frames += 1;
        match self.last_frame.replace(now) {
            None => self.first_frame = Some(now),
            Some(last) if self.watch == Watch::Always => {
                measures.interval.saturating_record(now.duration_since(last).as_micros() as u64);
            }
            Some(_) => {}
        }
    }

    /// Sends an input, with the report of what it holds. As the SDKs' clocks do, each aims at a tick of its own.
    pub(super) fn act(&mut self, payload: Vec<u8>, dialect: Dialect) {
        if self.stage != Stage::Playing || !self.unsent.is_empty() || self.reading != Reading::All {
            return;
        }
        if dialect == Dialect::Colyseus {
            return self.send(opcode::BINARY, &colyseus::message(&payload));
        }
        self.number += 1;
        let next = self.report.applied.0 + LEAD;
        self.aim = Tick(next.max(self.aim.0 + 1).min(next + LEAD));
        self.say(&ClientMessage::input(self.number, self.report, self.aim, payload));
    }

    /// Reports what it holds, if anything.
    pub(super) fn report(&mut self) {
        let sits = self.stage == Stage::Playing && self.request != Request::Rooms;
        if sits && self.unsent.is_empty() && self.reading == Reading::All {
            self.say(&ClientMessage::Report(self.report));
        }
    }

    fn say(&mut self, message: &ClientMessage) {
        self.send(opcode::BINARY, &codec::encode(message));
    }

    fn send(&mut self, opcode: u8, payload: &[u8]) {
        let mut bytes = Vec::with_capacity(payload.len() + 14);
        websocket::write(&mut bytes, opcode, payload);
        self.write(&bytes);
    }

    fn write(&mut self, bytes: &[u8]) {
        let written = if self.unsent.is_empty() { self.stream.write(bytes).unwrap_or(0) } else { 0 };
        self.unsent.extend_from_slice(&bytes[written..]);
    }

    /// Sends what the kernel had not taken.
    pub(super) fn flush(&mut self) {
        if !self.unsent.is_empty() {
            let written = self.stream.write(&self.unsent).unwrap_or(0);
            self.unsent.drain(..written);
        }
    }
}

/// The tick of a frame's head. `last` is that of the frame before.
fn read_tick(frame: &[u8], last: Tick) -> Option<Tick> {
    let epoch_bytes = frame.get(2..)?.iter().position(|byte| *byte < 0x80)? + 1;
    let rest = &frame[2 + epoch_bytes..];
    if frame[1] & 1 == 1 {
        return Some(Tick(u32::from_le_bytes(*rest.first_chunk()?)));
    }
    let low = u16::from_le_bytes(*rest.first_chunk()?);
    let next = last.0 + 1;
    Some(Tick(next + u32::from(low.wrapping_sub(next as u16))))
}
