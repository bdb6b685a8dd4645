/**
 * What a decoder must know of the kinds: counts, widths, codings. Made from a schema. As `Layout` in
 * `shared/src/world/committed.rs`.
 */

import { quantizerBits } from "./replicate/quantizer.js";

/** @typedef {import("./schema.js").EntitySchema} EntitySchema */

/** The lanes and blobs of one kind. */
export class KindLayout {
  /** @param {import("./schema.js").KindSchema} kind */
  constructor(kind) {
    this.laneCount = kind.lanes.length;
    this.blobCount = kind.blobs.length;
    /** How many bits a change mask of this kind has. */
    this.fields = this.laneCount + this.blobCount;
    if (this.fields > 64) {
      throw new RangeError(`kind ${kind.name} has more than 64 fields`);
    }
    /** Width in bits of each lane. */
    this.bits = Uint8Array.from(kind.lanes, (lane) => quantizerBits(lane.quantizer));
    /** Golomb order of the changes of each lane. */
    this.golomb = Uint8Array.from(kind.lanes, (lane) => Math.min(lane.coding.golomb.k, 31));
    /** Most bytes of each blob. */
    this.maxLen = kind.blobs.map((blob) => blob.max_len);
  }
}

/** The kinds of an entity type. */
export class Layout {
  /** @param {EntitySchema} schema */
  constructor(schema) {
    this.kinds = schema.kinds.map((kind) => new KindLayout(kind));
    /** Most lanes of any kind. */
    this.laneStride = Math.max(0, ...this.kinds.map((kind) => kind.laneCount));
    /** Most blobs of any kind. */
    this.blobStride = Math.max(0, ...this.kinds.map((kind) => kind.blobCount));
    /** Bits of a kind number. */
    this.kindBits = 32 - Math.clz32(Math.max(0, this.kinds.length - 1));
  }
}
