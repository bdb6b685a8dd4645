/**
 * The page one comes to: the games of this server, its rooms as they open, fill and close, and who talks there.
 */

import { ChatPanel } from "./chat.js";
import { openCreate } from "./create.js";
import { fill, h, icons, mark, toast } from "./dom.js";
import { brandMark, gameArt, gameBadge, gameWords } from "./games.js";
import { Lobby, PAGE_ROOMS } from "./lobby.js";
import { nameField } from "./name.js";
import { isOld } from "./version.js";
import { emptyWords, inWords, stateWords } from "./words.js";

/** @typedef {import("./lobby.js").LobbyState} LobbyState */
/** @typedef {import("./lobby.js").RoomEntry} RoomEntry */

/**
 * Where the player wants to go.
 *
 * @typedef {object} Ways
 * @property {(game: string) => void} play any open room of a game
 * @property {(game: string, mode: string) => void} match search for a match
 * @property {(room: string, spectate: boolean) => void} join a room by its id or code
 * @property {() => void} old the server is of another version than this page
 */

export class Home {
  #filter = { game: /** @type {string | null} */ (null), open: false, page: 0 };
  #line = h("span.line-state");
  #tiles = h("section.tiles", { "aria-label": "Games" });
  #tabs = h("div.tabs", { role: "tablist", "aria-label": "Show rooms of" });
  #count = h("span.count");
  #list = h("div");
  #pager = h("nav.pager", { hidden: true, "aria-label": "Pages" });
  #foot = h("footer.foot");
  /** @type {string[]} */
  #games = [];
  /** The mode that is searched for, by game. @type {Record<string, string>} */
  #modes = {};
  /** Whether the line has been there before: what comes after it may be another server. */
  #wasIn = false;
  /** @type {Map<string, { item: HTMLLIElement, told: string }>} Rows by room, so that a change redraws one only. */
  #rows = new Map();
  #rooms = h("ul.rooms");

