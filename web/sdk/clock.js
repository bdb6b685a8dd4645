/**
 * What tick it is at the server, judged by when frames arrive. Pure: times are arguments, in milliseconds. As
 * `client/src/clock.rs`.
 *
 * The clock speaks of *arrivals*: "tick 90 is now" means that its frame would be arriving now on the line as it is at
 * its best. The way up to the server is the business of the lead (`lead.js`), which learns from the margins that heads
 * tell.
 */

/** How fast the estimate follows a line that becomes slower little by little, in ms per ms. */
const DRIFT = 0.0005;

/** After so long without a frame the clock stands: a stalled server computes no ticks. */
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
 * were delayed. Schedule moves (told in heads, in whole ticks) are taken out first. When all frames of a second come
 * later by the same time, the line itself has become slower (`Spell`), and their earliest is the truth from then on.
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
  /** By how many ms the estimate has become later since the lead was told so. */
  #owed = 0;
  #spell = new Spell();

  /**
   * A clock that has heard nothing yet.
   *
   * @param {number} tickHz
   * @param {number} [tick] the last that the server is known to have computed
   */
  constructor(tickHz, tick = 0) {
    /** The length of a tick. */
    this.tickMs = 1000 / Math.max(tickHz, 1);
    /** The tick of the last frame that has arrived. */
    this.newest = tick;
  }

  /**
   * The frame of a tick has arrived; `moved` is what its head says of schedule moves. Returns by how many ticks more
   * inputs must aim above the clock than before: it has learned something of the way down, and the server's own time is
   * what it was.
   *
   * @param {number} tick
   * @param {number | null} moved
   * @param {number} now
   */
  observe(tick, moved, now) {
    this.#moved = moved ?? this.#moved;
    if (now - this.#heard > PAUSE) {
      this.restart();
    }
    const sample = now - this.#due(tick);
    const zero = this.#frames === 0 ? sample : this.#zero + Math.max(now - this.#heard, 0) * DRIFT;
    this.#spell.observe(sample, zero, now);
    this.#move(this.#spell.step ?? Math.min(sample, zero));
    this.#frames = Math.min(this.#frames + 1, WARM_FRAMES);
    this.#heard = now;
    this.newest = tick;
    return this.#pay();
  }

  /** Whether frames come ever later, on end, and not by one step. */
  get grows() {
    return this.#spell.grows;
  }

  /**
   * Takes the line as it is: the frames of the last second were in time. Returns what `observe` does.
   *
   * @param {number} now
   */
  rebase(now) {
    this.#move(this.#spell.least(now) ?? this.#zero);
    this.#spell.end();
    return this.#pay();
  }

  /** Forgets what it knows of the line, for another one. */
  restart() {
    this.#frames = 0;
    this.#owed = 0;
    this.#spell = new Spell();
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
    return now - this.#heard > COAST ? "standing" : "running";
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
   * The tick whose frame should be arriving now, with its fraction: at least that of the last that did.
   *
   * @param {number} now
   */
  time(now) {
    if (this.#frames < WARM_FRAMES) {
      return this.newest;
    }
    const running = (Math.min(now, this.#heard + COAST) - this.#zero) / this.tickMs - this.#moved;
    return Math.max(running, this.newest);
  }

  /**
   * The same without its fraction: inputs that aim at it plus the lead never aim below the newest frame plus the lead.
   *
   * @param {number} now
   */
  tick(now) {
    return Math.floor(this.time(now));
  }

  /** @param {number} zero */
  #move(zero) {
    this.#owed += this.#frames === 0 ? 0 : zero - this.#zero;
    this.#zero = zero;
  }

  /** What is owed to the lead, in whole ticks. */
  #pay() {
    const ticks = Math.trunc(this.#owed / this.tickMs);
    this.#owed -= ticks * this.tickMs;
    return ticks;
  }

  /** @param {number} tick */
  #due(tick) {
    return (tick + this.#moved) * this.tickMs;
  }
}

/** Frames that come later than at best by less than this are in time. */
const STEP = 90;

/** So long all frames must come later before that is believed to be the line. */
const EVIDENCE = 1000;

/** A step of the latency is one that is there at once: what has not shown itself as one after so long grows. */
const UNDECIDED = 2000;

/** By so much the earliest frame of half a second may be later than that of the half before it, in a step; */
const EVEN = 25;

/** and so much, in ms per ms, a lag that grows so slowly can have added since it was first noticed. */
const EVEN_GROWTH = 0.05;

/** By so much or more it is later where the lag grows beyond doubt. */
const STEEP = 100;

/** Arrivals that are kept at most: two seconds of a fast server. */
const KEPT = 512;

/**
 * A spell of frames that all come late: a step of the line's latency, or a lag that grows.
 *
 * A step makes frames later once, and from then on evenly. A reader that is too slow, or a queue that fills, makes each
 * one later than the one before.
 */
class Spell {
  /** @type {{ at: number, sample: number }[]} The arrivals of the last two seconds. */
  #recent = [];
  /** @type {number | null} When the first frame of the spell arrived. */
  #since = null;
  /** The earliest of the second before. */
  #before = 0;
  /** @type {number | null} What the truth is from now on, if the last arrival has proved a step. */
  step = null;
  grows = false;

  /**
   * A frame arrived.
   *
   * @param {number} sample when tick 0 would have
   * @param {number} zero and when at best
   * @param {number} now
   */
  observe(sample, zero, now) {
    this.step = null;
    const late = sample >= zero + STEP;
    if (!late) {
      this.end();
    } else if (this.#since === null) {
      this.#since = now;
      this.#before = this.#earliest(now - EVIDENCE, now) ?? zero;
    }
    this.#recent.push({ at: now, sample });
    while (this.#recent[0].at < now - UNDECIDED || this.#recent.length > KEPT) {
      this.#recent.shift();
    }
    if (late) {
      this.#judge(now);
    }
  }

  /**
   * The earliest of the last second.
   *
   * @param {number} now
   */
  least(now) {
    return this.#earliest(now - EVIDENCE, Infinity);
  }

  /** Frames are in time again. */
  end() {
    this.#since = null;
    this.grows = false;
  }

  /** @param {number} now */
  #judge(now) {
    const lasted = now - /** @type {number} */ (this.#since);
    if (lasted < EVIDENCE || this.grows) {
      return;
    }
    const half = now - EVIDENCE / 2;
    const first = this.#earliest(now - EVIDENCE, half) ?? Infinity;
    const second = this.#earliest(half, Infinity) ?? Infinity;
    const least = Math.min(first, second);
    if (lasted >= UNDECIDED || second >= first + STEEP) {
      this.grows = true;
    } else if (second <= first + EVEN && least >= this.#before + STEP + EVEN_GROWTH * (lasted - EVIDENCE)) {
      this.step = least;
      this.end();
    }
  }

  /**
   * The earliest arrival from a time until before another.
   *
   * @param {number} from
   * @param {number} until
   * @returns {number | null}
   */
  #earliest(from, until) {
    let least = null;
    for (const { at, sample } of this.#recent) {
      if (at >= from && at < until && (least === null || sample < least)) {
        least = sample;
      }
    }
    return least;
  }
}
