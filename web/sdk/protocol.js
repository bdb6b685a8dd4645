/**
 * The protocol between server and clients beside frames: messages, codes, limits. As `shared/src/protocol.rs`.
 *
 * Messages have serde's JSON form: `{ Report: { epoch: 1, … } }`, `"Leave"`.
 */

import { CodecError, UnknownVariant } from "./protocol/codec.js";
import { decodeMessage, encode } from "./wire.js";

export { CODES, codeOfClose, isFinal } from "./protocol/code.js";
export { capabilities, limits, serverCapabilities } from "./protocol/limits.js";

/** @typedef {import("./protocol/code.js").Code} Code */
/** @typedef {import("./wire.js").WireSchema} WireSchema */
/** @typedef {import("./wire.js").WireField} WireField */

/** The version of this protocol. Both ends must have the same. */
export const VERSION = 2;

/** First byte of a server message that is a frame. */
export const FRAME = 0;

/** First byte of a server message that is a control message. */
export const CONTROL = 1;

/** First byte of a server message that is a piece of a frame. */
export const PIECE = 2;

/** @typedef {{ epoch: number, applied: number, event: number }} Report what a client has applied; 0 for nothing yet */

/** @typedef {{ epoch: number, applied: number | null, event: number }} Resync a request to be brought up to date */

/** @typedef {{ aim: number, payload: Uint8Array }} Input */

/**
 * A request for a seat that a session already has. `owner` is that of `Entered`; `first_input` the lowest input number
 * still kept, or one above the last; `groups` those whose tables are current at `resync.applied`, rising, including the
 * own one.
 *
 * @typedef {{ room: string, token: string, resync: Resync, owner: number, first_input: number, groups: number[] }} Resume
 */

/**
 * @typedef {{ Game: string }
 *   | { Room: string }
 *   | { Create: { game: string, config: Uint8Array | null, options: RoomOptions } }
 *   | { Resume: Resume }
 *   | { Code: string }
 *   | { Pass: Uint8Array }} Target where a client wants to be
 */

/** @typedef {{ title: string, private: boolean }} RoomOptions how a new room can be found */

/**
 * @typedef {{ request: number, target: Target, name: string, schema: bigint | null, verify: boolean, spectate: boolean }} Enter
 */

/** @typedef {{ game: string | null, open: boolean, page: number }} Browse the part of the list of rooms to see */

/**
 * `client_key` are 16 random bytes by which a client is recognized, or zeros; `capabilities` bits of {@link
 * capabilities}.
 *
 * @typedef {{ protocol: number, client: string, client_key: ArrayLike<number>, credential: Uint8Array | null,
 *   capabilities: number }} Hello
 */

/**
 * @typedef {{ Hello: Hello }
 *   | { Enter: Enter }
 *   | { Inputs: { number: number, report: Report, inputs: Input[] } }
 *   | { Report: Report }
 *   | { Resync: Resync }
 *   | "Leave"
 *   | { Browse: { request: number, browse: Browse | null } }
 *   | { Search: { request: number, search: Search } }
 *   | { CancelSearch: { request: number } }
 *   | { SearchAgain: { request: number, id: string } }
 *   | { JoinChannel: JoinChannel }
 *   | { LeaveChannel: { request: number, channel: string } }
 *   | { SendMessage: { request: number, channel: string, text: string } }
 *   | { Ping: { number: number } }
 *   | { Pong: { number: number, held_ms: number } }
 *   | { Renew: { request: number, credential: Uint8Array } }
 *   | { StandBy: { request: number, room: string, token: string, ticket: Uint8Array } }} ClientMessage
 */

/**
 * A wish to join a channel: 1 to 32 of `a-z`, `0-9`, `-`, `_`. A member that is not visible is on no list, and hears
 * and speaks all the same.
 *
 * @typedef {{ request: number, channel: string, name: string, visible: boolean }} JoinChannel
 */

/**
 * A wish for a match. The rating is the client's claim; a party of `size` players meets by its code.
 *
 * @typedef {{ game: string, mode: string, rating: number, party: { code: string, size: number } | null }} Search
 */

