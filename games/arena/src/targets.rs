//! Finds the players near a point, among a thousand and more, without looking at all of them.

use tiltyard_shared::game::PlayerId;

use crate::rules::{Point, SIZE};

/// Side of a square: a few times a fighter's width, so that a shot looks into four of them or so.
const SQUARE: f32 = 64.0;
const COLUMNS: u32 = (SIZE / SQUARE) as u32;

/// Players and their positions, sorted by squares row by row, so that neighbours in a row are one slice.
#[derive(Clone, Debug, Default)]
pub(crate) struct Targets(Vec<Target>);

/// A player who can be hit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Target {
    square: u32,
    pub(crate) player: PlayerId,
    pub(crate) at: Point,
}

impl Targets {
    /// Replaces all targets.
    pub(crate) fn replace(&mut self, targets: impl Iterator<Item = (PlayerId, Point)>) {
        self.0.clear();
        self.0.extend(targets.map(|(player, at)| Target { square: square(line(at[1]), line(at[0])), player, at }));
        self.0.sort_unstable_by_key(|target| (target.square, target.player));
    }

    /// All players at most `reach` away to each side of a point, and some a little farther away.
    pub(crate) fn near(&self, [x, y]: Point, reach: f32) -> impl Iterator<Item = &Target> {
        let (left, right) = (line(x - reach), line(x + reach));
        (line(y - reach)..=line(y + reach)).flat_map(move |row| self.between(square(row, left), square(row, right)))
    }

    fn between(&self, first: u32, last: u32) -> &[Target] {
        let start = self.0.partition_point(|target| target.square < first);
        let len = self.0[start..].partition_point(|target| target.square <= last);
        &self.0[start..start + len]
    }
}

fn square(row: u32, column: u32) -> u32 {
    row * COLUMNS + column
}

/// The row or column of a coordinate; the first or last for one outside (`as` turns negative numbers to 0).
fn line(part: f32) -> u32 {
    ((part / SQUARE) as u32).min(COLUMNS - 1)
}

#[cfg(test)]
mod tests {
    use tiltyard_shared::game::Rng;

    use super::*;

    #[test]
    fn nobody_within_reach_is_missed() {
        let mut rng = Rng::new(7);
        let all: Vec<_> = (0..2_000).map(|n| (PlayerId(n), [rng.unit() * SIZE, rng.unit() * SIZE])).collect();
        let mut targets = Targets::default();
        targets.replace(all.iter().copied());
        for _ in 0..500 {
            let from = [(); 2].map(|()| rng.between(-50.0, SIZE + 50.0));
            let reach = rng.between(0.0, 200.0);
            let found: Vec<PlayerId> = targets.near(from, reach).map(|target| target.player).collect();
            let close = |at: Point| (0..2).all(|axis| (at[axis] - from[axis]).abs() <= reach);
            assert!(all.iter().filter(|(_, at)| close(*at)).all(|(player, _)| found.contains(player)));
            assert!(found.len() < 400, "a query looks at a part of the field");
        }
    }
}
