/**
 * Reads the golden vectors of `shared/vectors`, and brings values into the form that they have there.
 */

import { readFileSync } from "node:fs";

/**
 * A file of `shared/vectors`.
 *
 * @param {string} name
 * @returns {any}
 */
export function load(name) {
  return JSON.parse(readFileSync(new URL(`../../shared/vectors/${name}`, import.meta.url), "utf8"));
}

/** @param {string} text */
export function unhex(text) {
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

/** @param {Uint8Array} bytes */
export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * The same with bytes as hex and 64-bit integers as text.
 *
 * @param {any} value
 * @returns {any}
 */
export function plain(value) {
  if (typeof value === "bigint") {
    return value.toString();
  }
  if (value instanceof Uint8Array) {
    return hex(value);
  }
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  }
  return value;
}

/**
 * A table as the files show it.
 *
 * @param {import("../sdk/layout.js").Layout} layout
 * @param {import("../sdk/replica/table.js").Table} table
 */
export function tableForm(layout, table) {
  const members = [];
  for (let place = 0; place < table.members.count; place += 1) {
    members.push([
      table.members.slots[place],
      table.members.generations[place],
      table.members.kinds[place],
      [...table.lanes(layout, place)],
      table.blobs(layout, place).map(hex),
    ]);
  }
  return { version: table.version, hash: [table.hash.first, table.hash.second], members };
}

/**
 * All that a replica holds, as the files show it; its events are taken out.
 *
 * @param {import("../sdk/replica.js").Replica} replica
 */
export function replicaForm(replica) {
  const hash = replica.hash();
  return {
    tables: replica.tables().map(({ group, table, behind }) => ({
      group,
      behind,
      ...tableForm(replica.layout, table),
    })),
    shown: replica.shown().map((shown) => ({ ...shown, fields: plain(shown.fields) })),
    hash: [hash.first, hash.second],
    own_group: replica.ownGroup,
    events: replica.drainEvents().map(({ number, bytes }) => [number, hex(bytes)]),
    events_lost: replica.eventsLost,
    report: replica.report(),
  };
}
