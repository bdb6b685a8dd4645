/**
 * The schema document of a game, which clients need to decode its entities, inputs, events and config. As
 * `shared/src/schema.rs`.
 */

/**
 * @typedef {object} Schema
 * @property {string} game
 * @property {EntitySchema} entity
 * @property {WireSchema} input the inputs that clients send
 * @property {WireSchema} event the events that they get
 * @property {WireSchema} config the config of a room
 */

/** @typedef {import("./wire.js").WireSchema} WireSchema */
/** @typedef {{ kinds: KindSchema[] }} EntitySchema */
/** @typedef {{ name: string, lanes: LaneSchema[], blobs: BlobSchema[], mask?: string }} KindSchema */
/** @typedef {{ name: string, max_len: number, text: boolean }} BlobSchema */

/**
 * @typedef {object} LaneSchema
 * @property {string} name the field's name; `name.0`, `name.1`, … for the items of an array
 * @property {import("./replicate/quantizer.js").Quantizer} quantizer
 * @property {boolean} [teleport] whether a change of this lane makes clients snap instead of gliding
 * @property {boolean} [linear] whether the value moves at a rate of its own
 * @property {{ golomb: { k: number } }} coding
 * @property {{ change?: string, error?: string, whole?: string }} [learned] codes as `prefix.js` reads them
 */

/**
 * FNV-1a (64 bits) of the document's bytes.
 *
 * @param {string} json
 * @returns {bigint}
 */
export function schemaHash(json) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(json)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash;
}

/**
 * Parses a schema document.
 *
 * @param {string} json
 * @returns {Schema}
 * @throws {SyntaxError} if it is invalid
 */
export function parseSchema(json) {
  const schema = JSON.parse(json);
  if (!Array.isArray(schema?.entity?.kinds) || !schema.input?.type || !schema.event?.type) {
    throw new SyntaxError("no schema of a game");
  }
  return schema;
}
