/** A session without a socket, and a client on sockets that are none: what they say, and when. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Backoff } from "../sdk/backoff.js";
import { Client } from "../sdk/client.js";
import { Redirected } from "../sdk/error.js";
import { clientMessage, serverMessage } from "../sdk/protocol.js";
import { Replica } from "../sdk/replica.js";
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
  request: 1,
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
  grace_ms: 30_000,
  owner: 1,
  cut: null,
  protected: false,
};

/** @type {import("../sdk/protocol.js").Welcome} */
const welcome = { protocol: 2, server: "test", games: ["crowd"], capabilities: 0, identity: null, credential: null };

/** @param {import("../sdk/protocol.js").ServerMessage} message */
function control(message) {
  return Uint8Array.from([1, ...encode(serverMessage, message)]);
}

/**
 * What a session says beside its pings.
 *
 * @param {Session} session
 */
function said(session) {
  return session.drainOutgoing().map((bytes) => decode(clientMessage, bytes)).filter((message) => !message.Ping);
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
    { Inputs: { number: 1, report: { epoch: 1, applied: 101, event: 0 }, inputs: [{ aim: 103, payload: Uint8Array.of(7) }] } },
  ]);
  session.handleTime(200);
  assert.deepEqual(said(session), [], "the input has reported it");
});

test("round trips are measured without any input, and a ping of the server is answered", () => {
  const session = new Session(seat, schema, 0);
  session.handleTime(0);
  assert.deepEqual(session.drainOutgoing().map((bytes) => decode(clientMessage, bytes)), [{ Ping: { number: 1 } }]);
  session.handle(control({ Pong: { number: 1, held_ms: 20 } }), 100);
  assert.equal(session.pulse.roundTrip, 80);
  session.handle(control({ Ping: { number: 7 } }), 150);
  assert.deepEqual(said(session), [{ Pong: { number: 7, held_ms: 0 } }]);
});

test("frames that the server sends more seldom are drawn farther in the past", () => {
  const { session } = playing();
  session.handle(control({ Pace: { every: 4 } }), 200);
  session.playout.draw(200);
  assert.ok(session.playout.delay >= 208, `${session.playout.delay} ms`);
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
  assert.deepEqual(said(session), [{ Resync: { epoch: 2, applied: null, event: 0 } }]);
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
  assert.equal(said(session)[0].Inputs.report.epoch, 2, "until then it speaks of the epoch that the server is in");
  session.handleTime(1300);
  assert.deepEqual(said(session), [{ Resync: { epoch: 3, applied: null, event: 0 } }]);
});

test("a first frame in pieces counts as whole, and one with a gap is asked for anew", () => {
  const [first, second] = crowd(10, 2);
  const middle = first.length >> 1;
  const pieces = [first.subarray(0, middle), first.subarray(middle)];
  const piece = (/** @type {number} */ number) => Uint8Array.of(2, 1, number, number, ...pieces[number]);
  const session = new Session(seat, schema, 0);
  session.handle(piece(0), 0);
  assert.equal(session.replica.tick, null);
  session.handle(piece(1), 50);
  assert.equal(session.replica.tick, 100);
  session.handle(second, 100);
  assert.equal(session.replica.shown().length, 10);
  const torn = new Session(seat, schema, 0);
  torn.handle(piece(0), 0);
  torn.handle(second, 50);
  assert.deepEqual(said(torn), [{ Resync: { epoch: 2, applied: null, event: 0 } }]);
  torn.handle(piece(1), 60);
  assert.equal(torn.counts.badFrames, 1, "what is left of the old epoch does no harm");
});

test("a start in the middle of an epoch leaves the numbers whole and the tables as they are", () => {
  const { session } = playing(3);
  // 70,000 ticks later, in which nothing changed: the tick in full, and the view's groups.
  const groups = session.replica.tables().length;
  const tick = 170_003;
  const start = Uint8Array.of(0, 1, 1, tick & 255, (tick >> 8) & 255, tick >> 16, 0, 1, groups, ...new Array(groups).fill(0));
  session.handle(start, 200);
  assert.equal(session.replica.tick, tick);
  assert.equal(session.replica.shown().length, 10);
  assert.deepEqual(said(session).filter((message) => message.Resync), []);
});

test("a line that becomes slower by a step goes on: no jump, no hole, and aims that stay right", () => {
  const session = new Session(seat, schema, 0);
  const frames = crowd(10, 60);
  frames.forEach((frame, index) => session.handle(frame, index * 50 + (index < 20 ? 0 : 600)));
  const now = 59 * 50 + 600;
  assert.deepEqual([session.counts.jumps, session.counts.frames - session.counts.stale], [0, 60]);
  assert.ok(session.clock.age(159, now) < 5);
  assert.equal(session.clock.tick(now), 159, "what has arrived is now");
  assert.equal(session.send(1, now)?.aim, 159 + 12 + 2, "which the server executed 600 ms ago");
});

