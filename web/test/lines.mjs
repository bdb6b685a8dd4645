/**
 * Lines as people have them, one way, in a small seeded model: when each frame of a server of 20 ticks a second arrives.
 * The order is kept, as TCP keeps it: what is late holds up what comes behind it.
 */

import { Clock } from "../sdk/clock.js";
import { Playout } from "../sdk/playout.js";
import { generator } from "./crowd.mjs";

/** The length of a tick in ms, and the first of which a frame is sent. */
export const TICK = 50;
export const FIRST_TICK = 100;

/**
 * @typedef {[now: number, tick: number, moved: number | null]} Arrival
 * @typedef {(sent: number, random: () => number) => number} Way how many ms a frame takes that is sent at this time
 */

/**
 * A value between neighbours of a table of quantiles.
 *
 * @param {[part: number, value: number][]} table
 * @param {number} part
 */
function quantile(table, part) {
  const above = table.findIndex(([at]) => at >= part);
  const [[from, low], [to, high]] = [table[above - 1], table[above]];
  return low + ((part - from) / (to - from)) * (high - low);
}

/**
 * Delays of a normal distribution, none below the least.
 *
 * @param {number} least
 * @param {number} deviation
 * @returns {Way}
 */
function normal(least, deviation) {
  return (_, random) => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return least + deviation * Math.abs(radius * Math.cos(2 * Math.PI * random()));
  };
}

/**
 * Loses a part of the frames: each comes a round trip and a quarter and the next frame later.
 *
 * @param {Way} way
 * @param {number} part
 * @param {number} trip
 * @returns {Way}
 */
function lossy(way, part, trip) {
  return (sent, random) => way(sent, random) + (random() < part ? 1.25 * trip + TICK : 0);
}

/** @param {number} added @param {number} [until] @returns {Way} */
function step(added, until = Infinity) {
  const good = normal(14, 4);
  return (sent, random) => good(sent, random) + (sent >= 20_000 && sent < until ? added : 0);
}

/** @type {[number, number][]} */
const WIFI = [[0, 0], [0.5, 3], [0.9, 20], [0.99, 250], [1, 300]];

/** @type {Record<string, Way>} */
export const ways = {
  good: normal(14, 4),
  wifi: (sent, random) => 14 + quantile(WIFI, random()) + (sent % 120_000 < TICK ? 100 : 0),
  "4g": lossy(normal(35, 15), 0.002, 70),
  "3g": lossy(normal(150, 50), 0.005, 300),
  "jitter-150": (_, random) => 14 + 150 * random(),
  starlink: (sent, random) =>
    normal([15, 40, 22, 33][Math.floor(sent / 15_000) % 4], 6.7)(sent, random) + (sent % 15_000 < TICK ? 100 : 0),
  "step-up-100": step(100),
  "step-up-150": step(150),
  "step-up-600": step(600),
  "step-up-1000": step(1000),
  "step-up-down-600": step(600, 50_000),
  "step-up-down-1000": step(1000, 50_000),
  // A queue that fills by a tenth of what is sent, and is full at last.
  queue: (sent, random) => normal(14, 4)(sent, random) + Math.min(Math.max(sent - 20_000, 0) / 10, 2000),
};

/**
 * What arrives of the frames that are sent for so many seconds. Times are whole ms.
 *
 * @param {Way} way
 * @param {number} seconds
 * @param {number} seed
 * @param {number} [from] at which ms of the line's life they begin
 * @returns {Arrival[]}
 */
export function arrivals(way, seconds, seed, from = 0) {
  const random = generator(seed);
  let last = 0;
  return Array.from({ length: (seconds * 1000) / TICK }, (_, index) => {
    last = Math.max(last, Math.round(index * TICK + way(from + index * TICK, random)));
    return [last, FIRST_TICK + index, index === 0 ? 0 : null];
  });
}

/** A page draws so often, in ms. */
export const DRAW = 16;

/**
 * A client's clock and playout on a line: what they say whenever the page draws.
 *
 * @param {{ tick_hz: number, send_every: number, every: number, frames: Arrival[] }} line
 * @param {number} until how many ms
 * @param {(now: number, seen: { clock: Clock, playout: Playout, shift: number, drawn: number }) => void} look
 */
export function play({ tick_hz, send_every, every, frames }, until, look) {
  const clock = new Clock(tick_hz, FIRST_TICK - 1);
  const playout = new Playout(tick_hz, send_every, FIRST_TICK - 1);
  playout.pace(every);
  let [next, shift] = [0, 0];
  for (let now = 0; now < until; now += DRAW) {
    for (; next < frames.length && frames[next][0] <= now; next += 1) {
      const [at, tick, moved] = frames[next];
      shift += clock.observe(tick, moved, at);
      playout.observe(tick, moved, at);
    }
    look(now, { clock, playout, shift, drawn: playout.draw(now) });
  }
}
