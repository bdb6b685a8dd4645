/**
 * Joins a frame that comes in pieces: see "Pieces" in PROTOCOL.md. Pure. The result is a whole frame message for the
 * replica; a frame that comes whole passes through.
 */

import { BadFrame, Cursor, readEpoch } from "./frame.js";
import { PIECE, limits } from "./protocol.js";

/** The maximum size of a frame. */
const MOST = limits.CHUNK_BYTES + limits.FRAME_BYTES;

/** The pieces of one frame so far. */
export class Pieces {
  /** @type {Uint8Array[]} */
  #parts = [];
  #bytes = 0;

  /** Whether a frame has begun and is incomplete. */
  get pending() {
    return this.#parts.length > 0;
  }

  /** Drops the pieces so far. */
  clear() {
    this.#parts = [];
    this.#bytes = 0;
  }

  /**
   * Takes a frame message and returns it, or takes the next piece of one, including its first byte. Returns the whole
   * frame with the last piece, otherwise `null`; also for a piece of an epoch below `epoch`, which is dropped.
   *
   * @param {Uint8Array} bytes
   * @param {number} epoch
   * @returns {Uint8Array | null}
   * @throws {BadFrame} if a piece does not follow the one before, if there are too many, or if a frame comes in
   *   between; the pieces so far are dropped then
   */
  take(bytes, epoch) {
    if (bytes[0] !== PIECE) {
      if (this.pending && readEpoch(bytes) >= epoch) {
        this.clear();
        throw new BadFrame("out of range");
      }
      return bytes;
    }
    const cursor = new Cursor(bytes.subarray(1));
    const of = cursor.varintU32();
    if (of < epoch) {
      return null;
    }
    const number = cursor.varintU32();
    const last = cursor.flags(1);
    const part = cursor.bytes.slice(cursor.at);
    const bad = of > epoch || number !== this.#parts.length || part.length === 0;
    if (bad || this.#bytes + part.length > MOST) {
      this.clear();
      throw new BadFrame("out of range");
    }
    this.#parts.push(part);
    this.#bytes += part.length;
    return last ? this.#join() : null;
  }

  #join() {
    const whole = new Uint8Array(this.#bytes);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    this.clear();
    return whole;
  }
}
