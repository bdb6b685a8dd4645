/**
 * The encoded change of one group: the numbers that encoder and decoder share. As `shared/src/chunk.rs`, which has the
 * layout; `replica/table.js` decodes.
 */

export const CHANGED_ORDER = 1;
export const DEPARTED_ORDER = 0;
export const DEPARTED_GAP_ORDER = 2;
export const ARRIVED_ORDER = 0;
export const MEMBERS_ORDER = 4;
export const BLOB_ORDER = 4;
export const ORDER_BITS = 4;
export const GENERATION_ORDER = 4;
export const ERROR_ORDER = 3;
export const SOURCES_ORDER = 0;
export const FROM_ORDER = 3;

/**
 * The new code of a lane from its old one and the coded difference: zigzagged, wrapping, less one.
 *
 * @param {number} bits of the lane
 * @param {number} old
 * @param {number} coded
 */
export function undoDifference(bits, old, coded) {
  const code = (old + undoZigzag(coded + 1)) | 0;
  return bits >= 32 ? code >>> 0 : code & ((1 << bits) - 1);
}

/**
 * 0, -1, 1, -2, … from 0, 1, 2, 3, ….
 *
 * @param {number} zigzag
 */
export function undoZigzag(zigzag) {
  return (zigzag >>> 1) ^ -(zigzag & 1);
}
