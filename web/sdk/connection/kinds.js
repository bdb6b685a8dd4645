/**
 * The states, events and effects of a connection: the closed lists that `connection.js` and `link.js` share.
 */

/** @typedef {import("../protocol.js").Code} Code */
/** @typedef {import("../protocol.js").ClientMessage} ClientMessage */
/** @typedef {import("../protocol.js").ServerMessage} ServerMessage */

/**
 * `idle`: not started. `probing`: asks whether the server can be reached, because browsers delay sockets after some
 * that failed. `connecting`: a socket is being opened. `hello`: waits for the welcome. `entering`: waits for the seat
 * (rooms only). `ready`: connected. `waiting`: for the next attempt. `over`: ended.
 *
 * @typedef {"idle" | "probing" | "connecting" | "hello" | "entering" | "ready" | "waiting" | "over"} State
 */

/**
 * An event. `message` is `null` for a frame and for a message of a later version; `closed` has the server's code, if
 * there was one, and also means that a socket could not be opened. `drop` breaks the line, and no attempt follows
 * within `wait` ms.
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
 * News for the owner. `lost`: it was ready and has lost its connection. `waiting`: the next attempt comes in `wait` ms,
 * the last one at `until`. `over`: it has ended; `why` is `closed` by the owner, `gone` after trying in vain, `refused`
 * by a final code, or `redirected` too often.
 *
 * @typedef {{ type: "message", message: ServerMessage }
 *   | { type: "redirect", url: string, pass: Uint8Array }
 *   | { type: "ready", message: ServerMessage }
 *   | { type: "lost" }
 *   | { type: "waiting", attempt: number, wait: number, until: number, code: Code | null }
 *   | { type: "over", why: "closed" | "gone" | "refused" | "redirected", code: Code | null, message: string }} Told
 */

/**
 * An effect. `shut` drops socket or probe without waiting for it; `greet` sends the hello, `wish` the owner's wish
 * under this number, `farewell` the owner's last messages.
 *
 * @typedef {{ type: "probe" | "open" | "shut" | "greet" | "farewell" }
 *   | { type: "wish", request: number }
 *   | { type: "send", message: ClientMessage }
 *   | { type: "tell", told: Told }} Effect
 */

export {};
