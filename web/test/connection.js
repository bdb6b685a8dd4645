/** A `Connection` in each of its states, for tests: brought there by what happens to real ones. */

import { Backoff } from "../sdk/backoff.js";
import { Connection } from "../sdk/connection.js";

/** @typedef {import("../sdk/connection/kinds.js").Event} Event */
/** @typedef {import("../sdk/connection/kinds.js").Effect} Effect */
/** @typedef {import("../sdk/protocol.js").ServerMessage} ServerMessage */

/** @type {import("../sdk/protocol.js").Welcome} */
export const welcome = {
  protocol: 2,
  server: "test",
  games: ["crowd"],
  capabilities: 0,
  identity: null,
  credential: null,
};

/** @type {import("../sdk/protocol.js").Entered} */
export const entered = {
  request: 1,
  room: "0198a1b2-c3d4-7e5f-8091-a2b3c4d5e6f7",
  game: "crowd",
  player: 1,
  token: "11223344-5566-4788-99aa-bbccddeeff00",
  tick_hz: 20,
  send_every: 1,
  tick: 99,
  input: 0,
  epoch: 1,
  schema_hash: 0n,
  schema: null,
  code: "ABCDEF",
  spectator: false,
  grace_ms: 30_000,
  owner: 1,
  cut: null,
  protected: false,
};

/** A connection with a clock of its own. */
export class Bench {
  now = 1000;
  random = 0.5;
  /** Pings that are not answered. @type {number[]} */
  #asked = [];

  /** @param {{ seat?: boolean, probes?: boolean, patience?: number, backoff?: Backoff }} [options] */
  constructor({ seat = true, probes = false, patience, backoff = new Backoff() } = {}) {
    this.connection = new Connection({ seat, patience, backoff }, this.now);
    this.connection.probes = probes;
  }

  get state() {
    return this.connection.state;
  }

  /**
   * Something happens; returns the effects.
   *
   * @param {Event | Event["type"]} event
   * @param {number} [after] so many ms later
   */
  happen(event, after = 0) {
    this.now += after;
    const whole = /** @type {Event} */ (typeof event === "string" ? { type: event } : event);
    const effects = this.connection.handle(whole, this.now, this.random);
    for (const effect of effects) {
      if (effect.type === "send" && typeof effect.message === "object" && "Ping" in effect.message) {
        this.#asked.push(effect.message.Ping.number);
      }
    }
    return effects;
  }

  /** The server answers all pings. */
  answer() {
    this.#asked.splice(0).forEach((number) => this.hear({ Pong: { number, held_ms: 0 } }));
  }

  start() {
    return this.happen({ type: "start", url: "ws://test/ws" });
  }

  /**
   * The server says something.
   *
   * @param {ServerMessage | null} message
   * @param {number} [after]
   */
  hear(message, after = 0) {
    return this.happen({ type: "message", message }, after);
  }

  welcome() {
    return this.hear({ Welcome: welcome });
  }

  /** @param {Partial<import("../sdk/protocol.js").Entered>} [change] */
  enter(change) {
    return this.hear({ Entered: { ...entered, request: this.connection.request, ...change } });
  }

  /** From the start, or from an attempt, to where it is in. */
  ready() {
    if (this.state === "idle" || this.state === "over") {
      this.start();
    }
    if (this.state === "probing") {
      this.happen({ type: "probed", reachable: true });
    }
    this.happen("opened");
    this.welcome();
    if (this.connection.seat) {
      this.enter();
    }
    return this;
  }

  /** Has been in for a while, with frames and answers all the time. @param {number} [ms] */
  live(ms = 6000) {
    for (const end = this.now + ms; this.now < end; ) {
      this.hear(null, Math.min(50, end - this.now));
      this.answer();
      this.happen("tick");
    }
    return this;
  }

  /** The line breaks. */
  cut() {
    return this.happen({ type: "closed", code: null });
  }

  /** Passes the time to when there is something to do, and does it. */
  tick() {
    return this.happen("tick", Math.max(this.connection.deadline - this.now, 0));
  }

  /** Tries in vain until it gives up; returns how often it did. */
  fail() {
    let tries = 0;
    while (this.state === "waiting") {
      this.tick();
      tries += 1;
      this.happen({ type: "probed", reachable: false });
      this.cut();
    }
    return tries;
  }
}

/**
 * What effects are, in words.
 *
 * @param {Effect[]} effects
 */
