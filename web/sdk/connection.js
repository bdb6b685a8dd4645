/**
 * The life of a connection, for a room, a lobby, a search or chat. Pure: it takes events, the time and random numbers,
 * and returns effects. As `client/src/connection.rs`; `link.js` runs it on a WebSocket.
 *
 * docs/connection.md has the whole table of states and events; a test runs that table against this file.
 */

import { Attempts } from "./connection/attempts.js";
import { meaning } from "./connection/meaning.js";
import { Vigil } from "./connection/vigil.js";
import { isFinal } from "./protocol.js";

/** @typedef {import("./protocol.js").Code} Code */
/** @typedef {import("./protocol.js").ServerMessage} ServerMessage */
/** @typedef {import("./connection/kinds.js").State} State */
/** @typedef {import("./connection/kinds.js").Event} Event */
/** @typedef {import("./connection/kinds.js").Effect} Effect */

/** How long to try before the first seat, and again after having given up. */
const PATIENCE = 10_000;
/** The maximum wait for the server's welcome, and for a seat. */
const HELLO = 5000;
const ENTER = 10_000;
/** The minimum age of an attempt that is replaced by a fresh one when the network or the page comes back. */
const FRESH = 1000;
/** The maximum number of redirects to follow for one wish. */
const REDIRECTS = 3;

export class Connection {
  /** @type {Effect[]} */
  #effects = [];
  #now = 0;
  #random = 0;
  #vigil;
  /** The time of the next attempt. */
  #due = Infinity;
  /** How long the server keeps the seat. */
  #grace = Infinity;
  #redirects = REDIRECTS;
  /** Whether the page is hidden; and whether it has been left, and may be kept. */
  #hidden = false;
  #away = false;
  #wasReady = false;
  /** Whether a connection that was given up may be tried again. */
  #revives = false;

  /**
   * @param {object} options
   * @param {boolean} options.seat whether to ask for a seat
   * @param {number} [options.patience] how long to try before the first success, in ms
   * @param {import("./backoff.js").Backoff} options.backoff
   * @param {number} now
   */
  constructor({ seat, patience = seat ? PATIENCE : Infinity, backoff }, now) {
    this.seat = seat;
    this.patience = patience;
    this.backoff = backoff;
    this.attempts = new Attempts(now, patience);
    this.url = "";
    /** Whether the server can be probed before a socket is opened. */
    this.probes = false;
    /** @type {State} */
    this.state = "idle";
    /** The number of the last request. */
    this.request = 0;
    this.#vigil = new Vigil(now);
  }

  /** The pulse of the line: whether it is alive, and its round trip. */
  get pulse() {
    return this.#vigil.pulse;
  }

  /** When `tick` is next needed; infinity if never. */
  get deadline() {
    const due = this.#isTrying ? this.#vigil.deadline(this.#isIn) : Infinity;
    return this.state === "waiting" ? this.#due : due;
  }

  /**
   * Handles an event. Returns the effects in order.
   *
   * @param {Event} event
   * @param {number} now
   * @param {number} random from 0 up to 1
   * @returns {Effect[]}
   */
  handle(event, now, random) {
    this.#now = now;
    this.#random = random;
    this.#take(event);
    return this.#effects.splice(0);
  }

  /** @param {Event} event */
  #take(event) {
    switch (event.type) {
      case "start":
        return this.state === "idle" || this.state === "over" ? this.#start(event.url) : undefined;
      case "probed":
        return this.state === "probing" ? (event.reachable ? this.#open() : this.#fail()) : undefined;
      case "opened":
        return this.state === "connecting" ? this.#greet() : undefined;
      case "message":
        return this.#isOpen && this.state !== "connecting" ? this.#hear(event.message) : undefined;
      case "closed":
        return this.#isOpen ? this.#end(event.code, String(event.code), 0) : undefined;
      case "tick":
        return this.state === "waiting" ? this.#due <= this.#now && this.#try() : this.#isTrying && this.#look();
      case "online":
        return this.#wake();
      case "visible":
        this.#hidden = false;
        return this.#wake();
      case "hidden":
        this.#hidden = true;
        this.#due = Infinity;
        return;
      case "pagehide":
        return this.#leavePage();
      case "pageshow":
        this.#away = false;
        return this.#wake();
      case "retry":
        return this.#retry();
      case "drop":
        return this.#isTrying ? this.#fail(event.wait) : undefined;
      case "close":
        return this.#close();
    }
  }

