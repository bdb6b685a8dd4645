/**
 * Why a client could not enter or had to stop. As `client/src/error.rs`; a server's breach of the protocol is a
 * `Violation` of the session.
 */

/** @typedef {import("./protocol.js").Code} Code */

/** Why a client could not enter or had to stop. `code` is the server's, if the server refused. */
export class ClientError extends Error {
  /**
   * @param {string} message
   * @param {Code | "Aborted" | null} [code]
   */
  constructor(message, code = null) {
    super(message);
    this.code = code;
  }
}

/** The caller withdrew its wish for a seat: by `close()`, or by its signal. */
export class Aborted extends ClientError {
  constructor() {
    super("the client was closed while it was entering", "Aborted");
    this.name = "AbortError";
  }
}

/** The seat is on another server, but there were too many redirects already. */
export class Redirected extends ClientError {
  /**
   * @param {string} url
   * @param {Uint8Array} pass
   */
  constructor(url, pass) {
    super(`the seat is at ${url}`);
    this.url = url;
    this.pass = pass;
  }
}

/** An input that no server takes: `path` names the part that is too large. */
export class InputTooLarge extends ClientError {
  /**
   * @param {string} path
   * @param {number} bytes
   * @param {number} most
   */
  constructor(path, bytes, most) {
    super(`${path} takes ${bytes} bytes; an input may take ${most}`, "TooLarge");
    this.path = path;
    this.bytes = bytes;
    this.most = most;
  }
}
