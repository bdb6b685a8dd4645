/** A server of a later version: what it says beyond this one is passed over, and frames in pieces become whole. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { CODES, CONTROL, PIECE, codeOfClose, decodeControl, isFinal, limits, serverMessage } from "../sdk/protocol.js";
import { CodecError } from "../sdk/protocol/codec.js";
import { Pieces } from "../sdk/pieces.js";
import { encode } from "../sdk/wire.js";

/** @param {any} message */
function control(message) {
  return [CONTROL, ...encode(serverMessage, message)];
}

/**
 * @param {number} epoch
 * @param {number} number
 * @param {boolean} last
 * @param {number[]} bytes
 */
function piece(epoch, number, last, bytes) {
  return Uint8Array.of(PIECE, epoch, number, Number(last), ...bytes);
}

test("a code of a later version is kept as a number, and one tries again after it", () => {
  const refused = { request: 7, code: 300, message: "", retry_after_ms: 5 };
  assert.deepEqual(decodeControl(Uint8Array.from(control({ Refused: refused }))), { Refused: refused });
  assert.equal(codeOfClose(4300), 300);
  assert.equal(isFinal(300), false);
  assert.equal(codeOfClose(1006), undefined);
});

test("only the codes that may pass by themselves are tried again", () => {
  const passing = CODES.filter((code) => !isFinal(code));
  const expected = ["TooFast", "HelloTimeout", "ServerFull", "TooManyEarly", "TooLate", "StaleEpoch"];
  assert.deepEqual(passing, [...expected, "Unresponsive", "Stopping", "Internal", "Flooding"]);
});

test("fields that a later version adds at the end of a message are passed over", () => {
  const goodbye = { code: "Finished", message: "over", frames: 9, retry_within_ms: 0 };
  const longer = Uint8Array.from([...control({ Goodbye: goodbye }), 1, 2, 3]);
  assert.deepEqual(decodeControl(longer), { Goodbye: goodbye });
});

test("a message of a later version is passed over, one that is cut is not", () => {
  assert.equal(decodeControl(Uint8Array.of(CONTROL, 200, 1, 2, 3)), null);
  assert.equal(decodeControl(Uint8Array.of(CONTROL, 7, 99)), null, "a search state of a later version");
  assert.throws(() => decodeControl(Uint8Array.of(CONTROL, 12)), CodecError);
});

test("the pieces of a frame become whole with the last one", () => {
  const pieces = new Pieces();
  assert.equal(pieces.take(piece(1, 0, false, [0, 1]), 1), null);
  assert.equal(pieces.pending, true);
  assert.deepEqual(pieces.take(piece(1, 1, true, [2, 3]), 1), Uint8Array.of(0, 1, 2, 3));
  assert.equal(pieces.pending, false);
});

test("a piece that is skipped, that comes twice, or that is of a later epoch, is an error", () => {
  for (const bad of [piece(1, 2, true, [9]), piece(1, 0, false, [9]), piece(2, 1, true, [9]), piece(1, 1, false, [])]) {
    const pieces = new Pieces();
    pieces.take(piece(1, 0, false, [0]), 1);
    assert.throws(() => pieces.take(bad, 1), { reason: "out of range" });
    assert.equal(pieces.pending, false, "what had come is forgotten");
  }
});

test("pieces of an epoch that is over are dropped without harm", () => {
  const pieces = new Pieces();
  pieces.take(piece(3, 0, false, [0]), 3);
  assert.equal(pieces.take(piece(2, 7, true, [9]), 3), null);
  assert.deepEqual(pieces.take(piece(3, 1, true, [1]), 3), Uint8Array.of(0, 1));
});

test("pieces that never end are given up before they fill the memory", () => {
  const pieces = new Pieces();
  const part = new Uint8Array(3 + 1 + 256 * 1024);
  part[0] = PIECE;
  part[1] = 1;
  assert.throws(() => {
    for (let number = 0; number < 100; number += 1) {
      part[2] = number;
      pieces.take(part, 1);
    }
  }, { reason: "out of range" });
  assert.ok(limits.CHUNK_BYTES + limits.FRAME_BYTES < 5 * 256 * 1024);
});
