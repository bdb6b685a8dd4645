/**
 * A room on the screen: takes the seat, lets the game's page play in it, and shows how the line is. What a game's page
 * gets is a {@link Room}.
 */

import { Client, ClientError, Interpolation } from "../sdk/index.js";
import { canvas } from "./canvas.js";
import { fill, h, icons, toast } from "./dom.js";
import { gameWords, playOf } from "./games.js";
import { Graph } from "./graph.js";
import { nameField } from "./name.js";
import * as seats from "./seats.js";
import * as settings from "./settings.js";
import { isOld } from "./version.js";
import { inWords, resultWords, stateWords } from "./words.js";

/** @typedef {import("../sdk/protocol.js").Target} Target */
/** @typedef {import("../sdk/interpolation.js").Drawn} Drawn */

/** What a game's page script exports: shows the game until the returned function is called. @typedef {(room: Room) => () => void} Play */

/** A player's place in a room, as a game's page sees it. */
export class Room {
  /** @type {(() => void)[]} */
  #ends = [];
  #held = "";

  /**
   * @param {Client} client
   * @param {HTMLElement} place
   */
  constructor(client, place) {
    const { seat, schema, playout } = /** @type {import("../sdk/session.js").Session} */ (client.session);
    this.client = client;
    /** What the game fills. */
    this.place = place;
    /** Who is playing here. */
    this.player = seat.player;
    /** Whether nobody is, because this page only watches. */
    this.spectator = seat.spectator;
    /** Glides between frames, in the past by what the line asks for. `playout.fixed` sets another delay, in ms. */
    this.interpolation = new Interpolation(schema.entity);
    this.playout = playout;
    /** @type {{ title: string, text: string } | null} What to say when the match is over. */
    this.result = null;
    this.#ends.push(client.on("frame", () => this.#observe()));
    // What a hidden page hears comes when it may; it says nothing of the line.
    const seen = () => document.hidden || playout.restart();
    document.addEventListener("visibilitychange", seen);
    this.#ends.push(() => document.removeEventListener("visibilitychange", seen));
    this.interpolation.observe(client.replica);
  }

  /**
   * Draws on a canvas that fills the place, once per animation frame, with all entities as they are to be shown then.
   *
   * @param {(paint: import("./canvas.js").Paint, entities: Drawn[]) => void} draw
   */
  draw(draw) {
    this.#ends.push(canvas(this.place, (paint) => draw(paint, this.entities())));
  }

  /** All entities as they are to be shown now. */
  entities() {
    return this.interpolation.sample(this.playout.draw(performance.now()));
  }

  /** All entities as the last frame said. */
  newest() {
    return this.client.replica.shown();
  }

  /**
   * Calls back with each event of the game; `number` rises.
   *
   * @param {(event: any, number: number) => void} listener
   */
  onEvent(listener) {
    this.#ends.push(this.client.on("event", ({ event, number }) => listener(event, number)));
  }

  /**
   * Calls back after each frame that was applied.
   *
   * @param {() => void} listener
   */
  onFrame(listener) {
    this.#ends.push(this.client.on("frame", listener));
  }

  /**
   * Sends an input. Spectators have none.
   *
   * @param {any} input
   */
  send(input) {
    return this.spectator || this.client.session?.over ? null : this.client.send(input);
  }

  /**
   * Sends an input if it is another than the one before: for games where it stays so until the next one.
   *
   * @param {any} input
   */
  hold(input) {
    const held = JSON.stringify(input);
    if (held === this.#held) {
      return null;
    }
    const sent = this.send(input);
    this.#held = sent === null ? this.#held : held;
    return sent;
  }

  stop() {
    this.#ends.forEach((end) => end());
  }

  #observe() {
    this.interpolation.observe(this.client.replica);
    if (document.hidden) {
      // Nothing is drawn then; so what is past must go from here.
      this.entities();
    }
  }
}

/**
 * The whole view of a room.
 *
 * @typedef {object} Wish
 * @property {Target} target
 * @property {boolean} spectate
 * @property {boolean} [verify] whether each frame shall prove itself by a hash
 */

