/**
 * When a connection is tried again, for how long an attempt may hang, and when it is time to give up. Pure. As
 * `client/src/connection/attempts.rs`.
 */

/** An attempt may hang for so long on a line of which nothing is known, */
const CONNECT = 5000;
/** and for so long, or for so many round trips, on one that was good; */
const QUICK = 1000;
const TRIPS = 5;
/** but longer after each so many attempts that hung: the line may have become a slower one. */
const HUNG = 12;
/** A connection that has lived for so long was a good one: what failed before it is forgotten. */
const ALIVE = 5000;

export class Attempts {
  /** Those of them that hung. */
  #hung = 0;
  /** The round trip of the line when it was good; 0 if it never was. */
  #trip = 0;
  /** When the present attempt began, and since when there is no connection. */
  #began = 0;
  #away = 0;

  /**
   * @param {number} now
   * @param {number} patience one tries for so long, in ms
   */
  constructor(now, patience) {
    /** How many failed on end. */
    this.count = 0;
    /** No attempt begins later. */
    this.until = now + patience;
    /** None begins earlier, since the server said so. */
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
   * How long a socket may take to open.
   *
   * @param {boolean} probed whether the server was reached just before: then it is slow, not away
   */
  connect(probed) {
    return probed || this.#trip === 0 ? CONNECT : this.quick;
  }

  /** The present attempt hung. */
  hung() {
    this.#hung += 1;
  }

  /**
   * A connection that was good is lost.
   *
   * @param {number} now
   * @param {number} lived for how long it was one, in ms
   * @param {number} trip its round trip
   * @param {number} grace what it may come back to is kept for so long
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
   * The present attempt failed, or a connection was lost. Returns when the next one comes.
   *
   * @param {number} now
   * @param {number} wait none before that
   * @param {import("../backoff.js").Backoff} backoff
   * @param {number} random from 0 up to 1
   */
  failed(now, wait, backoff, random) {
    this.count += 1;
    this.notBefore = now + wait;
    const planned = this.#began + backoff.wait(this.count, now - this.#away, random);
    // The last attempt comes when the time is over, not before: who gives up has just tried.
    return Math.max(Math.min(planned, this.until), this.notBefore, now);
  }

  /**
   * Whether there is no time for another one.
   *
   * @param {number} now
   */
  isLate(now) {
    return now >= this.until || this.notBefore > this.until;
  }

  /**
   * Somebody wants to try after all.
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
