//! The chunks of one commit, each encoded once, however many players get it.

use std::{collections::BTreeMap, ops::Range};

use tiltyard_shared::{
    chunk::{self, Form},
    game::Tick,
    world::{Committed, Fault, GroupId},
};

/// Encoded chunks of the current commit. The next commit empties it; the memory is kept.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    bytes: Vec<u8>,
    /// By group.
    deltas: Vec<Delta>,
    /// The sources of all deltas.
    sources: Vec<Source>,
    /// Catch-ups by group and tick; snapshots are at tick 0.
    others: BTreeMap<(GroupId, Tick), Range<usize>>,
    /// How many were encoded: deltas, catch-ups, snapshots.
    pub(super) encoded: [u64; 3],
    /// A fault to make once, in the first delta that has a place for it.
    pub(super) fault: Option<Fault>,
}

/// A delta without its sources.
#[derive(Clone, Debug, Default)]
struct Delta {
    /// The commit of the delta.
    tick: Tick,
    core: Range<usize>,
    /// Its part of [`Chunks::sources`].
    sources: Range<usize>,
}

/// The members that came to a group from another one, in both forms.
#[derive(Debug)]
struct Source {
    from: GroupId,
    moves: Range<usize>,
    wholes: Range<usize>,
}

/// The form of chunk that brings a group from version `handed` (0 for nothing) to the last commit; `None` for no chunk.
pub(super) fn form_for(world: &Committed, group: GroupId, handed: Tick) -> Option<Form> {
    let version = world.group(group).version;
    if version <= handed || version == Tick(0) {
        None
    } else if handed == Tick(0) {
        Some(Form::Snapshot)
    } else if version == world.tick() && handed == world.version_before(group) {
        Some(Form::Delta)
    } else {
        Some(Form::CatchUp(handed))
    }
}

impl Chunks {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.others.clear();
        self.sources.clear();
    }

    /// Finds the bytes of a chunk for a client that `holds` other groups at their versions before the commit. The first
    /// call of a commit encodes the chunk; each call for a delta with sources assembles it from parts.
    pub(super) fn encode(
        &mut self,
        world: &Committed,
        group: GroupId,
        form: Form,
        holds: impl Fn(GroupId) -> bool,
    ) -> Range<usize> {
        let since = match form {
            Form::Delta => {
                let Delta { core, sources, .. } = self.delta(world, group);
                if sources.is_empty() {
                    return core;
                }
                let start = self.bytes.len();
                self.bytes.extend_from_within(core);
                for Source { from, moves, wholes } in &self.sources[sources] {
                    self.bytes.extend_from_within(if holds(*from) { moves.clone() } else { wholes.clone() });
                }
                return start..self.bytes.len();
            }
            Form::CatchUp(since) => since,
            Form::Snapshot => Tick(0),
        };
        if let Some(range) = self.others.get(&(group, since)) {
            return range.clone();
        }
        let mut range = self.append(world, group, form, if form == Form::Snapshot { 2 } else { 1 });
        if form != Form::Snapshot {
            // After a long absence almost everything has changed, and a snapshot says that in fewer bytes.
            let whole = self.encode(world, group, Form::Snapshot, holds);
            range = if whole.len() < range.len() { whole } else { range };
        }
        self.others.insert((group, since), range.clone());
        range
    }

    /// Appends the chunk of a group to `out`.
    pub(super) fn write(
        &mut self,
        world: &Committed,
        group: GroupId,
        form: Form,
        holds: impl Fn(GroupId) -> bool,
        out: &mut Vec<u8>,
    ) {
        if form != Form::Delta {
            let range = self.encode(world, group, form, holds);
            return out.extend_from_slice(&self.bytes[range]);
        }
        let Delta { core, sources, .. } = self.delta(world, group);
        out.extend_from_slice(&self.bytes[core]);
        for Source { from, moves, wholes } in &self.sources[sources] {
            out.extend_from_slice(&self.bytes[if holds(*from) { moves.clone() } else { wholes.clone() }]);
        }
    }

    fn delta(&mut self, world: &Committed, group: GroupId) -> Delta {
        let index = group.0 as usize;
        if let Some(delta) = self.deltas.get(index).filter(|delta| delta.tick == world.tick()) {
            return delta.clone();
        }
        if self.deltas.len() < world.group_count() {
            self.deltas.resize(world.group_count(), Delta::default());
        }
        let core = self.append(world, group, Form::Delta, 0);
        let first = self.sources.len();
        for moves in chunk::sources(world, group) {
            let mut part = |held| {
                let start = self.bytes.len();
                chunk::encode_source(world, group, moves, held, &mut self.bytes);
                start..self.bytes.len()
            };
            let source = Source { from: moves[0].from, moves: part(true), wholes: part(false) };
            self.sources.push(source);
        }
        self.deltas[index] = Delta { tick: world.tick(), core, sources: first..self.sources.len() };
        self.deltas[index].clone()
    }

    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[range]
    }

    fn append(&mut self, world: &Committed, group: GroupId, form: Form, count: usize) -> Range<usize> {
        let start = self.bytes.len();
        match self.fault.filter(|_| form == Form::Delta).and_then(|fault| world.with_fault(group, fault)) {
            Some(faulty) => {
                self.fault = None;
                chunk::encode_core(&faulty, group, form, &mut self.bytes);
            }
            None => chunk::encode_core(world, group, form, &mut self.bytes),
        }
        self.encoded[count] += 1;
        start..self.bytes.len()
    }
}