/**
 * The state of a search: see `SearchState` in Rust for each.
 *
 * @typedef {{ Gathering: { here: number, size: number } }
 *   | { Searching: { waited_ms: number } }
 *   | "Agreed"
 *   | { Joining: { id: string, url: string, pass: Uint8Array } }
 *   | { Matched: { id: string } }
 *   | { Ended: { code: Code, retry_after_ms: number | null } }} SearchState
 */

/**
 * A room's entry in the lobby.
 *
 * @typedef {object} RoomEntry
 * @property {string} room its id: rises with the time at which rooms were opened
 * @property {string} code a code by which people tell each other the room
 * @property {string} game
 * @property {string} title the title given by its maker; may be empty
 * @property {number} players the number of taken seats
 * @property {number} seats
 * @property {number} spectators
 * @property {boolean} locked whether it takes no new players even if it has free seats
 * @property {string} metadata its game's metadata: JSON text, or empty
 * @property {number} flags bit 1: the room would survive the end of its process
 */

/**
 * @typedef {object} Entered
 * @property {number} request
 * @property {string} room
 * @property {string} game
 * @property {number} player your player in this room; 0 for a spectator
 * @property {string} token the secret to resume the seat
 * @property {number} tick_hz
 * @property {number} send_every the number of ticks from one frame to the next
 * @property {number} tick the last tick that was computed
 * @property {number} input the highest input number taken in so far
 * @property {number} epoch of the first frame
 * @property {bigint} schema_hash
 * @property {string | null} schema the document, unless the client knows it
 * @property {string} code the room's
 * @property {boolean} spectator whether you watch instead of play
 * @property {number} grace_ms how long the seat is kept without a connection
 * @property {number} owner rises when another instance takes the room over
 * @property {number | null} cut after that, the last tick that is still valid
 * @property {boolean} protected whether the room would survive the end of its process
 */

/**
 * @typedef {{ key: string, name: string, guest: boolean, roles: string[], expires_in_ms: number | null }} Identity
 */

/**
 * @typedef {{ protocol: number, server: string, games: string[], capabilities: number, identity: Identity | null,
 *   credential: Uint8Array | null }} Welcome
 */

/** @typedef {{ request: number, code: Code, message: string, retry_after_ms: number | null }} Refused `request` 0: none */

