/**
 * Is the line alive, and how long is the way there and back? Pure: says when to ping, is told of pongs. As
 * `client/src/pulse.rs`.
 */

/** A ping goes out so often until so many were answered: no multiple of a tick, so that they meet all parts of one, */
const FIRST_EVERY = 1030;
const FIRST_ANSWERS = 5;
/** and so often from then on; */
const EVERY = 2030;
/** but also when a line that is lively has been silent for so long, and again after as long. */
const QUIET = 1000;
/** Lively is a line on which so many things have arrived on end, each within so long of the one before. */
const LIVELY = 10;
const BRISK = 500;
/** So many may be unanswered; the oldest beyond them are not waited for. */
const OUTSTANDING = 16;
/** The least round trip of this long counts. */
const WINDOW = 10_000;
/** A round trip longer than the least one by this is asked about again at once; two in a row are the line. */
const DOUBT = 90;
/** Part of a new round trip in the smoothed one. */
const WEIGHT = 0.25;
/** A line on which nothing has arrived for so long and two round trips is dead; */
const SILENCE = 4000;
/** a lively one for so long and three: TCP's next repetition may be longer off than a new connection takes; */
const SILENCE_LIVELY = 2000;
/** before the first answer for so long; */
const UNKNOWN = 5000;
/** in any case for so long. */
const LONGEST = 10_000;
/** One must ask so often: */
const LOOK = 1000;
/** whoever asks so long after having asked last was asleep, and what has arrived meanwhile has not been read yet. */
const ASLEEP = 1500;

/** What is known of one line. */
export class Pulse {
  #number = 0;
  /** @type {Map<number, number>} When the pings that are not answered were sent. */
  #sent = new Map();
  #next;
  /** When the last one was sent. */
  #pinged;
  /** So many things have arrived on end, each soon after the one before. */
  #brisk = 0;
  /** The silence counts from here: something arrived, or a sleeper woke. */
  #since;
  #asked;
  #excused = false;
  #answers = 0;
  #doubted = false;
  /** @type {{ at: number, trip: number }[]} */
  #trips = [];
  #smoothed = 0;

  /**
   * The pulse of a line that has just opened.
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
   * The line was opened anew: what was asked on the old one will not be answered, what was measured was another.
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

  /** When `ping` or `isDead` next has something to say. */
  get deadline() {
    return Math.min(this.#due, this.#since + this.#patience, this.#asked + LOOK);
  }

  get #isLively() {
    return this.#brisk === LIVELY;
  }

  /** When the next ping goes out. */
  get #due() {
    return this.#isLively ? Math.min(this.#next, Math.max(this.#since, this.#pinged) + QUIET) : this.#next;
  }

  /**
   * The number of a ping to send now, if one is due.
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
   * Something arrived.
   *
   * @param {number} now
   */
  heard(now) {
    this.#brisk = now - this.#since < BRISK ? Math.min(this.#brisk + 1, LIVELY) : 0;
    this.#since = now;
    this.#excused = false;
  }

  /**
   * The answer to a ping arrived, which lay at the other end for `held` ms. One that was not asked for says nothing.
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

  /** The least round trip of the line as it is now: of ten seconds, or since it became longer; 0 before the first. */
  get roundTrip() {
    return this.#trips.reduce((least, { trip }) => Math.min(least, trip), this.#trips[0]?.trip ?? 0);
  }

  /** The usual round trip of late; 0 before the first. */
  get smoothed() {
    return this.#smoothed;
  }

  /**
   * Whether nothing has arrived for so long that the line must be broken. Ask at least every second.
   *
   * @param {number} now
   */
  isDead(now) {
    if (now - this.#asked > ASLEEP && !this.#excused) {
      // What has come is read now, and an answer to a new ping is waited for; once, or a sleeper never hears.
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
