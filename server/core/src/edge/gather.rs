//! The frame of a seat that is not steady: everything it needs from where it stands, as far as it fits.

use tiltyard_shared::{
    frame::{self, Head, part_flags},
    game::Tick,
    hash::StateHash,
    protocol::{Code, limits},
    world::{Committed, GroupId},
};

use super::{Common, EdgeSeat, Situation, Standing, body::HEAD_ROOM, chunks::form_for};
use crate::events::Entry;

/// What happens to one group in this frame.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Share {
    /// It has nothing new: the client holds its last version.
    Current,
    /// Its chunk is sent.
    Chunk(std::ops::Range<usize>),
    /// It waits for a later frame.
    Behind,
}

/// How the room of a frame is shared out.
struct Room {
    left: usize,
    full: bool,
    /// Whether a chunk that is larger than a frame takes it alone.
    alone: bool,
    picked: usize,
}

impl Common {
    /// Writes the frame of a seat that entered, resynced, was throttled, or needs more than a shared frame takes.
    pub(super) fn write_gathered(
        &mut self,
        seat: &mut EdgeSeat,
        world: &Committed,
        situation: &Situation<'_>,
        head: &mut Head,
        out: &mut Vec<u8>,
    ) -> Result<bool, Code> {
        seat.unsteady(&self.views, world);
        let (view_bytes, changed) = self.take_view(seat, situation);
        let frame = match seat.first.is_bounded() && !situation.last {
            true => seat.first.bound(&self.bounds).min(self.bounds.frame),
            false => self.bounds.frame,
        };
        let (events, complete) = self.owed_events(seat, self.bounds.events.min(frame / 2));
        let event_bytes: usize = events.iter().map(|entry| entry.bytes.len() + EVENT_HEAD).sum();
        let events: Vec<Entry> = events.into_iter().cloned().collect();
        let taken = HEAD_ROOM + 4 * head.refused.len() + view_bytes.len() + situation.view.len() / 4 + 2 + event_bytes;
        let left = frame.saturating_sub(taken);
        let mut room = Room { left, full: false, alone: false, picked: 0 };
        let own = match seat.own {
            Some((own, standing)) => self.share(world, own, standing.handed, |_| false, &mut room)?,
            None => Share::Current,
        };
        let shares = self.shares(seat, world, situation.view, &mut room)?;
        let events = if room.alone { &[] } else { &events[..] };

        let says = seat.start || changed || room.picked > 0 || !events.is_empty();
        let quiet = !says && head.inputs.is_none() && head.moved.is_none() && head.refused.is_empty();
        let recent = seat.last_frame.is_some_and(|last| situation.now.saturating_sub(last) < limits::IDLE_FRAME);
        if quiet && recent {
            return Ok(false);
        }
        head.own = seat.own.is_some();
        head.hash =
            seat.wants_hash().then(|| view_hash(world, situation.view, &shares, seat.own.map(|(own, _)| own), &own));
        head.write(out);
        let lost = self.take_losses(seat);
        self.write_body(out, &view_bytes, &shares, events, lost);
        if let Some((group, _)) = seat.own {
            self.write_own(out, (!seat.own_told).then_some(group), &own);
            seat.own_told = true;
        }
        seat.handed_event = match events.last() {
            _ if complete && !room.alone => self.event,
            Some(last) => last.number,
            None => seat.handed_event,
        };
        self.stats.gathered_bodies += 1;
        self.settle(seat, world, situation, &shares, &own);
        Ok(true)
    }

    /// Gives a seat the view that the game wants. Returns what the frame must say of it, and whether it is another one.
    fn take_view(&mut self, seat: &mut EdgeSeat, situation: &Situation<'_>) -> (Vec<u8>, bool) {
        let mut bytes = Vec::new();
        let old = self.views.groups(seat.view);
        let changed = seat.view != situation.number;
        if seat.start {
            frame::write_view(&mut bytes, situation.view);
        } else if changed {
            frame::write_view_change(&mut bytes, old, situation.view);
        }
        let entering = Standing::entering(self.event_before);
        if changed {
            let view = self.views.share(situation.number);
            self.keep_events_of_leaving(seat, view);
            self.change_view(seat, view, entering);
        }
        if let (Some(own), None) = (situation.own, seat.own) {
            seat.own = Some((own, entering));
        }
        (bytes, changed)
    }

