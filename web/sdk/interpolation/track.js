/**
 * The recent past of one entity, and how it looks between two moments of it. `interpolation.js` keeps one for each
 * entity.
 */

import { FRACTION, signed } from "../linear.js";

/** @typedef {import("../replicate.js").Fields} Fields */

/** Nothing glides between frames that are so many ticks apart. */
export const FAR_APART = 20;

/** Samples beyond this number, or older than so many ticks, are dropped, for pages that are hidden and do not draw. */
export const KEPT = 64;

/**
 * The state of an entity in one frame.
 *
 * @typedef {object} Sample
 * @property {number} tick
 * @property {Fields} fields
 * @property {boolean} snap whether to show it at once instead of gliding to it
 * @property {number[] | null} rates the change per tick of each field that glides; `null` if nothing moves by itself
 * @property {boolean} [absent] whether the entity was absent from then on, until the next sample
 */

/**
 * An entity as it is drawn. The object stays the same while the entity is there; its fields change with each `sample`.
 *
 * @typedef {object} Drawn
 * @property {number} slot
 * @property {number} generation
 * @property {string} kind
 * @property {Fields} fields
 */

/**
 * A field that glides.
 *
 * @typedef {object} Glide
 * @property {string[]} path
 * @property {boolean} angle
 * @property {number} lane
 * @property {number} min and
 * @property {number} max its smallest and largest value
 * @property {number} step of its codes
 */

/** The recent past of one entity. */
export class Track {
  /** @type {Sample[]} */
  samples = [];
  /** The last frame that showed it. */
  seen = 0;
  /** The first frame that did not show it any more. */
  gone = Infinity;
  /** @type {Sample | null} The sample whose fields were copied to `drawn`. */
  copied = null;

  /**
   * @param {number} key
   * @param {string} kind
   * @param {Glide[]} glides
   */
  constructor(key, kind, glides) {
    this.key = key;
    this.glides = glides;
    /** @type {Drawn} */
    this.drawn = { slot: key & 0xffff, generation: Math.floor(key / 0x10000), kind, fields: {} };
    /** The codes of the last sample, to detect changes. */
    this.lanes = new Uint32Array(0);
    /** @type {Uint8Array[]} */
    this.blobs = [];
  }

  /**
   * Notes a changed state of the entity in a frame.
   *
   * @param {Sample} sample
   * @param {number} previous the tick of the frame before
   */
  note(sample, previous) {
    const { tick } = sample;
    const last = this.samples.at(-1);
    if (this.gone !== Infinity) {
      // It was away, at an unknown place.
      this.samples.push({ tick: this.gone, fields: {}, snap: true, rates: null, absent: true });
    } else if (last !== undefined && last.tick < previous) {
      // It stood still until the frame before: it glides from there, not from its last sample.
      this.samples.push({ tick: previous, fields: last.fields, snap: false, rates: null });
    } else if (last !== undefined && last.rates !== null && last.tick < tick - 1 && tick - last.tick <= FAR_APART) {
      // No frame came because it went straight on until the tick before.
      this.samples.push({ ...last, tick: tick - 1, fields: goneOn(this, last, tick - 1), snap: false });
    }
    this.samples.push(sample);
    if (this.samples.length > 2 * KEPT) {
      this.samples.splice(0, KEPT);
    }
    this.seen = tick;
    this.gone = Infinity;
  }
}

/**
 * Whether an entity has not changed.
 *
 * @param {Track} track
 * @param {import("../replica/members.js").Members} members
 * @param {number} start
 * @param {number} blobStart
 * @param {number} blobCount
 */
export function isSame(track, members, start, blobStart, blobCount) {
  const { lanes, blobs } = track;
  for (let index = 0; index < lanes.length; index += 1) {
    if (lanes[index] !== members.lanes[start + index]) {
      return false;
    }
  }
  for (let index = 0; index < blobCount; index += 1) {
    // A changed blob is another array.
    if (blobs[index] !== members.blobs[blobStart + index]) {
      return false;
    }
  }
  return true;
}

