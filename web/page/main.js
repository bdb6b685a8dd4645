/**
 * The page: shows the home page or a room, by the address. `/` is home, `/?play=<game>` joins any open room of a game,
 * `/?match=<game>/<mode>` searches for a match, `/rooms/<id or code>` joins that room. Behind it, `?watch` only watches, `?pass=<hex>` takes a reserved seat, and `?verify`
 * asks for a hash with every frame.
 */

import { fill, h } from "./dom.js";
import { Home, roomOf } from "./home.js";
import { MatchView } from "./match.js";
import { RoomView } from "./room.js";
import { Searching } from "../sdk/search.js";

/** @typedef {import("../sdk/protocol.js").Target} Target */

const RELOADED = "tiltyard.reloaded";

/** A page that was reloaded so lately and is still old, will not get newer by another time. In milliseconds. */
const RELOAD_SPACING = 30_000;

const url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`;
const app = /** @type {HTMLElement} */ (document.getElementById("app"));

/** @typedef {{ element: HTMLElement, stop: (back?: boolean) => void }} View */

/** @type {View | null} */
let view = null;

/** Whether the player has gone back or forward, and what is left is not given up at once. */
let went = false;

/** @type {Searching | null} */
let searching = null;

/** @param {View} next */
function show(next) {
  view?.stop(went);
  view = next;
  fill(app, next.element);
}

function showHome() {
  document.title = "Tiltyard";
  show(
    new Home(url, {
      play: (game) => go(`/?play=${encodeURIComponent(game)}`),
      match: (game, mode) => go(`/?match=${encodeURIComponent(`${game}/${mode}`)}`),
      join: (room, spectate) => go(`/rooms/${room}${spectate ? "?watch" : ""}`),
      old: showOld,
    }),
  );
}

/**
 * Searches until a match is on: its seat is taken beside the search, so that nothing of the waiting is lost if it comes to
 * nothing.
 *
 * @param {string} game
 * @param {string} mode
 */
function showSearch(game, mode) {
  const mine = new Searching({ url, search: { game, mode, rating: 1500, party: null } });
  searching = mine;
  let joining = false;
  mine.state.subscribe((state) => {
    if (searching !== mine) {
      return;
    }
    if (typeof state === "object" && "Joining" in state) {
      joining = true;
      showRoom({ Pass: state.Joining.pass }, state.Joining.url || mine.url);
    } else if (typeof state === "object" && "Matched" in state) {
      mine.close();
    } else if (joining || view === null || !(view instanceof MatchView)) {
      joining = false;
      show(new MatchView(mine, { onLeave: () => go("/") }));
    }
  });
}

/**
 * @param {Target} target
 * @param {string} [at] where it is
 */
function showRoom(target, at = url) {
  const query = new URLSearchParams(location.search);
  const wish = { target, spectate: query.has("watch"), verify: query.has("verify") };
  const onEntered = (/** @type {import("../sdk/protocol.js").Entered} */ seat) => {
    history.replaceState(null, "", `/rooms/${seat.room}${addressQuery(wish)}`);
  };
  const onAgain = (/** @type {string} */ game) => go(`/?play=${encodeURIComponent(game)}`);
  show(new RoomView(wish, { url: at, onEntered, onLeave: () => go("/"), onAgain, onOld: showOld }));
}

/** @param {{ spectate: boolean, verify: boolean }} wish */
function addressQuery({ spectate, verify }) {
  const flags = [spectate ? "watch" : "", verify ? "verify" : ""].filter(Boolean);
  return flags.length > 0 ? `?${flags.join("&")}` : "";
}

/** The server has been replaced by another version: the page gets its own anew. */
function showOld() {
  const last = Number(sessionStorage.getItem(RELOADED) ?? 0);
  const often = Date.now() - last < RELOAD_SPACING;
  const text = often
    ? "It was loaded anew, and the server still is of another version. Try again in a moment."
    : "Tiltyard has been updated. Loading the new page…";
  const reload = h("button.primary", { onClick: () => location.reload() }, "Reload");
  const card = h("div.card", {}, h("h2", {}, "This page is old"), h("p", {}, text), h("div.actions", {}, reload));
  show({ element: h("div.veil", { data: { old: "" } }, card), stop: () => {} });
  if (!often) {
    sessionStorage.setItem(RELOADED, String(Date.now()));
    setTimeout(() => location.reload(), 1200);
  }
}

/** @param {string} address */
function go(address) {
  history.pushState(null, "", address);
  route();
}

function route() {
  const query = new URLSearchParams(location.search);
  const pass = query.get("pass");
  const game = query.get("play");
  const wanted = query.get("match")?.split("/") ?? [];
  searching?.close();
  searching = null;
  const room = location.pathname.startsWith("/rooms/") ? roomOf(decodeURIComponent(location.pathname)) : null;
  if (pass) {
    showRoom({ Pass: Uint8Array.from(pass.match(/../g) ?? [], (byte) => parseInt(byte, 16)) });
  } else if (room !== null) {
    showRoom(room.includes("-") ? { Room: room } : { Code: room });
  } else if (wanted.length === 2) {
    showSearch(wanted[0], wanted[1]);
  } else if (game) {
    showRoom({ Game: game });
  } else {
    if (location.pathname !== "/") {
      history.replaceState(null, "", "/");
    }
    showHome();
  }
}

addEventListener("popstate", () => {
  went = true;
  route();
  went = false;
});
route();
