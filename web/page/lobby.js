/**
 * The live list of rooms, and chat beside it, on one connection. It comes back by itself when the line breaks.
 */

import { Chat } from "../sdk/chat.js";
import { Link } from "../sdk/link.js";
import { Store } from "../sdk/store.js";

/** @typedef {import("../sdk/connection/kinds.js").Told} Told */
/** @typedef {import("../sdk/protocol.js").Code} Code */
/** @typedef {import("../sdk/protocol.js").RoomEntry} RoomEntry */
/** @typedef {import("../sdk/protocol.js").ServerMessage} ServerMessage */
/** @typedef {import("../sdk/protocol.js").Browse} Browse */

/**
 * What is known of the lobby.
 *
 * @typedef {object} LobbyState
 * @property {"connecting" | "in" | "reconnecting" | "gone"} line
 * @property {Code | null} code why the line is gone, or what was refused
 * @property {string} server its version
 * @property {string[]} games
 * @property {RoomEntry[] | null} rooms of the page, newest first; `null` until the list has come
 * @property {number} total rooms on all pages
 */

/** Rooms on a page of the list. */
export const PAGE_ROOMS = 50;

export class Lobby {
  /** @type {Browse} */
  #browse;
  /** @type {Map<string, RoomEntry>} */
  #rooms = new Map();
  #link;

  /**
   * @param {string} url
   * @param {Browse} browse what to show at first
   */
  constructor(url, browse) {
    this.#browse = browse;
    /** @type {Store<LobbyState>} */
    this.state = new Store(
      /** @type {LobbyState} */ ({ line: "connecting", code: null, server: "", games: [], rooms: null, total: 0 }),
    );
    this.#link = new Link(
      { url, software: "tiltyard-page" },
      {
        seat: false,
        wish: (request) => [{ Browse: { request, browse: this.#browse } }],
        farewell: () => [],
        told: (told) => this.#told(told),
      },
    );
    this.chat = new Chat(
      (message) => this.#link.send(message),
      () => this.#link.request(),
    );
    this.#link.start(url);
  }

  /**
   * Shows another page or selection.
   *
   * @param {Browse} browse
   */
  browse(browse) {
    this.#browse = browse;
    this.#link.send({ Browse: { request: this.#link.request(), browse } });
  }

  /** Tries at once instead of waiting. */
  retry() {
    this.#link.retry();
  }

  close() {
    this.#link.close();
  }

  /** @param {Told} told */
  #told(told) {
    switch (told.type) {
      case "message":
        return this.#hear(told.message);
      case "ready":
        this.state.update({ line: "in", code: null });
        return this.chat.welcomed();
      case "lost":
        return this.chat.lost();
      case "waiting":
        return this.state.update({ line: "reconnecting", code: told.code });
      case "over":
        this.chat.lost();
        return this.state.update({ line: "gone", code: told.code });
    }
  }

  /** @param {ServerMessage} message */
  #hear(message) {
    if ("Welcome" in message) {
      const { server, games } = message.Welcome;
      this.state.update({ server, games });
    } else if (this.chat.hear(message)) {
      return;
    } else if ("Rooms" in message) {
      this.#rooms.clear();
      this.#take(message.Rooms.total, message.Rooms.rooms, []);
    } else if ("RoomsChanged" in message) {
      const { total, changed, removed } = message.RoomsChanged;
      this.#take(total, changed, removed);
    } else if ("Refused" in message) {
      this.state.update({ code: message.Refused.code });
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
}
