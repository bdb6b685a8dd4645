//! The body shared by all steady seats with the same views, and the frame of such a seat.

use tiltyard_shared::{
    chunk::Form,
    frame::{self, Head, part_flags},
    game::Tick,
    hash::StateHash,
    protocol::limits,
    world::{Committed, GroupId},
};

use super::{Common, EdgeSeat, Situation, Standing, chunks::Chunks};
use crate::{
    events::{Entry, Logs},
    views::{ViewId, Views},
};

/// Most bytes of a head without refusals. They are kept free beside body and own part.
pub(super) const HEAD_ROOM: usize = 48;

/// Everything after the head that steady seats going from one view to another (or staying) have in common.
#[derive(Debug, Default)]
pub(super) struct Body {
    bytes: Vec<u8>,
    /// The groups with a chunk, while the body is assembled.
    told: Vec<(GroupId, Form)>,
    /// Bytes of its events.
    events: usize,
    /// Whether it has any content.
    says: bool,
    hash: Option<StateHash>,
}

/// The bodies of one commit.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    /// For seats that stay in a view, by view, with the commit of the body.
    stay: Vec<(Tick, Body)>,
    /// For seats that leave a view, by that view.
    change: Vec<Changes>,
}

/// The bodies for seats that leave one view, by the view they go to. Memory is kept from commit to commit.
#[derive(Debug, Default)]
struct Changes {
    tick: Tick,
    used: usize,
    bodies: Vec<(ViewId, Body)>,
}

impl Bodies {
    /// The body for staying in a view or going to another in this commit, and whether it must be assembled.
    fn of(&mut self, (old, new): (ViewId, ViewId), now: Tick) -> (&mut Body, bool) {
        let index = old.index();
        if old == new {
            self.stay.resize_with(self.stay.len().max(index + 1), Default::default);
            let (tick, body) = &mut self.stay[index];
            return (body, std::mem::replace(tick, now) != now);
        }
        self.change.resize_with(self.change.len().max(index + 1), Changes::default);
        let Changes { tick, used, bodies } = &mut self.change[index];
        if std::mem::replace(tick, now) != now {
            *used = 0;
        }
        let known = bodies[..*used].iter().position(|(view, _)| *view == new);
        let index = known.unwrap_or_else(|| {
            *used += 1;
            if bodies.len() < *used {
                bodies.push((new, Body::default()));
            }
            bodies[*used - 1].0 = new;
            *used - 1
        });
        (&mut bodies[index].1, known.is_none())
    }
}

impl Body {
    fn assemble(
        &mut self,
        world: &Committed,
        views: &Views,
        (old, new): (ViewId, ViewId),
        chunks: &mut Chunks,
        owed: Owed<'_>,
    ) {
        let (before, after) = (views.groups(old), views.groups(new));
        self.bytes.clear();
        self.hash = None;
        self.bytes.push(0);
        let mut flags = 0;
        if old != new {
            flags |= part_flags::VIEW;
            frame::write_view_change(&mut self.bytes, before, after);
        }
        let list = self.bytes.len();
        if old == new {
            self.write_list(world, after, |_| true);
        } else {
            let mut known = before.iter().peekable();
            self.write_list(world, after, |group| {
                while known.next_if(|other| **other < group).is_some() {}
                known.next_if(|other| **other == group).is_some()
            });
        }
        if self.told.is_empty() {
            self.bytes.truncate(list);
        } else {
            flags |= part_flags::CHUNKS;
            let held = |from: GroupId| before.binary_search(&from).is_ok();
            for (group, form) in &self.told {
                chunks.write(world, *group, *form, held, &mut self.bytes);
            }
        }
        flags |= self.write_events(after, owed);
        self.says = flags != 0;
        self.bytes[0] = flags;
    }

    /// Appends the list of the groups that have a chunk, in one pass because mostly few have one.
    fn write_list(&mut self, world: &Committed, view: &[GroupId], mut stays: impl FnMut(GroupId) -> bool) {
        let Self { bytes, told, .. } = self;
        told.clear();
        let has_chunk = |&group: &GroupId| {
            let (version, form) = (world.version(group), if stays(group) { Form::Delta } else { Form::Snapshot });
            let tells = version > Tick(0) && (form == Form::Snapshot || version == world.tick());
            if tells {
                told.push((group, form));
            }
            tells
        };
        frame::write_bit_list(bytes, view.iter().map(has_chunk));
    }

    fn write_events(&mut self, groups: &[GroupId], owed: Owed<'_>) -> u8 {
        self.events = 0;
        if owed.last == owed.after {
            return 0;
        }
        let start = self.bytes.len();
        let logs = || groups.iter().filter_map(|group| owed.logs.get(*group));
        let lost = if logs().any(|log| log.dropped > owed.after) { part_flags::LOST } else { 0 };
        let mut events: Vec<&Entry> = logs().flat_map(|log| log.above(owed.after)).collect();
        if events.is_empty() {
            return lost;
        }
        events.sort_unstable_by_key(|entry| entry.number);
        frame::write_events(&mut self.bytes, events.iter().map(|entry| (entry.number, &*entry.bytes)));
        self.events = self.bytes.len() - start;
        lost | part_flags::EVENTS
    }
}

