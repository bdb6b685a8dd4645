/** Inputs on their way: numbers, aims, the pace, and what is kept. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { InputTooLarge } from "../sdk/error.js";
import { Inputs } from "../sdk/inputs.js";
import { limits } from "../sdk/protocol.js";
import { Session } from "../sdk/session.js";
import { schema, seat } from "./wires.js";

const none = new Uint8Array(0);

/** @param {{ number: number }[]} list */
function numbers(list) {
  return list.map(({ number }) => number);
}

/**
 * Makes inputs at a rate for a time, hands them over at every millisecond, settles them 100 ms later.
 *
 * @param {number} hz
 * @param {number} seconds
 */
function play(hz, seconds) {
  const inputs = new Inputs();
  /** @type {{ at: number, numbers: number[] }[]} */
  const messages = [];
  let made = 0;
  let refused = 0;
  for (let now = 0; now < seconds * 1000; now += 1) {
    for (; made + refused < ((now + 1) * hz) / 1000; ) {
      if (inputs.push(1, none, null, now) === null) {
        refused += 1;
      } else {
        made += 1;
      }
    }
    const batch = inputs.take(now);
    if (batch.length > 0) {
      messages.push({ at: now, numbers: numbers(batch) });
    }
    const done = messages.filter(({ at }) => at <= now - 100).at(-1);
    inputs.settle(done?.numbers.at(-1) ?? 0, now);
  }
  return { messages, made, refused };
}

test("input numbers rise by one and aims never fall", () => {
  const inputs = new Inputs();
  for (const [number, wanted, aim] of [[1, 10, 10], [2, 12, 12], [3, 9, 12], [4, 13, 13]]) {
    const sent = inputs.push(wanted, none, null, 0);
    assert.deepEqual([sent?.number, sent?.aim], [number, aim]);
  }
  assert.deepEqual(numbers(inputs.settle(2, 0)), [1, 2]);
  assert.deepEqual(inputs.settle(2, 0), [], "each is told once");
});

test("the first input goes at once, those of the next 16 ms together", () => {
  const inputs = new Inputs();
  inputs.push(1, none, null, 0);
  assert.deepEqual(numbers(inputs.take(0)), [1]);
  [2, 5, 9].forEach((now) => inputs.push(1, none, null, now));
  assert.deepEqual(inputs.take(9), []);
  assert.equal(inputs.deadline, 16);
  assert.deepEqual(numbers(inputs.take(16)), [2, 3, 4]);
  inputs.push(1, none, null, 200);
  assert.deepEqual(numbers(inputs.take(200)), [5], "after a pause at once again");
});

test("neither a fast screen nor a loop makes more than the server takes", () => {
  for (const hz of [60, 240, 1000]) {
    const { messages, made, refused } = play(hz, 10);
    for (const { at } of messages) {
      const second = messages.filter((other) => other.at >= at && other.at < at + 1000);
      const inputs = second.reduce((sum, { numbers }) => sum + numbers.length, 0);
      assert.ok(inputs <= limits.INPUTS_PER_SECOND + limits.EARLY_INPUTS, `${inputs} inputs in a second at ${hz} Hz`);
      assert.ok(second.length <= 63, `${second.length} messages in a second at ${hz} Hz`);
    }
    assert.ok(messages.every(({ numbers }) => numbers.length <= limits.EARLY_INPUTS));
    assert.equal(refused > 0, hz === 1000, "only what is too much is refused");
    assert.ok(made >= Math.min(hz, 400) * 10, `${made} of ${hz * 10}`);
  }
});

test("without a line inputs wait, until so many are unanswered that more make no sense", () => {
  const inputs = new Inputs();
  inputs.lost();
  while (inputs.push(1, none, null, 0) !== null) {}
  assert.equal(inputs.last, 256, "a full queue uses no number up");
  assert.equal(inputs.deadline, Infinity, "nothing is handed to no line");
});

test("reports do not wait behind an upload: only so many bytes are under way", () => {
  const inputs = new Inputs();
  const large = new Uint8Array(4000);
  for (let count = 0; count < 40; count += 1) {
    inputs.push(1, large, null, 0);
  }
  let bytes = 0;
  for (let now = 0; now < 1000; now += 1) {
    const batch = inputs.take(now);
    assert.ok(batch.length <= 2, "a message has its limit too");
    bytes += batch.reduce((sum, { payload }) => sum + payload.length, 0);
  }
  assert.equal(bytes, 16_000);
  assert.equal(inputs.deadline, Infinity, "until something is settled");
  inputs.settle(2, 1000);
  assert.deepEqual(numbers(inputs.take(1000)), [5, 6]);
});

