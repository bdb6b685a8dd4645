/** Values that can be watched, as view libraries bind to them. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Store } from "../sdk/store.js";

test("a store tells whoever watches, at once and with every change", () => {
  const store = new Store({ a: 1, b: 2 });
  /** @type {any[]} */
  const seen = [];
  const stop = store.subscribe((value) => seen.push(value));
  store.update({ a: 3 });
  stop();
  store.update({ a: 4 });
  assert.deepEqual(seen, [{ a: 1, b: 2 }, { a: 3, b: 2 }]);
  assert.deepEqual(store.get(), { a: 4, b: 2 });
});

test("a store's methods work without the store before them, as view libraries call them", () => {
  const { subscribe, get, set } = new Store(1);
  let calls = 0;
  const stop = subscribe(() => (calls += 1));
  set(2);
  stop();
  assert.deepEqual([get(), calls], [2, 2]);
});

test("a view that is told of a change and then asks, as React's do, is shown the new value", () => {
  const { subscribe, get, set } = new Store("connecting");
  /** @type {string[]} */
  const shown = [];
  subscribe(() => shown.push(get()));
  set("playing");
  set("over");
  assert.deepEqual(shown, ["connecting", "playing", "over"]);
});

test("who stops watching while all are told costs nobody else the change", () => {
  const store = new Store(0);
  /** @type {string[]} */
  const told = [];
  const once = store.subscribe((value) => {
    if (value === 1) {
      told.push("first");
      once();
    }
  });
  store.subscribe((value) => value > 0 && told.push("second"));
  store.set(1);
  store.set(2);
  assert.deepEqual(told, ["first", "second", "second"]);
});
