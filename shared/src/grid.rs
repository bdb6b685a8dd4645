//! A grid of square cells, each a group: maps positions to groups and areas to views. Knows no entities.

use serde::{Deserialize, Serialize};

use crate::id::GroupId;

/// Square cells over a rectangle from (0, 0). Cell groups are numbered row by row from 0. The group after the last cell
/// is the overflow group, for positions outside: nobody sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    width: f32,
    height: f32,
    cell: f32,
    hysteresis: f32,
    columns: u32,
    rows: u32,
}

/// Most cells of a grid.
pub const MAX_CELLS: u32 = 16_384;

impl Grid {
    /// Covers `width` x `height` with cells of side `cell`. An entity changes cell once it is a sixteenth of a cell
    /// beyond the border; see [`Grid::with_hysteresis`].
    ///
    /// # Panics
    ///
    /// If a length is not positive and finite, or there would be more than [`MAX_CELLS`] cells.
    pub fn new(width: f32, height: f32, cell: f32) -> Self {
        assert!([width, height, cell].iter().all(|x| x.is_finite() && *x > 0.0), "a grid needs positive lengths");
        let (columns, rows) = ((width / cell).ceil(), (height / cell).ceil());
        assert!(columns * rows <= MAX_CELLS as f32, "a grid has at most {MAX_CELLS} cells");
        Self { width, height, cell, hysteresis: cell / 16.0, columns: columns as u32, rows: rows as u32 }
    }

    /// Sets how far beyond the border of its cell an entity still counts as in it.
    #[must_use]
    pub fn with_hysteresis(mut self, distance: f32) -> Self {
        self.hysteresis = distance.max(0.0);
        self
    }

    /// The number of cells.
    pub fn cells(&self) -> u32 {
        self.columns * self.rows
    }

    /// The group for positions outside.
    pub fn overflow(&self) -> GroupId {
        GroupId(self.cells())
    }

    /// The cell of a position, or `None` outside. The far borders belong to the last cells.
    pub fn cell_at(&self, [x, y]: [f32; 2]) -> Option<GroupId> {
        let inside = (0.0..=self.width).contains(&x) && (0.0..=self.height).contains(&y);
        inside.then(|| {
            let column = ((x / self.cell) as u32).min(self.columns - 1);
            let row = ((y / self.cell) as u32).min(self.rows - 1);
            GroupId(row * self.columns + column)
        })
    }

    /// The cell of a position whose entity was in `current`: the same one while it is within the hysteresis.
    pub fn cell_from(&self, current: Option<GroupId>, position: [f32; 2]) -> Option<GroupId> {
        match current {
            Some(cell) if cell.0 < self.cells() && self.is_near(cell, position) => Some(cell),
            _ => self.cell_at(position),
        }
    }

    /// Appends the cells at most `depth` columns and rows away from `center`, in ascending order. Nothing if `center`
    /// is no cell.
    pub fn around(&self, center: GroupId, depth: u32, out: &mut Vec<GroupId>) {
        if center.0 >= self.cells() {
            return;
        }
        let (column, row) = (center.0 % self.columns, center.0 / self.columns);
        let columns = column.saturating_sub(depth)..=(column.saturating_add(depth)).min(self.columns - 1);
        for row in row.saturating_sub(depth)..=(row.saturating_add(depth)).min(self.rows - 1) {
            out.extend(columns.clone().map(|column| GroupId(row * self.columns + column)));
        }
    }

    fn is_near(&self, cell: GroupId, [x, y]: [f32; 2]) -> bool {
        let (left, top) = ((cell.0 % self.columns) as f32 * self.cell, (cell.0 / self.columns) as f32 * self.cell);
        let near = |at: f32, from: f32, end: f32| {
            (from - self.hysteresis..=from + self.cell + self.hysteresis).contains(&at) && (0.0..=end).contains(&at)
        };
        near(x, left, self.width) && near(y, top, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_have_cells_and_borders_belong_to_the_last() {
        let grid = Grid::new(100.0, 60.0, 20.0);
        assert_eq!(grid.cells(), 15);
        assert_eq!(grid.cell_at([0.0, 0.0]), Some(GroupId(0)));
        assert_eq!(grid.cell_at([100.0, 60.0]), Some(GroupId(14)));
        assert_eq!(grid.cell_at([25.0, 25.0]), Some(GroupId(6)));
        for outside in [[-0.1, 0.0], [0.0, 60.1], [f32::NAN, 1.0], [f32::INFINITY, 1.0]] {
            assert_eq!(grid.cell_at(outside), None);
        }
    }

    #[test]
    fn an_entity_at_a_border_does_not_flicker() {
        let grid = Grid::new(100.0, 100.0, 20.0).with_hysteresis(2.0);
        let cell = grid.cell_from(None, [19.0, 5.0]);
        assert_eq!(grid.cell_from(cell, [21.5, 5.0]), cell);
        assert_eq!(grid.cell_from(cell, [22.5, 5.0]), Some(GroupId(1)));
        assert_eq!(grid.cell_from(cell, [-1.0, 5.0]), None, "hysteresis does not reach outside");
    }

    #[test]
    fn areas_are_cut_at_the_edges() {
        let grid = Grid::new(80.0, 80.0, 20.0);
        let around = |center, depth| {
            let mut out = Vec::new();
            grid.around(GroupId(center), depth, &mut out);
            out.iter().map(|group| group.0).collect::<Vec<_>>()
        };
        assert_eq!(around(0, 1), [0, 1, 4, 5]);
        assert_eq!(around(5, 1), [0, 1, 2, 4, 5, 6, 8, 9, 10]);
        assert_eq!(around(15, u32::MAX).len(), 16);
        assert_eq!(around(16, 1), [] as [u32; 0]);
    }
}
