/**
 * Clock, playout, pulse, lead and resyncs on whole lines: what a player sees there is bounded, and
 * `shared/vectors/time.json` holds what is decided when, for the Rust SDK to decide the same. `UPDATE_VECTORS=1` writes
 * that file anew.
 */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";

import { Lead } from "../sdk/lead.js";
import { Playout } from "../sdk/playout.js";
import { Pulse } from "../sdk/pulse.js";
import { Resyncs } from "../sdk/resyncs.js";
import { FIRST_TICK, TICK, arrivals, play, ways } from "./lines.mjs";
import { load } from "./vectors.js";

/** @typedef {import("./lines.mjs").Arrival} Arrival */

const SECONDS = 60;

/**
 * Draws a line's frames for a minute: which part was starved from a time on, how late the picture was on average, in
 * ticks, and what the clock did.
 *
 * @param {string} name
 * @param {number} [from]
 */
function watch(name, from = 0) {
  const sum = { draws: 0, underruns: 0, delay: 0, shift: 0, grew: false, counted: 0 };
  for (const seed of [1, 2, 3]) {
    const line = { tick_hz: 20, send_every: 1, every: 1, frames: arrivals(ways[name], SECONDS, seed) };
    let before = { draws: 0, underruns: 0 };
    let last = before;
    play(line, SECONDS * 1000, (now, { clock, playout, shift }) => {
      sum.delay += playout.delay / TICK;
      sum.counted += 1;
      sum.grew ||= clock.grows;
      sum.shift = shift;
      last = { draws: playout.draws, underruns: playout.underruns };
      before = now < from ? last : before;
    });
    sum.draws += last.draws - before.draws;
    sum.underruns += last.underruns - before.underruns;
  }
  return { starved: sum.underruns / sum.draws, delay: sum.delay / sum.counted, shift: sum.shift, grew: sum.grew };
}

test("steady lines starve hardly a draw, and the picture is no older than their jitter asks for", () => {
  for (const [name, starved, delay] of /** @type {const} */ ([
    ["good", 0.001, 2],
    ["wifi", 0.015, 7],
    ["4g", 0.01, 4],
    ["3g", 0.03, 10],
    ["jitter-150", 0.01, 5],
    ["starlink", 0.01, 4],
  ])) {
    const seen = watch(name);
    assert.ok(seen.starved <= starved, `${name}: ${(100 * seen.starved).toFixed(2)} % starved`);
    assert.ok(seen.delay <= delay && seen.delay > 1, `${name}: ${seen.delay.toFixed(1)} ticks`);
    assert.equal(seen.grew, false, `${name}: nothing to resync for`);
  }
});

test("two seconds after a step of the latency nothing starves, and there is nothing to resync for", () => {
  for (const [name, shift] of /** @type {const} */ ([
    ["step-up-100", 2],
    ["step-up-150", 3],
    ["step-up-600", 12],
    ["step-up-1000", 20],
    ["step-up-down-600", 0],
    ["step-up-down-1000", 0],
  ])) {
    const seen = watch(name, 22_000);
    assert.ok(seen.starved <= 0.01, `${name}: ${(100 * seen.starved).toFixed(2)} % starved`);
    assert.equal(seen.grew, false, name);
    assert.ok(Math.abs(seen.shift - shift) <= 1, `${name}: the clock has moved by ${seen.shift} ticks`);
  }
});

test("after a step down the picture becomes younger again, within seconds", () => {
  const line = { tick_hz: 20, send_every: 1, every: 1, frames: arrivals(ways["step-up-down-600"], SECONDS, 1) };
  play(line, SECONDS * 1000, (now, { playout }) => {
    if (now > 59_000) {
      assert.ok(playout.delay < 2 * TICK, `${playout.delay} ms at ${now}`);
    }
  });
});

test("a queue that fills is a lag that grows", () => {
  assert.equal(watch("queue").grew, true);
});

test("one late frame makes the delay longer at once, and that is forgotten with it", () => {
  const playout = new Playout(20, 1);
  const seen = new Map();
  for (const [at, tick, moved] of arrivals((sent) => (sent === 15_000 ? 300 : 10), 40, 1)) {
    playout.observe(tick, moved, at);
    playout.draw(at);
    seen.set(tick - FIRST_TICK, playout.delay);
  }
  const [before, after, later, last] = [299, 300, 330, 700].map((index) => seen.get(index));
  assert.deepEqual([before, after, later], [58, 348, 348]);
  assert.ok(last < 80, `${last} ms`);
});

