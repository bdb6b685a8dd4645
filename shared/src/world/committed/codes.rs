//! The codes of an entity being committed, and the fields in which they differ from those before.

use super::Committed;
use crate::{
    linear::Line,
    replicate::{Layout, Quantized},
};

impl Committed {
    /// Finds the codes of an entity. Those of a known entity continue its old ones: a line stays as it is while it
    /// leads to the field's value. Returns whether any line has a rate.
    pub(super) fn find_codes(&mut self, slot: u16, kind: u8, known: bool, fields: &Quantized) -> bool {
        let Layout { lane_stride, linear_stride, .. } = self.layout;
        let kind = &self.layout.kinds[kind as usize];
        self.codes.clear();
        self.codes.extend_from_slice(&fields.lanes);
        let old = &self.lanes[slot as usize * lane_stride..][..lane_stride];
        let steps = &mut self.steps[slot as usize * linear_stride..][..linear_stride];
        let mut moves = false;
        for ((&lane, before), &now) in kind.linear.iter().zip(steps).zip(&fields.steps) {
            let (bits, code) = (kind.lanes[lane].bits, fields.lanes[lane]);
            let before = std::mem::replace(before, now);
            let held = kind.line(old, lane).filter(|_| known);
            let line = match held {
                Some(line) if line.code_at(bits, self.tick.0) == code => line,
                Some(_) => Line::between(bits, [before, now], self.tick.0 - self.previous.0, self.tick.0),
                None => Line::still(code),
            };
            self.codes[lane] = line.origin;
            self.codes.push(line.rate);
            moves |= line.rate != 0;
        }
        moves
    }

    /// Finds the fields in which a known entity differs from the committed state. Keeps the codes from before.
    pub(super) fn differences(&mut self, slot: u16, fields: &Quantized) -> u64 {
        let Layout { lane_stride, blob_stride, .. } = self.layout;
        let (at, codes) = (slot as usize, self.codes.len());
        let old = &self.lanes[at * lane_stride..][..codes];
        self.lanes_before[at * lane_stride..][..codes].copy_from_slice(old);
        let kind = &self.layout.kinds[self.members[at].kind as usize];
        let changed = |lane: usize| {
            let rate = kind.lanes[lane].rate;
            old[lane] != self.codes[lane] || rate.is_some_and(|rate| old[rate] != self.codes[rate])
        };
        let lanes = (0..kind.lanes.len()).filter(|lane| changed(*lane));
        let blobs = (0..fields.blob_count()).filter(|blob| *self.blobs[at * blob_stride + blob] != *fields.blob(*blob));
        lanes.chain(blobs.map(|blob| kind.lanes.len() + blob)).fold(0, |mask, field| mask | 1 << field)
    }
}
