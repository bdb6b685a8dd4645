/**
 * How long one waits for the other end, and when silence means that it is gone. Pure.
 */

import { Pulse } from "../pulse.js";

/** A line that is in doubt must give a sign within so long, or so many round trips. */
const DOUBT = 1500;
const TRIPS = 5;
/** Whoever looks so long after having looked last was asleep, and what came meanwhile is not read yet. */
const ASLEEP = 1500;

export class Vigil {
  /** What is waited for must have come by then. */
  #answerBy = Infinity;
  /** Anything must have come by then. */
  #signBy = Infinity;
  #looked;

  /** @param {number} now */
  constructor(now) {
    /** When the present wait began. */
    this.since = now;
    /** Is the line alive, and how long is it? */
    this.pulse = new Pulse(now);
    this.#looked = now;
  }

  /**
   * Something is waited for from now on.
   *
   * @param {number} now
   * @param {number} patience in ms
   */
  begin(now, patience) {
    this.since = now;
    this.#looked = now;
    this.#answerBy = now + patience;
    this.#signBy = Infinity;
  }

  /**
   * The other end asks for more time.
   *
   * @param {number} until
   */
  extend(until) {
    this.#answerBy = until;
  }

  /**
   * Something arrived.
   *
   * @param {number} now
   */
  heard(now) {
    this.pulse.heard(now);
    this.#signBy = Infinity;
  }

  /**
   * The line may have died unnoticed: a ping goes out, and a sign of life must come soon.
   *
   * @param {number} now
   */
  doubt(now) {
    this.#signBy = Math.min(this.#signBy, now + Math.max(DOUBT, TRIPS * this.pulse.smoothed));
  }

  /**
   * Whether the caller was asleep since it looked last. Ask with every look, before `isOver`.
   *
   * @param {number} now
   */
  slept(now) {
    const slept = now - this.#looked > ASLEEP;
    this.#looked = now;
    return slept;
  }

  /**
   * Whether nothing more is to be hoped for.
   *
   * @param {number} now
   * @param {boolean} answers whether the other end answers pings by now
   */
  isOver(now, answers) {
    const silent = answers && this.pulse.isDead(now);
    return silent || now >= Math.min(this.#answerBy, this.#signBy);
  }

  /**
   * When `isOver` may change.
   *
   * @param {boolean} answers
   */
  deadline(answers) {
    return Math.min(this.#answerBy, this.#signBy, answers ? this.pulse.deadline : Infinity);
  }
}
