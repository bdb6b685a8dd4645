//! The roster: the instances of the fleet, the rooms they host, and what this instance must tell the others.
//!
//! Events and the time in, effects out. It lists the rooms of the whole fleet in one [`Directory`], and
//! [`Roster::home_of`] finds the instance of a room that is elsewhere. It relies on this: the number in a heartbeat
//! shows that an event was missed, pages bring the list again, and only silence together with a command that came back
//! makes an instance dead.

use std::{collections::BTreeMap, mem, sync::Arc, time::Duration};

use uuid::Uuid;

use super::{
    Directory, FleetView, Listing,
    local::LocalRooms,
    messages::{Change, Heartbeat, RoomEvent, RoomPage},
    remote::{Numbered, Paged, ROOMS, Remote},
};
use crate::instance::{Incarnation, InstanceId};

mod effect;
#[cfg(test)]
mod tests;

pub use effect::{Effect, Unanswered};

/// Interval of heartbeats in a small fleet.
pub const HEARTBEAT: Duration = Duration::from_secs(2);
/// In a large fleet the interval is this long for each instance, so that the fleet gets 25 heartbeats a second.
pub const HEARTBEAT_EACH: Duration = Duration::from_millis(40);
/// Missed heartbeats after which an instance is silent.
pub const MISSED: u32 = 3;
/// Most other instances that are known. Further ones are not listed.
pub const REMOTES: usize = 4_096;
/// Most lists that are asked for at a time.
const ASKS: usize = 16;
/// How long a death is remembered, so that a late message does not bring the instance back.
const REMEMBERED: Duration = Duration::from_secs(60);

/// An instance's description of itself, without its rooms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub id: InstanceId,
    /// Its life.
    pub incarnation: Incarnation,
    /// Its region.
    pub region: String,
    /// The URL at which players reach it, without the `/ws`.
    pub url: String,
    /// Most players that it takes.
    pub capacity: u32,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Roster {
    me: Profile,
    players: u32,
    draining: bool,
    beat: u64,
    next_beat: Duration,
    local: LocalRooms,
    remotes: BTreeMap<InstanceId, Remote>,
    /// The picture of the remote instances; `None` if one has changed since it was last asked for.
    fleet: Option<Arc<FleetView>>,
    /// The end of each dead instance's remembrance, and its last heartbeat that counts as before the death.
    dead: BTreeMap<InstanceId, (Duration, Incarnation, u64)>,
    directory: Directory,
    homes: BTreeMap<Uuid, InstanceId>,
    /// The time since which everything sent to us arrives; `None` while the bus is away.
    connected: Option<Duration>,
    asks: u64,
    effects: Vec<Effect>,
}

impl Roster {
    /// The roster of an instance that knows no other and has no rooms.
    pub fn new(me: Profile) -> Self {
        let local = LocalRooms::new(me.id, me.incarnation);
        Self {
            me,
            players: 0,
            draining: false,
            beat: 0,
            next_beat: Duration::ZERO,
            local,
            remotes: BTreeMap::new(),
            fleet: None,
            dead: BTreeMap::new(),
            directory: Directory::default(),
            homes: BTreeMap::new(),
            connected: None,
            asks: 0,
            effects: Vec::new(),
        }
    }

