/**
 * The card of a search for a match: what it is like, honestly, and for how long it has been going on.
 */

import { isOver } from "../sdk/search.js";
import { fill, h } from "./dom.js";
import { gameWords } from "./games.js";
import { inWords } from "./words.js";

/** @typedef {import("../sdk/search.js").Searching} Searching */

export class MatchView {
  #title = h("h2", {}, "Finding a match");
  #text = h("p", { "aria-live": "polite" });
  #cancel = h("button", {}, "Cancel");
  /** When the search began, by this page's clock: what was waited before counts. */
  #since = Date.now();
  /** @type {() => void} */
  #end;
  #timer = setInterval(() => this.#show(), 1000);

  /**
   * @param {Searching} searching
   * @param {{ onLeave: () => void }} options
   */
  constructor(searching, options) {
    this.searching = searching;
    const { game } = searching.options.search;
    const card = h("div.card", {}, this.#title, h("p.soft", {}, gameWords(game).title), this.#text);
    this.#cancel.addEventListener("click", options.onLeave);
    card.append(h("div.actions", {}, this.#cancel));
    this.element = h("div.veil", { data: { match: "" } }, card);
    this.#end = searching.state.subscribe((state) => {
      if (typeof state === "object" && "Searching" in state) {
        this.#since = Date.now() - state.Searching.waited_ms;
      }
      this.#show();
    });
  }

  stop() {
    this.#end();
    clearInterval(this.#timer);
    this.element.remove();
  }

  #show() {
    const state = this.searching.state.get();
    const seconds = Math.max(0, Math.round((Date.now() - this.#since) / 1000));
    this.element.dataset.match = typeof state === "object" ? Object.keys(state)[0] : state;
    fill(this.#text, wordsOf(state, seconds));
    fill(this.#cancel, isOver(state) ? "Back" : "Cancel");
  }
}

/**
 * @param {import("../sdk/search.js").State} state
 * @param {number} seconds
 */
function wordsOf(state, seconds) {
  if (state === "Connecting") {
    return "Connecting…";
  }
  if (state === "Reconnecting") {
    return "The connection is gone. Searching again as soon as it is back…";
  }
  if (state === "Closed") {
    return "The search is over.";
  }
  if (state === "Agreed") {
    return "A match was found. Waiting for the others to agree…";
  }
  if ("Gathering" in state) {
    return `${state.Gathering.here} of ${state.Gathering.size} of your party are here.`;
  }
  if ("Searching" in state) {
    return `Searching for ${seconds} s. The longer it takes, the wider we look.`;
  }
  if ("Ended" in state) {
    return inWords(state.Ended.code);
  }
  return "Joining…";
}
