/**
 * Bots of the SDK play the arena on a running server, with a hash in every frame; their connections break now and then
 * and they take their seats over again. Fails at the first state that differs. `node test/live.mjs [bots] [seconds]`
 */

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";

import { Client, Interpolation, Prediction } from "../sdk/index.js";
import { server } from "./server.mjs";

const bots = Number(process.argv[2] ?? 4);
const seconds = Number(process.argv[3] ?? 8);

/** @type {import("../sdk/prediction.js").Rules<{ x: number, y: number }, { walk: [number, number] }>} */
const rules = {
  step({ x, y }, inputs, held, dt) {
    const [right, down] = (held?.walk ?? [0, 0]).map((part) => part / 127);
    const distance = (200 * dt) / Math.max(Math.hypot(right, down), 1);
    const inside = (/** @type {number} */ at) => Math.min(Math.max(at, 16), 2048 - 16);
    return { x: inside(x + right * distance), y: inside(y + down * distance) };
  },
  smooth: ["x", "y"],
  snap: 100,
  tolerance: 2 / 16,
};

const { url, stop } = await server();
try {
  const reports = await Promise.all(Array.from({ length: bots }, (_, number) => play(number)));
  const total = (/** @type {(report: typeof reports[0]) => number} */ of) =>
    reports.reduce((sum, report) => sum + of(report), 0);
  console.log(
    `${bots} bots, ${seconds} s: ${total((r) => r.frames)} frames (${total((r) => r.verified)} verified), ` +
      `${total((r) => r.bytes)} bytes, ${total((r) => r.events)} events, ${total((r) => r.settled)} inputs settled, ` +
      `${total((r) => r.reconnects)} resumes, ${total((r) => r.jumps)} jumps, ` +
      `${total((r) => r.mismatches)} mismatches, ${total((r) => r.badFrames)} bad frames`,
  );
  console.log(
    `entities ${mean(reports.map((r) => r.entities))}, round trip ${mean(reports.map((r) => r.roundTrip))} ms, ` +
      `underruns ${total((r) => r.underruns)} of ${total((r) => r.samples)}, ` +
      `corrections ${total((r) => r.corrections)}`,
  );
  assert.equal(total((r) => r.mismatches), 0, "a state differs");
  assert.equal(total((r) => r.badFrames), 0, "a frame cannot be applied");
  assert.equal(total((r) => r.verified + r.stale), total((r) => r.frames), "every frame has a hash");
  assert.equal(total((r) => r.reconnects), bots, "every bot has come back once");
} finally {
  stop();
}

/**
 * One bot: walks about, shoots, loses its line in the middle of the game and once by a jump of its own.
 *
 * @param {number} number
 */
async function play(number) {
  const client = new Client({ url, name: `web-${number}`, verify: true, WebSocket: /** @type {any} */ (WebSocket) });
  let events = 0;
  let settled = 0;
  let lastTick = 0;
  client.on("event", () => (events += 1));
  client.on("settled", () => (settled += 1));
  const seat = await client.enter({ Game: "arena" });
  const session = /** @type {import("../sdk/session.js").Session} */ (client.session);
  const interpolation = new Interpolation(session.schema.entity, 3);
  const prediction = new Prediction(rules, seat.tick_hz);
  client.on("frame", ({ head }) => {
    assert.ok(head.tick > lastTick, "ticks rise");
    lastTick = head.tick;
    interpolation.observe(client.replica);
    const isOwn = (/** @type {any} */ { kind, fields }) => kind === "Fighter" && fields.owner === client.player;
    const own = client.replica.shown().find(isOwn);
    const { x, y } = own?.fields ?? { x: 0, y: 0 };
    prediction.reconcile(own ? { x, y } : null, head.tick, session.settled.number);
  });
  const start = performance.now();
  const drawing = setInterval(() => {
    const now = performance.now();
    const time = client.clock.time(now);
    interpolation.sample(time);
    prediction.sample(time + session.lead.ticks, now);
  }, 16);
  let dropped = false;
  while (performance.now() - start < seconds * 1000) {
    const aim = (performance.now() / 700 + number) % (2 * Math.PI);
    const walk = [Math.cos(aim), Math.sin(aim)].map((part) => Math.round(part * 127));
    const sent = client.send({ walk, aim, fire: true });
    if (sent !== null) {
      prediction.sent(sent);
    }
    await sleep(40 + 20 * (number % 3));
    if (!dropped && performance.now() - start > (seconds * 1000) / 2) {
      dropped = true;
      client.dropLine();
    }
  }
  clearInterval(drawing);
  const entities = client.replica.shown().length;
  const over = new Promise((resolve) => client.on("goodbye", resolve));
  client.leave();
  const goodbye = /** @type {any} */ (await over);
  assert.equal(goodbye.code, "Left");
  const { counts, pulse } = session;
  assert.ok(counts.frames <= goodbye.frames, "no more frames were read than were handed over");
  return {
    ...counts,
    events,
    settled,
    entities,
    roundTrip: pulse.roundTrip,
    underruns: interpolation.underruns,
    samples: interpolation.samples,
    corrections: prediction.corrections,
  };
}

/** @param {number[]} numbers */
function mean(numbers) {
  return Math.round((10 * numbers.reduce((sum, number) => sum + number, 0)) / numbers.length) / 10;
}
