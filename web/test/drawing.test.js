/** What is drawn between frames: interpolation and prediction. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Interpolation, shorter } from "../sdk/interpolation.js";
import { Prediction } from "../sdk/prediction.js";
import { originOf, still, wrap } from "../sdk/linear.js";
import { Replica } from "../sdk/replica.js";
import { Table } from "../sdk/replica/table.js";
import { crowd, schema } from "./crowd.mjs";
import { reactive } from "./reactive.js";

const entities = { kinds: /** @type {any} */ (schema.kinds) };

/**
 * A replica whose only entity is what the test says it is.
 */
class Puppet extends Replica {
  constructor() {
    super(entities, 1);
    this.apply(crowd(1, 1)[0]);
    this.table = /** @type {import("../sdk/replica/table.js").Table} */ (
      this.tables().find(({ table }) => table.members.count === 1)?.table
    );
  }

  /**
   * @param {number} tick
   * @param {Partial<{ x: number, y: number, aim: number, hp: number, returns: number }>} lanes codes
   */
  at(tick, lanes) {
    this.tick = tick;
    for (const [name, code] of Object.entries(lanes)) {
      this.table.members.lanes[schema.kinds[0].lanes.findIndex((lane) => lane.name === name)] = code;
    }
    return this;
  }
}

/** @param {Interpolation} interpolation */
function only(interpolation, /** @type {number} */ time) {
  const drawn = interpolation.sample(time);
  assert.equal(drawn.length, 1);
  return drawn[0].fields;
}

test("positions glide in a line, other fields wait for their time", () => {
  const [puppet, interpolation] = [new Puppet(), new Interpolation(entities, 2)];
  interpolation.observe(puppet.at(200, { x: 160, y: 0, hp: 50 }));
  interpolation.observe(puppet.at(202, { x: 320, hp: 40 }));
  assert.deepEqual([only(interpolation, 202).x, only(interpolation, 202).hp], [10, 50]);
  assert.deepEqual([only(interpolation, 203).x, only(interpolation, 203).hp], [15, 50]);
  assert.deepEqual([only(interpolation, 204).x, only(interpolation, 204).hp], [20, 40]);
  assert.equal(interpolation.underruns, 0);
  assert.equal(only(interpolation, 204.5).x, 20, "what is not known yet stands still");
  assert.equal(interpolation.underruns, 1);
});

test("who stood still glides from the frame before, not all the way", () => {
  const [puppet, interpolation] = [new Puppet(), new Interpolation(entities, 0)];
  interpolation.observe(puppet.at(200, { x: 160 }));
  for (let tick = 201; tick < 210; tick += 1) {
    interpolation.observe(puppet.at(tick, {}));
  }
  interpolation.observe(puppet.at(210, { x: 320 }));
  assert.equal(only(interpolation, 209).x, 10);
  assert.equal(only(interpolation, 209.5).x, 15);
});

test("angles go the shorter way round", () => {
  const [puppet, interpolation] = [new Puppet(), new Interpolation(entities, 0)];
  interpolation.observe(puppet.at(200, { aim: 250 }));
  interpolation.observe(puppet.at(201, { aim: 10 }));
  const half = only(interpolation, 200.5).aim;
  assert.ok(Math.abs(shorter(half - (258 / 256) * 2 * Math.PI)) < 1e-9);
  assert.ok(Math.abs(shorter(3.5) + (2 * Math.PI - 3.5)) < 1e-12);
});

test("a teleport is not glided, also across skipped frames; far frames are not either", () => {
  const [puppet, interpolation] = [new Puppet(), new Interpolation(entities, 0)];
  interpolation.observe(puppet.at(200, { x: 160, returns: 1 }));
  interpolation.observe(puppet.at(204, { x: 1600, returns: 2 }));
  assert.equal(only(interpolation, 203.9).x, 10);
  assert.equal(only(interpolation, 204).x, 100);
  interpolation.observe(puppet.at(300, { x: 160 }));
  assert.equal(only(interpolation, 299).x, 100);
  assert.equal(only(interpolation, 300).x, 10);
});

test("entities appear and disappear at their own time", () => {
  const [puppet, interpolation] = [new Puppet(), new Interpolation(entities, 3)];
  interpolation.observe(puppet.at(200, {}));
  assert.equal(interpolation.sample(202).length, 0, "it is not there yet");
  assert.equal(interpolation.sample(203).length, 1);
  puppet.table.members.count = 0;
  interpolation.observe(puppet.at(201, {}));
  assert.equal(interpolation.sample(203.9).length, 1, "it is still there");
  assert.equal(interpolation.sample(204).length, 0);
});

