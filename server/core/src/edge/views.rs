//! Views by number: players who see the same groups share one list, and by its number their bodies.

use std::collections::BTreeMap;

use tiltyard_shared::world::GroupId;

/// The number of a list of groups. Not given to another list before the next commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ViewId(u32);

impl ViewId {
    /// Where a table indexed by views has its entry.
    pub(super) fn place(self) -> usize {
        self.0 as usize
    }
}

/// All lists in use.
#[derive(Debug)]
pub(super) struct Views {
    lists: Vec<(Vec<GroupId>, u32)>,
    numbers: BTreeMap<Vec<GroupId>, ViewId>,
    unused: Vec<ViewId>,
    free: Vec<ViewId>,
}

impl Views {
    /// The empty view, which always exists.
    pub(super) const EMPTY: ViewId = ViewId(0);

    pub(super) fn new() -> Self {
        let numbers = BTreeMap::from([(Vec::new(), Self::EMPTY)]);
        Self { lists: vec![(Vec::new(), 1)], numbers, unused: Vec::new(), free: Vec::new() }
    }

    /// The list of a view, sorted.
    pub(super) fn groups(&self, view: ViewId) -> &[GroupId] {
        &self.lists[view.0 as usize].0
    }

    /// Whether a view is this list. It mostly is, so that all groups are compared, several at a time.
    pub(super) fn is(&self, view: ViewId, groups: &[GroupId]) -> bool {
        let known = self.groups(view);
        known.len() == groups.len() && known.iter().zip(groups).fold(true, |same, (a, b)| same & (a == b))
    }

    /// The view of a sorted list, with one more user.
    pub(super) fn acquire(&mut self, groups: &[GroupId]) -> ViewId {
        if let Some(&view) = self.numbers.get(groups) {
            if view == Self::EMPTY {
                return view;
            }
            self.lists[view.0 as usize].1 += 1;
            return view;
        }
        let view = self.free.pop().unwrap_or_else(|| {
            self.lists.push((Vec::new(), 0));
            ViewId(self.lists.len() as u32 - 1)
        });
        self.lists[view.0 as usize] = (groups.to_vec(), 1);
        self.numbers.insert(groups.to_vec(), view);
        view
    }

    /// One user less.
    pub(super) fn release(&mut self, view: ViewId) {
        if view == Self::EMPTY {
            return;
        }
        let users = &mut self.lists[view.0 as usize].1;
        *users -= 1;
        if *users == 0 {
            self.unused.push(view);
        }
    }

    /// Lets the numbers of lists that nobody uses be given again.
    pub(super) fn begin_commit(&mut self) {
        for view in self.unused.drain(..) {
            let (groups, users) = &mut self.lists[view.0 as usize];
            // A list may have been given up, taken up and given up again within one commit.
            if *users == 0 && !groups.is_empty() {
                self.numbers.remove(groups);
                groups.clear();
                self.free.push(view);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_one_number_and_keeps_it_until_the_next_commit() {
        let mut views = Views::new();
        let (a, b) = ([GroupId(1), GroupId(2)], [GroupId(7)]);
        let first = views.acquire(&a);
        assert_eq!(views.acquire(&a), first);
        views.release(first);
        views.release(first);
        assert_ne!(views.acquire(&b), first, "the number is not free within the commit");
        assert_eq!(views.acquire(&a), first, "and the list is found again");
        views.begin_commit();
        assert_eq!(views.groups(first), a);
        views.release(first);
        views.begin_commit();
        assert_eq!(views.acquire(&[GroupId(9)]), first);
    }
}
