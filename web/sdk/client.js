/**
 * A player's client: a session on a connection that reconnects automatically. As `client/src/client.rs`.
 *
 * ```js
 * const client = new Client({ url: "ws://127.0.0.1:8080/ws", name: "Ann" });
 * client.on("frame", () => draw(client.replica.shown()));
 * await client.enter({ Game: "arena" });
 * client.send({ walk: [127, 0], aim: 0, fire: false });
 * ```
 *
 * Frames are decoded in the handler of their message; drawing belongs in the page's animation frame (see
 * `interpolation.js`). There are no private fields here, because view libraries wrap objects in proxies, which have
 * none.
 */

import { Aborted, ClientError, Redirected } from "./error.js";
import { knownSchema, schemaOf } from "./handshake.js";
import { Link } from "./link.js";
import { Session } from "./session.js";
import { Store, tell } from "./store.js";

/** @typedef {import("./connection/kinds.js").Told} Told */
/** @typedef {import("./protocol.js").Code} Code */
/** @typedef {import("./protocol.js").ClientMessage} ClientMessage */
/** @typedef {import("./protocol.js").Entered} Entered */
/** @typedef {import("./protocol.js").ServerMessage} ServerMessage */
/** @typedef {import("./protocol.js").Target} Target */
/** @typedef {import("./session.js").SessionEvent} SessionEvent */

/** The interval of looks at the time, short enough for reports: frames make them due without waking timers. */
const LOOK = 50;

/**
 * @typedef {object} ClientOptions
 * @property {string} [name] the player's name: at most 32 bytes
 * @property {boolean} [verify] whether every frame carries a hash, instead of one in 128
 * @property {boolean} [spectate] whether to watch instead of playing
 */

/** @typedef {import("./link.js").LinkOptions & ClientOptions} Options */

/**
 * The state of the connection for a page. `until`: the time of the last attempt, by the client's `now`.
 *
 * @typedef {{ status: "idle" }
 *   | { status: "connecting" }
 *   | { status: "playing" }
 *   | { status: "reconnecting", attempt: number, wait: number, until: number }
 *   | { status: "over", code: Code | null, message: string }} State
 */

/** A client in a room, or on its way there. */
export class Client {
  /** @param {Options} options */
  constructor(options) {
    this.options = { name: "", verify: false, spectate: false, ...options };
    /** @type {Session | null} The seat, once there is one. */
    this.session = null;
    /** @type {Store<State>} */
    this.state = new Store(/** @type {State} */ ({ status: "idle" }));
    /** @type {Store<number>} The tick of the last applied frame: changes with every frame. */
    this.tick = new Store(0);
    /** @type {string[]} The games of the server, once it has told them. */
    this.games = [];
    /** The result of the match, once the server has told it. @type {any} */
    this.result = null;
    /** @private @type {Map<string, Set<(event: any) => void>>} */
    this.listeners = new Map();
    /**
     * The wish that waits for an answer.
     *
     * @private @type {{ target: Target, resolve: (seat: Entered) => void, reject: (error: unknown) => void } | null}
     */
    this.wish = null;
    /** @private @type {Redirected | null} */
    this.redirected = null;
    /** @private @type {Target | null} The pass of a redirect, to be used instead of the resume. */
    this.pass = null;
    /** @private @type {Link} */
    this.link = new Link(this.options, {
      seat: true,
      wish: (request) => [this.enterMessage(request)],
      farewell: () => (this.wish !== null ? ["Leave"] : []),
      told: (told) => this.told(told),
      frame: (bytes) => this.handled((session, now) => session.handle(bytes, now)),
      look: (now) => this.look(now),
      deadline: () => Math.min(this.session?.deadline ?? Infinity, this.link.now() + LOOK),
    });
  }

  /** View libraries that wrap plain objects leave this one as it is. */
  get [Symbol.toStringTag]() {
    return "Client";
  }

  /** The client's view of the world. */
  get replica() {
    return this.seated.replica;
  }

