/**
 * The pulse of a line: whether it is alive, and its round trip. Pure: it says when to ping, and is told of pongs. As
 * `client/src/pulse.rs`.
 */

/** The interval of pings until this many were answered: no multiple of a tick, so that pings meet all parts of one. */
const FIRST_EVERY = 1030;
const FIRST_ANSWERS = 5;
/** The interval of pings from then on. */
const EVERY = 2030;
/** A ping also goes out when a lively line has been silent for so long, and again after the same time. */
const QUIET = 1000;
/** A line is lively if this many signs of life came in a row, each within this time of the one before. */
const LIVELY = 10;
const BRISK = 500;
/** The maximum number of unanswered pings; older ones are forgotten. */
const OUTSTANDING = 16;
/** The time over which the least round trip is taken. */
const WINDOW = 10_000;
/** A round trip that exceeds the least by this is checked by another ping at once; two in a row are the line's. */
const DOUBT = 90;
/** The weight of a new round trip in the smoothed one. */
const WEIGHT = 0.25;
/** A line is dead after a silence of this and two round trips. */
const SILENCE = 4000;
/**
 * A lively line is dead after a silence of this and three round trips: TCP's next retransmission may take longer than a
 * new connection.
 */
const SILENCE_LIVELY = 2000;
/** The silence allowed before the first answer. */
const UNKNOWN = 5000;
/** The silence allowed in any case. */
const LONGEST = 10_000;
/** The interval at which the caller must look. */
const LOOK = 1000;
/** A caller whose last look is this long ago was asleep, and has not yet read what arrived meanwhile. */
const ASLEEP = 1500;

/** The pings on a line and its measurements. */
export class Pulse {
  #number = 0;
  /** @type {Map<number, number>} The unanswered pings with their times. */
  #sent = new Map();
  #next;
  /** When the last ping was sent. */
  #pinged;
  /** The number of signs of life in a row, each soon after the one before. */
  #brisk = 0;
  /** The beginning of the silence: the last sign of life, or the waking of a sleeper. */
  #since;
  #asked;
  #excused = false;
  #answers = 0;
  #doubted = false;
  /** @type {{ at: number, trip: number }[]} */
  #trips = [];
  #smoothed = 0;

  /**
   * The pulse of a newly opened line.
   *
   * @param {number} now
   */
  constructor(now) {
    this.#next = now;
    this.#pinged = now;
    this.#since = now;
    this.#asked = now;
  }

  /**
   * Starts anew on a new line: pings of the old one will not be answered, and its measurements do not apply.
   *
   * @param {number} now
   */
  reopen(now) {
    this.#sent.clear();
    this.#next = now;
    this.#pinged = now;
    this.#asked = now;
    this.#answers = 0;
    this.#doubted = false;
    this.#trips = [];
    this.#smoothed = 0;
    this.heard(now);
    this.#brisk = 0;
  }

  /** When `ping` or `isDead` must be called next. */
  get deadline() {
    return Math.min(this.#due, this.#since + this.#patience, this.#asked + LOOK);
  }

  get #isLively() {
    return this.#brisk === LIVELY;
  }

  /** When the next ping is due. */
  get #due() {
    return this.#isLively ? Math.min(this.#next, Math.max(this.#since, this.#pinged) + QUIET) : this.#next;
  }

  /**
   * Returns the number of a ping to send now, if one is due.
   *
   * @param {number} now
   */
  ping(now) {
    if (now < this.#due) {
      return null;
    }
    this.#pinged = now;
    this.#next = now + (this.#answers < FIRST_ANSWERS ? FIRST_EVERY : EVERY);
    this.#number += 1;
    this.#sent.set(this.#number, now);
    this.#sent.delete(this.#number - OUTSTANDING);
    return this.#number;
  }

  /**
   * Notes a sign of life.
   *
   * @param {number} now
   */
  heard(now) {
    this.#brisk = now - this.#since < BRISK ? Math.min(this.#brisk + 1, LIVELY) : 0;
    this.#since = now;
    this.#excused = false;
  }

  /**
   * Takes the answer to a ping, which the other end held for `held` ms. An answer to an unknown ping is ignored.
   *
   * @param {number} number
   * @param {number} held
   * @param {number} now
   */
  pong(number, held, now) {
    const sent = this.#sent.get(number);
    if (sent === undefined) {
      return;
    }
    this.#sent.delete(number);
    this.#answers = Math.min(this.#answers + 1, FIRST_ANSWERS);
    const trip = Math.max(now - sent - held, 0);
    const least = this.roundTrip;
    const known = this.#trips.length > 0;
    this.#trips = this.#trips.filter(({ at }) => at > now - WINDOW);
    const longer = known && trip > least + DOUBT;
    const believed = longer && this.#doubted;
    if (believed) {
      this.#trips = this.#trips.slice(-1);
    } else if (longer) {
      this.#next = now;
    }
    this.#doubted = longer && !believed;
    this.#trips.push({ at: now, trip });
    const jumps = !known || believed || trip < this.#smoothed - DOUBT;
    this.#smoothed = jumps ? trip : this.#smoothed + (trip - this.#smoothed) * WEIGHT;
  }

  /** The line's present round trip: the least of ten seconds, or since it became longer; 0 before the first. */
  get roundTrip() {
    return this.#trips.reduce((least, { trip }) => Math.min(least, trip), this.#trips[0]?.trip ?? 0);
  }

  /** The smoothed round trip; 0 before the first. */
  get smoothed() {
    return this.#smoothed;
  }

  /**
   * Whether the silence is so long that the line must be dead. Call it at least every second.
   *
   * @param {number} now
   */
  isDead(now) {
    if (now - this.#asked > ASLEEP && !this.#excused) {
      // What has arrived is read now, and a new ping is given time; only once, or a sleeper would never notice.
      this.#excused = true;
      this.#since = now;
      this.#next = now;
    }
    this.#asked = now;
    return now - this.#since >= this.#patience;
  }

  get #patience() {
    if (this.#trips.length === 0) {
      return UNKNOWN;
    }
    const lively = this.#isLively ? SILENCE_LIVELY + 3 * this.#smoothed : LONGEST;
    return Math.min(lively, SILENCE + 2 * this.#smoothed, LONGEST);
  }
}
