/**
 * One group as a client holds it, at its own version, with its hash; `decoder.js` applies chunks to it. As
 * `shared/src/replica/table.rs`.
 */

import { StateHash } from "../hash.js";
import { Members } from "./members.js";

/** @typedef {import("../layout.js").Layout} Layout */
/** @typedef {"truncated" | "out of range" | "wrong base"} BadChunkReason */

/** Bytes that are no chunk, or a chunk for another base than the state held. */
export class BadChunk extends Error {
  /** @param {BadChunkReason} reason */
  constructor(reason) {
    super(`chunk ${reason}`);
    this.reason = reason;
  }
}

/** The members of one group, by slot, and their fields. */
export class Table {
  /** @param {Layout} layout */
  constructor(layout) {
    /** The version of the group that this table equals; 0 for none. */
    this.version = 0;
    /** The last tick whose state this table is known to equal: that of the frame, unless the group is behind. */
    this.tick = 0;
    /** The hash of its members and fields. */
    this.hash = new StateHash();
    /** Its members in the order of their slots. */
    this.members = new Members(layout);
  }

  /**
   * The codes of a member's lanes (for a linear one: the origin of its line), then the rates of its linear ones.
   *
   * @param {Layout} layout
   * @param {number} place
   */
  lanes(layout, place) {
    const { members } = this;
    const start = place * layout.laneStride;
    return members.lanes.subarray(start, start + layout.kinds[members.kinds[place]].codeCount);
  }

  /**
   * A member's blobs.
   *
   * @param {Layout} layout
   * @param {number} place
   */
  blobs(layout, place) {
    const { members } = this;
    const start = place * layout.blobStride;
    return members.blobs.slice(start, start + layout.kinds[members.kinds[place]].blobCount);
  }
}
