//! A room's door: how the rest of the instance knows the room, what it asks of it, and which seats are reserved.
//!
//! What changes often are single numbers that the room writes and gateways read; what the lobby shows goes to its
//! [`Notices`] at most once a second.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use tiltyard_core::directory::Listing;
use tiltyard_shared::protocol::{
    Code, Enter,
    lobby::{RoomCode, RoomEntry, RoomOptions},
};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::matched::MatchSeat;
use crate::{lobby::Notices, net::socket::Socket, shard::Load};

/// What a room is to be.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Its game.
    pub(crate) game: &'static str,
    /// What its maker chose.
    pub(crate) options: RoomOptions,
    /// Its id, if it is for a match; others get one of their own.
    pub(crate) matched: Option<Uuid>,
}

/// What a room is asked for at its door.
#[derive(Debug)]
pub(crate) enum RoomRequest {
    /// A seat for a connection.
    Join(Box<PendingJoin>),
    /// The end: too few of those who were matched have come.
    Close,
    /// A seat to be kept. Nobody listens any more if the server is stopping.
    Reserve(oneshot::Sender<Result<Reservation, Code>>),
}

/// A connection that waits for a seat.
#[derive(Debug)]
pub(crate) struct PendingJoin {
    /// Its socket, on no runtime.
    pub(crate) socket: Socket,
    /// What it asked for; the target has led here.
    pub(crate) wish: Enter,
    /// What its client understands.
    pub(crate) capabilities: u64,
    /// The seat that was kept for it.
    pub(crate) reservation: Option<Reservation>,
    /// The seat of a match that it was matched into.
    pub(crate) seat: Option<MatchSeat>,
    /// Where the answer goes.
    pub(crate) reply: oneshot::Sender<Reply>,
}

/// Whether a connection was seated; if not, here it is again.
pub(crate) type Reply = Result<(), Box<Refused>>;

/// A connection that got no seat.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Its socket, on no runtime.
    pub(crate) socket: Socket,
    /// Why.
    pub(crate) code: Code,
}

impl PendingJoin {
    pub(super) fn refuse(self, code: Code) {
        // A gateway that does not listen any more is stopping.
        let _ = self.reply.send(Err(Box::new(Refused { socket: self.socket, code })));
    }
}

/// Refuses all that waits at the door of a closed room.
pub(crate) fn refuse_all(requests: &mut mpsc::Receiver<RoomRequest>, code: Code) {
    requests.close();
    while let Ok(request) = requests.try_recv() {
        match request {
            RoomRequest::Join(join) => join.refuse(code),
            RoomRequest::Reserve(reply) => drop(reply.send(Err(code))),
            RoomRequest::Close => {}
        }
    }
}

/// What is known of a room outside of it.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its id.
    pub(crate) id: Uuid,
    /// Its code.
    pub(crate) code: RoomCode,
    /// Its game.
    pub(crate) game: &'static str,
    /// What its maker chose.
    pub(crate) options: RoomOptions,
    /// Whether its seats are for those who were matched into it, and for nobody else.
    matched: bool,
    seats: u32,
    door: mpsc::Sender<RoomRequest>,
    /// Seats that are taken, and who watches.
    people: AtomicU32,
    free: AtomicU32,
    locked: AtomicBool,
    /// Connections on their way in.
    arriving: AtomicU32,
    /// Seats kept for whoever has a pass. Raised by the room alone, so that a seat is never reserved twice.
    reserved: AtomicU32,
}

impl Entry {
    /// A room of which nobody knows yet.
    pub(crate) fn new(plan: Plan, code: RoomCode, seats: u32, door: mpsc::Sender<RoomRequest>) -> Self {
        let Plan { game, options, matched } = plan;
        Self {
            id: matched.unwrap_or_else(Uuid::now_v7),
            code,
            game,
            options,
            matched: matched.is_some(),
            seats,
            door,
            people: AtomicU32::new(0),
            free: AtomicU32::new(seats),
            locked: AtomicBool::new(false),
            arriving: AtomicU32::new(0),
            reserved: AtomicU32::new(0),
        }
    }

    /// Who is in it, or will soon be.
    pub(crate) fn expected(&self) -> u32 {
        [&self.people, &self.arriving, &self.reserved].map(|count| count.load(Ordering::Relaxed)).into_iter().sum()
    }

    /// Whether it takes one more player, as far as one can see from outside.
    pub(crate) fn has_room(&self) -> bool {
        let coming = self.arriving.load(Ordering::Relaxed) + self.reserved.load(Ordering::Relaxed);
        !self.matched && !self.locked.load(Ordering::Relaxed) && self.free.load(Ordering::Relaxed) > coming
    }

