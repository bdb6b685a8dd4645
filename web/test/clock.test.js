/** Clock, lead, backoff, pulse, jumps, inputs: the time is an argument. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Backoff } from "../sdk/backoff.js";
import { Clock, Lead } from "../sdk/clock.js";
import { Unsettled } from "../sdk/inputs.js";
import { Jumps } from "../sdk/jumps.js";
import { Pulse } from "../sdk/pulse.js";
import { generator } from "./crowd.mjs";

/**
 * A clock of 20 ticks a second that has heard frames of ticks 0 to 9, the first at `start`.
 *
 * @param {number} [start]
 */
function warmClock(start = 1000) {
  const clock = new Clock(20);
  for (let tick = 0; tick < 10; tick += 1) {
    clock.observe(tick, tick === 0 ? 0 : null, start + tick * 50);
  }
  return clock;
}

test("the earliest arrival is believed and delays are not", () => {
  const clock = warmClock();
  clock.observe(10, null, 1500);
  clock.observe(11, null, 1590);
  assert.ok(Math.abs(clock.age(11, 1590) - 40) < 1);
  assert.equal(clock.tick(1615), 12);
  assert.ok(Math.abs(clock.time(1625) - 12.5) < 0.02);
});

test("a cold clock stands at the newest frame and calls none old", () => {
  const clock = new Clock(20, 77);
  assert.equal(clock.state(0), "cold");
  assert.equal(clock.tick(5000), 77);
  clock.observe(80, 0, 5000);
  clock.observe(81, null, 5050);
  assert.equal(clock.state(5050), "cold");
  assert.equal(clock.tick(5900), 81);
  assert.equal(clock.age(80, 5900), 0);
  clock.observe(82, null, 5100);
  clock.observe(83, null, 5150);
  assert.equal(clock.state(5150), "running");
});

test("a moved schedule makes no frame old", () => {
  const clock = warmClock(0);
  clock.observe(10, 19, 500 + 19 * 50);
  assert.ok(clock.age(10, 500 + 19 * 50) < 2);
  assert.equal(clock.tick(500 + 19 * 50 + 110), 12);
});

test("the clock coasts for half a second and stands", () => {
  const clock = warmClock();
  assert.equal(clock.tick(1450 + 410), 17);
  assert.equal(clock.state(1450 + 410), "running");
  assert.equal(clock.tick(1450 + 9000), 19);
  assert.equal(clock.state(1450 + 9000), "standing");
});

test("a slower line is believed in the end", () => {
  const clock = warmClock(0);
  for (let tick = 10; tick < 20_000; tick += 1) {
    clock.observe(tick, null, tick * 50 + 100);
  }
  assert.ok(clock.age(20_000, 20_000 * 50 + 100) < 2);
});

test("after a suspended tab nothing aims below the newest frame, and no frame is called old", () => {
  const clock = warmClock();
  // Asleep for a minute; what was kept for it arrives at once.
  const now = 61_450;
  assert.ok(clock.tick(now) <= 19, "no tick is made up");
  for (let tick = 10; tick <= 1209; tick += 1) {
    clock.observe(tick, null, now + tick / 100);
    assert.ok(clock.tick(now + tick / 100) >= tick);
    assert.ok(clock.age(tick, now + tick / 100) < 100);
  }
  assert.equal(clock.tick(now + 12 + 110), 1211);
});

test("a late input raises the lead once and calm lowers it", () => {
  const lead = new Lead(0);
  lead.observe(-3, 1, 5, 0);
  assert.equal(lead.ticks, 5);
  lead.observe(-3, 5, 6, 0);
  assert.equal(lead.ticks, 5, "input 5 was sent with the old lead");
  lead.observe(2, 6, 7, 5000);
  assert.equal(lead.ticks, 4);
  lead.observe(1, 8, 9, 5000);
  lead.observe(4, 9, 10, 10_000);
  assert.equal(lead.ticks, 4, "one of them was not early");
  lead.observe(-128, 11, 11, 10_000);
  assert.equal(lead.ticks, 40, "no line needs more");
});

test("waits grow within their bounds and end", () => {
  const backoff = new Backoff();
  const random = generator(1);
  for (let attempt = 1; attempt <= backoff.attempts; attempt += 1) {
    const bound = Math.min(backoff.first * 2 ** (attempt - 1), backoff.longest);
    const wait = backoff.wait(attempt, random());
    assert.ok(wait !== null && wait >= bound / 10 && wait <= bound, `attempt ${attempt}: ${wait} of ${bound}`);
  }
  assert.equal(backoff.wait(backoff.attempts + 1, 0.5), null);
  assert.notEqual(backoff.wait(3, 0.1), backoff.wait(3, 0.9), "a thousand clients do not come back as one");
});

test("only a spell of old frames makes a client jump, and jumps are a second apart", () => {
  const jumps = new Jumps();
  assert.equal(jumps.lags(600, 50, 0), false);
  assert.equal(jumps.lags(600, 50, 249), false);
  assert.equal(jumps.lags(540, 50, 250), false, "one in time ends the spell");
  assert.equal(jumps.lags(600, 50, 300), false);
  assert.equal(jumps.lags(600, 50, 550), true);
  jumps.sent(550);
  for (const now of [560, 900, 1300, 1549]) {
    assert.equal(jumps.lags(2000, 1, now), false);
  }
  assert.equal(jumps.earliest(560), 1550);
  assert.equal(jumps.lags(2000, 1, 1550), true);
});

test("the least round trip counts and is forgotten after two windows; a silent line is dead", () => {
  const pulse = new Pulse(0);
  assert.equal(pulse.roundTrip, 0);
  const trips = [[0, 30, 30], [5, 90, 30], [16, 70, 30], [32, 40, 40], [48, 3000, 40], [64, 3000, 1000]];
  for (const [at, trip, least] of trips) {
    pulse.answered(trip, at * 1000);
    assert.equal(pulse.roundTrip, least, `at ${at} s`);
  }
  const line = new Pulse(0);
  for (let now = 0; now < 5000; now += 500) {
    assert.equal(line.isDead(now), false);
  }
  assert.equal(line.isDead(5000), true);
  const asleep = new Pulse(0);
  assert.equal(asleep.isDead(60_000), false, "who was asleep has not read what arrived");
});

test("input numbers rise by one, aims never fall, the rest is sent again", () => {
  const inputs = new Unsettled();
  const none = new Uint8Array(0);
  for (const [number, wanted, aim] of [[1, 10, 10], [2, 12, 12], [3, 9, 12], [4, 13, 13]]) {
    const sent = inputs.push(wanted, none, null, 0);
    assert.deepEqual([sent?.number, sent?.aim], [number, aim]);
  }
  assert.deepEqual(inputs.settle(2).map(({ number }) => number), [1, 2]);
  assert.deepEqual(inputs.settle(2), []);
  assert.deepEqual(inputs.above(3).map(({ number }) => number), [4]);
  assert.ok(inputs.reaches(2) && inputs.reaches(4));
  assert.ok(!inputs.reaches(1), "input 2 is not kept any more");
  assert.ok(!inputs.reaches(5), "input 5 was never sent");
  while (inputs.push(1, none, null, 0) !== null) {}
  assert.equal(inputs.last, 258, "a full queue uses no number up");
});
