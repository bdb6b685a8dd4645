/**
 * The SDK under Node as a client of the lab of lines: what a page would do with it, and notes. `lab/tests/lines` runs it and
 * says `enter` and `end` on standard input; what is printed is what its `child.rs` says.
 *
 * `node test/lab.mjs URL ROOM PLAYERS`
 */

import { createInterface } from "node:readline";
import { WebSocket } from "ws";

import { Client, Interpolation } from "../sdk/index.js";

/** A screen draws so often, in ms. */
const DRAW = 1000 / 60;

/** Inputs go out with every so-manieth draw. */
const ACTS = 6;

const [url, room, players] = process.argv.slice(2);

/** @param {object} what */
const say = (what) => console.log(JSON.stringify(what));

/** Milliseconds of the machine's clock, from one that does not jump. */
const wall = () => performance.timeOrigin + performance.now();

/** A player that notes what it sees, in the words of `record.rs`. */
class Player {
  record = {
    asked: 0,
    frames: /** @type {[number, number, number][]} */ ([]),
    draws: /** @type {{ at: number, count: number, under: number, delay: number, tick: number, lag: number }[]} */ ([]),
    resyncs: /** @type {number[]} */ ([]),
    breaks: /** @type {number[]} */ ([]),
    reconnects: 0,
    mismatches: 0,
    bad_frames: 0,
    events: /** @type {number[]} */ ([]),
    own_seat: false,
    over: /** @type {string | null} */ (null),
  };
  #told = false;
  #ended = false;
  #me = 0;
  #draws = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {number} number */
  constructor(number) {
    this.number = number;
    this.client = new Client({ url, name: `node-${number}`, verify: true, WebSocket: /** @type {any} */ (WebSocket) });
  }

  async enter() {
    this.#listen();
    this.record.asked = wall();
    try {
      this.#me = (await this.client.enter({ Room: room })).player;
    } catch (error) {
      this.record.over = `no way in: ${error instanceof Error ? error.message : error}`;
      this.#tell();
      return;
    }
    const { schema, playout } = /** @type {import("../sdk/session.js").Session} */ (this.client.session);
    this.interpolation = new Interpolation(schema.entity);
    this.playout = playout;
    this.#draw(performance.now());
  }

  #listen() {
    const { client, record } = this;
    client.on("frame", ({ head, bytes }) => {
      record.frames.push([wall(), head.tick, bytes]);
      this.interpolation?.observe(client.replica);
      this.#tell();
    });
    client.on("event", ({ event, number }) => {
      // Told to one alone: nobody else can say whether it was.
      if (event !== "Empty") {
        record.events.push(number);
      }
    });
    client.on("resyncing", () => record.resyncs.push(wall()));
    client.on("reconnecting", () => record.breaks.push(wall()));
    client.state.subscribe((state) => {
      if (state.status === "over" && !this.#ended) {
        record.over ??= state.message;
      }
    });
  }

  #tell() {
    if (!this.#told) {
      this.#told = true;
      say({ in: this.number });
    }
  }

  /** @param {number} due */
  #draw(due) {
    const now = performance.now();
    const { interpolation, playout, record } = this;
    if (interpolation === undefined || playout === undefined) {
      return;
    }
    const before = playout.underruns;
    const shown = playout.draw(now);
    interpolation.sample(shown);
    const at = Math.floor(wall() / 100) * 100;
    let draws = record.draws.at(-1);
    if (draws === undefined || draws.at < at) {
      draws = { at, count: 0, under: 0, delay: 0, tick: 0, lag: 0 };
      record.draws.push(draws);
    }
    draws.count += 1;
    // What is told of earlier draws counts here: at most a frame's interval late.
    draws.under += playout.underruns - before;
    draws.delay += playout.delay / playout.tickMs;
    draws.tick += shown;
    draws.lag = Math.max(draws.lag, now - due);
    this.#draws += 1;
    if (this.#draws % ACTS === 0) {
      this.#act();
    }
    // A process that was stopped does not make up for it.
    const next = Math.max(due + DRAW, now);
    this.#timer = setTimeout(() => this.#draw(next), next - now);
  }

  /** Walks in a circle and shoots. */
  #act() {
    const turn = (this.#draws / 60 + this.number) % (2 * Math.PI);
    const walk = [Math.cos(turn), Math.sin(turn)].map((part) => Math.round(part * 127));
    if (this.client.state.get().status !== "over") {
      this.client.send({ walk, aim: turn, fire: this.#draws % 60 < 30 });
    }
  }

  end() {
    this.#ended = true;
    clearTimeout(this.#timer);
    const { client, record } = this;
    if (client.session !== null) {
      const { reconnects, mismatches, badFrames } = client.session.counts;
      Object.assign(record, { reconnects, mismatches, bad_frames: badFrames });
      const isOwn = (/** @type {any} */ { kind, fields }) => kind === "Fighter" && fields.owner === this.#me;
      record.own_seat = client.player === this.#me && client.replica.shown().some(isOwn);
    }
    client.close();
    return record;
  }
}

const all = Array.from({ length: Number(players) }, (_, number) => new Player(number));
say({ ready: true });
for await (const word of createInterface({ input: process.stdin })) {
  if (word === "enter") {
    all.forEach((player) => void player.enter());
  } else if (word === "end") {
    break;
  }
}
// What goes into a pipe must be there before the process ends.
process.stdout.write(`${JSON.stringify({ records: all.map((player) => player.end()) })}\n`, () => process.exit());