    /// Shares out the room of a frame to the groups of a view; those that have waited longest come first.
    fn shares(
        &mut self,
        seat: &EdgeSeat,
        world: &Committed,
        view: &[GroupId],
        room: &mut Room,
    ) -> Result<Vec<Share>, Code> {
        let mut order: Vec<usize> = (0..view.len()).collect();
        order.sort_by_key(|index| seat.standings[*index].waiting.unwrap_or(Tick(u32::MAX)));
        let mut shares = vec![Share::Current; view.len()];
        // Only groups that the client holds at the exact version before this commit may be referred to.
        let held = |group: GroupId| {
            let index = view.binary_search(&group).ok().filter(|_| !seat.start);
            index.is_some_and(|index| {
                let handed = seat.standings[index].handed;
                handed > Tick(0) && handed == world.version_before(group)
            })
        };
        for index in order {
            shares[index] = self.share(world, view[index], seat.standings[index].handed, held, room)?;
        }
        Ok(shares)
    }

    fn share(
        &mut self,
        world: &Committed,
        group: GroupId,
        handed: Tick,
        held: impl Fn(GroupId) -> bool,
        room: &mut Room,
    ) -> Result<Share, Code> {
        let Some(form) = form_for(world, group, handed) else { return Ok(Share::Current) };
        if room.full {
            return Ok(Share::Behind);
        }
        let range = self.chunks.encode(world, group, form, held);
        if range.len() > self.bounds.chunk {
            return Err(Code::ViewTooLarge);
        }
        if range.len() > room.left {
            room.full = true;
            if room.picked > 0 {
                return Ok(Share::Behind);
            }
            room.alone = true;
        }
        room.left = room.left.saturating_sub(range.len());
        room.picked += 1;
        Ok(Share::Chunk(range))
    }

