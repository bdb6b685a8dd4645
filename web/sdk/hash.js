/**
 * The hash by which both ends prove that they hold the same state: two 32-bit sums. As `shared/src/hash.rs`.
 *
 * A sum does not depend on order, so it is kept incrementally: subtract the old term, add the new one.
 */

/** The index of the term for the membership itself, whose content is the kind. */
const MEMBER = 0xffff;

/** Spreads the indexes of fields. */
const SPREAD = 0x9e3779b1 | 0;

/**
 * MurmurHash3's 32-bit finalizer (Appleby, public domain).
 *
 * @param {number} x
 */
export function mix(x) {
  x ^= x >>> 16;
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return x ^ (x >>> 16);
}

/**
 * The content of a blob: FNV-1a, 32 bits, over its bytes.
 *
 * @param {Uint8Array} bytes
 */
export function blobContent(bytes) {
  let hash = 0x811c9dc5 | 0;
  for (let at = 0; at < bytes.length; at += 1) {
    hash = Math.imul(hash ^ bytes[at], 0x01000193);
  }
  return hash >>> 0;
}

/** A wrapping sum of terms in each half. */
export class StateHash {
  /**
   * @param {number} [first]
   * @param {number} [second]
   */
  constructor(first = 0, second = 0) {
    this.a = first | 0;
    this.b = second | 0;
  }

  /** The first half, unsigned. */
  get first() {
    return this.a >>> 0;
  }

  /** The second half, unsigned. */
  get second() {
    return this.b >>> 0;
  }

  /** Resets it to the empty sum. */
  clear() {
    this.a = 0;
    this.b = 0;
  }

  /** @param {StateHash} other */
  set(other) {
    this.a = other.a;
    this.b = other.b;
  }

  /** @param {StateHash} other */
  equals(other) {
    return this.a === other.a && this.b === other.b;
  }

  /**
   * Adds the term of a field.
   *
   * @param {number} entity slot, and above 16 bits the generation
   * @param {number} index of the field: lanes first, then blobs
   * @param {number} content the lane's code, or the blob's content
   */
  addField(entity, index, content) {
    const key = mix((entity + Math.imul(index, SPREAD)) | 0);
    this.a = (this.a + mix(key ^ content)) | 0;
    this.b = (this.b + mix((((key << 16) | (key >>> 16)) + (content ^ 0x5bd1e995)) | 0)) | 0;
  }

  /**
   * Replaces the term of a field's old content by that of its new one.
   *
   * @param {number} entity
   * @param {number} index
   * @param {number} old
   * @param {number} content
   */
  changeField(entity, index, old, content) {
    const key = mix((entity + Math.imul(index, SPREAD)) | 0);
    const turned = (key << 16) | (key >>> 16);
    this.a = (this.a + mix(key ^ content) - mix(key ^ old)) | 0;
    this.b = (this.b + mix((turned + (content ^ 0x5bd1e995)) | 0) - mix((turned + (old ^ 0x5bd1e995)) | 0)) | 0;
  }

  /**
   * Adds the term for the membership of an entity of this kind.
   *
   * @param {number} entity
   * @param {number} kind
   */
  addMember(entity, kind) {
    this.addField(entity, MEMBER, kind);
  }

  /** @param {StateHash} other */
  add(other) {
    this.a = (this.a + other.a) | 0;
    this.b = (this.b + other.b) | 0;
  }

  /** @param {StateHash} other */
  subtract(other) {
    this.a = (this.a - other.a) | 0;
    this.b = (this.b - other.b) | 0;
  }

  /**
   * Adds the term of a group to the hash of a view.
   *
   * @param {StateHash} hash of the group
   * @param {number} group
   * @param {number} version
   */
  addInView(hash, group, version) {
    const key = mix((Math.imul(group, SPREAD) + version) | 0);
    const turned = (key << 16) | (key >>> 16);
    const inverse = ~key;
    const turnedInverse = (inverse << 16) | (inverse >>> 16);
    this.a = (this.a + mix(key ^ hash.a) + mix((turnedInverse + (hash.b ^ 0x5bd1e995)) | 0)) | 0;
    this.b = (this.b + mix((turned + (hash.a ^ 0x5bd1e995)) | 0) + mix(inverse ^ hash.b)) | 0;
  }
}
