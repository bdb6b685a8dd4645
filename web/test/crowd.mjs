/**
 * Frames of a busy view, for measuring: fighters that walk and turn in 7 x 7 groups. A small encoder of its own,
 * checked by the replica through the hash in every frame.
 */

import { StateHash, blobContent } from "../sdk/hash.js";

const SIZE = 896;
const CELLS = 7;
const CELL = SIZE / CELLS;

/** The lanes of the arena's fighters. */
export const schema = {
  kinds: [
    {
      name: "Fighter",
      lanes: [
        lane("x", { type: "fixed", min: 0, step: 1 / 16, max: 32768 }, 7),
        lane("y", { type: "fixed", min: 0, step: 1 / 16, max: 32768 }, 7),
        lane("aim", { type: "angle", bits: 8 }, 3),
        lane("hp", { type: "int", min: 0, max: 100 }, 1),
        lane("safe", { type: "bool" }, 0),
        lane("score", { type: "int", min: 0, max: 65535 }, 4),
        { ...lane("returns", { type: "int", min: 0, max: 255 }, 2), teleport: true },
        lane("owner", { type: "int", min: 0, max: 0xffffffff }, 8),
      ],
      blobs: [{ name: "name", max_len: 24, text: true }],
    },
  ],
};

/** Bits of each lane. */
const BITS = [16, 16, 8, 7, 1, 16, 8, 32];
const GOLOMB = [7, 7, 3, 1, 0, 4, 2, 8];

/**
 * @param {string} name
 * @param {any} quantizer
 * @param {number} k
 */
function lane(name, quantizer, k) {
  return { name, quantizer, teleport: false, coding: { golomb: { k } } };
}

/** Bits into bytes, as `shared/src/bits.rs`. */
class BitWriter {
  /** @param {number[]} out */
  constructor(out) {
    this.out = out;
    this.count = 0;
  }

  /**
   * @param {number} value
   * @param {number} bits
   */
  write(value, bits) {
    for (let bit = 0; bit < bits; bit += 1) {
      if ((this.count & 7) === 0) {
        this.out.push(0);
      }
      this.out[this.out.length - 1] |= ((value >>> bit) & 1) << (this.count & 7);
      this.count += 1;
    }
  }

  /**
   * @param {number} value
   * @param {number} k
   */
  golomb(value, k) {
    const quotient = (value >>> k) + 1;
    const extra = 31 - Math.clz32(quotient);
    this.write(0, extra);
    this.write(1, 1);
    this.write(quotient, extra);
    this.write(value, k);
  }
}

/** A fighter: its slot, group, codes, and those of the frame before. */
class Fighter {
  /**
   * @param {number} slot
   * @param {() => number} random
   */
  constructor(slot, random) {
    this.slot = slot;
    this.lanes = [random() * SIZE * 16, random() * SIZE * 16, random() * 256, 100, 0, 3, 0, slot].map(Math.floor);
    this.name = new TextEncoder().encode(`fighter ${slot}`);
    this.heading = random() * 6.3;
    this.old = this.lanes.slice();
    this.group = this.cell();
    this.was = this.group;
  }

  cell() {
    const at = (/** @type {number} */ code) => Math.min(Math.floor(code / 16 / CELL), CELLS - 1);
    return at(this.lanes[1]) * CELLS + at(this.lanes[0]);
  }

  /** @param {() => number} random */
  step(random) {
    this.old = this.lanes.slice();
    this.was = this.group;
    if (random() < 0.25) {
      return;
    }
    if (random() < 0.1) {
      this.heading = random() * 6.3;
    }
    const move = (/** @type {number} */ code, /** @type {number} */ by) =>
      Math.min(Math.max(code + Math.round(by * 160), 0), SIZE * 16 - 1);
    this.lanes[0] = move(this.lanes[0], Math.cos(this.heading));
    this.lanes[1] = move(this.lanes[1], Math.sin(this.heading));
    this.lanes[2] = (this.lanes[2] + Math.floor(random() * 7) + 253) & 255;
    this.group = this.cell();
  }

  hash() {
    const hash = new StateHash();
    hash.addMember(this.slot, 0);
    this.lanes.forEach((code, index) => hash.addField(this.slot, index, code));
    hash.addField(this.slot, this.lanes.length, blobContent(this.name));
    return hash;
  }
}

/**
 * The frames of so many ticks, a start and then deltas.
 *
 * @param {number} entities
 * @param {number} frames
 * @returns {Uint8Array[]}
 */
export function crowd(entities, frames) {
  const random = generator(7);
  const fighters = Array.from({ length: entities }, (_, slot) => new Fighter(slot, random));
  const versions = new Array(CELLS * CELLS).fill(0);
  return Array.from({ length: frames }, (_, index) => {
    const tick = 100 + index;
    if (index > 0) {
      fighters.forEach((fighter) => fighter.step(random));
    }
    return frame(fighters, versions, tick, index === 0);
  });
}

