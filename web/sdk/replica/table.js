/**
 * One group as a client holds it, at its own version. Applies chunks, checks what they start from, keeps the hash. As
 * `shared/src/replica/table.rs`.
 */

import { BadBits, BitReader } from "../bits.js";
import * as chunk from "../chunk.js";
import { StateHash, blobContent } from "../hash.js";
import * as linear from "../linear.js";
import { Members } from "./members.js";

/** @typedef {import("../layout.js").Layout} Layout */
/** @typedef {"truncated" | "out of range" | "wrong base"} BadChunkReason */

/** Bytes that are no chunk, or one that starts from something else than what is held. */
export class BadChunk extends Error {
  /** @param {BadChunkReason} reason */
  constructor(reason) {
    super(`chunk ${reason}`);
    this.reason = reason;
  }
}

/** Fewest bits that a member takes in a list of whole ones: its gap and its generation. */
const WHOLE_BITS = 17;

const term = new StateHash();

/** The members of one group, by slot, and their fields. */
export class Table {
  /** @param {Layout} layout */
  constructor(layout) {
    /** The version of the group that this table equals; 0 for never. */
    this.version = 0;
    /** The last tick whose state this table is known to equal: that of the frame, unless the group is behind. */
    this.tick = 0;
    /** The hash of its members and fields. */
    this.hash = new StateHash();
    /** Its members in the order of their slots. */
    this.members = new Members(layout);
  }

  /**
   * The codes of a member's lanes (of a linear one: the origin of its line), then the rates of its linear ones.
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

/**
 * Applies chunks to tables. One serves all tables of a replica; what it keeps is memory to work in.
 */
export class ChunkDecoder {
  /** @param {Layout} layout */
  constructor(layout) {
    this.layout = layout;
    this.bits = new BitReader(new Uint8Array(0));
    this.table = new Table(layout);
    /** Members that a chunk states whole. */
    this.arrivals = new Members(layout);
    /** The next list of members while it is being merged. */
    this.spare = new Members(layout);
    /** @type {number[]} Places of members that leave. */
    this.gone = [];
  }

  /**
   * Applies the chunk that begins at `start` and returns where it ends. `fresh` is the last tick whose state the table
   * is known to equal. After an error the table is good for nothing but a snapshot.
   *
   * @param {Table} table
   * @param {Uint8Array} bytes
   * @param {number} start
   * @param {number} tick
   * @param {number} fresh
   */
  apply(table, bytes, start, tick, fresh) {
    this.table = table;
    this.bits = new BitReader(bytes, start);
    try {
      if (this.bits.read(1) === 0) {
        this.#delta(tick);
      } else if (this.bits.read(1) === 0) {
        this.#catchUp(fresh);
      } else {
        this.#snapshot();
      }
    } catch (error) {
      throw error instanceof BadBits ? new BadChunk("truncated") : error;
    }
    return this.bits.byteOffset;
  }

  /** @param {number} tick */
  #delta(tick) {
    const { bits, table, gone } = this;
    const base = tick - bits.readGolomb(0) - 1;
    if (base < 0) {
      throw new BadChunk("out of range");
    }
    if (base !== table.version) {
      throw new BadChunk("wrong base");
    }
    const changed = bits.readGolomb(chunk.CHANGED_ORDER);
    if (changed > 0) {
      const order = bits.read(chunk.ORDER_BITS);
      let next = 0;
      for (let index = 0; index < changed; index += 1) {
        const place = this.#place(next, order);
        this.#changes(place, tick);
        next = place + 1;
      }
    }
    const departed = bits.readGolomb(chunk.DEPARTED_ORDER);
    if (departed > table.members.count) {
      throw new BadChunk("out of range");
    }
    gone.length = 0;
    for (let index = 0, next = 0; index < departed; index += 1) {
      const place = this.#place(next, chunk.DEPARTED_GAP_ORDER);
      gone.push(place);
      next = place + 1;
    }
    this.#wholes(chunk.ARRIVED_ORDER);
    if (departed > 0 || this.arrivals.count > 0) {
      this.#merge();
    }
    table.version = tick;
  }

