/** A client on sockets that are none: what it says, and when. */

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { Backoff } from "../sdk/backoff.js";
import { Client } from "../sdk/client.js";
import { Redirected } from "../sdk/error.js";
import { crowd } from "./crowd.mjs";
import { reactive } from "./reactive.js";
import { Wires, control, json, seat, until } from "./wires.js";

test("a client works inside of what view libraries wrap around objects", async () => {
  const wires = new Wires();
  const { ann } = reactive({ ann: client(wires) });
  const bob = new Proxy(client(wires), {});
  for (const one of [ann, bob]) {
    await one.enter({ Game: "crowd" });
    wires.last.tell(crowd(10, 1)[0]);
    await until(one.tick, (tick) => tick === 100);
    assert.equal(one.send(5)?.number, 1);
    assert.equal(one.player, 1);
    one.close();
    assert.equal(one.state.get().status, "over");
  }
});

/** @type {Client[]} Those of the test that runs: one that fails leaves none that keeps trying. */
const clients = [];

afterEach(() => clients.splice(0).forEach((one) => one.close()));

/** @param {Wires} wires */
function client(wires) {
  const one = new Client({
    url: "ws://test/ws",
    name: "Ann",
    WebSocket: wires.WebSocket,
    backoff: new Backoff({ first: 4, longest: 8 }),
  });
  clients.push(one);
  return one;
}

test("a client enters, and comes back by itself when its line breaks", async () => {
  const wires = new Wires();
  const ann = client(wires);
  /** @type {string[]} */
  const states = [];
  ann.state.subscribe(({ status }) => states.push(status));
  await ann.enter({ Game: "crowd" });
  wires.last.tell(crowd(10, 1)[0]);
  await until(ann.tick, (tick) => tick === 100);
  assert.equal(ann.replica.shown().length, 10);
  wires.refuse = 2;
  wires.last.onclose?.({ code: 1006 });
  ann.send(5);
  await until(ann.state, ({ status }) => status === "playing");
  assert.deepEqual(states.slice(0, 3), ["idle", "connecting", "playing"]);
  assert.deepEqual(states.slice(3), ["reconnecting", "reconnecting", "reconnecting", "playing"]);
  const [hello, enter, input] = wires.last.said.filter((message) => !message.Ping);
  assert.equal(hello.Hello.protocol, 2);
  const { resync, owner, first_input, groups } = enter.Enter.target.Resume;
  assert.deepEqual(resync, { epoch: 2, applied: 100, event: 0 });
  assert.deepEqual([owner, first_input, groups.length], [1, 1, 49]);
  assert.equal(enter.Enter.schema, seat.schema_hash, "it knows the schema");
  assert.deepEqual([input.Inputs.number, input.Inputs.inputs[0].payload], [1, Uint8Array.of(5)]);
  ann.close();
});

test("a client that resumes the seat of another goes on behind its inputs", async () => {
  const wires = new Wires();
  const ann = client(wires);
  wires.answer = () => ({ Entered: { ...seat, epoch: 7, input: 70_000 } });
  const resync = { epoch: 7, applied: null, event: 30 };
  const { room, token, owner } = seat;
  await ann.enter({ Resume: { room, token, resync, owner, first_input: 1, groups: [] } });
  assert.equal(ann.send(5)?.number, 70_001);
  ann.send(6);
  const [, enter, inputs] = wires.last.said.filter((message) => !message.Ping);
  assert.deepEqual(enter.Enter.target.Resume.resync, resync);
  assert.deepEqual([inputs.Inputs.number, inputs.Inputs.report.epoch], [70_001, 7]);
  ann.close();
});

/**
 * @param {Code} code
 * @typedef {import("../sdk/protocol.js").Code} Code
 */
function goodbye(code) {
  return control({ Goodbye: { code, message: "as it is", frames: 0, retry_within_ms: 0 } });
}

