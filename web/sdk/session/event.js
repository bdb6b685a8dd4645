/** The events for a client in a room. */

/** @typedef {import("../frame.js").Head} Head */
/** @typedef {import("../protocol.js").Code} Code */

/** The server broke the protocol. A bug, at one end or the other. */
export class Violation extends Error {}

/**
 * An event for a client.
 *
 * @typedef {{ type: "frame", head: Head, bytes: number, age: number }
 *   | { type: "event", number: number, event: any }
 *   | { type: "settled", number: number, after: number }
 *   | { type: "inputRefused", number: number, code: Code }
 *   | { type: "refused", code: Code, message: string }
 *   | { type: "result", result: any }
 *   | { type: "resyncing", reason: "lag" | string }
 *   | { type: "goodbye", code: Code, message: string, frames: number }} SessionEvent
 */

/**
 * Parses the result of a match, which is JSON; `null` for none.
 *
 * @param {string} text
 */
export function parsed(text) {
  try {
    return JSON.parse(text || "null");
  } catch {
    return null;
  }
}
