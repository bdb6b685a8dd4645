/**
 * A player's client: a session on a WebSocket that comes back by itself when the line breaks. As
 * `bot-client/src/client.rs`.
 *
 * ```js
 * const client = new Client({ url: "ws://127.0.0.1:8080/ws", name: "Ann" });
 * client.on("frame", () => draw(client.replica.shown()));
 * await client.enter({ Game: "arena" });
 * client.send({ walk: [127, 0], aim: 0, fire: false });
 * ```
 *
 * Frames are decoded in the handler of their message; drawing is for the page's animation frame (see
 * `interpolation.js`).
 */

import { Backoff } from "./backoff.js";
import { ClientError, LineError, Redirected } from "./error.js";
import { open } from "./handshake.js";
import { codeOfClose } from "./protocol.js";
import { CodecError } from "./protocol/codec.js";
import { Session, Violation } from "./session.js";
import { Store } from "./store.js";

/** @typedef {import("./protocol.js").Code} Code */
/** @typedef {import("./protocol.js").Target} Target */
/** @typedef {import("./session.js").SessionEvent} SessionEvent */
/** @typedef {import("./socket.js").Line} Line */

/** A line that is open is looked at so often. */
const LOOK = 500;

/** Most redirects that are followed for one wish. */
const REDIRECTS = 3;

/**
 * @typedef {object} Options
 * @property {string} url the server: `ws://host:port/ws`
 * @property {string} [name] the player's: at most 32 bytes
 * @property {boolean} [verify] whether every frame shall carry a hash, instead of one in 128
 * @property {boolean} [spectate] whether to watch instead of to play
 * @property {string} [software] what the client is, for the server's logs: at most 32 bytes
 * @property {Backoff} [backoff] what to do when the line breaks
 * @property {new (url: string) => Line} [WebSocket]
 * @property {() => number} [now] in ms, monotonic
 * @property {() => number} [random] from 0 up to 1
 */

/**
 * What a page shows of the connection.
 *
 * @typedef {{ status: "idle" }
 *   | { status: "connecting" }
 *   | { status: "playing" }
 *   | { status: "reconnecting", attempt: number, wait: number }
 *   | { status: "over", code: Code | null, message: string }} State
 */

/** A client in a room, or on its way there. */
export class Client {
  /** @type {Line | null} */
  #line = null;
  /** @type {Map<string, Set<(event: any) => void>>} */
  #listeners = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #attempt = 0;

  /** @param {Options} options */
  constructor(options) {
    this.options = {
      name: "",
      verify: false,
      spectate: false,
      software: "tiltyard-web 0.1.0",
      backoff: new Backoff(),
      now: () => performance.now(),
      random: Math.random,
      ...options,
    };
    /** @type {Session | null} The seat, once there is one. */
    this.session = null;
    /** @type {Store<State>} */
    this.state = new Store(/** @type {State} */ ({ status: "idle" }));
    /** @type {Store<number>} The tick of the last frame applied: changes with every one. */
    this.tick = new Store(0);
    /** @type {string[]} The games that the server offers, once it has given a seat. */
    this.games = [];
  }

  /** What the client sees. */
  get replica() {
    return this.#seated.replica;
  }

  /** What tick it is. */
  get clock() {
    return this.#seated.clock;
  }

  /** Who the client is in its room. */
  get player() {
    return this.#seated.seat.player;
  }

