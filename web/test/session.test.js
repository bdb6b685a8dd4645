/** A session without a socket, and a client on sockets that are none: what they say, and when. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Backoff } from "../sdk/backoff.js";
import { Client, Redirected } from "../sdk/client.js";
import { clientMessage, serverMessage } from "../sdk/protocol.js";
import { schemaHash } from "../sdk/schema.js";
import { Session, Violation } from "../sdk/session.js";
import { Store } from "../sdk/store.js";
import { decode, encode } from "../sdk/wire.js";
import { crowd, schema as entity } from "./crowd.mjs";

/** @type {import("../sdk/schema.js").Schema} */
const schema = {
  game: "crowd",
  entity: { kinds: /** @type {any} */ (entity.kinds) },
  input: { type: "uint", bits: 8 },
  event: { type: "unit" },
  config: { type: "unit" },
};
const json = JSON.stringify(schema);

/** @type {import("../sdk/protocol.js").Entered} */
const seat = {
  room: "0198a1b2-c3d4-7e5f-8091-a2b3c4d5e6f7",
  game: "crowd",
  player: 1,
  token: "11223344-5566-4788-99aa-bbccddeeff00",
  tick_hz: 20,
  send_every: 1,
  tick: 99,
  input: 0,
  epoch: 1,
  schema_hash: schemaHash(json),
  schema: json,
  code: "ABCDEF",
  spectator: false,
};

/** @param {import("../sdk/protocol.js").ServerMessage} message */
function control(message) {
  return Uint8Array.from([1, ...encode(serverMessage, message)]);
}

/** @param {Session} session */
function said(session) {
  return session.drainOutgoing().map((bytes) => decode(clientMessage, bytes));
}

/** A session that has applied the first frames, 50 ms apart. */
function playing(count = 5) {
  const session = new Session(seat, schema, 0);
  const frames = crowd(10, 40);
  frames.slice(0, count).forEach((frame, index) => session.handle(frame, index * 50));
  session.drainEvents();
  session.drainOutgoing();
  return { session, frames };
}

test("each frame is reported soon, alone or with an input", () => {
  const session = new Session(seat, schema, 0);
  const frames = crowd(10, 5);
  session.handle(frames[0], 0);
  assert.deepEqual(said(session), []);
  assert.equal(session.deadline, 80);
  session.handleTime(79);
  assert.deepEqual(said(session), []);
  session.handleTime(80);
  assert.deepEqual(said(session), [{ Report: { epoch: 1, applied: 100, event: 0 } }]);
  session.handle(frames[1], 100);
  session.send(7, 110);
  assert.deepEqual(said(session), [
    { Input: { number: 1, aim: 103, report: { epoch: 1, applied: 101, event: 0 }, payload: Uint8Array.of(7) } },
  ]);
  session.handleTime(200);
  assert.deepEqual(said(session), [], "the input has reported it");
});

test("a page whose timers sleep reports with the next frame", () => {
  const { session, frames } = playing();
  session.handleTime(250);
  session.drainOutgoing();
  session.handle(frames[5], 300);
  session.handle(frames[6], 400);
  assert.deepEqual(said(session), [{ Report: { epoch: 1, applied: 106, event: 0 } }]);
});

test("a frame that cannot be applied makes it ask for everything anew, once a second", () => {
  const { session, frames } = playing();
  session.handle(frames[7], 300);
  assert.deepEqual(said(session), [{ Jump: { epoch: 2, applied: null, event: 0 } }]);
  assert.deepEqual(session.drainEvents(), [{ type: "jumping", reason: "chunk wrong base" }]);
  assert.equal(session.counts.badFrames, 1);
  session.handle(frames[8], 350);
  assert.equal(session.counts.stale, 1);
  const anew = frames[0].slice();
  anew[2] = 2;
  session.handle(anew, 400);
  assert.equal(session.replica.shown().length, 10);
  const other = frames[1].slice();
  [other[2], other[6]] = [2, other[6] ^ 1];
  session.handle(other, 450);
  assert.equal(session.counts.mismatches, 1);
  assert.deepEqual(said(session), [], "too soon for another jump");
  session.send(1, 500);
  assert.equal(said(session)[0].Input.report.epoch, 2, "until then it speaks of the epoch that the server is in");
  session.handleTime(1300);
  assert.deepEqual(said(session), [{ Jump: { epoch: 3, applied: null, event: 0 } }]);
});

