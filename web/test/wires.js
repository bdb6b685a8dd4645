/** A seat of a made-up game, and sockets that a test plays the server of. */

import { CONTROL, clientMessage, serverMessage } from "../sdk/protocol.js";
import { schemaHash } from "../sdk/schema.js";
import { decode, encode } from "../sdk/wire.js";
import { entered, welcome } from "./connection.js";
import { schema as entity } from "./crowd.mjs";

/** @template T @typedef {import("../sdk/store.js").Store<T>} Store */

/** @type {import("../sdk/schema.js").Schema} */
export const schema = {
  game: "crowd",
  entity: { kinds: /** @type {any} */ (entity.kinds) },
  input: { type: "uint", bits: 8 },
  event: { type: "unit" },
  config: { type: "unit" },
};
export const json = JSON.stringify(schema);

/** @type {import("../sdk/protocol.js").Entered} */
export const seat = { ...entered, schema_hash: schemaHash(json), schema: json };

/** @param {import("../sdk/protocol.js").ServerMessage} message */
export function control(message) {
  return Uint8Array.from([CONTROL, ...encode(serverMessage, message)]);
}

/**
 * Settles when the value of a store is as wished.
 *
 * @template T
 * @param {Store<T>} store
 * @param {(value: T) => boolean} wish
 * @returns {Promise<void>}
 */
export function until(store, wish) {
  return new Promise((resolve) => {
    store.subscribe((value) => {
      if (wish(value)) {
        resolve();
      }
    });
  });
}

/** Sockets that a test plays the server of. */
export class Wires {
  /** @type {Wire[]} */
  open = [];
  /** How many of the next lines do not open. */
  refuse = 0;
  /** How a wish is answered. @type {(enter: any) => import("../sdk/protocol.js").ServerMessage} */
  answer = (enter) => ({
    Entered: { ...seat, epoch: enter.target.Resume?.resync.epoch ?? 1, schema: enter.schema === null ? json : null },
  });

  get WebSocket() {
    const wires = this;
    return class extends Wire {
      /** @param {string} url */
      constructor(url) {
        super(url);
        this.answer = (/** @type {any} */ enter) => wires.answer(enter);
        wires.open.push(this);
        setTimeout(() => {
          if (wires.refuse > 0) {
            wires.refuse -= 1;
            this.onerror?.({});
            this.onclose?.({ code: 1006 });
            return;
          }
          this.onopen?.({});
        });
      }
    };
  }

  get last() {
    return /** @type {Wire} */ (this.open.at(-1));
  }
}

export class Wire {
  binaryType = "";
  /** @type {((event: any) => void) | null} */ onopen = null;
  /** @type {((event: any) => void) | null} */ onmessage = null;
  /** @type {((event: any) => void) | null} */ onclose = null;
  /** @type {((event: any) => void) | null} */ onerror = null;
  /** @type {any[]} */ said = [];
  closed = false;
  /** @type {(enter: any) => import("../sdk/protocol.js").ServerMessage} */
  answer = () => ({ Refused: { request: 1, code: "Internal", message: "", retry_after_ms: null } });

  /** @param {string} url */
  constructor(url) {
    this.url = url;
  }

  /** @param {Uint8Array} bytes */
  send(bytes) {
    const message = decode(clientMessage, bytes);
    this.said.push(message);
    if (message.Hello) {
      this.tell(control({ Welcome: welcome }));
    } else if (message.Ping) {
      this.tell(control({ Pong: { number: message.Ping.number, held_ms: 0 } }));
    } else if (message.Enter) {
      const answer = /** @type {any} */ (this.answer(message.Enter));
      Object.values(answer)[0].request = message.Enter.request;
      this.tell(control(answer));
    }
  }

  /** @param {Uint8Array} bytes */
  tell(bytes) {
    setTimeout(() => this.onmessage?.({ data: bytes.slice().buffer }));
  }

  close() {
    this.closed = true;
  }
}
