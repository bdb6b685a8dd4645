/**
 * A `Connection` on real sockets, timers and page events: the rim of all clients. As `client/src/link.rs`.
 *
 * Its owner says what to ask for and gets the news; `client.js`, `search.js` and the page's `lobby.js` are owners.
 */

import { Backoff } from "./backoff.js";
import { Connection } from "./connection.js";
import { ClientError } from "./error.js";
import { clientKey } from "./key.js";
import { CONTROL, VERSION, capabilities, codeOfClose, decodeControl, encodeMessage } from "./protocol.js";
import { Probe, connect, watchPage } from "./socket.js";

/** @typedef {import("./connection/kinds.js").Event} Event */
/** @typedef {import("./connection/kinds.js").Effect} Effect */
/** @typedef {import("./connection/kinds.js").Told} Told */
/** @typedef {import("./protocol.js").ClientMessage} ClientMessage */
/** @typedef {import("./socket.js").Line} Line */

/** The maximum time between checks of the time while something is waited for, in ms. */
const LOOK = 500;
/** The minimum time between them. */
const SOON = 4;

/**
 * @typedef {object} LinkOptions
 * @property {string} url the server: `ws://host:port/ws`
 * @property {string} [software] the client's name and version, for the server's logs: at most 32 bytes
 * @property {Uint8Array | null} [credential] a statement of who the player is, by somebody whom the server trusts
 * @property {Backoff} [backoff] the waits between attempts when the line breaks
 * @property {number} [patience] how long to try before the first success, in ms
 * @property {new (url: string) => Line} [WebSocket]
 * @property {() => number} [now] in ms, monotonic
 * @property {() => number} [random] from 0 up to 1
 */

/**
 * @typedef {object} Owner
 * @property {boolean} seat whether it wants a seat
 * @property {(request: number) => ClientMessage[]} wish its wish, under this number
 * @property {() => ClientMessage[]} farewell its last messages on a line that is dropped
 * @property {(told: Told) => void} told
 * @property {(bytes: Uint8Array) => void} [frame] takes a message that is no control message
 * @property {(now: number) => void} [look] called when time has passed
 * @property {() => number} [deadline] when `look` must be called next
 */

export class Link {
  /** @type {Line | null} */
  #socket = null;
  /** @type {Event[]} */
  #events = [];
  #busy = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #probe;
  /** @type {(() => void) | null} */
  #unwatch = null;

  /**
   * @param {LinkOptions} options
   * @param {Owner} owner
   */
  constructor(options, owner) {
    this.options = options;
    this.owner = owner;
    this.now = options.now ?? (() => performance.now());
    this.random = options.random ?? Math.random;
    const { backoff = new Backoff(), patience } = options;
    this.connection = new Connection({ seat: owner.seat, patience, backoff }, this.now());
    /** Why the owner could not go on. @type {unknown} */
    this.failure = null;
    this.#probe = new Probe((reachable) => this.handle({ type: "probed", reachable }));
  }

  /** View libraries that wrap plain objects leave this one as it is. */
  get [Symbol.toStringTag]() {
    return "Link";
  }

  /** The present URL of the server. */
  get url() {
    return this.connection.url;
  }

  /** A new number for a request that expects an answer. */
  request() {
    this.connection.request += 1;
    return this.connection.request;
  }

  /** @param {string} url */
  start(url) {
    this.#unwatch ??= watchPage((type) => this.handle({ type }));
    this.failure = null;
    this.handle({ type: "start", url });
  }

  /** Tries at once instead of waiting. */
  retry() {
    this.handle({ type: "retry" });
  }

  /**
   * Breaks the line on purpose.
   *
   * @param {number} [wait] how many ms it stays away at least
   */
  drop(wait) {
    this.handle({ type: "drop", wait });
  }

  /** Ends it for good. */
  close() {
    this.handle({ type: "close" });
  }

  /**
   * Sends on the open line. Returns whether there is one.
   *
   * @param {ClientMessage} message
   */
  send(message) {
    return this.sendBytes(encodeMessage(message));
  }

  /** @param {Uint8Array} bytes */
  sendBytes(bytes) {
    const open = this.#socket !== null && this.connection.state === "ready";
    if (open) {
      this.#write(bytes);
    }
    return open;
  }

  /** Notes that the owner's deadline has become earlier. */
  wake() {
    this.#schedule();
  }

