/**
 * The panel in which people talk on the home page: one channel at a time, that of all or that of the game whose rooms are
 * shown. Nobody is seen there who does not want to be.
 */

import { limits } from "../sdk/protocol.js";
import { plain } from "../sdk/text.js";
import { fill, h, mark } from "./dom.js";
import { gameWords } from "./games.js";
import * as settings from "./settings.js";
import { flawWords, inWords } from "./words.js";

/** @typedef {import("../sdk/chat.js").Chat} Chat */
/** @typedef {import("../sdk/chat.js").ChatState} ChatState */

/** The channel of all. */
const LOBBY = "lobby";

/** So many names are shown; further ones are counted. */
const SHOWN_NAMES = 12;

export class ChatPanel {
  #channel = LOBBY;
  #title = h("span.soft");
  #present = h("p.present", { "aria-live": "polite" });
  #lines = h("ol.lines", { role: "log", "aria-label": "What was said", tabIndex: 0 });
  #told = h("p.told", { role: "status" });
  #text = h("input", {
    type: "text",
    autocomplete: "off",
    "aria-label": "Say something",
    onInput: () => this.#check(),
  });
  #button = h("button", { type: "submit" }, "Say");
  #seen = h("input", { type: "checkbox", checked: settings.isOn("seen"), onChange: () => this.#showMyself() });
  /** What is shown, so that lines are drawn once. */
  #shown = /** @type {import("../sdk/chat.js").Channel["lines"]} */ ([]);
  /** @type {ChatState["refused"]} */
  #refused = null;
  /** What the server has not taken yet: given back if it refuses. */
  #said = "";
  /** @type {() => void} */
  #end;

  /** @param {Chat} chat */
  constructor(chat) {
    this.chat = chat;
    const form = h("form.say", { onSubmit: (/** @type {Event} */ event) => this.#say(event) }, this.#text, this.#button);
    const seen = h("label.check", { title: "Otherwise you stand on no list" }, this.#seen, h("span.soft", {}, "Show that I am here"));
    this.element = h(
      "section.chat",
      { "aria-label": "Chat" },
      h("div.rooms-head", {}, h("h2", {}, "Chat"), this.#title, h("span.spacer"), seen),
      h("div.talk", {}, this.#lines, this.#present, form, this.#told),
    );
    this.attend(null);
    this.#end = chat.state.subscribe((state) => this.#show(state));
  }

  stop() {
    this.#end();
  }

  /**
   * Talks in the channel of a game, or in that of all; under the name that the player has by now.
   *
   * @param {string | null} game
   */
  attend(game) {
    const channel = game?.toLowerCase() ?? LOBBY;
    if (channel !== this.#channel) {
      this.chat.leaveChannel(this.#channel);
      this.#channel = channel;
      this.#told.textContent = "";
    }
    this.#title.textContent = game === null ? "Everybody" : gameWords(game).title;
    this.#text.placeholder = game === null ? "Say something to everybody" : `Say something about ${gameWords(game).title}`;
    this.chat.joinChannel(channel, { name: settings.name(), visible: this.#seen.checked });
  }

  #showMyself() {
    settings.toggle("seen");
    this.chat.joinChannel(this.#channel, { name: settings.name(), visible: this.#seen.checked });
  }

  /** What was typed, in its plain form; if a server would refuse it, says why. */
  #check() {
    const { text, flaw } = plain(this.#text.value, limits.SAID_BYTES);
    this.#told.textContent = flaw === null ? "" : flawWords[flaw];
    return text;
  }

  /** @param {Event} event */
  #say(event) {
    event.preventDefault();
    const text = this.#check();
    if (text && this.chat.sendMessage(this.#channel, text)) {
      this.#said = text;
      this.#text.value = "";
      this.#told.textContent = "";
    }
  }

  /** @param {ChatState} state */
  #show({ isIn, channels, refused }) {
    const { lines, visible, names } = channels[this.#channel] ?? { lines: [], visible: 0, names: [] };
    this.#button.disabled = !isIn;
    if (refused !== this.#refused) {
      this.#refused = refused;
      this.#told.textContent = refused === null ? "" : inWords(refused.code);
      this.#text.value ||= refused === null ? "" : this.#said;
    }
    const others = visible - Math.min(names.length, SHOWN_NAMES);
    const more = others > 0 ? ` and ${others} more` : "";
    this.#present.textContent = visible === 0 ? "" : `Here: ${names.slice(0, SHOWN_NAMES).join(", ")}${more}`;
    this.#present.hidden = visible === 0;
    if (lines !== this.#shown) {
      this.#showLines(lines);
    }
  }

  /** @param {ChatState["channels"][string]["lines"]} lines */
  #showLines(lines) {
    const list = this.#lines;
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 24;
    this.#shown = lines;
    if (lines.at(-1)?.text === this.#said) {
      this.#said = "";
    }
    mark(list, "empty", lines.length === 0);
    const rows = lines.map(({ name, text }) => h("li", {}, h("b", {}, name), " ", text));
    fill(list, ...(rows.length > 0 ? rows : [h("li.soft", {}, "Nothing was said since you came.")]));
    if (atEnd) {
      list.scrollTop = list.scrollHeight;
    }
  }
}