test("a client ends when it is told to for good, and comes back after any other goodbye", async () => {
  const wires = new Wires();
  const ann = client(wires);
  await ann.enter({ Game: "crowd" });
  for (const code of /** @type {Code[]} */ (["Stopping", "Unresponsive", "Internal", 300])) {
    wires.last.tell(goodbye(code));
    await until(ann.state, ({ status }) => status === "reconnecting");
    await until(ann.state, ({ status }) => status === "playing");
  }
  assert.equal(wires.open.length, 5);
  wires.last.tell(goodbye("TakenOver"));
  await until(ann.state, ({ status }) => status === "over");
  assert.deepEqual(ann.state.get(), { status: "over", code: "TakenOver", message: "as it is" });
});

test("a client tries for as long as its seat is kept, then says so, and comes back by hand", async () => {
  const wires = new Wires();
  const ann = client(wires);
  const seated = wires.answer;
  wires.answer = (enter) => ({ Entered: { .../** @type {any} */ (seated(enter)).Entered, grace_ms: 60 } });
  await ann.enter({ Game: "crowd" });
  wires.refuse = 1000;
  ann.dropLine();
  const shown = ann.state.get();
  assert.ok(shown.status === "reconnecting" && shown.until > performance.now());
  await until(ann.state, ({ status }) => status === "over");
  assert.deepEqual(ann.state.get(), { status: "over", code: null, message: "no connection" });
  assert.ok(wires.open.length > 4, `${wires.open.length} attempts`);
  wires.refuse = 0;
  ann.retry();
  await until(ann.state, ({ status }) => status === "playing");
  assert.equal(ann.session?.counts.reconnects, 1, "in its own seat");
  ann.close();
});

test("a full server is asked again while the wish has patience", async () => {
  const wires = new Wires();
  const ann = client(wires);
  const seated = wires.answer;
  wires.answer = () => {
    wires.answer = seated;
    return { Refused: { request: 1, code: "ServerFull", message: "", retry_after_ms: 20 } };
  };
  await ann.enter({ Game: "crowd" });
  assert.equal(wires.open.length, 2);
  ann.close();
});

