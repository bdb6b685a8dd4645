/**
 * Learned prefix codes: a value is the codeword of its cell, then its position in the cell. As `shared/src/prefix.rs`,
 * which says more.
 */

/** The maximum length of a codeword in bits. */
export const MAX_LENGTH = 12;

/** The maximum number of cells of a code. */
export const MAX_CELLS = 256;

const DIGITS = "0123456789abcdefghijklmnopqrstuvw";

/** Why a text is no code. */
export class BadPrefix extends Error {
  /** @param {"cells" | "incomplete" | "oversubscribed" | "range"} reason */
  constructor(reason) {
    super(`no learned coding: ${reason}`);
    this.reason = reason;
  }
}

/** A code, to be read by `BitReader.readPrefix`. */
export class Prefix {
  /**
   * Parses a code for values of `width` bits (at most 32).
   *
   * @param {string} text
   * @param {number} width
   * @throws {BadPrefix}
   */
  constructor(text, width) {
    check(text, width);
    const count = text.length / 2;
    const lengths = Uint8Array.from({ length: count }, (_, cell) => DIGITS.indexOf(text[2 * cell]));
    /** The number of raw bits of each cell. */
    this.raws = Uint8Array.from({ length: count }, (_, cell) => DIGITS.indexOf(text[2 * cell + 1]));
    /** The first value of each cell. */
    this.starts = new Uint32Array(count);
    for (let cell = 1; cell < count; cell += 1) {
      this.starts[cell] = this.starts[cell - 1] + 2 ** this.raws[cell - 1];
    }
    /** The length of the longest codeword in bits. */
    this.longest = Math.max(...lengths);
    /** For each value of that many next bits: the cell whose codeword they begin with, and its length above 8 bits. */
    this.lookup = new Uint16Array(2 ** this.longest);
    let next = 0;
    for (let length = 0; length <= this.longest; length += 1) {
      for (let cell = 0; cell < count; cell += 1) {
        if (lengths[cell] === length) {
          this.#put(reversed(next, this.longest), cell, length);
          next += 2 ** (this.longest - length);
        }
      }
    }
  }

  /**
   * @param {number} codeword its first bit lowest
   * @param {number} cell
   * @param {number} length
   */
  #put(codeword, cell, length) {
    for (let bits = codeword; bits < this.lookup.length; bits += 2 ** length) {
      this.lookup[bits] = (length << 8) | cell;
    }
  }
}

/**
 * @param {string} text
 * @param {number} width
 */
function check(text, width) {
  if (typeof text !== "string" || text.length === 0 || text.length % 2 === 1 || text.length > 2 * MAX_CELLS) {
    throw new BadPrefix("cells");
  }
  let [values, codewords] = [0, 0];
  for (let at = 0; at < text.length; at += 2) {
    const [length, raw] = [DIGITS.indexOf(text[at]), DIGITS.indexOf(text[at + 1])];
    if (length < 0 || length > MAX_LENGTH || raw < 0) {
      throw new BadPrefix("cells");
    }
    values += 2 ** raw;
    codewords += 2 ** (MAX_LENGTH - length);
  }
  if (codewords !== 2 ** MAX_LENGTH) {
    throw new BadPrefix(codewords < 2 ** MAX_LENGTH ? "incomplete" : "oversubscribed");
  }
  if (values !== 2 ** width) {
    throw new BadPrefix("range");
  }
}

/**
 * The low bits of a number in reverse order.
 *
 * @param {number} number
 * @param {number} bits
 */
function reversed(number, bits) {
  let result = 0;
  for (let bit = 0; bit < bits; bit += 1) {
    result = (result << 1) | ((number >>> bit) & 1);
  }
  return result;
}
