/**
 * The members of a group and their fields, in typed arrays that grow and are never released: applying a chunk allocates
 * nothing but blobs.
 */

import { blobContent } from "../hash.js";
import * as linear from "../linear.js";

/** @typedef {import("../layout.js").Layout} Layout */

/** A list of members by slot. */
export class Members {
  /**
   * @param {Layout} layout
   * @param {number} [capacity]
   */
  constructor(layout, capacity = 16) {
    this.laneStride = layout.laneStride;
    this.blobStride = layout.blobStride;
    this.count = 0;
    this.slots = new Uint16Array(capacity);
    this.generations = new Uint16Array(capacity);
    this.kinds = new Uint8Array(capacity);
    this.lanes = new Uint32Array(capacity * this.laneStride);
    /** @type {Uint8Array[]} */
    this.blobs = [];
  }

  /** Removes all members. */
  clear() {
    this.count = 0;
    this.blobs.length = 0;
  }

  /**
   * Makes room for one more and returns its place. Its lanes are undefined.
   *
   * @param {number} slot
   * @param {number} generation
   * @param {number} kind
   */
  push(slot, generation, kind) {
    const place = this.count;
    if (place === this.slots.length) {
      this.#grow();
    }
    this.slots[place] = slot;
    this.generations[place] = generation;
    this.kinds[place] = kind;
    this.count = place + 1;
    return place;
  }

  /**
   * Appends a member of another list.
   *
   * @param {Members} from
   * @param {number} place
   */
  pushFrom(from, place) {
    const to = this.push(from.slots[place], from.generations[place], from.kinds[place]);
    const { laneStride, blobStride } = this;
    for (let index = 0; index < laneStride; index += 1) {
      this.lanes[to * laneStride + index] = from.lanes[place * laneStride + index];
    }
    for (let index = 0; index < blobStride; index += 1) {
      this.blobs[to * blobStride + index] = from.blobs[place * blobStride + index];
    }
    return to;
  }

  /**
   * Removes all members from a place on.
   *
   * @param {number} count the number of those who stay
   */
  truncate(count) {
    this.count = count;
    this.blobs.length = count * this.blobStride;
  }

  /** Sorts the members by their slots. */
  sort() {
    const order = Array.from({ length: this.count }, (_, place) => place);
    order.sort((a, b) => this.slots[a] - this.slots[b]);
    const from = Object.assign(Object.create(Members.prototype), this);
    this.slots = this.slots.slice();
    this.generations = this.generations.slice();
    this.kinds = this.kinds.slice();
    this.lanes = this.lanes.slice();
    this.blobs = [];
    this.count = 0;
    order.forEach((place) => this.pushFrom(from, place));
  }

  /**
   * The entity in a place, in the form for the hash: slot, and above 16 bits the generation.
   *
   * @param {number} place
   */
  entity(place) {
    return (this.generations[place] << 16) | this.slots[place];
  }

  /**
   * The first place at or after `from` whose slot is not below `slot`.
   *
   * @param {number} slot
   * @param {number} from
   */
  find(slot, from) {
    let place = from;
    while (place < this.count && this.slots[place] < slot) {
      place += 1;
    }
    return place;
  }

  /**
   * Sets `out` to the hash of one member.
   *
   * @param {import("../hash.js").StateHash} out
   * @param {Layout} layout
   * @param {number} place
   */
  hash(out, layout, place) {
    const kind = layout.kinds[this.kinds[place]];
    const entity = this.entity(place);
    const lanes = place * layout.laneStride;
    out.clear();
    out.addMember(entity, this.kinds[place]);
    for (let index = 0; index < kind.laneCount; index += 1) {
      const code = this.lanes[lanes + index];
      const rate = kind.rates[index];
      out.addField(entity, index, rate === 0 ? code : linear.content(code, this.lanes[lanes + rate]));
    }
    for (let index = 0; index < kind.blobCount; index += 1) {
      out.addField(entity, kind.laneCount + index, blobContent(this.blobs[place * layout.blobStride + index]));
    }
  }

  #grow() {
    const capacity = this.slots.length * 2;
    /**
     * @template {Uint8Array | Uint16Array | Uint32Array} T
     * @param {T} old
     * @param {T} larger
     * @returns {T}
     */
    const moved = (old, larger) => {
      larger.set(old);
      return larger;
    };
    this.slots = moved(this.slots, new Uint16Array(capacity));
    this.generations = moved(this.generations, new Uint16Array(capacity));
    this.kinds = moved(this.kinds, new Uint8Array(capacity));
    this.lanes = moved(this.lanes, new Uint32Array(capacity * this.laneStride));
  }
}
