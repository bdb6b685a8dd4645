/**
 * Inputs, events and configs: values to bytes and back, by their schema. As `shared/src/wire.rs`.
 *
 * Values have serde's JSON form: a struct is an object, a tuple an array, a struct of one nameless field that field,
 * one of no fields `null`. An enum's variant without fields is its name, others are `{ Name: fields }`. Options are the
 * value or `null` (`{ Some: value }` where the value itself may be `null`). Lists of bytes are `Uint8Array`, integers
 * of 64 bits `bigint`.
 */

import { codeOf, numberOf } from "./protocol/code.js";
import { CodecError, Reader, UnknownVariant, Writer } from "./protocol/codec.js";

/**
 * @typedef {{ type: "unit" }
 *   | { type: "bool" }
 *   | { type: "uint", bits: number }
 *   | { type: "int", bits: number }
 *   | { type: "float", bits: number }
 *   | { type: "text", max_len: number }
 *   | { type: "list", max_len: number, item: WireSchema }
 *   | { type: "array", len: number, item: WireSchema }
 *   | { type: "option", item: WireSchema }
 *   | { type: "struct", name: string, fields: WireField[] }
 *   | { type: "enum", name: string, variants: WireVariant[] }
 *   | { type: "counter" }
 *   | { type: "uuid" }
 *   | { type: "raw", len: number }
 *   | { type: "code" }} WireSchema the last four occur only in the protocol's own messages
 */

/** @typedef {{ name: string, schema: WireSchema }} WireField */
/** @typedef {{ name: string, fields: WireField[] }} WireVariant */

/** The number of items that a list may claim whatever the size of the message. */
const FREE_ITEMS = 256;

/**
 * Encodes a value.
 *
 * @param {WireSchema} schema
 * @param {any} value
 * @returns {Uint8Array}
 * @throws {CodecError} if the value does not fit its schema, or is beyond its bounds
 */
export function encode(schema, value) {
  const writer = new Writer();
  write(schema, value, writer, "value");
  return writer.finish();
}

/**
 * Decodes a value from all of the bytes.
 *
 * @param {WireSchema} schema
 * @param {Uint8Array} bytes
 * @returns {any}
 * @throws {CodecError} if they are not exactly one value, or it is beyond its bounds
 */
export function decode(schema, bytes) {
  const reader = new BoundedReader(bytes);
  const value = read(schema, reader);
  reader.finish();
  if (!reader.bounded) {
    throw new CodecError("unbounded");
  }
  return value;
}

/**
 * Decodes a message, which is an enum. Bytes after its last field are of a later version and are passed over.
 *
 * @param {WireSchema} schema
 * @param {Uint8Array} bytes
 * @returns {any}
 * @throws {UnknownVariant} if it is of a later version
 * @throws {CodecError} if it is invalid
 */
export function decodeMessage(schema, bytes) {
  const kind = new Reader(bytes).uint(32);
  if (schema.type === "enum" && kind >= schema.variants.length) {
    throw new UnknownVariant("unknown", `message ${kind}`);
  }
  return read(schema, new BoundedReader(bytes));
}

/** Invalid bytes matter more than values that are too large, so the latter are only noted at first. */
class BoundedReader extends Reader {
  bounded = true;
}

/**
 * @param {WireSchema} schema
 * @param {BoundedReader} reader
 * @returns {any}
 */
