/**
 * Is the line alive, and how long is the way there and back? Pure. As `bot-client/src/pulse.rs`, but a page can send no
 * pings: it learns the round trip from its hello and from its inputs, and that a line is dead from silence, because a
 * server that has nothing to say still says so four times a second.
 */

/** A line on which nothing has arrived for so long is dead. */
const DEAD_AFTER = 5000;
/** The least round trip of this long counts (and of at most as long before it). */
const WINDOW = 15_000;
/** No round trip counts as longer. */
const LONGEST = 1000;
/** Whoever asks so long after having asked last was asleep: what has arrived meanwhile has not been read yet. */
const ASLEEP = 2000;

/** What is known of one line. */
export class Pulse {
  #heard;
  #asked;
  #windowStart;
  #thisWindow = Infinity;
  #lastWindow = Infinity;

  /** @param {number} now */
  constructor(now) {
    this.#heard = now;
    this.#asked = now;
    this.#windowStart = now;
  }

  /**
   * The line was opened anew, or something arrived.
   *
   * @param {number} now
   */
  heard(now) {
    this.#heard = now;
  }

  /**
   * Something was answered. `trip` is no less than the round trip; the least of many comes near to it.
   *
   * @param {number} trip
   * @param {number} now
   */
  answered(trip, now) {
    if (now - this.#windowStart >= WINDOW) {
      this.#windowStart = now;
      this.#lastWindow = this.#thisWindow;
      this.#thisWindow = Infinity;
    }
    this.#thisWindow = Math.min(this.#thisWindow, Math.max(trip, 0), LONGEST);
  }

  /** The least round trip of the last 15 to 30 s, at most 1 s; 0 before the first. */
  get roundTrip() {
    const least = Math.min(this.#thisWindow, this.#lastWindow);
    return Number.isFinite(least) ? least : 0;
  }

  /**
   * Whether nothing has arrived for so long that the line must be broken. Ask at least once a second.
   *
   * @param {number} now
   */
  isDead(now) {
    if (now - this.#asked > ASLEEP) {
      this.#heard = now;
    }
    this.#asked = now;
    return now - this.#heard >= DEAD_AFTER;
  }
}