test("old frames for long enough make it jump from where it is", () => {
  const { session, frames } = playing(10);
  // The line has stalled for 2 s; now it reads what was sent meanwhile, as slowly as it was sent.
  let now = 450 + 2000;
  const before = session.counts.jumps;
  for (let index = 10; index < 18; index += 1) {
    session.handle(frames[index], now);
    now += 50;
  }
  assert.equal(session.counts.jumps, before + 1);
  const jump = said(session).find((message) => message.Jump)?.Jump;
  assert.equal(jump.epoch, 2);
  assert.ok(jump.applied >= 110);
});

test("inputs that were not taken in are sent again after a resume, with their numbers and aims", () => {
  const { session } = playing();
  [1, 2, 3].forEach((input) => session.send(input, 210));
  const sent = said(session);
  const { jump, token } = session.resume();
  assert.deepEqual([jump, token], [{ epoch: 2, applied: 104, event: 0 }, seat.token]);
  session.resumed({ ...seat, epoch: 2, input: 1 }, 300);
  assert.deepEqual(
    said(session).map(({ Input }) => [Input.number, Input.aim, Input.payload]),
    sent.slice(1).map(({ Input }) => [Input.number, Input.aim, Input.payload]),
  );
  assert.throws(() => session.resumed({ ...seat, epoch: 2, input: 4 }, 300), Violation);
});

test("what a server must not say is a violation, a goodbye is the end", () => {
  const { session } = playing();
  assert.throws(() => session.handle(Uint8Array.of(2, 0), 0), Violation);
  assert.throws(() => session.handle(control({ Entered: seat }), 0), Violation);
  session.handle(control({ Goodbye: { code: "Finished", message: "the match is over", frames: 9 } }), 0);
  assert.equal(session.over, true);
  assert.deepEqual(session.drainEvents(), [
    { type: "goodbye", code: "Finished", message: "the match is over", frames: 9 },
  ]);
});

test("a store tells whoever watches, at once and with every change", () => {
  const store = new Store({ a: 1, b: 2 });
  /** @type {any[]} */
  const seen = [];
  const stop = store.subscribe((value) => seen.push(value));
  store.update({ a: 3 });
  stop();
  store.update({ a: 4 });
  assert.deepEqual(seen, [{ a: 1, b: 2 }, { a: 3, b: 2 }]);
  assert.deepEqual(store.get(), { a: 4, b: 2 });
});

/**
 * Settles when the value of a store is as wished.
 *
 * @template T
 * @param {Store<T>} store
 * @param {(value: T) => boolean} wish
 * @returns {Promise<void>}
 */
function until(store, wish) {
  return new Promise((resolve) => {
    store.subscribe((value) => {
      if (wish(value)) {
        resolve();
      }
    });
  });
}

/** Sockets that a test plays the server of. */
class Wires {
  /** @type {Wire[]} */
  open = [];
  /** How many of the next lines do not open. */
  refuse = 0;
  /** How a wish is answered. @type {(enter: any) => import("../sdk/protocol.js").ServerMessage} */
  answer = (enter) => ({
    Entered: { ...seat, epoch: enter.target.Resume?.jump.epoch ?? 1, schema: enter.schema === null ? json : null },
  });

  get WebSocket() {
    const wires = this;
    return class extends Wire {
      /** @param {string} url */
      constructor(url) {
        super(url);
        this.answer = (/** @type {any} */ enter) => wires.answer(enter);
        wires.open.push(this);
        setTimeout(() => {
          if (wires.refuse > 0) {
            wires.refuse -= 1;
            this.onerror?.({});
            return;
          }
          this.onopen?.({});
        });
      }
    };
  }

  get last() {
    return /** @type {Wire} */ (this.open.at(-1));
  }
}

