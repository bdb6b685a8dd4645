/**
 * When to try again: exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", 2015). Pure. As
 * `bot-client/src/backoff.rs`.
 */

/** How a client that lost its connection tries again. */
export class Backoff {
  /**
   * @param {object} [options]
   * @param {number} [options.first] the bound of the first wait in ms, doubled with each further attempt
   * @param {number} [options.longest] no wait is longer
   * @param {number} [options.attempts] so many attempts fail before the client gives up
   */
  constructor({ first = 200, longest = 10_000, attempts = 12 } = {}) {
    this.first = first;
    this.longest = longest;
    this.attempts = attempts;
  }

  /**
   * How long to wait before this attempt (the first is 1): anything between a tenth of the bound and the bound, so that
   * a thousand clients of one lost server do not come back as one. `null` when it is time to give up.
   *
   * @param {number} attempt
   * @param {number} random from 0 up to 1
   */
  wait(attempt, random) {
    if (attempt > this.attempts) {
      return null;
    }
    const bound = Math.min(this.first * 2 ** (attempt - 1), this.longest);
    return bound * (0.1 + 0.9 * random);
  }
}