  /** Whether the server has sent its welcome: from then on it answers pings. */
  get #isIn() {
    return this.state === "entering" || this.state === "ready";
  }

  /** Whether there is a socket. */
  get #isOpen() {
    return this.#isIn || this.state === "hello" || this.state === "connecting";
  }

  /** Whether there is a socket or a probe. */
  get #isTrying() {
    return this.#isOpen || this.state === "probing";
  }

  /** Whether nothing is tried because nobody looks at the page. */
  get #isAsleep() {
    return this.#hidden || this.#away;
  }

  /** @param {import("./connection/kinds.js").Told} told */
  #tell = (told) => this.#effects.push({ type: "tell", told });

  /** @param {import("./protocol.js").ClientMessage} message */
  #send = (message) => this.#effects.push({ type: "send", message });

  /** @param {State} state @param {number} [patience] how long the state may last, in ms */
  #turn(state, patience = Infinity) {
    this.state = state;
    this.#vigil.begin(this.#now, patience);
  }

  /** @param {string} url */
  #start(url) {
    this.url = url;
    this.attempts = new Attempts(this.#now, this.patience);
    this.#redirects = REDIRECTS;
    this.#wasReady = false;
    this.#open();
  }

  /** Begins an attempt; browsers first probe whether the server can be reached. */
  #try() {
    this.attempts.begin(this.#now);
    if (this.probes) {
      this.#turn("probing", this.attempts.quick);
      this.#effects.push({ type: "probe" });
    } else {
      this.#open();
    }
  }

  #open() {
    this.#turn("connecting", this.attempts.connect(this.probes));
    this.#effects.push({ type: "open" });
  }

  #greet() {
    this.pulse.reopen(this.#now);
    this.#turn("hello", HELLO);
    this.#effects.push({ type: "greet" });
  }

  /** @param {ServerMessage | null} message */
  #hear(message) {
    this.#vigil.heard(this.#now);
    const told = /** @type {ServerMessage} */ (message);
    const what = meaning(message, this.state, this.request);
    switch (what.type) {
      case "sign":
        return this.#ping();
      case "ping":
        this.#send({ Pong: { number: what.number, held_ms: 0 } });
        return this.#ping();
      case "pong":
        return this.pulse.pong(what.number, what.held, this.#now);
      case "end": {
        const [soonest, latest] = what.wait;
        if ("Goodbye" in told) {
          this.#tell({ type: "message", message: told });
        }
        return this.#end(what.code, what.message, soonest + this.#random * (latest - soonest));
      }
      case "redirect":
        return this.#redirect(what);
      case "welcome":
        return this.#welcomed(told);
      case "entered":
        this.#grace = what.grace;
        return this.#ready(told);
      case "more time":
        return this.#vigil.extend(this.#now + what.ms + HELLO);
      case "other":
        return this.#tell({ type: "message", message: told });
    }
  }

  /** @param {ServerMessage} message */
  #welcomed(message) {
    this.#tell({ type: "message", message });
    if (this.seat) {
      this.#turn("entering", ENTER);
    } else {
      this.#ready(message);
    }
    this.request += 1;
    this.#effects.push({ type: "wish", request: this.request });
  }

  /** @param {ServerMessage} message */
  #ready(message) {
    this.#turn("ready");
    this.#wasReady = true;
    this.#redirects = REDIRECTS;
    this.attempts.notBefore = 0;
    this.#tell({ type: "ready", message });
    this.#ping();
  }

  #ping() {
    const number = this.#isIn ? this.pulse.ping(this.#now) : null;
    if (number !== null) {
      this.#send({ Ping: { number } });
    }
  }

  /**
   * Handles the server's last message, if any. @param {Code | null} code @param {string} message @param {number} wait
   */
  #end(code, message, wait) {
    if (code !== null && isFinal(code)) {
      this.#over("refused", code, message);
    } else {
      this.#fail(wait, code, code === null ? undefined : message);
    }
  }

  /** @param {{ url: string, pass: Uint8Array }} redirect */
  #redirect({ url, pass }) {
    this.#tell({ type: "redirect", url, pass });
    if (this.#redirects === 0) {
      return this.#over("redirected", null, "sent on too often");
    }
    this.url = url;
    this.#redirects -= 1;
    this.#effects.push({ type: "shut" });
    if (this.state === "ready") {
      this.#lost();
    }
    this.attempts.begin(this.#now);
    this.#open();
  }

  /** Notes the loss of a connection that was ready. */
  #lost() {
    const lived = this.#now - this.#vigil.since;
    this.attempts.lost(this.#now, lived, this.pulse.smoothed, this.seat ? this.#grace : Infinity);
    this.#tell({ type: "lost" });
  }

  /**
   * Ends it; another attempt may follow. @param {number} [wait] @param {Code | null} [code] @param {string} [message]
   */
  #fail(wait = 0, code = null, message = "no connection") {
    const wasReady = this.state === "ready";
    this.#effects.push({ type: "shut" });
    if (wasReady) {
      this.#lost();
    }
    this.#turn("waiting");
    const due = this.attempts.failed(this.#now, wait, this.backoff, this.#random);
    if (!wasReady && this.attempts.isLate(this.#now) && !this.#isAsleep) {
      this.#over("gone", code, message);
    } else {
      this.#wait(due, code);
    }
  }

  /** @param {number} due @param {Code | null} code */
  #wait(due, code) {
    this.#turn("waiting");
    this.#due = this.#isAsleep ? Infinity : due;
    const { count, until } = this.attempts;
    this.#tell({ type: "waiting", attempt: count, wait: due - this.#now, until, code });
  }

  /** @param {"closed" | "gone" | "refused" | "redirected"} why @param {Code | null} code @param {string} message */
  #over(why, code, message) {
    if (this.#isTrying) {
      this.#effects.push({ type: "shut" });
    }
    this.#turn("over");
    this.#revives = why === "gone" && this.#wasReady;
    this.#tell({ type: "over", why, code, message });
  }

  #look() {
    if (this.#vigil.slept(this.#now) && this.#isIn) {
      this.#doubt();
    }
    if (this.#vigil.isOver(this.#now, this.#isIn)) {
      this.attempts.hung();
      this.#fail();
    } else {
      this.#ping();
    }
  }

  /** Pings at once, even if another ping is unanswered. */
  #doubt() {
    this.#vigil.doubt(this.#now);
    this.#send({ Ping: { number: 0 } });
  }

  /** Uses a network or page that has come back: replaces an attempt that hangs, and revives what was given up. */
  #wake() {
    if (this.#isAsleep) {
      return;
    }
    if (this.state === "waiting" || (this.state === "over" && this.#revives)) {
      this.#again();
    } else if (this.#isIn) {
      this.#doubt();
    } else if (this.#isTrying && this.#now - this.#vigil.since >= FRESH) {
      this.#effects.push({ type: "shut" });
      this.#try();
    }
  }

  /** Starts an attempt for the owner, even if the server said to wait. */
  #retry() {
    this.#hidden = false;
    this.#away = false;
    this.attempts.notBefore = 0;
    this.#wake();
  }

  #again() {
    if (this.state === "over") {
      this.attempts.revive(this.#now, PATIENCE);
      this.#wait(this.#now, null);
    }
    if (this.attempts.notBefore > this.#now) {
      this.#due = this.attempts.notBefore;
    } else {
      this.#try();
    }
  }

  /** Closes the socket, so that the browser may keep the page for a while. */
  #leavePage() {
    this.#away = true;
    this.#due = Infinity;
    if (this.#isIn) {
      this.#effects.push({ type: "farewell" });
    }
    if (this.#isTrying) {
      this.#fail();
    }
  }

  #close() {
    if (this.state === "over") {
      this.#revives = false;
      return;
    }
    if (this.#isIn) {
      this.#effects.push({ type: "farewell" });
    }
    this.#over("closed", null, "closed");
  }
}
