/** Who is away when things happen in a room, against a real server: `npm run cases`. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";

import { Client } from "../../sdk/index.js";
import { server } from "../server.mjs";
import { until } from "../wires.js";
import { Line } from "./line.js";

/** @type {Awaited<ReturnType<typeof server>>} */
let host;
/** @type {Line} */
let tunnel;
/** @type {string} */
let url;

before(async () => {
  host = await server();
  tunnel = new Line(host.url);
  url = await tunnel.open();
});

after(() => {
  tunnel?.close();
  host?.stop();
});

/** @param {string} at */
function client(at) {
  return new Client({ url: at, name: "Ann", verify: true, WebSocket: /** @type {any} */ (WebSocket) });
}

/** @param {object} config */
async function room(config) {
  const address = new URL("/api/rooms", host.url.replace(/^ws/, "http"));
  const body = JSON.stringify({ game: "arena", private: true, config });
  const answer = await fetch(address, { method: "POST", headers: { "content-type": "application/json" }, body });
  return (await answer.json()).room;
}

const config = { max_players: 8, pickups: 4, view_depth: 3, match_seconds: 0 };

test("who is away while the match ends is told the result on coming back", async () => {
  const target = { Room: await room({ ...config, match_seconds: 4 }) };
  const [stays, away] = [client(host.url), client(url)];
  await stays.enter(target);
  await away.enter(target);
  await sleep(2500);
  tunnel.offline = true;
  tunnel.cut();
  await until(stays.state, ({ status }) => status === "over");
  await sleep(1500);
  tunnel.offline = false;
  await until(away.state, ({ status }) => status === "over");
  const [one, other] = [stays, away].map(({ state }) => /** @type {any} */ (state.get()).code);
  assert.deepEqual([one, other], ["Finished", "Finished"]);
  assert.notEqual(away.result, null);
  assert.deepEqual(away.result, stays.result);
});

test("what was pressed during a long outage is not executed in one go on coming back", async () => {
  const away = client(url);
  await away.enter({ Room: await room(config) });
  await sleep(1000);
  let [settled, refused] = [0, 0];
  away.on("settled", () => (settled += 1));
  away.on("inputRefused", ({ code }) => (refused += code === "TooLate" ? 1 : 0));
  tunnel.offline = true;
  tunnel.cut();
  let pressed = 0;
  for (const end = performance.now() + 5000; performance.now() < end; await sleep(50)) {
    pressed += away.send({ walk: [127, 0], aim: 0, fire: true }) ? 1 : 0;
  }
  tunnel.offline = false;
  await until(away.state, ({ status }) => status === "playing");
  await sleep(1500);
  assert.equal(settled, pressed, "all are answered");
  assert.ok(refused >= pressed - 45, `${refused} of ${pressed} presses were too late`);
  const walks = away.send({ walk: [-127, 0], aim: 0, fire: false })?.number ?? 0;
  await sleep(500);
  assert.ok(/** @type {any} */ (away.session).settled.number >= walks, "and what is pressed now counts");
  assert.equal(away.session?.counts.inputsRefused, refused);
  away.close();
});
