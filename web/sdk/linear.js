/**
 * Linear lanes: a value that moves at a constant rate, so that only another line is told. As `shared/src/linear.rs`.
 *
 * A line is two codes, its value at tick 0 and what a tick adds, both with 8 fractional bits and modulo 2^(bits + 8).
 */

import { lowMask } from "./bits.js";

/** Bits of a value and of a rate below one step. */
export const FRACTION = 8;

/** Most bits of a code of a linear lane. */
export const MAX_BITS = 32 - FRACTION;

/**
 * A number modulo 2^(bits + 8).
 *
 * @param {number} bits
 * @param {number} number
 */
export function wrap(bits, number) {
  return (number & lowMask(bits + FRACTION)) >>> 0;
}

/**
 * A number below 2^(bits + 8) as a signed one of as many bits.
 *
 * @param {number} bits
 * @param {number} number
 */
export function signed(bits, number) {
  const shift = MAX_BITS - bits;
  return (number << shift) >> shift;
}

/**
 * The origin of a line that stands still at a code.
 *
 * @param {number} code
 */
export function still(code) {
  return ((code << FRACTION) | (1 << (FRACTION - 1))) >>> 0;
}

/**
 * The value at a tick, with its fraction.
 *
 * @param {number} bits
 * @param {number} origin
 * @param {number} rate
 * @param {number} tick
 */
export function valueAt(bits, origin, rate, tick) {
  return wrap(bits, origin + Math.imul(rate, tick));
}

/**
 * The origin of the line that has this value at a tick.
 *
 * @param {number} bits
 * @param {number} value
 * @param {number} rate
 * @param {number} tick
 */
export function originOf(bits, value, rate, tick) {
  return wrap(bits, value - Math.imul(rate, tick));
}

/**
 * What stands for a line in a hash.
 *
 * @param {number} origin
 * @param {number} rate
 */
export function content(origin, rate) {
  return (origin + Math.imul(rate, 0x9e3779b1)) | 0;
}
