/**
 * Entities for clients: objects with the author's field names, made from lanes and blobs by the schema. As
 * `shared/src/replicate.rs`.
 */

import { FRACTION, valueAt } from "./linear.js";
import { quantizerMax, quantizerValue } from "./replicate/quantizer.js";

/** @typedef {import("./schema.js").KindSchema} KindSchema */
/** @typedef {import("./replicate/quantizer.js").LaneValue} LaneValue */
/** @typedef {Record<string, any>} Fields the fields of an entity by name; arrays for `name.0`, `name.1`, … */

const text = new TextDecoder("utf-8", { fatal: true });

/** Restores the fields of one kind from its lanes and blobs. */
export class Restore {
  /**
   * @param {KindSchema} schema
   * @param {import("./layout.js").KindLayout} layout of the same kind
   */
  constructor(schema, layout) {
    this.name = schema.name;
    this.lanes = schema.lanes.map((lane, index) => ({
      index,
      rate: layout.rates[index],
      bits: layout.bits[index],
      path: path(lane.name),
      max: quantizerMax(lane.quantizer),
      value: quantizerValue(lane.quantizer),
    }));
    this.blobs = schema.blobs.map((blob, index) => ({ index, path: path(blob.name), text: blob.text }));
  }

  /**
   * The fields at a tick; `null` if they do not fit the schema.
   *
   * @param {{ lanes: Uint32Array, blobs: Uint8Array[] }} members all codes and blobs of a table
   * @param {number} lane the start of the entity's codes
   * @param {number} blob the start of its blobs
   * @param {number} tick
   * @returns {Fields | null}
   */
  restore({ lanes, blobs }, lane, blob, tick) {
    /** @type {Fields} */
    const fields = {};
    for (const { index, rate, bits, path, max, value } of this.lanes) {
      const held = lanes[lane + index];
      const code = rate === 0 ? held : valueAt(bits, held, lanes[lane + rate], tick) >>> FRACTION;
      if (code > max) {
        return null;
      }
      put(fields, path, value(code));
    }
    for (const entry of this.blobs) {
      const bytes = blobs[blob + entry.index];
      if (!entry.text) {
        put(fields, entry.path, bytes);
        continue;
      }
      try {
        put(fields, entry.path, text.decode(bytes));
      } catch {
        return null;
      }
    }
    return fields;
  }
}

/**
 * The parts of a field's name: `cells.3.1` is item 1 of item 3 of `cells`.
 *
 * @param {string} name
 * @returns {(string | number)[]}
 */
function path(name) {
  return name.split(".").map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

/**
 * @param {Fields} fields
 * @param {(string | number)[]} path
 * @param {LaneValue | Uint8Array} value
 */
function put(fields, path, value) {
  const last = path.length - 1;
  let place = fields;
  for (let depth = 0; depth < last; depth += 1) {
    place = place[path[depth]] ??= [];
  }
  place[path[last]] = value;
}
