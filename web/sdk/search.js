/**
 * A search for a match, on a connection of its own: see "Matchmaking" in PROTOCOL.md. As `client/src/search.rs`.
 *
 * ```js
 * const searching = new Searching({ url, search: { game: "connect4", mode: "duel", rating: 1500, party: null } });
 * searching.state.subscribe((state) => show(state));
 * ```
 *
 * At `Joining` take the seat with a `Client` at `state.Joining.url || searching.url`, and keep this search until
 * `Matched`: if the match fails, the search goes on with all its waiting time. If the seat cannot be taken, call
 * `again`. When the line breaks, the search starts anew automatically and says so: `Reconnecting`, then the waiting
 * time as the server gives it.
 */

import { Link } from "./link.js";
import { isFinal } from "./protocol.js";
import { Store } from "./store.js";

/** @typedef {import("./connection/kinds.js").Told} Told */
/** @typedef {import("./protocol.js").ClientMessage} ClientMessage */
/** @typedef {import("./protocol.js").Search} Search */
/** @typedef {import("./protocol.js").ServerMessage} ServerMessage */
/** @typedef {import("./protocol.js").SearchState} SearchState */
/** @typedef {import("./link.js").LinkOptions & { search: Search }} Options */
/** @typedef {SearchState | "Connecting" | "Reconnecting" | "Closed"} State */

export class Searching {
  /** @param {Options} options */
  constructor(options) {
    this.options = options;
    /** @type {Store<State>} */
    this.state = new Store(/** @type {State} */ ("Connecting"));
    /** @private The number of the running search. */
    this.request = 0;
    /** @private Whether a seat is being taken: meanwhile no search is started. */
    this.joining = false;
    /** @private @type {Link} */
    this.link = new Link(options, {
      seat: false,
      wish: (request) => this.wish(request),
      farewell: () => (this.isOn ? [{ CancelSearch: { request: this.request } }] : []),
      told: (told) => this.told(told),
    });
    this.link.start(options.url);
  }

  /** View libraries that wrap plain objects leave this one as it is. */
  get [Symbol.toStringTag]() {
    return "Searching";
  }

  /** The server of the search. */
  get url() {
    return this.link.url;
  }

  /**
   * Reports that the seat of this match could not be taken and will not be tried again: the search goes on.
   *
   * @param {string} id
   */
  again(id) {
    this.joining = false;
    if (this.request > 0) {
      this.link.send({ SearchAgain: { request: this.link.request(), id } });
    } else if (this.link.connection.state === "ready") {
      this.wish(this.link.request()).forEach((message) => this.link.send(message));
    }
  }

  /** Ends the search and tells the server. If the line only broke, the others in a match would wait for this player. */
  close() {
    this.link.close();
  }

  /** Tries at once instead of waiting. */
  retry() {
    this.link.retry();
  }

  /** @private Whether the server has a search of ours. */
  get isOn() {
    return this.request > 0 && !isOver(this.state.get());
  }

  /**
   * @private
   * @param {number} request
   * @returns {ClientMessage[]}
   */
  wish(request) {
    this.request = this.joining ? 0 : request;
    return this.joining ? [] : [{ Search: { request, search: this.options.search } }];
  }

  /**
   * @private
   * @param {Told} told
   */
  told(told) {
    const over = isOver(this.state.get());
    if (told.type === "message") {
      this.hear(told.message);
    } else if (told.type === "lost") {
      this.request = 0;
      if (over) {
        this.link.close();
      } else if (!this.joining) {
        this.state.set("Reconnecting");
      }
    } else if (told.type === "over" && !over) {
      const { code } = told;
      this.state.set(code === null ? "Closed" : { Ended: { code, retry_after_ms: null } });
    }
  }

  /**
   * @private
   * @param {ServerMessage} message
   */
  hear(message) {
    if ("Search" in message) {
      const state = message.Search;
      this.joining = typeof state === "object" && "Joining" in state;
      if (typeof state === "object" && "Ended" in state) {
        this.ended(state.Ended);
      } else {
        this.state.set(state);
      }
    } else if ("Refused" in message && message.Refused.request === this.request) {
      this.ended(message.Refused);
    }
  }

  /**
   * Handles the end of a search: one that ended for a passing reason starts anew.
   *
   * @private
   * @param {{ code: import("./protocol.js").Code, retry_after_ms: number | null }} end
   */
  ended({ code, retry_after_ms }) {
    if (isFinal(code)) {
      this.state.set({ Ended: { code, retry_after_ms } });
      this.link.close();
    } else {
      this.link.drop(retry_after_ms ?? 0);
    }
  }
}

/**
 * Whether the search has ended.
 *
 * @param {State} state
 */
export function isOver(state) {
  return state === "Closed" || (typeof state === "object" && ("Matched" in state || "Ended" in state));
}
