/**
 * Draws between two frames: every entity as it was a little while ago, gliding from its state in one frame to that in
 * the next. Pure: times are ticks, as of `Playout.draw`, or of `Clock.time` for a constant delay.
 *
 * Fixed-point lanes glide linearly, angles the shorter way round; all others change at their time. Linear lanes go on
 * at their rate until a frame says otherwise. When a lane marked `teleport` changes, or frames are far apart, the
 * entity is at its new place at once. An entity keeps its identity when it moves to another group, so that it glides
 * across borders.
 */

import { FAR_APART, KEPT, Track, draw, glideOf, isSame, ratesOf } from "./interpolation/track.js";

export { shorter } from "./interpolation/track.js";

/** @typedef {import("./replica.js").Replica} Replica */
/** @typedef {import("./schema.js").EntitySchema} EntitySchema */
/** @typedef {import("./interpolation/track.js").Drawn} Drawn */
/** @typedef {import("./interpolation/track.js").Glide} Glide */

/** The recent past of all entities that a replica shows. */
export class Interpolation {
  /** @type {Map<number, Track>} */
  #tracks = new Map();
  /** The tick of the newest frame. */
  #newest = 0;
  #time = 0;
  /** @type {{ glides: Glide[], teleports: number[] }[]} By kind number. */
  #kinds;

  /**
   * @param {EntitySchema} schema
   * @param {number} [delay] how many ticks before the given times to draw. Zero for the times of a `Playout`; for those
   *   of the clock at least the distance of two frames plus the jitter of the line
   */
  constructor(schema, delay = 0) {
    /** How many ticks before the given times to draw. */
    this.delay = delay;
    /** The number of draws for whose time no frame had come yet, also while nothing was new. */
    this.underruns = 0;
    /** The number of draws. */
    this.samples = 0;
    this.#kinds = schema.kinds.map((kind) => ({
      glides: kind.lanes.flatMap(({ name, quantizer }, lane) => glideOf(name.split("."), quantizer, lane)),
      teleports: kind.lanes.flatMap(({ teleport }, index) => (teleport ? [index] : [])),
    }));
  }

  /** View libraries that wrap plain objects leave this one as it is. */
  get [Symbol.toStringTag]() {
    return "Interpolation";
  }

  /**
   * Records the state of the replica after a frame. Call it in the handler of the message.
   *
   * @param {Replica} replica
   */
  observe(replica) {
    const tick = replica.tick ?? 0;
    if (tick === this.#newest) {
      return;
    }
    if (tick < this.#newest) {
      // A new owner of the room continues from an earlier tick.
      this.clear();
    }
    const previous = this.#newest;
    this.#newest = tick;
    replica.visit((table, place, group) => {
      const { members } = table;
      const kind = members.kinds[place];
      const { glides, teleports } = this.#kinds[kind];
      const key = members.generations[place] * 0x10000 + members.slots[place];
      const track = this.#track(key, kind, replica.restores[kind].name);
      const start = place * members.laneStride;
      const layout = replica.layout.kinds[kind];
      const { codeCount, blobCount } = layout;
      const blobStart = place * members.blobStride;
      const known = track.samples.length > 0 && track.gone === Infinity;
      const rates = ratesOf(layout, glides, members.lanes, start);
      if (known && rates === null && isSame(track, members, start, blobStart, blobCount)) {
        track.seen = tick;
        return;
      }
      const { fields } = replica.entity(table, place, group);
      if (fields === null) {
        return;
      }
      const jumped = teleports.some((lane) => track.lanes[lane] !== members.lanes[start + lane]);
      const snap = !known || jumped || tick - previous > FAR_APART;
      track.note({ tick, fields, snap, rates }, previous);
      track.lanes = members.lanes.slice(start, start + codeCount);
      track.blobs = members.blobs.slice(blobStart, blobStart + blobCount);
    });
    for (const track of this.#tracks.values()) {
      if (track.seen < tick && track.gone === Infinity) {
        track.gone = tick;
      } else if (track.gone + KEPT < tick) {
        this.#tracks.delete(track.key);
      }
    }
  }

  /**
   * The track of an entity, or a new one.
   *
   * @param {number} key
   * @param {number} kind
   * @param {string} name of the kind
   */
  #track(key, kind, name) {
    let track = this.#tracks.get(key);
    if (track === undefined || track.drawn.kind !== name) {
      track = new Track(key, name, this.#kinds[kind].glides);
      this.#tracks.set(key, track);
    }
    return track;
  }

  /**
   * All entities as they are to be drawn at a time. Time never runs backwards, except for a new start.
   *
   * @param {number} at in ticks
   * @returns {Drawn[]}
   */
  sample(at) {
    const wanted = at - this.delay;
    // A small step back is a correction of the clock; a large one is another room, or a resume.
    const time = wanted < this.#time && this.#time - wanted < FAR_APART ? this.#time : wanted;
    this.#time = time;
    this.samples += 1;
    if (time > this.#newest) {
      this.underruns += 1;
    }
    const drawn = [];
    for (const track of this.#tracks.values()) {
      if (track.gone <= time) {
        this.#tracks.delete(track.key);
        continue;
      }
      const { samples } = track;
      while (samples.length > 1 && samples[1].tick <= time) {
        samples.shift();
      }
      if (samples.length > 0 && samples[0].tick <= time && samples[0].absent !== true) {
        draw(track, samples[0], samples[1], time);
        drawn.push(track.drawn);
      }
    }
    return drawn;
  }

  /** Drops everything, for another room. */
  clear() {
    this.#tracks.clear();
    this.#newest = 0;
    this.#time = 0;
  }
}
