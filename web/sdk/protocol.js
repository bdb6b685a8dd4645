/**
 * What server and clients say to each other beside frames: messages, codes, limits. As `shared/src/protocol.rs`.
 *
 * Messages have serde's JSON form: `{ Hello: { protocol: 1, client: "…" } }`, `"Leave"`.
 */

import { CodecError } from "./protocol/codec.js";
import { decode, encode } from "./wire.js";

/** @typedef {import("./wire.js").WireSchema} WireSchema */
/** @typedef {import("./wire.js").WireField} WireField */

/** The version of this protocol. Both ends must have the same. */
export const VERSION = 1;

/** First byte of a server message that is a frame. */
export const FRAME = 0;

/** First byte of a server message that is a control message. */
export const CONTROL = 1;

/** Sizes, rates and times (in milliseconds) that both ends know. */
export const limits = Object.freeze({
  HELLO_BYTES: 4 * 1024,
  MESSAGE_BYTES: 16 * 1024,
  INPUT_BYTES: 4 * 1024,
  CONFIG_BYTES: 2 * 1024,
  NAME_BYTES: 32,
  TITLE_BYTES: 48,
  METADATA_BYTES: 512,
  PAGE_ROOMS: 50,
  LAST_PAGE: 9999,
  PASS_BYTES: 256,
  RATING: 1_000_000,
  PARTY: 16,
  CHANNEL_BYTES: 32,
  CHANNELS: 8,
  SAID_BYTES: 256,
  SAID_BURST: 5,
  ATTEND_BURST: 16,
  PRESENT_NAMES: 64,
  EARLY_INPUTS: 64,
  FRAME_BYTES: 64 * 1024,
  FRAME_EVENT_BYTES: 16 * 1024,
  CHUNK_BYTES: 1024 * 1024,
  MESSAGES_PER_SECOND: 200,
  HELLO_TIMEOUT: 5000,
  LIST_SPACING: 250,
  SAID_SPACING: 1000,
  PRESENT_SPACING: 1000,
  PASS_LIFETIME: 10_000,
  GATHERING: 60_000,
  IDLE_FRAME: 250,
  REPORT: 100,
  JUMP_SPACING: 1000,
  LAG: 500,
});

/** Every reason for which a server refuses something or closes a connection, in the order of their numbers. */
export const CODES = /** @type {const} */ ([
  "Malformed",
  "TooLarge",
  "TooEarly",
  "TooFast",
  "HelloTimeout",
  "WrongVersion",
  "UnknownGame",
  "UnknownRoom",
  "RoomFull",
  "ServerFull",
  "UnknownSession",
  "BadConfig",
  "BadName",
  "OutOfOrder",
  "TooManyEarly",
  "TooLate",
  "BadInput",
  "StaleEpoch",
  "ViewTooLarge",
  "Unresponsive",
  "TakenOver",
  "Left",
  "Finished",
  "GameFailed",
  "Stopping",
  "Internal",
  "RoomClosed",
  "Locked",
  "BadPass",
  "NotAllowed",
  "BadCode",
  "BadFilter",
  "BadTitle",
  "UnknownMode",
  "BadParty",
  "BadRating",
  "AlreadySearching",
  "Cancelled",
  "TooFew",
  "BadChannel",
  "NotInChannel",
  "TooManyChannels",
  "BadText",
  "Flooding",
]);

/** @typedef {typeof CODES[number]} Code */

/**
 * The code of a WebSocket's close code, if it is one of ours.
 *
 * @param {number} closeCode
 * @returns {Code | undefined}
 */
export function codeOfClose(closeCode) {
  return CODES[closeCode - 4000];
}

/** @typedef {{ epoch: number, applied: number, event: number }} Report how far a client is; 0 for nothing yet */

/** @typedef {{ epoch: number, applied: number | null, event: number }} Jump a wish to be brought up to date */

/**
 * @typedef {{ Game: string }
 *   | { Room: string }
 *   | { Create: { game: string, config: Uint8Array | null, options: RoomOptions } }
 *   | { Resume: { room: string, token: string, jump: Jump } }
 *   | { Code: string }
 *   | { Pass: Uint8Array }} Target where a client wants to be
 */

/** @typedef {{ title: string, private: boolean }} RoomOptions how a new room is found */

