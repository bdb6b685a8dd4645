/**
 * The waits between attempts: exponential backoff with jitter. Pure. As `client/src/backoff.rs`.
 *
 * Waits stay short at first, when somebody sits in a tunnel and waits to play on; later they grow with the time away,
 * so that coming back never takes much longer than that.
 */

/** Waits may grow up to this from the start. */
const SHORT = 660;

/** A longer wait is at most this fraction of the time away. */
const PART = 1 / 40;

/** How a client that lost its connection tries again. */
export class Backoff {
  /**
   * @param {object} [options]
   * @param {number} [options.first] the first wait in ms, doubled with each further attempt
   * @param {number} [options.longest] the longest wait, before the jitter
   */
  constructor({ first = 200, longest = 10_000 } = {}) {
    this.first = first;
    this.longest = longest;
  }

  /**
   * Returns the wait before this attempt (the first is 1). Half more or less at random, so that a thousand clients of
   * one lost server do not come back at once.
   *
   * @param {number} attempt
   * @param {number} away the time without a connection so far, in ms
   * @param {number} random from 0 up to 1
   */
  wait(attempt, away, random) {
    const grown = Math.max(this.first, SHORT, away * PART);
    return Math.min(this.first * 2 ** (attempt - 1), grown, this.longest) * (0.5 + random);
  }
}
