//! The file of codings that [`crate::learn`] writes and `#[replicate(codings = "…")]` reads, and the conditions for its
//! lines.
//!
//! A line is a kind, a lane (`*` for the mask of the kind), the mark of what it was learned from, and the codes by
//! purpose, as in `Walker x 9f3b51c6d2a04e87 change=… error=… whole=…`. Empty lines and those that begin with `#` are
//! ignored.

use super::{EntitySchema, KindSchema, LaneSchema};
use crate::{linear, prefix};

/// The name of a kind's mask in place of a lane's name.
pub(crate) const MASK: &str = "*";

/// A hash of the properties of a lane on which its codings depend: its quantizer, and whether it is linear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    hash: u64,
    bits: u32,
}

impl Mark {
    pub(super) const BOOL: Self = Self::new(4, 1);
    pub(super) const ENTITY: Self = Self::new(6, u32::BITS);

    pub(super) const fn new(tag: u64, bits: u32) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, bits }.and(tag)
    }

    /// Extends the hash by a number: FNV-1a over its bytes.
    pub(super) const fn and(self, number: u64) -> Self {
        let (mut hash, mut rest) = (self.hash, 8);
        while rest > 0 {
            rest -= 1;
            hash = (hash ^ (number >> (8 * rest) & 0xff)).wrapping_mul(0x0100_0000_01b3);
        }
        Self { hash, ..self }
    }

    const fn and_name(self, name: &[u8], length: usize) -> Self {
        let (mut mark, mut at) = (self, 0);
        while at < length {
            mark = mark.and(name[at] as u64);
            at += 1;
        }
        mark.and(u64::MAX)
    }

    /// The mark of a linear lane: the bits are those of its rate.
    pub(super) const fn linear(self) -> Self {
        let bits = if self.bits < linear::MAX_BITS { self.bits } else { linear::MAX_BITS };
        Self { bits: bits + linear::FRACTION, ..self }.and(1)
    }

    /// The mark of an enum without fields, by the names of its variants.
    pub const fn of_choice(names: &[&str]) -> Self {
        let (mut mark, mut at) = (Self::new(5, u32::BITS - (names.len() as u32).saturating_sub(1).leading_zeros()), 0);
        while at < names.len() {
            mark = mark.and_name(names[at].as_bytes(), names[at].len());
            at += 1;
        }
        mark
    }

    /// The mark as it is written in the file.
    pub(crate) const fn number(self) -> u64 {
        self.hash
    }
}

/// A field of a kind, as the derive macro knows it.
#[derive(Clone, Copy, Debug)]
pub struct FieldMark {
    /// Its name.
    pub name: &'static str,
    /// The number of its lanes; 0 for a blob.
    pub lanes: usize,
    /// The mark of its lanes; `None` for a blob.
    pub mark: Option<Mark>,
}

/// A line of the file.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The lane's name, or `*`.
    pub lane: &'a str,
    /// The mark of what it was learned from.
    pub mark: u64,
    /// Its codes.
    pub codes: &'a [&'a str],
}

impl Entry<'_> {
    /// Whether it can be used for a kind with these fields.
    pub const fn fits(&self, fields: &[FieldMark]) -> bool {
        let name = self.lane.as_bytes();
        if name.len() == 1 && name[0] == MASK.as_bytes()[0] {
            let mark = mask_mark(fields);
            return mark.hash == self.mark && self.are_codes(mark.bits);
        }
        let (mut at, end) = (0, first_dot(name));
        while at < fields.len() {
            if let Some(mark) = fields[at].mark
                && same(fields[at].name.as_bytes(), name, end)
            {
                return mark.hash == self.mark && self.are_codes(mark.bits);
            }
            at += 1;
        }
        false
    }

    const fn are_codes(&self, bits: u32) -> bool {
        let mut at = 0;
        while at < self.codes.len() {
            if prefix::check(self.codes[at], bits).is_err() {
                return false;
            }
            at += 1;
        }
        true
    }
}

const fn first_dot(name: &[u8]) -> usize {
    let mut end = 0;
    while end < name.len() && name[end] != b'.' {
        end += 1;
    }
    end
}

const fn same(name: &[u8], other: &[u8], end: usize) -> bool {
    let mut at = 0;
    while at < end && at < name.len() && name[at] == other[at] {
        at += 1;
    }
    at == end && at == name.len()
}

/// The mark of a mask: its fields, lanes before blobs.
const fn mask_mark(fields: &[FieldMark]) -> Mark {
    let (mut mark, mut bits, mut round) = (Mark::new(7, 0), 0, 0);
    while round < 2 {
        let mut at = 0;
        while at < fields.len() {
            let FieldMark { name, lanes, .. } = fields[at];
            if (lanes > 0) == (round == 0) {
                mark = mark.and_name(name.as_bytes(), name.len()).and(lanes as u64);
                bits += if lanes == 0 { 1 } else { lanes as u32 };
            }
            at += 1;
        }
        round += 1;
    }
    Mark { bits, ..mark }
}

impl KindSchema {
    /// The mark of its mask. The macro finds the same from the fields.
    pub(crate) fn mask_mark(&self) -> Mark {
        let mut mark = Mark::new(7, self.fields());
        let field = |lane: &LaneSchema| lane.name.as_bytes()[..first_dot(lane.name.as_bytes())].to_vec();
        for lanes in self.lanes.chunk_by(|a, b| field(a) == field(b)) {
            let name = field(&lanes[0]);
            mark = mark.and_name(&name, name.len()).and(lanes.len() as u64);
        }
        for blob in &self.blobs {
            mark = mark.and_name(blob.name.as_bytes(), blob.name.len()).and(0);
        }
        mark
    }
}

