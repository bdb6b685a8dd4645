/**
 * Reads bits from bytes, least significant first, for chunks. As `shared/src/bits.rs`.
 */

/** The input ends before the value does, or a code is longer than any value. */
export class BadBits extends Error {
  constructor() {
    super("bits end early or a code is too long");
  }
}

/**
 * A mask of the low bits (0 to 32), as an unsigned number.
 *
 * @param {number} bits
 */
export function lowMask(bits) {
  return bits >= 32 ? 0xffffffff : (1 << bits) - 1;
}

/** Reads bits from bytes. */
export class BitReader {
  /**
   * @param {Uint8Array} bytes
   * @param {number} [start] the first byte
   */
  constructor(bytes, start = 0) {
    this.bytes = bytes;
    /** The position of the next bit. */
    this.position = start * 8;
    /** The high half of the value that `readWide` read last. */
    this.high = 0;
  }

  /** The number of bits left. */
  get remaining() {
    return this.bytes.length * 8 - this.position;
  }

  /** The offset of the byte after the last one read, even in part. */
  get byteOffset() {
    return (this.position + 7) >>> 3;
  }

  /** Skips the rest of a byte that was read in part. */
  align() {
    this.position = this.byteOffset * 8;
  }

  /**
   * Reads the next bits (at most 32) as an unsigned number.
   *
   * @param {number} bits
   * @returns {number}
   */
  read(bits) {
    const { bytes, position } = this;
    const end = position + bits;
    if (end > bytes.length * 8) {
      throw new BadBits();
    }
    this.position = end;
    if (bits === 0) {
      return 0;
    }
    let at = position >>> 3;
    let got = 8 - (position & 7);
    let value = bytes[at] >>> (position & 7);
    while (got < bits) {
      at += 1;
      value |= bytes[at] << got;
      got += 8;
    }
    return bits === 32 ? value >>> 0 : value & ((1 << bits) - 1);
  }

  /**
   * Reads the next bits (at most 64): returns the low 32, and leaves the others in `high`.
   *
   * @param {number} bits
   * @returns {number}
   */
  readWide(bits) {
    if (bits <= 32) {
      this.high = 0;
      return this.read(bits);
    }
    const low = this.read(32);
    this.high = this.read(bits - 32);
    return low;
  }

  /**
   * Reads the next exponential Golomb code of order `k` (at most 31).
   *
   * @param {number} k
   * @returns {number}
   */
  readGolomb(k) {
    const { bytes, position } = this;
    const at = position >>> 3;
    if (at + 4 <= bytes.length) {
      const shift = position & 7;
      const window = (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> shift;
      if (window !== 0) {
        const extra = 31 - Math.clz32(window & -window);
        const length = 2 * extra + 1 + k;
        if (length <= 32 - shift && length < 32) {
          this.position = position + length;
          const quotient = ((window >>> (extra + 1)) & ((1 << extra) - 1)) | (1 << extra);
          return ((quotient - 1) << k) | ((window >>> (2 * extra + 1)) & ((1 << k) - 1));
        }
      }
    }
    return this.#readLongGolomb(k);
  }

  /**
   * Reads the next value of a learned code.
   *
   * @param {import("./prefix.js").Prefix} code
   * @returns {number}
   */
  readPrefix(code) {
    const { bytes, position } = this;
    const at = position >>> 3;
    // Bits after the end count as zeros.
    const window = (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16)) >>> (position & 7);
    const entry = code.lookup[window & (code.lookup.length - 1)];
    const cell = entry & 255;
    this.position = position + (entry >>> 8);
    return code.starts[cell] + this.read(code.raws[cell]);
  }

  /** @param {number} k */
  #readLongGolomb(k) {
    let extra = 0;
    while (this.read(1) === 0) {
      extra += 1;
      if (extra > 32) {
        throw new BadBits();
      }
    }
    const quotient = 2 ** extra + this.read(extra);
    const value = (quotient - 1) * 2 ** k + this.read(k);
    if (value > 0xffffffff) {
      throw new BadBits();
    }
    return value;
  }
}
