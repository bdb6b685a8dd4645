/**
 * The inputs of a seat: their numbers rise by one, their aims never fall, they go out at a pace that the server takes,
 * and unsettled ones are sent again after a resume. Pure. As `client/src/inputs.rs`.
 */

import { limits } from "./protocol.js";

/** The maximum number of unanswered inputs; further ones are refused here. */
const MOST = 256;
/** The minimum time between messages, in ms; each has all inputs since the last one. */
const SPACING = 16;
/** The sustained rate per second. It leaves the server room for inputs that are sent again after a resume. */
const PER_SECOND = 0.9 * limits.INPUTS_PER_SECOND;
/** The maximum number of inputs at once, and in one message. */
const BURST = limits.EARLY_INPUTS;
/** The maximum number of bytes under way: later messages, above all reports, must not wait for long. */
const WINDOW = 16 * 1024;
/** The maximum number of bytes in one message. */
const BATCH = 8 * 1024;

/**
 * An input that was sent or waits to be sent.
 *
 * @typedef {object} Sent
 * @property {number} number
 * @property {number} aim the tick that it aims at
 * @property {Uint8Array} payload
 * @property {any} input the value that was encoded
 * @property {number} at when it was made
 */

/** Numbers inputs, hands them to the line, and keeps them for a while after they are settled. */
export class Inputs {
  /** Settled inputs that are kept, then unsettled ones. @type {Sent[]} */
  #kept = [];
  /** When each settled one was settled. @type {number[]} */
  #settledAt = [];
  #aim = 0;
  /** The highest number handed to this line, and the highest that is settled on it. */
  #handed;
  #confirmed;
  #next = 0;
  /** @type {number} */
  #allowance = BURST;
  #allowedAt = 0;
  /** Whether there is a line. */
  #open = true;

  /**
   * No inputs yet.
   *
   * @param {number} [last] the highest number that the server has taken in, if somebody had the seat before
   */
  constructor(last = 0) {
    /** The highest number given; 0 for none. */
    this.last = last;
    this.#handed = last;
    this.#confirmed = last;
  }

  /** The lowest number that is kept; one above the last if there is none. */
  get first() {
    return this.#kept[0]?.number ?? this.last + 1;
  }

  /**
   * Numbers an input. It aims at `aim`, or at the aim of the input before it if that is higher. Returns `null` if too
   * many are unanswered; the number can be used again.
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
   * Takes the inputs for one message to send now: the first at once, later ones together.
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

  /** When `take` next has inputs to give; infinity if an input must be settled first. */
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

  /** The index of the first input that was not handed to the line. */
  get #unhanded() {
    return Math.max(this.#handed + 1 - this.first, 0);
  }

  /** The bytes that were handed over and not settled on this line. */
  get #underWay() {
    const from = Math.max(this.#confirmed + 1 - this.first, 0);
    let bytes = 0;
    for (let place = from; place < this.#unhanded; place += 1) {
      bytes += this.#kept[place]?.payload.length ?? 0;
    }
    return bytes;
  }

  /**
   * Settles all inputs up to `number`. Returns those that were not settled before. Settled inputs are kept for a while.
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

  /** Notes the loss of the line: unsettled inputs wait. */
  lost() {
    this.#open = false;
  }

  /**
   * Resumes on a new line, where `number` is the highest input that the server has taken in. All above it go out again.
   *
   * @param {number} number
   * @returns {boolean} whether that is possible: all above are still kept, and `number` was sent
   */
  resume(number) {
    if (number > this.last || number + 1 < this.first) {
      return false;
    }
    this.#open = true;
    this.#handed = number;
    // Inputs that the server has taken in and not settled are still under way; those that it has lost are not yet.
    this.#confirmed = Math.min(this.first - 1 + this.#settledAt.length, number);
    this.#next = 0;
    return true;
  }
}
