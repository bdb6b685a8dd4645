/**
 * The golden vectors of `shared/vectors`: the same files that the Rust tests build and run.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { BitReader } from "../sdk/bits.js";
import { Cursor, readHead } from "../sdk/frame.js";
import { StateHash, blobContent } from "../sdk/hash.js";
import { Layout } from "../sdk/layout.js";
import { CODES, VERSION, clientMessage, codeOfClose, serverMessage } from "../sdk/protocol.js";
import { decodeControl, encodeMessage } from "../sdk/protocol.js";
import { CodecError } from "../sdk/protocol/codec.js";
import { Pieces } from "../sdk/pieces.js";
import { Prefix } from "../sdk/prefix.js";
import { Replica } from "../sdk/replica.js";
import { ChunkDecoder } from "../sdk/replica/decoder.js";
import { Table } from "../sdk/replica/table.js";
import { quantize, quantizerBits, quantizerValue } from "../sdk/replicate/quantizer.js";
import { schemaHash } from "../sdk/schema.js";
import { decode, decodeMessage, encode } from "../sdk/wire.js";
import { hex, load, plain, replicaForm, tableForm, unhex } from "./vectors.js";

test("numbers: bits, Golomb codes, variable lengths", () => {
  const numbers = load("numbers.json");
  for (const run of numbers.bits) {
    const reader = new BitReader(unhex(run.hex));
    for (const [value, bits] of run.numbers) {
      assert.equal(reader.read(bits), value);
    }
    assert.ok(reader.remaining < 8);
  }
  for (const { k, value, bits } of numbers.golomb) {
    // At every offset within a byte, and with no byte behind it.
    for (let offset = 0; offset < 8; offset += 1) {
      const reader = new BitReader(packed("1".repeat(offset) + bits));
      reader.read(offset);
      assert.equal(reader.readGolomb(k), value, `${value} of order ${k} at bit ${offset}`);
      assert.equal(reader.position, offset + bits.length);
    }
  }
  for (const [value, bytes] of numbers.leb128) {
    assert.equal(new Cursor(unhex(bytes)).varint(), value);
  }
  for (const [list, bytes] of numbers.rising) {
    assert.deepEqual(new Cursor(unhex(bytes)).rising(), list);
  }
  for (const [text, hash] of numbers.schema_hash) {
    assert.equal(schemaHash(text).toString(16).padStart(16, "0"), hash);
  }
});

test("prefix: learned codes, and texts that are none", () => {
  const { codes, bad } = load("prefix.json");
  for (const { code, width, values } of codes) {
    const prefix = new Prefix(code, width);
    for (const [value, bits] of values) {
      for (let offset = 0; offset < 8; offset += 1) {
        const reader = new BitReader(packed("1".repeat(offset) + bits));
        reader.read(offset);
        assert.equal(reader.readPrefix(prefix), value, `${value} by ${code} at bit ${offset}`);
        assert.equal(reader.position, offset + bits.length);
      }
      if (bits.length > 8) {
        const early = new BitReader(packed(bits.slice(0, -8)));
        assert.throws(() => early.readPrefix(prefix), `${value} by ${code}, cut`);
      }
    }
  }
  for (const [text, reason] of bad) {
    assert.throws(() => new Prefix(text, 3), { reason }, text);
  }
});

test("numbers: terms of the hash", () => {
  const { hash } = load("numbers.json");
  const sum = (/** @type {(hash: StateHash) => void} */ add) => {
    const term = new StateHash();
    add(term);
    return [term.first, term.second];
  };
  for (const { slot, generation, index, content, term } of hash.field) {
    const entity = (generation << 16) | slot;
    assert.deepEqual(sum((out) => out.addField(entity, index, content)), term);
    assert.deepEqual(
      sum((out) => {
        out.addField(entity, index, 77);
        out.changeField(entity, index, 77, content);
      }),
      term,
    );
  }
  for (const { slot, generation, kind, term } of hash.member) {
    assert.deepEqual(sum((out) => out.addMember((generation << 16) | slot, kind)), term);
  }
  for (const [bytes, content] of hash.blob_content) {
    assert.equal(blobContent(unhex(bytes)), content);
  }
  for (const { hash: group, group: id, version, term } of hash.in_view) {
    assert.deepEqual(sum((out) => out.addInView(new StateHash(group[0], group[1]), id, version)), term);
  }
});