test("to close while entering takes the wish back: no seat is kept, and enter rejects", async () => {
  for (const moment of ["connecting", "hello", "entering"]) {
    const wires = new Wires();
    const ann = client(wires);
    wires.answer = () => ({ Wait: { request: 1, for_ms: 10_000 } });
    wires.refuse = moment === "connecting" ? 1 : 0;
    const entering = ann.enter({ Game: "crowd" });
    if (moment === "entering") {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    ann.close();
    await assert.rejects(entering, { name: "AbortError", code: "Aborted" });
    assert.equal(ann.state.get().status, "over");
    const { said, closed } = wires.last;
    assert.equal(closed, true);
    assert.equal(said.at(-1) === "Leave", moment === "entering", "the server may have given a seat already");
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual([wires.open.length, ann.state.get().status, ann.session], [1, "over", null]);
  }
});

test("a signal takes the wish back as close does, and means nothing once the seat is there", async () => {
  const wires = new Wires();
  const ann = client(wires);
  const signal = AbortSignal.abort();
  await assert.rejects(ann.enter({ Game: "crowd" }, { signal }), { name: "AbortError" });
  assert.equal(wires.open.length, 0);
  const early = new AbortController();
  const entering = ann.enter({ Game: "crowd" }, { signal: early.signal });
  early.abort();
  await assert.rejects(entering, { name: "AbortError" });
  const late = new AbortController();
  await ann.enter({ Game: "crowd" }, { signal: late.signal });
  late.abort();
  assert.equal(ann.state.get().status, "playing");
  ann.close();
});

test("a second wish is refused, and the first is granted", async () => {
  const wires = new Wires();
  const ann = client(wires);
  const first = ann.enter({ Game: "crowd" });
  await assert.rejects(ann.enter({ Game: "crowd" }), /entering already/);
  assert.equal((await first).player, 1);
  await assert.rejects(ann.enter({ Game: "crowd" }), /has a seat already/);
  assert.equal(wires.open.length, 1);
  ann.close();
});

test("what an old socket still says is not heard, and one that cannot close is not waited for", async () => {
  const wires = new Wires();
  const ann = client(wires);
  await ann.enter({ Game: "crowd" });
  const zombie = wires.last;
  const { onmessage, onclose } = zombie;
  ann.dropLine();
  await until(ann.state, ({ status }) => status === "playing");
  assert.notEqual(wires.last, zombie);
  assert.deepEqual([zombie.onmessage, zombie.onclose, zombie.onopen], [null, null, null]);
  assert.ok(onmessage !== null && onclose !== null);
  assert.equal(ann.state.get().status, "playing");
  ann.close();
});

test("a socket that throws when it is written to, as those that close do, ends nothing", async () => {
  const wires = new Wires();
  const ann = client(wires);
  await ann.enter({ Game: "crowd" });
  wires.last.send = () => {
    throw new Error("InvalidStateError");
  };
  assert.equal(ann.send(5)?.number, 1);
  ann.dropLine();
  await until(ann.state, ({ status }) => status === "playing");
  const inputs = wires.last.said.find((message) => message.Inputs);
  assert.equal(inputs.Inputs.number, 1, "it is sent again");
  ann.close();
});

test("the result reaches who was away when the match ended", async () => {
  const wires = new Wires();
  const ann = client(wires);
  await ann.enter({ Game: "crowd" });
  ann.dropLine();
  await until(ann.state, ({ status }) => status === "playing");
  wires.last.tell(control({ Result: { result: '{"winner":1}' } }));
  wires.last.tell(goodbye("Finished"));
  await until(ann.state, ({ status }) => status === "over");
  assert.deepEqual(ann.result, { winner: 1 });
  assert.equal(/** @type {any} */ (ann.state.get()).code, "Finished");
});

test("a listener that throws costs nobody else an event, and not the connection", async (context) => {
  const wires = new Wires();
  const ann = client(wires);
  /** @type {unknown[]} */
  const faults = [];
  context.mock.method(globalThis, "queueMicrotask", (/** @type {() => void} */ run) => {
    try {
      run();
    } catch (error) {
      faults.push(error);
    }
  });
  await ann.enter({ Game: "crowd" });
  ann.on("frame", () => {
    throw new Error("the page's own");
  });
  let frames = 0;
  ann.on("frame", () => (frames += 1));
  wires.last.tell(crowd(10, 1)[0]);
  await until(ann.tick, (tick) => tick === 100);
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual([frames, faults.length, ann.state.get().status], [1, 1, "playing"]);
  ann.close();
});

test("a refused wish says why", async () => {
  const wires = new Wires();
  const ann = client(wires);
  wires.answer = () => ({ Refused: { request: 1, code: "RoomFull", message: "the room is full", retry_after_ms: null } });
  await assert.rejects(ann.enter({ Room: seat.room }), { code: "RoomFull" });
  assert.equal(wires.last.closed, true);
  assert.equal(ann.state.get().status, "over");
});

test("a seat that is gone is not asked for again", async () => {
  const wires = new Wires();
  const ann = client(wires);
  await ann.enter({ Game: "crowd" });
  wires.answer = () => ({ Refused: { request: 1, code: "UnknownSession", message: "unknown session", retry_after_ms: null } });
  ann.dropLine();
  await until(ann.state, ({ status }) => status === "over");
  assert.deepEqual(ann.state.get(), { status: "over", code: "UnknownSession", message: "unknown session" });
  assert.equal(wires.open.length, 2);
});

test("a client goes where it is sent, with the pass or with its own wish", async () => {
  const wires = new Wires();
  const ann = client(wires);
  const seated = wires.answer;
  wires.answer = () => {
    wires.answer = (enter) => {
      wires.answer = seated;
      assert.deepEqual(enter.target, { Game: "crowd" }, "without a pass");
      return { Redirect: { request: 1, url: "ws://there/ws", pass: Uint8Array.of(7) } };
    };
    return { Redirect: { request: 1, url: "ws://other/ws", pass: Uint8Array.of() } };
  };
  await ann.enter({ Game: "crowd" });
  assert.deepEqual(
    wires.open.map(({ url }) => url),
    ["ws://test/ws", "ws://other/ws", "ws://there/ws"],
  );
  assert.deepEqual(wires.last.said[1].Enter.target, { Pass: Uint8Array.of(7) });
  ann.dropLine();
  await until(ann.state, ({ status }) => status === "reconnecting");
  await until(ann.state, ({ status }) => status === "playing");
  assert.equal(wires.last.url, "ws://there/ws", "that is where its seat is");
  wires.answer = () => ({ Redirect: { request: 1, url: "ws://round/ws", pass: Uint8Array.of() } });
  const bob = client(wires);
  await assert.rejects(bob.enter({ Game: "crowd" }), Redirected);
  ann.close();
});

test("a player whose server stops goes on in another room, where everything begins anew", async () => {
  const wires = new Wires();
  const ann = client(wires);
  await ann.enter({ Game: "crowd" });
  wires.last.tell(crowd(10, 1)[0]);
  await until(ann.tick, (tick) => tick === 100);
  ann.send(5);
  ann.send(6);
  const before = ann.session;
  /** @type {string[]} */
  const told = [];
  ann.on("reconnected", () => told.push("reconnected"));
  const moved = new Promise((resolve) => ann.on("transferred", resolve));
  const room = seat.room.replace(/^./, "f");
  wires.answer = (enter) => {
    assert.deepEqual(enter.target, { Pass: Uint8Array.of(7) });
    return { Entered: { ...seat, room, player: 9, epoch: 1, input: 0, schema: null } };
  };
  wires.last.tell(control({ Redirect: { request: 0, url: "ws://there/ws", pass: Uint8Array.of(7) } }));
  await moved;
  assert.deepEqual([told, ann.player, wires.last.url, ann.replica.shown().length], [[], 9, "ws://there/ws", 0]);
  assert.notEqual(ann.session, before);
  assert.equal(ann.session?.counts.transfers, 1);
  assert.equal(ann.send(7)?.number, 1, "inputs are numbered anew");
  wires.last.tell(crowd(4, 1)[0]);
  await until(ann.tick, () => ann.replica.shown().length === 4);
  ann.close();
});

test("who has given the seat up does not play on elsewhere", async () => {
  const wires = new Wires();
  const ann = client(wires);
  await ann.enter({ Game: "crowd" });
  ann.leave();
  const moved = new Promise((resolve) => ann.on("transferred", resolve));
  wires.answer = () => ({ Entered: { ...seat, token: seat.token.replace(/^./, "f"), schema: null } });
  wires.last.tell(control({ Redirect: { request: 0, url: "ws://there/ws", pass: Uint8Array.of(7) } }));
  await moved;
  await new Promise((resolve) => setTimeout(resolve));
  assert.ok(wires.last.said.includes("Leave"));
  ann.close();
});

test("a pass is shown once: who cannot enter with it says the own wish again", async () => {
  const wires = new Wires();
  const ann = client(wires);
  const seated = wires.answer;
  /** @type {any[]} */
  const asked = [];
  const sendOn = () => {
    wires.answer = (enter) => {
      wires.answer = (again) => {
        asked.push(again.target);
        wires.answer = seated;
        return seated(again);
      };
      asked.push(enter.target);
      return { Refused: { request: 1, code: "ServerFull", message: "", retry_after_ms: 1 } };
    };
    return /** @type {const} */ ({ Redirect: { request: 1, url: "ws://there/ws", pass: Uint8Array.of(7) } });
  };
  wires.answer = sendOn;
  await ann.enter({ Game: "crowd" });
  assert.deepEqual(asked.splice(0), [{ Pass: Uint8Array.of(7) }, { Game: "crowd" }]);
  wires.answer = sendOn;
  ann.dropLine();
  await until(ann.state, ({ status }) => status === "reconnecting");
  await until(ann.state, ({ status }) => status === "playing");
  assert.deepEqual(asked.map((target) => Object.keys(target)[0]), ["Pass", "Resume"]);
  assert.equal(wires.last.url, "ws://there/ws");
  ann.close();
});

test("a pass that a wish ended with is not shown for the next one", async () => {
  const wires = new Wires();
  const ann = client(wires);
  const seated = wires.answer;
  wires.answer = () => {
    wires.answer = () => ({ Refused: { request: 1, code: "RoomFull", message: "", retry_after_ms: null } });
    return { Redirect: { request: 1, url: "ws://there/ws", pass: Uint8Array.of(7) } };
  };
  await assert.rejects(ann.enter({ Game: "crowd" }), { code: "RoomFull" });
  wires.answer = seated;
  await ann.enter({ Game: "crowd" });
  assert.deepEqual(wires.last.said[1].Enter.target, { Game: "crowd" });
  ann.close();
});