/**
 * @param {Fighter[]} fighters
 * @param {number[]} versions
 * @param {number} tick
 * @param {boolean} start
 */
function frame(fighters, versions, tick, start) {
  const groups = versions.map((_, group) => group);
  const members = groups.map((group) => fighters.filter((fighter) => fighter.group === group));
  const before = groups.map((group) => (start ? [] : fighters.filter((fighter) => fighter.was === group)));
  const isNew = (/** @type {Fighter} */ fighter) => start || fighter.was !== fighter.group;
  const hasChanged = (/** @type {Fighter} */ fighter) => fighter.lanes.some((code, lane) => code !== fighter.old[lane]);
  /** @type {number[]} */
  const chunks = [];
  const bits = groups.map((group) => {
    const changed = before[group].filter((fighter) => fighter.group === group && hasChanged(fighter));
    const departed = before[group].filter((fighter) => fighter.group !== group);
    const arrived = members[group].filter(isNew);
    if (changed.length + departed.length + arrived.length === 0) {
      return false;
    }
    const writer = new BitWriter(chunks);
    if (start) {
      writer.write(3, 2);
      writer.write(tick, 32);
      writer.golomb(arrived.length, 4);
    } else {
      writer.write(0, 1);
      writer.golomb(tick - versions[group] - 1, 0);
      writer.golomb(changed.length, 1);
      writer.write(0, changed.length > 0 ? 4 : 0);
      places(writer, before[group], changed, 0, (fighter) => changes(writer, fighter));
      writer.golomb(departed.length, 0);
      places(writer, before[group], departed, 2, () => {});
      writer.golomb(arrived.length, 0);
    }
    slots(writer, arrived);
    if (!start) {
      // Nobody comes as a move.
      writer.golomb(0, 0);
    }
    versions[group] = tick;
    return true;
  });
  const hash = new StateHash();
  groups.forEach((group) => {
    const sum = new StateHash();
    members[group].forEach((fighter) => sum.add(fighter.hash()));
    hash.addInView(sum, group, versions[group]);
  });
  const counter = start ? word(tick) : word(tick).slice(0, 2);
  const head = [0, start ? 1 + 16 : 16, 1, ...counter, ...word(hash.first), ...word(hash.second)];
  const view = start ? [groups.length, ...groups.map(() => 0)] : [];
  return Uint8Array.from([...head, start ? 5 : 4, ...view, ...bitList(bits), ...chunks]);
}

/**
 * @param {BitWriter} writer
 * @param {Fighter[]} list
 * @param {Fighter[]} some
 * @param {number} order of the gaps
 * @param {(fighter: Fighter) => void} each
 */
function places(writer, list, some, order, each) {
  let next = 0;
  for (const fighter of some) {
    const place = list.indexOf(fighter);
    writer.golomb(place - next, order);
    next = place + 1;
    each(fighter);
  }
}

/**
 * @param {BitWriter} writer
 * @param {Fighter[]} arrived
 */
function slots(writer, arrived) {
  if (arrived.length > 0) {
    writer.write(4, 4);
  }
  let next = 0;
  for (const fighter of arrived) {
    writer.golomb(fighter.slot - next, 4);
    next = fighter.slot + 1;
    writer.golomb(0, 4);
    fighter.lanes.forEach((code, lane) => writer.write(code, BITS[lane]));
    writer.golomb(fighter.name.length, 4);
    fighter.name.forEach((byte) => writer.write(byte, 8));
  }
}

/**
 * @param {BitWriter} writer
 * @param {Fighter} fighter
 */
function changes(writer, fighter) {
  const changed = fighter.lanes.map((code, lane) => code !== fighter.old[lane]);
  changed.forEach((is) => writer.write(is ? 1 : 0, 1));
  writer.write(0, 1);
  fighter.lanes.forEach((code, lane) => {
    if (changed[lane] && BITS[lane] > 1) {
      const shift = 32 - BITS[lane];
      const difference = ((code - fighter.old[lane]) << shift) >> shift;
      writer.golomb((((difference << 1) ^ (difference >> 31)) >>> 0) - 1, GOLOMB[lane]);
    }
  });
}

/** @param {number} value */
function word(value) {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
}

/** @param {boolean[]} bits */
function bitList(bits) {
  const bytes = new Array((bits.length + 7) >> 3).fill(0);
  bits.forEach((bit, at) => (bytes[at >> 3] |= Number(bit) << (at & 7)));
  return bytes;
}

/**
 * Numbers from 0 up to 1, the same for the same seed (Park and Miller, 1988).
 *
 * @param {number} seed
 */
export function generator(seed) {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}
