/**
 * The SDK on lines that fail, against a real server: `npm run cases` (see `server.mjs` for which one).
 */

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";

import { Client, Searching } from "../../sdk/index.js";
import { server } from "../server.mjs";
import { until } from "../wires.js";
import { Line } from "./line.js";

/** @typedef {import("../../sdk/client.js").Options} Options */

/** @type {Awaited<ReturnType<typeof server>>} */
let host;
/** @type {{ close: () => void }[]} */
const open = [];

before(async () => {
  host = await server();
});

afterEach(() => open.splice(0).forEach((one) => one.close()));

after(() => host?.stop());

/**
 * @template {{ close: () => void }} T
 * @param {T} one is closed when the test is over
 */
function closing(one) {
  open.push(one);
  return one;
}

/** @param {Partial<Options>} [options] */
function client(options) {
  const all = { url: host.url, name: "Ann", verify: true, WebSocket: /** @type {any} */ (WebSocket), ...options };
  return closing(new Client(all));
}

async function line() {
  const line = closing(new Line(host.url));
  return { line, url: await line.open() };
}

/**
 * @param {string} path
 * @param {object} [body]
 */
async function api(path, body) {
  const address = new URL(path, host.url.replace(/^ws/, "http"));
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  return (await fetch(address, body ? init : {})).json();
}

/** @param {object} [config] @param {string} [game] */
async function room(config, game = "arena") {
  const { room } = await api("/api/rooms", { game, private: true, ...(config ? { config } : {}) });
  return room;
}

/** @param {string} room */
async function players(room) {
  return (await api(`/api/rooms/${room}`)).players;
}

/**
 * Waits until so many players are in a room, or not more.
 *
 * @param {string} room
 * @param {(players: number) => boolean} fit
 */
async function counted(room, fit) {
  for (let tries = 0; !fit(await players(room)); tries += 1) {
    assert.ok(tries < 100, `${await players(room)} players`);
    await sleep(50);
  }
}

/**
 * @param {Client} client
 * @param {string} status
 */
function status(client, status) {
  return until(client.state, (state) => state.status === status);
}

test("who closes while entering leaves nobody in the room, whenever it was", async () => {
  const { line: slow, url } = await line();
  slow.delay = 60;
  const target = { Room: await room() };
  const stays = client();
  await stays.enter(target);
  for (const wait of [0, 50, 130, 180, 250, 310, 370, 420]) {
    const goes = client({ url });
    const entering = goes.enter(target);
    await sleep(wait);
    goes.close();
    await entering.then(
      () => goes.state.get().status === "over",
      (error) => assert.equal(error.name, "AbortError"),
    );
    assert.equal(goes.state.get().status, "over");
  }
  // Only one that had its seat when it was closed may be kept.
  await counted(target.Room, (left) => left <= 2);
});

test("who asks twice has one seat", async () => {
  const target = { Room: await room() };
  const ann = client();
  const [first, second] = await Promise.allSettled([ann.enter(target), ann.enter(target)]);
  assert.deepEqual([first.status, second.status], ["fulfilled", "rejected"]);
  await counted(target.Room, (players) => players === 1);
  assert.equal(ann.session?.counts.mismatches, 0);
  ann.leave();
  await status(ann, "over");
  await counted(target.Room, (players) => players === 0);
});

test("ten who are without network for some seconds are all back in their seats, each by itself", async () => {
  const { line: tunnel, url } = await line();
  const target = { Room: await room() };
  const all = Array.from({ length: 10 }, (_, number) => client({ url, name: `P${number}` }));
  for (const one of all) {
    await one.enter(target);
  }
  const seats = all.map(({ player }) => player);
  tunnel.offline = true;
  tunnel.cut();
  await sleep(6000);
  assert.ok(all.every((one) => one.state.get().status === "reconnecting"));
  tunnel.offline = false;
  const mended = performance.now();
  await Promise.all(all.map((one) => status(one, "playing")));
  assert.ok(performance.now() - mended < 2000, `back after ${performance.now() - mended} ms`);
  assert.deepEqual(all.map(({ player }) => player), seats);
  assert.equal(await players(target.Room), 10);
});

