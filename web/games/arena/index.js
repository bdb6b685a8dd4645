/**
 * The arena's page: what is seen from above the own fighter, and what a player's hands do. `look` draws things, `effects`
 * what glows and fades, `hud` what lies over it, `controls` are the hands, `shots` what the own gun has fired, `told` shows
 * events.
 */

import { Prediction } from "../../sdk/index.js";
import { Controls } from "./controls.js";
import { Effects } from "./effects.js";
import { Hud } from "./hud.js";
import {
  OWN_COLOR,
  colorOf,
  drawField,
  drawFighter,
  drawLabel,
  drawMap,
  drawPickup,
  drawRim,
  drawShot,
} from "./look.js";
import { FIGHTER_RADIUS, RESPAWN_TICKS, SIZE, walk } from "./rules.js";
import { OwnShots } from "./shots.js";
import { Told } from "./told.js";

/** @typedef {import("./controls.js").Hands} Hands */
/** @typedef {import("./look.js").Fighter} Fighter */
/** @typedef {{ x: number, y: number }} Spot */

/** Inputs go out at most so often, in seconds, unless the trigger is pulled or let go. */
const INPUT_SPACING = 0.04;

/** Screens show about so many units squared, whatever their shape, and never more to a side than players see. */
const SIGHT = 480;
const WIDEST_SIGHT = 740;

/** @type {import("../../page/room.js").Play} */
export function play(room) {
  const page = new ArenaPage(room);
  return () => page.stop();
}

class ArenaPage {
  /** @type {Prediction<any, Hands>} */
  #prediction;
  #effects = new Effects();
  #camera = { x: SIZE / 2, y: SIZE / 2, scale: 2, middle: 0.5 };
  /** @type {{ rounds: number, rapid: boolean } | null} */
  #ammo = null;
  /** @type {Hands | null} */
  #sent = null;
  #sentAt = 0;
  /** @type {Fighter | null} Who stands in the middle of the screen, as the last frame said. */
  #followed = null;
  #fellAt = 0;
  #wasAlive = false;
  #helped = false;