test("who leaves and comes back is away in between, and then at the new place at once", () => {
  for (const x of [160, 320]) {
    const [puppet, interpolation] = [new Puppet(), new Interpolation(entities, 0)];
    const { members } = puppet.table;
    interpolation.observe(puppet.at(200, { x: 160 }));
    members.count = 0;
    interpolation.observe(puppet.at(201, {}));
    interpolation.observe(puppet.at(202, {}));
    members.count = 1;
    interpolation.observe(puppet.at(203, { x }));
    interpolation.observe(puppet.at(204, { x }));
    assert.equal(only(interpolation, 200.9).x, 10, "it does not glide to where it will come back");
    assert.equal(interpolation.sample(201).length, 0);
    assert.equal(interpolation.sample(202.9).length, 0, "nobody knows where it is");
    assert.equal(only(interpolation, 203).x, x / 16);
    assert.equal(only(interpolation, 204).x, x / 16, "and it stays");
    members.count = 0;
    interpolation.observe(puppet.at(205, {}));
    assert.equal(interpolation.sample(205).length, 0, "until it leaves again");
  }
});

test("a room that goes on from an earlier tick is drawn from there", () => {
  const [puppet, interpolation] = [new Puppet(), new Interpolation(entities, 0)];
  interpolation.observe(puppet.at(200, { x: 160 }));
  assert.equal(only(interpolation, 200).x, 10);
  interpolation.observe(puppet.at(195, { x: 320 }));
  interpolation.observe(puppet.at(196, { x: 480 }));
  assert.equal(only(interpolation, 195.5).x, 25);
});

test("linear lanes go on at their rate, also between frames that stay away", () => {
  const lane = { quantizer: { type: "fixed", min: 0, step: 0.5, max: 200 }, teleport: false, coding: { golomb: { k: 9 } } };
  const lanes = [{ name: "x", linear: true, ...lane }, { name: "hp", ...lane }];
  const schema = /** @type {any} */ ({ kinds: [{ name: "Shot", lanes, blobs: [] }] });
  const [replica, drawn] = [new Replica(schema, 1), new Interpolation(schema, 0)];
  const table = new Table(replica.layout);
  table.members.push(3, 0, 0);
  replica.visit = (each) => each(table, 0, 0);
  /** @param {number} tick @param {number} x its code @param {number} rate in codes */
  const at = (tick, x, rate) => {
    const codes = rate * 256;
    table.members.lanes.set([originOf(8, still(x), codes, tick), 40, wrap(8, codes)]);
    table.tick = replica.tick = tick;
    drawn.observe(replica);
  };
  at(200, 10, 2);
  assert.equal(only(drawn, 200).x, 5);
  assert.equal(only(drawn, 202.5).x, 7.5, "no frame came: it went straight on");
  at(204, 18, 2);
  assert.equal(only(drawn, 204).x, 9);
  at(210, 26, -4);
  assert.equal(only(drawn, 209).x, 14, "until the tick before the turn");
  assert.equal(only(drawn, 210).x, 13);
  assert.equal(only(drawn, 229).x, 0, "not beyond its range");
  assert.equal(only(drawn, 229).hp, 20);
});

test("time never runs backwards", () => {
  const [puppet, interpolation] = [new Puppet(), new Interpolation(entities, 0)];
  interpolation.observe(puppet.at(200, { x: 160 }));
  interpolation.observe(puppet.at(201, { x: 320 }));
  assert.equal(only(interpolation, 200.5).x, 15);
  assert.equal(only(interpolation, 200.2).x, 15);
});

test("what is drawn of a crowd is what its frames said", () => {
  const replica = new Replica(entities, 1);
  const interpolation = new Interpolation(entities, 0);
  for (const frame of crowd(60, 50)) {
    const head = replica.apply(frame);
    interpolation.observe(replica);
    const drawn = interpolation.sample(head?.tick ?? 0);
    const bySlot = new Map(drawn.map((entity) => [entity.slot, entity.fields]));
    assert.equal(drawn.length, 60);
    for (const { slot, fields } of replica.shown()) {
      assert.deepEqual(bySlot.get(slot), fields);
    }
  }
});

/** @type {import("../sdk/prediction.js").Rules<{ x: number }, number>} */
const walk = { step: ({ x }, _, held) => ({ x: x + (held ?? 0) }), smooth: ["x"] };

/** @param {number} number @param {number} aim @param {number} input */
function sent(number, aim, input) {
  return { number, aim, input, payload: new Uint8Array(0), at: 0 };
}

test("the own player walks at once and agrees with the server at settled", () => {
  const prediction = new Prediction(walk, 20);
  prediction.reconcile({ x: 0 }, 100, 0);
  prediction.sent(sent(1, 103, 2));
  assert.equal(prediction.sample(102, 0)?.x, 0);
  assert.equal(prediction.sample(105, 0)?.x, 6, "ticks 103, 104, 105");
  prediction.reconcile({ x: 2 }, 103, 1);
  assert.equal(prediction.sample(105, 0)?.x, 6);
  prediction.sent(sent(2, 106, 0));
  assert.equal(prediction.sample(107, 0)?.x, 6);
  prediction.reconcile({ x: 4 }, 104, 1);
  assert.equal(prediction.corrections, 0);
  assert.equal(prediction.sample(104.5, 0)?.x, 6, "a prediction is not taken back");
});