/** @typedef {{ target: Target, name: string, schema: bigint | null, verify: boolean, spectate: boolean }} Enter */

/** @typedef {{ game: string | null, open: boolean, page: number }} Browse what to see of the list of rooms */

/**
 * @typedef {{ Hello: { protocol: number, client: string } }
 *   | { Enter: Enter }
 *   | { Input: { number: number, aim: number, report: Report, payload: Uint8Array } }
 *   | { Report: Report }
 *   | { Jump: Jump }
 *   | "Leave"
 *   | { Browse: Browse | null }
 *   | { Search: Search }
 *   | "CancelSearch"
 *   | { SearchAgain: { id: string } }
 *   | { Attend: Attend }
 *   | { Depart: { channel: string } }
 *   | { Say: { channel: string, text: string } }} ClientMessage
 */

/**
 * A wish to be in a channel: 1 to 32 of `a-z`, `0-9`, `-`, `_`. Who is not visible stands on no list, and hears and speaks
 * all the same.
 *
 * @typedef {{ channel: string, name: string, visible: boolean }} Attend
 */

/** @typedef {{ channel: string, name: string, text: string }} Said what somebody said; the name is the speaker's choice */

/** @typedef {{ channel: string, visible: number, names: string[] }} Present who is visible: how many, their first names */

/**
 * A wish for a match. The rating is what the client claims; a party of `size` players meets by its code.
 *
 * @typedef {{ game: string, mode: string, rating: number, party: { code: string, size: number } | null }} Search
 */

/**
 * How a search is: see `SearchState` in Rust for each.
 *
 * @typedef {{ Gathering: { here: number, size: number } }
 *   | { Searching: { waited_ms: number } }
 *   | "Agreed"
 *   | { Joining: { id: string, url: string, pass: Uint8Array } }
 *   | { Matched: { id: string } }
 *   | { Ended: { code: Code } }} SearchState
 */

/**
 * A room as the lobby shows it.
 *
 * @typedef {object} RoomEntry
 * @property {string} room its id: rises with the time at which rooms were opened
 * @property {string} code what people tell each other to meet there
 * @property {string} game
 * @property {string} title what whoever made it called it; may be empty
 * @property {number} players seats that are taken
 * @property {number} seats
 * @property {number} spectators
 * @property {boolean} locked whether it takes no new players even if it has free seats
 * @property {string} metadata what its game says of it: JSON text, or empty
 */

/**
 * @typedef {object} Entered
 * @property {string} room
 * @property {string} game
 * @property {number} player who you are in this room; 0 for a spectator
 * @property {string} token the secret that takes the seat over
 * @property {number} tick_hz
 * @property {number} send_every frames come every so many ticks
 * @property {number} tick the last tick that was computed
 * @property {number} input the highest input number taken in so far
 * @property {number} epoch of the first frame
 * @property {bigint} schema_hash
 * @property {string | null} schema the document, unless the client knows it
 * @property {string} code the room's
 * @property {boolean} spectator whether you watch instead of play
 */

/**
 * @typedef {{ Welcome: { protocol: number, server: string, games: string[] } }
 *   | { Entered: Entered }
 *   | { Redirect: { url: string, pass: Uint8Array } }
 *   | { Refused: { code: Code, message: string } }
 *   | { Goodbye: { code: Code, message: string, frames: number } }
 *   | { Rooms: { revision: number, total: number, rooms: RoomEntry[] } }
 *   | { RoomsChanged: { revision: number, total: number, changed: RoomEntry[], removed: string[] } }
 *   | { Search: SearchState }
 *   | { Said: Said }
 *   | { Present: Present }} ServerMessage
 */

/** Longer than any message: the messages' own limits are counted in bytes of the whole. */
const ANY = 2 ** 32 - 1;

/** @type {Record<string, WireSchema>} */
const shapes = {
  bool: { type: "bool" },
  u8: { type: "uint", bits: 8 },
  u16: { type: "uint", bits: 16 },
  u32: { type: "uint", bits: 32 },
  u64: { type: "uint", bits: 64 },
  i32: { type: "int", bits: 32 },
  counter: { type: "counter" },
  uuid: { type: "uuid" },
  text: { type: "text", max_len: ANY },
  bytes: { type: "list", max_len: ANY, item: { type: "uint", bits: 8 } },
};