class Wire {
  binaryType = "";
  /** @type {((event: any) => void) | null} */ onopen = null;
  /** @type {((event: any) => void) | null} */ onmessage = null;
  /** @type {((event: any) => void) | null} */ onclose = null;
  /** @type {((event: any) => void) | null} */ onerror = null;
  /** @type {any[]} */ said = [];
  closed = false;
  /** @type {(enter: any) => import("../sdk/protocol.js").ServerMessage} */
  answer = () => ({ Refused: { code: "Internal", message: "" } });

  /** @param {string} url */
  constructor(url) {
    this.url = url;
  }

  /** @param {Uint8Array} bytes */
  send(bytes) {
    const message = decode(clientMessage, bytes);
    this.said.push(message);
    if (message.Hello) {
      this.tell(control({ Welcome: { protocol: 1, server: "test", games: ["crowd"] } }));
    } else if (message.Enter) {
      this.tell(control(this.answer(message.Enter)));
    }
  }

  /** @param {Uint8Array} bytes */
  tell(bytes) {
    setTimeout(() => this.onmessage?.({ data: bytes.slice().buffer }));
  }

  close() {
    this.closed = true;
  }
}

test("a seat that somebody else had goes on with its numbers", () => {
  const session = new Session({ ...seat, epoch: 5, input: 70_000 }, schema, 0);
  session.send(1, 0);
  const [{ Input }] = said(session);
  assert.deepEqual([Input.number, Input.aim], [70_001, 109]);
});

/** @param {Wires} wires */
function client(wires) {
  return new Client({
    url: "ws://test/ws",
    name: "Ann",
    WebSocket: wires.WebSocket,
    backoff: new Backoff({ first: 4, longest: 8, attempts: 4 }),
  });
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
  const [hello, enter, input] = wires.last.said;
  assert.equal(hello.Hello.protocol, 1);
  const jump = { epoch: 4, applied: 100, event: 0 };
  assert.deepEqual(enter.Enter.target.Resume, { room: seat.room, token: seat.token, jump });
  assert.equal(enter.Enter.schema, seat.schema_hash, "it knows the schema");
  assert.deepEqual([input.Input.number, input.Input.payload], [1, Uint8Array.of(5)]);
  ann.close();
});

test("a client gives up when it is told to, or after enough attempts", async () => {
  const wires = new Wires();
  const ann = client(wires);
  await ann.enter({ Game: "crowd" });
  wires.last.tell(control({ Goodbye: { code: "Stopping", message: "the server is stopping", frames: 0 } }));
  await until(ann.state, ({ status }) => status === "over");
  assert.deepEqual(ann.state.get(), { status: "over", code: "Stopping", message: "the server is stopping" });
  await ann.enter({ Game: "crowd" });
  wires.refuse = 9;
  ann.dropLine();
  await until(ann.state, ({ status }) => status === "over");
  assert.deepEqual(ann.state.get(), { status: "over", code: null, message: "no connection" });
});

test("a refused wish says why", async () => {
  const wires = new Wires();
  const ann = client(wires);
  wires.answer = () => ({ Refused: { code: "RoomFull", message: "the room is full" } });
  await assert.rejects(ann.enter({ Room: seat.room }), { code: "RoomFull" });
  assert.equal(wires.last.closed, true);
  assert.equal(ann.state.get().status, "over");
});

test("a seat that is gone is not asked for again", async () => {
  const wires = new Wires();
  const ann = client(wires);
  await ann.enter({ Game: "crowd" });
  wires.answer = () => ({ Refused: { code: "UnknownSession", message: "unknown session" } });
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
      return { Redirect: { url: "ws://there/ws", pass: Uint8Array.of(7) } };
    };
    return { Redirect: { url: "ws://other/ws", pass: Uint8Array.of() } };
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
  wires.answer = () => ({ Redirect: { url: "ws://round/ws", pass: Uint8Array.of() } });
  const bob = client(wires);
  await assert.rejects(bob.enter({ Game: "crowd" }), Redirected);
  ann.close();
});
