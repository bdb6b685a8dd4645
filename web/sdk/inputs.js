/**
 * The inputs on their way: numbers that rise by one, aims that never fall, and what to send again after a resume. Pure.
 * As `bot-client/src/inputs.rs`.
 */

/** Most inputs that may be on their way; further ones are refused here. The server lets 64 wait for their tick. */
const MOST = 256;

/**
 * An input that is not settled.
 *
 * @typedef {object} Sent
 * @property {number} number
 * @property {number} aim the tick that it aims at
 * @property {Uint8Array} payload
 * @property {any} input the value that was encoded
 * @property {number} at when it was sent
 */

/** Numbers inputs and keeps them until they are settled. */
export class Unsettled {
  /** @type {Sent[]} */
  #queue = [];
  #aim = 0;

  /**
   * Nothing is on its way yet.
   *
   * @param {number} [last] the highest number that the server has taken in, if somebody had the seat before
   */
  constructor(last = 0) {
    /** The highest number given; 0 for none. */
    this.last = last;
  }

  /**
   * Gives an input its number and aim: `aim`, or that of the input before it if that is higher. `null` if so many are
   * unanswered that one more makes no sense; the number is not used up.
   *
   * @param {number} aim
   * @param {Uint8Array} payload
   * @param {any} input
   * @param {number} now
   * @returns {Sent | null}
   */
  push(aim, payload, input, now) {
    if (this.#queue.length >= MOST) {
      return null;
    }
    this.last += 1;
    this.#aim = Math.max(this.#aim, aim);
    const sent = { number: this.last, aim: this.#aim, payload, input, at: now };
    this.#queue.push(sent);
    return sent;
  }

  /** The lowest number that is still kept; one above the last if none is. */
  get first() {
    return this.#queue[0]?.number ?? this.last + 1;
  }

  /**
   * The server has settled all inputs up to `number`: takes them out.
   *
   * @param {number} number
   * @returns {Sent[]}
   */
  settle(number) {
    const first = this.#queue.findIndex((sent) => sent.number > number);
    return this.#queue.splice(0, first < 0 ? this.#queue.length : first);
  }

  /**
   * What the server has not taken in, if it says that `number` was the highest it did. All that are unsettled for 0.
   *
   * @param {number} number
   */
  above(number) {
    return this.#queue.filter((sent) => sent.number > number);
  }

  /**
   * Whether a server that has taken in `number` can be answered: all above it are still here, and it made none up.
   *
   * @param {number} number
   */
  reaches(number) {
    return number <= this.last && number + 1 >= this.first;
  }
}
