/**
 * Tiltyard's SDK for browsers and Node: everything that a game's page needs.
 *
 * The modules in reading order. Bytes: `bits`, `hash`, `chunk`, `frame`, `pieces`, `protocol` (with `protocol/code`,
 * `protocol/codec`, `protocol/limits`), `text`, `wire`, `schema`, `layout`, `replicate`. State: `replica` (with
 * `replica/table`, `replica/decoder`), `linear`. Pure, with the time as an argument: `clock`, `lead`, `playout`,
 * `pulse`, `resyncs`, `inputs`, `session`, which combines them to the protocol, `backoff`, and `connection`, the life
 * of every connection. For drawing: `interpolation`, `prediction`, `animation`. At the rim: `store`, `error`, `key`,
 * `socket`, `link`, `handshake`, `client`, `search`, `chat`.
 */

export { animate } from "./animation.js";
export { Backoff } from "./backoff.js";
export { Chat } from "./chat.js";
export { Client } from "./client.js";
export { Clock } from "./clock.js";
export { Aborted, ClientError, InputTooLarge, Redirected } from "./error.js";
export { Interpolation } from "./interpolation.js";
export { Lead } from "./lead.js";
export { Playout } from "./playout.js";
export { Prediction } from "./prediction.js";
export { CODES, VERSION, isFinal, limits } from "./protocol.js";
export { CodecError } from "./protocol/codec.js";
export { Link } from "./link.js";
export { Replica } from "./replica.js";
export { parseSchema, schemaHash } from "./schema.js";
export { Searching } from "./search.js";
export { Session } from "./session.js";
export { Store } from "./store.js";
export { plain } from "./text.js";
export { decode, encode } from "./wire.js";
