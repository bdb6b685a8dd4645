/**
 * The layout of a frame: head, body, own part. As `shared/src/frame.rs`; `replica.js` applies frames.
 */

import { FRAME } from "./protocol.js";
import { codeOf } from "./protocol/code.js";

/** Flags of the head. */
export const headFlags = Object.freeze({ START: 1, INPUTS: 2, MOVED: 4, REFUSED: 8, HASH: 16, OWN: 32, ALL: 63 });

/** Flags of body and own part; `BODY` and `OWN` are all flags that each may have. */
export const partFlags = Object.freeze({
  VIEW: 1,
  BEHIND: 2,
  CHUNKS: 4,
  EVENTS: 8,
  LOST: 16,
  GROUP: 32,
  BODY: 31,
  OWN: 62,
});

/** @typedef {"truncated" | "out of range" | "trailing"} BadFrameReason */

/** Bytes that are no frame of the expected view. */
export class BadFrame extends Error {
  /** @param {BadFrameReason} reason */
  constructor(reason) {
    super(`frame ${reason}`);
    this.reason = reason;
  }
}

/**
 * The head of a frame.
 *
 * @typedef {object} Head
 * @property {number} epoch the run of frames that it belongs to
 * @property {number} tick the tick whose state it leads to
 * @property {boolean} start whether it is the first of its epoch
 * @property {{ number: number, margin: number } | null} inputs the highest number up to which all inputs are executed
 *   or refused, and how many ticks before its aim the last input arrived
 * @property {number | null} moved schedule moves in ticks since the room opened, if that has changed
 * @property {[number, import("./protocol.js").Code][]} refused inputs refused since the last frame
 * @property {[number, number] | null} hash of the view, without groups that are behind
 * @property {boolean} own whether an own part follows the body
 */

/** Reads a frame's bytes in order. */
export class Cursor {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  /** The number of bytes left. */
  get left() {
    return this.bytes.length - this.at;
  }

  /**
   * Skips bytes and returns their start.
   *
   * @param {number} count
   */
  take(count) {
    if (count > this.left) {
      throw new BadFrame("truncated");
    }
    const start = this.at;
    this.at += count;
    return start;
  }

  u8() {
    return this.bytes[this.take(1)];
  }

  /**
   * Reads a byte of flags, all of which must be known.
   *
   * @param {number} known
   */
  flags(known) {
    const flags = this.u8();
    if (flags & ~known) {
      throw new BadFrame("out of range");
    }
    return flags;
  }

  u16() {
    const at = this.take(2);
    return this.bytes[at] | (this.bytes[at + 1] << 8);
  }

  u32() {
    const { bytes } = this;
    const at = this.take(4);
    return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
  }

  /** Reads a number of up to 64 bits; inexact above 2^53. */
  varint() {
    let value = 0;
    let unit = 1;
    for (let shift = 0; shift < 64; shift += 7) {
      const byte = this.u8();
      if (shift === 63 && (byte & 0x7f) > 1) {
        throw new BadFrame("out of range");
      }
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) {
        return value;
      }
      unit *= 128;
    }
    throw new BadFrame("out of range");
  }

  varintU32() {
    const value = this.varint();
    if (value > 0xffffffff) {
      throw new BadFrame("out of range");
    }
    return value;
  }

  /** Reads a number of 16 bits: 0, -1, 1, -2 … as 0, 1, 2, 3 … */
  zigzag16() {
    const value = this.varint();
    if (value > 0xffff) {
      throw new BadFrame("out of range");
    }
    return (value >>> 1) ^ -(value & 1);
  }

  /**
   * Reads a count, then each number as its distance to the one before, less one.
   *
   * @returns {number[]}
   */
  rising() {
    const count = this.varint();
    if (count > this.left) {
      throw new BadFrame("truncated");
    }
    const items = [];
    let next = 0;
    for (let index = 0; index < count; index += 1) {
      const item = next + this.varintU32();
      // The highest number of 32 bits could have no successor.
      if (item >= 0xffffffff) {
        throw new BadFrame("out of range");
      }
      items.push(item);
      next = item + 1;
    }
    return items;
  }

  /**
   * Skips one bit for each of `count` groups, and returns their start.
   *
   * @param {number} count
   */
  bitList(count) {
    return this.take((count + 7) >>> 3);
  }

  /**
   * Whether a bit of a list is set.
   *
   * @param {number} start of the list
   * @param {number} index
   */
  bit(start, index) {
    return ((this.bytes[start + (index >>> 3)] >>> (index & 7)) & 1) === 1;
  }

  /**
   * Appends every event of a list. The bytes are copied, because an event outlives its frame.
   *
   * @param {{ number: number, bytes: Uint8Array }[]} out
   */
  events(out) {
    const count = this.varint();
    let next = 0;
    for (let index = 0; index < count; index += 1) {
      const number = next + this.varint();
      if (number > Number.MAX_SAFE_INTEGER) {
        throw new BadFrame("out of range");
      }
      next = number + 1;
      const length = this.varint();
      const start = this.take(length);
      out.push({ number, bytes: this.bytes.slice(start, start + length) });
    }
  }
}

/**
 * Reads only the epoch: frames of lower epochs are dropped undecoded.
 *
 * @param {Uint8Array} bytes
 */
export function readEpoch(bytes) {
  const cursor = new Cursor(bytes);
  if (cursor.u8() !== FRAME) {
    throw new BadFrame("out of range");
  }
  cursor.u8();
  return cursor.varintU32();
}

/**
 * Reads a head. Shortened numbers are completed by `last` (the tick of the frame before it) and `sent` (the highest
 * input number that the client has sent).
 *
 * @param {Cursor} cursor
 * @param {number} last
 * @param {number} sent
 * @returns {Head}
 */
export function readHead(cursor, last, sent) {
  if (cursor.u8() !== FRAME) {
    throw new BadFrame("out of range");
  }
  const flags = cursor.flags(headFlags.ALL);
  const start = (flags & headFlags.START) !== 0;
  const epoch = cursor.varintU32();
  const tick = start ? cursor.u32() : after(last, cursor.u16());
  let inputs = null;
  if (flags & headFlags.INPUTS) {
    const number = start ? cursor.u32() : before(sent, cursor.u16());
    inputs = { number, margin: cursor.zigzag16() };
  }
  const moved = flags & headFlags.MOVED ? cursor.varintU32() : null;
  /** @type {[number, import("./protocol.js").Code][]} */
  const refused = [];
  if (flags & headFlags.REFUSED) {
    for (let count = cursor.u8(); count > 0; count -= 1) {
      const number = before(sent, cursor.u16());
      refused.push([number, codeOf(cursor.u8())]);
    }
  }
  /** @type {[number, number] | null} */
  const hash = flags & headFlags.HASH ? [cursor.u32(), cursor.u32()] : null;
  return { epoch, tick, start, inputs, moved, refused, hash, own: (flags & headFlags.OWN) !== 0 };
}

/**
 * The smallest number above `last` with these low bits.
 *
 * @param {number} last
 * @param {number} low
 */
function after(last, low) {
  return (last + 1 + ((low - last - 1) & 0xffff)) >>> 0;
}

/**
 * The largest number up to `highest` with these low bits.
 *
 * @param {number} highest
 * @param {number} low
 */
function before(highest, low) {
  return (highest - ((highest - low) & 0xffff)) >>> 0;
}
