/** A session without a socket: what it says, and when. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { clientMessage } from "../sdk/protocol.js";
import { Replica } from "../sdk/replica.js";
import { Session, Violation } from "../sdk/session.js";
import { decode } from "../sdk/wire.js";
import { crowd } from "./crowd.mjs";
import { control, schema, seat } from "./wires.js";

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

test("frames that the server sends more seldom are drawn farther in the past", () => {
  const { session } = playing();
  session.handle(control({ Pace: { every: 4 } }), 200);
  session.playout.draw(200);
  assert.ok(session.playout.delay >= 208, `${session.playout.delay} ms`);
});

test("on a new line frames come at every send tick again, and are drawn as late as those ask for", () => {
  const { session, frames } = playing();
  session.handle(control({ Pace: { every: 4 } }), 200);
  session.lost();
  session.resume();
  session.resumed({ ...seat, epoch: 2 }, 300);
  for (let index = 0; index < 30; index += 1) {
    const frame = frames[index].slice();
    frame[2] = 2;
    session.handle(frame, 300 + index * 50);
    session.playout.draw(300 + index * 50);
  }
  assert.ok(session.playout.delay < 70, `${session.playout.delay} ms`);
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
  assert.deepEqual(session.drainEvents(), [{ type: "resyncing", reason: "chunk wrong base" }]);
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
  assert.deepEqual(said(session), [], "too soon for another resync");
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

test("a line that becomes slower by a step goes on: no resync, no hole, and aims that stay right", () => {
  const session = new Session(seat, schema, 0);
  const frames = crowd(10, 60);
  frames.forEach((frame, index) => session.handle(frame, index * 50 + (index < 20 ? 0 : 600)));
  const now = 59 * 50 + 600;
  assert.deepEqual([session.counts.resyncs, session.counts.frames - session.counts.stale], [0, 60]);
  assert.ok(session.clock.age(159, now) < 5);
  assert.equal(session.clock.tick(now), 159, "what has arrived is now");
  assert.equal(session.send(1, now)?.aim, 159 + 12 + 2, "which the server executed 600 ms ago");
});

test("who reads ever later resyncs from where it is; where that does not help, once", () => {
  const session = new Session(seat, schema, 0);
  const frames = crowd(10, 320);
  let now = 0;
  let read = 0;
  for (; session.counts.resyncs === 0; read += 1) {
    session.handle(frames[read], now);
    now += read < 10 ? 50 : 65;
  }
  const age = session.clock.age(99 + read, now - 65);
  assert.ok(age > 3900 && age < 4300, `for 15 seconds older than 500 ms: ${age} ms`);
  const { epoch, applied } = said(session).find((message) => message.Resync)?.Resync;
  assert.deepEqual([epoch, applied], [2, 99 + read]);
  // The line is still as slow behind it.
  session.replica = new Replica(schema.entity, 2);
  for (let index = 0; index < 40; index += 1) {
    const frame = frames[index].slice();
    frame[2] = 2;
    session.handle(frame, now + index * 65);
  }
  assert.equal(session.counts.resyncs, 1);
  assert.ok(session.clock.age(139, now + 39 * 65) < 500, "the clock takes the line as it is");
});

test("while a first view comes by parts no lag makes it resync", () => {
  const session = new Session(seat, schema, 0);
  const frames = crowd(10, 320);
  session.replica.tables = () => [{ group: 1, table: /** @type {any} */ (null), behind: true }];
  frames.forEach((frame, index) => session.handle(frame, index * 75));
  assert.ok(session.clock.age(419, 319 * 75) > 500);
  assert.equal(session.counts.resyncs, 0);
});

