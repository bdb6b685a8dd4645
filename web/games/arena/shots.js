/**
 * What the own gun has fired, shown at once: the server's shots come a line's delay later and are hidden behind these. As
 * `Seat` in `games/arena/src/seat.rs`, as far as a page can know.
 */

import { COOLDOWN_TICKS, FIGHTER_RADIUS, RAPID_COOLDOWN_TICKS, SHOT_SPEED, SHOT_TICKS } from "./rules.js";

/** A shot of which the server has said nothing for so many ticks was never fired. */
const FORGET_TICKS = 60;

/** Nearer to its gun than this, a shot is still inside it. */
const MUZZLE = FIGHTER_RADIUS + 10;

/**
 * @typedef {object} Shot
 * @property {number} x where it was fired
 * @property {number} y
 * @property {number} heading
 * @property {number} born when, in ticks of the prediction
 * @property {boolean} confirmed whether the server has told of it
 * @property {string | null} entity which of the server's it is
 * @property {boolean} spent whether it has met somebody
 */

export class OwnShots {
  /** @type {Shot[]} */
  #shots = [];
  #loadedFrom = 0;

  /** @param {number} dt the length of a tick in seconds */
  constructor(dt) {
    this.dt = dt;
  }

  /**
   * The trigger is pulled at a predicted time. Whether the gun fires.
   *
   * @param {number} time in ticks
   * @param {{ x: number, y: number, aim: number }} own
   * @param {{ rounds: number, rapid: boolean }} ammo as the last frame said
   */
  pull(time, own, ammo) {
    const coming = this.#shots.filter(({ confirmed }) => !confirmed).length;
    if (time < this.#loadedFrom || ammo.rounds <= coming) {
      return false;
    }
    this.#loadedFrom = Math.ceil(time) + (ammo.rapid ? RAPID_COOLDOWN_TICKS : COOLDOWN_TICKS);
    this.#shots.push({
      x: own.x,
      y: own.y,
      heading: own.aim,
      born: time,
      confirmed: false,
      entity: null,
      spent: false,
    });
    return true;
  }

  /** The server says that the own gun has fired. Whether that was known. */
  confirm() {
    const shot = this.#shots.find(({ confirmed }) => !confirmed);
    if (shot) {
      shot.confirmed = true;
    }
    return shot !== undefined;
  }

  /**
   * Which of the server's shots are not to be drawn, because they are shown already.
   *
   * @param {string[]} entities own shots that the server tells of
   * @returns {Set<string>}
   */
  hide(entities) {
    for (const entity of entities) {
      if (!this.#shots.some((shot) => shot.entity === entity)) {
        const shot = this.#shots.find((other) => other.entity === null && other.confirmed);
        if (shot) {
          shot.entity = entity;
        }
      }
    }
    return new Set(this.#shots.flatMap(({ entity }) => entity ?? []));
  }

  /**
   * Where they are; those that have met one of `others` are gone.
   *
   * @param {number} time in ticks
   * @param {{ x: number, y: number }[]} others
   * @returns {{ x: number, y: number, heading: number }[]}
   */
  flying(time, others) {
    this.#shots = this.#shots.filter(({ born }) => time - born < FORGET_TICKS && time >= born - 1);
    const flying = [];
    for (const shot of this.#shots) {
      const way = SHOT_SPEED * this.dt * (time - shot.born);
      const at = {
        x: shot.x + Math.cos(shot.heading) * way,
        y: shot.y + Math.sin(shot.heading) * way,
        heading: shot.heading,
      };
      shot.spent ||= time - shot.born > SHOT_TICKS;
      shot.spent ||= others.some(({ x, y }) => Math.hypot(x - at.x, y - at.y) < FIGHTER_RADIUS);
      if (!shot.spent && way > MUZZLE) {
        flying.push(at);
      }
    }
    return flying;
  }
}
