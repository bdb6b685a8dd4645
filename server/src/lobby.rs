//! The lobby of this instance: the roster with its directory of rooms, the notices of rooms, and the encoded pages.
//!
//! Rooms leave [`Notices`]; every look at the lobby takes them over first, so that a list is never older than the look.
//! Four times a second the lobby [beats](Lobby::beat) if something has changed, and connections that watch a page ask
//! for the difference. Connections that hold the same page at the same revision get the same bytes, encoded once.

use std::{collections::BTreeMap, mem, sync::Arc};

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use tiltyard_core::directory::{
    Directory, FleetView, Listing, Page,
    roster::{Profile, Roster},
};
use tiltyard_shared::protocol::{ServerMessage, codec, limits, lobby::Browse};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use uuid::Uuid;

use crate::clock::Clock;

/// The rooms' news since the last look at the lobby: only the last of each room, so that there are never more than
/// rooms.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notices(Arc<Mutex<BTreeMap<Uuid, Option<Listing>>>>);

impl Notices {
    /// Reports a new room or a change of a room.
    pub(crate) fn put(&self, listing: Listing) {
        self.0.lock().insert(listing.entry.room, Some(listing));
    }

    /// Reports that a room is gone.
    pub(crate) fn remove(&self, room: Uuid) {
        self.0.lock().insert(room, None);
    }
}

/// The lobby.
#[derive(Debug)]
pub(crate) struct Lobby {
    notices: Notices,
    state: Mutex<State>,
    clock: Clock,
    /// The revision at the last beat.
    beats: watch::Sender<u64>,
    /// The current state of the other instances.
    fleet: watch::Sender<Arc<FleetView>>,
}

#[derive(Debug)]
struct State {
    roster: Roster,
    /// The messages encoded at this revision: whole pages, and differences since the revision that is held.
    told: BTreeMap<(Browse, Option<u64>), Option<Told>>,
    revision: u64,
}

/// The page to hold from now on, and the message that leads to it.
pub(crate) type Told = (Arc<Page>, Bytes);

impl Lobby {
    /// A lobby without rooms.
    pub(crate) fn new(me: Profile, clock: Clock) -> Self {
        let state = State { roster: Roster::new(me), told: BTreeMap::new(), revision: 0 };
        Self {
            notices: Notices::default(),
            state: Mutex::new(state),
            clock,
            beats: watch::Sender::new(0),
            fleet: watch::Sender::default(),
        }
    }

    /// Where rooms leave their news.
    pub(crate) fn notices(&self) -> &Notices {
        &self.notices
    }

    /// Beats whenever the list has changed, at most every [`limits::LIST_SPACING`].
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.beats.subscribe()
    }

    /// Reads the directory.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&mut Directory) -> T) -> T {
        look(self.state().roster.directory())
    }

    /// Works on the roster, and publishes the view of the other instances if it has changed.
    pub(crate) fn roster<T>(&self, work: impl FnOnce(&mut Roster) -> T) -> T {
        let mut state = self.state();
        let done = work(&mut state.roster);
        let now = state.roster.fleet();
        self.fleet.send_if_modified(|fleet| {
            let changed = !Arc::ptr_eq(fleet, now);
            if changed {
                *fleet = now.clone();
            }
            changed
        });
        done
    }

    /// The other instances: an immutable view, read without waiting.
    pub(crate) fn fleet(&self) -> Arc<FleetView> {
        self.fleet.borrow().clone()
    }

    /// A whole page.
    pub(crate) fn snapshot(&self, browse: &Browse) -> Told {
        let mut state = self.state();
        let State { roster, told, .. } = &mut *state;
        let snapshot = || Some(encode(roster.directory().snapshot(browse)));
        let told = told.entry((browse.clone(), None)).or_insert_with(snapshot);
        told.clone().expect("a snapshot always says something")
    }

    /// The changes of a page since the held one; `None` if there are none.
    pub(crate) fn difference(&self, browse: &Browse, held: &Page) -> Option<Told> {
        let mut state = self.state();
        let State { roster, told, .. } = &mut *state;
        let difference = || roster.directory().difference(browse, held).map(encode);
        told.entry((browse.clone(), Some(held.revision()))).or_insert_with(difference).clone()
    }

    /// Notifies watchers if the list has changed since the last beat.
    fn beat(&self) {
        let revision = self.state().revision;
        self.beats.send_if_modified(|last| mem::replace(last, revision) != revision);
    }

    /// The state, with all notices taken over.
    fn state(&self) -> MutexGuard<'_, State> {
        let (mut state, now) = (self.state.lock(), self.clock.now());
        let notices = mem::take(&mut *self.notices.0.lock());
        for (room, listing) in notices {
            match listing {
                Some(listing) => state.roster.put(now, listing),
                None => state.roster.remove(room),
            }
        }
        let revision = state.roster.directory().revision();
        if mem::replace(&mut state.revision, revision) != revision {
            state.told.clear();
        }
        state
    }
}

/// Runs the lobby's beats, and calls `each_time` after each. Never returns.
pub(crate) async fn run(lobby: &Lobby, mut each_time: impl FnMut()) {
    let mut next = Instant::now();
    loop {
        next = (next + limits::LIST_SPACING).max(Instant::now());
        sleep_until(next).await;
        lobby.beat();
        each_time();
    }
}

fn encode((page, message): (Arc<Page>, ServerMessage)) -> Told {
    (page, codec::encode_control(&message).into())
}
