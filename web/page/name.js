/**
 * The field for the player's name. It says what a server would not take while that is typed, and keeps only what one takes.
 */

import { limits } from "../sdk/protocol.js";
import { plain } from "../sdk/text.js";
import { h, mark } from "./dom.js";
import * as settings from "./settings.js";
import { flawWords } from "./words.js";

/**
 * @param {() => void} [onKept] another name is kept
 */
export function nameField(onKept = () => {}) {
  const told = h("span.told", { role: "alert" });
  const tell = () => {
    const { flaw } = plain(input.value, limits.NAME_BYTES);
    told.textContent = flaw === null ? "" : `${flawWords[flaw]} You are still ${settings.name()}.`;
    input.setAttribute("aria-invalid", String(flaw !== null));
    mark(field, "bad", flaw !== null);
    return flaw;
  };
  const input = h("input", {
    type: "text",
    value: settings.name(),
    spellcheck: false,
    autocomplete: "off",
    "aria-label": "Your name",
    onInput: tell,
    onChange: () => {
      if (tell() === null) {
        input.value = settings.setName(input.value);
        onKept();
      }
    },
    onKeyDown: (/** @type {KeyboardEvent} */ event) => event.key === "Enter" && input.blur(),
  });
  const title = "Others see you under this name";
  const field = h("label.name-field", { title }, h("span", {}, "Playing as"), input, told);
  return field;
}
