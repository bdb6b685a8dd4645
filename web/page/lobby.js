/**
 * The live list of rooms, and chat beside it, on one connection. It comes back by itself when the line breaks.
 */

import { Backoff } from "../sdk/backoff.js";
import { Chat } from "../sdk/chat.js";
import { hello } from "../sdk/handshake.js";
import { codeOfClose, decodeControl, encodeMessage } from "../sdk/protocol.js";
import { Store } from "../sdk/store.js";

/** @typedef {import("../sdk/protocol.js").RoomEntry} RoomEntry */
/** @typedef {import("../sdk/protocol.js").Browse} Browse */

/**
 * What is known of the lobby.
 *
 * @typedef {object} LobbyState
 * @property {"connecting" | "in" | "reconnecting" | "gone"} line
 * @property {import("../sdk/protocol.js").Code | null} code why the line is gone
 * @property {string} server its version
 * @property {string[]} games
 * @property {RoomEntry[] | null} rooms of the page, newest first; `null` until the list has come
 * @property {number} total rooms on all pages
 */

/** Rooms on a page of the list. */
export const PAGE_ROOMS = 50;

export class Lobby {
  /** @type {WebSocket | null} */
  #socket = null;
  #backoff = new Backoff({ attempts: Infinity });
  #attempt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Browse} */
  #browse;
  /** @type {Map<string, RoomEntry>} */
  #rooms = new Map();
  #closed = false;

  /**
   * @param {string} url
   * @param {Browse} browse what to show at first
   */
  constructor(url, browse) {
    this.url = url;
    this.#browse = browse;
    /** @type {Store<LobbyState>} */
    this.state = new Store(
      /** @type {LobbyState} */ ({ line: "connecting", code: null, server: "", games: [], rooms: null, total: 0 }),
    );
    this.chat = new Chat((message) => this.#send(message));
    this.#open();
  }

  /**
   * Shows another page or selection.
   *
   * @param {Browse} browse
   */
  browse(browse) {
    this.#browse = browse;
    if (this.state.get().line === "in") {
      this.#send({ Browse: { request: 1, browse } });
    }
  }

  /** Tries at once instead of waiting. */
  retry() {
    if (this.state.get().line === "reconnecting" && this.#socket === null) {
      clearTimeout(this.#timer);
      this.#open();
    }
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #open() {
    const socket = new WebSocket(this.url);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#send(hello("tiltyard-page"));
    socket.onmessage = ({ data }) => this.#receive(new Uint8Array(data));
    socket.onclose = ({ code }) => this.#lost(codeOfClose(code) ?? null);
  }

  /** @param {import("../sdk/protocol.js").ClientMessage} message */
  #send(message) {
    this.#socket?.send(encodeMessage(message));
  }

  /** @param {Uint8Array} bytes */
  #receive(bytes) {
    const message = decodeControl(bytes);
    if (message === null) {
      return;
    }
    if ("Welcome" in message) {
      const { server, games } = message.Welcome;
      this.#attempt = 0;
      this.state.update({ line: "in", code: null, server, games });
      this.#send({ Browse: { request: 1, browse: this.#browse } });
      this.chat.welcomed();
    } else if (this.chat.hear(message)) {
      return;
    } else if ("Rooms" in message) {
      this.#rooms.clear();
      this.#take(message.Rooms.total, message.Rooms.rooms, []);
    } else if ("RoomsChanged" in message) {
      const { total, changed, removed } = message.RoomsChanged;
      this.#take(total, changed, removed);
    } else if ("Redirect" in message) {
      // This server is about to stop; another one shows the same list.
      this.url = message.Redirect.url;
      this.#socket?.close();
    } else if ("Refused" in message) {
      this.state.update({ code: message.Refused.code });
    } else if ("Goodbye" in message) {
      this.state.update({ code: message.Goodbye.code });
    }
  }

  /**
   * @param {number} total
   * @param {RoomEntry[]} changed
   * @param {string[]} removed
   */
  #take(total, changed, removed) {
    removed.forEach((room) => this.#rooms.delete(room));
    changed.forEach((entry) => this.#rooms.set(entry.room, entry));
    // Ids rise with the time at which rooms were opened.
    const rooms = [...this.#rooms.values()].sort((a, b) => (a.room < b.room ? 1 : -1));
    this.state.update({ total, rooms });
  }

  /** @param {import("../sdk/protocol.js").Code | null} code */
  #lost(code) {
    this.#socket = null;
    this.chat.lost();
    if (this.#closed) {
      return;
    }
    const why = code ?? this.state.get().code;
    if (why === "WrongVersion") {
      this.state.update({ line: "gone", code: why });
      return;
    }
    this.#attempt += 1;
    this.state.update({ line: "reconnecting", code: why });
    this.#timer = setTimeout(() => this.#open(), this.#backoff.wait(this.#attempt, Math.random()) ?? 0);
  }
}
