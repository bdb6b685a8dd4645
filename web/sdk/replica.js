/**
 * The client's mirror of a world: one table per group of its view, each at its own version, checked by hash. As
 * `shared/src/replica.rs`.
 *
 * A replica takes frames and makes reports; sockets, clocks and drawing are handled elsewhere. After any error its
 * state cannot be trusted: ask for everything anew with `resync(true)`.
 */

import { BadFrame, Cursor, partFlags, readEpoch, readHead } from "./frame.js";
import { StateHash } from "./hash.js";
import { Layout } from "./layout.js";
import { ChunkDecoder } from "./replica/decoder.js";
import { Seen } from "./replica/seen.js";
import { BadChunk } from "./replica/table.js";
import { Restore } from "./replicate.js";

/** @typedef {import("./frame.js").Head} Head */
/** @typedef {import("./replicate.js").Fields} Fields */
/** @typedef {import("./schema.js").EntitySchema} EntitySchema */

/** @typedef {import("./replica/table.js").Table} Table */

/** Why a frame could not be applied, beside `BadFrame` and `BadChunk`. */
export class ReplicaError extends Error {
  /** @param {"hash mismatch" | "no start"} reason */
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * An entity that a replica shows.
 *
 * @typedef {object} Shown
 * @property {number} slot
 * @property {number} generation the low 16 bits
 * @property {string} kind the name of its kind
 * @property {number} group the group it is shown from
 * @property {Fields | null} fields `null` if they have no meaning
 */

/** A client's view of a room. */
export class Replica {
  /** @type {Seen[]} */
  #view = [];
  /** @type {Seen | null} */
  #own = null;
  #started = false;
  /** The tick of the last head read, applied or not: shortened ticks count from it. */
  #lastHead = 0;
  #sent = 0;
  #consumed = 0;
  /** @type {{ number: number, bytes: Uint8Array }[]} */
  #events = [];
  /** @type {ChunkDecoder} */
  #decoder;
  /** The group that shows each slot, while that is ambiguous: its version and id. */
  #newest = new Map();

  /**
   * An empty replica that waits for the first frame of `epoch`.
   *
   * @param {EntitySchema} schema
   * @param {number} epoch
   */
  constructor(schema, epoch) {
    /** The widths and codings of the kinds. */
    this.layout = new Layout(schema);
    /** Restores fields from codes, by kind. */
    this.restores = schema.kinds.map((kind, number) => new Restore(kind, this.layout.kinds[number]));
    /** The epoch that is being applied or waited for. */
    this.epoch = epoch;
    /** @type {number | null} The tick of the last applied frame. */
    this.tick = null;
    /** The number of frames that reported dropped events. */
    this.eventsLost = 0;
    this.#decoder = new ChunkDecoder(this.layout);
  }