test("a difference fades, a large one is shown at once", () => {
  const prediction = new Prediction({ ...walk, snap: 50 }, 20);
  prediction.reconcile({ x: 0 }, 100, 0);
  assert.equal(prediction.sample(101, 0)?.x, 0);
  prediction.reconcile({ x: 8 }, 101, 0);
  assert.equal(prediction.sample(101, 0)?.x, 0, "as it was");
  assert.equal(prediction.sample(101, 60)?.x, 4, "half of it");
  assert.ok(Math.abs((prediction.sample(101, 2000)?.x ?? 0) - 8) < 1e-6);
  prediction.reconcile({ x: 100 }, 102, 0);
  assert.equal(prediction.sample(102, 2000)?.x, 100);
  assert.equal(prediction.corrections, 2);
  prediction.reconcile(null, 103, 0);
  assert.equal(prediction.sample(103, 2000), null);
});

test("a correction that comes while another fades adds to it: nothing that is drawn jumps", () => {
  const prediction = new Prediction(walk, 20);
  prediction.reconcile({ x: 0 }, 100, 0);
  prediction.sample(101, 0);
  prediction.reconcile({ x: 8 }, 101, 0);
  assert.equal(prediction.sample(101, 60)?.x, 4);
  prediction.reconcile({ x: 16 }, 101, 0);
  assert.equal(prediction.sample(101, 60)?.x, 4, "where it was drawn");
  assert.equal(prediction.sample(101, 120)?.x, 10, "half of the twelve are gone");
});

test("who was away comes back where it is, not where a correction was still fading", () => {
  const prediction = new Prediction(walk, 20);
  prediction.reconcile({ x: 0 }, 100, 0);
  prediction.sample(101, 0);
  prediction.reconcile({ x: 8 }, 101, 0);
  prediction.reconcile(null, 102, 0);
  prediction.reconcile({ x: 500 }, 103, 0);
  assert.equal(prediction.sample(103, 0)?.x, 500);
});

test("what draws works inside of what view libraries wrap around objects", () => {
  const room = reactive({ drawn: new Interpolation(entities), own: new Prediction(walk, 20) });
  room.drawn.observe(new Puppet().at(200, { x: 160 }));
  room.own.reconcile({ x: 7 }, 200, 0);
  assert.deepEqual([only(room.drawn, 200).x, room.own.sample(200, 0)?.x], [10, 7]);
});

/** Every input pushes once. @type {import("../sdk/prediction.js").Rules<{ x: number }, number>} */
const push = { step: ({ x }, inputs) => ({ x: inputs.reduce((sum, input) => sum + input, x) }), smooth: ["x"] };

test("a press that came late is seen to act, once, with the first tick after the frame", () => {
  const prediction = new Prediction(push, 20);
  prediction.sent(sent(1, 98, 5));
  prediction.reconcile({ x: 0 }, 100, 0);
  assert.equal(prediction.sample(101, 0)?.x, 5);
  assert.equal(prediction.sample(103, 0)?.x, 5);
});

test("a press that a frame shows the effect of is not seen to act again", () => {
  const prediction = new Prediction(push, 20);
  prediction.reconcile({ x: 0 }, 100, 0);
  prediction.sent(sent(1, 102, 5));
  assert.equal(prediction.sample(102, 0)?.x, 5);
  prediction.reconcile({ x: 5 }, 102, 1);
  assert.equal(prediction.sample(104, 0)?.x, 5);
  assert.equal(prediction.corrections, 0);
});

test("a press for the tick that is drawn already is seen at once", () => {
  const prediction = new Prediction(push, 20);
  prediction.reconcile({ x: 0 }, 100, 0);
  prediction.sample(104, 0);
  prediction.sent(sent(1, 104, 5));
  assert.deepEqual(prediction.state, { x: 5 });
});

test("what a lead of three seconds asks for is predicted, at any tick rate", () => {
  for (const hz of [20, 60]) {
    const prediction = new Prediction(walk, hz);
    prediction.reconcile({ x: 0 }, 100, 0);
    prediction.sent(sent(1, 101, 1));
    assert.equal(prediction.sample(100 + 3 * hz, 0)?.x, 3 * hz);
    assert.equal(prediction.sample(100 + 4 * hz, 0)?.x, 3 * hz, "and no more");
  }
});

test("a late input takes effect with the first tick after the frame", () => {
  const prediction = new Prediction(walk, 20);
  prediction.reconcile({ x: 0 }, 100, 0);
  prediction.sample(104, 0);
  prediction.sent(sent(1, 99, 1));
  assert.deepEqual(prediction.state, { x: 4 });
});