export class RoomView {
  /** @type {Room | null} */
  #room = null;
  /** @type {Graph | null} */
  #graph = null;
  /** @type {(() => void)[]} */
  #ends = [];
  /** Ends the view of the present seat. @type {(() => void)[]} */
  #seated = [];
  #stopped = false;
  #leaving = new AbortController();
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #away;
  #stage = h("div.stage");
  #where = h("span.where");
  #state = h("span.line-state");
  #banner = h("div.banner", { hidden: true });
  #veil = h("div.veil");
  #sound = h("button.quiet.icon", { title: "Sound", onClick: () => settings.toggle("sound") });
  #graphButton = h("button.quiet.icon", { title: "Connection graph", onClick: () => settings.toggle("graph") });
  #copy = h("button.quiet", { title: "Copy the link to this room", onClick: () => this.#copyLink() });

  /**
   * @param {Wish} wish
   * @param {{ url: string, onEntered: (seat: import("../sdk/protocol.js").Entered) => void, onLeave: () => void,
   *   onAgain: (game: string) => void, onOld: () => void }} options
   */
  constructor(wish, options) {
    this.wish = wish;
    this.options = options;
    this.#copy.append(icons.link(), h("span.wide", {}, "Copy link"));
    this.#graphButton.append(icons.graph());
    this.element = h("main.room", {}, this.#stage, this.#bar(), this.#banner, this.#veil);
    this.client = this.#newClient(options.url);
    this.#ends.push(
      settings.watch("sound", (on) => {
        fill(this.#sound, on ? icons.sound() : icons.muted());
        this.#sound.setAttribute("aria-pressed", String(on));
      }),
    );
    this.#wait("Joining the room");
    void this.#enter(wish.target);
  }

  /** @param {boolean} [back] whether the player went back, and may go forward again */
  stop(back = false) {
    this.#stopped = true;
    this.#leaving.abort();
    clearInterval(this.#away);
    this.#ends.forEach((end) => end());
    this.#clear();
    if (back && this.client.session !== null && this.client.state.get().status !== "over") {
      seats.linger(this.client);
    } else {
      seats.leave(this.client);
    }
    this.element.remove();
  }

  /** @param {string} url */
  #newClient(url) {
    const client = new Client({
      url,
      name: settings.name(),
      verify: this.wish.verify ?? false,
      spectate: this.wish.spectate,
    });
    this.#ends.push(client.state.subscribe((state) => this.#show(state)));
    client.on("reconnected", async () => {
      toast("Back in your seat");
      if (await isOld()) {
        this.options.onOld();
      }
    });
    client.on("transferred", () => {
      if (client.session !== null && !this.#stopped) {
        toast("Your server has stopped. You are in a new room now.");
        this.#clear();
        void this.#begin(client.session.seat);
      }
    });
    client.on("refused", ({ code, message }) => toast(inWords(code, message), { bad: true }));
    return client;
  }

  #bar() {
    const back = h("button.quiet.icon", { title: "Back to the rooms", onClick: this.options.onLeave });
    back.append(icons.back());
    return h(
      "div.room-bar",
      {},
      h("div.pill", {}, back, this.#where),
      h("div.spacer"),
      h("div.pill", {}, this.#state, this.#copy, this.#sound, this.#graphButton),
    );
  }

  /** @param {Target} target */
  async #enter(target) {
    try {
      const seat = await seats.enter(this.client, target, this.#leaving.signal);
      if (!this.#stopped) {
        await this.#begin(seat);
      }
    } catch (error) {
      if (error instanceof ClientError || this.#stopped) {
        return; // The state tells.
      }
      this.#card("This page failed", error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  /** Ends what {@link #begin} began. */
  #clear() {
    this.#seated.splice(0).forEach((end) => end());
    this.#room?.stop();
    this.#room = null;
    this.#graph?.stop();
    fill(this.#stage);
  }

  /** @param {import("../sdk/protocol.js").Entered} seat */
  async #begin(seat) {
    const { session } = this.client;
    this.options.onEntered(seat);
    this.#seated.push(seats.follow(this.client));
    const words = gameWords(seat.game);
    document.title = `${words.title} · Tiltyard`;
    fill(
      this.#where,
      h("span.game", {}, words.title),
      h("span.code.mono", {}, seat.code),
      seat.spectator && h("span.watching", {}, "watching"),
    );
    this.#graph = new Graph(this.client);
    this.element.append(this.#graph.element);
    const graph = this.#graph.element;
    this.#seated.push(
      settings.watch("graph", (on) => {
        graph.hidden = !on;
        this.#graphButton.setAttribute("aria-pressed", String(on));
      }),
    );
    const play = await playOf(seat.game);
    if (this.#stopped || this.client.session !== session) {
      return;
    }
    const room = new Room(this.client, this.#stage);
    this.#room = room;
    this.#seated.push(play(room));
    Object.assign(globalThis, { tiltyard: { client: this.client, room } });
  }

  /** @param {import("../sdk/client.js").State} state */
  #show(state) {
    const line = {
      idle: "connecting",
      connecting: "connecting",
      playing: "in",
      reconnecting: "reconnecting",
      over: "gone",
    };
    const shown = line[state.status];
    clearInterval(this.#away);
    this.#state.dataset.state = shown;
    fill(this.#state, h("span", {}, stateWords[shown]));
    if (state.status === "playing") {
      this.#veil.hidden = true;
      this.#say("");
    } else if (state.status === "reconnecting") {
      this.#tellAway(state.until);
    } else if (state.status === "over" && !this.#stopped) {
      this.#over(state);
    }
  }

  /** @param {{ code: import("../sdk/protocol.js").Code | null, message: string }} state */
  #over({ code, message }) {
    this.#say("");
    if (code === "WrongVersion") {
      this.options.onOld();
      return;
    }
    const result = code === "Finished" && this.client.session ? (this.#room?.result ?? resultWords(this.client.result, this.client.player)) : null;
    const titles = /** @type {Record<string, string>} */ ({
      Finished: "Match over",
      TakenOver: "Playing elsewhere",
      Stopping: "Restarting",
    });
    const title = this.client.session ? (titles[code ?? ""] ?? "You are out of the room") : "No way in";
    const text = code === null && message !== "closed" ? "The server cannot be reached." : inWords(code, message);
    this.#card(result?.title ?? title, result?.text ?? text, code);
  }

  /** Says for how long one still comes back to the seat. @param {number} until */
  #tellAway(until) {
    const tell = () => {
      const left = Math.max(Math.ceil((until - performance.now()) / 1000), 0);
      this.#say(left > 0 ? `Connection lost. Coming back… Your seat is kept for ${left} s.` : "Connection lost. Coming back…");
    };
    clearInterval(this.#away);
    this.#away = setInterval(tell, 1000);
    tell();
  }

  /**
   * @param {string} title
   * @param {string} text
   * @param {import("../sdk/protocol.js").Code | null} [code]
   */
  #card(title, text, code = null) {
    const game = this.client.session?.seat.game;
    const again = h("button.primary", {}, game && code !== null ? "Play again" : "Try again");
    again.addEventListener("click", () => this.#again(game, code));
    const back = h("button", { onClick: this.options.onLeave }, "All rooms");
    const rename = code === "BadName" && nameField();
    const card = h("div.card", {}, h("h2", {}, title), h("p", {}, text), rename, h("div.actions", {}, again, back));
    if (code) {
      card.dataset.code = String(code);
    }
    this.#veil.hidden = false;
    fill(this.#veil, card);
    (card.querySelector("input") ?? again).focus();
  }

  /**
   * Who has lost the line tries to come back to the same seat.
   *
   * @param {string | undefined} game
   * @param {import("../sdk/protocol.js").Code | null} code
   */
  #again(game, code) {
    if (!game) {
      location.reload();
    } else if (code === null) {
      this.#wait("Coming back");
      this.client.retry();
    } else {
      this.options.onAgain(game);
    }
  }

  /** @param {string} text */
  #wait(text) {
    fill(this.#veil, h("div.card", {}, h("div.spinner"), h("h2", {}, text)));
  }

  /** @param {string} text */
  #say(text) {
    this.#banner.hidden = text === "";
    this.#banner.textContent = text;
  }

  async #copyLink() {
    const link = `${location.origin}/rooms/${this.client.session?.seat.room ?? ""}`;
    try {
      await navigator.clipboard.writeText(link);
      toast("Link copied. Send it to somebody.");
    } catch {
      prompt("Copy this link", link);
    }
  }
}