  /**
   * Applies a whole frame message. Returns its head, or `null` if it belongs to an epoch before the one asked for and
   * was dropped.
   *
   * @param {Uint8Array} bytes
   * @returns {Head | null}
   * @throws {BadFrame | BadChunk | ReplicaError} if it cannot be applied or leads to another state than the server's
   */
  apply(bytes) {
    const epoch = readEpoch(bytes);
    if (epoch < this.epoch) {
      return null;
    }
    if (epoch > this.epoch) {
      throw new BadFrame("out of range");
    }
    const cursor = new Cursor(bytes);
    const head = readHead(cursor, this.#lastHead, this.#sent);
    this.#lastHead = head.tick;
    if (!head.start && !this.#started) {
      throw new ReplicaError("no start");
    }
    this.#started = true;
    const fresh = this.tick ?? 0;
    /** @type {{ number: number, bytes: Uint8Array }[]} */
    const events = [];
    this.#applyBody(cursor, head, fresh, events);
    if (head.own) {
      this.#applyOwn(cursor, head, fresh, events);
    } else if (head.start) {
      this.#own = null;
    }
    if (cursor.left > 0) {
      throw new BadFrame("trailing");
    }
    this.tick = head.tick;
    this.#takeEvents(events);
    if (head.hash !== null) {
      const hash = this.hash();
      if (hash.first !== head.hash[0] || hash.second !== head.hash[1]) {
        throw new ReplicaError("hash mismatch");
      }
    }
    return head;
  }

  /**
   * @param {Cursor} cursor
   * @param {Head} head
   * @param {number} fresh
   * @param {{ number: number, bytes: Uint8Array }[]} events
   */
  #applyBody(cursor, head, fresh, events) {
    const flags = cursor.flags(partFlags.BODY);
    if (!head.start) {
      this.#decoder.begin(this.#view);
    }
    if (flags & partFlags.VIEW) {
      this.#changeView(cursor, head.start);
    } else if (head.start) {
      throw new ReplicaError("no start");
    }
    const view = this.#view;
    if (head.start) {
      this.#decoder.begin(view);
    }
    const behind = flags & partFlags.BEHIND ? cursor.bitList(view.length) : -1;
    const chunks = flags & partFlags.CHUNKS ? cursor.bitList(view.length) : -1;
    for (let place = 0; place < view.length; place += 1) {
      const chunk = chunks >= 0 && cursor.bit(chunks, place);
      if (chunk) {
        view[place].applyChunk(this.#decoder, cursor, head.tick, fresh);
      }
      view[place].markBehind(behind >= 0 && cursor.bit(behind, place), chunk, fresh, head.tick);
    }
    this.#readEvents(cursor, flags, events);
  }

  /**
   * @param {Cursor} cursor
   * @param {Head} head
   * @param {number} fresh
   * @param {{ number: number, bytes: Uint8Array }[]} events
   */
  #applyOwn(cursor, head, fresh, events) {
    const flags = cursor.flags(partFlags.OWN);
    this.#decoder.begin([]);
    if (flags & partFlags.GROUP) {
      const id = cursor.varintU32();
      if (this.#own?.id !== id) {
        this.#own = new Seen(id, this.layout);
      }
    } else if (head.start) {
      this.#own = null;
    }
    const chunk = (flags & partFlags.CHUNKS) !== 0;
    const behind = (flags & partFlags.BEHIND) !== 0;
    if (this.#own !== null) {
      if (chunk) {
        this.#own.applyChunk(this.#decoder, cursor, head.tick, fresh);
      }
      this.#own.markBehind(behind, chunk, fresh, head.tick);
    } else if (chunk || behind) {
      throw new BadFrame("out of range");
    }
    this.#readEvents(cursor, flags, events);
  }

  /**
   * @param {Cursor} cursor
   * @param {number} flags
   * @param {{ number: number, bytes: Uint8Array }[]} events
   */
  #readEvents(cursor, flags, events) {
    if (flags & partFlags.LOST) {
      this.eventsLost += 1;
    }
    if (flags & partFlags.EVENTS) {
      cursor.events(events);
    }
  }

  /**
   * @param {Cursor} cursor
   * @param {boolean} start
   */
  #changeView(cursor, start) {
    if (start) {
      const known = new Map(this.#view.map((seen) => [seen.id, seen]));
      this.#view = cursor.rising().map((id) => known.get(id) ?? new Seen(id, this.layout));
      return;
    }
    const view = this.#view;
    const removed = cursor.rising();
    if (removed.length > 0 && removed[removed.length - 1] >= view.length) {
      throw new BadFrame("out of range");
    }
    for (const place of removed.reverse()) {
      view.splice(place, 1);
    }
    let place = 0;
    for (const id of cursor.rising()) {
      while (place < view.length && view[place].id < id) {
        place += 1;
      }
      if (view[place]?.id === id) {
        throw new BadFrame("out of range");
      }
      view.splice(place, 0, new Seen(id, this.layout));
    }
  }

