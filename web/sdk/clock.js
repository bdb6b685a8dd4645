/**
 * What tick it is at the server, judged by when frames arrive; and how far ahead of it inputs must aim. Pure: times are
 * arguments, in milliseconds. As `bot-client/src/clock.rs`.
 *
 * The clock speaks of *arrivals*: "tick 90 is now" means that its frame would be arriving now on the best line seen so
 * far. The way up to the server is the lead's business, which learns from the margins that heads tell.
 */

/** How fast the estimate follows a line that has become slower, in ms per ms. A faster line counts at once. */
const DRIFT = 0.0005;

/** Beyond the newest frame the clock runs on for this long and then stands: a stalled server computes no ticks. */
const COAST = 500;

/** After so long without a frame (a suspended tab, a broken line) what was known of the line counts no more. */
const PAUSE = 2000;

/** The clock is cold until it has heard so many frames in a row. */
const WARM_FRAMES = 4;

/** @typedef {"cold" | "running" | "standing"} ClockState */

/**
 * Estimates the server's tick from the arrivals of its frames.
 *
 * Every arrival says "tick 0 arrived, or would have, at so-and-so"; the earliest of these is the truth, the later ones
 * were delayed. Schedule moves (told in heads, in whole ticks) are taken out first.
 *
 * A clock that has heard few frames since its start or since a pause is *cold*: it does not run by itself, but stands
 * at the newest frame, and calls no frame old.
 */
export class Clock {
  /** When tick 0 arrived at best, had the schedule never been moved. */
  #zero = 0;
  #heard = 0;
  #moved = 0;
  /** How many frames it has heard since it was cold for the last time, at most `WARM_FRAMES`. */
  #frames = 0;

  /**
   * A clock that has heard nothing yet.
   *
   * @param {number} tickHz
   * @param {number} [tick] the last that the server is known to have computed
   */
  constructor(tickHz, tick = 0) {
    /** The length of a tick. */
    this.tickMs = 1000 / Math.max(tickHz, 1);
    /** The newest tick of which a frame has arrived. */
    this.newest = tick;
  }

  /**
   * The frame of a tick has arrived; `moved` is what its head says of schedule moves.
   *
   * @param {number} tick
   * @param {number | null} moved
   * @param {number} now
   */
  observe(tick, moved, now) {
    this.#moved = moved ?? this.#moved;
    if (now - this.#heard > PAUSE) {
      this.#frames = 0;
    }
    const sample = now - this.#due(tick);
    const slack = Math.max(now - this.#heard, 0) * DRIFT;
    this.#zero = this.#frames === 0 ? sample : Math.min(sample, this.#zero + slack);
    this.#frames = Math.min(this.#frames + 1, WARM_FRAMES);
    this.#heard = now;
    this.newest = Math.max(this.newest, tick);
  }

  /**
   * Whether it knows the line, and whether frames keep coming.
   *
   * @param {number} now
   * @returns {ClockState}
   */
  state(now) {
    if (this.#frames < WARM_FRAMES) {
      return "cold";
    }
    return this.#running(now) > this.newest + COAST / this.tickMs ? "standing" : "running";
  }

  /**
   * How much later than on the best line this tick's frame would be, were it arriving now; 0 while the clock is cold.
   *
   * @param {number} tick
   * @param {number} now
   */
  age(tick, now) {
    return this.#frames < WARM_FRAMES ? 0 : Math.max(now - this.#zero - this.#due(tick), 0);
  }

  /**
   * The tick whose frame should be arriving now, with its fraction: at least the newest that did, and not far beyond
   * it.
   *
   * @param {number} now
   */
  time(now) {
    if (this.#frames < WARM_FRAMES) {
      return this.newest;
    }
    return Math.min(Math.max(this.#running(now), this.newest), this.newest + COAST / this.tickMs);
  }

  /**
   * The same without its fraction: inputs that aim at it plus the lead never aim below the newest frame plus the lead.
   *
   * @param {number} now
   */
  tick(now) {
    return Math.floor(this.time(now));
  }

  /** @param {number} now */
  #running(now) {
    return (now - this.#zero) / this.tickMs - this.#moved;
  }

  /** @param {number} tick */
  #due(tick) {
    return (tick + this.#moved) * this.tickMs;
  }
}

/** The lead starts here: on a local line it is never less. */
const FIRST_LEAD = 2;
/** More lead than this no line needs; beyond it inputs are late. */
const MOST_LEAD = 40;
/** The lead is lowered when for this long every input came earlier than needed. */
const CALM = 5000;
/** An input that arrives at least so many ticks early could have aimed lower. */
const AMPLE = 2;

/**
 * How many ticks ahead of the clock inputs aim: raised at once when one comes late, lowered by one after a calm spell.
 */
export class Lead {
  /** Margins of inputs up to this number were told by an older lead. */
  #heedsAfter = 0;
  #least = Infinity;
  #since;

  /** @param {number} now */
  constructor(now) {
    this.ticks = FIRST_LEAD;
    this.#since = now;
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
      const ample = this.#least >= AMPLE;
      this.#change(this.ticks - (ample ? 1 : 0), ample ? sent : this.#heedsAfter, now);
    }
  }

  /**
   * @param {number} ticks
   * @param {number} heedsAfter
   * @param {number} now
   */
  #change(ticks, heedsAfter, now) {
    this.ticks = Math.min(Math.max(ticks, 1), MOST_LEAD);
    this.#heedsAfter = heedsAfter;
    this.#least = Infinity;
    this.#since = now;
  }
}
