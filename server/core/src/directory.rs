//! The directory: the known rooms, and the pages of them that lobbies show.
//!
//! It does not know where a room runs or how it became known. That is the business of the [`roster`], which learns the
//! rooms of all instances from [`messages`]. Every change of a listed room raises the *revision*. A lobby's client
//! holds a [`Page`] of some revision, and one difference brings it up to date, however much has happened since. Private
//! rooms are found by id and code, and are on no page.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use tiltyard_shared::protocol::{
    ServerMessage,
    limits::PAGE_ROOMS,
    lobby::{Browse, RoomCode, RoomEntry},
};
use uuid::Uuid;

pub mod messages;
mod fleet;
mod local;
mod remote;
pub mod roster;
#[cfg(test)]
mod tests;

pub use fleet::FleetView;

/// A room as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The entry that the lobby shows.
    pub entry: RoomEntry,
    /// Whether the lobby leaves it out.
    pub private: bool,
}

/// All known rooms.
#[derive(Debug, Default)]
pub struct Directory {
    revision: u64,
    rooms: BTreeMap<Uuid, Known>,
    /// Rooms by code. Rooms of different instances may share a code for a while; the older one is found.
    codes: BTreeSet<(String, Uuid)>,
    /// The listed rooms of each game, by number of players.
    filled: BTreeMap<String, BTreeSet<(u32, Uuid)>>,
    /// The pages of this revision that were asked for.
    pages: BTreeMap<Browse, Arc<Page>>,
}

#[derive(Debug)]
struct Known {
    listing: Listing,
    /// The revision of its last change.
    changed: u64,
}

/// The rooms on a page at a revision. Shared by all who hold the same.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    revision: u64,
    total: u32,
    /// Descending ids: newest first.
    rooms: Vec<Uuid>,
}

impl Page {
    /// The revision of the page.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    fn has(&self, room: &Uuid) -> bool {
        self.rooms.binary_search_by(|other| room.cmp(other)).is_ok()
    }
}

impl Directory {
    /// Adds or updates a room. Does nothing if nothing has changed.
    pub fn put(&mut self, listing: Listing) {
        let id = listing.entry.room;
        if self.rooms.get(&id).is_some_and(|known| known.listing == listing) {
            return;
        }
        let unlisted = self.rooms.get(&id).is_none_or(|known| known.listing.private);
        if !(listing.private && unlisted) {
            self.turn();
        }
        self.take_out(id);
        if !listing.private {
            let RoomEntry { game, players, .. } = &listing.entry;
            self.filled.entry(game.clone()).or_default().insert((*players, id));
        }
        self.codes.insert((listing.entry.code.clone(), id));
        self.rooms.insert(id, Known { listing, changed: self.revision });
    }

    /// Removes a room.
    pub fn remove(&mut self, room: Uuid) {
        self.take_out(room);
        let Some(known) = self.rooms.remove(&room) else { return };
        let private = known.listing.private;
        self.codes.remove(&(known.listing.entry.code, room));
        if !private {
            self.turn();
        }
    }

    /// Takes a room out of [`Self::filled`].
    fn take_out(&mut self, room: Uuid) {
        let Some(Known { listing, .. }) = self.rooms.get(&room) else { return };
        if let Some(filled) = self.filled.get_mut(&listing.entry.game) {
            filled.remove(&(listing.entry.players, room));
            if filled.is_empty() {
                self.filled.remove(&listing.entry.game);
            }
        }
    }

    /// Begins the next revision, which makes the known pages stale.
    fn turn(&mut self) {
        self.revision += 1;
        self.pages.clear();
    }

    /// Rises with every change of a listed room.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The room with this id, private or not.
    pub fn find(&self, room: Uuid) -> Option<&Listing> {
        self.rooms.get(&room).map(|known| &known.listing)
    }

    /// The room with this code, private or not.
    pub fn find_code(&self, code: RoomCode) -> Option<&Listing> {
        let code = code.to_string();
        let (found, room) = self.codes.range((code.clone(), Uuid::nil())..).next()?;
        if *found == code { self.find(*room) } else { None }
    }

    /// All rooms, private ones too, the oldest first.
    pub fn rooms(&self) -> impl Iterator<Item = &Listing> {
        self.rooms.values().map(|known| &known.listing)
    }

    /// The listed rooms of a game, the fullest first; of equally full ones, the newest first.
    pub fn fullest(&self, game: &str) -> impl Iterator<Item = &RoomEntry> {
        let filled = self.filled.get(game).into_iter().flat_map(|filled| filled.iter().rev());
        filled.filter_map(|(_, room)| self.rooms.get(room)).map(|known| &known.listing.entry)
    }

    /// A page as it is now, with the [`ServerMessage::Rooms`] that states it.
    pub fn snapshot(&mut self, browse: &Browse) -> (Arc<Page>, ServerMessage) {
        let page = self.page(browse);
        let rooms = page.rooms.iter().map(|room| self.rooms[room].listing.entry.clone()).collect();
        let message = ServerMessage::Rooms { revision: page.revision, total: page.total, rooms };
        (page, message)
    }

    /// A page's changes since the one held, as a [`ServerMessage::RoomsChanged`]; `None` if there are none.
    pub fn difference(&mut self, browse: &Browse, held: &Page) -> Option<(Arc<Page>, ServerMessage)> {
        if held.revision == self.revision {
            return None;
        }
        let page = self.page(browse);
        let is_new = |room: &&Uuid| self.rooms[*room].changed > held.revision || !held.has(room);
        let changed: Vec<_> =
            page.rooms.iter().filter(is_new).map(|room| self.rooms[room].listing.entry.clone()).collect();
        let removed: Vec<_> = held.rooms.iter().filter(|room| !page.has(room)).copied().collect();
        if changed.is_empty() && removed.is_empty() && page.total == held.total {
            return None;
        }
        let message = ServerMessage::RoomsChanged { revision: page.revision, total: page.total, changed, removed };
        Some((page, message))
    }

    fn page(&mut self, browse: &Browse) -> Arc<Page> {
        if let Some(page) = self.pages.get(browse) {
            return page.clone();
        }
        let wanted = |known: &&Known| {
            let Listing { entry, private } = &known.listing;
            !private && browse.game.as_ref().is_none_or(|game| *game == entry.game) && (!browse.open || entry.is_open())
        };
        let first = PAGE_ROOMS.saturating_mul(browse.page as usize);
        let (mut total, mut rooms) = (0, Vec::new());
        for known in self.rooms.values().rev().filter(wanted) {
            if total >= first && rooms.len() < PAGE_ROOMS {
                rooms.push(known.listing.entry.room);
            }
            total += 1;
        }
        let page = Arc::new(Page { revision: self.revision, total: total as u32, rooms });
        self.pages.insert(browse.clone(), page.clone());
        page
    }
}
