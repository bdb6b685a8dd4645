/**
 * The watch over the other end: how long to wait for it, and when silence means that it is gone. Pure.
 */

import { Pulse } from "../pulse.js";

/** How long, or how many round trips if that is longer, a doubtful line has to give a sign of life. */
const DOUBT = 1500;
const TRIPS = 5;
/** A caller whose last look is this long ago was asleep, and messages of the meantime are not read yet. */
const ASLEEP = 1500;

export class Vigil {
  /** The time by which the expected answer must have come. */
  #answerBy = Infinity;
  /** The time by which any sign of life must have come. */
  #signBy = Infinity;
  #looked;

  /** @param {number} now */
  constructor(now) {
    /** When the present wait began. */
    this.since = now;
    /** The pulse of the line. */
    this.pulse = new Pulse(now);
    this.#looked = now;
  }

  /**
   * Begins to wait for an answer.
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
   * Extends the wait, because the other end asks for more time.
   *
   * @param {number} until
   */
  extend(until) {
    this.#answerBy = until;
  }

  /**
   * Notes a sign of life.
   *
   * @param {number} now
   */
  heard(now) {
    this.pulse.heard(now);
    this.#signBy = Infinity;
  }

  /**
   * Notes that the line may be dead: a sign of life must come soon. The caller sends a ping.
   *
   * @param {number} now
   */
  doubt(now) {
    this.#signBy = Math.min(this.#signBy, now + Math.max(DOUBT, TRIPS * this.pulse.smoothed));
  }

  /**
   * Whether the caller was asleep since its last look. Call it at each look, before `isOver`.
   *
   * @param {number} now
   */
  slept(now) {
    const slept = now - this.#looked > ASLEEP;
    this.#looked = now;
    return slept;
  }

  /**
   * Whether the wait has failed.
   *
   * @param {number} now
   * @param {boolean} answers whether the other end answers pings yet
   */
  isOver(now, answers) {
    const silent = answers && this.pulse.isDead(now);
    return silent || now >= Math.min(this.#answerBy, this.#signBy);
  }

  /**
   * When the result of `isOver` may change.
   *
   * @param {boolean} answers
   */
  deadline(answers) {
    return Math.min(this.#answerBy, this.#signBy, answers ? this.pulse.deadline : Infinity);
  }
}