/// The events above a number, up to the last.
#[derive(Clone, Copy)]
struct Owed<'a> {
    logs: &'a Logs,
    after: u64,
    last: u64,
}

impl Common {
    /// Writes the frame of a steady seat. `None` if it does not fit its bounds: then the seat's body must be gathered.
    /// `Some(false)` if nothing is new.
    pub(super) fn write_shared(
        &mut self,
        seat: &mut EdgeSeat,
        world: &Committed,
        situation: &Situation<'_>,
        head: &mut Head,
        out: &mut Vec<u8>,
    ) -> Option<bool> {
        let stays = seat.view == situation.number;
        let view = if stays { seat.view } else { self.views.share(situation.number) };
        if !stays {
            self.keep_events_of_leaving(seat, view);
        }
        let says_own = self.write_own_part(seat, world, situation.own);
        let views = (seat.view, view);
        let wants_hash = seat.wants_hash();
        let own_hash = situation.own.map(|own| world.group(own).hash.in_view(own, world.group(own).version));
        let body = self.body(world, views, wants_hash);
        let (fits, says) = (body.bytes.len() + HEAD_ROOM, body.says);
        let events = body.events;
        if fits + self.own.bytes.len() > self.bounds.frame || events + self.own.events > self.bounds.events {
            if !stays {
                self.views.release(view);
            }
            return None;
        }
        seat.handed_event = self.event;
        let quiet = !says && !says_own && head.inputs.is_none() && head.moved.is_none() && head.refused.is_empty();
        let recent = seat.last_frame.is_some_and(|last| situation.now.saturating_sub(last) < limits::IDLE_FRAME);
        if quiet && recent {
            return Some(false);
        }
        head.own = says_own;
        let body = self.body(world, views, wants_hash);
        head.hash = wants_hash.then(|| {
            let mut hash = body.hash.unwrap_or_default();
            hash += own_hash.unwrap_or_default();
            hash
        });
        head.write(out);
        out.extend_from_slice(&body.bytes);
        if says_own {
            out.extend_from_slice(&self.own.bytes);
            seat.lost_event = seat.lost_event.max(seat.queue.dropped);
        }
        let fresh = Standing { since: Some(world.tick()), ..Standing::entering(self.event_before) };
        self.change_view(seat, view, fresh);
        if let (Some(own), None) = (situation.own, seat.own) {
            seat.own = Some((own, fresh));
        }
        seat.own_told = seat.own.is_some();
        Some(true)
    }

    /// Fills the own part of a steady seat. Returns whether it has any content.
    fn write_own_part(&mut self, seat: &EdgeSeat, world: &Committed, own: Option<GroupId>) -> bool {
        self.own.bytes.clear();
        self.own.events = 0;
        self.own.bytes.push(0);
        let mut flags = 0;
        if let Some(own) = own {
            let version = world.group(own).version;
            if !seat.own_told {
                flags |= part_flags::GROUP;
                frame::write_varint(&mut self.own.bytes, u64::from(own.0));
            }
            let form = match seat.own {
                Some(_) => (version == world.tick()).then_some(Form::Delta),
                None => (version > Tick(0)).then_some(Form::Snapshot),
            };
            if let Some(form) = form {
                flags |= part_flags::CHUNKS;
                self.chunks.write(world, own, form, |_| false, &mut self.own.bytes);
            }
        }
        let events = seat.queue.above(seat.handed_event);
        if events.len() > 0 {
            flags |= part_flags::EVENTS;
            let start = self.own.bytes.len();
            frame::write_events(&mut self.own.bytes, events.map(|entry| (entry.number, &*entry.bytes)));
            self.own.events = self.own.bytes.len() - start;
        }
        if seat.queue.dropped > seat.handed_event.max(seat.lost_event) {
            flags |= part_flags::LOST;
        }
        self.own.bytes[0] = flags;
        flags != 0
    }

    /// The body for going from one view to another, assembled when a commit first needs it.
    fn body(&mut self, world: &Committed, views: (ViewId, ViewId), wants_hash: bool) -> &Body {
        let owed = Owed { logs: &self.logs, after: self.event_before, last: self.event };
        let (body, fresh) = self.bodies.of(views, world.tick());
        if fresh {
            body.assemble(world, &self.views, views, &mut self.chunks, owed);
            self.stats.shared_bodies += 1;
        }
        if wants_hash && body.hash.is_none() {
            let mut hash = StateHash::default();
            for &group in self.views.groups(views.1) {
                hash += world.group(group).hash.in_view(group, world.group(group).version);
            }
            body.hash = Some(hash);
        }
        body
    }
}
