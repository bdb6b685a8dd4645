/**
 * When to try again: exponential backoff with jitter. Pure. As `client/src/backoff.rs`.
 *
 * Waits stay short in the beginning, when somebody sits in a tunnel and waits to play on; later they grow with the time
 * that one was away, so that coming back never takes much longer than that.
 */

/** Waits grow up to this at once. */
const SHORT = 660;

/** A wait is at most this part of the time away, once that is more. */
const PART = 1 / 40;

/** How a client that lost its connection tries again. */
export class Backoff {
  /**
   * @param {object} [options]
   * @param {number} [options.first] the first wait in ms, doubled with each further attempt
   * @param {number} [options.longest] no wait is longer, but for the jitter
   */
  constructor({ first = 200, longest = 10_000 } = {}) {
    this.first = first;
    this.longest = longest;
  }

  /**
   * How long to wait before this attempt (the first is 1): half more or less at random, so that a thousand clients of
   * one lost server do not come back as one.
   *
   * @param {number} attempt
   * @param {number} away for how long there was no connection by now, in ms
   * @param {number} random from 0 up to 1
   */
  wait(attempt, away, random) {
    const grown = Math.max(this.first, SHORT, away * PART);
    return Math.min(this.first * 2 ** (attempt - 1), grown, this.longest) * (0.5 + random);
  }
}