/**
 * @param {WireSchema} item
 * @returns {WireSchema}
 */
function list(item) {
  return { type: "list", max_len: ANY, item };
}

/**
 * @param {Record<string, WireSchema>} fields
 * @returns {WireField[]}
 */
function fieldList(fields) {
  return Object.entries(fields).map(([name, schema]) => ({ name, schema }));
}

/**
 * @param {Record<string, WireSchema>} fields
 * @returns {WireSchema}
 */
function struct(fields) {
  return { type: "struct", name: "", fields: fieldList(fields) };
}

/**
 * @param {Record<string, Record<string, WireSchema>>} variants
 * @returns {WireSchema}
 */
function choice(variants) {
  const list = Object.entries(variants).map(([name, fields]) => ({ name, fields: fieldList(fields) }));
  return { type: "enum", name: "", variants: list };
}

/**
 * @param {WireSchema} item
 * @returns {WireSchema}
 */
function option(item) {
  return { type: "option", item };
}

const { bool, u8, u16, u32, u64, i32, counter, uuid, text, bytes } = shapes;
const report = struct({ epoch: u32, applied: u32, event: counter });
const jump = struct({ epoch: u32, applied: option(u32), event: counter });
const code = choice(Object.fromEntries(CODES.map((name) => [name, {}])));
const target = choice({
  Game: { 0: text },
  Room: { 0: uuid },
  Create: { game: text, config: option(bytes), options: struct({ title: text, private: bool }) },
  Resume: { room: uuid, token: uuid, jump },
  Code: { 0: text },
  Pass: { 0: bytes },
});
const roomEntry = struct({
  room: uuid,
  code: text,
  game: text,
  title: text,
  players: u32,
  seats: u32,
  spectators: u32,
  locked: bool,
  metadata: text,
});

const searchState = choice({
  Gathering: { here: u8, size: u8 },
  Searching: { waited_ms: u32 },
  Agreed: {},
  Joining: { id: uuid, url: text, pass: bytes },
  Matched: { id: uuid },
  Ended: { code },
});

/** The shape of a {@link ClientMessage}. */
export const clientMessage = choice({
  Hello: { protocol: u16, client: text },
  Enter: { 0: struct({ target, name: text, schema: option(u64), verify: bool, spectate: bool }) },
  Input: { number: u32, aim: u32, report, payload: bytes },
  Report: { 0: report },
  Jump: { 0: jump },
  Leave: {},
  Browse: { 0: option(struct({ game: option(text), open: bool, page: u32 })) },
  Search: { 0: struct({ game: text, mode: text, rating: i32, party: option(struct({ code: text, size: u8 })) }) },
  CancelSearch: {},
  SearchAgain: { id: uuid },
  Attend: { 0: struct({ channel: text, name: text, visible: bool }) },
  Depart: { channel: text },
  Say: { channel: text, text },
});

/** The shape of a {@link ServerMessage}, behind its first byte. */
export const serverMessage = choice({
  Welcome: { protocol: u16, server: text, games: list(text) },
  Entered: {
    room: uuid,
    game: text,
    player: u32,
    token: uuid,
    tick_hz: u32,
    send_every: u32,
    tick: u32,
    input: u32,
    epoch: u32,
    schema_hash: u64,
    schema: option(text),
    code: text,
    spectator: bool,
  },
  Redirect: { url: text, pass: bytes },
  Refused: { code, message: text },
  Goodbye: { code, message: text, frames: counter },
  Rooms: { revision: counter, total: u32, rooms: list(roomEntry) },
  RoomsChanged: { revision: counter, total: u32, changed: list(roomEntry), removed: list(uuid) },
  Search: { 0: searchState },
  Said: { channel: text, name: text, text },
  Present: { channel: text, visible: u32, names: list(text) },
});

/**
 * The bytes of a client's message.
 *
 * @param {ClientMessage} message
 * @returns {Uint8Array}
 */
export function encodeMessage(message) {
  return encode(clientMessage, message);
}

/**
 * The control message of a server, its first byte included.
 *
 * @param {Uint8Array} message
 * @returns {ServerMessage}
 * @throws {CodecError} if it is none
 */
export function decodeControl(message) {
  if (message[0] !== CONTROL) {
    throw new CodecError("malformed", "no control message");
  }
  return decode(serverMessage, message.subarray(1));
}
