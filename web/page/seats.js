/**
 * Taking a seat, also the one that this tab had before it was reloaded. What is kept is kept only while the tab reloads:
 * a duplicated tab must not take the seat of its original.
 */

import { ClientError } from "../sdk/index.js";

/** @typedef {import("../sdk/client.js").Client} Client */
/** @typedef {import("../sdk/protocol.js").Target} Target */

const KEY = "tiltyard.seat";

/**
 * Keeps what is needed to take the seat again, for the page that is loaded next in this tab.
 *
 * @param {Client} client
 */
export function keep(client) {
  const { session } = client;
  const { status } = client.state.get();
  if (session && (status === "playing" || status === "reconnecting")) {
    const { room, token, owner } = session.seat;
    const { epoch, event } = session.replica.report();
    sessionStorage.setItem(KEY, JSON.stringify({ room, token, owner, epoch, event }));
  }
}

/**
 * Takes a seat; the one kept, if it is in the room that is asked for.
 *
 * @param {Client} client
 * @param {Target} target
 * @returns {Promise<import("../sdk/protocol.js").Entered>}
 */
export async function enter(client, target) {
  const kept = takeKept();
  if (kept && "Room" in target && target.Room === kept.room) {
    const { room, token, owner, epoch, event } = kept;
    const resync = { epoch: epoch + 1, applied: null, event };
    try {
      return await client.enter({ Resume: { room, token, resync, owner, first_input: 1, groups: [] } });
    } catch (error) {
      if (!(error instanceof ClientError) || error.code === null) {
        throw error;
      }
    }
  }
  return client.enter(target);
}

/** @returns {{ room: string, token: string, owner: number, epoch: number, event: number } | null} */
function takeKept() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    sessionStorage.removeItem(KEY);
    return kept;
  } catch {
    return null;
  }
}
