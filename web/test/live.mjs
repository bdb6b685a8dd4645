/**
 * Bots of the SDK play the arena on a running server, with a hash in every frame. Prints one JSON object of what they
 * saw; the exit status is 0 only if no state differed and nothing else went wrong. `make smoke` runs them beside the
 * bots in Rust.
 *
 * `node test/live.mjs [--url URL] [--bots 4] [--seconds 8] [--rooms N] [--drop]`: without a URL on a server of its own
 * (see `server.mjs`); with `--rooms` spread over the first N rooms that the server lists, for which it waits; with
 * `--drop` every line breaks once, and the bots take their seats over again.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { Bot } from "./bot.mjs";
import { server } from "./server.mjs";

/** Rooms that do not come in this time, in ms, will not come. */
const PATIENCE = 10_000;

const { values: options } = parseArgs({
  options: {
    url: { type: "string" },
    bots: { type: "string", default: "4" },
    seconds: { type: "string", default: "8" },
    rooms: { type: "string", default: "0" },
    drop: { type: "boolean", default: false },
  },
});
const bots = Number(options.bots);
const plan = { milliseconds: Number(options.seconds) * 1000, drop: options.drop };

const { url, stop } = options.url === undefined ? await server() : { url: options.url, stop() {} };
try {
  const targets = await wishes(Number(options.rooms));
  const reports = await Promise.all(
    Array.from({ length: bots }, (_, number) => new Bot(url, number, plan).live(targets[number % targets.length])),
  );
  const report = sumUp(reports);
  console.log(JSON.stringify(report, null, 2));
  process.exitCode = report.mismatches + report.errors === 0 ? 0 : 1;
} finally {
  stop();
}

/**
 * Where the bots go: to so many rooms that are there, or to any.
 *
 * @param {number} rooms
 * @returns {Promise<import("../sdk/protocol.js").Target[]>}
 */
async function wishes(rooms) {
  if (rooms === 0) {
    return [{ Game: "arena" }];
  }
  const list = new URL("/api/rooms?game=arena", url.replace(/^ws/, "http"));
  for (const start = performance.now(); performance.now() - start < PATIENCE; await sleep(50)) {
    const { rooms: entries } = await (await fetch(list)).json();
    if (entries.length >= rooms) {
      return entries.slice(0, rooms).map((/** @type {{ room: string }} */ { room }) => ({ Room: room }));
    }
  }
  throw new Error(`the server does not list ${rooms} rooms of the arena`);
}

/**
 * What all bots have to say, in the words of `tiltyard-bot --json`.
 *
 * @param {Bot[]} reports
 */
function sumUp(reports) {
  const connected = reports.filter(({ client }) => client.session !== null);
  const complaints = reports.flatMap((bot) => bot.complaints);
  const total = (/** @type {(bot: Bot) => number} */ of) => connected.reduce((sum, bot) => sum + of(bot), 0);
  return {
    bots,
    connected: connected.length,
    frames: total(({ counts }) => counts.frames),
    bytes: total(({ counts }) => counts.bytes),
    frames_per_second_min: Math.min(...reports.map((bot) => bot.framesPerSecond)),
    entities_visible_mean: total((bot) => bot.entities) / connected.length,
    mismatches: total(({ counts }) => counts.mismatches),
    errors: complaints.length,
    resyncs: total(({ counts }) => counts.resyncs),
    reconnects: total(({ counts }) => counts.reconnects),
    events: total((bot) => bot.events),
    inputs_settled: total((bot) => bot.settled),
    complaints: complaints.slice(0, 10),
  };
}
