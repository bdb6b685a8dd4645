/**
 * One seat in a room from its client's side, without a socket: takes messages and the time, and gives events and
 * messages. Pure. As `client/src/session.rs`.
 *
 * Pass received messages to `handle` and the time to `handleTime`; take messages to send from `drainOutgoing` and
 * events from `drainEvents`.
 */

import { Clock } from "./clock.js";
import { BadFrame } from "./frame.js";
import { InputTooLarge } from "./error.js";
import { Inputs } from "./inputs.js";
import { Lead } from "./lead.js";
import { Pieces } from "./pieces.js";
import { Playout } from "./playout.js";
import { CONTROL, FRAME, PIECE, decodeControl, encodeMessage, isFinal, limits } from "./protocol.js";
import { Pulse } from "./pulse.js";
import { Replica, ReplicaError } from "./replica.js";
import { BadChunk } from "./replica/table.js";
import { Resyncs } from "./resyncs.js";
import { Counts } from "./session/counts.js";
import { Violation, parsed } from "./session/event.js";
import { decode, encode } from "./wire.js";
import { heaviest } from "./wire/heaviest.js";

/** @typedef {import("./protocol.js").Entered} Seat a seat as the server gave it */
/** @typedef {import("./protocol.js").Report} Report */
/** @typedef {import("./schema.js").Schema} Schema */
/** @typedef {import("./session/event.js").SessionEvent} SessionEvent */

export { Violation } from "./session/event.js";

/** The delay after which a report goes out alone: in time even with a coarse timer. */
const REPORT_AFTER = limits.REPORT - 20;

/** A seat. */
export class Session {
  /** @type {Uint8Array[]} */
  #outgoing = [];
  /** @type {SessionEvent[]} */
  #events = [];
  #resyncs = new Resyncs();
  #pieces = new Pieces();
  /** @type {number | null} */
  #reportDue = null;
  /**
   * A resync that must wait, its time, and the report until then.
   *
   * @type {{ due: number, resync: import("./protocol.js").Resync, report: Report } | null}
   */
  #waiting = null;
  /** Whether the parts of the view are still arriving since the start of the epoch. */
  #starting = false;
  /** Whether the seat was given up. */
  leaving = false;

  /**
   * A session for a new seat.
   *
   * @param {Seat} seat
   * @param {Schema} schema
   * @param {number} now
   * @param {Pulse} [pulse] the pulse of the line, if somebody else measures it
   */
  constructor(seat, schema, now, pulse = new Pulse(now)) {
    this.seat = seat;
    this.schema = schema;
    this.replica = new Replica(schema.entity, seat.epoch);
    this.clock = new Clock(seat.tick_hz, seat.tick);
    this.lead = new Lead(seat.tick_hz, now);
    this.playout = new Playout(seat.tick_hz, seat.send_every, seat.tick);
    this.pulse = pulse;
    this.inputs = new Inputs(seat.input);
    this.replica.sentInput(seat.input);
    this.counts = new Counts();
    /** The number up to which inputs are settled, and how early the last one taken in came. */
    this.settled = { number: 0, margin: 0 };
    /** Whether the server has said goodbye for good. */
    this.over = false;
  }

  /**
   * Handles a message. A frame that cannot be applied is no violation: the session asks for everything anew.
   *
   * @param {Uint8Array} bytes
   * @param {number} now
   * @throws {Violation} if the server broke the protocol; the session cannot be used any more
   */
  handle(bytes, now) {
    switch (bytes[0]) {
      case FRAME:
      case PIECE:
        this.#handleFrame(bytes, now);
        break;
      case CONTROL:
        this.handleMessage(decodeControl(bytes));
        break;
      default:
        throw new Violation("a message of an unknown kind");
    }
    this.handleTime(now);
  }

  /**
   * Sends what is due by now.
   *
   * @param {number} now
   */
  handleTime(now) {
    if (this.#waiting !== null && this.#waiting.due <= now) {
      const { resync } = this.#waiting;
      this.#waiting = null;
      this.#sendResync(resync, false, now);
    }
    if (this.#reportDue !== null && this.#reportDue <= now) {
      this.#send({ Report: this.#report() });
    }
    this.#sendInputs(now);
  }

