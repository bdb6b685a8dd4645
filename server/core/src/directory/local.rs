//! The rooms of this instance and what the others were told of them: numbered events, at most one update a second per
//! room, and pages for instances that missed some.

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

/// Least time between two updates of a room.
const UPDATE_SPACING: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(super) struct LocalRooms {
    instance: InstanceId,
    incarnation: Incarnation,
    /// The number of the last event.
    number: u64,
    rooms: BTreeMap<Uuid, Local>,
    /// Rooms whose last change was not told yet.
    untold: BTreeSet<Uuid>,
}

#[derive(Debug)]
struct Local {
    listing: Listing,
    /// The number of its last event, and when that was sent.
    number: u64,
    told: Duration,
}

impl LocalRooms {
    /// With no rooms.
    pub(super) fn new(instance: InstanceId, incarnation: Incarnation) -> Self {
        Self { instance, incarnation, number: 0, rooms: BTreeMap::new(), untold: BTreeSet::new() }
    }

    /// The number of the last event.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The number of rooms.
    pub(super) fn len(&self) -> usize {
        self.rooms.len()
    }

    /// Whether a room is one of them.
    pub(super) fn has(&self, room: Uuid) -> bool {
        self.rooms.contains_key(&room)
    }

    /// Adds or updates a room. Returns the event for a new room, which must be told at once; [`Self::updates`] tells
    /// changes.
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

    /// Removes a room; `None` if it was not there.
    pub(super) fn remove(&mut self, room: Uuid) -> Option<RoomEvent> {
        let local = self.rooms.remove(&room)?;
        self.untold.remove(&room);
        Some(self.event(Change::Closed { room, game: local.listing.entry.game }))
    }

    /// The updates that may be told now.
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

    /// The rooms after `after`, as many as fit a page.
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
