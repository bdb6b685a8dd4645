/**
 * A WebSocket until there is a session: opened, and read message by message. As `bot-client/src/socket.rs`; once there
 * is a session, the client's own handlers take the line.
 */

import { ClientError, LineError } from "./error.js";
import { codeOfClose } from "./protocol.js";

/** The whole way from the URL to the seat may take so long. */
const PATIENCE = 10_000;

/**
 * The part of a WebSocket that is used: a browser's, or the `ws` package's.
 *
 * @typedef {object} Line
 * @property {string} binaryType
 * @property {((event: any) => void) | null} onopen
 * @property {((event: any) => void) | null} onmessage
 * @property {((event: any) => void) | null} onclose
 * @property {((event: any) => void) | null} onerror
 * @property {(data: Uint8Array) => void} send
 * @property {(code?: number, reason?: string) => void} close
 */

/**
 * Opens a line.
 *
 * @param {new (url: string) => Line} Socket
 * @param {string} url
 * @throws {ClientError} if there can never be a server at this address
 */
export function connect(Socket, url) {
  try {
    const line = new Socket(url);
    line.binaryType = "arraybuffer";
    return line;
  } catch (error) {
    throw new ClientError(`${url} is no address of a server: ${error instanceof Error ? error.message : error}`);
  }
}

/** What arrives on a line before there is a session. */
export class Inbox {
  /** @type {Uint8Array[]} */
  #messages = [];
  /** @type {((bytes: Uint8Array) => void) | null} */
  #wanted = null;
  /** @type {(error: Error) => void} */
  #fail = () => {};
  /** @type {Promise<never>} */
  #failure;
  #line;
  #timer;

  /** @param {Line} line */
  constructor(line) {
    this.#line = line;
    this.#failure = new Promise((_, reject) => (this.#fail = reject));
    this.#failure.catch(() => {});
    this.#timer = setTimeout(() => this.#fail(new LineError("no answer in time")), PATIENCE);
    /** Settles when the line is open. */
    this.opened = Promise.race([new Promise((resolve) => (line.onopen = resolve)), this.#failure]);
    line.onerror = () => this.#fail(new LineError("the server cannot be reached"));
    line.onclose = (event) => {
      const code = codeOfClose(event.code);
      this.#fail(code === undefined ? new LineError("the connection closed") : new ClientError(String(code), code));
    };
    line.onmessage = (event) => {
      const bytes = new Uint8Array(event.data);
      const wanted = this.#wanted;
      this.#wanted = null;
      if (wanted === null) {
        this.#messages.push(bytes);
      } else {
        wanted(bytes);
      }
    };
  }

  /** @returns {Promise<Uint8Array>} */
  next() {
    const first = this.#messages.shift();
    if (first !== undefined) {
      return Promise.resolve(first);
    }
    /** @type {Promise<Uint8Array>} */
    const message = new Promise((resolve) => (this.#wanted = resolve));
    return Promise.race([message, this.#failure]);
  }

  /** Lets go of the line; returns what nobody has asked for. */
  release() {
    clearTimeout(this.#timer);
    this.#line.onopen = null;
    this.#line.onmessage = null;
    this.#line.onclose = null;
    return this.#messages;
  }
}