  /**
   * @param {string} url
   * @param {Ways} ways
   */
  constructor(url, ways) {
    this.ways = ways;
    this.lobby = new Lobby(url, this.#filter);
    this.chat = new ChatPanel(this.lobby.chat);
    this.element = h(
      "main.home",
      {},
      this.#top(),
      this.#intro(),
      this.#tiles,
      this.#roomsHead(),
      this.#list,
      this.#pager,
      this.chat.element,
      this.#foot,
    );
    this.lobby.state.subscribe((state) => this.#show(state));
    void this.#loadModes();
  }

  stop() {
    this.chat.stop();
    this.lobby.close();
    this.element.remove();
  }

  /** Which games can be searched for is no part of the live list. */
  async #loadModes() {
    const answer = await fetch("/api/games").catch(() => null);
    const games = answer?.ok ? (await answer.json()).games : [];
    for (const { name, modes } of games) {
      if (modes?.length > 0) {
        this.#modes[name] = modes[0].name;
      }
    }
    fill(this.#tiles, ...this.#games.map((game) => this.#tile(game)));
  }

  #top() {
    const brand = h("a.brand", { href: "/" });
    brand.append(brandMark(), "Tiltyard");
    const field = nameField(() => this.chat.attend(this.#filter.game));
    return h("header.top", {}, brand, h("span.spacer"), this.#line, field);
  }

  #intro() {
    const code = h("input", {
      type: "text",
      placeholder: "Code or link",
      autocomplete: "off",
      autocapitalize: "characters",
      spellcheck: false,
      "aria-label": "Code of a room, or a link to it",
    });
    const join = (/** @type {Event} */ event) => {
      event.preventDefault();
      const room = roomOf(code.value);
      if (room === null) {
        toast("That is neither a room's code nor a link to a room.", { bad: true });
      } else {
        this.ways.join(room, false);
      }
    };
    const form = h("form.join-code", { onSubmit: join }, code, h("button", { type: "submit" }, "Join"));
    const words = h(
      "div",
      {},
      h("h1", {}, "Pick a game. You are in it in a second."),
      h("p", {}, "No account, nothing to install. Send a friend the link and play."),
    );
    return h("section.intro", {}, words, form);
  }

  #roomsHead() {
    const open = h("input", {
      type: "checkbox",
      onChange: () => this.#browse({ open: open.checked, page: 0 }),
    });
    return h(
      "div.rooms-head",
      {},
      h("h2", {}, "Rooms"),
      this.#count,
      h("span.spacer"),
      h("label.check", {}, open, h("span.soft", {}, "With free seats")),
      this.#tabs,
    );
  }

  /** @param {Partial<{ game: string | null, open: boolean, page: number }>} change */
  #browse(change) {
    this.#filter = { ...this.#filter, ...change };
    this.lobby.browse(this.#filter);
    this.chat.attend(this.#filter.game);
    this.#showTabs();
  }

  /** @param {LobbyState} state */
  #show(state) {
    if (state.code === "WrongVersion") {
      this.ways.old();
      return;
    }
    if (state.line === "in" && this.#line.dataset.state === "reconnecting" && this.#wasIn) {
      void isOld().then((old) => old && this.ways.old());
    }
    this.#wasIn ||= state.line === "in";
    this.#line.dataset.state = state.line;
    fill(this.#line, h("span", {}, stateWords[state.line]));
    this.#line.title = state.code ? inWords(state.code) : "";
    if (state.games.join() !== this.#games.join()) {
      this.#games = state.games;
      fill(this.#tiles, ...state.games.map((game) => this.#tile(game)));
      this.#showTabs();
    }
    this.#foot.textContent = state.server ? `Tiltyard ${state.server}` : "";
    this.#showRooms(state);
    this.#showPager(state.total);
  }

  #showTabs() {
    const tab = (/** @type {string | null} */ game, /** @type {string} */ title) =>
      h(
        "button",
        {
          role: "tab",
          "aria-selected": String(this.#filter.game === game),
          onClick: () => this.#browse({ game, page: 0 }),
        },
        title,
      );
    fill(this.#tabs, tab(null, "All"), ...this.#games.map((game) => tab(game, gameWords(game).title)));
  }

  /** @param {string} game */
  #tile(game) {
    const words = gameWords(game);
    const play = h("button.primary", { onClick: () => this.ways.play(game), data: { play: game } }, "Play now");
    const create = h("button", {
      title: "Make a room of your own",
      onClick: () => openCreate(game, (room) => this.ways.join(room, false)),
      data: { create: game },
    });
    create.append(icons.plus(), "Room");
    const mode = this.#modes[game];
    const match = mode
      ? h("button", { title: "Others of your strength", onClick: () => this.ways.match(game, mode), data: { find: game } }, "Find match")
      : "";
    return h(
      "article.tile",
      {},
      h("div.art", {}, gameArt(game)),
      h(
        "div.body",
        {},
        h("h2", {}, words.title, h("small", {}, words.players)),
        h("p", {}, words.line),
        h("div.actions", {}, play, match, create),
      ),
    );
  }

  /** @param {LobbyState} state */
  #showRooms({ rooms, total, line }) {
    if (rooms === null || rooms.length === 0) {
      this.#rows.clear();
      this.#rooms.replaceChildren();
      const { game, open } = this.#filter;
      const { count, title, text } = emptyWords(rooms !== null, line, open, game && gameWords(game).title);
      this.#count.textContent = count;
      fill(this.#list, h("div.empty", {}, title && h("strong", {}, title), text));
      return;
    }
    this.#count.textContent = String(total);
    const gone = new Set(this.#rows.keys());
    rooms.forEach((entry, place) => {
      gone.delete(entry.room);
      const item = this.#row(entry);
      if (this.#rooms.children[place] !== item) {
        this.#rooms.insertBefore(item, this.#rooms.children[place] ?? null);
      }
    });
    for (const room of gone) {
      this.#rows.get(room)?.item.remove();
      this.#rows.delete(room);
    }
    if (this.#list.firstElementChild !== this.#rooms) {
      fill(this.#list, this.#rooms);
    }
  }

  /** @param {RoomEntry} entry */
  #row(entry) {
    const told = JSON.stringify(entry);
    const held = this.#rows.get(entry.room);
    if (held?.told === told) {
      return held.item;
    }
    const item = held?.item ?? h("li", { data: { room: entry.room } });
    this.#rows.set(entry.room, { item, told });
    const words = gameWords(entry.game);
    const full = entry.players >= entry.seats || entry.locked;
    const bar = h("i");
    bar.style.width = `${Math.min((100 * entry.players) / Math.max(entry.seats, 1), 100)}%`;
    const seats = h("span.seats", {}, `${entry.players} of ${entry.seats}`, h("span.bar", {}, bar));
    mark(seats, "full", full);
    const title = h("span.title", {}, entry.title || words.title);
    const join = h(
      "button",
      { disabled: full, onClick: () => this.ways.join(entry.room, false) },
      entry.locked ? "Locked" : full ? "Full" : "Join",
    );
    const watch = h(
      "button.quiet",
      { title: "Watch without playing", onClick: () => this.ways.join(entry.room, true) },
      "Watch",
    );
    fill(
      item,
      h("span.badge", { title: words.title }, gameBadge(entry.game)),
      h("span", {}, title, h("span.about", {}, about(entry))),
      seats,
      h("span.code.mono", { title: "The room's code" }, entry.code),
      h("span.go", {}, watch, join),
    );
    return item;
  }

  /** @param {number} total */
  #showPager(total) {
    const last = Math.max(Math.ceil(total / PAGE_ROOMS) - 1, 0);
    const { page } = this.#filter;
    this.#pager.hidden = last === 0 && page === 0;
    fill(
      this.#pager,
      h("button", { disabled: page === 0, onClick: () => this.#browse({ page: page - 1 }) }, "Newer"),
      `Page ${page + 1} of ${last + 1}`,
      h("button", { disabled: page >= last, onClick: () => this.#browse({ page: page + 1 }) }, "Older"),
    );
  }
}

/**
 * A line about a room: its game, who watches, what its game says of it.
 *
 * @param {RoomEntry} entry
 */
function about({ game, title, spectators, metadata }) {
  const parts = title ? [gameWords(game).title] : [];
  if (spectators > 0) {
    parts.push(`${spectators} watching`);
  }
  try {
    const said = JSON.parse(metadata || "null");
    for (const [key, value] of Object.entries(said ?? {})) {
      parts.push(typeof value === "string" ? value : `${key} ${Array.isArray(value) ? value.join(":") : value}`);
    }
  } catch {
    // Metadata is the game's; what is no JSON is not shown.
  }
  return parts.join(" · ") || "Come in";
}

/**
 * The id or code in what somebody typed or pasted; `null` if there is none.
 *
 * @param {string} text
 */
export function roomOf(text) {
  const clean = text.trim();
  const id = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i.exec(clean);
  if (id) {
    return id[0].toLowerCase();
  }
  const code = (/\/rooms\/([^/?#]+)/.exec(clean)?.[1] ?? clean).replace(/[\s-]/g, "").toUpperCase();
  return /^[2-9A-Z]{6}$/.test(code) ? code : null;
}