test("a line that has died in silence is noticed within six seconds by whoever is on it", async () => {
  const { line: half, url } = await line();
  const ann = client({ url });
  await ann.enter({ Room: await room() });
  const search = { game: "pong", mode: "duel", rating: 1500, party: null };
  const searching = closing(new Searching({ url, search, WebSocket: /** @type {any} */ (WebSocket) }));
  await until(searching.state, (state) => typeof state === "object" && "Searching" in state);
  await sleep(2500);
  half.silent = true;
  const silent = performance.now();
  await Promise.all([status(ann, "reconnecting"), until(searching.state, (state) => state === "Reconnecting")]);
  assert.ok(performance.now() - silent < 6000, `after ${performance.now() - silent} ms`);
  half.silent = false;
  await status(ann, "playing");
  await until(searching.state, (state) => typeof state === "object" && "Searching" in state);
  assert.equal(ann.session?.counts.mismatches, 0);
});

test("a resume that hangs is tried again, seconds into the grace", async () => {
  const { line: hung, url } = await line();
  const ann = client({ url });
  const { player } = await ann.enter({ Room: await room() });
  await sleep(1500);
  hung.silent = true;
  hung.cut();
  await sleep(4000);
  assert.ok(hung.opened > 2, "it does not wait for the first");
  hung.silent = false;
  await status(ann, "playing");
  assert.equal(ann.player, player);
});

test("two with one token settle: the older one is out and stays out", async () => {
  const ann = client();
  const { room: id, token, owner } = await ann.enter({ Room: await room() });
  const copy = client();
  const resync = { epoch: 1000, applied: null, event: 0 };
  await copy.enter({ Resume: { room: id, token, resync, owner, first_input: 1, groups: [] } });
  await status(ann, "over");
  assert.equal(/** @type {any} */ (ann.state.get()).code, "TakenOver");
  ann.retry();
  await sleep(1000);
  assert.deepEqual([ann.state.get().status, copy.state.get().status], ["over", "playing"]);
  assert.equal(copy.session?.counts.reconnects, 0);
});

for (const hz of [240, 1000]) {
  test(`a page that sends ${hz} inputs a second plays on`, async () => {
    const ann = client();
    await ann.enter({ Room: await room() });
    const start = performance.now();
    let sent = 0;
    let tried = 0;
    let settled = 0;
    ann.on("settled", () => (settled += 1));
    while (performance.now() - start < 5000) {
      for (; tried < ((performance.now() - start) / 1000) * hz; tried += 1) {
        sent += ann.send({ walk: [0, 0], aim: (tried % 250) / 40, fire: false }) ? 1 : 0;
      }
      await sleep(3);
    }
    assert.equal(ann.state.get().status, "playing");
    assert.equal(ann.session?.counts.reconnects, 0);
    assert.ok(sent >= Math.min(hz, 400) * 4.5, `${sent} of ${tried} inputs were taken`);
    assert.ok(settled >= sent - 256, `${settled} of ${sent} were settled`);
  });
}

test("an upload does not freeze the view of who sends it", async () => {
  const ann = client();
  await ann.enter({ Room: await room() });
  // The arena knows no such input, and says so; to send it is the point.
  const junk = { type: "raw", len: 4000 };
  Object.assign(/** @type {any} */ (ann.session).schema, { ...ann.session?.schema, input: junk });
  let oldest = 0;
  let last = performance.now();
  const stop = ann.on("frame", () => {
    oldest = Math.max(oldest, performance.now() - last);
    last = performance.now();
  });
  const end = performance.now() + 3000;
  while (performance.now() < end) {
    ann.send(new Uint8Array(4000));
    await sleep(5);
  }
  stop();
  assert.equal(ann.state.get().status, "playing");
  assert.ok(oldest < 500, `no frame for ${oldest} ms`);
});
