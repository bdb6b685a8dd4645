/**
 * The playout: how far in the past to draw, so that the frames to interpolate between have arrived. The delay is no
 * more than the measured jitter of the line requires. Pure: times are arguments, in milliseconds. As
 * `client/src/playout.rs`.
 *
 * After the jitter buffer of WebRTC (NetEQ): the latest arrival of every half second is kept for ten seconds, and
 * nearly all of them must be in time. A frame that comes later makes the delay longer at once; the delay shrinks
 * slowly.
 */

import { Arrivals } from "./playout/arrivals.js";
import { limits } from "./protocol.js";

/** The margin for timers and the duration of a draw. */
const SPARE = 8;
/** The delay shrinks after it was sufficient for this time. */
const CALM = 2000;
/** It shrinks by the excess over that time, within these bounds, as fractions of the time that passes. */
const SLOWEST = 0.02;
const FASTEST = 0.25;
/** After so long without a frame (a suspended tab, a tunnel) the measurement starts anew. */
const PAUSE = 1000;
/** Frames in a burst after that were held up: the measurement counts once so many frames were not faster than due. */
const WARM_FRAMES = 4;
/** A server with nothing new sends a frame this often; the picture advances for as long. */
const QUIET = limits.IDLE_FRAME;
/** A picture that is ahead of time by more than this is set back at once. */
const FAR = 1000;
/** The fraction of its normal pace at which a picture advances that is ahead by less. */
const HELD_BACK = 0.5;

/** Determines the tick to draw. */
export class Playout {
  #sendEvery;
  #every = 1;
  #moved = 0;
  #newest;
  #heard = 0;
  /** The number of frames since the start that did not come faster than due; at most `WARM_FRAMES`. */
  #steady = 0;
  #last = 0;
  #arrivals = new Arrivals();
  /** The tick drawn at `now` is `(now - #offset) / tickMs - #moved`. */
  #offset = 0;
  #calmSince = 0;
  #advanced = 0;
  /** @type {number | null} The tick that was drawn last, */
  #time = null;
  /** and when. */
  #drawn = 0;
  /** Draws ahead of the newest frame. The next frame tells whether there was anything to show. */
  #pending = 0;

  /**
   * @param {number} tickHz
   * @param {number} sendEvery the number of ticks between two frames, as told by the server
   * @param {number} [tick] the last one that the server is known to have computed
   */
  constructor(tickHz, sendEvery, tick = 0) {
    this.tickMs = 1000 / Math.max(tickHz, 1);
    this.#sendEvery = sendEvery;
    this.#newest = tick;
    /**
     * A fixed delay in ms; `null` for the delay that the line requires.
     *
     * @type {number | null}
     */
    this.fixed = null;
    /** The number of draws. */
    this.draws = 0;
    /** The number of draws for whose time no frame had come, or that stood still; except while nothing was new. */
    this.underruns = 0;
  }

  /**
   * Sets the pace: the server sends a frame at every so many-th send tick from now on.
   *
   * @param {number} every
   */
  pace(every) {
    this.#every = Math.max(every, 1);
  }

  /**
   * Takes the arrival of a tick's frame; `moved` is the schedule move in its head.
   *
   * @param {number} tick
   * @param {number | null} moved
   * @param {number} now
   */
  observe(tick, moved, now) {
    this.#moved = moved ?? this.#moved;
    this.#judge(tick);
    if (now - this.#heard > PAUSE) {
      this.restart();
    }
    const sample = now - (tick + this.#moved) * this.tickMs;
    if (this.#steady < WARM_FRAMES) {
      const hurries = !this.#arrivals.isEmpty && sample < this.#last - this.#interval / 2;
      if (hurries) {
        this.#arrivals.clear();
      }
      this.#steady = hurries ? 0 : this.#steady + 1;
    }
    this.#heard = now;
    this.#last = sample;
    this.#newest = tick;
    const first = this.#arrivals.isEmpty;
    if (this.#arrivals.note(sample, now)) {
      this.#calmSince = Math.min(this.#calmSince, now - CALM);
    }
    if (first) {
      this.#raise(this.#wanted, now);
    }
    this.#advance(now);
    if (this.fixed === null && sample + this.#interval + SPARE > this.#offset) {
      this.#raise(sample + this.#interval + SPARE, now);
    }
  }

  /** Discards the measurements: for another line, or for a page that was hidden. */
  restart() {
    this.#arrivals.clear();
    this.#steady = 0;
  }

  /** How many ms older the picture is than if every frame came as early as the earliest recent one. */
  get delay() {
    return this.#arrivals.isEmpty ? 0 : Math.max(this.#offset - this.#arrivals.earliest, 0);
  }

  /**
   * The tick to draw now, with its fraction, for `Interpolation.sample`. It goes back only if it is ahead by more than
   * `FAR`, as after a new start.
   *
   * @param {number} now
   */
  draw(now) {
    this.#advance(now);
    const time = this.#next(now);
    const stands = this.#time !== null && now > this.#drawn && time <= this.#time;
    this.draws += 1;
    if (!this.#arrivals.isEmpty && (time > this.#newest || stands)) {
      this.#pending += 1;
    }
    if (now - this.#heard > QUIET + this.#interval) {
      this.#settle();
    }
    this.#time = time;
    this.#drawn = now;
    return time;
  }

  /**
   * The next tick to draw after the last one.
   *
   * @param {number} now
   */
  #next(now) {
    if (this.#arrivals.isEmpty) {
      return this.#time ?? this.#newest;
    }
    const due = (now - this.#offset) / this.tickMs - this.#moved;
    const wanted = Math.min(due, this.#newest + QUIET / this.tickMs);
    const time = this.#time;
    if (time === null || wanted >= time || (time - wanted) * this.tickMs > FAR) {
      return wanted;
    }
    const slowly = time + (HELD_BACK * (now - this.#drawn)) / this.tickMs;
    return Math.max(Math.min(slowly, this.#newest), time);
  }

  /**
   * Judges the draws ahead of the previous frame by this one: if the server left frames out because nothing was new,
   * and this one came before its time, they missed nothing.
   *
   * @param {number} tick
   */
  #judge(tick) {
    const interval = this.#sendEvery * this.#every;
    const apart = tick - this.#newest;
    const quiet = apart > interval && apart <= QUIET / this.tickMs + interval;
    if (quiet && this.#time !== null && this.#time <= tick - interval) {
      this.#pending = 0;
    }
    this.#settle();
  }

  #settle() {
    this.underruns += this.#pending;
    this.#pending = 0;
  }

  /**
   * Shrinks the delay for the time that has passed, or raises it to what is needed.
   *
   * @param {number} now
   */
  #advance(now) {
    const passed = now - this.#advanced;
    this.#advanced = now;
    if (this.#arrivals.isEmpty) {
      return;
    }
    const wanted = this.#wanted;
    const excess = this.#offset - wanted;
    if (excess <= 0) {
      this.#raise(wanted, now);
    } else if (now - this.#calmSince >= CALM) {
      const rate = Math.min(Math.max(excess / CALM, SLOWEST), FASTEST);
      this.#offset = Math.max(this.#offset - rate * passed, wanted);
    }
  }

  /**
   * @param {number} offset
   * @param {number} now
   */
  #raise(offset, now) {
    this.#offset = offset;
    this.#calmSince = now;
  }

  /** The offset that nearly all frames need. */
  get #wanted() {
    return this.fixed === null ? this.#arrivals.level + this.#interval + SPARE : this.#arrivals.earliest + this.fixed;
  }

  /** The time between two frames in ms. */
  get #interval() {
    return this.#sendEvery * this.#every * this.tickMs;
  }
}
