/**
 * What states a connection has, what happens to it, and what is to be done then: the closed lists that `connection.js`
 * and `link.js` share.
 */

/** @typedef {import("../protocol.js").Code} Code */
/** @typedef {import("../protocol.js").ClientMessage} ClientMessage */
/** @typedef {import("../protocol.js").ServerMessage} ServerMessage */

/**
 * `idle`: nothing is wanted yet. `probing`: asks whether the server can be reached, because browsers delay sockets after
 * some that failed. `connecting`: the socket opens. `hello`: waits for the welcome. `entering`: waits for the seat (rooms
 * only). `ready`: in. `waiting`: for the next attempt. `over`: no further attempt.
 *
 * @typedef {"idle" | "probing" | "connecting" | "hello" | "entering" | "ready" | "waiting" | "over"} State
 */

/**
 * What happens. `message` is `null` for a frame and for what only a later version knows; `closed` has the code that the
 * server gave, if it did, and also says that a socket could not be opened. `drop` breaks the line, and no attempt comes for
 * `wait` ms.
 *
 * @typedef {{ type: "start", url: string }
 *   | { type: "probed", reachable: boolean }
 *   | { type: "opened" }
 *   | { type: "message", message: ServerMessage | null }
 *   | { type: "closed", code: Code | null }
 *   | { type: "drop", wait?: number }
 *   | { type: "tick" | "online" | "visible" | "hidden" | "pagehide" | "pageshow" | "retry" | "close" }} Event
 */

/**
 * What the owner is told. `lost`: was in, is not any more. `waiting`: the next attempt comes in `wait` ms, the last one
 * at `until`. `over`: nothing follows; `why` is `closed` by the owner, `gone` after trying in vain, `refused` by a final
 * code, or `redirected` too often.
 *
 * @typedef {{ type: "message", message: ServerMessage }
 *   | { type: "redirect", url: string, pass: Uint8Array }
 *   | { type: "ready", message: ServerMessage }
 *   | { type: "lost" }
 *   | { type: "waiting", attempt: number, wait: number, until: number, code: Code | null }
 *   | { type: "over", why: "closed" | "gone" | "refused" | "redirected", code: Code | null, message: string }} Told
 */

/**
 * What is to be done. `shut` drops socket or probe without waiting for it; `greet` says hello, `wish` what the owner
 * wants under this number, `farewell` its last words.
 *
 * @typedef {{ type: "probe" | "open" | "shut" | "greet" | "farewell" }
 *   | { type: "wish", request: number }
 *   | { type: "send", message: ClientMessage }
 *   | { type: "tell", told: Told }} Effect
 */

export {};
