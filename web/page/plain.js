/**
 * The page of a game that has none of its own: all its entities in a table, as the last frame said.
 */

import { fill, h } from "./dom.js";

/** @type {import("./room.js").Play} */
export function playPlain(room) {
  const body = h("tbody");
  const head = h("tr", {}, h("th", {}, "entity"), h("th", {}, "kind"), h("th", {}, "fields"));
  const view = h("div.entities", {}, h("table", {}, h("thead", {}, head), body));
  room.place.append(view);
  room.onFrame(() => {
    const rows = room.newest().map(({ slot, generation, kind, fields }) => {
      const shown = Object.entries(fields ?? {}).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
      return h("tr", {}, h("td", {}, `${slot}.${generation}`), h("td", {}, kind), h("td", {}, shown.join("   ")));
    });
    fill(body, ...rows);
  });
  return () => view.remove();
}
