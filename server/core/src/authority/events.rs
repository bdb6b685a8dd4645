//! The events of a room: numbered, addressed, and kept as long as a client may need them.

use std::mem;

use tiltyard_shared::{
    game::{Audience, Game},
    protocol::limits,
};

use super::{Authority, Event, Listener, seats::Given};
use crate::{
    events::{Entry, Keep, Log, Logs},
    seat::SeatId,
};

/// Most bytes of one event; a larger one is dropped and counted.
pub const MAX_EVENT_BYTES: usize = limits::FRAME_EVENT_BYTES / 2;

/// Most views remembered per seat, because events from their time may still be owed to it.
pub(super) const MAX_GIVEN: usize = 64;

/// Events that a client may still need: the next edge to serve the room has not seen them.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) keep: Keep,
    pub(super) logs: Logs,
    /// By seat.
    pub(super) queues: Vec<Log>,
}

impl Kept {
    fn insert(&mut self, event: &Event) {
        let entry = Entry { number: event.number, bytes: event.bytes.clone() };
        match event.to {
            Listener::Group(group) => self.logs.insert(group, entry, self.keep),
            Listener::Seat(seat) => {
                let keep = self.keep;
                self.queue(seat).insert(entry, keep);
            }
        }
    }

    /// Notes that events up to `until` may be lost to a seat.
    fn lose(&mut self, seat: SeatId, until: u64) {
        let queue = self.queue(seat);
        queue.dropped = queue.dropped.max(until);
    }

    fn queue(&mut self, seat: SeatId) -> &mut Log {
        self.queues.resize_with(self.queues.len().max(seat.index() + 1), Log::default);
        &mut self.queues[seat.index()]
    }
}

impl<G: Game> Authority<G> {
    /// Numbers the events that the game sent in this step.
    pub(super) fn number_events(&mut self) {
        self.events.clear();
        let mut told = mem::take(&mut self.simulation.outbox().events);
        for (audience, bytes) in told.drain(..) {
            if bytes.len() > MAX_EVENT_BYTES {
                self.stats.events_too_large += 1;
                continue;
            }
            if let Some(to) = self.listener(audience) {
                self.event += 1;
                let event = Event { number: self.event, to, bytes: bytes.into() };
                self.kept.insert(&event);
                self.events.push(event);
            }
        }
        self.simulation.outbox().events = told;
    }

    /// Resolves an audience; `None` if the player is gone, or nobody can see the group.
    fn listener(&self, audience: Audience) -> Option<Listener> {
        let world = self.simulation.world();
        let player = match audience {
            Audience::Player(player) => Some(player),
            Audience::Group(group) => world.owner(group),
        };
        match (player, audience) {
            (Some(player), _) => self.by_player.get(&player).copied().map(Listener::Seat),
            (None, Audience::Group(group)) => world.is_shared(group).then_some(Listener::Group(group)),
            (None, Audience::Player(_)) => None,
        }
    }

    /// Notes that a seat's client was given its published view. `after` is the number of the last event before.
    pub fn gave(&mut self, seat: SeatId, after: u64) {
        let view = self.states.get(seat.index()).and_then(|state| state.view);
        let (Some(Some(entry)), Some(view)) = (self.seats.get_mut(seat.index()), view) else { return };
        let after = after.max(entry.opened);
        // A view during which nothing happened is forgotten; so is the oldest of too many.
        let idle = entry.given.pop_back_if(|last| last.after == self.event);
        let oldest = if entry.given.len() >= MAX_GIVEN { entry.given.pop_front() } else { None };
        if let Some(given) = &oldest {
            self.kept.lose(seat, given.until);
        }
        for given in idle.into_iter().chain(oldest) {
            self.views.release(given.view);
        }
        if let Some(last) = entry.given.back_mut() {
            last.until = self.event;
        }
        entry.given.push_back(Given { after, until: u64::MAX, view: self.views.share(view) });
    }

    /// Forgets events that nobody needs any more, once in a while. Call it after a step at which frames are due.
    /// `confirmed` gives the number up to which a seat's client has consumed its events.
    pub fn forget(&mut self, confirmed: impl Fn(SeatId) -> u64) {
        let before = mem::replace(&mut self.event_committed, self.event);
        for (index, entry) in self.seats.iter_mut().enumerate() {
            let Some(entry) = entry else { continue };
            let confirmed = confirmed(SeatId(index as u32));
            if let Some(queue) = self.kept.queues.get_mut(index) {
                queue.consume(confirmed);
            }
            while entry.given.front().is_some_and(|given| given.until <= confirmed) {
                entry.given.pop_front().into_iter().for_each(|given| self.views.release(given.view));
            }
        }
        let seats = self.seats.iter().enumerate().filter_map(|(index, entry)| Some((index, entry.as_ref()?)));
        let given = seats.flat_map(|(index, entry)| entry.given.iter().map(move |given| (index, given)));
        let needed = given.flat_map(|(index, given)| {
            let above = confirmed(SeatId(index as u32)).max(given.after);
            self.views.groups(given.view).iter().map(move |group| (*group, above))
        });
        self.kept.logs.forget(before, needed);
    }

    /// The events that may be owed to a seat: its own, and those of the groups that its client saw at the time.
    pub fn owed(&self, seat: SeatId) -> Log {
        let mut owed = self.kept.queues.get(seat.index()).cloned().unwrap_or_default();
        let Some(Some(entry)) = self.seats.get(seat.index()) else { return owed };
        for given in &entry.given {
            for group in self.views.groups(given.view) {
                let Some(log) = self.kept.logs.get(*group) else { continue };
                if log.dropped > given.after {
                    owed.dropped = owed.dropped.max(log.dropped);
                }
                for entry in log.above(given.after).take_while(|entry| entry.number <= given.until) {
                    owed.insert(entry.clone(), self.kept.keep);
                }
            }
        }
        owed
    }
}