    /// What the lobby shows.
    pub(crate) fn listing(&self, status: &Status<'_>) -> Listing {
        let entry = RoomEntry {
            room: self.id,
            code: self.code.to_string(),
            game: self.game.to_owned(),
            title: self.options.title.clone(),
            players: status.players,
            seats: self.seats,
            spectators: status.spectators,
            locked: status.locked || self.matched,
            metadata: status.metadata.to_owned(),
            flags: 0,
        };
        Listing { entry, private: self.options.private }
    }
}

/// What a room has to say of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Status<'a> {
    /// Seats that are taken.
    pub(crate) players: u32,
    /// Who watches.
    pub(crate) spectators: u32,
    /// Whether it takes no new players.
    pub(crate) locked: bool,
    /// What its game says: JSON text, or empty.
    pub(crate) metadata: &'a str,
}

/// Takes a room off the list.
type Unlist = Box<dyn FnOnce(&Entry) + Send>;

/// A room's own hold of its entry; when dropped the room is found no more.
pub(crate) struct Listed {
    entry: Arc<Entry>,
    notices: Notices,
    load: Arc<Load>,
    /// Called once, at the end.
    unlist: Option<Unlist>,
    /// What the lobby was told last.
    told: Listing,
}

impl Listed {
    /// The hold of a room that is on the list, until `unlist` takes it off.
    pub(crate) fn new(entry: Arc<Entry>, notices: Notices, load: Arc<Load>, unlist: Unlist) -> Self {
        let told = entry.listing(&Status::default());
        Self { entry, notices, load, unlist: Some(unlist), told }
    }

    /// The room's code.
    pub(crate) fn code(&self) -> RoomCode {
        self.entry.code
    }

    /// Says how full the room is.
    pub(crate) fn set_occupancy(&self, people: u32, free: u32) {
        let before = self.entry.people.swap(people, Ordering::Relaxed);
        self.entry.free.store(free, Ordering::Relaxed);
        self.load.change_players(before, people);
    }

    /// Says whether the room takes no new players.
    pub(crate) fn set_locked(&self, locked: bool) {
        self.entry.locked.store(locked, Ordering::Relaxed);
    }

    /// The match is over: only who has a seat finds the room from now on.
    pub(crate) fn conclude(&self) {
        self.set_locked(true);
        self.notices.remove(self.entry.id);
    }

    /// Tells the lobby; false if it knows. To be called at most once a second.
    pub(crate) fn tell(&mut self, status: &Status<'_>) -> bool {
        let RoomEntry { players, spectators, locked, metadata, .. } = &self.told.entry;
        let locked_too = Status { locked: status.locked || self.entry.matched, ..*status };
        let told = Status { players: *players, spectators: *spectators, locked: *locked, metadata };
        if told == locked_too {
            return false;
        }
        self.told = self.entry.listing(status);
        self.notices.put(self.told.clone());
        true
    }

    /// Seats that are reserved.
    pub(crate) fn reserved(&self) -> u32 {
        self.entry.reserved.load(Ordering::Relaxed)
    }

    /// Keeps a seat until the reservation is dropped.
    pub(crate) fn reserve(&self) -> Reservation {
        self.entry.reserved.fetch_add(1, Ordering::Relaxed);
        Reservation { entry: self.entry.clone() }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.set_occupancy(0, 0);
        self.load.remove_room();
        self.unlist.take().into_iter().for_each(|unlist| unlist(&self.entry));
        self.notices.remove(self.entry.id);
    }
}

/// A way into a room. Until it is dropped, gateways take it that one seat less is free.
#[derive(Debug)]
pub(crate) struct Arrival {
    entry: Arc<Entry>,
}

impl Arrival {
    pub(crate) fn new(entry: &Arc<Entry>) -> Self {
        entry.arriving.fetch_add(1, Ordering::Relaxed);
        Self { entry: entry.clone() }
    }

    /// Where requests are sent.
    pub(crate) fn door(&self) -> &mpsc::Sender<RoomRequest> {
        &self.entry.door
    }

    /// The room.
    pub(crate) fn room(&self) -> Uuid {
        self.entry.id
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.entry.arriving.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A seat that the room gives to nobody else until this is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    entry: Arc<Entry>,
}

impl Reservation {
    /// The room.
    pub(crate) fn room(&self) -> Uuid {
        self.entry.id
    }

    /// The way to it.
    pub(crate) fn arrival(&self) -> Arrival {
        Arrival::new(&self.entry)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.entry.reserved.fetch_sub(1, Ordering::Relaxed);
    }
}
