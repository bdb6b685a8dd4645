//! The chunks of one commit, each encoded once, however many players get it.

use std::{collections::BTreeMap, ops::Range};

use tiltyard_shared::{
    chunk::{self, Form},
    game::Tick,
    world::{Committed, Fault, GroupId},
};

/// Encoded chunks of the current commit. Emptied by the next; the memory is kept.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    bytes: Vec<u8>,
    /// By group: the commit of the entry, and where its bytes are.
    deltas: Vec<(Tick, Range<usize>)>,
    /// Catch-ups by group and tick; snapshots stand at tick 0.
    others: BTreeMap<(GroupId, Tick), Range<usize>>,
    /// How many were encoded: deltas, catch-ups, snapshots.
    pub(super) encoded: [u64; 3],
    /// A fault to make once, in the first delta that offers a place for it.
    pub(super) fault: Option<Fault>,
}

/// What a group's chunk must be to bring who holds `handed` (0 for nothing) to the last commit; `None` for no chunk.
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
    }

    /// Where the bytes of a chunk are; encoded at the first call of a commit.
    pub(super) fn encode(&mut self, world: &Committed, group: GroupId, form: Form) -> Range<usize> {
        let since = match form {
            Form::Delta => {
                let known = self.deltas.get(group.0 as usize).filter(|(tick, _)| *tick == world.tick());
                if let Some((_, range)) = known {
                    return range.clone();
                }
                let range = self.append(world, group, form, 0);
                if self.deltas.len() < world.group_count() {
                    self.deltas.resize(world.group_count(), (Tick(0), 0..0));
                }
                self.deltas[group.0 as usize] = (world.tick(), range.clone());
                return range;
            }
            Form::CatchUp(since) => since,
            Form::Snapshot => Tick(0),
        };
        if let Some(range) = self.others.get(&(group, since)) {
            return range.clone();
        }
        let range = self.append(world, group, form, if form == Form::Snapshot { 2 } else { 1 });
        self.others.insert((group, since), range.clone());
        range
    }

    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[range]
    }

    fn append(&mut self, world: &Committed, group: GroupId, form: Form, count: usize) -> Range<usize> {
        let start = self.bytes.len();
        match self.fault.filter(|_| form == Form::Delta).and_then(|fault| world.with_fault(group, fault)) {
            Some(faulty) => {
                self.fault = None;
                chunk::encode(&faulty, group, form, &mut self.bytes);
            }
            None => chunk::encode(world, group, form, &mut self.bytes),
        }
        self.encoded[count] += 1;
        start..self.bytes.len()
    }
}