  get #seated() {
    if (this.session === null) {
      throw new ClientError("there is no seat yet");
    }
    return this.session;
  }

  /**
   * Connects, says hello, and takes a seat. To `Resume` one that somebody else had (the page before this one, say) goes
   * on behind the highest input number that the server has taken in for it.
   *
   * @param {Target} target
   * @returns {Promise<import("./protocol.js").Entered>}
   * @throws {ClientError}
   */
  async enter(target) {
    if (this.#line !== null || this.state.get().status === "reconnecting") {
      throw new ClientError("the client has a seat already");
    }
    this.state.set({ status: "connecting" });
    try {
      const { seat, schema, line, early } = await this.#open(target);
      this.session = new Session(seat, schema, this.options.now());
      this.#attach(line, early);
      return seat;
    } catch (error) {
      this.#end(error);
      throw error;
    }
  }

  /**
   * Calls back whenever something of this type happens; returns what ends that. Types are those of a session's events,
   * `reconnecting` and `reconnected`.
   *
   * @template {SessionEvent["type"] | "reconnecting" | "reconnected"} T
   * @param {T} type
   * @param {(event: Extract<SessionEvent, { type: T }>) => void} listener
   */
  on(type, listener) {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
    return () => {
      listeners.delete(listener);
    };
  }

  /**
   * Sends an input; `null` if so many are unanswered that another makes no sense. While the line is broken it is kept
   * and sent after the resume.
   *
   * @param {any} input
   * @throws {CodecError} if it is no input of this game
   */
  send(input) {
    const sent = this.#seated.send(input, this.options.now());
    this.#flush();
    return sent;
  }

  /** Gives the seat up; `goodbye` follows. */
  leave() {
    this.#seated.leave();
    this.#flush();
  }

  /** Breaks the line on purpose, as a test or a changed network does. The client comes back by itself. */
  dropLine() {
    if (this.#line !== null) {
      this.#lose();
    }
  }

  /** Ends the client without a word: the seat is kept for a while, but nobody comes back to it. */
  close() {
    this.#drop();
    this.state.set({ status: "over", code: null, message: "closed" });
  }

  /** Tries at once instead of waiting: for a page that hears that the network is back. */
  retry() {
    if (this.state.get().status === "reconnecting" && this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#resume();
    }
  }

  /**
   * From a URL to a seat, also when the server sends on to another.
   *
   * @param {Target} target
   */
  async #open(target) {
    for (let left = REDIRECTS; ; left -= 1) {
      try {
        const opened = await open(this.options, target, this.session?.seat.game);
        this.games = opened.games;
        return opened;
      } catch (error) {
        if (!(error instanceof Redirected) || left === 0) {
          throw error;
        }
        // From now on that is where the seat is, also for a resume. Without a pass the wish is said there once more.
        this.options.url = error.url;
        target = error.pass.length > 0 ? { Pass: error.pass } : target;
      }
    }
  }

  /**
   * Lets the session live on a line.
   *
   * @param {Line} line
   * @param {Uint8Array[]} early messages that have arrived already
   */
  #attach(line, early) {
    this.#line = line;
    this.#attempt = 0;
    this.state.set({ status: "playing" });
    line.onmessage = (event) => this.#receive(event.data);
    line.onerror = () => {};
    line.onclose = (event) => this.#closed(event.code);
    for (const bytes of early) {
      this.#handle(bytes);
    }
    this.#flush();
    this.#look();
  }

  /** @param {ArrayBuffer | string} data */
  #receive(data) {
    if (data instanceof ArrayBuffer) {
      this.#handle(new Uint8Array(data));
    } else {
      this.#end(new Violation("a message of text"));
    }
  }

  /** @param {Uint8Array} bytes */
  #handle(bytes) {
    const session = this.#seated;
    try {
      session.handle(bytes, this.options.now());
    } catch (error) {
      if (error instanceof CodecError || error instanceof Violation) {
        this.#end(error);
        return;
      }
      throw error;
    }
    this.#flush();
    for (const event of session.drainEvents()) {
      if (event.type === "frame") {
        this.tick.set(event.head.tick);
      }
      this.#tell(event.type, event);
      if (event.type === "goodbye" && event.code !== "Unresponsive") {
        this.#end(new ClientError(event.message, event.code));
      }
    }
  }

  /**
   * @param {string} type
   * @param {object} event
   */
  #tell(type, event) {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) {
      try {
        listener(event);
      } catch (error) {
        // The page's fault is the page's: it is told as any other error, and nobody else misses an event for it.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** Sends what the session has to say, if there is a line; otherwise it is said after the resume. */
  #flush() {
    if (this.#line === null) {
      return;
    }
    for (const bytes of this.#seated.drainOutgoing()) {
      this.#line.send(bytes);
    }
  }

  /** Does what time demands, and sees to be called again. */
  #look() {
    if (this.#line === null) {
      return;
    }
    const now = this.options.now();
    const session = this.#seated;
    session.handleTime(now);
    this.#flush();
    if (session.pulse.isDead(now)) {
      this.#lose();
      return;
    }
    const wait = Math.min(Math.max(session.deadline - now, 10), LOOK);
    // A report falls due after a frame, which does not wake this: so look as often as reports are due.
    this.#timer = setTimeout(() => this.#look(), Math.min(wait, 50));
  }

  /** @param {number} closeCode */
  #closed(closeCode) {
    const code = codeOfClose(closeCode);
    if (code === undefined || code === "Unresponsive") {
      this.#lose();
    } else {
      this.#end(new ClientError(String(code), code));
    }
  }

  /** The line is broken: a first attempt to come back follows, after a wait. */
  #lose() {
    this.#drop();
    if (this.state.get().status === "playing") {
      this.#wait();
    }
  }

  #wait() {
    this.#attempt += 1;
    const wait = this.options.backoff.wait(this.#attempt, this.options.random());
    if (wait === null) {
      this.#end(new ClientError("no connection"));
      return;
    }
    this.state.set({ status: "reconnecting", attempt: this.#attempt, wait });
    this.#tell("reconnecting", { attempt: this.#attempt, wait });
    this.#timer = setTimeout(() => this.#resume(), wait);
  }

  async #resume() {
    this.#timer = undefined;
    const session = this.#seated;
    try {
      const { seat, line, early } = await this.#open({ Resume: session.resume() });
      if (this.state.get().status !== "reconnecting") {
        line.close();
        return;
      }
      session.resumed(seat, this.options.now());
      this.#attach(line, early);
      this.#tell("reconnected", {});
    } catch (error) {
      if (this.state.get().status !== "reconnecting") {
        return;
      }
      if (error instanceof LineError) {
        this.#wait();
      } else {
        this.#end(error);
      }
    }
  }

  /** @param {unknown} error */
  #end(error) {
    this.#drop();
    const message = error instanceof Error ? error.message : String(error);
    this.state.set({ status: "over", code: error instanceof ClientError ? error.code : null, message });
  }

  /** Lets go of the line, and of what was to be done about it. */
  #drop() {
    clearTimeout(this.#timer);
    const line = this.#line;
    this.#line = null;
    if (line !== null) {
      line.onmessage = null;
      line.onclose = null;
      line.close();
    }
  }
}
