//! The regions that waiting tickets reach, as small numbers: a round compares those of every ticket.

use std::collections::{BTreeMap, BTreeSet};

use crate::matchmaking::ticket::Ticket;

/// The names of regions with the number of tickets that reach each.
#[derive(Clone, Debug, Default)]
pub(super) struct Regions {
    names: Vec<(String, usize)>,
    numbers: BTreeMap<String, u16>,
    /// Numbers whose regions nobody reaches any more.
    free: Vec<u16>,
}

impl Regions {
    /// The regions of a ticket with their distances. Each counts as reached until it is given back. Beyond 65,536
    /// different regions, the others are out of reach.
    pub(super) fn reach(&mut self, ticket: &Ticket) -> Box<[(u16, u32)]> {
        let mut named = BTreeSet::new();
        let first = ticket.regions.iter().filter(|distance| named.insert(&distance.region));
        first.filter_map(|distance| Some((self.take(&distance.region)?, distance.ms))).collect()
    }

    fn take(&mut self, name: &str) -> Option<u16> {
        if let Some(number) = self.numbers.get(name) {
            self.names[usize::from(*number)].1 += 1;
            return Some(*number);
        }
        let number = match self.free.pop() {
            Some(number) => number,
            None => u16::try_from(self.names.len()).ok()?,
        };
        let entry = (name.to_owned(), 1);
        match self.names.get_mut(usize::from(number)) {
            Some(place) => *place = entry,
            None => self.names.push(entry),
        }
        self.numbers.insert(name.to_owned(), number);
        Some(number)
    }

    /// A ticket that reached this region is gone.
    pub(super) fn give_back(&mut self, number: u16) {
        let (name, reached) = &mut self.names[usize::from(number)];
        *reached -= 1;
        if *reached == 0 {
            self.numbers.remove(name);
            name.clear();
            self.free.push(number);
        }
    }

    /// The number of each of these names, by number: its index among them.
    pub(super) fn among<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<Option<usize>> {
        let mut indices = vec![None; self.names.len()];
        for (index, name) in names.enumerate() {
            if let Some(number) = self.numbers.get(name) {
                indices[usize::from(*number)] = Some(index);
            }
        }
        indices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_given_again_when_nobody_reaches_a_region() {
        let mut regions = Regions::default();
        let taken: Vec<_> = ["eu", "us", "eu"].map(|name| regions.take(name).unwrap()).into();
        assert_eq!(taken, [0, 1, 0]);
        regions.give_back(0);
        assert_eq!(regions.among(["us", "eu", "asia"].into_iter()), [Some(1), Some(0)]);
        regions.give_back(0);
        assert_eq!(regions.among(["eu"].into_iter()), [None, None]);
        assert_eq!(regions.take("asia"), Some(0));
        assert_eq!(regions.names.len(), 2);
    }
}
