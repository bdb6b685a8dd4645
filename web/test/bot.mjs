/**
 * A player of the arena on the SDK, as a page would be one, that notes whatever is not as it must be. `live.mjs` runs
 * many of them.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";

import { Client, Interpolation, Prediction } from "../sdk/index.js";

/** A goodbye that does not come in this time, in ms, will not come. */
const PATIENCE = 10_000;

/** @type {import("../sdk/prediction.js").Rules<{ x: number, y: number }, { walk: [number, number] }>} */
const rules = {
  step({ x, y }, inputs, held, dt) {
    const [right, down] = (held?.walk ?? [0, 0]).map((part) => part / 127);
    const distance = (200 * dt) / Math.max(Math.hypot(right, down), 1);
    const inside = (/** @type {number} */ at) => Math.min(Math.max(at, 16), 2048 - 16);
    return { x: inside(x + right * distance), y: inside(y + down * distance) };
  },
  smooth: ["x", "y"],
  snap: 100,
  tolerance: 2 / 16,
};

/** One bot: walks about, shoots, draws what it sees to nowhere, and loses its line in the middle if it is told to. */
export class Bot {
  events = 0;
  settled = 0;
  entities = 0;
  /** @type {string[]} What went wrong, in words. */
  complaints = [];
  /** When its first frame came and when its last, and how many there were from one to the other. */
  seen = { first: 0, last: 0, between: -1 };
  #lastTick = 0;

  /**
   * @param {string} url
   * @param {number} number
   * @param {{ milliseconds: number, drop: boolean }} plan how long it plays, and whether it loses its line once
   */
  constructor(url, number, plan) {
    this.number = number;
    this.plan = plan;
    const name = `web-${number}`;
    this.client = new Client({ url, name, verify: true, WebSocket: /** @type {any} */ (WebSocket) });
  }

  /**
   * Enters, plays, leaves, and compares what it read with what it was handed.
   *
   * @param {import("../sdk/protocol.js").Target} target
   */
  async live(target) {
    try {
      this.#listen();
      const seat = await this.client.enter(target);
      await this.#play(seat.tick_hz);
      await this.#leave();
    } catch (error) {
      this.complaints.push(`bot ${this.number}: ${error instanceof Error ? error.message : error}`);
      this.client.close();
    }
    return this;
  }

  #listen() {
    const { client } = this;
    client.on("event", () => (this.events += 1));
    client.on("settled", () => (this.settled += 1));
    client.on("resyncing", ({ reason }) => this.#check(reason === "lag" || reason === "hash mismatch", reason));
    client.on("frame", ({ head }) => {
      this.#check(head.tick > this.#lastTick, "its ticks fell");
      this.#lastTick = head.tick;
      const now = performance.now();
      const { first, between } = this.seen;
      this.seen = { first: first || now, last: now, between: between + 1 };
    });
  }

  /** @param {number} tickHz */
  async #play(tickHz) {
    const { client, number } = this;
    const { milliseconds, drop } = this.plan;
    const drawing = this.#draw(tickHz);
    const start = performance.now();
    let dropped = !drop;
    while (performance.now() - start < milliseconds && client.state.get().status !== "over") {
      const aim = (performance.now() / 700 + number) % (2 * Math.PI);
      const walk = [Math.cos(aim), Math.sin(aim)].map((part) => Math.round(part * 127));
      const sent = client.send({ walk, aim, fire: true });
      if (sent !== null) {
        drawing.sent(sent);
      }
      await sleep(40 + 20 * (number % 3));
      if (!dropped && performance.now() - start > milliseconds / 2) {
        dropped = true;
        client.dropLine();
      }
    }
    drawing.end();
  }

  /**
   * What a page does: 60 times a second it asks where everybody is, and where its own fighter will be.
   *
   * @param {number} tickHz
   */
  #draw(tickHz) {
    const { client } = this;
    const session = /** @type {import("../sdk/session.js").Session} */ (client.session);
    const interpolation = new Interpolation(session.schema.entity);
    const prediction = new Prediction(rules, tickHz);
    const ignore = client.on("frame", ({ head }) => {
      interpolation.observe(client.replica);
      const shown = client.replica.shown();
      this.entities = shown.length;
      const isOwn = (/** @type {any} */ { kind, fields }) => kind === "Fighter" && fields.owner === client.player;
      const own = shown.find(isOwn)?.fields;
      prediction.reconcile(own ? { x: own.x, y: own.y } : null, head.tick, session.settled.number);
    });
    const drawing = setInterval(() => {
      const now = performance.now();
      interpolation.sample(session.playout.draw(now));
      prediction.sample(client.clock.time(now) + session.lead.ticks, now);
    }, 16);
    return {
      sent: (/** @type {any} */ input) => prediction.sent(input),
      end() {
        clearInterval(drawing);
        ignore();
      },
    };
  }

  /** On one connection nothing is lost, so the frames read must be those handed over. */
  async #leave() {
    const { client } = this;
    const over = new Promise((resolve) => client.on("goodbye", resolve));
    client.leave();
    const late = sleep(PATIENCE, null, { ref: false });
    const goodbye = /** @type {any} */ (await Promise.race([over, late]));
    this.#check(goodbye?.code === "Left", `its goodbye was ${goodbye?.code ?? "none"}`);
    const { frames, verified, stale, mismatches, reconnects } = this.counts;
    const exact = this.plan.drop ? frames <= goodbye?.frames : frames === goodbye?.frames;
    this.#check(exact, `it read ${frames} frames of ${goodbye?.frames} handed over`);
    this.#check(verified + stale + mismatches === frames, `${verified} of ${frames} frames had a hash`);
    this.#check(reconnects === Number(this.plan.drop), `it came back ${reconnects} times`);
  }

  /** What its session has counted. */
  get counts() {
    return /** @type {import("../sdk/session.js").Session} */ (this.client.session).counts;
  }

  /** Frames a second from the first to the last; 0 with less than two. */
  get framesPerSecond() {
    const { first, last, between } = this.seen;
    return last > first ? (1000 * between) / (last - first) : 0;
  }

  /**
   * @param {boolean} holds
   * @param {string} complaint
   */
  #check(holds, complaint) {
    if (!holds) {
      this.complaints.push(`bot ${this.number}: ${complaint}`);
    }
  }
}
