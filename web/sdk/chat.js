/**
 * Chat and presence in channels: see "Chat" in PROTOCOL.md. It uses a lobby connection of somebody else, who passes
 * messages to it and tells it when the connection opens and ends.
 *
 * ```js
 * const chat = new Chat((message) => link.send(message), () => link.request());
 * chat.joinChannel("lobby", { name: "Ann" }); // unseen, unless `visible: true`
 * chat.state.subscribe(({ channels }) => show(channels.lobby?.lines ?? []));
 * chat.sendMessage("lobby", "hello");
 * // At each Welcome: chat.welcomed(). When the connection has ended: chat.lost(). At each other message:
 * chat.hear(message).
 * ```
 */

import { Store } from "./store.js";

/** @typedef {import("./protocol.js").ClientMessage} ClientMessage */
/** @typedef {import("./protocol.js").Code} Code */
/** @typedef {import("./protocol.js").ServerMessage} ServerMessage */

/** The number of lines of a channel that are kept; older ones are dropped. */
export const LINES = 200;

/** The number of requests whose numbers are kept, to recognize refusals. */
const REQUESTS = 64;

/**
 * A channel that was joined.
 *
 * @typedef {object} Channel
 * @property {{ name: string, text: string }[]} lines messages since we joined, oldest first
 * @property {number} visible the number of visible members
 * @property {string[]} names the names of the first of them
 */

/**
 * @typedef {object} ChatState
 * @property {boolean} isIn whether messages can be sent at the moment
 * @property {Record<string, Channel>} channels
 * @property {{ code: Code } | null} refused why the last request was refused; another object each time
 */

export class Chat {
  /**
   * @param {(message: ClientMessage) => void} send
   * @param {() => number} request returns a number that no other request of the connection has
   */
  constructor(send, request) {
    /** @private */
    this.send = send;
    /** @private */
    this.number = request;
    /** @private @type {Map<string, { channel: string, name: string, visible: boolean }>} */
    this.wishes = new Map();
    /** @private @type {number[]} */
    this.requests = [];
    /** @type {Store<ChatState>} */
    this.state = new Store(/** @type {ChatState} */ ({ isIn: false, channels: {}, refused: null }));
  }

  /** View libraries that wrap plain objects leave this one as it is. */
  get [Symbol.toStringTag]() {
    return "Chat";
  }

  /**
   * Joins a channel, also again after a loss of the connection; or changes the name there.
   *
   * @param {string} channel 1 to 32 of `a-z`, `0-9`, `-`, `_`
   * @param {{ name: string, visible?: boolean }} as members that are not `visible` are on no list
   */
  joinChannel(channel, { name, visible = false }) {
    const wish = { channel, name, visible };
    this.wishes.set(channel, wish);
    this.change(channel, {});
    if (this.state.get().isIn) {
      this.send({ JoinChannel: { request: this.request(), ...wish } });
    }
  }

  /** @param {string} channel */
  leaveChannel(channel) {
    if (this.wishes.delete(channel) && this.state.get().isIn) {
      this.send({ LeaveChannel: { request: this.request(), channel } });
    }
    const { [channel]: _, ...channels } = this.state.get().channels;
    this.state.update({ channels });
  }

  /**
   * Sends a message. It appears among the lines once the server has taken it.
   *
   * @param {string} channel
   * @param {string} text at most 256 bytes
   * @returns {boolean} whether it could be sent
   */
  sendMessage(channel, text) {
    const { isIn } = this.state.get();
    if (isIn) {
      this.send({ SendMessage: { request: this.request(), channel, text } });
    }
    return isIn;
  }

  /** Notes that the connection is open (again). */
  welcomed() {
    this.state.update({ isIn: true, refused: null });
    this.wishes.forEach((wish) => this.send({ JoinChannel: { request: this.request(), ...wish } }));
  }

  /** @private */
  request() {
    const number = this.number();
    this.requests = [...this.requests, number].slice(-REQUESTS);
    return number;
  }

  /** Notes that the connection is lost. */
  lost() {
    this.requests = [];
    this.state.update({ isIn: false });
  }

  /**
   * Handles a message of the server.
   *
   * @param {ServerMessage} message
   * @returns {boolean} whether it was about chat
   */
  hear(message) {
    if ("ChannelMessage" in message) {
      const { channel, name, text } = message.ChannelMessage;
      const { lines = [] } = this.state.get().channels[channel] ?? {};
      this.change(channel, { lines: [...lines, { name, text }].slice(-LINES) });
    } else if ("Present" in message) {
      const { channel, visible, names } = message.Present;
      this.change(channel, { visible, names });
    } else if ("Refused" in message && this.requests.includes(message.Refused.request)) {
      this.state.update({ refused: { code: message.Refused.code } });
    } else {
      return false;
    }
    return true;
  }

  /**
   * Messages of a channel that was left are dropped.
   *
   * @private
   * @param {string} channel
   * @param {Partial<Channel>} change
   */
  change(channel, change) {
    if (this.wishes.has(channel)) {
      const { channels } = this.state.get();
      const before = channels[channel] ?? { lines: [], visible: 0, names: [] };
      this.state.update({ channels: { ...channels, [channel]: { ...before, ...change } } });
    }
  }
}
