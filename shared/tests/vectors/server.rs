//! A server without rules: commits a world and composes frames from the real encoders, as the edge of `tiltyard-core` does.

use std::collections::BTreeMap;

use tiltyard_shared::{
    chunk::{self, Form},
    frame::{self, Head, Settled, part_flags},
    game::{PlayerId, Tick},
    hash::StateHash,
    protocol::{Code, Resync},
    replicate::Replicate,
    world::{GroupId, World},
};

/// One player's frames.
pub(crate) struct Server<E: Replicate> {
    pub(crate) world: World<E>,
    pub(crate) epoch: u32,
    view: Vec<GroupId>,
    handed: BTreeMap<GroupId, Tick>,
    since: BTreeMap<GroupId, Tick>,
    start: bool,
    own_told: bool,
}

/// What the next frame is to hold beside the chunks that follow from what was handed over.
#[derive(Clone, Default)]
pub(crate) struct Plan<'a> {
    pub(crate) view: &'a [u32],
    pub(crate) behind: &'a [u32],
    pub(crate) events: &'a [(u64, &'a [u8])],
    pub(crate) own_events: &'a [(u64, &'a [u8])],
    pub(crate) lost: bool,
    pub(crate) inputs: Option<Settled>,
    pub(crate) moved: Option<u32>,
    pub(crate) refused: &'a [(u32, Code)],
    pub(crate) no_hash: bool,
}

/// Whose own group is told.
pub(crate) const PLAYER: PlayerId = PlayerId(1);

impl<E: Replicate> Server<E> {
    pub(crate) fn new(groups: u32) -> Self {
        let mut world = World::new();
        for _ in 1..groups {
            world.new_group();
        }
        Self {
            world,
            epoch: 1,
            view: Vec::new(),
            handed: BTreeMap::new(),
            since: BTreeMap::new(),
            start: true,
            own_told: false,
        }
    }

    /// Goes on from where a client is, in a new epoch.
    pub(crate) fn resync(&mut self, resync: Resync) {
        (self.epoch, self.start, self.own_told) = (resync.epoch, true, false);
        for (group, handed) in &mut self.handed {
            let kept = resync.applied.filter(|applied| self.since.get(group).is_some_and(|since| since <= applied));
            *handed = kept.unwrap_or(Tick(0));
            if kept.is_none() {
                self.since.remove(group);
            }
        }
    }

    /// The next frame states everything again, in the same epoch; the client keeps what it holds.
    pub(crate) fn restart(&mut self) {
        (self.start, self.own_told) = (true, false);
    }

    /// Commits the world at `tick` and composes the frame of that tick.
    pub(crate) fn frame(&mut self, tick: u32, plan: &Plan<'_>) -> Vec<u8> {
        self.world.commit(Tick(tick));
        self.compose(plan)
    }

    fn compose(&mut self, plan: &Plan<'_>) -> Vec<u8> {
        let tick = self.world.committed().tick();
        let view: Vec<GroupId> = plan.view.iter().map(|group| GroupId(*group)).collect();
        let own = self.world.own_group_of(PLAYER);
        let before = self.handed.clone();
        self.handed.retain(|group, _| view.contains(group) || own == Some(*group));
        self.since.retain(|group, _| view.contains(group) || own == Some(*group));
        let is_behind = |group: &GroupId| plan.behind.contains(&group.0);
        let mut chunks = BTreeMap::new();
        let mut hash = StateHash::default();
        for &group in view.iter().chain(&own) {
            if is_behind(&group) {
                self.since.remove(&group);
                continue;
            }
            if let Some(chunk) = self.chunk(group, &before) {
                chunks.insert(group, chunk);
            }
            let committed = self.world.committed().group(group);
            self.handed.insert(group, committed.version);
            self.since.entry(group).or_insert(tick);
            hash += committed.hash.in_view(group, committed.version);
        }
        let has_own = own.is_some() || !plan.own_events.is_empty();
        let mut out = Vec::new();
        Head {
            epoch: self.epoch,
            tick,
            start: self.start,
            inputs: plan.inputs,
            moved: plan.moved,
            refused: plan.refused.to_vec(),
            hash: (!plan.no_hash).then_some(hash),
            own: has_own,
        }
        .write(&mut out);
        self.body(&view, plan, &chunks, &mut out);
        if has_own {
            self.own_part(own, plan, &chunks, &mut out);
        }
        (self.view, self.start) = (view, false);
        out
    }

