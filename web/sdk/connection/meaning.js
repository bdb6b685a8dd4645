/**
 * The meaning of a server's message for a connection with a known state and last request. Pure.
 */

/** @typedef {import("../protocol.js").Code} Code */
/** @typedef {import("../protocol.js").Refused} Refused */
/** @typedef {import("../protocol.js").ServerMessage} ServerMessage */

/**
 * `sign`: only a sign of life. `end`: the server's last message; the client may come back at a random time within
 * `wait`. `other`: for the owner.
 *
 * @typedef {{ type: "sign" | "welcome" | "other" }
 *   | { type: "ping", number: number }
 *   | { type: "pong", number: number, held: number }
 *   | { type: "end", code: Code, message: string, wait: [number, number] }
 *   | { type: "redirect", url: string, pass: Uint8Array }
 *   | { type: "entered", grace: number }
 *   | { type: "more time", ms: number }} Meaning
 */

/**
 * @param {ServerMessage | null} message `null` for a frame, and for a message of a later version
 * @param {import("./kinds.js").State} state
 * @param {number} request
 * @returns {Meaning}
 */
export function meaning(message, state, request) {
  if (message === null) {
    return { type: "sign" };
  }
  if ("Ping" in message) {
    return { type: "ping", number: message.Ping.number };
  }
  if ("Pong" in message) {
    return { type: "pong", number: message.Pong.number, held: message.Pong.held_ms };
  }
  if ("Goodbye" in message) {
    const { code, message: words, retry_within_ms } = message.Goodbye;
    return { type: "end", code, message: words, wait: [0, retry_within_ms] };
  }
  if ("Redirect" in message) {
    return { type: "redirect", ...message.Redirect };
  }
  return state === "ready" ? { type: "other" } : answer(message, state, request);
}

/**
 * The meaning of a message before the connection is ready.
 *
 * @param {ServerMessage} message
 * @param {import("./kinds.js").State} state
 * @param {number} request
 * @returns {Meaning}
 */
function answer(message, state, request) {
  const entering = state === "entering";
  if ("Welcome" in message && state === "hello") {
    return { type: "welcome" };
  }
  if ("Refused" in message && isMine(message.Refused, entering ? request : 0)) {
    const { code, message: words, retry_after_ms } = message.Refused;
    return { type: "end", code, message: words, wait: [retry_after_ms ?? 0, 1.5 * (retry_after_ms ?? 0)] };
  }
  if ("Entered" in message && entering && message.Entered.request === request) {
    return { type: "entered", grace: message.Entered.grace_ms };
  }
  return "Wait" in message && entering ? { type: "more time", ms: message.Wait.for_ms } : { type: "sign" };
}

/**
 * Whether a refusal ends this attempt: it names the wish, or no request at all.
 *
 * @param {Refused} refused
 * @param {number} request
 */
function isMine({ request: answered, code }, request) {
  return answered === 0 ? code !== "Unsupported" : answered === request;
}
