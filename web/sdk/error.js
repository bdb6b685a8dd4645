/**
 * Why a client could not enter, or had to stop. As `bot-client/src/error.rs`; what a server must not say is a
 * `Violation` of the session.
 */

/** @typedef {import("./protocol.js").Code} Code */

/** Why a client could not enter, or had to stop. `code` is the server's, if the server said no. */
export class ClientError extends Error {
  /**
   * @param {string} message
   * @param {Code | null} [code]
   */
  constructor(message, code = null) {
    super(message);
    this.code = code;
  }
}

/** The line broke, or could not be opened: worth another attempt. */
export class LineError extends ClientError {}

/** The seat is at another server. The client goes there by itself, unless it has been sent on too often. */
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
