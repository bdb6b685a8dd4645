/**
 * What the arena's events look and sound like: shots, hits, kills, pickups.
 */

import { beep } from "../../page/sound.js";
import { colorOf } from "./look.js";
import { MEDKIT } from "./rules.js";

/** @typedef {{ x: number, y: number }} Spot */

/** Sounds farther away than this are not heard. */
const EARSHOT = 420;

export class Told {
  /** Who took the own fighter out. */
  fallenBy = "";

  /**
   * @param {import("../../page/room.js").Room} room
   * @param {object} parts
   * @param {import("./effects.js").Effects} parts.effects
   * @param {import("./hud.js").Hud} parts.hud
   * @param {import("./shots.js").OwnShots} parts.shots
   * @param {Spot} parts.camera where the player's ears are
   */
  constructor(room, { effects, hud, shots, camera }) {
    this.room = room;
    this.effects = effects;
    this.hud = hud;
    this.shots = shots;
    this.camera = camera;
    room.onEvent((event) => this.handle(event));
  }

  /** @param {any} event */
  handle(event) {
    const [[name, told]] = typeof event === "string" ? [[event, {}]] : Object.entries(event);
    // What others do is drawn a little later than it is told.
    const delay = this.room.playout.delay / 1000;
    const mine = told.by === this.room.player;
    switch (name) {
      case "Fired":
        if (!mine) {
          this.effects.after(delay, () => this.fired(told));
        } else if (!this.shots.confirm()) {
          this.fired(told);
        }
        break;
      case "Empty":
        this.hud.empty();
        beep({ from: 220, to: 160, seconds: 0.06, shape: "square", volume: 0.25 });
        break;
      case "Hit":
        this.effects.after(delay, () => this.#hit(told));
        break;
      case "Killed":
        this.hud.kill(told);
        this.fallenBy = told.victim === this.room.player ? told.by_name || `Player ${told.by}` : this.fallenBy;
        this.effects.after(delay, () => this.#killed(told));
        break;
      case "Taken":
        this.effects.after(mine ? 0 : delay, () => this.#taken(told));
        break;
    }
  }

  /**
   * A gun is fired: the own one before the server tells of it.
   *
   * @param {{ by: number, at: Spot }} told
   */
  fired({ by, at }) {
    this.effects.kick(by);
    beep({ from: 760, to: 190, seconds: 0.09, volume: 0.35 }, this.#loudness(at));
  }

  /** @param {{ by: number, victim: number, at: Spot, damage: number }} told */
  #hit({ by, victim, at, damage }) {
    const own = this.room.player;
    this.effects.flash(victim);
    this.effects.burst(at.x, at.y, { count: 9, speed: 170, color: colorOf(victim, this.room.player) });
    this.effects.word(
      at.x + 26,
      at.y - 14,
      `${damage}`,
      victim === own ? "#ff8f96" : by === own ? "#fff" : "#ffffff88",
    );
    if (victim === own) {
      this.effects.shake(7);
    }
    const mine = by === own || victim === own;
    beep({ from: mine ? 420 : 300, to: 120, seconds: 0.08, shape: "sawtooth", volume: 0.25 }, this.#loudness(at));
  }

  /** @param {{ by: number, victim: number, at: Spot }} told */
  #killed({ by, victim, at }) {
    const color = colorOf(victim, this.room.player);
    this.effects.burst(at.x, at.y, { count: 34, speed: 300, color, size: 3.4, life: 0.8 });
    this.effects.burst(at.x, at.y, { count: 14, speed: 150, color: "#ffffff", size: 2, life: 0.5 });
    this.effects.ring(at.x, at.y, { from: 10, to: 74, color, life: 0.55 });
    this.effects.shake(victim === this.room.player ? 14 : by === this.room.player ? 4 : 0);
    beep({ from: 240, to: 42, seconds: 0.42, shape: "sawtooth", volume: 0.5 }, this.#loudness(at));
  }

  /** @param {{ by: number, effect: string, at: Spot }} told */
  #taken({ by, effect, at }) {
    const medkit = effect === "Medkit";
    const color = medkit ? "#7ddf86" : "#ffb454";
    this.effects.ring(at.x, at.y, { from: 8, to: 38, color });
    this.effects.burst(at.x, at.y, { count: 10, speed: 120, color });
    if (by === this.room.player) {
      this.effects.word(at.x, at.y - 16, medkit ? `+${MEDKIT}` : "rapid fire", color);
      beep({ from: 520, to: 1040, seconds: 0.16, shape: "sine", volume: 0.5 });
    }
  }

  /** @param {Spot} at */
  #loudness(at) {
    return Math.max(0, 1 - Math.hypot(at.x - this.camera.x, at.y - this.camera.y) / EARSHOT);
  }
}