  /** @param {import("../../page/room.js").Room} room */
  constructor(room) {
    this.room = room;
    this.controls = new Controls(room.place);
    this.hud = new Hud(room.place, room.player);
    const rules = {
      /** @type {(state: any, inputs: Hands[], held: Hands | null, dt: number) => any} */
      step: (state, _inputs, held, dt) => ({ ...state, ...walk(state, held?.walk ?? [0, 0], dt) }),
      smooth: /** @type {any[]} */ (["x", "y"]),
      snap: 120,
    };
    this.#prediction = new Prediction(rules, 1000 / room.client.clock.tickMs);
    this.shots = new OwnShots(this.#prediction.dt);
    const { shots, hud } = this;
    this.told = new Told(room, { effects: this.#effects, hud, shots, camera: this.#camera });
    room.onFrame(() => this.#reconcile());
    room.draw((paint, entities) => this.#draw(paint, entities));
    if (room.spectator) {
      this.hud.help("");
    } else {
      const touch = this.controls.sticks.shown;
      this.hud.help(touch ? "Left thumb walks · right thumb fires" : "WASD to walk · mouse to aim · click to fire");
    }
    this.#reconcile();
  }

  stop() {
    this.controls.stop();
    this.hud.remove();
  }

  #reconcile() {
    const { session } = this.room.client;
    const newest = this.room.newest();
    const fighters = /** @type {Fighter[]} */ (pick(newest, "Fighter"));
    const own = fighters.find(({ owner }) => owner === this.room.player) ?? null;
    // Who only watches follows the best in sight.
    this.#followed = this.room.spectator ? best(fighters) : own;
    this.hud.scores(fighters);
    const alive = own !== null && own.hp > 0;
    const tick = session?.replica.tick ?? 0;
    this.#prediction.reconcile(alive ? own : null, tick, session?.settled.number ?? 0);
    if (this.#wasAlive && !alive) {
      this.#fellAt = tick;
    }
    if (alive && !this.#wasAlive) {
      this.told.fallenBy = "";
      this.#effects.ring(own.x, own.y, { from: 60, to: 14, color: OWN_COLOR, life: 0.5 });
    }
    this.#wasAlive = alive;
    this.#ammo = /** @type {any} */ (pick(newest, "Ammo")[0] ?? null);
    this.hud.ownState(this.#ammo, own?.hp ?? null);
    const wait = (this.#fellAt + RESPAWN_TICKS - tick) * this.#prediction.dt;
    this.hud.down(own && !alive ? { by: this.told.fallenBy, seconds: Math.max(wait, 0) } : null);
  }

  /**
   * @param {import("../../page/canvas.js").Paint} paint
   * @param {import("../../sdk/interpolation.js").Drawn[]} entities
   */
  #draw(paint, entities) {
    const { context, width, height, now, dt } = paint;
    this.#effects.step(now, dt);
    const fighters = /** @type {Fighter[]} */ (pick(entities, "Fighter"));
    const time = this.#time();
    const own = this.#place(fighters, time);
    const living = fighters.filter((fighter) => fighter.hp > 0);
    this.#look(
      own ?? living.find(({ owner }) => owner === this.#followed?.owner) ?? this.#followed,
      own !== null,
      paint,
    );
    this.#act(now, own ? this.#toScreen(own, paint) : { x: width / 2, y: height / 2 });
    this.#shoot(time, own);
    const { x, y, scale, middle } = this.#camera;
    context.save();
    const { x: shakeX, y: shakeY } = this.#effects.offset;
    context.translate(width / 2 + shakeX, height * middle + shakeY);
    context.scale(scale, scale);
    context.translate(-x, -y);
    const [right, up, down] = [
      width / 2 / scale + 8,
      (height * middle) / scale + 8,
      (height * (1 - middle)) / scale + 8,
    ];
    drawField(context, { left: x - right, top: y - up, right: x + right, bottom: y + down });
    for (const pickup of pick(entities, "Pickup")) {
      drawPickup(context, /** @type {any} */ (pickup), now);
    }
    this.#drawShots(context, entities, time, living);
    for (const fighter of living) {
      drawFighter(context, fighter, { color: this.#color(fighter.owner), now, ...this.#effects.of(fighter.owner) });
    }
    this.#effects.draw(context);
    context.restore();
    drawRim(context, paint);
    for (const fighter of living) {
      const at = this.#toScreen(fighter, paint);
      const isOwn = fighter.owner === this.room.player;
      drawLabel(context, fighter, { x: at.x, y: at.y - (FIGHTER_RADIUS + 5) * scale, own: isOwn });
    }
    this.#drawCorner(paint, living);
    if (!this.room.spectator) {
      this.controls.sticks.draw(paint);
    }
  }

  /** The time, in ticks, at which the server will execute what the hands do now. */
  #time() {
    const { session, clock } = this.room.client;
    return clock.time(performance.now()) + (session?.lead.ticks ?? 0);
  }

  /**
   * Puts the own fighter where it is predicted to be; gives it, or `null` while it is dead.
   *
   * @param {Fighter[]} fighters
   * @param {number} time
   * @returns {Fighter | null}
   */
  #place(fighters, time) {
    const predicted = this.#prediction.sample(time, performance.now());
    const own = fighters.find(({ owner }) => owner === this.room.player);
    if (!predicted || !own) {
      return null;
    }
    own.x = predicted.x;
    own.y = predicted.y;
    own.hp = predicted.hp;
    own.aim = this.#sent?.aim ?? own.aim;
    return own;
  }

  /**
   * Fires the own gun, as the server will.
   *
   * @param {number} time
   * @param {Fighter | null} own
   */
  #shoot(time, own) {
    if (!own || !this.#ammo || !this.#sent?.fire) {
      return;
    }
    if (this.shots.pull(time, { x: own.x, y: own.y, aim: this.#sent.aim }, this.#ammo)) {
      this.told.fired({ by: own.owner, at: own });
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {import("../../sdk/interpolation.js").Drawn[]} entities
   * @param {number} time
   * @param {Fighter[]} living
   */
  #drawShots(context, entities, time, living) {
    const key = (/** @type {{ slot: number, generation: number }} */ { slot, generation }) => `${slot}.${generation}`;
    const shots = entities.filter(({ kind }) => kind === "Shot");
    const hidden = this.shots.hide(shots.filter(({ fields }) => fields.owner === this.room.player).map(key));
    for (const shot of shots) {
      if (!hidden.has(key(shot))) {
        drawShot(context, /** @type {any} */ (shot.fields), this.#color(shot.fields.owner));
      }
    }
    for (const shot of this.shots.flying(
      time,
      living.filter(({ owner }) => owner !== this.room.player),
    )) {
      drawShot(context, shot, OWN_COLOR);
    }
  }

  /**
   * Moves the camera: with the own fighter, otherwise gently to whom there is to see.
   *
   * @param {Fighter | null} target
   * @param {boolean} own
   * @param {import("../../page/canvas.js").Paint} paint
   */
  #look(target, own, { width, height, dt }) {
    const camera = this.#camera;
    camera.scale = Math.max(Math.sqrt(width * height) / SIGHT, Math.max(width, height) / WIDEST_SIGHT);
    camera.middle = this.controls.sticks.shown && !this.room.spectator ? 0.45 : 0.5;
    if (!target) {
      return;
    }
    const far = Math.hypot(target.x - camera.x, target.y - camera.y) > 300;
    const follow = own || far ? 1 : 1 - Math.exp(-dt * 6);
    camera.x += (target.x - camera.x) * follow;
    camera.y += (target.y - camera.y) * follow;
  }

  /**
   * Sends what the hands do, if it is something else than before.
   *
   * @param {number} now
   * @param {Spot} own where the fighter is on the screen
   */
  #act(now, own) {
    if (this.room.spectator) {
      return;
    }
    if (!this.#helped && this.controls.active) {
      this.#helped = true;
      setTimeout(() => this.hud.help(""), 4000);
    }
    const trigger = this.controls.pulled || this.#sent?.fire;
    if (now - this.#sentAt < INPUT_SPACING && !trigger) {
      return;
    }
    const hands = this.controls.hands(own);
    const before = this.#sent;
    const same =
      before && before.fire === hands.fire && before.aim === hands.aim && String(before.walk) === String(hands.walk);
    if (same || (now - this.#sentAt < INPUT_SPACING && before?.fire === hands.fire)) {
      return;
    }
    const sent = this.room.send(hands);
    if (sent) {
      this.#sent = hands;
      this.#sentAt = now;
      this.#prediction.sent(sent);
    }
  }

  /** @param {number} player */
  #color(player) {
    return colorOf(player, this.room.player);
  }

  /**
   * @param {Spot} spot
   * @param {{ width: number, height: number }} paint
   */
  #toScreen({ x, y }, { width, height }) {
    const { scale, middle } = this.#camera;
    return { x: width / 2 + (x - this.#camera.x) * scale, y: height * middle + (y - this.#camera.y) * scale };
  }

  /**
   * @param {import("../../page/canvas.js").Paint} paint
   * @param {Fighter[]} living
   */
  #drawCorner({ context, width, height }, living) {
    if (width < 700) {
      return;
    }
    const side = 116;
    const dots = living.map(({ x, y, owner }) => ({
      x,
      y,
      color: this.#color(owner),
      own: owner === this.room.player,
    }));
    drawMap(
      context,
      { x: 16, y: height - side - 16, side },
      dots.sort((a, b) => Number(a.own) - Number(b.own)),
    );
  }
}

/**
 * The fields of all entities of a kind.
 *
 * @param {{ kind: string, fields: any }[]} entities
 * @param {string} kind
 */
function pick(entities, kind) {
  return entities.filter((entity) => entity.kind === kind && entity.fields).map((entity) => entity.fields);
}

/** @param {Fighter[]} fighters */
function best(fighters) {
  return fighters.reduce((/** @type {Fighter | null} */ top, one) => (top && top.score >= one.score ? top : one), null);
}