  /** The clock. */
  get clock() {
    return this.seated.clock;
  }

  /** The client's player in its room. */
  get player() {
    return this.seated.seat.player;
  }

  /** @private */
  get seated() {
    if (this.session === null) {
      throw new ClientError("there is no seat yet");
    }
    return this.session;
  }

  /**
   * Connects, says hello, and takes a seat. A `Resume` of a seat that somebody else had (such as the page before this
   * one) continues after the highest input number that the server has taken in for it.
   *
   * Tries for `options.patience` if the server cannot be reached or refuses for now. `close()` and the signal end that;
   * they have no effect on `enter` once it has its seat.
   *
   * @param {Target} target
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Promise<Entered>}
   * @throws {ClientError} with the server's code; {@link Aborted}; a second wish while one is waiting is refused
   */
  async enter(target, { signal } = {}) {
    const { status } = this.state.get();
    if (status !== "idle" && status !== "over") {
      throw new ClientError(this.wish ? "the client is entering already" : "the client has a seat already");
    }
    if (signal?.aborted) {
      throw new Aborted();
    }
    const close = () => this.close();
    signal?.addEventListener("abort", close);
    this.state.set({ status: "connecting" });
    try {
      return await new Promise((resolve, reject) => {
        this.wish = { target, resolve, reject };
        this.link.start(this.options.url);
      });
    } finally {
      signal?.removeEventListener("abort", close);
    }
  }

  /**
   * Calls back for every event of this type; returns a function that stops it. The types are those of a session's
   * events, `reconnecting`, `reconnected`, and `transferred`: the server has stopped and sent the client to another room
   * of the game, where everything begins anew with another `session`, `replica` and `player`.
   *
   * @template {SessionEvent["type"] | "reconnecting" | "reconnected" | "transferred"} T
   * @param {T} type
   * @param {(event: Extract<SessionEvent, { type: T }>) => void} listener
   */
  on(type, listener) {
    const listeners = this.listeners.get(type) ?? new Set();
    this.listeners.set(type, listeners.add(listener));
    return () => {
      listeners.delete(listener);
    };
  }

  /**
   * Sends an input; returns `null` if too many are unanswered. While the line is broken, inputs are kept and sent after
   * the resume.
   *
   * @param {any} input
   * @throws {import("./protocol/codec.js").CodecError} if it is no input of this game
   * @throws {import("./error.js").InputTooLarge} if no server takes it
   */
  send(input) {
    const sent = this.seated.send(input, this.link.now());
    this.flush();
    this.link.wake();
    return sent;
  }

  /** Gives up the seat; `goodbye` follows. */
  leave() {
    this.seated.leave();
    this.flush();
  }

  /** Breaks the line on purpose, as a test or a changed network does. The client comes back by itself. */
  dropLine() {
    this.link.drop();
  }

  /**
   * Ends the client without a message: the seat is kept for a while, but nobody comes back to it. A waiting wish is
   * withdrawn: `enter` rejects.
   */
  close() {
    this.link.close();
  }

  /** Tries at once instead of waiting, also after having given up. */
  retry() {
    this.link.retry();
  }

  /**
   * @private
   * @param {number} request
   * @returns {ClientMessage}
   */
  enterMessage(request) {
    const target = this.pass ?? this.wish?.target ?? { Resume: this.seated.resume() };
    const { name, verify, spectate } = this.options;
    const schema = knownSchema(target, this.session?.seat.game);
    return { Enter: { request, target, name, schema, verify, spectate } };
  }

