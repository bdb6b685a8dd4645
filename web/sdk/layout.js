/**
 * The layout of kinds for decoders: counts, widths and codings, made from a schema. As `Layout` in
 * `shared/src/world/committed.rs`.
 */

import { FRACTION, MAX_BITS } from "./linear.js";
import { Prefix } from "./prefix.js";
import { quantizerBits } from "./replicate/quantizer.js";

/** @typedef {import("./schema.js").EntitySchema} EntitySchema */

/**
 * @param {string | undefined} text
 * @param {number} width
 */
function learnedCode(text, width) {
  return text === undefined ? null : new Prefix(text, width);
}

/** The lanes and blobs of one kind. */
export class KindLayout {
  /** @param {import("./schema.js").KindSchema} kind */
  constructor(kind) {
    this.laneCount = kind.lanes.length;
    this.blobCount = kind.blobs.length;
    /** The number of bits in a change mask of this kind. */
    this.fields = this.laneCount + this.blobCount;
    if (this.fields > 64) {
      throw new RangeError(`kind ${kind.name} has more than 64 fields`);
    }
    /** The number of a member's codes: one per lane (for a linear lane: the origin of its line), then the rates. */
    this.codeCount = this.laneCount;
    /** The index of each lane's rate among the codes; 0 for lanes without one. */
    this.rates = Uint8Array.from(kind.lanes, ({ linear }) => (linear ? this.codeCount++ : 0));
    /** The width of each lane in bits. */
    this.bits = Uint8Array.from(kind.lanes, ({ quantizer, linear }) =>
      Math.min(quantizerBits(quantizer), linear ? MAX_BITS : 32),
    );
    /** The Golomb order for the changes of each lane, or of its rates. */
    this.golomb = Uint8Array.from(kind.lanes, (lane) => Math.min(lane.coding.golomb.k, 31));
    /** Learned codes, by lane; `null` where the default is used. Numbers are codes, or rates of linear lanes. */
    const codes = (/** @type {"change" | "error" | "whole"} */ of) =>
      kind.lanes.map(({ learned, linear }, lane) => learnedCode(learned?.[of], this.bits[lane] + (linear ? FRACTION : 0)));
    this.changes = codes("change");
    this.errors = codes("error");
    this.wholes = codes("whole");
    /** The learned code of masks. */
    this.mask = learnedCode(kind.mask, this.fields);
    /** The maximum size of each blob in bytes. */
    this.maxLen = kind.blobs.map((blob) => blob.max_len);
  }
}

/** The kinds of an entity type. */
export class Layout {
  /**
   * @param {EntitySchema} schema
   * @throws {import("./prefix.js").BadPrefix} if a learned coding is invalid
   */
  constructor(schema) {
    this.kinds = schema.kinds.map((kind) => new KindLayout(kind));
    /** The maximum number of codes of a kind. */
    this.laneStride = Math.max(0, ...this.kinds.map((kind) => kind.codeCount));
    /** The maximum number of blobs of a kind. */
    this.blobStride = Math.max(0, ...this.kinds.map((kind) => kind.blobCount));
    /** The number of bits in a kind number. */
    this.kindBits = 32 - Math.clz32(Math.max(0, this.kinds.length - 1));
  }
}
