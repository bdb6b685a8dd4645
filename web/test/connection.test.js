/** The life of a connection: the table of docs/connection.md, and what goes wrong on the way back (each its own test). */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Backoff } from "../sdk/backoff.js";
import { Bench, cell, events, inWords, states } from "./connection.js";

const page = readFileSync(new URL("../../docs/connection.md", import.meta.url), "utf8");

test("every event does in every state what docs/connection.md says", () => {
  const rows = page.split("\n").filter((line) => line.startsWith("| "));
  const from = rows.findIndex((line) => line.startsWith("| event |"));
  const parts = (/** @type {string} */ line) => line.slice(2, -2).split(" | ");
  const [, ...columns] = parts(rows[from]);
  assert.deepEqual(columns, Object.keys(states));
  const table = rows.slice(from + 2, from + 2 + Object.keys(events).length).map(parts);
  assert.deepEqual(table.map(([event]) => event), Object.keys(events));
  for (const [event, ...cells] of table) {
    cells.forEach((told, place) => assert.equal(cell(columns[place], event), told, `${event} while ${columns[place]}`));
  }
});

test("without a seat one is in with the welcome", () => {
  const bench = new Bench({ seat: false });
  bench.start();
  bench.happen("opened");
  assert.deepEqual(inWords(bench.welcome()), ["tell message", "tell ready", "Ping", "wish"]);
  assert.equal(bench.state, "ready");
});

test("a seat is tried for as long as the server keeps it, and the last try comes at the end of that time", () => {
  const bench = new Bench().ready().live();
  const lost = bench.now;
  bench.cut();
  const tries = bench.fail();
  assert.equal(bench.state, "over");
  assert.equal(bench.now - lost, 30_000);
  assert.ok(tries >= 30, `${tries} tries in 30 s`);
  const lobby = new Bench({ seat: false }).ready().live();
  lobby.cut();
  for (let tries = 0; tries < 500; tries += 1) {
    lobby.tick();
    lobby.cut();
  }
  assert.equal(lobby.state, "waiting", "a lobby is tried for ever");
});

test("before the first seat the patience counts", () => {
  const bench = new Bench({ patience: 4000 });
  const begun = bench.now;
  bench.start();
  bench.cut();
  bench.fail();
  assert.deepEqual([bench.state, bench.now - begun], ["over", 4000]);
});

test("whoever was asleep for the whole grace still tries once", () => {
  const bench = new Bench().ready().live();
  bench.cut();
  bench.now += 60_000;
  bench.tick();
  assert.equal(bench.state, "connecting");
  bench.ready();
  assert.equal(bench.state, "ready");
});

test("a line that comes back is noticed within a second, and within three after a minute", () => {
  for (const [away, soon] of [[20_000, 1000], [60_000, 3000]]) {
    const bench = new Bench().ready().live();
    bench.cut();
    bench.random = 0.999;
    const back = bench.now + away;
    bench.connection.attempts.until = Infinity;
    while (bench.now < back) {
      bench.tick();
      bench.cut();
    }
    assert.ok(bench.connection.deadline - bench.now <= soon, `after ${away} ms away`);
  }
});

test("waits differ by half more or less", () => {
  const backoff = new Backoff({ first: 200 });
  assert.equal(backoff.wait(1, 0, 0), 100);
  assert.equal(backoff.wait(1, 0, 1), 300);
  assert.equal(backoff.wait(9, 0, 0.5), 660);
  assert.equal(backoff.wait(9, 80_000, 0.5), 2000);
  assert.equal(backoff.wait(99, 1e9, 0.5), 10_000);
  assert.equal(new Backoff({ first: 5000 }).wait(1, 0, 0.5), 5000);
});

test("failures are forgotten only after five good seconds", () => {
  const bench = new Bench().ready().live();
  for (let round = 0; round < 3; round += 1) {
    bench.cut();
    bench.tick();
    bench.ready().live(1000);
  }
  bench.cut();
  assert.equal(bench.connection.attempts.count, 4, "a server that takes us in and throws us out is not hammered");
  bench.tick();
  bench.ready().live(5000);
  bench.cut();
  assert.equal(bench.connection.attempts.count, 1);
});

