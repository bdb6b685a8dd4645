//! Another instance as this one knows it: its last heartbeat, its rooms, and how complete that picture is.
//!
//! Room events are numbered without gaps. An instance that misses one asks for the list of rooms, page by page, keeps
//! the events that come meanwhile, and applies them to the list.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use uuid::Uuid;

use super::{
    Listing,
    messages::{Change, Heartbeat, RoomPage},
};

/// Most events kept while pages are asked for. Further ones are dropped, and the list is asked for once more.
const WAITING: usize = 1_024;

/// Most rooms known of a remote instance. Further ones are not listed.
pub(super) const ROOMS: usize = 65_536;

/// Time until an instance that did not answer is asked again.
const RETRY: Duration = Duration::from_secs(1);

/// Rooms, each with the number of its last event.
pub(super) type Numbered = BTreeMap<Uuid, (u64, Listing)>;

/// Another instance.
#[derive(Debug)]
pub(super) struct Remote {
    /// Its last heartbeat.
    pub(super) heartbeat: Arc<Heartbeat>,
    /// When it was last heard.
    pub(super) heard: Duration,
    /// Whether commands to it came back because nobody takes them.
    pub(super) gone: bool,
    /// Its listed rooms, each with the number of its last event.
    pub(super) rooms: BTreeMap<Uuid, u64>,
    picture: Picture,
}

/// How complete the picture of its rooms is.
#[derive(Debug)]
enum Picture {
    /// It includes all events up to this number.
    Whole(u64),
    /// The list must be asked for, at the earliest at this time. Events that have come meanwhile are kept.
    Wanting { from: Duration, waiting: BTreeMap<u64, Change> },
    /// The list is being asked for.
    Asking(Asking),
}

#[derive(Debug)]
struct Asking {
    /// The number of the pending question.
    ask: u64,
    /// The number of the first page. All later events must arrive by themselves.
    base: Option<u64>,
    /// The rooms of the pages so far.
    rooms: Numbered,
    waiting: BTreeMap<u64, Change>,
}

/// The next action after a page.
#[derive(Debug)]
pub(super) enum Paged {
    /// None: the page was not asked for.
    Stray,
    /// Ask for the rooms after this one.
    Further(Uuid),
    /// These are all rooms, from pages alone, and the changes to apply to them.
    All(Numbered, Vec<(u64, Change)>),
    /// The page makes no sense; the list is asked for again after a while.
    Bad,
}

impl Remote {
    /// An instance of which only a heartbeat is known.
    pub(super) fn new(heartbeat: Heartbeat, now: Duration) -> Self {
        let picture = Picture::Wanting { from: now, waiting: BTreeMap::new() };
        Self { heartbeat: heartbeat.into(), heard: now, gone: false, rooms: BTreeMap::new(), picture }
    }

    /// Takes a later heartbeat of the same life. If its number or its count of rooms does not fit the picture, the list
    /// has to be asked for.
    pub(super) fn heard(&mut self, now: Duration, heartbeat: Heartbeat) {
        let (number, rooms) = (heartbeat.number, heartbeat.rooms as usize);
        (self.heartbeat, self.heard, self.gone) = (heartbeat.into(), now, false);
        if let Picture::Whole(known) = self.picture {
            let miscounted = number == known && rooms != self.rooms.len() && rooms <= ROOMS;
            if number > known || miscounted {
                self.want(now);
            }
        }
    }

    /// Takes an event of this life. Returns its change if it is the next one and nothing before it is missing.
    pub(super) fn take(&mut self, now: Duration, number: u64, change: Change) -> Option<Change> {
        match &mut self.picture {
            Picture::Whole(known) if number <= *known => None,
            Picture::Whole(known) if number == *known + 1 => {
                *known = number;
                Some(change)
            }
            Picture::Whole(_) => {
                self.picture = Picture::Wanting { from: now, waiting: BTreeMap::from([(number, change)]) };
                None
            }
            Picture::Wanting { waiting, .. } | Picture::Asking(Asking { waiting, .. }) => {
                if waiting.len() < WAITING {
                    waiting.insert(number, change);
                }
                None
            }
        }
    }

