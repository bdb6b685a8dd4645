/**
 * One group as a client sees it: its table, and the tick up to which none of its changes was missed. As
 * `shared/src/replica/seen.rs`.
 */

import { Table } from "./table.js";

/** A group that a client sees. */
export class Seen {
  /**
   * A group without state: until its first frame is applied it is as far behind as possible.
   *
   * @param {number} id
   * @param {import("../layout.js").Layout} layout
   */
  constructor(id, layout) {
    this.id = id;
    this.table = new Table(layout);
    /** @type {number | null} The last tick whose state the table equals, while the group is behind. */
    this.behind = 0;
  }

  /**
   * Applies the next chunk in a frame of `tick`. `fresh` is the tick of the frame before.
   *
   * @param {import("./decoder.js").ChunkDecoder} decoder
   * @param {import("../frame.js").Cursor} cursor
   * @param {number} tick
   * @param {number} fresh
   */
  applyChunk(decoder, cursor, tick, fresh) {
    cursor.at = decoder.apply(this.table, cursor.bytes, cursor.at, tick, this.behind ?? fresh, this.id);
  }

  /**
   * Notes since when the group is behind, if it is. `fresh` is the tick of the frame before.
   *
   * @param {boolean} behind
   * @param {boolean} chunk
   * @param {number} fresh
   * @param {number} tick that of the frame
   */
  markBehind(behind, chunk, fresh, tick) {
    if (!behind) {
      this.behind = null;
    } else if (chunk) {
      this.behind = this.table.version;
    } else {
      this.behind ??= fresh;
    }
    this.table.tick = this.behind ?? tick;
  }
}
