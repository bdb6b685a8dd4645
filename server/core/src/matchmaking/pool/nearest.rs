//! The waiting tickets of one size in one region, by rating: finds the nearest, and the oldest among equals.
//!
//! Taken tickets are skipped by links that shorten as they are followed (a union-find with path compression), so a
//! round stays fast when thousands have the same rating and most are taken.

/// The tickets of one size within reach of a region. Seekers are numbered from the oldest.
#[derive(Debug)]
pub(super) struct Shelf {
    /// Rating and seeker, in ascending order.
    entries: Vec<(i32, u32)>,
    /// For a taken entry: the index above at which to look for a free one.
    above: Vec<u32>,
    /// For a taken entry: the index below at which to look, plus 1, so that 0 means none.
    below: Vec<u32>,
}

/// The position of a search on a shelf: the next free entry above and below the rating searched for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    rating: i32,
    above: usize,
    below: Option<usize>,
}

impl Shelf {
    /// A shelf of tickets, given by rating and seeker in ascending order.
    pub(super) fn new(entries: Vec<(i32, u32)>) -> Self {
        let count = u32::try_from(entries.len()).expect("a pool has fewer tickets");
        let (above, below) = ((1..=count).collect(), (0..count).collect());
        Self { entries, above, below }
    }

    /// Whether there was never a ticket on it.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Starts a search for the tickets nearest to a rating.
    pub(super) fn search(&mut self, rating: i32, taken: &[bool]) -> Cursor {
        let start = self.entries.partition_point(|entry| entry.0 < rating);
        Cursor { rating, above: self.free_above(start, taken), below: self.group_below(start, taken) }
    }

    /// The nearest seeker that the search has not passed, with its distance; of two the older.
    pub(super) fn nearest(&self, cursor: &Cursor) -> Option<(u32, usize)> {
        let at = |index: usize| {
            let (rating, seeker) = *self.entries.get(index)?;
            Some((rating.abs_diff(cursor.rating), seeker as usize))
        };
        match (at(cursor.above), cursor.below.and_then(at)) {
            (Some(above), Some(below)) => Some(above.min(below)),
            (above, below) => above.or(below),
        }
    }

    /// Passes the nearest.
    pub(super) fn pass(&mut self, cursor: &mut Cursor, taken: &[bool]) {
        let nearest = self.nearest(cursor);
        match cursor.below.filter(|below| nearest.is_some_and(|(_, seeker)| self.entries[*below].1 as usize == seeker))
        {
            None => cursor.above = self.free_above(cursor.above + 1, taken),
            Some(below) => {
                let rating = self.entries[below].0;
                let next = self.free_above(below + 1, taken);
                let same = self.entries.get(next).is_some_and(|entry| entry.0 == rating);
                cursor.below = match same {
                    true => Some(next),
                    false => self.group_below(self.first_equal(below), taken),
                };
            }
        }
    }

    /// Free seekers of exactly this rating that are older than this one, the oldest first.
    pub(super) fn older(&mut self, rating: i32, than: usize, taken: &[bool]) -> Vec<usize> {
        let mut found = Vec::new();
        let mut at = self.free_above(self.entries.partition_point(|entry| entry.0 < rating), taken);
        let fits = |entry: &&(i32, u32)| entry.0 == rating && (entry.1 as usize) < than;
        while let Some(&(_, seeker)) = self.entries.get(at).filter(fits) {
            found.push(seeker as usize);
            at = self.free_above(at + 1, taken);
        }
        found
    }

    /// The first free entry at or after `from`.
    fn free_above(&mut self, from: usize, taken: &[bool]) -> usize {
        let mut at = from;
        while self.entries.get(at).is_some_and(|entry| taken[entry.1 as usize]) {
            at = self.above[at] as usize;
        }
        let mut step = from;
        while step < at {
            step = std::mem::replace(&mut self.above[step], at as u32) as usize;
        }
        at
    }

    /// Of the free entries before `before`: the oldest of those with the highest rating.
    fn group_below(&mut self, before: usize, taken: &[bool]) -> Option<usize> {
        let mut end = before;
        while end > 0 && taken[self.entries[end - 1].1 as usize] {
            end = self.below[end - 1] as usize;
        }
        let mut step = before;
        while step > end {
            step = std::mem::replace(&mut self.below[step - 1], end as u32) as usize;
        }
        let first = self.first_equal(end.checked_sub(1)?);
        Some(self.free_above(first, taken))
    }

    /// The first entry of the same rating. Looks near the entry first, because it is mostly there.
    fn first_equal(&self, entry: usize) -> usize {
        let (rating, mut reach) = (self.entries[entry].0, 1);
        while reach <= entry && self.entries[entry - reach].0 == rating {
            reach *= 2;
        }
        let from = entry.saturating_sub(reach);
        from + self.entries[from..entry].partition_point(|entry| entry.0 < rating)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first_and_of_equals_the_oldest() {
        let mut entries: Vec<_> = [50, 40, 60, 40, 50, 90, 10].into_iter().zip(0..).collect();
        entries.sort_unstable();
        let mut shelf = Shelf::new(entries);
        let mut order = |taken: &[bool]| {
            let mut cursor = shelf.search(50, taken);
            let mut order = Vec::new();
            while let Some((_, seeker)) = shelf.nearest(&cursor) {
                order.push(seeker);
                shelf.pass(&mut cursor, taken);
            }
            order
        };
        assert_eq!(order(&[false; 7]), [0, 4, 1, 2, 3, 5, 6]);
        assert_eq!(order(&[true, true, false, false, false, false, true]), [4, 2, 3, 5]);
        assert_eq!(order(&[true, true, true, true, true, false, true]), [5]);
        assert!(order(&[true; 7]).is_empty());
    }
}