impl LaneSchema {
    /// The mark of the lane.
    pub(crate) fn mark(&self) -> Mark {
        let mark = self.quantizer.mark();
        if self.linear { mark.linear() } else { mark }
    }
}

impl EntitySchema {
    /// The schema with the codings of a file, as far as they fit. The derive macro warns of those that do not.
    #[must_use]
    pub fn with_codings(mut self, file: &str) -> Self {
        for line in file.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split_whitespace();
            let Some([kind, lane, mark]) = words.next().zip(words.next()).zip(words.next()).map(flat) else { continue };
            let Some(kind) = self.kinds.iter_mut().find(|known| known.name == kind) else { continue };
            let Ok(mark) = u64::from_str_radix(mark, 16) else { continue };
            for (of, code) in words.filter_map(|word| word.split_once('=')) {
                kind.learn(lane, mark, of, code);
            }
        }
        self
    }
}

fn flat<'a>(((kind, lane), mark): ((&'a str, &'a str), &'a str)) -> [&'a str; 3] {
    [kind, lane, mark]
}

impl KindSchema {
    fn learn(&mut self, lane: &str, mark: u64, of: &str, code: &str) {
        let code_of = |bits: u32| prefix::check(code, bits).is_ok().then(|| code.to_owned());
        if (lane, of) == (MASK, "mask") {
            if self.mask_mark().number() == mark {
                self.mask = code_of(self.fields());
            }
            return;
        }
        let fitting = |known: &&mut LaneSchema| known.name == lane && known.mark().number() == mark;
        let Some(lane) = self.lanes.iter_mut().find(fitting) else { return };
        let code = code_of(lane.coded_bits());
        match of {
            "change" => lane.learned.change = code,
            "error" => lane.learned.error = code,
            "whole" => lane.learned.whole = code,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Entry;
    use crate::{
        prelude::*,
        replicate::{Kind, Lane},
    };

    #[derive(Clone, Debug, Serialize, Deserialize, Replicate)]
    struct Old {
        #[replicate(range = 0.0..=1.0, step = 0.25)]
        at: [f32; 2],
        #[replicate(max_len = 4)]
        name: String,
        #[replicate(range = 0.0..=1.0, step = 0.25, linear)]
        way: f32,
        #[replicate(angle = 3)]
        turn: f32,
        side: Side,
        lit: bool,
        target: Option<EntityId>,
        hp: u8,
        #[replicate(range = 0..=9)]
        digit: i64,
    }

    #[derive(Clone, Debug, Serialize, Deserialize, Replicate)]
    struct New {
        #[replicate(range = 0.0..=1.0, step = 0.125)]
        at: [f32; 2],
        #[replicate(range = 0.0..=1.0, step = 0.25)]
        way: f32,
        hp: u8,
    }

    #[derive(Clone, Copy, Debug, Serialize, Deserialize, Replicate)]
    enum Side {
        Left,
        Right,
    }

    /// A line for each lane and for the mask, with a code of the right width that says nothing.
    fn lines<E: Replicate>(kind: &str) -> Vec<String> {
        let schema = &E::schema().kinds[0];
        let plain = |bits: u32| format!("0{}", char::from_digit(bits, 36).unwrap());
        let lanes = schema.lanes.iter();
        let lanes = lanes.map(|lane| (&lane.name, lane.mark(), format!("whole={}", plain(lane.coded_bits()))));
        let mask = (&"*".to_owned(), schema.mask_mark(), format!("mask={}", plain(schema.fields())));
        let line =
            |(lane, mark, code): (&String, super::Mark, _)| format!("{kind} {lane} {:016x} {code}", mark.number());
        lanes.chain([mask]).map(line).collect()
    }

    fn fits<E: Kind>(line: &str) -> bool {
        let words: Vec<&str> = line.split(' ').collect();
        let code = words[3].split_once('=').unwrap().1;
        let mark = u64::from_str_radix(words[2], 16).unwrap();
        Entry { lane: words[1], mark, codes: &[code] }.fits(E::FIELDS)
    }

    #[test]
    fn what_was_learned_of_a_lane_fits_it_when_compiling_and_when_running() {
        let lines = lines::<Old>("Old");
        assert_eq!(lines.len(), 10);
        for line in &lines {
            assert!(fits::<Old>(line), "{line}");
        }
        let kind = &Old::schema().with_codings(&lines.join("\n")).kinds[0];
        assert!(kind.mask.is_some() && kind.lanes.iter().all(|lane| lane.learned.whole.is_some()));
    }

    #[test]
    fn another_quantizer_other_fields_and_bad_codes_do_not_fit() {
        let lines = lines::<Old>("New");
        let fitting: Vec<bool> = lines.iter().map(|line| fits::<New>(line)).collect();
        assert_eq!(fitting.iter().filter(|fits| **fits).count(), 1, "hp is as it was: {fitting:?}");
        let kind = &New::schema().with_codings(&lines.join("\n")).kinds[0];
        assert_eq!(kind.mask, None);
        let learned = kind.lanes.iter().filter(|lane| !lane.learned.is_empty()).map(|lane| &lane.name);
        assert_eq!(learned.collect::<Vec<_>>(), ["hp"]);
        assert!(!fits::<Old>(&self::lines::<Old>("Old")[7].replace("whole=08", "whole=09")));
        assert_ne!(<Side as Lane>::MARK, <bool as Lane>::MARK);
    }

    #[test]
    fn what_is_no_line_is_passed_over() {
        for file in ["", "# Old hp", "Old", "Old hp", "Old hp xyz whole=08", "Old hp 0 whole", "Else hp 0 whole=08"] {
            assert_eq!(Old::schema().with_codings(file), Old::schema());
        }
    }
}