    /// The actions due since the last call.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        mem::take(&mut self.effects)
    }

    /// All known rooms.
    pub fn directory(&mut self) -> &mut Directory {
        &mut self.directory
    }

    /// All known rooms, read only.
    pub fn rooms(&self) -> &Directory {
        &self.directory
    }

    /// The known instances beside this one: the same picture until one of them changes.
    pub fn fleet(&mut self) -> &Arc<FleetView> {
        let Self { remotes, fleet, me, .. } = self;
        fleet.get_or_insert_with(|| {
            let is_open = |remote: &Remote| {
                let Heartbeat { region, draining, players, capacity, .. } = &*remote.heartbeat;
                *region == me.region && !draining && players < capacity && !remote.gone
            };
            Arc::new(FleetView::new(remotes.values().map(|remote| (remote.heartbeat.clone(), is_open(remote)))))
        })
    }

    /// The instance that hosts a room, if it is another one that is not known to be gone.
    pub fn home_of(&self, room: Uuid) -> Option<&Heartbeat> {
        self.remotes.get(self.homes.get(&room)?).filter(|remote| !remote.gone).map(|remote| &*remote.heartbeat)
    }

    /// Whether everything that the others have told so far is listed.
    pub fn is_whole(&self) -> bool {
        self.remotes.values().all(Remote::is_whole)
    }

    /// Adds or updates a room of this instance.
    pub fn put(&mut self, now: Duration, listing: Listing) {
        self.directory.put(listing.clone());
        self.effects.extend(self.local.put(now, listing).map(Effect::Tell));
    }

    /// Removes a room of this instance.
    pub fn remove(&mut self, room: Uuid) {
        if let Some(event) = self.local.remove(room) {
            self.directory.remove(room);
            self.effects.push(Effect::Tell(event));
        }
    }

    /// Sets how many players are here or on their way, and whether the instance is draining, which is told at once.
    pub fn set_load(&mut self, now: Duration, players: u32, draining: bool) {
        self.players = players;
        if !mem::replace(&mut self.draining, draining) && draining {
            self.next_beat = now;
        }
    }

    /// Notes that the bus is connected: everything arrives from now on, and earlier messages may be missing.
    pub fn connected(&mut self, now: Duration) {
        self.connected = Some(now);
        self.next_beat = now;
        self.effects.push(Effect::Hello);
    }

    /// Notes that the bus is away: silence means nothing until it is back.
    pub fn disconnected(&mut self) {
        self.connected = None;
    }

    /// Answers an instance that asks who is there.
    pub fn hello(&mut self, from: InstanceId) {
        if from != self.me.id {
            let heartbeat = self.heartbeat();
            self.effects.push(Effect::Here(from, heartbeat));
        }
    }

    /// Takes a heartbeat. A late, repeated or out-of-bounds one changes nothing.
    pub fn heard(&mut self, now: Duration, heartbeat: Heartbeat) {
        let (id, life) = (heartbeat.instance, (heartbeat.incarnation, heartbeat.beat));
        if id == self.me.id {
            if heartbeat.incarnation != self.me.incarnation {
                self.effects.push(Effect::Twin);
            }
            return;
        }
        let stale = self.dead.get(&id).is_some_and(|(_, incarnation, beat)| life <= (*incarnation, *beat));
        if stale || !heartbeat.is_bounded() {
            return;
        }
        self.fleet = None;
        match self.remotes.get_mut(&id) {
            Some(remote) if life <= (remote.heartbeat.incarnation, remote.heartbeat.beat) => {}
            Some(remote) if heartbeat.incarnation == remote.heartbeat.incarnation => remote.heard(now, heartbeat),
            Some(_) => {
                self.forget(id);
                self.join(now, heartbeat);
            }
            None => self.join(now, heartbeat),
        }
        self.ask_next(now);
    }

    /// Takes an event of another instance's room. A late, repeated or out-of-bounds one changes nothing.
    pub fn event(&mut self, now: Duration, event: RoomEvent) {
        let RoomEvent { instance, incarnation, number, change } = event;
        let Some(remote) = self.remotes.get_mut(&instance) else { return };
        if remote.heartbeat.incarnation != incarnation || !change.is_bounded() {
            return;
        }
        match remote.take(now, number, change) {
            Some(change) => self.apply(instance, number, change),
            None => self.ask_next(now),
        }
    }

    /// Removes an instance that has stopped in good order.
    pub fn bye(&mut self, now: Duration, instance: InstanceId, incarnation: Incarnation) {
        let known = self.remotes.get(&instance).is_some_and(|remote| remote.heartbeat.incarnation <= incarnation);
        if known {
            self.bury(now, instance, incarnation, u64::MAX);
        }
    }

    /// Notes that a command to an instance came back.
    pub fn gone(&mut self, instance: InstanceId) {
        if let Some(remote) = self.remotes.get_mut(&instance) {
            remote.gone = true;
            self.fleet = None;
        }
    }

    /// Takes the outcome of an [`Effect::Ask`]. A late or repeated one changes nothing.
    pub fn answer(&mut self, now: Duration, from: InstanceId, ask: u64, answer: Result<RoomPage, Unanswered>) {
        let Some(remote) = self.remotes.get_mut(&from) else { return };
        self.fleet = None;
        let next_ask = self.asks + 1;
        match answer.and_then(|page| if page.is_bounded() { Ok(page) } else { Err(Unanswered::Silent) }) {
            Ok(page) => match remote.page(now, ask, page, next_ask) {
                Paged::Stray | Paged::Bad => {}
                Paged::Further(after) => {
                    self.asks = next_ask;
                    self.effects.push(Effect::Ask { to: from, ask: next_ask, after: Some(after) });
                }
                Paged::All(rooms, changes) => self.replace(from, rooms, changes),
            },
            Err(why) => {
                remote.unanswered(now, ask, why == Unanswered::Gone);
            }
        }
        self.ask_next(now);
    }

    /// Advances the time: sends heartbeats and delayed updates, and judges silent instances. Call it several times a
    /// second.
    pub fn tick(&mut self, now: Duration) {
        self.effects.extend(self.local.updates(now).into_iter().map(Effect::Tell));
        self.dead.retain(|_, (until, ..)| now < *until);
        // Others question an instance as soon as they hear of it, so it sends no heartbeat before commands reach it.
        if self.connected.is_some() && now >= self.next_beat {
            self.next_beat = now + self.interval();
            let heartbeat = self.heartbeat();
            self.effects.push(Effect::Alive(heartbeat));
        }
        self.judge(now);
        self.ask_next(now);
    }

    /// A page of the rooms of this instance.
    pub fn page(&self, after: Option<Uuid>) -> RoomPage {
        self.local.page(after)
    }

    /// The heartbeat of this instance.
    pub fn heartbeat(&mut self) -> Heartbeat {
        self.beat += 1;
        let Profile { id, incarnation, region, url, capacity } = &self.me;
        Heartbeat {
            instance: *id,
            incarnation: *incarnation,
            beat: self.beat,
            number: self.local.number(),
            rooms: self.local.len() as u32,
            players: self.players,
            capacity: *capacity,
            region: region.clone(),
            url: url.clone(),
            draining: self.draining,
        }
    }

    /// The interval of heartbeats in a fleet of this size.
    fn interval(&self) -> Duration {
        HEARTBEAT.max(HEARTBEAT_EACH * (self.remotes.len() as u32 + 1))
    }

    fn join(&mut self, now: Duration, heartbeat: Heartbeat) {
        if self.remotes.len() < REMOTES {
            self.dead.remove(&heartbeat.instance);
            self.effects.push(Effect::Joined(heartbeat.instance));
            self.remotes.insert(heartbeat.instance, Remote::new(heartbeat, now));
        }
    }

    /// Finds silent instances: those that take no commands either are dead, the others are asked.
    fn judge(&mut self, now: Duration) {
        let Some(connected) = self.connected else { return };
        let patience = self.interval() * MISSED;
        let silent = |remote: &Remote| now.saturating_sub(remote.heard.max(connected)) > patience;
        let dead: Vec<_> =
            self.remotes.iter().filter(|(_, remote)| silent(remote) && remote.gone).map(|(id, _)| *id).collect();
        for remote in self.remotes.values_mut() {
            if silent(remote) && remote.is_whole() {
                remote.want(now);
            }
        }
        for id in dead {
            let Heartbeat { incarnation, beat, .. } = *self.remotes[&id].heartbeat;
            self.bury(now, id, incarnation, beat);
        }
    }

    fn bury(&mut self, now: Duration, id: InstanceId, incarnation: Incarnation, beat: u64) {
        self.forget(id);
        self.dead.insert(id, (now + REMEMBERED, incarnation, beat));
        self.effects.push(Effect::Lost(id));
    }

    fn forget(&mut self, id: InstanceId) {
        let Some(remote) = self.remotes.remove(&id) else { return };
        self.fleet = None;
        for room in remote.rooms.into_keys() {
            self.unlist(room);
        }
    }

    fn ask_next(&mut self, now: Duration) {
        let asking = self.remotes.values().filter(|remote| remote.is_asking()).count();
        let wanting = self.remotes.iter_mut().filter(|(_, remote)| remote.is_wanting(now));
        for (id, remote) in wanting.take(ASKS.saturating_sub(asking)) {
            self.asks += 1;
            remote.ask(self.asks);
            self.effects.push(Effect::Ask { to: *id, ask: self.asks, after: None });
        }
    }

    /// Replaces the rooms of a remote instance, then applies the changes that came meanwhile.
    fn replace(&mut self, id: InstanceId, rooms: Numbered, changes: Vec<(u64, Change)>) {
        let Some(remote) = self.remotes.get_mut(&id) else { return };
        let gone: Vec<_> = remote.rooms.keys().filter(|room| !rooms.contains_key(room)).copied().collect();
        for room in gone {
            remote.rooms.remove(&room);
            self.directory.remove(room);
            self.homes.remove(&room);
        }
        for (number, listing) in rooms.into_values() {
            self.list(id, number, listing);
        }
        for (number, change) in changes {
            self.apply(id, number, change);
        }
    }

    fn apply(&mut self, id: InstanceId, number: u64, change: Change) {
        match change {
            Change::Opened(listing) | Change::Updated(listing) => self.list(id, number, listing),
            Change::Closed { room, .. } => {
                let known = self.remotes.get_mut(&id).and_then(|remote| remote.rooms.remove(&room));
                if known.is_some() {
                    self.unlist(room);
                }
            }
        }
    }

    /// Lists a room of a remote instance, unless a later event of it is known or another instance hosts it.
    fn list(&mut self, id: InstanceId, number: u64, listing: Listing) {
        let room = listing.entry.room;
        let Some(remote) = self.remotes.get_mut(&id) else { return };
        let foreign = self.local.has(room) || self.homes.get(&room).is_some_and(|home| *home != id);
        let newer = remote.rooms.get(&room).is_none_or(|known| *known < number);
        let fits = remote.rooms.len() < ROOMS || remote.rooms.contains_key(&room);
        if !foreign && newer && fits {
            remote.rooms.insert(room, number);
            self.homes.insert(room, id);
            self.directory.put(listing);
        }
    }

    fn unlist(&mut self, room: Uuid) {
        self.directory.remove(room);
        self.homes.remove(&room);
    }
}
