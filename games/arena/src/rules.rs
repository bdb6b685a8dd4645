//! The rules as numbers and pure functions: no world, no players. Lengths are in units of the field, times in ticks.
//!
//! Additions, multiplications, divisions, remainders and square roots of floats give the same bits on every platform.
//! Sines and their like do not; those come from [`libm`].

use std::f32::consts::TAU;

use tiltyard_shared::game::{Rng, Tick};

/// Ticks a second.
pub const TICK_HZ: u32 = 20;

/// Side of the field, which reaches from (0, 0), top left, to (`SIZE`, `SIZE`).
pub const SIZE: f32 = 2048.0;
/// Side of a cell of the interest grid.
pub const CELL: f32 = 128.0;

/// Half the width of a fighter.
pub const FIGHTER_RADIUS: f32 = 16.0;
/// Units that a fighter walks in a second.
pub const WALK_SPEED: f32 = 200.0;
/// Health of an unhurt fighter.
pub const MAX_HP: u8 = 100;
/// Time from death to the return.
pub const RESPAWN_TICKS: u32 = 40;
/// Time of protection after a return. It ends early with the first shot.
pub const PROTECTION_TICKS: u32 = 40;

/// Half the width of a shot.
pub const SHOT_RADIUS: f32 = 4.0;
/// Units that a shot flies in a second.
pub const SHOT_SPEED: f32 = 480.0;
/// The time that a shot flies: 360 units, which is less than its owner sees at the default view depth.
pub const SHOT_TICKS: u32 = 15;
/// Health that a hit costs.
pub const DAMAGE: u8 = 20;

/// Time from one shot to the next.
pub const COOLDOWN_TICKS: u32 = 8;
/// The same with rapid fire.
pub const RAPID_COOLDOWN_TICKS: u32 = 4;
/// How long rapid fire lasts.
pub const RAPID_TICKS: u32 = 200;
/// Most rounds that a fighter carries.
pub const MAGAZINE: u8 = 12;
/// Time until another round is loaded.
pub const RELOAD_TICKS: u32 = 12;

/// Half the width of a pickup.
pub const PICKUP_RADIUS: f32 = 12.0;
/// Health that a medkit gives.
pub const MEDKIT: u8 = 50;
/// Time between two new pickups while some are missing.
pub const RESTOCK_TICKS: u32 = 4;

/// Most bytes of a name above a fighter.
pub const NAME_BYTES: usize = 24;

/// A place, or the way from one place to another: to the right, and down.
pub type Point = [f32; 2];

/// The position of a fighter after a tick of `dt` seconds. The walls stop it; it glides along them.
///
/// `walk` is a direction whose length says how fast: 127 and above is full speed, also for diagonals.
pub fn walk([x, y]: Point, walk: [i8; 2], dt: f32) -> Point {
    let [right, down] = walk.map(|part| f32::from(part) / 127.0);
    let distance = WALK_SPEED * dt / (right * right + down * down).sqrt().max(1.0);
    let inside = |at: f32| at.clamp(FIGHTER_RADIUS, SIZE - FIGHTER_RADIUS);
    [inside(x + right * distance), inside(y + down * distance)]
}

/// The angle that a fighter aims at: the one wanted, without whole turns; the one before if that is not finite.
pub fn turn(before: f32, wanted: f32) -> f32 {
    if wanted.is_finite() { wanted.rem_euclid(TAU) } else { before }
}

/// The velocity of a shot, in units a second: angle 0 is to the right, a quarter turn is down.
pub fn shot_velocity(aim: f32) -> Point {
    [libm::cosf(aim) * SHOT_SPEED, libm::sinf(aim) * SHOT_SPEED]
}

/// The position of something with this velocity after `dt` seconds.
pub fn fly([x, y]: Point, [right, down]: Point, dt: f32) -> Point {
    [x + right * dt, y + down * dt]
}

/// Whether a point is on the field.
pub fn is_on_field(at: Point) -> bool {
    at.iter().all(|part| (0.0..=SIZE).contains(part))
}

