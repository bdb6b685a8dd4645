/**
 * Estimates the server's tick from the arrivals of frames. Pure: times are arguments, in milliseconds. As
 * `client/src/clock.rs`.
 *
 * The clock speaks of *arrivals*: "tick 90 is now" means that the frame of tick 90 would arrive now on the line at its
 * best. The way up to the server is left to the lead (`lead.js`), which learns from the margins in heads.
 */

/** How fast the estimate follows a line that slowly becomes slower, in ms per ms. */
const DRIFT = 0.0005;

/** After so long without a frame the clock stands: a stalled server computes no ticks. */
const COAST = 500;

/** After so long without a frame (a suspended tab, a broken line) the measurements of the line are discarded. */
const PAUSE = 2000;

/** The clock is cold until it has heard so many frames in a row. */
const WARM_FRAMES = 4;

/** @typedef {"cold" | "running" | "standing"} ClockState */

/**
 * Estimates the server's tick from the arrivals of its frames.
 *
 * Every arrival says "tick 0 arrived, or would have arrived, at this time". The earliest of these times is taken as
 * true, because later frames were delayed. Schedule moves (told in heads, in whole ticks) are taken out first. When all
 * frames of a second are late by the same time, the line itself has become slower (`Spell`), and their earliest is true
 * from then on.
 *
 * A clock that has heard few frames since its start or since a pause is *cold*: it stands at the newest frame, and
 * considers no frame old.
 */
export class Clock {
  /** When tick 0 would have arrived at best without schedule moves. */
  #zero = 0;
  #heard = 0;
  #moved = 0;
  /** The number of frames heard since it was last cold, at most `WARM_FRAMES`. */
  #frames = 0;
  /** The ms by which the estimate has become later and the lead was not yet told. */
  #owed = 0;
  #spell = new Spell();

  /**
   * A clock that has heard nothing yet.
   *
   * @param {number} tickHz
   * @param {number} [tick] the last one that the server is known to have computed
   */
  constructor(tickHz, tick = 0) {
    /** The length of a tick. */
    this.tickMs = 1000 / Math.max(tickHz, 1);
    /** The tick of the last frame that has arrived. */
    this.newest = tick;
  }

  /**
   * Takes the arrival of a tick's frame; `moved` is the schedule move in its head. Returns by how many more ticks
   * inputs must aim above the clock: it has learned something about the way down, while the server's time has not
   * changed.
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

  /** Whether frames continuously come later and later, rather than by one step. */
  get grows() {
    return this.#spell.grows;
  }

  /**
   * Accepts the line as it is: the frames of the last second were in time. Returns the same as `observe`.
   *
   * @param {number} now
   */
  rebase(now) {
    this.#move(this.#spell.least(now) ?? this.#zero);
    this.#spell.end();
    return this.#pay();
  }

  /** Discards the measurements, for another line. */
  restart() {
    this.#frames = 0;
    this.#owed = 0;
    this.#spell = new Spell();
  }

  /**
   * Whether it knows the line, and whether frames are arriving.
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
   * How much later than on the best line this tick's frame would be if it arrived now; 0 while the clock is cold.
   *
   * @param {number} tick
   * @param {number} now
   */
  age(tick, now) {
    return this.#frames < WARM_FRAMES ? 0 : Math.max(now - this.#zero - this.#due(tick), 0);
  }

  /**
   * The tick whose frame should be arriving now, with its fraction; never lower than the last frame's.
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
   * The same without its fraction. Inputs that aim at it plus the lead never aim below the newest frame plus the lead.
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

  /** Takes the whole ticks that are owed to the lead. */
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

/** Frames that are later than the best one by less than this are in time. */
const STEP = 90;

/** How long all frames must be late before the line is taken to be slower. */
const EVIDENCE = 1000;

/** A step shows at once: lateness that has not proved to be a step after this time is a growing lag. */
const UNDECIDED = 2000;

/** In a step, the earliest frame of half a second is later than that of the half before by at most this. */
const EVEN = 25;

/** The rate of a slowly growing lag, in ms per ms: a step must exceed what it can have added since it was noticed. */
const EVEN_GROWTH = 0.05;

/** If the second half is later by this or more, the lag certainly grows. */
const STEEP = 100;

/** The maximum number of arrivals that are kept: two seconds of a fast server. */
const KEPT = 512;

/**
 * A spell of late frames: it is a step of the line's latency, or a lag that grows.
 *
 * A step makes frames late once, and evenly from then on. A reader that is too slow, or a queue that fills, makes each
 * frame later than the one before.
 */
class Spell {
  /** @type {{ at: number, sample: number }[]} The arrivals of the last two seconds. */
  #recent = [];
  /** @type {number | null} When the first frame of the spell arrived. */
  #since = null;
  /** The earliest arrival of the second before it. */
  #before = 0;
  /** @type {number | null} The new best arrival, if the last one has proved a step. */
  step = null;
  grows = false;

  /**
   * Takes an arrival.
   *
   * @param {number} sample when tick 0 would have arrived by this frame
   * @param {number} zero when it would have arrived at best
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
   * The earliest arrival of the last second.
   *
   * @param {number} now
   */
  least(now) {
    return this.#earliest(now - EVIDENCE, Infinity);
  }

  /** Ends the spell: frames are in time again. */
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
   * The earliest arrival in a span of time.
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
