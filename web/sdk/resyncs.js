/**
 * When a client asks to be brought up to date in one frame. Pure: it is told of frames and their ages. As
 * `client/src/resyncs.rs`.
 *
 * A client that reads too slowly holds an old world although nothing is wrong with it: what it reads now left the
 * server long ago, and ever longer. A stalled server does not look like that, because the clock takes schedule moves
 * into account, and because frames that do not come have no age. A line that has become slower does not either: its
 * lag grows once, and the clock takes it as it is. One that takes less than it is given is the server's to notice,
 * which then gives it less without a gap: it has its time for that. Where a resync does not help, or costs more time
 * without a frame than it makes up for because what is under way fills the line, the line is to blame, and the clock
 * has to take that as it is, too.
 */

import { limits } from "./protocol.js";

/** Frames are too old for so long before a resync. */
const PATIENCE = 15_000;

/** What comes after a resync is looked at for so long before it is judged. */
const TRIAL = 1000;

/** After a resync that did not help none is tried for lag for so long. */
const HOPELESS = 60_000;

/** @typedef {"none" | "resync" | "rebase"} Remedy what to do about the lag of frames */

/** Decides when to resync for lag, and keeps all resyncs `limits.RESYNC_SPACING` apart. */
export class Resyncs {
  /** @type {number | null} */
  #last = null;
  /** @type {number | null} Since when frames are too old. */
  #lateSince = null;
  /** Whether the last resync was for lag and no frame has been in time since. */
  #tries = false;
  /** What the lag was before it. */
  #lag = 0;
  /** @type {number | null} When the first frame behind that resync came. */
  #triedSince = null;
  /** Whether the server sends less than it could: it has noticed. */
  #paced = false;
  /** No resync for lag before this time. */
  #hopelessUntil = -Infinity;

  /**
   * A frame of this age was applied; `grows` is whether the clock sees frames come ever later.
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
   * The server sends a frame at every so many-th send tick from now on.
   *
   * @param {number} every
   */
  pace(every) {
    this.#paced = every > 1;
  }

  /**
   * When the next resync may be sent.
   *
   * @param {number} now
   */
  earliest(now) {
    return this.#last === null ? now : Math.max(now, this.#last + limits.RESYNC_SPACING);
  }

  /**
   * A resync was sent (or the like: a resume).
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
   * Whether this is the first frame behind a resync for lag, and it took longer to come than the lag was.
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