test("5,000 returns after a deploy are spread over the time that the server names", () => {
  const within = 8000;
  const arrivals = Array.from({ length: 5000 }, (_, number) => {
    const bench = new Bench().ready().live();
    bench.random = (number + 0.5) / 5000;
    const at = bench.now;
    bench.hear({ Goodbye: { code: "Stopping", message: "", frames: 0, retry_within_ms: within } });
    // The network says that it is there: that must not undo the spreading.
    bench.happen("online");
    bench.tick();
    assert.equal(bench.state, "connecting");
    return bench.now - at;
  });
  const slots = new Array(10).fill(0);
  arrivals.forEach((at) => (slots[Math.min(Math.floor(at / (within / 10)), 9)] += 1));
  assert.ok(Math.max(...slots) <= 600, `at most 12 % in a tenth of the time: ${slots}`);
  assert.ok(Math.max(...arrivals) <= within * 1.05);
});

test("a refusal that passes is asked again after the time that it names, not before", () => {
  const bench = new Bench({ patience: 60_000 });
  bench.start();
  bench.happen("opened");
  bench.welcome();
  const at = bench.now;
  bench.hear({ Refused: { request: 1, code: "ServerFull", message: "", retry_after_ms: 3000 } });
  bench.happen("visible", 10);
  bench.tick();
  assert.ok(bench.now - at >= 3000 && bench.now - at <= 4500, `after ${bench.now - at} ms`);
});

test("who was called unresponsive comes back, and a code of a later version is no reason to give up either", () => {
  for (const code of /** @type {const} */ (["Unresponsive", 300])) {
    const bench = new Bench().ready().live();
    bench.happen({ type: "closed", code });
    assert.equal(bench.state, "waiting");
    bench.tick();
    bench.ready().hear({ Goodbye: { code, message: "", frames: 0, retry_within_ms: 0 } });
    assert.equal(bench.state, "waiting");
  }
});

test("a socket that never opens is given up, and one that cannot be closed is not waited for", () => {
  const bench = new Bench();
  bench.start();
  assert.equal(bench.connection.deadline - bench.now, 5000);
  assert.deepEqual(inWords(bench.tick()), ["shut", "tell waiting"]);
  // Its late close, or a zombie that opens after all, is the link's to keep away; the machine is past it.
  assert.deepEqual(bench.happen("opened"), []);
  assert.deepEqual(bench.cut(), []);
  assert.equal(bench.state, "waiting");
});

test("attempts on a line that was good hang for a second only, and there is never more than one", () => {
  const bench = new Bench().ready().live();
  bench.cut();
  let open = 0;
  for (let count = 0; count < 10; count += 1) {
    bench.tick().forEach(({ type }) => (open += type === "open" ? 1 : type === "shut" ? -1 : 0));
    assert.ok(open >= 0 && open <= 1);
    if (bench.state === "connecting") {
      assert.equal(bench.connection.deadline - bench.now, 1000);
    }
  }
});

test("a line that became much slower still gets its time after attempts that hung", () => {
  const bench = new Bench().ready().live();
  bench.cut();
  bench.connection.attempts.until = Infinity;
  let longest = 0;
  for (let count = 0; count < 120; count += 1) {
    bench.tick();
    longest = Math.max(longest, bench.state === "connecting" ? bench.connection.deadline - bench.now : 0);
  }
  assert.equal(longest, 5000);
});

test("browsers that delay sockets are asked to open none while there is no server", () => {
  const bench = new Bench({ probes: true }).ready().live();
  bench.cut();
  let opened = 0;
  for (const end = bench.now + 20_000; bench.now < end; ) {
    assert.deepEqual(inWords(bench.tick()), ["probe"]);
    opened += inWords(bench.happen({ type: "probed", reachable: false })).filter((what) => what === "open").length;
  }
  assert.equal(opened, 0);
  bench.tick();
  assert.deepEqual(inWords(bench.happen({ type: "probed", reachable: true })), ["open"]);
});