/**
 * @typedef {{ Welcome: Welcome }
 *   | { Entered: Entered }
 *   | { Redirect: { request: number, url: string, pass: Uint8Array } }
 *   | { Refused: Refused }
 *   | { Goodbye: { code: Code, message: string, frames: number, retry_within_ms: number } }
 *   | { Rooms: { revision: number, total: number, rooms: RoomEntry[] } }
 *   | { RoomsChanged: { revision: number, total: number, changed: RoomEntry[], removed: string[] } }
 *   | { Search: SearchState }
 *   | { ChannelMessage: { channel: string, name: string, text: string } }
 *   | { Present: { channel: string, visible: number, names: string[] } }
 *   | { Ping: { number: number } }
 *   | { Pong: { number: number, held_ms: number } }
 *   | { Pace: { every: number } }
 *   | { Wait: { request: number, for_ms: number } }
 *   | { Announcement: { text: string } }
 *   | { Result: { result: string } }
 *   | { Renewed: { request: number, identity: Identity, credential: Uint8Array | null } }
 *   | { Prepare: { url: string, ticket: Uint8Array, within_ms: number } }
 *   | { Moved: { owner: number, tick: number, url: string } }} ServerMessage
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
  code: { type: "code" },
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

const { bool, u8, u16, u32, u64, i32, counter, uuid, text, bytes, code } = shapes;
const report = struct({ epoch: u32, applied: u32, event: counter });
const resync = struct({ epoch: u32, applied: option(u32), event: counter });
const target = choice({
  Game: { 0: text },
  Room: { 0: uuid },
  Create: { game: text, config: option(bytes), options: struct({ title: text, private: bool }) },
  Resume: { room: uuid, token: uuid, resync, owner: u32, first_input: u32, groups: list(u32) },
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
  flags: u32,
});
const search = struct({ game: text, mode: text, rating: i32, party: option(struct({ code: text, size: u8 })) });
const searchState = choice({
  Gathering: { here: u8, size: u8 },
  Searching: { waited_ms: u32 },
  Agreed: {},
  Joining: { id: uuid, url: text, pass: bytes },
  Matched: { id: uuid },
  Ended: { code, retry_after_ms: option(u32) },
});
const identity = struct({ key: text, name: text, guest: bool, roles: list(text), expires_in_ms: option(u32) });

/** The shape of a {@link ClientMessage}. */
export const clientMessage = choice({
  Hello: {
    protocol: u16,
    client: text,
    client_key: { type: "raw", len: 16 },
    credential: option(bytes),
    capabilities: counter,
  },
  Enter: { request: u32, target, name: text, schema: option(u64), verify: bool, spectate: bool },
  Inputs: { number: u32, report, inputs: list(struct({ aim: u32, payload: bytes })) },
  Report: { 0: report },
  Resync: { 0: resync },
  Leave: {},
  Browse: { request: u32, browse: option(struct({ game: option(text), open: bool, page: u32 })) },
  Search: { request: u32, search },
  CancelSearch: { request: u32 },
  SearchAgain: { request: u32, id: uuid },
  JoinChannel: { request: u32, channel: text, name: text, visible: bool },
  LeaveChannel: { request: u32, channel: text },
  SendMessage: { request: u32, channel: text, text },
  Ping: { number: u32 },
  Pong: { number: u32, held_ms: u32 },
  Renew: { request: u32, credential: bytes },
  StandBy: { request: u32, room: uuid, token: uuid, ticket: bytes },
});

/** The shape of a {@link ServerMessage}, after its first byte. */
export const serverMessage = choice({
  Welcome: {
    protocol: u16,
    server: text,
    games: list(text),
    capabilities: counter,
    identity: option(identity),
    credential: option(bytes),
  },
  Entered: {
    request: u32,
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
    grace_ms: u32,
    owner: u32,
    cut: option(u32),
    protected: bool,
  },
  Redirect: { request: u32, url: text, pass: bytes },
  Refused: { request: u32, code, message: text, retry_after_ms: option(u32) },
  Goodbye: { code, message: text, frames: counter, retry_within_ms: u32 },
  Rooms: { revision: counter, total: u32, rooms: list(roomEntry) },
  RoomsChanged: { revision: counter, total: u32, changed: list(roomEntry), removed: list(uuid) },
  Search: { 0: searchState },
  ChannelMessage: { channel: text, name: text, text },
  Present: { channel: text, visible: u32, names: list(text) },
  Ping: { number: u32 },
  Pong: { number: u32, held_ms: u32 },
  Pace: { every: u32 },
  Wait: { request: u32, for_ms: u32 },
  Announcement: { text },
  Result: { result: text },
  Renewed: { request: u32, identity, credential: option(bytes) },
  Prepare: { url: text, ticket: bytes, within_ms: u32 },
  Moved: { owner: u32, tick: u32, url: text },
});

/**
 * Encodes a client's message.
 *
 * @param {ClientMessage} message
 * @returns {Uint8Array}
 */
export function encodeMessage(message) {
  return encode(clientMessage, message);
}

/**
 * Decodes a server's control message, including its first byte; `null` for one of a later version, to be passed over.
 *
 * @param {Uint8Array} message
 * @returns {ServerMessage | null}
 * @throws {CodecError} if it is invalid
 */
export function decodeControl(message) {
  if (message[0] !== CONTROL) {
    throw new CodecError("malformed", "no control message");
  }
  try {
    return decodeMessage(serverMessage, message.subarray(1));
  } catch (error) {
    if (error instanceof UnknownVariant) {
      return null;
    }
    throw error;
  }
}
