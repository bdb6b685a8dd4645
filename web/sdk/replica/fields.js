/** Reads members and their fields from chunks. As the last part of `shared/src/replica/table/decoder.rs`. */

import * as chunk from "../chunk.js";
import * as linear from "../linear.js";
import { BadChunk } from "./table.js";

/** @typedef {import("../bits.js").BitReader} BitReader */
/** @typedef {import("../layout.js").Layout} Layout */
/** @typedef {import("./members.js").Members} Members */

/**
 * Reads a whole lane into the codes of a member, which begin at `start`.
 *
 * @param {BitReader} bits
 * @param {import("../layout.js").KindLayout} kind
 * @param {number} index
 * @param {Uint32Array} codes
 * @param {number} start
 */
export function readLane(bits, kind, index, codes, start) {
  const width = kind.bits[index];
  const rate = kind.rates[index];
  const whole = kind.wholes[index];
  if (rate === 0) {
    codes[start + index] = whole === null ? bits.read(width) : bits.readPrefix(whole);
    return;
  }
  // Without a learned code a bit says whether there is a rate, which then follows the origin.
  const first = whole === null ? bits.read(1) : bits.readPrefix(whole);
  if (first === 0) {
    codes[start + index] = linear.still(bits.read(width));
    codes[start + rate] = 0;
    return;
  }
  codes[start + index] = bits.read(width + linear.FRACTION);
  const zigzag = whole === null ? bits.readGolomb(kind.golomb[index]) + 1 : first;
  codes[start + rate] = linear.wrap(width, chunk.undoZigzag(zigzag));
}

/**
 * Reads the change of a line in the delta of a tick. Returns the old line's term in the hash.
 *
 * @param {BitReader} bits
 * @param {import("../layout.js").KindLayout} kind
 * @param {number} index
 * @param {Uint32Array} codes
 * @param {number} start the start of the member's codes
 * @param {number} tick
 */
export function readLineChange(bits, kind, index, codes, start, tick) {
  const width = kind.bits[index];
  const [origin, rate] = [codes[start + index], codes[start + kind.rates[index]]];
  const [change, missed] = [kind.changes[index], kind.errors[index]];
  let newRate = rate;
  let error;
  if (change !== null) {
    newRate = linear.wrap(width, rate + chunk.undoZigzag(bits.readPrefix(change)));
    error = chunk.undoZigzag(missed === null ? bits.readGolomb(chunk.ERROR_ORDER) : bits.readPrefix(missed));
  } else if (bits.read(1) === 0) {
    error = chunk.undoZigzag(bits.readGolomb(chunk.ERROR_ORDER) + 1);
  } else {
    newRate = linear.wrap(width, rate + chunk.undoZigzag(bits.readGolomb(kind.golomb[index]) + 1));
    error = chunk.undoZigzag(bits.readGolomb(chunk.ERROR_ORDER));
  }
  const value = linear.valueAt(width, origin, rate, tick - 1) + error;
  codes[start + index] = linear.originOf(width, value, newRate, tick - 1);
  codes[start + kind.rates[index]] = newRate;
  return linear.content(origin, rate);
}

/**
 * @param {BitReader} bits
 * @param {number} maxLen
 */
export function readBlob(bits, maxLen) {
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
 * Appends the whole member of a slot to `out`.
 *
 * @param {BitReader} bits
 * @param {Layout} layout
 * @param {number} slot
 * @param {Members} out
 */
export function readWhole(bits, layout, slot, out) {
  const generation = bits.readGolomb(chunk.GENERATION_ORDER);
  if (generation > 0xffff) {
    throw new BadChunk("out of range");
  }
  const number = bits.read(layout.kindBits);
  const kind = layout.kinds[number];
  if (kind === undefined) {
    throw new BadChunk("out of range");
  }
  const place = out.push(slot, generation, number);
  const lanes = place * layout.laneStride;
  for (let index = 0; index < kind.laneCount; index += 1) {
    readLane(bits, kind, index, out.lanes, lanes);
  }
  for (let index = 0; index < kind.blobCount; index += 1) {
    out.blobs[place * layout.blobStride + index] = readBlob(bits, kind.maxLen[index]);
  }
}

/**
 * Reads the changes of a member in a catch-up.
 *
 * @param {BitReader} bits
 * @param {Layout} layout
 * @param {Members} members
 * @param {number} place
 */
export function readChangesSince(bits, layout, members, place) {
  const kind = layout.kinds[members.kinds[place]];
  const low = bits.readWide(kind.fields);
  const { high } = bits;
  for (let index = 0; index < kind.fields; index += 1) {
    if (((index < 32 ? low >>> index : high >>> (index - 32)) & 1) === 0) {
      continue;
    }
    if (index < kind.laneCount) {
      readLane(bits, kind, index, members.lanes, place * layout.laneStride);
    } else {
      const blob = index - kind.laneCount;
      members.blobs[place * layout.blobStride + blob] = readBlob(bits, kind.maxLen[blob]);
    }
  }
}