  /** When `handleTime` must be called next. */
  get deadline() {
    return Math.min(this.#reportDue ?? Infinity, this.#waiting?.due ?? Infinity, this.inputs.deadline);
  }

  /** Takes the messages to send, in order. */
  drainOutgoing() {
    return this.#outgoing.splice(0);
  }

  /** Takes the events, in order. */
  drainEvents() {
    return this.#events.splice(0);
  }

  /**
   * Sends an input and returns its record; `null` if too many inputs are unanswered. The pace is limited to what the
   * server takes: the first goes out at once, soon following ones together.
   *
   * @param {any} input
   * @param {number} now
   * @throws {import("./protocol/codec.js").CodecError} if it is no input of this game
   * @throws {InputTooLarge} if no server takes it
   */
  send(input, now) {
    const payload = encode(this.schema.input, input);
    if (payload.length > limits.INPUT_BYTES) {
      const { path, bytes } = heaviest(this.schema.input, input);
      throw new InputTooLarge(path, bytes, limits.INPUT_BYTES);
    }
    const sent = this.inputs.push(this.clock.tick(now) + this.lead.ticks, payload, input, now);
    if (sent !== null) {
      this.replica.sentInput(sent.number);
      this.#sendInputs(now);
    }
    return sent;
  }

  /** @param {number} now */
  #sendInputs(now) {
    const batch = this.inputs.take(now);
    if (batch.length > 0) {
      const inputs = batch.map(({ aim, payload }) => ({ aim, payload }));
      this.#send({ Inputs: { number: batch[0].number, report: this.#report(), inputs } });
    }
  }

  /** Gives up the seat; the last event will be a goodbye. */
  leave() {
    this.leaving = true;
    this.#send("Leave");
  }

  /** Notes the loss of the line. Messages wait for the next one. */
  lost() {
    this.#outgoing.length = 0;
    this.inputs.lost();
  }

  /** Returns the request for the seat on a new line: the secret, and where to go on from. */
  resume() {
    this.#waiting = null;
    this.#reportDue = null;
    this.#pieces.clear();
    const groups = this.replica.current(limits.RESUME_GROUPS);
    const { room, token, owner } = this.seat;
    return { room, token, resync: this.replica.resync(false), owner, first_input: this.inputs.first, groups };
  }

  /**
   * Takes over the seat on a new line.
   *
   * @param {Seat} seat
   * @param {number} now
   * @throws {Violation} if the server claims inputs that were never sent, or lacks some that are not kept any more
   */
  resumed(seat, now) {
    if (!this.inputs.resume(seat.input)) {
      throw new Violation(`the server has taken in ${seat.input} inputs of ${this.inputs.last}`);
    }
    this.clock.restart();
    this.playout.restart();
    this.#pace(1);
    this.lead.resumed(this.inputs.last);
    this.#resyncs.sent(false, now);
    this.counts.reconnects += 1;
    this.#outgoing.length = 0;
    this.#sendInputs(now);
    if (this.leaving) {
      this.#send("Leave");
    }
    this.seat = seat;
  }

