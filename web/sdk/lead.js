/**
 * The lead: how many ticks ahead of the clock inputs aim. Pure. As `client/src/lead.rs`.
 */

/** The initial lead. On a local line it never becomes less. */
const FIRST_LEAD = 2;
/** The maximum lead in seconds. No line needs more; beyond it inputs are late. */
const MOST_SECONDS = 3;
/** The lead is lowered after this time in which every input came earlier than needed. */
const CALM = 5000;
/** An input that arrives at least this many ticks early could have aimed lower. */
const AMPLE = 2;

/** It is raised at once when an input is late, and lowered after a calm spell, by half of the least spare time. */
export class Lead {
  /** Margins of inputs up to this number belong to an older lead and are ignored. */
  #heedsAfter = 0;
  #least = Infinity;
  #since;
  #most;

  /**
   * The lead of a client that has sent nothing yet.
   *
   * @param {number} tickHz
   * @param {number} now
   */
  constructor(tickHz, now) {
    this.ticks = FIRST_LEAD;
    this.#since = now;
    this.#most = MOST_SECONDS * Math.max(tickHz, 1);
  }

  /**
   * Takes the margin by which input `number` was early; `sent` is the highest number sent so far.
   *
   * @param {number} margin
   * @param {number} number
   * @param {number} sent
   * @param {number} now
   */
  observe(margin, number, sent, now) {
    if (number <= this.#heedsAfter) {
      return;
    }
    this.#least = Math.min(this.#least, margin);
    if (margin < 0) {
      this.#change(this.ticks - margin, sent, now);
    } else if (now - this.#since >= CALM) {
      const spare = this.#least >= AMPLE ? Math.max(Math.floor((this.#least - 1) / 2), 1) : 0;
      this.#change(this.ticks - spare, spare > 0 ? sent : this.#heedsAfter, now);
    }
  }

  /**
   * Ignores the margins of inputs up to this number: they waited for a line, so their lateness says nothing about later
   * ones.
   *
   * @param {number} number
   */
  resumed(number) {
    this.#heedsAfter = Math.max(this.#heedsAfter, number);
  }

  /**
   * Compensates for a clock that was set back (or forth, if negative) by so many ticks after learning about the way
   * down: inputs keep their aim.
   *
   * @param {number} ticks
   */
  shift(ticks) {
    if (ticks !== 0) {
      const least = Math.min(this.ticks, FIRST_LEAD);
      this.ticks = Math.min(Math.max(this.ticks + ticks, least), this.#most);
    }
  }

  /**
   * @param {number} ticks
   * @param {number} heedsAfter
   * @param {number} now
   */
  #change(ticks, heedsAfter, now) {
    this.ticks = Math.min(Math.max(ticks, 1), this.#most);
    this.#heedsAfter = heedsAfter;
    this.#least = Infinity;
    this.#since = now;
  }
}
