/**
 * Reads chunks into tables: all three forms, and members that move between tables within a frame. As
 * `shared/src/replica/table/decoder.rs`.
 */

import { BadBits, BitReader } from "../bits.js";
import * as chunk from "../chunk.js";
import { StateHash, blobContent } from "../hash.js";
import * as linear from "../linear.js";
import { readBlob, readChangesSince, readLineChange, readWhole } from "./fields.js";
import { Gone } from "./gone.js";
import { Members } from "./members.js";
import { BadChunk, Table } from "./table.js";

/** @typedef {import("../layout.js").Layout} Layout */

/** The minimum number of bits of a move: its gap, and whether anything has changed. */
const MOVE_BITS = 4;

/** The minimum number of bits of a member in a list of whole ones: its gap and its generation. */
const WHOLE_BITS = 6;

const term = new StateHash();

/**
 * Applies chunks to tables. One decoder serves all tables of a replica; its fields are working memory.
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
    /** @type {number[]} The places of members that leave. */
    this.leaving = [];
    this.gone = new Gone(layout);
    /** @type {Map<number, Table>} The tables from before the frame that have not changed, by group. */
    this.others = new Map();
    this.group = 0;
  }

  /**
   * Begins a frame, whose chunks may refer to these tables as they are now.
   *
   * @param {Iterable<{ id: number, table: Table }>} tables
   */
  begin(tables) {
    this.gone.clear();
    this.others.clear();
    for (const { id, table } of tables) {
      this.others.set(id, table);
    }
  }

  /**
   * Applies the chunk at `start` and returns its end. `fresh` is the last tick whose state the table is known to equal.
   * After an error the table is of no use except for a snapshot.
   *
   * @param {Table} table
   * @param {Uint8Array} bytes
   * @param {number} start
   * @param {number} tick
   * @param {number} fresh
   * @param {number} [group] of the table
   */
  apply(table, bytes, start, tick, fresh, group = 0) {
    this.table = table;
    this.group = group;
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
    if (this.others.get(group) === table) {
      this.others.delete(group);
    }
    return this.bits.byteOffset;
  }

  /** @param {number} tick */
  #delta(tick) {
    const { bits, table, leaving, arrivals } = this;
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
    leaving.length = 0;
    for (let index = 0, next = 0; index < departed; index += 1) {
      const place = this.#place(next, chunk.DEPARTED_GAP_ORDER);
      leaving.push(place);
      next = place + 1;
    }
    arrivals.clear();
    this.#wholes(chunk.ARRIVED_ORDER);
    const sources = this.#count(chunk.SOURCES_ORDER, 1);
    if (sources > 0) {
      this.#sources(sources, tick);
    }
    if (departed > 0 || arrivals.count > 0) {
      this.#merge();
    }
    table.version = tick;
  }

  /**
   * Reads arrivals from other groups.
   *
   * @param {number} sources
   * @param {number} tick
   */
  #sources(sources, tick) {
    const { bits, arrivals } = this;
    for (let index = 0; index < sources; index += 1) {
      bits.align();
      if (bits.read(1) === 1) {
        this.#wholes(chunk.ARRIVED_ORDER);
      } else {
        this.#moves(tick);
      }
    }
    arrivals.sort();
    for (let place = 1; place < arrivals.count; place += 1) {
      if (arrivals.slots[place] === arrivals.slots[place - 1]) {
        throw new BadChunk("out of range");
      }
    }
  }

  /** @param {number} tick */
  #moves(tick) {
    const { bits, arrivals } = this;
    const distance = (bits.readGolomb(chunk.FROM_ORDER) + 1) >>> 0;
    const from = (this.group + chunk.undoZigzag(distance)) >>> 0;
    const base = tick - bits.readGolomb(0) - 1;
    if (base < 0) {
      throw new BadChunk("out of range");
    }
    const count = this.#count(chunk.ARRIVED_ORDER, MOVE_BITS);
    for (let index = 0, next = 0; index < count; index += 1) {
      const place = next + bits.readGolomb(chunk.DEPARTED_GAP_ORDER);
      next = place + 1;
      if (next > 0xffffffff) {
        throw new BadChunk("out of range");
      }
      this.#resolve(from, base, place);
      if (bits.read(1) === 1) {
        this.#changed(tick);
      }
    }
    return arrivals;
  }

  /**
   * Appends a member of another group, as it was before this frame, to `arrivals`.
   *
   * @param {number} from
   * @param {number} base
   * @param {number} place
   */
  #resolve(from, base, place) {
    const left = this.gone.groups.get(from);
    const gone = left?.base === base ? left.places.get(place) : undefined;
    if (gone !== undefined) {
      this.arrivals.pushFrom(this.gone.members, gone);
      return;
    }
    const table = this.others.get(from);
    if (table === undefined || table === this.table || table.version !== base || base === 0) {
      throw new BadChunk("wrong base");
    }
    if (place >= table.members.count) {
      throw new BadChunk("out of range");
    }
    this.arrivals.pushFrom(table.members, place);
  }

  /**
   * Reads the changes of the last arrival, which is at the end of the table for that moment.
   *
   * @param {number} tick
   */
  #changed(tick) {
    const { table, arrivals } = this;
    const { members, hash } = table;
    const { a, b } = hash;
    const last = arrivals.count - 1;
    const place = members.pushFrom(arrivals, last);
    this.#changes(place, tick);
    arrivals.truncate(last);
    arrivals.pushFrom(members, place);
    members.truncate(place);
    hash.a = a;
    hash.b = b;
  }

  #snapshot() {
    const { bits, table } = this;
    const version = bits.read(32);
    this.arrivals.clear();
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
        readWhole(bits, this.layout, slot, now);
        continue;
      }
      place = old.find(slot, place);
      if (place === old.count || old.slots[place] !== slot) {
        throw new BadChunk("out of range");
      }
      readChangesSince(bits, this.layout, now, now.pushFrom(old, place));
    }
    this.#rehash();
  }

  /**
   * Reads a place in the member list, by its distance from `next`.
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
   * Reads a number of items that take at least `bitsEach` bits.
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
   * Appends a list of whole members to `arrivals`.
   *
   * @param {number} order
   */
  #wholes(order) {
    const { arrivals, bits } = this;
    const count = this.#count(order, WHOLE_BITS);
    if (count > 0) {
      const gapOrder = bits.read(chunk.ORDER_BITS);
      for (let index = 0, next = 0; index < count; index += 1) {
        const slot = this.#slot(next, gapOrder);
        next = slot + 1;
        readWhole(bits, this.layout, slot, arrivals);
      }
    }
  }

  /**
   * Reads the changes of a member in a delta, and updates the hash.
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
    const low = kind.mask === null ? bits.readWide(kind.fields) : bits.readPrefix(kind.mask);
    const high = kind.mask === null ? bits.high : 0;
    for (let index = 0; index < kind.laneCount; index += 1) {
      if (((index < 32 ? low >>> index : high >>> (index - 32)) & 1) === 0) {
        continue;
      }
      const rate = kind.rates[index];
      if (rate !== 0) {
        const before = readLineChange(bits, kind, index, members.lanes, start, tick);
        const after = linear.content(members.lanes[start + index], members.lanes[start + rate]);
        hash.changeField(entity, index, before, after);
        continue;
      }
      const width = kind.bits[index];
      const change = kind.changes[index];
      const coded = width < 2 ? 0 : change === null ? bits.readGolomb(kind.golomb[index]) : bits.readPrefix(change);
      const old = members.lanes[start + index];
      const code = chunk.undoDifference(width, old, coded);
      members.lanes[start + index] = code;
      hash.changeField(entity, index, old, code);
    }
    for (let index = 0; index < kind.blobCount; index += 1) {
      const field = kind.laneCount + index;
      if (((field < 32 ? low >>> field : high >>> (field - 32)) & 1) === 1) {
        const at = place * layout.blobStride + index;
        const bytes = readBlob(bits, kind.maxLen[index]);
        hash.changeField(entity, field, blobContent(members.blobs[at]), blobContent(bytes));
        members.blobs[at] = bytes;
      }
    }
  }

  /** Removes members by their places and adds new ones by their slots; a new one replaces the owner of its slot. */
  #merge() {
    const { table, arrivals, leaving } = this;
    const old = table.members;
    const now = this.spare;
    now.clear();
    let nextGone = 0;
    let nextArrival = 0;
    for (let place = 0; place < old.count; place += 1) {
      const slot = old.slots[place];
      let leaves = nextGone < leaving.length && leaving[nextGone] === place;
      nextGone += leaves ? 1 : 0;
      while (nextArrival < arrivals.count && arrivals.slots[nextArrival] <= slot) {
        leaves ||= arrivals.slots[nextArrival] === slot;
        this.#arrive(now, nextArrival);
        nextArrival += 1;
      }
      if (leaves) {
        old.hash(term, this.layout, place);
        table.hash.subtract(term);
        this.gone.push(this.group, table.version, old, place);
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
    this.arrivals.hash(term, this.layout, place);
    this.table.hash.add(term);
  }

  #rehash() {
    const { hash, members } = this.table;
    hash.clear();
    for (let place = 0; place < members.count; place += 1) {
      members.hash(term, this.layout, place);
      hash.add(term);
    }
  }
}
