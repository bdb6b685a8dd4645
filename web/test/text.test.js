/**
 * Text that people choose: the same rules as the server's, so that a page says what is wrong before the server does.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { plain } from "../sdk/text.js";
import { load } from "./vectors.js";

test("texts have the plain form, or the flaw, that the server finds", () => {
  for (const { what, text, max_bytes: maxBytes, plain: kept, flaw } of load("texts.json").texts) {
    assert.deepEqual(plain(text, maxBytes), { text: kept ?? null, flaw: flaw ?? null }, what);
  }
});

test("what is plain stays as it is, within its limit, whatever was typed", () => {
  const special = Array.from(
    "A1é\u0301\u0302 \u00A0\u3000\u00AD\u200B\u200C\u200D\u202Eم\u064Bര\u0D4D\uFE0F\uFE00\u20E3👨👩✈\u{1F3FD}🏴" +
      "\u{E0067}\u{E0062}\u{E007F}\u{1F1E9}각ᄀ\u1161\u11A8क\u093C\u0958\uE000\u0378\u3164\n",
  );
  special.push("\uD83D");
  let seed = 1;
  const below = (/** @type {number} */ end) => (seed = (seed * 48271) % 2147483647) % end;
  let kept = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const text = Array.from({ length: below(8) }, () => special[below(special.length)]).join("");
    const maxBytes = below(40);
    const first = plain(text, maxBytes);
    if (first.text !== null) {
      kept += first.text === "" ? 0 : 1;
      assert.ok(Buffer.byteLength(first.text) <= maxBytes);
      assert.deepEqual(plain(first.text, maxBytes), first, JSON.stringify(text));
    }
  }
  assert.ok(kept > 500, `${kept} texts were kept`);
});