test("a probe that hangs is dropped after a second and the next begins at once", () => {
  const bench = new Bench({ probes: true }).ready().live();
  bench.cut();
  bench.tick();
  const begun = bench.now;
  for (let count = 0; count < 4; count += 1) {
    assert.deepEqual(inWords(bench.tick()).slice(0, 1), ["shut"]);
    assert.deepEqual(inWords(bench.tick()), ["probe"]);
  }
  assert.ok(bench.now - begun <= 4000 * 1.01, "the hanging was the waiting");
});

test("nothing is tried while the page is hidden, and all at once when it is seen again", () => {
  const bench = new Bench().ready().live();
  bench.happen("hidden");
  bench.cut();
  assert.equal(bench.connection.deadline, Infinity);
  assert.deepEqual(bench.happen("tick", 3_600_000), []);
  assert.deepEqual(bench.happen("online"), [], "the network alone is no reason");
  assert.deepEqual(inWords(bench.happen("visible")), ["open"]);
});

test("online, visible and pageshow drop what hangs, but not an attempt that has just begun", () => {
  for (const event of /** @type {const} */ (["online", "visible", "pageshow"])) {
    const bench = new Bench();
    bench.start();
    assert.deepEqual(bench.happen(event, 100), []);
    assert.deepEqual(inWords(bench.happen(event, 2000)), ["shut", "open"]);
  }
});

test("what was closed on purpose, or is final, is not revived by anything that a page is told", () => {
  const closed = new Bench().ready().live();
  closed.happen("close");
  const left = new Bench().ready().live();
  left.hear({ Goodbye: { code: "Left", message: "", frames: 0, retry_within_ms: 0 } });
  const gone = new Bench().ready().live();
  gone.cut();
  gone.fail();
  gone.happen("close");
  for (const bench of [closed, left, gone]) {
    for (const event of /** @type {const} */ (["online", "visible", "pageshow", "retry", "tick"])) {
      assert.deepEqual(bench.happen(event, 5000), []);
    }
    assert.equal(bench.state, "over");
  }
});

test("who has given up comes back when the network does, and by hand", () => {
  for (const event of /** @type {const} */ (["online", "retry"])) {
    const bench = new Bench().ready().live();
    bench.cut();
    bench.fail();
    assert.equal(bench.state, "over");
    bench.happen(event, 60_000);
    assert.equal(bench.state, "connecting");
    bench.ready();
    assert.equal(bench.state, "ready");
  }
});

test("a page that is left closes its socket and comes back when it is shown again", () => {
  const bench = new Bench().ready().live();
  assert.deepEqual(inWords(bench.happen("pagehide")), ["farewell", "shut", "tell lost", "tell waiting"]);
  assert.equal(bench.connection.deadline, Infinity);
  assert.deepEqual(bench.happen("visible"), [], "it is not shown yet");
  assert.deepEqual(inWords(bench.happen("pageshow", 60_000)), ["open"]);
});

test("two tabs with one token settle: the older one stays out", () => {
  const old = new Bench().ready().live();
  old.hear({ Goodbye: { code: "TakenOver", message: "", frames: 0, retry_within_ms: 0 } });
  assert.equal(old.state, "over");
  assert.deepEqual(old.happen("visible", 1000), []);
  assert.deepEqual(old.happen("online", 1000), []);
});

test("a line on which nothing arrives is noticed within six seconds, of whatever kind it is", () => {
  for (const seat of [true, false]) {
    const bench = new Bench({ seat }).ready().live();
    const silent = bench.now;
    while (bench.state === "ready" && bench.now - silent <= 60_000) {
      bench.happen("tick", 500);
    }
    assert.ok(bench.now - silent <= 6000, `after ${bench.now - silent} ms`);
  }
});

