//! Views by number: players who see the same groups share one list. The authority of a room publishes views by its
//! numbers; an edge has its own, by which it shares bodies.

use std::sync::Arc;

use hashbrown::HashTable;
use tiltyard_shared::world::GroupId;

/// The number of a list of groups. Not given to another list before the next commit, and then with another life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ViewId {
    index: u32,
    life: u32,
}

impl ViewId {
    /// The index of its entry in a table by views.
    pub(crate) fn index(self) -> usize {
        self.index as usize
    }
}

/// A list of groups. An edge shares those of its authority, so that they are in the cache when frames follow a step.
#[derive(Debug, Default)]
struct List {
    groups: Arc<[GroupId]>,
    hash: u64,
    users: u32,
    /// How many lists its number has stood for before.
    life: u32,
}

/// All lists in use.
#[derive(Debug)]
pub struct Views {
    lists: Vec<List>,
    /// The lists in use except the empty one, by hash. Their order does not matter.
    numbers: HashTable<ViewId>,
    unused: Vec<ViewId>,
    free: Vec<ViewId>,
}

impl Views {
    /// The empty view, which always exists.
    pub(crate) const EMPTY: ViewId = ViewId { index: 0, life: 0 };

    pub(crate) fn new() -> Self {
        let empty = List { users: 1, ..List::default() };
        Self { lists: vec![empty], numbers: HashTable::new(), unused: Vec::new(), free: Vec::new() }
    }

    /// The list of a view, sorted.
    pub(crate) fn groups(&self, view: ViewId) -> &[GroupId] {
        &self.lists[view.index()].groups
    }

    /// Whether a view is this list. Mostly it is, so all groups are compared, several at a time.
    pub(crate) fn is(&self, view: ViewId, groups: &[GroupId]) -> bool {
        let known = self.groups(view);
        known.len() == groups.len() && known.iter().zip(groups).fold(true, |same, (a, b)| same & (a == b))
    }

    /// The view of a sorted list, with one more user.
    pub(crate) fn acquire(&mut self, groups: &[GroupId]) -> ViewId {
        self.find_or_insert(hash(groups), groups, || groups.into())
    }

    /// The view of a list that others hold too, with one more user.
    pub(crate) fn adopt(&mut self, view: ViewId, of: &Self) -> ViewId {
        let List { groups, hash, .. } = &of.lists[view.index()];
        self.find_or_insert(*hash, groups, || Arc::clone(groups))
    }

    fn find_or_insert(&mut self, hash: u64, groups: &[GroupId], list: impl FnOnce() -> Arc<[GroupId]>) -> ViewId {
        if groups.is_empty() {
            return Self::EMPTY;
        }
        if let Some(&view) = self.numbers.find(hash, |view| *self.lists[view.index()].groups == *groups) {
            self.lists[view.index()].users += 1;
            return view;
        }
        let view = self.free.pop().unwrap_or_else(|| {
            self.lists.push(List::default());
            ViewId { index: self.lists.len() as u32 - 1, life: 0 }
        });
        self.lists[view.index()] = List { groups: list(), hash, users: 1, life: view.life };
        self.numbers.insert_unique(hash, view, |view| self.lists[view.index()].hash);
        view
    }

    /// Adds a user.
    pub(crate) fn share(&mut self, view: ViewId) -> ViewId {
        if view != Self::EMPTY {
            self.lists[view.index()].users += 1;
        }
        view
    }

    /// Removes a user.
    pub(crate) fn release(&mut self, view: ViewId) {
        if view == Self::EMPTY {
            return;
        }
        let users = &mut self.lists[view.index()].users;
        *users -= 1;
        if *users == 0 {
            self.unused.push(view);
        }
    }

    /// Makes the numbers of unused lists available again.
    pub(crate) fn begin_commit(&mut self) {
        for view in self.unused.drain(..) {
            let List { groups, hash, users, life } = &mut self.lists[view.index()];
            // A list may have been released, acquired and released again within one commit.
            if *users == 0 && !groups.is_empty() {
                if let Ok(entry) = self.numbers.find_entry(*hash, |other| *other == view) {
                    entry.remove();
                }
                *groups = Arc::default();
                *life = life.wrapping_add(1);
                self.free.push(ViewId { life: *life, ..view });
            }
        }
    }
}

/// The mix of rustc's FxHash. Collisions do no harm, because the lists are compared too.
fn hash(groups: &[GroupId]) -> u64 {
    let mix =
        |hash: u64, group: &GroupId| (hash.rotate_left(5) ^ u64::from(group.0)).wrapping_mul(0x517c_c1b7_2722_0a95);
    let hash = groups.iter().fold(0, mix);
    hash ^ (hash >> 32)
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
        let other = views.acquire(&[GroupId(9)]);
        assert!(other.index() == first.index() && other != first, "the index is used again, in another life");
    }
}