function read(schema, reader) {
  switch (schema.type) {
    case "unit":
      return null;
    case "bool":
      return reader.bool();
    case "uint":
      return schema.bits === 8 ? reader.u8() : schema.bits === 64 ? reader.uint64() : reader.uint(width(schema.bits));
    case "int":
      return schema.bits === 8 ? reader.i8() : schema.bits === 64 ? reader.int64() : reader.int(width(schema.bits));
    case "float": {
      const value = schema.bits === 32 ? reader.f32() : reader.f64();
      reader.bounded &&= Number.isFinite(value);
      return value;
    }
    case "text": {
      const value = reader.text();
      reader.bounded &&= byteLength(value) <= schema.max_len;
      return value;
    }
    case "list":
      return readList(schema, reader);
    case "array":
      return Array.from({ length: schema.len }, () => read(schema.item, reader));
    case "option": {
      const some = reader.bool();
      const value = some ? read(schema.item, reader) : null;
      return some && isNullable(schema.item) ? { Some: value } : value;
    }
    case "struct":
      return readFields(schema.fields, reader);
    case "enum": {
      const variant = schema.variants[reader.uint(32)];
      if (variant === undefined) {
        throw new UnknownVariant("malformed");
      }
      return variant.fields.length === 0 ? variant.name : { [variant.name]: readFields(variant.fields, reader) };
    }
    case "counter":
      return reader.counter();
    case "uuid":
      return readUuid(reader);
    case "raw": {
      const start = reader.take(schema.len);
      return reader.bytes.slice(start, start + schema.len);
    }
    case "code":
      return readCode(reader);
  }
}

/**
 * @param {{ max_len: number, item: WireSchema }} schema
 * @param {BoundedReader} reader
 */
function readList(schema, reader) {
  if (isByte(schema.item)) {
    const bytes = reader.byteList();
    reader.bounded &&= bytes.length <= schema.max_len;
    return bytes;
  }
  const length = reader.uint64();
  // Items such as `null` take no bytes, so that only their number tells that the list cannot be valid.
  if (length > Math.max(reader.bytes.length, FREE_ITEMS)) {
    throw new CodecError("malformed");
  }
  reader.bounded &&= length <= schema.max_len;
  const items = [];
  for (let index = 0; index < length; index += 1) {
    items.push(read(schema.item, reader));
  }
  return items;
}

/**
 * @param {WireField[]} fields
 * @param {BoundedReader} reader
 */
function readFields(fields, reader) {
  if (fields.length === 0) {
    return null;
  }
  if (fields[0].name === "0") {
    const items = fields.map((field) => read(field.schema, reader));
    return items.length === 1 ? items[0] : items;
  }
  /** @type {Record<string, any>} */
  const object = {};
  for (const { name, schema } of fields) {
    object[name] = read(schema, reader);
  }
  return object;
}

/**
 * @param {WireSchema} schema
 * @param {any} value
 * @param {Writer} writer
 * @param {string} where for the message of an error
 * @returns {void}
 */
function write(schema, value, writer, where) {
  switch (schema.type) {
    case "unit":
      return;
    case "bool":
      check(typeof value === "boolean", where, "true or false");
      return writer.u8(value ? 1 : 0);
    case "uint":
    case "int":
      return writeInteger(schema, value, writer, where);
    case "float":
      check(typeof value === "number" && Number.isFinite(value), where, "a finite number");
      if (schema.bits === 64) {
        return writer.f64(value);
      }
      check(Number.isFinite(Math.fround(value)), where, "a number of 32 bits");
      return writer.f32(value);
    case "text":
      check(typeof value === "string" && byteLength(value) <= schema.max_len, where, `at most ${schema.max_len} bytes`);
      return writer.text(value);
    case "list":
      check(value?.length <= schema.max_len, where, `a list of at most ${schema.max_len} items`);
      if (isByte(schema.item)) {
        return writer.byteList(value);
      }
      writer.uint64(BigInt(value.length));
      return writeItems(schema.item, value, writer, where);
    case "array":
      check(value?.length === schema.len, where, `a list of ${schema.len} items`);
      return writeItems(schema.item, value, writer, where);
    case "option": {
      const some = value !== null && value !== undefined;
      writer.u8(some ? 1 : 0);
      return some ? write(schema.item, isNullable(schema.item) ? value.Some : value, writer, where) : undefined;
    }
    case "struct":
      return writeFields(schema.fields, value, writer, where);
    case "enum":
      return writeVariant(schema, value, writer, where);
    case "counter":
      return writeInteger({ type: "uint", bits: 64 }, value, writer, where);
    case "uuid":
      return writeUuid(value, writer, where);
    case "raw":
      check(value?.length === schema.len, where, `${schema.len} bytes`);
      return writer.raw(value);
    case "code":
      check(numberOf(value) >= 0, where, "a code");
      return writer.uint(numberOf(value));
  }
}

