//! A room's door: the rest of the instance's view of the room, the requests to it, and its reserved seats.
//!
//! Values that change often are single numbers that the room writes and gateways read; the room's entry in the lobby
//! goes to its [`Notices`] at most once a second.

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
use crate::{fleet::messages::Destination, lobby::Notices, net::socket::Socket, shard::Load};

/// The plan of a room to be opened.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Its game.
    pub(crate) game: &'static str,
    /// The options that its maker chose.
    pub(crate) options: RoomOptions,
    /// The bincode bytes of its config; `None` for the default.
    pub(crate) config: Option<Vec<u8>>,
    /// Its id if it is for a match; other rooms get a new one.
    pub(crate) matched: Option<Uuid>,
}

/// A request at a room's door.
#[derive(Debug)]
pub(crate) enum RoomRequest {
    /// Asks for a seat for a connection.
    Join(Box<PendingJoin>),
    /// Ends the room, because too few of the matched players have come.
    Close,
    /// Asks for the number of players who are connected.
    Count(oneshot::Sender<u32>),
    /// Sends players to another instance, and tells when they have been told.
    SendOn(NextRoom, oneshot::Sender<()>),
    /// Asks for a reserved seat. Nobody waits for the answer if the server is stopping.
    Reserve(oneshot::Sender<Result<Reservation, Code>>),
}

/// A room on another instance, for players whose server stops.
#[derive(Debug)]
pub(crate) struct NextRoom {
    /// The WebSocket URL of its instance.
    pub(crate) url: String,
    /// A pass for each player for whom there is a seat.
    pub(crate) passes: Vec<Vec<u8>>,
}

/// A connection that waits for a seat.
#[derive(Debug)]
pub(crate) struct PendingJoin {
    /// Its socket, detached from any runtime.
    pub(crate) socket: Socket,
    /// Its wish; the target has led here.
    pub(crate) wish: Enter,
    /// The capabilities of its client.
    pub(crate) capabilities: u64,
    /// The seat that was reserved for it.
    pub(crate) reservation: Option<Reservation>,
    /// The match seat of its player.
    pub(crate) seat: Option<MatchSeat>,
    /// Where the answer goes.
    pub(crate) reply: oneshot::Sender<Reply>,
}

/// The answer to a join request: seated, or the connection back with the reason.
pub(crate) type Reply = Result<(), Box<Refused>>;

/// A connection that got no seat.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Its socket, detached from any runtime.
    pub(crate) socket: Socket,
    /// The reason.
    pub(crate) code: Code,
}

impl PendingJoin {
    pub(super) fn refuse(self, code: Code) {
        // A gateway that is not listening any more is stopping.
        let _ = self.reply.send(Err(Box::new(Refused { socket: self.socket, code })));
    }
}

/// Refuses all requests that wait at the door of a closed room.
pub(crate) fn refuse_all(requests: &mut mpsc::Receiver<RoomRequest>, code: Code) {
    requests.close();
    while let Ok(request) = requests.try_recv() {
        match request {
            RoomRequest::Join(join) => join.refuse(code),
            RoomRequest::Reserve(reply) => drop(reply.send(Err(code))),
            RoomRequest::Count(_) | RoomRequest::SendOn(..) | RoomRequest::Close => {}
        }
    }
}

/// The outside view of a room.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its id.
    pub(crate) id: Uuid,
    /// Its code.
    pub(crate) code: RoomCode,
    /// Its game.
    pub(crate) game: &'static str,
    /// The options that its maker chose.
    pub(crate) options: RoomOptions,
    /// The bincode bytes of its config; `None` for the default.
    config: Option<Vec<u8>>,
    /// Whether its seats are only for players who were matched into it.
    matched: bool,
    seats: u32,
    door: mpsc::Sender<RoomRequest>,
    /// The number of taken seats and spectators.
    people: AtomicU32,
    free: AtomicU32,
    locked: AtomicBool,
    /// The number of connections on their way in.
    arriving: AtomicU32,
    /// The number of seats reserved for bearers of passes. Only the room raises it, so that a seat is never reserved
    /// twice.
    reserved: AtomicU32,
}

