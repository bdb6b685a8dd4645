/**
 * The numbers of the arena's rules that a page needs, and the one rule that it predicts by. As `games/arena/src/rules.rs`.
 */

export const SIZE = 2048;
export const CELL = 128;
export const FIGHTER_RADIUS = 16;
export const WALK_SPEED = 200;
export const MAX_HP = 100;
export const RESPAWN_TICKS = 40;
export const SHOT_SPEED = 480;
export const SHOT_TICKS = 15;
export const MAGAZINE = 12;
export const COOLDOWN_TICKS = 8;
export const RAPID_COOLDOWN_TICKS = 4;
export const PICKUP_RADIUS = 12;
export const MEDKIT = 50;

/** @typedef {{ x: number, y: number }} Place */

/**
 * Where a fighter stands after `dt` seconds. The walls stop it; it glides along them.
 *
 * @param {Place} from
 * @param {[number, number]} push a length of 127 or more is full speed
 * @param {number} dt
 * @returns {Place}
 */
export function walk(from, push, dt) {
  const [right, down] = [push[0] / 127, push[1] / 127];
  const distance = (WALK_SPEED * dt) / Math.max(Math.hypot(right, down), 1);
  const inside = (/** @type {number} */ at) => Math.min(Math.max(at, FIGHTER_RADIUS), SIZE - FIGHTER_RADIUS);
  return { x: inside(from.x + right * distance), y: inside(from.y + down * distance) };
}
