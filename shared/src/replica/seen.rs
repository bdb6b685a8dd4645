//! One group as a client sees it: its table, and until which tick nothing of it was missed.

use crate::{
    frame::Cursor,
    game::Tick,
    world::{GroupId, Layout},
};

use super::{Anatomy, ReplicaError, Table};

/// A group that a client sees.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) id: GroupId,
    pub(super) table: Table,
    /// The last tick whose state the table equals, while the group is behind; `None` while it is up to date.
    pub(super) behind: Option<Tick>,
}

impl Seen {
    /// A group of which nothing is held: until its first frame is applied it is as behind as can be.
    pub(super) fn new(id: GroupId) -> Self {
        Self { id, table: Table::default(), behind: Some(Tick(0)) }
    }

    /// Applies the chunk that comes next in a frame of `tick`. `fresh` is the tick of the frame before. Counts what
    /// its bits were for.
    ///
    /// # Errors
    ///
    /// [`ReplicaError::Chunk`] if it cannot be applied to this table.
    pub(super) fn apply_chunk(
        &mut self,
        layout: &Layout,
        cursor: &mut Cursor<'_>,
        [tick, fresh]: [Tick; 2],
        anatomy: &mut Anatomy,
    ) -> Result<(), ReplicaError> {
        let fresh = self.behind.unwrap_or(fresh);
        let bad = |reason| ReplicaError::Chunk { group: self.id, reason };
        let read = self.table.read(layout, cursor.rest, [tick, fresh], anatomy).map_err(bad)?;
        cursor.take(read)?;
        Ok(())
    }

    /// Notes since when the group is behind, if it is. `fresh` is the tick of the frame before.
    pub(super) fn mark_behind(&mut self, behind: bool, chunk: bool, fresh: Tick) {
        self.behind = match (behind, chunk) {
            (false, _) => None,
            (true, true) => Some(self.table.version()),
            (true, false) => self.behind.or(Some(fresh)),
        };
    }
}