test("a room that goes on from much earlier is drawn from there at once", () => {
  const playout = new Playout(20, 1);
  for (const [at, tick, moved] of arrivals(ways.good, 10, 1)) {
    playout.observe(tick, moved, at);
    playout.draw(at);
  }
  for (let index = 0; index < 10; index += 1) {
    playout.observe(200 + index, null, 12_000 + 50 * index);
  }
  assert.ok(playout.draw(12_460) < 210);
});

test("an author's own delay is kept, on any line and after a step", () => {
  const playout = new Playout(20, 1);
  playout.fixed = 150;
  for (const [at, tick, moved] of arrivals(ways["step-up-600"], 40, 1)) {
    playout.observe(tick, moved, at);
    if (at < 20_000 || at > 25_000) {
      const since = (tick - playout.draw(at)) * TICK;
      assert.ok(since > 130 && since < 170, `${since} ms at ${at}`);
    }
  }
});

test("nothing is starved while nothing is new", () => {
  const frames = /** @type {Arrival[]} */ (
    Array.from({ length: 80 }, (_, index) => [250 * index + 10, FIRST_TICK + 5 * index, index === 0 ? 0 : null])
  );
  play({ tick_hz: 20, send_every: 1, every: 1, frames }, 20_000, (now, { playout }) => {
    assert.equal(playout.underruns, 0, `at ${now}`);
  });
});

test("a hidden page's late frames say nothing of the line", () => {
  const playout = new Playout(20, 1);
  const good = arrivals(ways.good, 20, 1);
  for (const [at, tick, moved] of good.slice(0, 200)) {
    playout.observe(tick, moved, at);
  }
  playout.restart();
  for (const [at, tick, moved] of good.slice(200)) {
    playout.observe(tick, moved, at + 5000);
  }
  assert.ok(playout.delay < 2 * TICK);
});

/** @param {number} value */
function rounded(value) {
  return Math.round(value * 1000) / 1000;
}

/**
 * Lines that are pressed into an odd shape: schedule moves, silence, a hole, other rates.
 *
 * @returns {Record<string, { tick_hz: number, send_every: number, every: number, frames: Arrival[] }>}
 */
function oddLines() {
  const usual = { tick_hz: 20, send_every: 1, every: 1 };
  const good = arrivals(ways.good, 15, 7);
  return {
    // The server stood for a second, and says so.
    moved: {
      ...usual,
      frames: good.map(([at, tick, moved], index) => (index < 100 ? [at, tick, moved] : [at + 1000, tick, index === 100 ? 20 : null])),
    },
    // Nothing is new for most of the time.
    quiet: { ...usual, frames: good.filter((_, index) => index < 100 || index % 5 === 0 || index > 200) },
    // A tunnel: what was sent meanwhile comes behind it, at once.
    hole: { ...usual, frames: good.map(([at, tick, moved]) => [at > 5000 && at < 9000 ? 9000 : at, tick, moved]) },
    paced: { ...usual, every: 4, frames: good.filter((_, index) => index % 4 === 0) },
    fast: {
      tick_hz: 60,
      send_every: 2,
      every: 1,
      frames: arrivals(ways["jitter-150"], 30, 7).map(([at, tick, moved], index) => [
        Math.round((at * 2) / 3), FIRST_TICK + 2 * index, moved,
      ]),
    },
    // The room goes on with another owner, from an earlier tick.
    adopted: {
      ...usual,
      frames: good.map(([at, tick, moved], index) => (index < 100 ? [at, tick, moved] : [at + 4000, tick - 10, moved])),
    },
  };
}

function buildLines() {
  const usual = { tick_hz: 20, send_every: 1, every: 1 };
  const lines = [
    ...["good", "wifi", "4g", "3g", "jitter-150", "starlink"].map((name) => ({
      name, ...usual, frames: arrivals(ways[name], 15, 5, 10_000),
    })),
    ...["step-up-150", "step-up-600", "step-up-1000", "queue"].map((name) => ({
      name, ...usual, frames: arrivals(ways[name], 15, 5, 15_000),
    })),
    { name: "step-down-600", ...usual, frames: arrivals(ways["step-up-down-600"], 15, 5, 45_000) },
    ...Object.entries(oddLines()).map(([name, line]) => ({ name, ...line })),
  ];
  return lines.map((line) => {
    /** @type {any[]} */
    const checks = [];
    play(line, /** @type {Arrival} */ (line.frames.at(-1))[0] + 2000, (now, { clock, playout, shift, drawn }) => {
      if (now % 400 === 0) {
        checks.push([
          now, clock.state(now), rounded(clock.time(now)), rounded(clock.age(clock.newest, now)), shift, clock.grows,
          rounded(playout.delay), rounded(drawn), playout.underruns,
        ]);
      }
    });
    return { ...line, checks };
  });
}