/**
 * How a lane glides, if it does.
 *
 * @param {string[]} path
 * @param {import("../replicate/quantizer.js").Quantizer} quantizer
 * @param {number} lane
 * @returns {Glide[]}
 */
export function glideOf(path, quantizer, lane) {
  switch (quantizer.type) {
    case "angle":
      return [{ path, angle: true, lane, min: 0, max: TAU, step: TAU / 2 ** quantizer.bits }];
    case "fixed": {
      const { min, step, max } = quantizer;
      return [{ path, angle: false, lane, min, max: min + max * step, step }];
    }
    default:
      return [];
  }
}

/**
 * The change per tick of each field that glides; `null` if nothing moves by itself.
 *
 * @param {import("../layout.js").KindLayout} layout
 * @param {Glide[]} glides
 * @param {Uint32Array} codes
 * @param {number} start the start of the entity's codes
 */
export function ratesOf(layout, glides, codes, start) {
  let moves = false;
  for (let code = layout.laneCount; code < layout.codeCount; code += 1) {
    moves ||= codes[start + code] !== 0;
  }
  if (!moves) {
    return null;
  }
  return glides.map(({ lane, step }) => {
    const rate = layout.rates[lane];
    return rate === 0 ? 0 : (signed(layout.bits[lane], codes[start + rate]) / (1 << FRACTION)) * step;
  });
}

/**
 * The fields of a sample at a later time without further changes.
 *
 * @param {Track} track
 * @param {Sample} sample
 * @param {number} time
 */
function goneOn(track, sample, time) {
  /** @type {Fields} */
  const fields = {};
  copy(fields, sample.fields);
  glideOn(fields, track.glides, sample, time);
  return fields;
}

/**
 * Moves the fields of a sample on to a later time, within their range and for as long as a frame may stay away.
 *
 * @param {Fields} fields
 * @param {Glide[]} glides
 * @param {Sample} sample
 * @param {number} time
 */
function glideOn(fields, glides, { fields: from, tick, rates }, time) {
  const ticks = Math.min(time - tick, FAR_APART);
  glides.forEach(({ path, min, max }, index) => {
    const rate = rates?.[index] ?? 0;
    if (rate !== 0) {
      const value = /** @type {number} */ (look(from, path)) + ticks * rate;
      put(fields, path, Math.min(Math.max(value, min), max));
    }
  });
}

/**
 * @param {Track} track
 * @param {Sample} from
 * @param {Sample | undefined} to
 * @param {number} time
 */
export function draw(track, from, to, time) {
  const { fields } = track.drawn;
  if (track.copied !== from) {
    copy(fields, from.fields);
    track.copied = from;
  }
  const glides = to !== undefined && !to.snap;
  const part = glides ? Math.min(Math.max((time - from.tick) / (to.tick - from.tick), 0), 1) : 0;
  for (const { path, angle } of track.glides) {
    const start = /** @type {number} */ (look(from.fields, path));
    const way = glides ? /** @type {number} */ (look(to.fields, path)) - start : 0;
    put(fields, path, start + part * (angle ? shorter(way) : way));
  }
  if (to === undefined && from.rates !== null) {
    glideOn(fields, track.glides, from, time);
  }
}

const TAU = 2 * Math.PI;

/**
 * The same rotation, the shorter way round.
 *
 * @param {number} way
 */
export function shorter(way) {
  return way - TAU * Math.round(way / TAU);
}

/**
 * @param {any} fields
 * @param {string[]} path
 */
function look(fields, path) {
  let value = fields;
  for (const part of path) {
    value = value[part];
  }
  return value;
}

/**
 * @param {any} fields
 * @param {string[]} path
 * @param {number} value
 */
function put(fields, path, value) {
  let place = fields;
  for (let depth = 0; depth + 1 < path.length; depth += 1) {
    place = place[path[depth]];
  }
  place[path[path.length - 1]] = value;
}

/**
 * Copies fields; arrays become arrays of their own.
 *
 * @param {any} to
 * @param {any} from
 */
function copy(to, from) {
  for (const name in from) {
    to[name] = Array.isArray(from[name]) ? structuredClone(from[name]) : from[name];
  }
}
