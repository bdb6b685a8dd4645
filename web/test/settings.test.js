/**
 * The player's name as the page keeps it: always one with which one can play.
 */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import * as settings from "../page/settings.js";
import { limits } from "../sdk/protocol.js";
import { plain } from "../sdk/text.js";
import { load } from "./vectors.js";

/** @type {Map<string, string>} */
const stored = new Map();
Object.assign(globalThis, {
  localStorage: {
    getItem: (/** @type {string} */ key) => stored.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => void stored.set(key, value),
  },
});

beforeEach(() => stored.clear());

test("a name is kept as the server will take it, and one that it refuses is not kept", () => {
  settings.setName("Ann");
  for (const { what, text, plain: kept } of load("texts.json").texts) {
    const before = settings.name();
    const now = settings.setName(text);
    assert.equal(plain(now, limits.NAME_BYTES).text, now, what);
    if (kept === undefined) {
      assert.equal(now, before, what);
    } else if (kept !== "" && Buffer.byteLength(kept) <= limits.NAME_BYTES) {
      assert.equal(now, kept, what);
    }
  }
});

test("who gives no name, or has one from an older page that no server takes, gets one that is made up", () => {
  for (const text of ["", "  ", "A\u202EB", "\u3042".repeat(12)]) {
    stored.set("tiltyard.name", text);
    const made = settings.name();
    assert.match(made, /^[A-Z][a-z]+ [A-Z][a-z]+$/);
    assert.equal(settings.name(), made);
  }
  settings.setName("Ann");
  assert.match(settings.setName(" "), /^[A-Z][a-z]+ [A-Z][a-z]+$/);
});