test("inputs that were not taken in are sent again after a resume, with their numbers and aims", () => {
  const { session } = playing();
  [1, 2, 3].forEach((input) => session.send(input, 210));
  assert.deepEqual(said(session).map(({ Inputs }) => Inputs.number), [1], "the others wait for their turn");
  const { resync, token } = session.resume();
  assert.deepEqual([resync, token], [{ epoch: 2, applied: 104, event: 0 }, seat.token]);
  session.resumed({ ...seat, epoch: 2, input: 1 }, 300);
  const [{ Inputs }] = said(session);
  const again = [2, 3].map((input) => ({ aim: 106, payload: Uint8Array.of(input) }));
  assert.deepEqual([Inputs.number, Inputs.inputs], [2, again]);
  assert.throws(() => session.resumed({ ...seat, epoch: 2, input: 4 }, 300), Violation);
});

test("what was pressed without a line leaves the aims behind it where they belong", () => {
  const { session, frames } = playing();
  session.lost();
  [1, 2].forEach((input) => session.send(input, 220));
  session.resume();
  session.resumed({ ...seat, epoch: 2 }, 300);
  const start = frames[0].slice();
  // A start of the new epoch says that input 2 came 100 ticks too late.
  const late = [2, 0, 0, 0, 199, 1];
  session.handle(Uint8Array.from([0, 1 + 2, 2, ...start.slice(3, 7), ...late, ...start.slice(15)]), 310);
  assert.equal(session.settled.margin, -100);
  assert.equal(session.lead.ticks, 2);
});

/**
 * A frame as a later epoch has it.
 *
 * @param {Uint8Array} frame
 * @param {number} epoch
 */
function inEpoch(frame, epoch) {
  const other = frame.slice();
  other[2] = epoch;
  return other;
}

test("a resync that waits is not sent on a new line, which begins anew by itself", () => {
  const { session, frames } = playing();
  session.handle(frames[7], 300);
  session.handle(inEpoch(frames[0], 2), 350);
  session.handle(inEpoch(frames[3], 2), 400);
  assert.deepEqual(said(session).map(({ Resync }) => Resync.epoch), [2], "the second one waits");
  session.lost();
  const { epoch } = session.resume().resync;
  session.resumed({ ...seat, epoch }, 450);
  session.handle(inEpoch(frames[0], epoch), 500);
  session.handleTime(2500);
  assert.deepEqual(said(session), [{ Report: { epoch, applied: 100, event: 0 } }], "the world stays as it is");
});

test("who leaves while the line breaks leaves when it is back, after the last input", () => {
  const { session } = playing();
  session.send(1, 210);
  session.leave();
  session.lost();
  session.resume();
  session.resumed({ ...seat, epoch: 2 }, 900);
  const [inputs, leave, ...rest] = said(session);
  assert.deepEqual([inputs.Inputs.number, leave, rest], [1, "Leave", []]);
});

test("what is pressed on a new line aims at what that line shows, not at what the old one would have", () => {
  const { session, frames } = playing(10);
  session.lost();
  const { epoch } = session.resume().resync;
  session.resumed({ ...seat, epoch }, 900);
  // The way down is longer by 600 ms.
  frames.slice(0, 10).forEach((frame, index) => session.handle(inEpoch(frame, epoch), 1100 + index * 50));
  assert.equal(session.send(1, 1550)?.aim, 109 + 2);
});

test("an input that came seconds too late makes the next ones aim as far ahead as any may", () => {
  const { session, frames } = playing();
  session.send(1, 220);
  // 200 ticks too late: two bytes of a varint.
  const late = [1, 0, 0, 0, 0x8f, 3];
  session.handle(Uint8Array.from([0, 1 + 2, 1, ...frames[0].slice(3, 7), ...late, ...frames[0].slice(15)]), 250);
  assert.equal(session.settled.margin, -200);
  assert.equal(session.lead.ticks, 60);
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

test("a seat that somebody else had goes on with its numbers", () => {
  const session = new Session({ ...seat, epoch: 5, input: 70_000 }, schema, 0);
  session.send(1, 0);
  const [{ Inputs }] = said(session);
  assert.deepEqual([Inputs.number, Inputs.inputs[0].aim], [70_001, 101]);
});