  /**
   * Handles an event. Events that occur meanwhile are handled afterwards.
   *
   * @param {Event} event
   */
  handle(event) {
    this.#events.push(event);
    if (this.#busy) {
      return;
    }
    this.#busy = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        for (const effect of this.connection.handle(next, this.now(), this.random())) {
          this.#run(effect);
        }
      }
    } finally {
      this.#busy = false;
    }
    this.#schedule();
  }

  /** @param {Effect} effect */
  #run(effect) {
    switch (effect.type) {
      case "probe":
        return this.#probe.start(this.connection.url);
      case "open":
        return this.#open();
      case "shut":
        return this.#shut();
      case "greet":
        return this.#say([this.#hello()]);
      case "wish":
        return this.#say(this.owner.wish(effect.request));
      case "farewell":
        return this.#say(this.owner.farewell());
      case "send":
        return this.#say([effect.message]);
      case "tell":
        return this.#tell(effect.told);
    }
  }

  /** @param {Told} told */
  #tell(told) {
    if (told.type === "ready") {
      this.#probe.learn(this.connection.url, (works) => (this.connection.probes = works));
    } else if (told.type === "over" && told.why !== "gone") {
      this.#unwatch?.();
      this.#unwatch = null;
    }
    this.owner.told(told);
  }

  #open() {
    const socket = connect(this.options.WebSocket ?? /** @type {any} */ (globalThis.WebSocket), this.connection.url);
    if (socket === null) {
      this.handle({ type: "closed", code: null });
      return;
    }
    this.#socket = socket;
    const gone = (/** @type {number} */ code) => this.handle({ type: "closed", code: codeOfClose(code) ?? null });
    socket.onopen = () => this.handle({ type: "opened" });
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code }) => gone(code);
    socket.onerror = () => {
      // A close follows, but not from everything that calls itself a socket.
      if (this.connection.state === "connecting") {
        gone(0);
      }
    };
  }

  /** Drops the socket without waiting for a close that may hang. */
  #shut() {
    this.#probe.stop();
    const socket = this.#socket;
    this.#socket = null;
    if (socket !== null) {
      socket.onopen = null;
      socket.onmessage = null;
      socket.onclose = null;
      socket.onerror = () => {};
      socket.close();
    }
  }

  /** @param {ArrayBuffer | string} data */
  #receive(data) {
    if (typeof data === "string") {
      return this.fail(new ClientError("the server sent text"));
    }
    const bytes = new Uint8Array(data);
    try {
      this.handle({ type: "message", message: bytes[0] === CONTROL ? decodeControl(bytes) : null });
      if (bytes[0] !== CONTROL && this.connection.state === "ready") {
        this.owner.frame?.(bytes);
      }
    } catch (error) {
      this.fail(error);
    }
    this.#look();
  }

  /**
   * Ends it because the server broke the protocol, or the owner cannot go on.
   *
   * @param {unknown} error
   */
  fail(error) {
    this.failure = error;
    this.close();
  }

  /** @param {ClientMessage[]} messages */
  #say(messages) {
    messages.forEach((message) => this.#write(encodeMessage(message)));
  }

  /** @param {Uint8Array} bytes */
  #write(bytes) {
    try {
      this.#socket?.send(bytes);
    } catch {
      // It is closing; its close event, or silence, will tell.
    }
  }

  /** @returns {ClientMessage} */
  #hello() {
    const { software = "tiltyard-web 0.1.0", credential = null } = this.options;
    const bits = capabilities.PIECES | capabilities.PACE | capabilities.WAIT | capabilities.RESULT;
    return {
      Hello: { protocol: VERSION, client: software, client_key: clientKey(), credential, capabilities: bits },
    };
  }

  /** Whatever is due is done whenever anything happens, because timers of hidden pages sleep. */
  #look() {
    this.owner.look?.(this.now());
    this.handle({ type: "tick" });
  }

  #schedule() {
    clearTimeout(this.#timer);
    const own = this.connection.state === "ready" ? (this.owner.deadline?.() ?? Infinity) : Infinity;
    const due = Math.min(this.connection.deadline, own);
    if (due < Infinity) {
      const wait = Math.min(Math.max(due - this.now(), SOON), LOOK);
      this.#timer = setTimeout(() => this.#look(), wait);
    }
  }
}