    /// A frame of nothing at the last commit, in another epoch.
    pub(crate) fn old_frame(&self, epoch: u32) -> Vec<u8> {
        let mut out = Vec::new();
        Head { epoch, tick: self.world.committed().tick(), ..Head::default() }.write(&mut out);
        out.push(0);
        out
    }

    /// The chunk that brings the client from what it was handed to the last commit.
    /// `before` is what it was handed of all groups.
    fn chunk(&self, group: GroupId, before: &BTreeMap<GroupId, Tick>) -> Option<Vec<u8>> {
        let committed = self.world.committed();
        let (version, handed) = (committed.group(group).version, self.handed.get(&group).copied().unwrap_or_default());
        if version <= handed || version == Tick(0) {
            return None;
        }
        let form = if handed == Tick(0) {
            Form::Snapshot
        } else if version == committed.tick() && handed == committed.version_before(group) {
            Form::Delta
        } else {
            Form::CatchUp(handed)
        };
        let mut bytes = Vec::new();
        let held = |from: GroupId| {
            let handed = before.get(&from).copied().unwrap_or_default();
            !self.start && handed > Tick(0) && handed == committed.version_before(from)
        };
        chunk::encode_for(committed, group, form, held, &mut bytes);
        Some(bytes)
    }

    fn body(&self, view: &[GroupId], plan: &Plan<'_>, chunks: &BTreeMap<GroupId, Vec<u8>>, out: &mut Vec<u8>) {
        let flag = |on: bool, flag: u8| if on { flag } else { 0 };
        let any_behind = view.iter().any(|group| plan.behind.contains(&group.0));
        let any_chunk = view.iter().any(|group| chunks.contains_key(group));
        let changed = self.start || view != self.view;
        out.push(
            flag(changed, part_flags::VIEW)
                | flag(any_behind, part_flags::BEHIND)
                | flag(any_chunk, part_flags::CHUNKS)
                | flag(!plan.events.is_empty(), part_flags::EVENTS)
                | flag(plan.lost, part_flags::LOST),
        );
        if self.start {
            frame::write_view(out, view);
        } else if changed {
            frame::write_view_change(out, &self.view, view);
        }
        if any_behind {
            frame::write_bit_list(out, view.iter().map(|group| plan.behind.contains(&group.0)));
        }
        if any_chunk {
            frame::write_bit_list(out, view.iter().map(|group| chunks.contains_key(group)));
        }
        view.iter().filter_map(|group| chunks.get(group)).for_each(|chunk| out.extend_from_slice(chunk));
        if !plan.events.is_empty() {
            frame::write_events(out, plan.events.iter().copied());
        }
    }

    fn own_part(
        &mut self,
        own: Option<GroupId>,
        plan: &Plan<'_>,
        chunks: &BTreeMap<GroupId, Vec<u8>>,
        out: &mut Vec<u8>,
    ) {
        let flag = |on: bool, flag: u8| if on { flag } else { 0 };
        let chunk = own.and_then(|own| chunks.get(&own));
        let told = own.filter(|_| !self.own_told);
        out.push(
            flag(told.is_some(), part_flags::GROUP)
                | flag(own.is_some_and(|own| plan.behind.contains(&own.0)), part_flags::BEHIND)
                | flag(chunk.is_some(), part_flags::CHUNKS)
                | flag(!plan.own_events.is_empty(), part_flags::EVENTS),
        );
        if let Some(own) = told {
            frame::write_varint(out, u64::from(own.0));
            self.own_told = true;
        }
        chunk.into_iter().for_each(|chunk| out.extend_from_slice(chunk));
        if !plan.own_events.is_empty() {
            frame::write_events(out, plan.own_events.iter().copied());
        }
    }
}
