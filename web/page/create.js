/**
 * The dialog for a room of one's own. What can be chosen for a game is what its default config has: numbers, switches.
 */

import { limits } from "../sdk/protocol.js";
import { plain } from "../sdk/text.js";
import { fill, h } from "./dom.js";
import { gameWords } from "./games.js";
import { flawWords, inWords } from "./words.js";

/** @typedef {{ name: string, config: Record<string, any> | null }} GameEntry */

/**
 * Opens the dialog.
 *
 * @param {string} chosen the game
 * @param {(room: string) => void} onCreated
 */
export async function openCreate(chosen, onCreated) {
  const answer = await fetch("/api/games").catch(() => null);
  /** @type {GameEntry[]} */
  const games = answer?.ok ? (await answer.json()).games : [{ name: chosen, config: null }];
  new CreateDialog(games, chosen, onCreated);
}

class CreateDialog {
  #title = h("input", { type: "text", placeholder: "Friday night", autocomplete: "off", onInput: () => this.#checkTitle() });
  #private = h("input", { type: "checkbox" });
  #error = h("p.error", { role: "alert" });
  #options = h("div.options");
  #submit = h("button.primary", { type: "submit" }, "Open the room");
  #dialog = h("dialog");
  #game;

  /**
   * @param {GameEntry[]} games
   * @param {string} chosen
   * @param {(room: string) => void} onCreated
   */
  constructor(games, chosen, onCreated) {
    this.games = games;
    this.onCreated = onCreated;
    const choices = games.map(({ name }) => h("option", { value: name }, gameWords(name).title));
    this.#game = h("select", { onChange: () => this.#showOptions() }, ...choices);
    this.#game.value = chosen;
    const cancel = h("button.quiet", { type: "button", onClick: () => this.#dialog.close() }, "Cancel");
    const form = h(
      "form",
      { onSubmit: (/** @type {SubmitEvent} */ event) => this.#send(event) },
      h("h2", {}, "A room of your own"),
      h("label.field", {}, h("span", {}, "Game"), this.#game),
      h("label.field", {}, h("span", {}, "Title, if you like"), this.#title),
      this.#options,
      h("label.check", {}, this.#private, h("span", {}, "Private: found by its link or code only")),
      this.#error,
      h("div.actions", {}, cancel, this.#submit),
    );
    this.#dialog.append(form);
    this.#dialog.addEventListener("close", () => this.#dialog.remove());
    document.body.append(this.#dialog);
    this.#showOptions();
    this.#dialog.showModal();
    this.#title.focus();
  }

  #config() {
    return this.games.find(({ name }) => name === this.#game.value)?.config ?? null;
  }

  #showOptions() {
    const fields = Object.entries(this.#config() ?? {}).map(([key, value]) => {
      const label = key.replaceAll("_", " ").replace(/^./, (letter) => letter.toUpperCase());
      if (typeof value === "boolean") {
        return h("label.check", {}, h("input", { type: "checkbox", name: key, checked: value }), h("span", {}, label));
      }
      if (typeof value === "number") {
        const input = h("input", { type: "text", inputMode: "numeric", name: key, value: String(value) });
        return h("label.field", {}, h("span", {}, label), input);
      }
      return null;
    });
    fill(this.#options, ...fields);
    this.#error.textContent = "";
  }

  /** The default config with what was chosen. */
  #chosen() {
    const config = this.#config();
    if (config === null || typeof config !== "object") {
      return undefined;
    }
    const chosen = { ...config };
    for (const input of this.#options.querySelectorAll("input")) {
      chosen[input.name] = input.type === "checkbox" ? input.checked : Number(input.value);
    }
    return chosen;
  }

  /** Says what the server would not take. */
  #checkTitle() {
    const { flaw } = plain(this.#title.value, limits.TITLE_BYTES);
    this.#error.textContent = flaw === null ? "" : flawWords[flaw];
    return flaw === null;
  }

  /** @param {SubmitEvent} event */
  async #send(event) {
    event.preventDefault();
    if (!this.#checkTitle()) {
      return;
    }
    this.#submit.disabled = true;
    const wish = {
      game: this.#game.value,
      title: this.#title.value,
      private: this.#private.checked,
      config: this.#chosen(),
    };
    const failed = await this.#post(wish);
    this.#submit.disabled = false;
    this.#error.textContent = failed;
  }

  /**
   * Opens the room; says what is wrong if it does not.
   *
   * @param {object} wish
   * @returns {Promise<string>}
   */
  async #post(wish) {
    const request = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(wish) };
    const answer = await fetch("/api/rooms", request).catch(() => null);
    if (answer === null) {
      return "The server cannot be reached.";
    }
    const said = await answer.json().catch(() => null);
    if (!answer.ok) {
      // What is wrong with a config only the game knows.
      return said?.code === "bad_config" ? said.message : inWords(said?.code, said?.message);
    }
    this.#dialog.close();
    this.onCreated(said.room);
    return "";
  }
}
