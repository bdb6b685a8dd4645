/**
 * bincode's standard configuration: the bytes of control messages, inputs, events and configs. As
 * `shared/src/protocol/codec.rs`; `wire.js` knows the fields.
 */

/** @typedef {"malformed" | "trailing" | "unbounded" | "unknown"} CodecReason */

/** Bytes that are not a value of the expected type, or a value beyond its bounds. */
export class CodecError extends Error {
  /**
   * @param {CodecReason} reason
   * @param {string} [detail]
   */
  constructor(reason, detail) {
    super(detail === undefined ? `${reason} bytes` : `${reason}: ${detail}`);
    this.reason = reason;
  }
}

/** A message, or a part of one, of a later version. */
export class UnknownVariant extends CodecError {}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Reads values from bytes. */
export class Reader {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }

  /** The number of bytes left. */
  get left() {
    return this.bytes.length - this.at;
  }

  /** @param {number} count */
  take(count) {
    if (count > this.left) {
      throw new CodecError("malformed");
    }
    const start = this.at;
    this.at += count;
    return start;
  }

  u8() {
    return this.bytes[this.take(1)];
  }

  i8() {
    return (this.u8() << 24) >> 24;
  }

  /**
   * Reads a variable-length number of a type of 16 or 32 bits.
   *
   * @param {16 | 32} bits
   */
  uint(bits) {
    const first = this.u8();
    if (first <= 250) {
      return first;
    }
    if (first === 251) {
      return this.view.getUint16(this.take(2), true);
    }
    if (first === 252 && bits === 32) {
      return this.view.getUint32(this.take(4), true);
    }
    throw new CodecError("malformed");
  }

  /** Reads a variable-length number of 64 bits. */
  uint64() {
    if (this.left > 0 && this.bytes[this.at] === 253) {
      this.at += 1;
      return this.view.getBigUint64(this.take(8), true);
    }
    return BigInt(this.uint(32));
  }

  /** Reads a variable-length number of 64 bits that normally stays below 2^53; a `bigint` if it does not. */
  counter() {
    const value = this.uint64();
    return value > Number.MAX_SAFE_INTEGER ? value : Number(value);
  }

  /**
   * Reads a zigzagged number of 16 or 32 bits.
   *
   * @param {16 | 32} bits
   */
  int(bits) {
    const zigzag = this.uint(bits);
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  /** Reads a zigzagged number of 64 bits. */
  int64() {
    const zigzag = this.uint64();
    return (zigzag >> 1n) ^ -(zigzag & 1n);
  }

  bool() {
    const byte = this.u8();
    if (byte > 1) {
      throw new CodecError("malformed");
    }
    return byte === 1;
  }

  f32() {
    return this.view.getFloat32(this.take(4), true);
  }

  f64() {
    return this.view.getFloat64(this.take(8), true);
  }

  /** Reads the length of a list whose items take at least a byte each. */
  length() {
    const length = this.uint64();
    if (length > this.left) {
      throw new CodecError("malformed");
    }
    return Number(length);
  }

  text() {
    const length = this.length();
    const start = this.take(length);
    try {
      return utf8.decode(this.bytes.subarray(start, start + length));
    } catch {
      throw new CodecError("malformed");
    }
  }

  byteList() {
    const length = this.length();
    const start = this.take(length);
    return this.bytes.slice(start, start + length);
  }

  /** Checks that all bytes have been read. */
  finish() {
    if (this.left > 0) {
      throw new CodecError("trailing");
    }
  }
}

/** Writes values to bytes. */
export class Writer {
  constructor() {
    this.bytes = new Uint8Array(64);
    this.view = new DataView(this.bytes.buffer);
    this.at = 0;
  }

  /**
   * Makes room and returns its start.
   *
   * @param {number} count
   */
  room(count) {
    const start = this.at;
    this.at += count;
    if (this.at > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.at, this.bytes.length * 2));
      larger.set(this.bytes);
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    return start;
  }

  /** @param {number} value */
  u8(value) {
    const at = this.room(1);
    this.bytes[at] = value;
  }

  /** @param {number} value up to 32 bits */
  uint(value) {
    if (value <= 250) {
      this.u8(value);
    } else if (value <= 0xffff) {
      this.u8(251);
      const at = this.room(2);
      this.view.setUint16(at, value, true);
    } else {
      this.u8(252);
      const at = this.room(4);
      this.view.setUint32(at, value, true);
    }
  }

  /** @param {bigint} value */
  uint64(value) {
    if (value <= 0xffffffffn) {
      this.uint(Number(value));
    } else {
      this.u8(253);
      const at = this.room(8);
      this.view.setBigUint64(at, value, true);
    }
  }

  /** @param {number} value of at most 32 bits */
  int(value) {
    this.uint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  /** @param {bigint} value */
  int64(value) {
    this.uint64(BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)));
  }

  /** @param {number} value */
  f32(value) {
    const at = this.room(4);
    this.view.setFloat32(at, value, true);
  }

  /** @param {number} value */
  f64(value) {
    const at = this.room(8);
    this.view.setFloat64(at, value, true);
  }

  /** @param {string} value */
  text(value) {
    this.byteList(encoder.encode(value));
  }

  /** @param {ArrayLike<number>} value */
  byteList(value) {
    this.uint64(BigInt(value.length));
    this.raw(value);
  }

  /** @param {ArrayLike<number>} value bytes of a known number */
  raw(value) {
    const at = this.room(value.length);
    this.bytes.set(value, at);
  }

  /** The written bytes. */
  finish() {
    return this.bytes.slice(0, this.at);
  }
}
