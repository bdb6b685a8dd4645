/**
 * A search for a match, on a connection of its own: see "Matchmaking" in PROTOCOL.md. As `bot-client/src/search.rs`.
 *
 * ```js
 * const searching = new Searching({ url, search: { game: "connect4", mode: "duel", rating: 1500, party: null } });
 * searching.state.subscribe((state) => show(state));
 * ```
 *
 * At `Joining` take the seat with a `Client` at `state.Joining.url || url`, and keep this until `Matched`: if the match comes
 * to nothing, the search goes on with all its waiting time. Who cannot take the seat calls `again`.
 */

import { hello } from "./handshake.js";
import { codeOfClose, decodeControl, encodeMessage } from "./protocol.js";
import { Store } from "./store.js";

/** @typedef {import("./client.js").Line} Line */
/** @typedef {import("./protocol.js").Search} Search */
/** @typedef {import("./protocol.js").SearchState} SearchState */

/** A party is sent on at most so often. */
const REDIRECTS = 3;

/**
 * @typedef {object} Options
 * @property {string} url the server: `ws://host:port/ws`
 * @property {Search} search
 * @property {string} [software] what the client is, for the server's logs: at most 32 bytes
 * @property {new (url: string) => Line} [WebSocket]
 */

export class Searching {
  /** @type {Line | null} */
  #line = null;
  #redirects = REDIRECTS;

  /** @param {Options} options */
  constructor(options) {
    this.options = options;
    this.url = options.url;
    /** @type {Store<SearchState | "Connecting" | "Lost">} */
    this.state = new Store(/** @type {SearchState | "Connecting" | "Lost"} */ ("Connecting"));
    this.#open(options.url);
  }

  /**
   * The seat of this match could not be taken and will not be tried again: the search goes on.
   *
   * @param {string} id
   */
  again(id) {
    this.#line?.send(encodeMessage({ SearchAgain: { request: 1, id } }));
  }

  /** Searches no longer. Says so first: a line that only breaks leaves others waiting for who was to join them. */
  close() {
    const line = this.#line;
    this.#line = null;
    const state = this.state.get();
    if (state !== "Connecting" && !isOver(state)) {
      line?.send(encodeMessage({ CancelSearch: { request: 1 } }));
    }
    line?.close(1000);
  }

  /** @param {string} url */
  #open(url) {
    this.close();
    this.url = url;
    const line = new (this.options.WebSocket ?? /** @type {any} */ (globalThis.WebSocket))(url);
    this.#line = line;
    line.binaryType = "arraybuffer";
    line.onopen = () => {
      line.send(encodeMessage(hello(this.options.software ?? "tiltyard-web")));
    };
    line.onmessage = (/** @type {MessageEvent} */ { data }) => {
      if (this.#line === line) {
        this.#hear(line, new Uint8Array(data));
      }
    };
    line.onclose = (/** @type {CloseEvent} */ { code }) => {
      if (this.#line === line && !isOver(this.state.get())) {
        const known = codeOfClose(code);
        this.state.set(known ? { Ended: { code: known, retry_after_ms: null } } : "Lost");
      }
    };
  }

  /**
   * @param {Line} line
   * @param {Uint8Array} bytes
   */
  #hear(line, bytes) {
    const message = decodeControl(bytes);
    if (message === null) {
      return;
    }
    if ("Welcome" in message) {
      line.send(encodeMessage({ Search: { request: 1, search: this.options.search } }));
    } else if ("Search" in message) {
      this.state.set(message.Search);
    } else if ("Redirect" in message && this.#redirects > 0) {
      this.#redirects -= 1;
      this.#open(message.Redirect.url);
    } else if ("Refused" in message) {
      this.state.set({ Ended: { code: message.Refused.code, retry_after_ms: message.Refused.retry_after_ms } });
      this.close();
    }
  }
}

/**
 * Whether nothing follows.
 *
 * @param {SearchState | "Connecting" | "Lost"} state
 */
export function isOver(state) {
  return state === "Lost" || (typeof state === "object" && ("Matched" in state || "Ended" in state));
}