    /// The events owed to a seat, lowest number first, as many as fit `most` bytes; and whether those are all.
    fn owed_events<'a>(&'a self, seat: &'a EdgeSeat, most: usize) -> (Vec<&'a Entry>, bool) {
        let groups = self.views.groups(seat.view).iter().zip(&seat.standings);
        let logs = groups.filter_map(|(group, standing)| Some((self.logs.get(*group)?, standing.entry)));
        let mut owed: Vec<&Entry> = logs
            .flat_map(|(log, entry)| log.above(seat.handed_event.max(entry)))
            .chain(seat.queue.above(seat.handed_event))
            .collect();
        owed.sort_unstable_by_key(|entry| entry.number);
        owed.dedup_by_key(|entry| entry.number);
        let mut bytes = 0;
        let fit = owed.iter().enumerate().take_while(|(index, entry)| {
            bytes += entry.bytes.len() + EVENT_HEAD;
            bytes <= most || *index == 0
        });
        let count = fit.count();
        let complete = count == owed.len();
        owed.truncate(count);
        (owed, complete)
    }

    /// Whether events owed to a seat have been dropped since it was last told.
    fn take_losses(&self, seat: &mut EdgeSeat) -> bool {
        let known = seat.handed_event.max(seat.lost_event);
        let groups = self.views.groups(seat.view).iter().zip(&seat.standings);
        let in_logs = groups
            .filter_map(|(group, standing)| Some((self.logs.get(*group)?.dropped, standing.entry)))
            .filter(|(dropped, entry)| *dropped > known.max(*entry))
            .map(|(dropped, _)| dropped)
            .max();
        let dropped = in_logs.unwrap_or(0).max(seat.queue.dropped);
        seat.lost_event = seat.lost_event.max(dropped);
        dropped > known
    }

    fn write_body(&mut self, out: &mut Vec<u8>, view: &[u8], shares: &[Share], events: &[Entry], lost: bool) {
        let behind = |share: &Share| *share == Share::Behind;
        let chunk = |share: &Share| matches!(share, Share::Chunk(_));
        let flag = |on: bool, flag: u8| if on { flag } else { 0 };
        let (any_behind, any_chunk) = (shares.iter().any(behind), shares.iter().any(chunk));
        out.push(
            flag(!view.is_empty(), part_flags::VIEW)
                | flag(any_behind, part_flags::BEHIND)
                | flag(any_chunk, part_flags::CHUNKS)
                | flag(!events.is_empty(), part_flags::EVENTS)
                | flag(lost, part_flags::LOST),
        );
        out.extend_from_slice(view);
        if any_behind {
            frame::write_bit_list(out, shares.iter().map(behind));
        }
        if any_chunk {
            frame::write_bit_list(out, shares.iter().map(chunk));
        }
        for share in shares {
            if let Share::Chunk(range) = share {
                out.extend_from_slice(self.chunks.bytes(range.clone()));
            }
        }
        if !events.is_empty() {
            frame::write_events(out, events.iter().map(|entry| (entry.number, &*entry.bytes)));
        }
        self.stats.events_lost += u64::from(lost);
    }

    fn write_own(&self, out: &mut Vec<u8>, untold: Option<GroupId>, share: &Share) {
        let flag = |on: bool, flag: u8| if on { flag } else { 0 };
        out.push(
            flag(untold.is_some(), part_flags::GROUP)
                | flag(*share == Share::Behind, part_flags::BEHIND)
                | flag(matches!(share, Share::Chunk(_)), part_flags::CHUNKS),
        );
        if let Some(group) = untold {
            frame::write_varint(out, u64::from(group.0));
        }
        if let Share::Chunk(range) = share {
            out.extend_from_slice(self.chunks.bytes(range.clone()));
        }
    }

    /// Notes what the frame has handed over, and whether the seat is steady again.
    fn settle(
        &mut self,
        seat: &mut EdgeSeat,
        world: &Committed,
        situation: &Situation<'_>,
        shares: &[Share],
        own: &Share,
    ) {
        let tick = world.tick();
        let note = |standing: &mut Standing, group: GroupId, share: &Share| match share {
            Share::Behind => {
                standing.since = None;
                standing.waiting.get_or_insert(tick);
            }
            Share::Current | Share::Chunk(_) => {
                standing.since.get_or_insert(tick);
                standing.waiting = None;
                standing.handed = world.group(group).version;
            }
        };
        for ((standing, group), share) in seat.standings.iter_mut().zip(situation.view).zip(shares) {
            note(standing, *group, share);
        }
        if let Some((group, standing)) = &mut seat.own {
            note(standing, *group, own);
        }
        let behind = shares.iter().chain([own]).filter(|share| **share == Share::Behind).count();
        let standings = seat.standings.iter().chain(seat.own.iter().map(|(_, standing)| standing));
        let waiting = if behind == 0 { None } else { standings.filter_map(|standing| standing.waiting).min() };
        seat.first.note_frame(tick, waiting, situation.now);
        self.stats.deferred += behind as u64;
        seat.steady = behind == 0 && seat.handed_event == self.event;
    }
}

/// Most bytes of an event beside its own: number and length.
const EVENT_HEAD: usize = 12;

fn view_hash(
    world: &Committed,
    view: &[GroupId],
    shares: &[Share],
    own: Option<GroupId>,
    own_share: &Share,
) -> StateHash {
    let own = own.as_ref().map(|own| (own, own_share));
    let mut hash = StateHash::default();
    for (group, _) in view.iter().zip(shares).chain(own).filter(|(_, share)| **share != Share::Behind) {
        hash += world.group(*group).hash.in_view(*group, world.group(*group).version);
    }
    hash
}