test("settled inputs are kept, and go out again where the server has lost them", () => {
  const inputs = new Inputs();
  for (let count = 0; count < 10; count += 1) {
    inputs.push(count, none, null, 0);
  }
  inputs.take(0);
  inputs.settle(8, 100);
  assert.equal(inputs.first, 1);
  inputs.lost();
  assert.equal(inputs.resume(5), true);
  assert.deepEqual(numbers(inputs.take(200)), [6, 7, 8, 9, 10]);
  assert.deepEqual(numbers(inputs.settle(10, 300)), [9, 10], "what was settled is not told again");
});

test("what goes out again after a room moved is under way until it is settled there, and no longer", () => {
  const inputs = new Inputs();
  const large = new Uint8Array(4000);
  const press = (/** @type {number} */ now) => {
    inputs.push(1, large, null, now);
    return numbers(inputs.take(now));
  };
  for (let now = 0; now < 400; now += 100) {
    press(now);
    inputs.settle(inputs.last, now);
  }
  // The new owner has none of them; each round it settles what it got.
  inputs.lost();
  inputs.resume(0);
  assert.deepEqual([numbers(inputs.take(500)), numbers(inputs.take(600))], [[1, 2], [3, 4]]);
  assert.deepEqual(press(700), [], "all four are under way");
  inputs.settle(3, 800);
  assert.deepEqual(numbers(inputs.take(800)), [5]);
  inputs.settle(5, 900);
  assert.deepEqual([1000, 1100, 1200, 1300].map(press), [[6], [7], [8], [9]], "the window is as wide as before");
});

test("what the server has taken in and not settled is still under way after a resume", () => {
  const inputs = new Inputs();
  for (let count = 0; count < 6; count += 1) {
    inputs.push(1, new Uint8Array(4000), null, 0);
  }
  inputs.take(0);
  inputs.take(100);
  inputs.settle(1, 150);
  inputs.lost();
  inputs.resume(4);
  assert.deepEqual(numbers(inputs.take(200)), [5], "three of them are");
  assert.equal(inputs.deadline, Infinity);
});

test("what is pressed without a line uses up nothing of the pace", () => {
  const inputs = new Inputs();
  inputs.lost();
  for (let now = 0; now < 200; now += 1) {
    inputs.push(1, none, null, now);
    assert.deepEqual(inputs.take(now), []);
  }
  inputs.resume(0);
  assert.equal(inputs.take(200).length, limits.EARLY_INPUTS);
});

test("a server that has taken in what was never sent, or lost what is not kept, cannot be answered", () => {
  const inputs = new Inputs(70_000);
  inputs.push(1, none, null, 0);
  assert.equal(inputs.resume(70_002), false);
  assert.equal(inputs.resume(69_999), false);
  assert.equal(inputs.resume(70_000), true);
});

test("settled inputs are forgotten after ten seconds, or when 256 newer ones are", () => {
  const inputs = new Inputs();
  inputs.push(1, none, null, 0);
  inputs.settle(1, 0);
  inputs.push(1, none, null, 0);
  inputs.settle(2, limits.KEPT_FOR);
  assert.equal(inputs.first, 1);
  inputs.settle(2, limits.KEPT_FOR + 1);
  assert.equal(inputs.first, 2);
  for (let now = 20_000; inputs.last < 400; now += 16) {
    inputs.push(1, none, null, now);
    inputs.take(now);
    inputs.settle(inputs.last, now);
  }
  assert.equal(inputs.first, 400 - limits.KEPT_INPUTS + 1);
});

test("an input that is too large is refused where it is made, with the name of what is", () => {
  /** @type {import("../sdk/wire.js").WireSchema} */
  const input = {
    type: "enum",
    name: "Do",
    variants: [
      { name: "Walk", fields: [] },
      {
        name: "Draw",
        fields: [
          { name: "color", schema: { type: "uint", bits: 8 } },
          { name: "points", schema: { type: "list", max_len: 9000, item: { type: "uint", bits: 16 } } },
        ],
      },
    ],
  };
  const session = new Session(seat, { ...schema, input }, 0);
  session.send({ Draw: { color: 1, points: [1, 2, 3] } }, 0);
  const stroke = { Draw: { color: 1, points: new Array(2000).fill(60_000) } };
  assert.throws(() => session.send(stroke, 0), (error) => {
    assert.ok(error instanceof InputTooLarge);
    assert.equal(error.code, "TooLarge");
    assert.match(error.message, /^input\.Draw\.points takes 6003 bytes; an input may take 4096$/);
    return true;
  });
  assert.equal(session.inputs.last, 1, "its number is not used up");
});
