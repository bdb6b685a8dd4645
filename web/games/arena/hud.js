/**
 * What lies over the arena's canvas: scores, who killed whom, rounds, health, the wait for the return.
 */

import { fill, h, mark } from "../../page/dom.js";
import { colorOf } from "./look.js";
import { MAGAZINE, MAX_HP } from "./rules.js";

/** Names in the list of scores. */
const MOST_SCORES = 8;

/** Kills that are told at a time. */
const MOST_KILLS = 5;

/** How long a kill is told, in milliseconds. */
const KILL_LASTS = 6000;

export class Hud {
  #scores = h("ol.arena-scores", { "aria-label": "Scores in sight" });
  #feed = h("ul.arena-feed", { "aria-label": "Kills" });
  #rounds = h("div.arena-rounds", { "aria-label": "Rounds" }, ...Array.from({ length: MAGAZINE }, () => h("i")));
  #health = h("i");
  #hud = h("div.arena-hud", {}, this.#rounds, h("div.arena-health", {}, this.#health));
  #help = h("div.arena-help");
  #downTitle = h("h2");
  #downWait = h("p");
  #down = h("div.arena-down", { hidden: true }, h("div", {}, this.#downTitle, this.#downWait));
  #told = "";

  /**
   * @param {HTMLElement} place
   * @param {number} own the player
   */
  constructor(place, own) {
    this.own = own;
    place.append(this.#down, this.#scores, this.#feed, this.#hud, this.#help);
  }

  /**
   * How to play, until the player has found out.
   *
   * @param {string} text empty to put it away
   */
  help(text) {
    if (text) {
      this.#help.textContent = text;
    }
    mark(this.#help, "gone", !text);
  }

  /** @param {import("./look.js").Fighter[]} fighters in sight */
  scores(fighters) {
    const best = [...fighters].sort((a, b) => b.score - a.score || a.owner - b.owner);
    const listed = best.slice(0, MOST_SCORES);
    const own = best.find((fighter) => fighter.owner === this.own);
    if (own && !listed.includes(own)) {
      listed[MOST_SCORES - 1] = own;
    }
    const told = listed.map((fighter) => `${fighter.owner} ${fighter.score} ${fighter.name}`).join("\n");
    if (told === this.#told) {
      return;
    }
    this.#told = told;
    fill(this.#scores, ...listed.map((fighter) => this.#score(fighter)));
  }

  /** @param {import("./look.js").Fighter} fighter */
  #score({ owner, name, score }) {
    const dot = h("i");
    dot.style.background = colorOf(owner, this.own);
    const item = h("li", {}, dot, h("b", {}, name || `Player ${owner}`), h("span", {}, score));
    mark(item, "own", owner === this.own);
    return item;
  }

  /**
   * @param {{ by: number, by_name: string, victim: number, victim_name: string }} kill
   */
  kill({ by, by_name, victim, victim_name }) {
    const named = (/** @type {number} */ player, /** @type {string} */ name) => {
      const element = h("b", {}, name || `Player ${player}`);
      element.style.color = colorOf(player, this.own);
      return element;
    };
    const item = h("li", {}, named(by, by_name), " took out ", named(victim, victim_name));
    mark(item, "own", by === this.own || victim === this.own);
    this.#feed.append(item);
    while (this.#feed.children.length > MOST_KILLS) {
      this.#feed.firstElementChild?.remove();
    }
    setTimeout(() => item.remove(), KILL_LASTS);
  }

  /**
   * @param {{ rounds: number, rapid: boolean } | null} ammo
   * @param {number | null} hp
   */
  ownState(ammo, hp) {
    this.#hud.hidden = ammo === null || hp === null;
    if (ammo === null || hp === null) {
      return;
    }
    [...this.#rounds.children].forEach((round, index) => {
      mark(/** @type {HTMLElement} */ (round), "full", index < ammo.rounds);
    });
    mark(this.#rounds, "rapid", ammo.rapid);
    const part = hp / MAX_HP;
    this.#health.style.width = `${part * 100}%`;
    this.#health.style.background = `var(${part > 0.5 ? "--good" : part > 0.25 ? "--warm" : "--bad"})`;
  }

  /** The trigger was pulled and nothing came. */
  empty() {
    mark(this.#rounds, "empty", true);
    setTimeout(() => mark(this.#rounds, "empty", false), 260);
  }

  /**
   * The own fighter lies on the ground.
   *
   * @param {{ by: string, seconds: number } | null} fallen
   */
  down(fallen) {
    this.#down.hidden = fallen === null;
    if (fallen) {
      this.#downTitle.textContent = fallen.by ? `${fallen.by} took you out` : "You are down";
      this.#downWait.textContent = fallen.seconds > 0.05 ? `Back in ${fallen.seconds.toFixed(1)} s` : "Back at once";
    }
  }

  remove() {
    for (const element of [this.#scores, this.#feed, this.#hud, this.#help, this.#down]) {
      element.remove();
    }
  }
}
