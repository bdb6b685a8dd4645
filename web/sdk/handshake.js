/**
 * The known schemas of games, so that each is sent only once: by the hash in `Enter` and the document in `Entered`.
 */

import { ClientError } from "./error.js";
import { parseSchema, schemaHash } from "./schema.js";

/** @typedef {import("./protocol.js").Target} Target */

/** Schema documents by their hashes. @type {Map<bigint, import("./schema.js").Schema>} */
const schemas = new Map();

/** The hash of the schema last seen of each game. @type {Map<string, bigint>} */
const hashes = new Map();

/**
 * The hash of the known schema for a target.
 *
 * @param {Target} target
 * @param {string} [game] the game of the room, if the target does not name it
 */
export function knownSchema(target, game) {
  return hashes.get(gameOf(target) ?? game ?? "") ?? null;
}

/** @param {Target} target */
function gameOf(target) {
  if ("Game" in target) {
    return target.Game;
  }
  return "Create" in target ? target.Create.game : undefined;
}

/**
 * The schema of a seat's game.
 *
 * @param {import("./protocol.js").Entered} seat
 * @throws {ClientError} if it is unknown and the server has not sent it
 */
export function schemaOf(seat) {
  if (seat.schema !== null) {
    if (schemaHash(seat.schema) !== seat.schema_hash) {
      throw new ClientError("the schema is not the one that its hash says");
    }
    schemas.set(seat.schema_hash, parseSchema(seat.schema));
    hashes.set(seat.game, seat.schema_hash);
  }
  const schema = schemas.get(seat.schema_hash);
  if (schema === undefined) {
    throw new ClientError("the server has kept its schema to itself");
  }
  return schema;
}
