/**
 * When a client asks to be brought up to date in one frame. Pure: it is told of frames and their ages. As
 * `bot-client/src/jumps.rs`.
 *
 * A client that reads too slowly holds an old world although nothing is wrong with it: what it reads now left the
 * server long ago. A stalled server does not look like that, because the clock takes schedule moves into account, and
 * because frames that do not come have no age.
 */

import { limits } from "./protocol.js";

/** Frames must be too old for this long on end. */
const SPELL = 250;

/** Decides when to jump for lag, and keeps all jumps `limits.RESYNC_SPACING` apart. */
export class Jumps {
  /** @type {number | null} */
  #oldSince = null;
  /** @type {number | null} */
  #last = null;

  /**
   * A frame of this age was applied. True if it is time to jump.
   *
   * @param {number} age
   * @param {number} roundTrip
   * @param {number} now
   */
  lags(age, roundTrip, now) {
    if (age <= limits.LAG + roundTrip) {
      this.#oldSince = null;
      return false;
    }
    this.#oldSince ??= now;
    return now - this.#oldSince >= SPELL && this.earliest(now) <= now;
  }

  /**
   * When the next jump may be sent.
   *
   * @param {number} now
   */
  earliest(now) {
    return this.#last === null ? now : Math.max(now, this.#last + limits.RESYNC_SPACING);
  }

  /**
   * A jump was sent (or the like: a resume); lag counts anew.
   *
   * @param {number} now
   */
  sent(now) {
    this.#oldSince = null;
    this.#last = now;
  }
}
