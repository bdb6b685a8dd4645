/** What the page says where no rooms are listed. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { emptyWords } from "../page/words.js";

const OPENS = "Play now opens one, and whoever comes next joins you there.";

test("that there are no rooms is said of a list that is live", () => {
  assert.deepEqual(emptyWords(true, "in", false, null), { count: "0", title: "No rooms yet", text: OPENS });
  assert.equal(emptyWords(true, "in", false, "Pong").title, "No rooms of Pong");
  assert.equal(emptyWords(true, "in", true, "Pong").title, "No open rooms of Pong");
});

test("an empty list is no news once the line is gone, or before it has come", () => {
  assert.deepEqual(emptyWords(true, "reconnecting", false, null), { count: "", title: "", text: "Reconnecting…" });
  assert.deepEqual(emptyWords(true, "gone", true, "Pong"), { count: "", title: "", text: "Disconnected…" });
  assert.equal(emptyWords(false, "connecting", false, null).text, "Connecting…");
  assert.equal(emptyWords(false, "in", false, null).text, "Looking around…");
});