/** A pulse on a line that becomes slower, loses an answer, brings frames, falls silent, sleeps, and is opened anew. */
function buildPulse() {
  const pulse = new Pulse(0);
  /** @type {any[]} */
  const steps = [];
  /** @type {[at: number, number: number, held: number][]} */
  let answers = [];
  for (let now = 0; now <= 60_000; now += 100) {
    const asleep = now > 40_000 && now < 46_000;
    if (asleep) {
      continue;
    }
    if (now === 50_000) {
      pulse.reopen(now);
      steps.push(["reopen", now]);
    }
    for (const [, number, held] of answers.filter(([at]) => at <= now)) {
      pulse.heard(now);
      pulse.pong(number, held, now);
      steps.push(["pong", now, number, held, rounded(pulse.roundTrip), rounded(pulse.smoothed)]);
    }
    answers = answers.filter(([at]) => at > now);
    if (now > 28_000 && now < 34_000) {
      pulse.heard(now);
      steps.push(["heard", now]);
    }
    const number = pulse.ping(now);
    if (number !== null) {
      steps.push(["ping", now, number, pulse.deadline]);
      const trip = now < 15_000 ? 30 + (number % 4) * 5 : now < 28_000 ? 1030 : 90;
      const silent = (now > 34_000 && now < 50_000) || number === 9;
      answers.push(...(silent ? [] : [/** @type {const} */ ([now + trip, number, number % 3])]).map(([...one]) => /** @type {any} */ (one)));
    }
    steps.push(["dead", now, pulse.isDead(now)]);
  }
  return steps;
}

function buildLead() {
  const lead = new Lead(20, 0);
  const steps = /** @type {[number, number, number, number, number][]} */ ([
    [0, -3, 1, 5, 0], [50, -3, 5, 6, 0], [5000, 2, 6, 7, 0], [5000, 1, 8, 9, 0], [10_000, 4, 9, 10, 0],
    [11_000, 3, 11, 12, 12], [12_000, -14, 13, 14, 0], [12_100, -20, 14, 15, 0], [18_000, 9, 15, 16, -12],
    [24_000, 9, 17, 18, 0], [25_000, 0, 18, 19, -40], [26_000, -200, 20, 20, 0], [31_000, 30, 21, 22, 0],
  ]);
  return steps.map(([now, margin, number, sent, shift]) => {
    lead.observe(margin, number, sent, now);
    lead.shift(shift);
    return [now, margin, number, sent, shift, lead.ticks];
  });
}

function buildResyncs() {
  const resyncs = new Resyncs();
  const steps = /** @type {[number, number, boolean][]} */ ([
    [0, 400, true], [50, 600, false], [100, 501, true], [15_000, 501, true], [15_099, 900, true], [15_100, 900, true],
    [15_300, 900, true], [16_300, 1000, true], [17_000, 900, true], [18_000, 900, true], [18_100, 20, false],
    [24_000, 700, true], [39_000, 700, true], [76_299, 700, true], [76_300, 700, true], [76_900, 100, false],
    [82_000, 501, true], [97_000, 500, true], [97_050, 600, true], [112_000, 600, true], [112_050, 600, true],
    [113_000, 20, false], [113_100, 600, true], [128_100, 600, true],
  ]);
  return steps.map(([now, age, grows]) => {
    const remedy = resyncs.judge(age, grows, now);
    if (remedy === "resync") {
      resyncs.sent(true, now);
    }
    return [now, age, grows, remedy, resyncs.earliest(now)];
  });
}

/**
 * One line for each list of a list, so that the file can be read.
 *
 * @param {any} built
 */
function format({ lines, ...rest }) {
  const rows = (/** @type {any[]} */ list) => `[\n      ${list.map((row) => JSON.stringify(row)).join(",\n      ")}\n    ]`;
  const shown = lines.map((/** @type {any} */ { frames, checks, ...line }) => {
    const head = JSON.stringify(line).slice(0, -1);
    return `    ${head}, "frames": ${JSON.stringify(frames)}, "checks": ${rows(checks)}}`;
  });
  const others = Object.entries(rest).map(([name, list]) => `  "${name}": ${rows(list)}`);
  return `{\n  "lines": [\n${shown.join(",\n")}\n  ],\n${others.join(",\n")}\n}\n`;
}

test("what is decided when is what the vectors say", () => {
  const built = { lines: buildLines(), pulse: buildPulse(), lead: buildLead(), resyncs: buildResyncs() };
  if (process.env.UPDATE_VECTORS !== undefined) {
    writeFileSync(new URL("../../shared/vectors/time.json", import.meta.url), format(built));
  }
  assert.deepEqual(JSON.parse(JSON.stringify(built)), load("time.json"));
});