impl Entry {
    /// The entry of a new room.
    pub(crate) fn new(plan: Plan, code: RoomCode, seats: u32, door: mpsc::Sender<RoomRequest>) -> Self {
        let Plan { game, options, config, matched } = plan;
        Self {
            id: matched.unwrap_or_else(Uuid::now_v7),
            code,
            game,
            options,
            config,
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

    /// The number of people in it or on their way.
    pub(crate) fn expected(&self) -> u32 {
        [&self.people, &self.arriving, &self.reserved].map(|count| count.load(Ordering::Relaxed)).into_iter().sum()
    }

    /// Whether it seems to have room for one more player.
    pub(crate) fn has_room(&self) -> bool {
        let coming = self.arriving.load(Ordering::Relaxed) + self.reserved.load(Ordering::Relaxed);
        !self.matched && !self.locked.load(Ordering::Relaxed) && self.free.load(Ordering::Relaxed) > coming
    }

    /// The entry for the lobby.
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

/// A room's own state for the lobby.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Status<'a> {
    /// The number of taken seats.
    pub(crate) players: u32,
    /// The number of spectators.
    pub(crate) spectators: u32,
    /// Whether it takes no new players.
    pub(crate) locked: bool,
    /// The game's metadata: JSON text, or empty.
    pub(crate) metadata: &'a str,
}

/// Removes a room from the list.
type Unlist = Box<dyn FnOnce(&Entry) + Send>;

/// A room's handle to its entry. Dropping it removes the room from the list.
pub(crate) struct Listed {
    entry: Arc<Entry>,
    notices: Notices,
    load: Arc<Load>,
    /// Called once, when dropped.
    unlist: Option<Unlist>,
    /// The listing that the lobby was last told.
    told: Listing,
}

impl Listed {
    /// The handle of a listed room; `unlist` removes the room from the list.
    pub(crate) fn new(entry: Arc<Entry>, notices: Notices, load: Arc<Load>, unlist: Unlist) -> Self {
        let told = entry.listing(&Status::default());
        Self { entry, notices, load, unlist: Some(unlist), told }
    }

    /// The room's code.
    pub(crate) fn code(&self) -> RoomCode {
        self.entry.code
    }

    /// Sets the number of people in the room and of free seats.
    pub(crate) fn set_occupancy(&self, people: u32, free: u32) {
        let before = self.entry.people.swap(people, Ordering::Relaxed);
        self.entry.free.store(free, Ordering::Relaxed);
        self.load.change_players(before, people);
    }

    /// Sets whether the room takes no new players.
    pub(crate) fn set_locked(&self, locked: bool) {
        self.entry.locked.store(locked, Ordering::Relaxed);
    }

    /// Notes that the match is over: only owners of seats find the room from now on.
    pub(crate) fn conclude(&self) {
        self.set_locked(true);
        self.notices.remove(self.entry.id);
    }

    /// Tells the lobby the state. Returns false if the lobby knows it already. Call it at most once a second.
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

    /// Whether somebody is on the way to it.
    pub(crate) fn awaits_somebody(&self) -> bool {
        self.reserved() > 0 || self.entry.arriving.load(Ordering::Relaxed) > 0
    }

    /// The number of reserved seats.
    pub(crate) fn reserved(&self) -> u32 {
        self.entry.reserved.load(Ordering::Relaxed)
    }

    /// Reserves a seat until the reservation is dropped.
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

/// A connection's way into a room. Until it is dropped, gateways count one free seat less.
#[derive(Debug)]
pub(crate) struct Arrival {
    entry: Arc<Entry>,
}

impl Arrival {
    pub(crate) fn new(entry: &Arc<Entry>) -> Self {
        entry.arriving.fetch_add(1, Ordering::Relaxed);
        Self { entry: entry.clone() }
    }

    /// The room's door.
    pub(crate) fn door(&self) -> &mpsc::Sender<RoomRequest> {
        &self.entry.door
    }

    /// The room's id.
    pub(crate) fn room(&self) -> Uuid {
        self.entry.id
    }

    /// The destination of players who are to have another room like this one. That of a match is on no list: nobody
    /// else could know it.
    pub(crate) fn another(&self) -> Destination {
        let Entry { game, options, config, matched, .. } = &*self.entry;
        let options = RoomOptions { private: options.private || *matched, ..options.clone() };
        Destination::New { game: (*game).to_owned(), config: config.clone(), options }
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.entry.arriving.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A reserved seat. The room gives it to nobody else until this is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    entry: Arc<Entry>,
}

impl Reservation {
    /// The room's id.
    pub(crate) fn room(&self) -> Uuid {
        self.entry.id
    }

    /// A way into the room.
    pub(crate) fn arrival(&self) -> Arrival {
        Arrival::new(&self.entry)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.entry.reserved.fetch_sub(1, Ordering::Relaxed);
    }
}
