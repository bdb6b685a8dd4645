/**
 * Shows the own player at once: predicted from its inputs by the page's own copy of the rules, and reconciled with
 * every frame at *settled*. Pure.
 *
 * The server executes an input that aims at tick t with tick t. So what a player does now happens on the server a lead
 * in the future; the prediction runs there. With each frame it starts again from the frame's state and replays the
 * inputs that are not settled yet. A difference from what was shown before fades instead of jumping.
 */

/** @typedef {import("./inputs.js").Sent} Sent */

/** After so many ms half of a difference is gone. */
const HALF_LIFE = 60;
/** The maximum time that is predicted, in seconds: that of a lead. */
const MOST_SECONDS = 3;

/**
 * The page's rules.
 *
 * @template S the state of the own player, a plain object that is never changed in place
 * @template I an input
 * @typedef {object} Rules
 * @property {(state: S, inputs: I[], held: I | null, dt: number) => S} step one tick: `inputs` are those executed with
 *   it, `held` is the last one executed up to then (these included), `dt` is in seconds
 * @property {(keyof S)[]} [smooth] numbers whose corrections fade
 * @property {number} [snap] a larger correction of a smooth number is shown at once
 * @property {number} [tolerance] a difference up to this is rounding and counts as no correction: about two steps of
 *   the lane
 */

/**
 * @template S
 * @template I
 */
export class Prediction {
  /** @type {S | null} */
  #base = null;
  #baseTick = 0;
  /** @type {I | null} The last settled input. */
  #settledInput = null;
  #settled = 0;
  /** @type {Sent[]} */
  #pending = [];
  /** @type {S | null} The states at #tick - 1 and #tick. */
  #before = null;
  /** @type {S | null} */
  #state = null;
  #tick = 0;
  /** @type {Map<keyof S, number>} */
  #errors = new Map();
  #drawnAt = 0;
  #mostTicks;

  /**
   * @param {Rules<S, I>} rules
   * @param {number} tickHz
   */
  constructor(rules, tickHz) {
    this.rules = rules;
    this.dt = 1 / tickHz;
    this.#mostTicks = Math.ceil(MOST_SECONDS * tickHz);
    /** The number of frames that differed from the prediction. */
    this.corrections = 0;
  }

  /** View libraries that wrap plain objects leave this one as it is. */
  get [Symbol.toStringTag]() {
    return "Prediction";
  }

  /**
   * Adds a sent input.
   *
   * @param {Sent} sent
   */
  sent(sent) {
    this.#pending.push(sent);
    // It takes effect from its tick on.
    if (this.#state !== null && sent.aim <= this.#tick) {
      this.#replay(this.#tick);
    }
  }

  /**
   * Reconciles with a frame: `state` is the own player's state in it (`null` if there is none), and inputs up to number
   * `settled` have had their effect.
   *
   * @param {S | null} state
   * @param {number} tick
   * @param {number} settled
   */
  reconcile(state, tick, settled) {
    while (this.#pending.length > 0 && this.#pending[0].number <= settled) {
      this.#settledInput = /** @type {Sent} */ (this.#pending.shift()).input;
    }
    this.#settled = settled;
    const shown = this.#state;
    this.#base = state;
    this.#baseTick = tick;
    if (state === null) {
      this.#state = null;
      this.#before = null;
      this.#errors.clear();
      return;
    }
    const target = Math.max(this.#tick, tick);
    this.#replay(target);
    if (shown !== null) {
      this.#note(shown);
    }
  }

  /**
   * The own player as it is to be drawn; `null` if there is none.
   *
   * @param {number} time in ticks, with its fraction: `Clock.time` plus the lead
   * @param {number} now in ms
   * @returns {S | null}
   */
  sample(time, now) {
    if (this.#base === null) {
      return null;
    }
    const wanted = Math.min(Math.max(Math.ceil(time), this.#tick, this.#baseTick), this.#baseTick + this.#mostTicks);
    while (this.#state !== null && this.#tick < wanted) {
      this.#advance();
    }
    const state = /** @type {S} */ (this.#state);
    const before = this.#before ?? state;
    const part = Math.min(Math.max(time - (this.#tick - 1), 0), 1);
    const fade = 0.5 ** (Math.max(now - this.#drawnAt, 0) / HALF_LIFE);
    this.#drawnAt = now;
    const drawn = { ...state };
    for (const key of this.rules.smooth ?? []) {
      const [from, to] = [Number(before[key]), Number(state[key])];
      const error = (this.#errors.get(key) ?? 0) * fade;
      this.#errors.set(key, error);
      drawn[key] = /** @type {any} */ (from + (to - from) * part + error);
    }
    return drawn;
  }

  /** The state at the tick predicted last, without smoothing. */
  get state() {
    return this.#state;
  }

  /** The number up to which inputs were settled at the last frame. */
  get settled() {
    return this.#settled;
  }

  /**
   * Predicts from the last frame to a tick.
   *
   * @param {number} target
   */
  #replay(target) {
    this.#state = this.#base;
    this.#before = this.#base;
    this.#tick = this.#baseTick;
    const end = Math.min(target, this.#baseTick + this.#mostTicks);
    while (this.#tick < end) {
      this.#advance();
    }
  }

  #advance() {
    const tick = this.#tick + 1;
    // An input that is late by the first tick after the frame is executed with it.
    const due = this.#pending.filter(({ aim }) => (tick === this.#baseTick + 1 ? aim <= tick : aim === tick));
    const last = this.#pending.filter(({ aim }) => aim <= tick).at(-1);
    const held = last === undefined ? this.#settledInput : last.input;
    const inputs = due.map(({ input }) => input);
    this.#before = this.#state;
    this.#state = this.rules.step(/** @type {S} */ (this.#state), inputs, held, this.dt);
    this.#tick = tick;
  }

  /**
   * Notes the difference between what is shown now and what was shown before.
   *
   * @param {S} shown
   */
  #note(shown) {
    const state = /** @type {S} */ (this.#state);
    let corrected = false;
    for (const key of this.rules.smooth ?? []) {
      const difference = Number(shown[key]) - Number(state[key]);
      const error = (this.#errors.get(key) ?? 0) + difference;
      corrected ||= Math.abs(difference) > (this.rules.tolerance ?? 0);
      this.#errors.set(key, Math.abs(error) > (this.rules.snap ?? Infinity) ? 0 : error);
    }
    this.corrections += corrected ? 1 : 0;
  }
}
