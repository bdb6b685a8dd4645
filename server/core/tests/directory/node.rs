//! One instance of the simulation: a roster, rooms with seats, and the passes given for them.

use std::{cell::Cell, collections::BTreeMap, rc::Rc, time::Duration};

use tiltyard_core::{
    admission::{Reservations, Wish},
    directory::{
        Listing,
        roster::{Profile, Roster},
    },
    instance::{Incarnation, InstanceId},
};
use tiltyard_shared::{
    game::Rng,
    protocol::lobby::{RoomCode, RoomEntry},
};
use uuid::Uuid;

/// A seat that is kept until this is dropped.
#[derive(Debug)]
pub(crate) struct Reservation(Rc<Cell<u32>>, pub(crate) Uuid);

impl Drop for Reservation {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) listing: Listing,
    reserved: Rc<Cell<u32>>,
}

/// What lives until a crash.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) roster: Roster,
    pub(crate) rooms: BTreeMap<Uuid, Room>,
    pub(crate) kept: Reservations<Reservation>,
    /// How many passes a wish has got.
    pub(crate) passes: BTreeMap<Uuid, Vec<Vec<u8>>>,
    /// When the instance notices that it is cut off.
    pub(crate) notices: Option<Duration>,
}

/// An instance, running or not.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: InstanceId,
    pub(crate) machine: Option<Machine>,
    pub(crate) paused: Option<Duration>,
    /// Nothing comes or goes until then, and its queue is gone.
    pub(crate) cut: Option<Duration>,
    /// When it is started again.
    pub(crate) down: Option<Duration>,
}

impl Node {
    pub(crate) fn new(slot: usize) -> Self {
        let id = InstanceId::new(&format!("i{slot}")).expect("a word");
        Self { id, machine: None, paused: None, cut: None, down: Some(Duration::ZERO) }
    }

    pub(crate) fn start(&mut self, now: Duration) {
        let (region, url) = ("eu".to_owned(), format!("wss://{}", self.id));
        let incarnation = Incarnation(1 + now.as_micros() as u64);
        let mut roster = Roster::new(Profile { id: self.id, incarnation, region, url, capacity: 100 });
        roster.connected(now);
        let (rooms, kept, passes) = (BTreeMap::new(), Reservations::default(), BTreeMap::new());
        self.machine = Some(Machine { roster, rooms, kept, passes, notices: None });
        self.down = None;
        self.paused = None;
        self.cut = None;
    }

    /// Whether it runs and is reached.
    pub(crate) fn is_reached(&self) -> bool {
        self.machine.is_some() && self.cut.is_none()
    }
}

impl Machine {
    /// Opens a room.
    pub(crate) fn open(&mut self, id: Uuid, rng: &mut Rng, now: Duration) {
        let entry = RoomEntry {
            room: id,
            code: RoomCode::random(rng).to_string(),
            game: "arena".to_owned(),
            title: "room".repeat(rng.below(12) as usize),
            players: 0,
            seats: 1 + rng.below(3),
            spectators: 0,
            locked: false,
            // Long, so that lists have several pages.
            metadata: "\"".to_owned() + &"m".repeat(rng.below(500) as usize) + "\"",
            flags: 0,
        };
        let room = Room { listing: Listing { entry, private: rng.below(4) == 0 }, reserved: Rc::default() };
        self.roster.put(now, room.listing.clone());
        self.rooms.insert(id, room);
    }

    /// Changes a room.
    pub(crate) fn update(&mut self, id: Uuid, rng: &mut Rng, now: Duration) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        room.listing.entry.spectators = rng.below(5);
        self.roster.put(now, room.listing.clone());
    }

    pub(crate) fn close(&mut self, id: Uuid) {
        self.rooms.remove(&id);
        self.roster.remove(id);
    }

    /// Answers a wish for a seat as the server does.
    pub(crate) fn reserve(
        &mut self,
        wish: Uuid,
        room: Uuid,
        secret: u128,
        twice: bool,
        now: Duration,
    ) -> Option<Vec<u8>> {
        match self.kept.hear(if twice { Uuid::from_u128(secret) } else { wish }, now) {
            Wish::Granted(pass) => return Some(pass),
            Wish::Pending => return None,
            Wish::New => {}
        }
        let room = self.rooms.get_mut(&room)?;
        let RoomEntry { players, seats, .. } = room.listing.entry;
        if players + room.reserved.get() >= seats {
            return None;
        }
        room.reserved.set(room.reserved.get() + 1);
        let pass = self.kept.keep(secret, Reservation(room.reserved.clone(), room.listing.entry.room), now);
        self.kept.granted(wish, &pass);
        self.passes.entry(wish).or_default().push(pass.clone());
        Some(pass)
    }

    /// A player comes with a pass.
    pub(crate) fn enter(&mut self, pass: &[u8], now: Duration) -> bool {
        let Ok(reservation) = self.kept.redeem(pass, now) else { return false };
        let Some(room) = self.rooms.get_mut(&reservation.1) else { return false };
        drop(reservation);
        room.listing.entry.players += 1;
        self.roster.put(now, room.listing.clone());
        true
    }

    /// What is wrong with its seats.
    pub(crate) fn check(&self) -> Result<(), String> {
        for room in self.rooms.values() {
            let RoomEntry { room: id, players, seats, .. } = room.listing.entry;
            if players + room.reserved.get() > seats {
                return Err(format!("{id}: {players} players and {} reservations, {seats} seats", room.reserved.get()));
            }
        }
        match self.passes.iter().find(|(_, passes)| passes.len() > 1) {
            Some((wish, _)) => Err(format!("one wish has got two passes: {wish}")),
            None => Ok(()),
        }
    }
}
