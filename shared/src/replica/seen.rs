//! One group as a client sees it: its table, and the tick up to which nothing of it was missed.

use super::Table;
use crate::id::{GroupId, Tick};

/// A group that a client sees.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) id: GroupId,
    pub(super) table: Table,
    /// The last tick whose state the table equals, while the group is behind; `None` while it is up to date.
    pub(super) behind: Option<Tick>,
}

impl Seen {
    /// A group of which nothing is held. Until its first frame is applied it is behind from tick 0 on.
    pub(super) fn new(id: GroupId) -> Self {
        Self { id, table: Table::default(), behind: Some(Tick(0)) }
    }

    /// Notes whether the group is behind, and since when. `fresh` is the tick of the frame before.
    pub(super) fn mark_behind(&mut self, behind: bool, chunk: bool, fresh: Tick) {
        self.behind = match (behind, chunk) {
            (false, _) => None,
            (true, true) => Some(self.table.version()),
            (true, false) => self.behind.or(Some(fresh)),
        };
    }
}
