/**
 * A player's hands: WASD or arrows and the mouse, or two thumbs on the screen. What they do is asked for once per frame.
 */

import { Sticks } from "./sticks.js";

/** Directions of keys. @type {Record<string, [number, number]>} */
const directions = {
  KeyW: [0, -1],
  ArrowUp: [0, -1],
  KeyS: [0, 1],
  ArrowDown: [0, 1],
  KeyA: [-1, 0],
  ArrowLeft: [-1, 0],
  KeyD: [1, 0],
  ArrowRight: [1, 0],
};

/** Steps of a whole turn that the aim is rounded to: as fine as the server tells it on. */
const AIM_STEPS = 256;

/** @typedef {{ walk: [number, number], aim: number, fire: boolean }} Hands */

export class Controls {
  #keys = new Set();
  #mouse = { x: 0, y: 0, moved: false };
  #trigger = false;
  /** The trigger was pulled since it was last asked for, though perhaps let go again. */
  #pulled = false;
  #aim = 0;
  #end = new AbortController();

  /** @param {HTMLElement} place the part of the page that the game fills */
  constructor(place) {
    this.sticks = new Sticks(place, this.#end.signal);
    const { signal } = this.#end;
    addEventListener("keydown", (event) => this.#keyDown(event), { signal });
    addEventListener("keyup", (event) => this.#keys.delete(event.code), { signal });
    addEventListener("blur", () => this.#release(), { signal });
    place.addEventListener("pointermove", (event) => this.#point(event), { signal });
    place.addEventListener("pointerdown", (event) => this.#pull(event), { signal });
    addEventListener("pointerup", (event) => this.#letGo(event), { signal });
    place.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
  }

  /** Whether anything is touched. */
  get active() {
    return this.#keys.size > 0 || this.#trigger || this.sticks.active;
  }

  /** Whether the trigger is or was pulled since the hands were last asked for. */
  get pulled() {
    return this.#pulled || this.sticks.thumbs.fire || this.#keys.has("Space");
  }

  /**
   * What the hands do now. `own` is where the player's figure stands on the screen.
   *
   * @param {{ x: number, y: number }} own
   * @returns {Hands}
   */
  hands(own) {
    const thumbs = this.sticks.thumbs;
    const walk = thumbs.walk ?? this.#walk();
    if (thumbs.aim !== null) {
      this.#aim = thumbs.aim;
    } else if (this.#mouse.moved) {
      this.#aim = Math.atan2(this.#mouse.y - own.y, this.#mouse.x - own.x);
    } else if (walk[0] !== 0 || walk[1] !== 0) {
      this.#aim = Math.atan2(walk[1], walk[0]);
    }
    const fire = this.#trigger || this.#pulled || thumbs.fire || this.#keys.has("Space");
    this.#pulled = false;
    const turn = 2 * Math.PI;
    const step = Math.round((this.#aim / turn) * AIM_STEPS + AIM_STEPS) % AIM_STEPS;
    return {
      walk: [Math.round(walk[0] * 127), Math.round(walk[1] * 127)],
      aim: Math.fround((step * turn) / AIM_STEPS),
      fire,
    };
  }

  stop() {
    this.#end.abort();
    this.sticks.stop();
  }

  /** @returns {[number, number]} */
  #walk() {
    let [x, y] = [0, 0];
    for (const [key, direction] of Object.entries(directions)) {
      if (this.#keys.has(key)) {
        x += direction[0];
        y += direction[1];
      }
    }
    return [Math.sign(x), Math.sign(y)];
  }

  /** @param {KeyboardEvent} event */
  #keyDown(event) {
    const typing = event.target instanceof HTMLInputElement;
    if (typing || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (event.code in directions || event.code === "Space") {
      this.#keys.add(event.code);
      event.preventDefault();
    }
  }

  #release() {
    this.#keys.clear();
    this.#trigger = false;
  }

  /** @param {PointerEvent} event */
  #point(event) {
    if (event.pointerType !== "touch") {
      this.#mouse = { x: event.offsetX, y: event.offsetY, moved: true };
    }
  }

  /** @param {PointerEvent} event */
  #pull(event) {
    if (event.pointerType !== "touch" && event.button === 0) {
      this.#point(event);
      this.#trigger = true;
      this.#pulled = true;
    }
  }

  /** @param {PointerEvent} event */
  #letGo(event) {
    if (event.pointerType !== "touch" && event.button === 0) {
      this.#trigger = false;
    }
  }
}
