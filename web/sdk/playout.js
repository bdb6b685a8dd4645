/**
 * How far in the past to draw, so that the frames to glide between are there: no more than the line's jitter asks for,
 * which is measured. Pure: times are arguments, in milliseconds. As `client/src/playout.rs`.
 *
 * After the jitter buffer of WebRTC (NetEQ): the latest arrival of every half second is kept for ten seconds, and nearly
 * all of them must be in time. A frame that comes later makes the delay longer at once; it becomes shorter little by
 * little.
 */

import { Arrivals } from "./playout/arrivals.js";
import { limits } from "./protocol.js";

/** So much earlier than needed, for timers and the length of a draw. */
const SPARE = 8;
/** The delay becomes shorter when it was long enough for so long, */
const CALM = 2000;
/** by what is too much in as long, but at least and at most by this part of the time that passes. */
const SLOWEST = 0.02;
const FASTEST = 0.25;
/** After so long without a frame (a suspended tab, a tunnel) it begins anew, */
const PAUSE = 1000;
/** and what comes then in a burst had been held up: it is measured when so many frames did not come faster than due. */
const WARM_FRAMES = 4;
/** A server with nothing to say says so this often; drawing goes on for as long. */
const QUIET = limits.IDLE_FRAME;
/** A draw that is so far from where it should be does not hurry: it is there at once. */
const FAR = 1000;
/** The part of its pace at which the picture goes on that is ahead of what it should be. */
const HELD_BACK = 0.5;

/** Says which tick to draw. */
export class Playout {
  #sendEvery;
  #every = 1;
  #moved = 0;
  #newest;
  #heard = 0;
  /** How many frames did not come faster than due since the start; at most `WARM_FRAMES`. */
  #steady = 0;
  #last = 0;
  #arrivals = new Arrivals();
  /** The tick that is drawn at `now` is `(now - #offset) / tickMs - #moved`. */
  #offset = 0;
  #calmSince = 0;
  #advanced = 0;
  /** @type {number | null} What was drawn last, */
  #time = null;
  /** and when. */
  #drawn = 0;
  /** Draws ahead of the newest frame, of which the next one will tell whether there was anything to show. */
  #pending = 0;

  /**
   * @param {number} tickHz
   * @param {number} sendEvery how many ticks lie between two frames, as the server said
   * @param {number} [tick] the last that the server is known to have computed
   */
  constructor(tickHz, sendEvery, tick = 0) {
    this.tickMs = 1000 / Math.max(tickHz, 1);
    this.#sendEvery = sendEvery;
    this.#newest = tick;
    /**
     * How many ms in the past to draw instead of what the line asks for; `null` for that.
     *
     * @type {number | null}
     */
    this.fixed = null;
    /** How often anything was drawn. */
    this.draws = 0;
    /** How often something was drawn for whose time no frame had come, or that stood still; not while nothing is new. */
    this.underruns = 0;
  }

  /**
   * The server sends a frame at every so many-th send tick from now on.
   *
   * @param {number} every
   */
  pace(every) {
    this.#every = Math.max(every, 1);
  }

  /**
   * The frame of a tick has arrived; `moved` is what its head says of schedule moves.
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

  /** Forgets what it knows of the line: for another one, or for a page that was hidden. */
  restart() {
    this.#arrivals.clear();
    this.#steady = 0;
  }

  /** How many ms the picture is older than it could be, had every frame come as early as the earliest of late. */
  get delay() {
    return this.#arrivals.isEmpty ? 0 : Math.max(this.#offset - this.#arrivals.earliest, 0);
  }

  /**
   * The tick to draw now, with its fraction: `Interpolation.sample` takes it. Never goes backwards but for a start.
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
   * Where the picture goes from where it is.
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
   * A frame tells of the draws ahead of the one before it: if the server left frames out because nothing was new, and
   * this one came before its time, they had nothing to miss.
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
   * Shortens the delay for the time that has passed, or takes it as it must be.
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

  /** What the offset must be for nearly all frames. */
  get #wanted() {
    return this.fixed === null ? this.#arrivals.level + this.#interval + SPARE : this.#arrivals.earliest + this.fixed;
  }

  /** How many ms lie between two frames. */
  get #interval() {
    return this.#sendEvery * this.#every * this.tickMs;
  }
}