  /** The report for the server, for the epoch that the server is in. */
  #report() {
    this.#reportDue = null;
    return this.#waiting?.report ?? this.replica.report();
  }

  /** @param {import("./protocol.js").ClientMessage} message */
  #send(message) {
    this.#outgoing.push(encodeMessage(message));
  }

  /**
   * Handles a control message.
   *
   * @param {import("./protocol.js").ServerMessage | null} message `null` for one of a later version
   * @throws {Violation} if it is not allowed in a room
   */
  handleMessage(message) {
    if (message === null) {
      this.counts.unknown += 1;
    } else if ("Goodbye" in message) {
      this.over = isFinal(message.Goodbye.code);
      this.#events.push({ type: "goodbye", ...message.Goodbye });
    } else if ("Refused" in message) {
      this.#events.push({ type: "refused", ...message.Refused });
    } else if ("Result" in message) {
      this.#events.push({ type: "result", result: parsed(message.Result.result) });
    } else if ("Pace" in message) {
      this.#pace(message.Pace.every);
    } else if ("Entered" in message || "Welcome" in message || "Rooms" in message || "Search" in message) {
      throw new Violation(`${Object.keys(message)[0]} in a room`);
    }
  }

  /** Sets the pace: the server sends a frame at every so many-th send tick from now on. @param {number} every */
  #pace(every) {
    this.playout.pace(every);
    this.#resyncs.pace(every);
  }

  /**
   * Handles a frame, or a piece of one.
   *
   * @param {Uint8Array} bytes
   * @param {number} now
   */
  #handleFrame(bytes, now) {
    // Until the first frame of the new epoch is here, this is what the server goes by.
    const before = this.replica.report();
    let whole;
    let head;
    try {
      whole = this.#pieces.take(bytes, this.replica.epoch);
      if (whole === null) {
        return;
      }
      this.counts.frames += 1;
      this.counts.bytes += whole.length;
      head = this.replica.apply(whole);
    } catch (error) {
      this.#failed(error, before, now);
      return;
    } finally {
      this.#takeGameEvents();
    }
    if (head === null) {
      this.counts.stale += 1;
    } else {
      this.#applied(head, whole.length, now);
    }
  }

  /**
   * @param {import("./frame.js").Head} head
   * @param {number} bytes
   * @param {number} now
   */
  #applied(head, bytes, now) {
    this.lead.shift(this.clock.observe(head.tick, head.moved, now));
    this.playout.observe(head.tick, head.moved, now);
    this.#reportDue ??= now + REPORT_AFTER;
    this.counts.verified += head.hash === null ? 0 : 1;
    const age = this.clock.age(head.tick, now);
    this.#events.push({ type: "frame", head, bytes, age });
    if (head.inputs !== null) {
      this.#settle(head.inputs, now);
    }
    for (const [number, code] of head.refused) {
      this.counts.inputsRefused += 1;
      this.#events.push({ type: "inputRefused", number, code });
    }
    this.#starting = (this.#starting || head.start) && this.replica.tables().some(({ behind }) => behind);
    if (!this.#starting) {
      this.#judgeLag(age, now);
    }
  }

  /**
   * Applies the remedy for a frame of this age.
   *
   * @param {number} age
   * @param {number} now
   */
  #judgeLag(age, now) {
    switch (this.#resyncs.judge(age, this.clock.grows, now)) {
      case "resync":
        this.#resync("lag", this.replica.report(), now);
        break;
      case "rebase":
        this.lead.shift(this.clock.rebase(now));
        break;
    }
  }

  /**
   * @param {{ number: number, margin: number }} settled
   * @param {number} now
   */
  #settle(settled, now) {
    this.settled = settled;
    this.lead.observe(settled.margin, settled.number, this.inputs.last, now);
    for (const { number, at } of this.inputs.settle(settled.number, now)) {
      this.#events.push({ type: "settled", number, after: now - at });
    }
  }

  /**
   * @param {unknown} error
   * @param {Report} before
   * @param {number} now
   */
  #failed(error, before, now) {
    if (!(error instanceof BadFrame || error instanceof BadChunk || error instanceof ReplicaError)) {
      throw error;
    }
    if (error.reason === "hash mismatch") {
      this.counts.mismatches += 1;
    } else {
      this.counts.badFrames += 1;
    }
    this.#resync(error.message, before, now);
  }

  /**
   * Turns to a new epoch at once, and asks for it when the last resync is long enough ago.
   *
   * @param {string} reason
   * @param {Report} report
   * @param {number} now
   */
  #resync(reason, report, now) {
    this.#pieces.clear();
    const resync = this.replica.resync(reason !== "lag");
    this.#reportDue = null;
    const due = this.#resyncs.earliest(now);
    if (due <= now) {
      this.#sendResync(resync, reason === "lag", now);
    } else {
      this.#waiting = { due, resync, report };
    }
    this.#events.push({ type: "resyncing", reason });
  }

  /**
   * @param {import("./protocol.js").Resync} resync
   * @param {boolean} forLag
   * @param {number} now
   */
  #sendResync(resync, forLag, now) {
    this.#resyncs.sent(forLag, now);
    this.counts.resyncs += 1;
    this.#send({ Resync: resync });
  }

  #takeGameEvents() {
    for (const { number, bytes } of this.replica.drainEvents()) {
      this.#events.push({ type: "event", number, event: decode(this.schema.event, bytes) });
    }
  }
}
