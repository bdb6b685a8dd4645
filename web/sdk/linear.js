/**
 * Linear lanes: a value that moves at a constant rate, so that only changes of its line are sent. As
 * `shared/src/linear.rs`.
 *
 * A line is two codes, its value at tick 0 and its change per tick, both with 8 fractional bits and modulo 2^(bits +
 * 8).
 */

import { lowMask } from "./bits.js";

/** The number of fractional bits of a value and of a rate. */
export const FRACTION = 8;

/** The maximum number of bits of a linear lane's code. */
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
 * Converts a number below 2^(bits + 8) to a signed one of as many bits.
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
 * The term of a line in a hash.
 *
 * @param {number} origin
 * @param {number} rate
 */
export function content(origin, rate) {
  return (origin + Math.imul(rate, 0x9e3779b1)) | 0;
}
