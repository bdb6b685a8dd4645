//! The rooms of this instance, and what of them the others have been told: numbered events, updates at most once a second a
//! room, and the pages for whoever missed some.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    ops::Bound,
    time::Duration,
};

use uuid::Uuid;

use super::{
    Listing,
    messages::{Change, ROOM_PAGE_BYTES, RoomEvent, RoomPage},
};
use crate::instance::{Incarnation, InstanceId};

/// Updates of one room go out at most so often.
const UPDATE_SPACING: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(super) struct LocalRooms {
    instance: InstanceId,
    incarnation: Incarnation,
    /// The number of the last event.
    number: u64,
    rooms: BTreeMap<Uuid, Local>,
    /// Rooms whose last change has not been told.
    untold: BTreeSet<Uuid>,
}

#[derive(Debug)]
struct Local {
    listing: Listing,
    /// The number of its last event, and when it went out.
    number: u64,
    told: Duration,
}

impl LocalRooms {
    /// No rooms yet.
    pub(super) fn new(instance: InstanceId, incarnation: Incarnation) -> Self {
        Self { instance, incarnation, number: 0, rooms: BTreeMap::new(), untold: BTreeSet::new() }
    }

    /// The number of the last event.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.rooms.len()
    }

    /// Whether it is one of them.
    pub(super) fn has(&self, room: Uuid) -> bool {
        self.rooms.contains_key(&room)
    }

    /// A room was opened, which is to be told at once, or is not as it was, which [`Self::updates`] tells.
    pub(super) fn put(&mut self, now: Duration, listing: Listing) -> Option<RoomEvent> {
        let room = listing.entry.room;
        if let Some(local) = self.rooms.get_mut(&room) {
            if mem::replace(&mut local.listing, listing) != local.listing {
                self.untold.insert(room);
            }
            return None;
        }
        let event = self.event(Change::Opened(listing.clone()));
        self.rooms.insert(room, Local { listing, number: event.number, told: now });
        Some(event)
    }

    /// A room is gone; `None` if it was not there.
    pub(super) fn remove(&mut self, room: Uuid) -> Option<RoomEvent> {
        let local = self.rooms.remove(&room)?;
        self.untold.remove(&room);
        Some(self.event(Change::Closed { room, game: local.listing.entry.game }))
    }

    /// The updates that may be told by now.
    pub(super) fn updates(&mut self, now: Duration) -> Vec<RoomEvent> {
        let due = |room: &&Uuid| self.rooms.get(room).is_none_or(|local| local.told + UPDATE_SPACING <= now);
        let due: Vec<_> = self.untold.iter().filter(due).copied().collect();
        let mut events = Vec::new();
        for room in due {
            self.untold.remove(&room);
            let Some(listing) = self.rooms.get(&room).map(|local| local.listing.clone()) else { continue };
            let event = self.event(Change::Updated(listing));
            if let Some(local) = self.rooms.get_mut(&room) {
                (local.number, local.told) = (event.number, now);
            }
            events.push(event);
        }
        events
    }

    /// The rooms after this one, as many as go into a page.
    pub(super) fn page(&self, after: Option<Uuid>) -> RoomPage {
        let (incarnation, number) = (self.incarnation, self.number);
        let mut page = RoomPage { incarnation, number, rooms: Vec::new(), next: None };
        let mut bytes = 0;
        let first = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rooms = self.rooms.range((first, Bound::Unbounded)).peekable();
        while let Some((room, local)) = rooms.next() {
            bytes += local.listing.bytes();
            page.rooms.push((local.number, local.listing.clone()));
            if bytes >= ROOM_PAGE_BYTES && rooms.peek().is_some() {
                page.next = Some(*room);
                break;
            }
        }
        page
    }

    fn event(&mut self, change: Change) -> RoomEvent {
        self.number += 1;
        RoomEvent { instance: self.instance, incarnation: self.incarnation, number: self.number, change }
    }
}