export function inWords(effects) {
  return effects.map((effect) => {
    switch (effect.type) {
      case "send":
        return String(typeof effect.message === "string" ? effect.message : Object.keys(effect.message)[0]);
      case "tell":
        return `tell ${effect.told.type}`;
      default:
        return effect.type;
    }
  });
}

/** @type {Record<string, () => Bench>} Each of the states, and how one comes there. */
export const states = {
  idle: () => new Bench({ probes: true }),
  probing: () => {
    const bench = states.waiting();
    bench.tick();
    return bench;
  },
  connecting: () => {
    const bench = states.idle();
    bench.start();
    return bench;
  },
  hello: () => {
    const bench = states.connecting();
    bench.happen("opened");
    return bench;
  },
  entering: () => {
    const bench = states.hello();
    bench.welcome();
    bench.hear({ Pong: { number: 1, held_ms: 0 } }, 50);
    return bench;
  },
  ready: () => {
    const bench = states.entering();
    bench.enter();
    return bench.live();
  },
  waiting: () => {
    const bench = states.ready();
    bench.cut();
    return bench;
  },
  "gave up": () => {
    const bench = states.waiting();
    bench.fail();
    return bench;
  },
  over: () => {
    const bench = states.ready();
    bench.happen("close");
    return bench;
  },
};

const last = { message: "", frames: 0, retry_within_ms: 0 };
const refused = { message: "", retry_after_ms: null };

/**
 * What comes of an event in a state, as a cell of the table in docs/connection.md.
 *
 * @param {string} state
 * @param {string} event
 */
export function cell(state, event) {
  const bench = states[state]();
  const before = bench.state;
  const effects = inWords(events[event](bench)).join(", ");
  const next = bench.state === before ? "" : `**${bench.state}**`;
  return [next, effects].filter(Boolean).join(": ") || "·";
}

/** @type {Record<string, (bench: Bench) => Effect[]>} What can happen, in the words of docs/connection.md. */
export const events = {
  start: (bench) => bench.start(),
  "probed: reachable": (bench) => bench.happen({ type: "probed", reachable: true }),
  "probed: not": (bench) => bench.happen({ type: "probed", reachable: false }),
  opened: (bench) => bench.happen("opened"),
  "message: a frame": (bench) => bench.hear(null),
  "message: `Welcome`": (bench) => bench.welcome(),
  "message: `Entered`": (bench) => bench.enter(),
  "message: `Wait`": (bench) => bench.hear({ Wait: { request: 1, for_ms: 9000 } }),
  "message: `Ping`": (bench) => bench.hear({ Ping: { number: 7 } }),
  "message: `Pong`": (bench) => bench.hear({ Pong: { number: 7, held_ms: 0 } }),
  "message: `Redirect`": (bench) => bench.hear({ Redirect: { request: 1, url: "ws://b/ws", pass: new Uint8Array() } }),
  "message: `Refused`, final": (bench) => bench.hear({ Refused: { ...refused, request: 1, code: "RoomFull" } }),
  "message: `Refused`, passing": (bench) => bench.hear({ Refused: { ...refused, request: 1, code: "ServerFull" } }),
  "message: `Goodbye`, final": (bench) => bench.hear({ Goodbye: { ...last, code: "TakenOver" } }),
  "message: `Goodbye`, passing": (bench) => bench.hear({ Goodbye: { ...last, code: "Stopping" } }),
  "closed: final code": (bench) => bench.happen({ type: "closed", code: "Finished" }),
  "closed: passing code": (bench) => bench.happen({ type: "closed", code: "Internal" }),
  "closed: no code": (bench) => bench.cut(),
  "tick: it is time": (bench) => bench.tick(),
  "tick: silence": (bench) => {
    const before = bench.state;
    /** @type {Effect[]} */
    let effects = [];
    for (let ms = 0; ms < 6000 && bench.state === before; ms += 500) {
      effects = bench.happen("tick", 500);
    }
    return effects;
  },
  online: (bench) => bench.happen("online", 1500),
  visible: (bench) => bench.happen("visible", 1500),
  hidden: (bench) => bench.happen("hidden"),
  pagehide: (bench) => bench.happen("pagehide"),
  pageshow: (bench) => bench.happen("pageshow", 1500),
  retry: (bench) => bench.happen("retry", 1500),
  drop: (bench) => bench.happen("drop"),
  close: (bench) => bench.happen("close"),
};