/**
 * @param {WireSchema} item
 * @param {ArrayLike<any>} value
 * @param {Writer} writer
 * @param {string} where
 */
function writeItems(item, value, writer, where) {
  for (let index = 0; index < value.length; index += 1) {
    write(item, value[index], writer, `${where}.${index}`);
  }
}

/**
 * @param {{ type: "uint" | "int", bits: number }} schema
 * @param {any} value
 * @param {Writer} writer
 * @param {string} where
 */
function writeInteger({ type, bits }, value, writer, where) {
  const signed = type === "int";
  if (bits === 64) {
    check(typeof value === "bigint" || Number.isSafeInteger(value), where, "a bigint");
    const wide = BigInt(value);
    check((signed ? BigInt.asIntN(64, wide) : BigInt.asUintN(64, wide)) === wide, where, "a number of 64 bits");
    return signed ? writer.int64(wide) : writer.uint64(wide);
  }
  const [low, high] = signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
  check(Number.isInteger(value) && value >= low && value <= high, where, `a whole number from ${low} to ${high}`);
  if (bits === 8) {
    return writer.u8(value & 0xff);
  }
  return signed ? writer.int(value) : writer.uint(value);
}

/**
 * @param {WireField[]} fields
 * @param {any} value
 * @param {Writer} writer
 * @param {string} where
 * @returns {void}
 */
function writeFields(fields, value, writer, where) {
  if (fields.length === 1 && fields[0].name === "0") {
    return write(fields[0].schema, value, writer, where);
  }
  check(fields.length === 0 || (typeof value === "object" && value !== null), where, "an object");
  for (const { name, schema } of fields) {
    write(schema, value[name], writer, `${where}.${name}`);
  }
}

/**
 * @param {{ name: string, variants: WireVariant[] }} schema
 * @param {any} value
 * @param {Writer} writer
 * @param {string} where
 */
function writeVariant(schema, value, writer, where) {
  const name = typeof value === "string" ? value : Object.keys(value ?? {})[0];
  const index = schema.variants.findIndex((variant) => variant.name === name);
  check(index >= 0, where, `a variant of ${schema.name}`);
  writer.uint(index);
  const { fields } = schema.variants[index];
  if (fields.length > 0) {
    check(typeof value === "object", where, `{ ${name}: … }`);
    writeFields(fields, value[name], writer, `${where}.${name}`);
  }
}

/** @param {Reader} reader */
function readCode(reader) {
  const number = reader.uint(32);
  if (number > 0xffff) {
    throw new CodecError("malformed");
  }
  return codeOf(number);
}

/** @param {Reader} reader */
function readUuid(reader) {
  const bytes = reader.byteList();
  if (bytes.length !== 16) {
    throw new CodecError("malformed");
  }
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/**
 * @param {any} value
 * @param {Writer} writer
 * @param {string} where
 */
function writeUuid(value, writer, where) {
  const digits = String(value).replaceAll("-", "");
  check(/^[0-9a-fA-F]{32}$/.test(digits), where, "a uuid");
  writer.byteList(Array.from({ length: 16 }, (_, at) => parseInt(digits.slice(2 * at, 2 * at + 2), 16)));
}

/**
 * Whether `null` can be a value of this shape, so that an option of it needs a wrapper.
 *
 * @param {WireSchema} schema
 */
function isNullable(schema) {
  return schema.type === "option" || schema.type === "unit";
}

/** @param {WireSchema} schema */
function isByte(schema) {
  return schema.type === "uint" && schema.bits === 8;
}

/**
 * @param {number} bits
 * @returns {16 | 32}
 */
function width(bits) {
  return bits === 16 ? 16 : 32;
}

const encoder = new TextEncoder();

/**
 * The size of a text in UTF-8.
 *
 * @param {string} text
 */
function byteLength(text) {
  return encoder.encode(text).length;
}

/**
 * @param {boolean} fits
 * @param {string} where
 * @param {string} what
 * @returns {asserts fits}
 */
function check(fits, where, what) {
  if (!fits) {
    throw new CodecError("unbounded", `${where} is not ${what}`);
  }
}
