/**
 * How many ticks ahead of the clock inputs aim. Pure. As `client/src/lead.rs`.
 */

/** The lead starts here: on a local line it is never less. */
const FIRST_LEAD = 2;
/** More lead than so many seconds no line needs; beyond it inputs are late. */
const MOST_SECONDS = 3;
/** The lead is lowered when for this long every input came earlier than needed. */
const CALM = 5000;
/** An input that arrives at least so many ticks early could have aimed lower. */
const AMPLE = 2;

/** Raised at once when an input comes late; lowered after a calm spell, by half of what all inputs had to spare. */
export class Lead {
  /** Margins of inputs up to this number were told by an older lead. */
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
   * A head told how early input `number` came; `sent` is the highest number sent so far.
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
   * The line was gone: inputs up to this number waited for it, and how late they come says nothing of the next ones.
   *
   * @param {number} number
   */
  resumed(number) {
    this.#heedsAfter = Math.max(this.#heedsAfter, number);
  }

  /**
   * The clock was set back (or forth, if negative) by so many ticks, because it has learned of the way down; inputs go
   * on to aim where they did.
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