    /// Notes that the picture is incomplete.
    pub(super) fn want(&mut self, from: Duration) {
        let waiting = match &mut self.picture {
            Picture::Whole(_) => BTreeMap::new(),
            Picture::Wanting { waiting, .. } | Picture::Asking(Asking { waiting, .. }) => std::mem::take(waiting),
        };
        self.picture = Picture::Wanting { from, waiting };
    }

    /// Whether the list should be asked for now.
    pub(super) fn is_wanting(&self, now: Duration) -> bool {
        matches!(self.picture, Picture::Wanting { from, .. } if from <= now)
    }

    /// Whether the list is being asked for.
    pub(super) fn is_asking(&self) -> bool {
        matches!(self.picture, Picture::Asking(_))
    }

    /// Whether the picture includes everything that the instance has told.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.picture, Picture::Whole(known) if known >= self.heartbeat.number)
    }

    /// Notes that the first page is asked for.
    pub(super) fn ask(&mut self, ask: u64) {
        let waiting = match &mut self.picture {
            Picture::Wanting { waiting, .. } => std::mem::take(waiting),
            Picture::Whole(_) | Picture::Asking(_) => BTreeMap::new(),
        };
        self.picture = Picture::Asking(Asking { ask, base: None, rooms: BTreeMap::new(), waiting });
    }

    /// Takes a page. `next_ask` is the number of the question for the next one.
    pub(super) fn page(&mut self, now: Duration, ask: u64, page: RoomPage, next_ask: u64) -> Paged {
        let Picture::Asking(asking) = &mut self.picture else { return Paged::Stray };
        if asking.ask != ask {
            return Paged::Stray;
        }
        let last = asking.rooms.last_key_value().map(|(room, _)| *room);
        let first = page.rooms.first().map(|(_, listing)| listing.entry.room);
        let moves_on = first.is_none_or(|first| last.is_none_or(|last| first > last));
        let next_fits = page.next.is_none_or(|next| page.rooms.last().is_some_and(|(_, last)| last.entry.room == next));
        if page.incarnation != self.heartbeat.incarnation || !moves_on || !next_fits {
            self.want(now + RETRY);
            return Paged::Bad;
        }
        self.heard = now;
        self.gone = false;
        asking.base.get_or_insert(page.number);
        asking.rooms.extend(page.rooms.into_iter().map(|(number, listing)| (listing.entry.room, (number, listing))));
        match page.next.filter(|_| asking.rooms.len() < ROOMS) {
            Some(next) => {
                asking.ask = next_ask;
                Paged::Further(next)
            }
            None => self.complete(now),
        }
    }

    /// Completes the list, then applies the events that came meanwhile as far as none is missing.
    fn complete(&mut self, now: Duration) -> Paged {
        let Picture::Asking(Asking { base, rooms, mut waiting, .. }) =
            std::mem::replace(&mut self.picture, Picture::Whole(0))
        else {
            return Paged::Stray;
        };
        let mut known = base.unwrap_or_default();
        let mut changes = Vec::new();
        waiting = waiting.split_off(&(known + 1));
        while let Some(change) = waiting.remove(&(known + 1)) {
            known += 1;
            changes.push((known, change));
        }
        self.picture = if waiting.is_empty() { Picture::Whole(known) } else { Picture::Wanting { from: now, waiting } };
        Paged::All(rooms, changes)
    }

    /// Notes that a question was not answered. Returns false if it was not the last one.
    pub(super) fn unanswered(&mut self, now: Duration, ask: u64, gone: bool) -> bool {
        let current = matches!(&self.picture, Picture::Asking(asking) if asking.ask == ask);
        if current {
            self.gone |= gone;
            self.want(now + RETRY);
        }
        current
    }
}
