/**
 * The inputs of a seat: numbers that rise by one, aims that never fall, a pace that the server takes, and what to send
 * again after a resume. Pure. As `client/src/inputs.rs`.
 */

import { limits } from "./protocol.js";

/** Most inputs that may be unanswered; further ones are refused here. */
const MOST = 256;
/** One message goes out in this time, in ms, with all inputs of that time. */
const SPACING = 16;
/** So many a second leave the server room for those of a resume. */
const PER_SECOND = 0.9 * limits.INPUTS_PER_SECOND;
/** So many may go at once, and in one message. */
const BURST = limits.EARLY_INPUTS;
/** So many bytes may be under way: what is sent behind them, reports above all, must not wait for long. */
const WINDOW = 16 * 1024;
/** And so many in one message. */
const BATCH = 8 * 1024;

/**
 * An input that was sent, or is to be.
 *
 * @typedef {object} Sent
 * @property {number} number
 * @property {number} aim the tick that it aims at
 * @property {Uint8Array} payload
 * @property {any} input the value that was encoded
 * @property {number} at when it was made
 */

/** Numbers inputs, hands them to the line, and keeps them until well after they are settled. */
export class Inputs {
  /** Settled ones that are kept, then those that are not settled. @type {Sent[]} */
  #kept = [];
  /** When each settled one of them was. @type {number[]} */
  #settledAt = [];
  #aim = 0;
  /** The highest number handed to this line, and the highest that is settled on it. */
  #handed;
  #confirmed;
  #next = 0;
  /** @type {number} */
  #allowance = BURST;
  #allowedAt = 0;
  /** Whether there is a line to hand them to. */
  #open = true;

  /**
   * Nothing is on its way yet.
   *
   * @param {number} [last] the highest number that the server has taken in, if somebody had the seat before
   */
  constructor(last = 0) {
    /** The highest number given; 0 for none. */
    this.last = last;
    this.#handed = last;
    this.#confirmed = last;
  }

  /** The lowest number that is still kept; one above the last if none is. */
  get first() {
    return this.#kept[0]?.number ?? this.last + 1;
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
    if (this.#kept.length - this.#settledAt.length >= MOST) {
      return null;
    }
    this.last += 1;
    this.#aim = Math.max(this.#aim, aim);
    const sent = { number: this.last, aim: this.#aim, payload, input, at: now };
    this.#kept.push(sent);
    return sent;
  }

  /**
   * What goes out now, in one message: the first at once, further ones together.
   *
   * @param {number} now
   * @returns {Sent[]}
   */
  take(now) {
    if (now < this.#next || !this.#open) {
      return [];
    }
    this.#allowance = this.#allowanceAt(now);
    this.#allowedAt = now;
    const batch = [];
    let bytes = 0;
    let underWay = this.#underWay;
    for (const sent of this.#kept.slice(this.#unhanded)) {
      const fits = bytes === 0 || bytes + sent.payload.length <= BATCH;
      const free = underWay === 0 || underWay + sent.payload.length <= WINDOW;
      if (!fits || !free || this.#allowance < 1 || batch.length >= BURST) {
        break;
      }
      batch.push(sent);
      bytes += sent.payload.length;
      underWay += sent.payload.length;
      this.#allowance -= 1;
      this.#handed = sent.number;
    }
    this.#next = batch.length > 0 ? now + SPACING : this.#next;
    return batch;
  }

  /** When `take` next has something to give; infinity if something must be settled first. */
  get deadline() {
    const next = this.#kept[this.#unhanded];
    if (!this.#open || next === undefined) {
      return Infinity;
    }
    const underWay = this.#underWay;
    if (underWay > 0 && underWay + next.payload.length > WINDOW) {
      return Infinity;
    }
    const missing = Math.max(1 - this.#allowance, 0);
    return Math.max(this.#next, this.#allowedAt + (missing * 1000) / PER_SECOND);
  }

  /** @param {number} now */
  #allowanceAt(now) {
    return Math.min(this.#allowance + ((now - this.#allowedAt) * PER_SECOND) / 1000, BURST);
  }

  /** Where in the list those begin that were not handed over. */
  get #unhanded() {
    return Math.max(this.#handed + 1 - this.first, 0);
  }

  /** Bytes handed over and not settled on this line. */
  get #underWay() {
    const from = Math.max(this.#confirmed + 1 - this.first, 0);
    let bytes = 0;
    for (let place = from; place < this.#unhanded; place += 1) {
      bytes += this.#kept[place]?.payload.length ?? 0;
    }
    return bytes;
  }

  /**
   * The server has settled all inputs up to `number`: returns those that were not before. They are kept for a while.
   *
   * @param {number} number
   * @param {number} now
   * @returns {Sent[]}
   */
  settle(number, now) {
    this.#confirmed = Math.max(this.#confirmed, number);
    const before = this.#settledAt.length;
    const count = Math.min(Math.max(number + 1 - this.first, before), this.#kept.length);
    const settled = this.#kept.slice(before, count);
    this.#settledAt.push(...settled.map(() => now));
    const old = this.#settledAt.findIndex((at) => now - at <= limits.KEPT_FOR);
    const passed = Math.max(old < 0 ? this.#settledAt.length : old, this.#settledAt.length - limits.KEPT_INPUTS);
    this.#kept.splice(0, passed);
    this.#settledAt.splice(0, passed);
    return settled;
  }

  /** The line is gone: what is not settled waits. */
  lost() {
    this.#open = false;
  }

  /**
   * On a new line the server says that `number` was the highest input that it has taken in: all above go out again.
   *
   * @param {number} number
   * @returns {boolean} whether it can be answered: all above are still here, and it made none up
   */
  resume(number) {
    if (number > this.last || number + 1 < this.first) {
      return false;
    }
    this.#open = true;
    this.#handed = number;
    // What the server has taken in and not settled is still under way; what it has lost is not yet.
    this.#confirmed = Math.min(this.first - 1 + this.#settledAt.length, number);
    this.#next = 0;
    return true;
  }
}
