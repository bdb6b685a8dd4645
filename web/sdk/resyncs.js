/**
 * Decides when a client asks to be brought up to date in one frame. Pure: it is told of frames and their ages. As
 * `client/src/resyncs.rs`.
 *
 * A client that reads too slowly shows an old world although nothing is wrong with it: the frames it reads left the
 * server long ago, and their age grows. A stalled server does not look like that, because the clock takes schedule
 * moves into account, and frames that do not come have no age. Nor does a line that has become slower: its lag grows
 * once, and the clock accepts it. A line that takes less than it is given is noticed by the server, which then sends
 * less, without a gap: it gets the time for that. If a resync does not help, or costs more time without frames than it
 * gains because the line is full of data under way, the line is the cause, and the clock has to accept that too.
 */

import { limits } from "./protocol.js";

/** How long frames must be too old before a resync. */
const PATIENCE = 15_000;

/** How long frames after a resync are observed before it is judged. */
const TRIAL = 1000;

/** How long no resync for lag is tried after one that did not help. */
const HOPELESS = 60_000;

/** @typedef {"none" | "resync" | "rebase"} Remedy the remedy for the lag of frames */

/** Decides when to resync for lag, and keeps all resyncs `limits.RESYNC_SPACING` apart. */
export class Resyncs {
  /** @type {number | null} */
  #last = null;
  /** @type {number | null} Since when frames have been too old. */
  #lateSince = null;
  /** Whether the last resync was for lag and no frame has been in time since. */
  #tries = false;
  /** The lag before it. */
  #lag = 0;
  /** @type {number | null} When the first frame after that resync came. */
  #triedSince = null;
  /** Whether the server sends fewer frames than it could: it has noticed the line's limit. */
  #paced = false;
  /** No resync for lag before this time. */
  #hopelessUntil = -Infinity;

  /**
   * Judges an applied frame of this age; `grows` says whether the clock sees frames come later and later.
   *
   * @param {number} age
   * @param {boolean} grows
   * @param {number} now
   * @returns {Remedy}
   */
  judge(age, grows, now) {
    if (this.#costsMore(now)) {
      const remedy = this.#giveUp(now);
      return age > limits.LAG ? remedy : "none";
    }
    if (age <= limits.LAG) {
      this.#tries = false;
      this.#lateSince = null;
      return "none";
    }
    this.#lateSince ??= now;
    if (this.#tries) {
      this.#triedSince ??= now;
      return now - this.#triedSince >= TRIAL ? this.#giveUp(now) : "none";
    }
    if (!grows) {
      return "none";
    }
    if (this.#paced || now < this.#hopelessUntil) {
      return "rebase";
    }
    if (now - this.#lateSince < PATIENCE || this.earliest(now) > now) {
      return "none";
    }
    this.#lag = age;
    return "resync";
  }

  /**
   * Sets the pace: the server sends a frame at every so many-th send tick from now on.
   *
   * @param {number} every
   */
  pace(every) {
    this.#paced = every > 1;
  }

  /**
   * The earliest time of the next resync.
   *
   * @param {number} now
   */
  earliest(now) {
    return this.#last === null ? now : Math.max(now, this.#last + limits.RESYNC_SPACING);
  }

  /**
   * Notes that a resync (or a resume) was sent.
   *
   * @param {boolean} forLag
   * @param {number} now
   */
  sent(forLag, now) {
    this.#last = now;
    this.#tries = forLag;
    this.#triedSince = null;
  }

  /**
   * Whether this is the first frame after a resync for lag, and took at least as long as the lag was.
   *
   * @param {number} now
   */
  #costsMore(now) {
    return this.#tries && this.#triedSince === null && now - (this.#last ?? now) >= this.#lag;
  }

  /**
   * @param {number} now
   * @returns {Remedy}
   */
  #giveUp(now) {
    this.#tries = false;
    this.#hopelessUntil = now + HOPELESS;
    return "rebase";
  }
}