  /**
   * Merges shared and own events by their numbers and drops those consumed before a resync.
   *
   * @param {{ number: number, bytes: Uint8Array }[]} events
   */
  #takeEvents(events) {
    events.sort((a, b) => a.number - b.number);
    for (const event of events) {
      if (event.number > this.#consumed) {
        this.#consumed = event.number;
        this.#events.push(event);
      }
    }
  }

  /** The events since the last call, in order. */
  drainEvents() {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /**
   * The report for the server.
   *
   * @returns {import("./protocol.js").Report}
   */
  report() {
    return { epoch: this.epoch, applied: this.tick ?? 0, event: this.#consumed };
  }

  /**
   * Begins a new epoch and returns the message to send: frames of the old one are dropped from now on. With `anew`
   * everything is dropped and asked for again; otherwise the server continues from the present state.
   *
   * @param {boolean} anew
   * @returns {import("./protocol.js").Resync}
   */
  resync(anew) {
    this.epoch += 1;
    this.#started = false;
    if (anew) {
      this.tick = null;
      this.#view = [];
      this.#own = null;
    }
    return { epoch: this.epoch, applied: this.tick, event: this.#consumed };
  }

  /**
   * Notes the highest input number sent: shortened numbers in heads are counted from it.
   *
   * @param {number} number
   */
  sentInput(number) {
    this.#sent = number;
  }

  /** The hash of the state, without groups that are behind. */
  hash() {
    const hash = new StateHash();
    for (const { id, table, behind } of this.#all()) {
      if (behind === null) {
        hash.addInView(table.hash, id, table.version);
      }
    }
    return hash;
  }

  /** The own group, once it is known. */
  get ownGroup() {
    return this.#own?.id ?? null;
  }

  /**
   * The groups whose tables are current at the applied tick, rising, including the own one; at most `most`.
   *
   * @param {number} most
   */
  current(most) {
    const current = this.#all().filter(({ behind }) => behind === null);
    return current.map(({ id }) => id).sort((a, b) => a - b).slice(0, most);
  }

  /**
   * The tables in the order of their groups, the own group last, and whether each is behind.
   *
   * @returns {{ group: number, table: Table, behind: boolean }[]}
   */
  tables() {
    return this.#all().map(({ id, table, behind }) => ({ group: id, table, behind: behind !== null }));
  }

  /**
   * Calls `each` with every entity to show: its table, its place there, its group. While a group is behind, one slot
   * may be in two tables: the newer one shows it.
   *
   * @param {(table: Table, place: number, group: number) => void} each
   */
  visit(each) {
    const all = this.#all();
    const doubled = all.some(({ behind }) => behind !== null);
    if (doubled) {
      this.#findNewest(all);
    }
    for (const { id, table } of all) {
      const { members } = table;
      for (let place = 0; place < members.count; place += 1) {
        if (!doubled || this.#newest.get(members.slots[place]).id === id) {
          each(table, place, id);
        }
      }
    }
  }

  /** @param {Seen[]} all */
  #findNewest(all) {
    this.#newest.clear();
    for (const { id, table } of all) {
      for (let place = 0; place < table.members.count; place += 1) {
        const slot = table.members.slots[place];
        const held = this.#newest.get(slot);
        if (!held || held.version < table.version || (held.version === table.version && held.id < id)) {
          this.#newest.set(slot, { version: table.version, id });
        }
      }
    }
  }

  /**
   * All entities to show.
   *
   * @returns {Shown[]}
   */
  shown() {
    /** @type {Shown[]} */
    const shown = [];
    this.visit((table, place, group) => shown.push(this.entity(table, place, group)));
    return shown;
  }

  /**
   * The entity in a place of a table.
   *
   * @param {Table} table
   * @param {number} place
   * @param {number} group
   * @returns {Shown}
   */
  entity({ members, tick }, place, group) {
    const restore = this.restores[members.kinds[place]];
    const { laneStride, blobStride } = this.layout;
    return {
      slot: members.slots[place],
      generation: members.generations[place],
      kind: restore.name,
      group,
      fields: restore.restore(members, place * laneStride, place * blobStride, tick),
    };
  }

  #all() {
    return this.#own === null ? this.#view : [...this.#view, this.#own];
  }
}