test("who reads ever later jumps from where it is; where that does not help, once", () => {
  const session = new Session(seat, schema, 0);
  const frames = crowd(10, 80);
  let now = 0;
  let read = 0;
  for (; session.counts.jumps === 0; read += 1) {
    session.handle(frames[read], now);
    now += read < 10 ? 50 : 65;
  }
  const age = session.clock.age(99 + read, now - 65);
  assert.ok(age > 500 && age < 600, `${age} ms`);
  const { epoch, applied } = said(session).find((message) => message.Resync)?.Resync;
  assert.deepEqual([epoch, applied], [2, 99 + read]);
  // The line is still as slow behind it.
  session.replica = new Replica(schema.entity, 2);
  for (let index = 0; index < 40; index += 1) {
    const frame = frames[index].slice();
    frame[2] = 2;
    session.handle(frame, now + index * 65);
  }
  assert.equal(session.counts.jumps, 1);
  assert.ok(session.clock.age(139, now + 39 * 65) < 500, "the clock takes the line as it is");
});

test("while a first view comes by parts no lag makes it jump", () => {
  const session = new Session(seat, schema, 0);
  const frames = crowd(10, 80);
  session.replica.tables = () => [{ group: 1, table: /** @type {any} */ (null), behind: true }];
  frames.forEach((frame, index) => session.handle(frame, index * 75));
  assert.ok(session.clock.age(179, 79 * 75) > 500);
  assert.equal(session.counts.jumps, 0);
});

test("inputs that were not taken in are sent again after a resume, with their numbers and aims", () => {
  const { session } = playing();
  [1, 2, 3].forEach((input) => session.send(input, 210));
  const sent = said(session);
  const { resync, token } = session.resume();
  assert.deepEqual([resync, token], [{ epoch: 2, applied: 104, event: 0 }, seat.token]);
  session.resumed({ ...seat, epoch: 2, input: 1 }, 300);
  assert.deepEqual(
    said(session).map(({ Inputs }) => [Inputs.number, Inputs.inputs]),
    sent.slice(1).map(({ Inputs }) => [Inputs.number, Inputs.inputs]),
  );
  assert.throws(() => session.resumed({ ...seat, epoch: 2, input: 4 }, 300), Violation);
});

test("what a server must not say is a violation, a goodbye is the end", () => {
  const { session } = playing();
  assert.throws(() => session.handle(Uint8Array.of(3, 0), 0), Violation);
  assert.throws(() => session.handle(control({ Entered: seat }), 0), Violation);
  session.handle(control({ Goodbye: { code: "Finished", message: "the match is over", frames: 9, retry_within_ms: 0 } }), 0);
  assert.equal(session.over, true);
  assert.deepEqual(session.drainEvents(), [
    { type: "goodbye", code: "Finished", message: "the match is over", frames: 9, retry_within_ms: 0 },
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
    Entered: { ...seat, epoch: enter.target.Resume?.resync.epoch ?? 1, schema: enter.schema === null ? json : null },
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
  answer = () => ({ Refused: { request: 1, code: "Internal", message: "", retry_after_ms: null } });

  /** @param {string} url */
  constructor(url) {
    this.url = url;
  }

  /** @param {Uint8Array} bytes */
  send(bytes) {
    const message = decode(clientMessage, bytes);
    if (message.Ping) {
      this.tell(control({ Pong: { number: message.Ping.number, held_ms: 0 } }));
      return;
    }
    this.said.push(message);
    if (message.Hello) {
      this.tell(control({ Welcome: welcome }));
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
  const [{ Inputs }] = said(session);
  assert.deepEqual([Inputs.number, Inputs.inputs[0].aim], [70_001, 101]);
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
  assert.equal(hello.Hello.protocol, 2);
  const { resync, owner, first_input, groups } = enter.Enter.target.Resume;
  assert.deepEqual(resync, { epoch: 4, applied: 100, event: 0 });
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
  const [, enter, ...inputs] = wires.last.said;
  assert.deepEqual(enter.Enter.target.Resume.resync, resync);
  assert.deepEqual(inputs.map(({ Inputs }) => [Inputs.number, Inputs.report.epoch]), [[70_001, 7], [70_002, 7]]);
  ann.close();
});

test("a client gives up when it is told to, or after enough attempts", async () => {
  const wires = new Wires();
  const ann = client(wires);
  await ann.enter({ Game: "crowd" });
  wires.last.tell(control({ Goodbye: { code: "Stopping", message: "the server is stopping", frames: 0, retry_within_ms: 0 } }));
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