/// The part of the way from `from` to `to`, 0 to 1, at which it is nearest to `target`; `None` if that is farther away
/// than `reach`.
pub fn passes(from: Point, to: Point, target: Point, reach: f32) -> Option<f32> {
    let (way, off) = (sub(to, from), sub(target, from));
    let length_squared = dot(way, way);
    let part = if length_squared > 0.0 { (dot(off, way) / length_squared).clamp(0.0, 1.0) } else { 0.0 };
    let nearest = [from[0] + way[0] * part, from[1] + way[1] * part];
    (distance_squared(nearest, target) <= reach * reach).then_some(part)
}

/// The square of the distance of two points.
pub fn distance_squared(a: Point, b: Point) -> f32 {
    let way = sub(b, a);
    dot(way, way)
}

/// The time `ticks` after `tick`.
pub fn after(tick: Tick, ticks: u32) -> Tick {
    Tick(tick.0.saturating_add(ticks))
}

/// A random place on the field where a fighter may stand.
pub fn random_place(rng: &mut Rng) -> Point {
    [(); 2].map(|()| rng.between(FIGHTER_RADIUS, SIZE - FIGHTER_RADIUS))
}

/// As much of a name as fits above a fighter, in whole characters.
pub fn cut_name(name: &str) -> String {
    let fits = |(start, c): &(usize, char)| start + c.len_utf8() <= NAME_BYTES;
    name.char_indices().take_while(fits).map(|(_, c)| c).collect()
}

fn sub(a: Point, b: Point) -> Point {
    [a[0] - b[0], a[1] - b[1]]
}

fn dot(a: Point, b: Point) -> f32 {
    a[0] * b[0] + a[1] * b[1]
}

#[cfg(test)]
mod tests {
    use super::*;

    const DT: f32 = 0.05;

    #[test]
    fn diagonals_are_no_faster_and_half_a_push_is_half_as_fast() {
        let walked = |push| distance_squared([500.0; 2], walk([500.0; 2], push, DT)).sqrt();
        assert_eq!(walked([0, 0]), 0.0);
        for push in [[127, 0], [0, -127], [127, 127], [-128, -128], [i8::MIN, i8::MAX]] {
            assert!((walked(push) - 10.0).abs() < 1e-3, "{push:?}");
        }
        assert!((walked([64, 0]) - 5.0).abs() < 0.1);
    }

    #[test]
    fn walls_stop_a_fighter_and_let_it_glide() {
        assert_eq!(walk([20.0, 500.0], [-127, 0], DT), [FIGHTER_RADIUS, 500.0]);
        let [x, y] = walk([SIZE - FIGHTER_RADIUS, 500.0], [127, 127], DT);
        assert!(x == SIZE - FIGHTER_RADIUS && y > 505.0);
    }

    #[test]
    fn an_aim_that_is_no_number_changes_nothing() {
        for hostile in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(turn(1.5, hostile), 1.5);
        }
        for wanted in [-1.0, 7.0, f32::MAX, f32::MIN, -1e-30] {
            assert!((0.0..=TAU).contains(&turn(0.0, wanted)), "{wanted}");
        }
    }

    #[test]
    fn a_shot_hits_what_it_flies_through_and_not_what_is_behind_it() {
        let (from, to) = ([100.0, 100.0], [124.0, 100.0]);
        assert_eq!(passes(from, to, [112.0, 110.0], 20.0), Some(0.5));
        assert_eq!(passes(from, to, [140.0, 100.0], 20.0), Some(1.0));
        assert_eq!(passes(from, to, [112.0, 121.0], 20.0), None);
        assert_eq!(passes(from, to, [70.0, 100.0], 20.0), None);
        assert_eq!(passes(from, from, [110.0, 100.0], 20.0), Some(0.0), "a way of no length is a point");
    }

    #[test]
    fn names_are_cut_between_characters() {
        assert_eq!(cut_name("Ada"), "Ada");
        assert_eq!(cut_name(&"x".repeat(40)).len(), NAME_BYTES);
        assert_eq!(cut_name(&"漢".repeat(9)), "漢".repeat(8));
        assert_eq!(cut_name(&format!("{}é", "x".repeat(23))), "x".repeat(23));
    }
}