  /**
   * @private
   * @param {Told} told
   */
  told(told) {
    switch (told.type) {
      case "message":
        return this.heard(told.message);
      case "ready":
        return "Entered" in told.message ? this.entered(told.message.Entered) : undefined;
      case "redirect":
        // From now on the seat is there. Without a pass the wish is repeated there.
        this.redirected = new Redirected(told.url, told.pass);
        this.pass = told.pass.length > 0 ? { Pass: told.pass } : null;
        return;
      case "lost":
        return this.session?.lost();
      case "waiting": {
        const { attempt, wait, until } = told;
        // A pass is good for one attempt, at the server that it is for.
        this.pass = null;
        if (this.wish === null) {
          this.state.set({ status: "reconnecting", attempt, wait, until });
          this.tellAll("reconnecting", { attempt, wait });
        }
        return;
      }
      case "over":
        return this.ended(told);
    }
  }

  /**
   * @private
   * @param {Entered} seat
   */
  entered(seat) {
    const { wish, link } = this;
    const now = link.now();
    const moved = wish === null && !isSame(this.seated.seat, seat);
    this.pass = null;
    this.options.url = link.url;
    try {
      if (wish !== null) {
        this.session = new Session(seat, schemaOf(seat), now, link.connection.pulse);
        this.wish = null;
      } else if (moved) {
        this.session = transferred(this.seated, seat, now);
      } else {
        this.seated.resumed(seat, now);
      }
    } catch (error) {
      link.fail(error);
      return;
    }
    this.state.set({ status: "playing" });
    wish?.resolve(seat);
    if (wish === null) {
      this.tellAll(moved ? "transferred" : "reconnected", {});
    }
    this.flush();
  }

  /**
   * @private
   * @param {ServerMessage} message
   */
  heard(message) {
    if ("Welcome" in message) {
      this.games = message.Welcome.games;
    } else if (this.session !== null && this.wish === null) {
      this.handled((session) => session.handleMessage(message));
    }
  }

  /**
   * @private
   * @param {(session: Session, now: number) => void} handle
   */
  handled(handle) {
    try {
      handle(this.seated, this.link.now());
    } catch (error) {
      this.link.fail(error);
    }
    this.tellEvents();
    this.flush();
  }

  /** @private */
  tellEvents() {
    for (const event of this.seated.drainEvents()) {
      if (event.type === "frame") {
        this.tick.set(event.head.tick);
      } else if (event.type === "result") {
        this.result = event.result;
      }
      this.tellAll(event.type, event);
    }
  }

  /**
   * @private
   * @param {string} type
   * @param {object} event
   */
  tellAll(type, event) {
    [...(this.listeners.get(type) ?? [])].forEach((listener) => tell(listener, event));
  }

  /** @private Sends the session's messages if there is a line; otherwise they wait for the resume. */
  flush() {
    if (this.link.connection.state === "ready" && this.session !== null) {
      this.session.drainOutgoing().forEach((bytes) => this.link.sendBytes(bytes));
    }
  }

  /**
   * @private
   * @param {number} now
   */
  look(now) {
    if (this.link.connection.state === "ready") {
      this.session?.handleTime(now);
      this.flush();
    }
  }

  /**
   * @private
   * @param {Extract<Told, { type: "over" }>} told
   */
  ended({ why, code, message }) {
    const { wish, redirected, link } = this;
    const failure = link.failure instanceof Error ? link.failure : null;
    this.wish = null;
    this.pass = null;
    this.session?.lost();
    this.state.set({ status: "over", code, message: failure?.message ?? message });
    if (failure !== null) {
      wish?.reject(failure);
    } else if (why === "closed") {
      wish?.reject(new Aborted());
    } else {
      wish?.reject(why === "redirected" ? redirected : new ClientError(message, code));
    }
  }
}

/** Whether it is the same seat, on a new connection. @param {Entered} before @param {Entered} now */
function isSame(before, now) {
  return before.room === now.room && before.token === now.token;
}

/**
 * A session for a seat in another room, of the same game: everything begins anew but the counts.
 *
 * @param {Session} before
 * @param {Entered} seat
 * @param {number} now
 */
function transferred(before, seat, now) {
  const session = new Session(seat, schemaOf(seat), now, before.pulse);
  session.counts = before.counts;
  session.counts.transfers += 1;
  if (before.leaving) {
    session.leave();
  }
  return session;
}