  #snapshot() {
    const { bits, table } = this;
    const version = bits.read(32);
    this.#wholes(chunk.MEMBERS_ORDER);
    const { members } = table;
    table.members = this.arrivals;
    this.arrivals = members;
    table.version = version;
    this.#rehash();
  }

  /** @param {number} fresh */
  #catchUp(fresh) {
    const { bits, table } = this;
    const version = bits.read(32);
    const since = bits.read(32);
    if (Math.max(fresh, table.version) < since) {
      throw new BadChunk("wrong base");
    }
    const old = table.members;
    const now = this.spare;
    now.clear();
    table.members = now;
    this.spare = old;
    table.version = version;
    const count = this.#count(chunk.MEMBERS_ORDER, 2);
    const order = count > 0 ? bits.read(chunk.ORDER_BITS) : 0;
    for (let index = 0, next = 0, place = 0; index < count; index += 1) {
      const slot = this.#slot(next, order);
      next = slot + 1;
      if (bits.read(1) === 1) {
        this.#whole(slot, now);
        continue;
      }
      place = old.find(slot, place);
      if (place === old.count || old.slots[place] !== slot) {
        throw new BadChunk("out of range");
      }
      this.#absoluteChanges(now.pushFrom(old, place));
    }
    this.#rehash();
  }

  /**
   * A place in the member list, so many behind `next`.
   *
   * @param {number} next
   * @param {number} order
   */
  #place(next, order) {
    const place = next + this.bits.readGolomb(order);
    if (place >= this.table.members.count) {
      throw new BadChunk("out of range");
    }
    return place;
  }

  /**
   * @param {number} next
   * @param {number} order
   */
  #slot(next, order) {
    const slot = next + this.bits.readGolomb(order);
    if (slot > 0xffff) {
      throw new BadChunk("out of range");
    }
    return slot;
  }

  /**
   * A number of items that take at least `bitsEach`.
   *
   * @param {number} order
   * @param {number} bitsEach
   */
  #count(order, bitsEach) {
    const count = this.bits.readGolomb(order);
    if (count > Math.floor(this.bits.remaining / bitsEach)) {
      throw new BadChunk("truncated");
    }
    return count;
  }

  /**
   * Reads a list of whole members into `arrivals`.
   *
   * @param {number} order
   */
  #wholes(order) {
    const { arrivals, bits } = this;
    arrivals.clear();
    const count = this.#count(order, WHOLE_BITS);
    if (count > 0) {
      const gapOrder = bits.read(chunk.ORDER_BITS);
      for (let index = 0, next = 0; index < count; index += 1) {
        const slot = this.#slot(next, gapOrder);
        next = slot + 1;
        this.#whole(slot, arrivals);
      }
    }
  }

  /**
   * @param {number} slot
   * @param {Members} out
   */
  #whole(slot, out) {
    const { bits, layout } = this;
    const generation = bits.read(16);
    const number = bits.read(layout.kindBits);
    const kind = layout.kinds[number];
    if (kind === undefined) {
      throw new BadChunk("out of range");
    }
    const place = out.push(slot, generation, number);
    const lanes = place * layout.laneStride;
    for (let index = 0; index < kind.laneCount; index += 1) {
      this.#absolute(kind, index, out.lanes, lanes);
    }
    for (let index = 0; index < kind.blobCount; index += 1) {
      out.blobs[place * layout.blobStride + index] = this.#blob(kind.maxLen[index]);
    }
  }

  /**
   * Reads a lane as it is into the codes of a member, which begin at `start`.
   *
   * @param {import("../layout.js").KindLayout} kind
   * @param {number} index
   * @param {Uint32Array} codes
   * @param {number} start
   */
  #absolute(kind, index, codes, start) {
    const { bits } = this;
    const width = kind.bits[index];
    const rate = kind.rates[index];
    if (rate === 0) {
      codes[start + index] = bits.read(width);
    } else if (bits.read(1) === 0) {
      codes[start + index] = linear.still(bits.read(width));
      codes[start + rate] = 0;
    } else {
      codes[start + index] = bits.read(width + linear.FRACTION);
      codes[start + rate] = linear.wrap(width, chunk.undoZigzag(bits.readGolomb(kind.golomb[index]) + 1));
    }
  }

  /**
   * Reads the change of a line in the delta of a tick.
   *
   * @param {import("../layout.js").KindLayout} kind
   * @param {number} index
   * @param {number} start where the codes of the member begin
   * @param {number} tick
   */
  #lineChange(kind, index, start, tick) {
    const { bits } = this;
    const { lanes } = this.table.members;
    const width = kind.bits[index];
    const [origin, rate] = [lanes[start + index], lanes[start + kind.rates[index]]];
    let newRate = rate;
    let error;
    if (bits.read(1) === 0) {
      error = chunk.undoZigzag(bits.readGolomb(chunk.ERROR_ORDER) + 1);
    } else {
      newRate = linear.wrap(width, rate + chunk.undoZigzag(bits.readGolomb(kind.golomb[index]) + 1));
      error = chunk.undoZigzag(bits.readGolomb(chunk.ERROR_ORDER));
    }
    const value = linear.valueAt(width, origin, rate, tick - 1) + error;
    lanes[start + index] = linear.originOf(width, value, newRate, tick - 1);
    lanes[start + kind.rates[index]] = newRate;
    return linear.content(origin, rate);
  }

  /** @param {number} maxLen */
  #blob(maxLen) {
    const { bits } = this;
    const length = bits.readGolomb(chunk.BLOB_ORDER);
    if (length > maxLen || length > Math.floor(bits.remaining / 8)) {
      throw new BadChunk("out of range");
    }
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 1) {
      bytes[at] = bits.read(8);
    }
    return bytes;
  }

  /**
   * Reads the changes of a member in a delta, and keeps the hash.
   *
   * @param {number} place
   * @param {number} tick
   */
  #changes(place, tick) {
    const { bits, layout, table } = this;
    const { members, hash } = table;
    const kind = layout.kinds[members.kinds[place]];
    const entity = members.entity(place);
    const start = place * layout.laneStride;
    const low = bits.readWide(kind.fields);
    const { high } = bits;
    for (let index = 0; index < kind.laneCount; index += 1) {
      if (((index < 32 ? low >>> index : high >>> (index - 32)) & 1) === 0) {
        continue;
      }
      const rate = kind.rates[index];
      if (rate !== 0) {
        const before = this.#lineChange(kind, index, start, tick);
        const after = linear.content(members.lanes[start + index], members.lanes[start + rate]);
        hash.changeField(entity, index, before, after);
        continue;
      }
      const width = kind.bits[index];
      const coded = width > 1 ? bits.readGolomb(kind.golomb[index]) : 0;
      const old = members.lanes[start + index];
      const code = chunk.undoDifference(width, old, coded);
      members.lanes[start + index] = code;
      hash.changeField(entity, index, old, code);
    }
    for (let index = 0; index < kind.blobCount; index += 1) {
      const field = kind.laneCount + index;
      if (((field < 32 ? low >>> field : high >>> (field - 32)) & 1) === 1) {
        const at = place * layout.blobStride + index;
        const bytes = this.#blob(kind.maxLen[index]);
        hash.changeField(entity, field, blobContent(members.blobs[at]), blobContent(bytes));
        members.blobs[at] = bytes;
      }
    }
  }

  /**
   * Reads the changes of a member in a catch-up.
   *
   * @param {number} place
   */
  #absoluteChanges(place) {
    const { bits, layout, table } = this;
    const { members } = table;
    const kind = layout.kinds[members.kinds[place]];
    const low = bits.readWide(kind.fields);
    const { high } = bits;
    for (let index = 0; index < kind.fields; index += 1) {
      if (((index < 32 ? low >>> index : high >>> (index - 32)) & 1) === 0) {
        continue;
      }
      if (index < kind.laneCount) {
        this.#absolute(kind, index, members.lanes, place * layout.laneStride);
      } else {
        const blob = index - kind.laneCount;
        members.blobs[place * layout.blobStride + blob] = this.#blob(kind.maxLen[blob]);
      }
    }
  }

  /** Takes members out by their places and new ones in by their slots; a new one replaces whoever holds its slot. */
  #merge() {
    const { table, arrivals, gone } = this;
    const old = table.members;
    const now = this.spare;
    now.clear();
    let nextGone = 0;
    let nextArrival = 0;
    for (let place = 0; place < old.count; place += 1) {
      const slot = old.slots[place];
      let leaves = nextGone < gone.length && gone[nextGone] === place;
      nextGone += leaves ? 1 : 0;
      while (nextArrival < arrivals.count && arrivals.slots[nextArrival] <= slot) {
        leaves ||= arrivals.slots[nextArrival] === slot;
        this.#arrive(now, nextArrival);
        nextArrival += 1;
      }
      if (leaves) {
        this.#addMember(term, old, place);
        table.hash.subtract(term);
      } else {
        now.pushFrom(old, place);
      }
    }
    for (; nextArrival < arrivals.count; nextArrival += 1) {
      this.#arrive(now, nextArrival);
    }
    table.members = now;
    this.spare = old;
  }

  /**
   * @param {Members} now
   * @param {number} place
   */
  #arrive(now, place) {
    now.pushFrom(this.arrivals, place);
    this.#addMember(term, this.arrivals, place);
    this.table.hash.add(term);
  }

  #rehash() {
    const { hash, members } = this.table;
    hash.clear();
    for (let place = 0; place < members.count; place += 1) {
      this.#addMember(term, members, place);
      hash.add(term);
    }
  }

  /**
   * Makes `out` the hash of one member.
   *
   * @param {StateHash} out
   * @param {Members} members
   * @param {number} place
   */
  #addMember(out, members, place) {
    const { layout } = this;
    const kind = layout.kinds[members.kinds[place]];
    const entity = members.entity(place);
    const lanes = place * layout.laneStride;
    out.clear();
    out.addMember(entity, members.kinds[place]);
    for (let index = 0; index < kind.laneCount; index += 1) {
      const code = members.lanes[lanes + index];
      const rate = kind.rates[index];
      out.addField(entity, index, rate === 0 ? code : linear.content(code, members.lanes[lanes + rate]));
    }
    for (let index = 0; index < kind.blobCount; index += 1) {
      out.addField(entity, kind.laneCount + index, blobContent(members.blobs[place * layout.blobStride + index]));
    }
  }
}
