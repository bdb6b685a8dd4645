/**
 * The timing of attempts: when to try again, how long an attempt may hang, and when to give up. Pure. As
 * `client/src/connection/attempts.rs`.
 */

/** How long an attempt may hang on a line of which nothing is known. */
const CONNECT = 5000;
/** How long, or for how many round trips if that is longer, an attempt may hang on a line that was good. */
const QUICK = 1000;
const TRIPS = 5;
/** That time is extended after every so many attempts that hung: the line may have become slower. */
const HUNG = 12;
/** A connection that has lived for so long was good: failures before it are forgotten. */
const ALIVE = 5000;

export class Attempts {
  /** The number of attempts that hung. */
  #hung = 0;
  /** The round trip of the line when it was good; 0 if it never was. */
  #trip = 0;
  /** When the present attempt began, and when the connection was lost. */
  #began = 0;
  #away = 0;

  /**
   * @param {number} now
   * @param {number} patience how long to try, in ms
   */
  constructor(now, patience) {
    /** The number of failures in a row. */
    this.count = 0;
    /** The latest time at which an attempt may begin. */
    this.until = now + patience;
    /** The earliest time at which an attempt may begin, as told by the server. */
    this.notBefore = 0;
    this.#away = now;
    this.#began = now;
  }

  /** @param {number} now */
  begin(now) {
    this.#began = now;
  }

  /** How long an attempt may hang on a line that was good. */
  get quick() {
    const patience = Math.max(QUICK, TRIPS * this.#trip);
    return Math.min(patience * (1 + Math.floor(this.#hung / HUNG)), CONNECT);
  }

  /**
   * The time that a socket has to open.
   *
   * @param {boolean} probed whether the server was reached just before: then it is slow, not gone
   */
  connect(probed) {
    return probed || this.#trip === 0 ? CONNECT : this.quick;
  }

  /** Notes that the present attempt hung. */
  hung() {
    this.#hung += 1;
  }

  /**
   * Notes the loss of a good connection.
   *
   * @param {number} now
   * @param {number} lived how long it lasted, in ms
   * @param {number} trip its round trip
   * @param {number} grace how long the seat is kept
   */
  lost(now, lived, trip, grace) {
    if (lived >= ALIVE) {
      this.count = 0;
      this.#hung = 0;
    }
    this.#trip = Math.max(trip, 1);
    this.#began = now;
    this.#away = now;
    this.until = now + grace;
  }

  /**
   * Notes a failed attempt or a lost connection. Returns when the next attempt begins.
   *
   * @param {number} now
   * @param {number} wait the minimum time until then
   * @param {import("../backoff.js").Backoff} backoff
   * @param {number} random from 0 up to 1
   */
  failed(now, wait, backoff, random) {
    this.count += 1;
    this.notBefore = now + wait;
    const planned = this.#began + backoff.wait(this.count, now - this.#away, random);
    // The last attempt is made when the time is over, not before: a client that gives up has just tried.
    return Math.max(Math.min(planned, this.until), this.notBefore, now);
  }

  /**
   * Whether there is no time for another attempt.
   *
   * @param {number} now
   */
  isLate(now) {
    return now >= this.until || this.notBefore > this.until;
  }

  /**
   * Allows further attempts for so long.
   *
   * @param {number} now
   * @param {number} patience
   */
  revive(now, patience) {
    this.count = 0;
    this.#hung = 0;
    this.until = now + patience;
  }
}