test("messages of both sides, and all codes", () => {
  const messages = load("messages.json");
  assert.equal(VERSION, messages.version);
  for (const { name, hex: bytes, value } of messages.client) {
    const message = decodeMessage(clientMessage, unhex(bytes));
    assert.deepEqual(plain(message), value, name);
    assert.equal(hex(encodeMessage(message)), bytes, name);
  }
  for (const { name, hex: bytes, value } of messages.server) {
    const message = decodeControl(unhex(bytes));
    assert.deepEqual(plain(message), value, name);
    assert.equal(`01${hex(encode(serverMessage, message))}`, bytes, name);
  }
  assert.deepEqual(messages.codes.map((/** @type {any[]} */ [, name]) => name), CODES);
  for (const [, name, closeCode] of messages.codes) {
    assert.equal(codeOfClose(closeCode), name);
  }
});

test("quantizers: values of codes, codes of values", () => {
  for (const { quantizer, bits, values, codes } of load("quantizers.json")) {
    assert.equal(quantizerBits(quantizer), bits);
    const value = quantizerValue(quantizer);
    for (const [code, shown] of values) {
      assert.deepEqual(value(code), shown, `code ${code} of ${JSON.stringify(quantizer)}`);
    }
    for (const [number, code] of codes) {
      assert.equal(quantize(quantizer, number), code, `${number} by ${JSON.stringify(quantizer)}`);
    }
  }
});

test("wire: values of every shape", () => {
  for (const { name, schema, values } of load("wire.json")) {
    for (const { hex: bytes, value } of values) {
      const decoded = decode(schema, unhex(bytes));
      assert.deepEqual(plain(decoded), value, name);
      assert.equal(hex(encode(schema, decoded)), bytes, name);
    }
  }
});

test("heads: all forms", () => {
  for (const { hex: bytes, last, sent, head } of load("heads.json")) {
    const cursor = new Cursor(unhex(bytes));
    assert.deepEqual(readHead(cursor, last, sent), head);
    assert.equal(cursor.left, 0);
  }
});

test("chunks: all forms", () => {
  for (const { schema, cases } of load("chunks.json")) {
    const layout = new Layout(schema);
    const decoder = new ChunkDecoder(layout);
    const table = new Table(layout);
    for (const { name, tick, before, hex: chunk, after } of cases) {
      if (before.version === 0) {
        Object.assign(table, new Table(layout));
      }
      assert.deepEqual(tableForm(layout, table), before, name);
      const bytes = unhex(chunk);
      assert.equal(decoder.apply(table, bytes, 0, tick, 0), bytes.length, name);
      assert.deepEqual(tableForm(layout, table), after, name);
    }
  }
});

test("frames: what a replica holds after each", () => {
  const { schema, sequences } = load("frames.json");
  for (const { name, steps } of sequences) {
    const [replica, pieces] = [new Replica(schema, 1), new Pieces()];
    for (const step of steps) {
      const outcome = run(replica, step, pieces);
      if (step.frame !== undefined) {
        const where = `${name}: ${step.about}`;
        assert.equal(outcome.result, step.result, where);
        if (step.result === "applied") {
          assert.deepEqual(outcome.head, step.head, where);
          assert.deepEqual(replicaForm(replica), step.state, where);
        }
      }
    }
  }
});

