/**
 * From a URL to a seat: hello, enter, and what a server may answer. As `bot-client/src/handshake.rs`.
 */

import { ClientError, LineError, Redirected } from "./error.js";
import { VERSION, capabilities, decodeControl, encodeMessage } from "./protocol.js";
import { parseSchema, schemaHash } from "./schema.js";
import { Inbox, connect } from "./socket.js";

/** @typedef {import("./protocol.js").ServerMessage} ServerMessage */
/** @typedef {import("./protocol.js").Target} Target */

/** Schema documents by their hashes, so that each is sent once. */
const schemas = new Map();

/** The hash of the schema of a game that was seen last. */
const hashes = new Map();

/**
 * Connects, says hello and asks for a seat. Returns it with the schema of its game, the line, what has arrived behind
 * the answer, and the games that the server offers.
 *
 * @param {import("./client.js").Client["options"]} options
 * @param {Target} target
 * @param {string} [game] the game of the room, if the target does not say it
 * @throws {ClientError}
 */
export async function open({ url, name, verify, spectate, software, WebSocket }, target, game) {
  const line = connect(WebSocket ?? globalThis.WebSocket, url);
  const inbox = new Inbox(line);
  try {
    await inbox.opened;
    line.send(encodeMessage(hello(software)));
    const welcome = decodeControl(await inbox.next());
    if (welcome === null || !("Welcome" in welcome)) {
      throw refusal(welcome);
    }
    const known = hashes.get(gameOf(target) ?? game) ?? null;
    line.send(encodeMessage({ Enter: { request: 1, target, name, schema: known, verify, spectate } }));
    const entered = decodeControl(await inbox.next());
    if (entered === null || !("Entered" in entered)) {
      throw refusal(entered);
    }
    const seat = entered.Entered;
    return { seat, schema: schemaOf(seat), line, early: inbox.release(), games: welcome.Welcome.games };
  } catch (error) {
    inbox.release();
    line.close();
    throw error;
  }
}

/**
 * What is said first.
 *
 * @param {string} client
 * @returns {import("./protocol.js").ClientMessage}
 */
export function hello(client) {
  const bits = capabilities.PIECES | capabilities.PACE | capabilities.RESULT;
  const nobody = { client_key: new Uint8Array(16), credential: null };
  return { Hello: { protocol: VERSION, client, ...nobody, capabilities: bits } };
}

/**
 * An answer that is not the one hoped for.
 *
 * @param {ServerMessage | null} message
 */
function refusal(message) {
  if (message === null) {
    return new LineError("the server speaks another language");
  }
  if ("Refused" in message) {
    return new ClientError(message.Refused.message, message.Refused.code);
  }
  if ("Goodbye" in message) {
    return new ClientError(message.Goodbye.message, message.Goodbye.code);
  }
  if ("Redirect" in message) {
    return new Redirected(message.Redirect.url, message.Redirect.pass);
  }
  return new ClientError(`the server answered with ${Object.keys(message)[0]}`);
}

/** @param {Target} target */
function gameOf(target) {
  if ("Game" in target) {
    return target.Game;
  }
  return "Create" in target ? target.Create.game : undefined;
}

/** @param {import("./protocol.js").Entered} seat */
function schemaOf(seat) {
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
