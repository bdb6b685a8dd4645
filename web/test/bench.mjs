/**
 * What a frame of a busy view costs: decode (in the handler of the message), noting it for drawing, drawing. `node
 * test/bench.mjs [entities]`
 */

import { Interpolation } from "../sdk/interpolation.js";
import { Replica } from "../sdk/replica.js";
import { crowd, schema } from "./crowd.mjs";

const entities = Number(process.argv[2] ?? 200);
const FRAMES = 400;
const ROUNDS = 10;

const frames = crowd(entities, FRAMES);
const bytes = frames.slice(1).reduce((sum, frame) => sum + frame.length, 0) / (FRAMES - 1);

/** @type {Record<string, number[]>} */
const times = {
  "decode a frame (with hash)": [],
  "note it for drawing": [],
  "objects of all entities": [],
  "draw all (once per repaint)": [],
};
for (let round = 0; round < ROUNDS; round += 1) {
  const replica = new Replica({ kinds: /** @type {any} */ (schema.kinds) }, 1);
  const interpolation = new Interpolation({ kinds: /** @type {any} */ (schema.kinds) }, 2);
  for (const frame of frames) {
    const marks = [performance.now()];
    const head = replica.apply(frame);
    marks.push(performance.now());
    interpolation.observe(replica);
    marks.push(performance.now());
    replica.shown();
    marks.push(performance.now());
    interpolation.sample((head?.tick ?? 0) + 0.5);
    marks.push(performance.now());
    if (round > 0 && !head?.start) {
      Object.values(times).forEach((list, index) => list.push(marks[index + 1] - marks[index]));
    }
  }
}

console.log(`${entities} entities, ${(ROUNDS - 1) * (FRAMES - 1)} frames of ${Math.round(bytes)} bytes`);
console.log("µs:                                mean   median     99 %");
for (const [name, list] of Object.entries(times)) {
  list.sort((a, b) => a - b);
  const mean = list.reduce((sum, time) => sum + time, 0) / list.length;
  const numbers = [mean, list[list.length >> 1], list[Math.floor(list.length * 0.99)]];
  console.log(`${name.padEnd(30)}${numbers.map((time) => (time * 1000).toFixed(1).padStart(9)).join("")}`);
}