test("the server's pings are answered at once, in a quiet lobby too", () => {
  const bench = new Bench({ seat: false }).ready();
  const effects = bench.hear({ Ping: { number: 9 } });
  assert.deepEqual(effects[0], { type: "send", message: { Pong: { number: 9, held_ms: 0 } } });
});

test("round trips are measured from the first moment, on every connection", () => {
  for (const seat of [true, false]) {
    const bench = new Bench({ seat }).ready();
    bench.hear({ Pong: { number: 1, held_ms: 30 } }, 80);
    assert.equal(bench.connection.pulse.roundTrip, 50);
  }
});

test("five pings come about a second apart, later ones two", () => {
  const bench = new Bench({ seat: false }).ready();
  const gaps = [];
  for (let before = bench.now; gaps.length < 8; ) {
    bench.answer();
    while (!inWords(bench.happen("tick", 10)).includes("Ping")) {
      assert.equal(bench.state, "ready");
    }
    gaps.push(bench.now - before);
    before = bench.now;
  }
  assert.deepEqual(gaps, [1030, 1030, 1030, 1030, 1030, 2030, 2030, 2030]);
});

test("a pong that is stuck behind large messages is no death", () => {
  const bench = new Bench().ready().live();
  for (let count = 0; count < 10; count += 1) {
    bench.hear(null, 3500);
    bench.happen("tick");
  }
  assert.equal(bench.state, "ready", "something arrives, if only every 3.5 s");
});

test("a gap in one's own timers is no silence: it asks first, and then judges", () => {
  const awake = new Bench().ready().live();
  assert.deepEqual(inWords(awake.happen("tick", 30_000))[0], "Ping");
  awake.hear(null, 20);
  awake.live(10_000);
  assert.equal(awake.state, "ready", "the line had lived on");
  const dead = new Bench().ready().live();
  dead.happen("tick", 30_000);
  const woke = dead.now;
  while (dead.state === "ready" && dead.now - woke <= 60_000) {
    dead.tick();
  }
  assert.ok(dead.now - woke <= 2000, `a zombie is dropped ${dead.now - woke} ms after waking`);
});

test("an open line that gives no sign after the network changed is dropped soon", () => {
  const bench = new Bench().ready().live();
  assert.deepEqual(inWords(bench.happen("online")), ["Ping"]);
  const asked = bench.now;
  while (bench.state === "ready" && bench.now - asked <= 60_000) {
    bench.tick();
  }
  assert.ok(bench.now - asked <= 2000);
});

test("who waits at a full door is not dropped for a glance at another page", () => {
  const bench = new Bench();
  bench.start();
  bench.happen("opened");
  bench.welcome();
  bench.hear({ Pong: { number: 1, held_ms: 0 } }, 100);
  bench.happen("visible", 3000);
  bench.hear({ Pong: { number: 0, held_ms: 0 } }, 100);
  bench.happen("tick", 2900);
  assert.equal(bench.state, "entering");
});

test("a server that stalls a resume is asked again", () => {
  const bench = new Bench().ready().live();
  bench.cut();
  bench.tick();
  bench.happen("opened");
  assert.equal(bench.state, "hello");
  bench.tick();
  assert.equal(bench.state, "waiting");
  bench.tick();
  bench.ready();
  assert.equal(bench.state, "ready");
});

test("a seat that is being moved is waited for as long as the server says", () => {
  const bench = states.entering();
  bench.hear({ Wait: { request: 1, for_ms: 20_000 } });
  for (let ms = 0; ms < 20_000; ms += 1000) {
    bench.hear({ Ping: { number: 1 } }, 1000);
    bench.happen("tick");
  }
  assert.equal(bench.state, "entering");
});

test("a redirect round and round ends", () => {
  const bench = new Bench();
  bench.start();
  for (let count = 0; count < 4; count += 1) {
    bench.happen("opened");
    bench.welcome();
    bench.hear({ Redirect: { request: 1, url: `ws://${count}/ws`, pass: new Uint8Array() } });
  }
  assert.equal(bench.state, "over");
});