test("hostile frames give the expected error, or the expected state", () => {
  const { schema, sequences } = load("frames.json");
  for (const { name, step, hex: text, truncated, mutated } of load("hostile.json").frames) {
    const { steps } = sequences.find((/** @type {any} */ sequence) => sequence.name === name);
    const bytes = unhex(text);
    const outcome = (/** @type {Uint8Array} */ frame) => {
      const replica = new Replica(schema, 1);
      steps.slice(0, step).forEach((/** @type {any} */ before) => run(replica, before));
      const { result } = apply(replica, frame);
      const { epoch, applied, event } = replica.report();
      const hash = replica.hash();
      return result === "applied" || result === "stale"
        ? [result, epoch, applied, event, [hash.first, hash.second]]
        : result;
    };
    eachHostile(bytes, truncated, mutated, (frame, expected) => assert.deepEqual(outcome(frame), expected, hex(frame)));
  }
});

test("hostile messages give the expected error, or the expected value", () => {
  const hostile = load("hostile.json");
  const suites = [
    { schema: clientMessage, cases: hostile.client, read: decodeMessage },
    { schema: serverMessage, cases: hostile.server, read: decodeMessage },
    { ...hostile.inputs, read: decode },
  ];
  for (const { schema, cases, read } of suites) {
    for (const { name, hex: text, truncated, mutated } of cases) {
      eachHostile(unhex(text), truncated, mutated, (bytes, expected) =>
        assert.deepEqual(codecResult(schema, bytes, read), expected, `${name}: ${hex(bytes)}`),
      );
    }
  }
  for (const text of hostile.inputs.unbounded) {
    assert.equal(codecResult(hostile.inputs.schema, unhex(text)), "unbounded");
  }
});

/**
 * @param {Uint8Array} bytes
 * @param {[number, any][]} truncated
 * @param {[[number, number][], any][]} mutated
 * @param {(bytes: Uint8Array, expected: any) => void} each
 */
function eachHostile(bytes, truncated, mutated, each) {
  let end = 0;
  for (const [count, expected] of truncated) {
    for (let index = 0; index < count; index += 1) {
      each(bytes.subarray(0, end), expected);
      end += 1;
    }
  }
  assert.equal(end, bytes.length);
  for (const [flips, expected] of mutated) {
    const other = bytes.slice();
    flips.forEach(([place, flip]) => (other[place] ^= flip));
    each(other, expected);
  }
}

/**
 * @param {import("../sdk/wire.js").WireSchema} schema
 * @param {Uint8Array} bytes
 * @param {typeof decode} [read]
 */
function codecResult(schema, bytes, read = decode) {
  try {
    const again = hex(encode(schema, read(schema, bytes)));
    return again === hex(bytes) ? "ok" : ["ok", again];
  } catch (error) {
    assert.ok(error instanceof CodecError, String(error));
    return error.reason;
  }
}

/**
 * @param {Replica} replica
 * @param {any} step
 * @param {Pieces} [pieces]
 * @returns {{ head?: any, result?: string }}
 */
function run(replica, step, pieces = new Pieces()) {
  if (step.resync !== undefined) {
    pieces.clear();
    assert.deepEqual(replica.resync(step.anew), step.resync);
  } else if (step.sent !== undefined) {
    replica.sentInput(step.sent);
  } else {
    const start = unhex(step.frame);
    const bytes = new Uint8Array(start.length + (step.zeros ?? 0));
    bytes.set(start);
    return apply(replica, bytes, pieces);
  }
  return {};
}

/**
 * @param {Replica} replica
 * @param {Uint8Array} bytes
 * @param {Pieces} [pieces]
 */
function apply(replica, bytes, pieces = new Pieces()) {
  try {
    const whole = pieces.take(bytes, replica.epoch);
    if (whole === null) {
      return { result: "piece" };
    }
    const head = replica.apply(whole);
    return { head, result: head === null ? "stale" : "applied" };
  } catch (error) {
    assert.ok(error instanceof Error && "reason" in error, String(error));
    return { result: error.message };
  }
}

/**
 * Bytes of these bits, in the order in which they are written.
 *
 * @param {string} bits
 */
function packed(bits) {
  const bytes = new Uint8Array((bits.length + 7) >> 3);
  [...bits].forEach((bit, at) => (bytes[at >> 3] |= Number(bit) << (at & 7)));
  return bytes;
}
