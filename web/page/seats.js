/**
 * Taking a seat, also the one that this tab had before: before it was reloaded, was killed by the phone, or went back and
 * forward. What is kept is the tab's. If somebody duplicates the tab, the copy has the seat, and the first one says so.
 */

import { Client, ClientError } from "../sdk/index.js";

/** @typedef {import("../sdk/protocol.js").Entered} Entered */
/** @typedef {import("../sdk/protocol.js").Target} Target */

/** @typedef {{ room: string, token: string, owner: number, epoch: number, event: number, input: number }} Kept */

const KEY = "tiltyard.seat";

/** While it is played, it is noted so often how far the game has come. In milliseconds. */
const OFTEN = 1000;

/** Who went back may go forward again for so long before the seat is given up. In milliseconds. */
const LINGER = 2000;

/** The server may take so long to let somebody go, or in again for that. In milliseconds. */
const PATIENCE = 1000;

/** An epoch must be higher than any that the page before had; a killed one could not tell its last. */
const EPOCHS = 1000;

/** Who went back, and may come again. @type {{ client: Client, timer: ReturnType<typeof setTimeout> } | null} */
let lingering = null;

/** Somebody comes to the own seat only to give it up. @type {Promise<void>} */
let returning = Promise.resolve();

/**
 * Keeps what is needed to take the seat again.
 *
 * @param {Client} client
 */
function keep({ session, state }) {
  const { status } = state.get();
  if (session === null || (status !== "playing" && status !== "reconnecting")) {
    return;
  }
  const { room, token, owner } = session.seat;
  const { epoch, event } = session.replica.report();
  write({ room, token, owner, epoch, event, input: session.inputs.last });
}

/** @param {Kept | null} kept */
function write(kept) {
  try {
    if (kept === null) {
      sessionStorage.removeItem(KEY);
    } else {
      sessionStorage.setItem(KEY, JSON.stringify(kept));
    }
  } catch {
    // Without storage a reload is a new player.
  }
}

/** @returns {Kept | null} */
function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  } catch {
    return null;
  }
}

/**
 * Keeps the seat of a client up to date from now on: phones kill tabs without a word. Returns what ends that.
 *
 * @param {Client} client which has entered
 */
export function follow(client) {
  let noted = 0;
  const note = () => {
    noted = performance.now();
    keep(client);
  };
  const ends = [
    client.on("frame", () => performance.now() - noted > OFTEN && note()),
    client.on("reconnected", note),
    client.on("resyncing", note),
    client.state.subscribe((state) => state.status === "over" && state.code !== null && forget(client)),
  ];
  document.addEventListener("visibilitychange", note);
  addEventListener("pagehide", note);
  note();
  return () => {
    document.removeEventListener("visibilitychange", note);
    removeEventListener("pagehide", note);
    ends.forEach((end) => end());
  };
}

/** @param {Client} client */
function forget({ session }) {
  if (read()?.token === session?.seat.token) {
    write(null);
  }
}

/**
 * Gives the seat of a client up.
 *
 * @param {Client} client
 */
export function leave(client) {
  forget(client);
  if (client.state.get().status === "playing") {
    client.leave();
  }
  client.close();
}

/**
 * Gives the seat up soon, unless it is asked for again before.
 *
 * @param {Client} client
 */
export function linger(client) {
  void giveUp();
  const timer = setTimeout(giveUp, LINGER);
  lingering = { client, timer };
}

/** Settles when the server knows, or has had time enough: nobody shall meet the own ghost. */
async function giveUp() {
  if (lingering === null) {
    return;
  }
  const { client, timer } = lingering;
  clearTimeout(timer);
  lingering = null;
  forget(client);
  if (client.state.get().status === "playing") {
    const gone = new Promise((resolve) => client.on("goodbye", resolve));
    client.leave();
    await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
  }
  client.close();
}

/**
 * Takes a seat; the one kept, if it is in the room that is asked for.
 *
 * @param {Client} client
 * @param {Target} target
 * @param {AbortSignal} signal takes the wish back
 * @returns {Promise<Entered>}
 */
export async function enter(client, target, signal) {
  const kept = await takeKept(target);
  if (kept === null) {
    return client.enter(target, { signal });
  }
  try {
    return await client.enter(resumeOf(kept), { signal });
  } catch (error) {
    const code = error instanceof ClientError ? error.code : null;
    if (code === "Aborted") {
      returning = comeBack(client.options, kept);
    }
    if (code === null || code === "Aborted") {
      throw error;
    }
    write(null);
    return client.enter(target, { signal });
  }
}

/**
 * @param {Kept} kept
 * @returns {Target}
 */
function resumeOf({ room, token, owner, epoch, event, input }) {
  const resync = { epoch: epoch + EPOCHS, applied: null, event };
  return { Resume: { room, token, resync, owner, first_input: input + 1, groups: [] } };
}

/**
 * Who went back while the own seat was being taken again may not have said so: the seat would be kept for nobody. So it is
 * taken, and given up soon unless it is asked for again.
 *
 * @param {import("../sdk/client.js").Options} options
 * @param {Kept} kept
 */
async function comeBack(options, kept) {
  const client = new Client(options);
  const late = setTimeout(() => client.close(), PATIENCE);
  try {
    await client.enter(resumeOf({ ...kept, epoch: kept.epoch + EPOCHS }));
    keep(client);
    linger(client);
  } catch (error) {
    if (error instanceof ClientError && error.code !== "Aborted" && read()?.token === kept.token) {
      write(null);
    }
  }
  clearTimeout(late);
}

/**
 * @param {Target} target
 * @returns {Promise<Kept | null>}
 */
async function takeKept(target) {
  await returning;
  const seat = lingering?.client.session?.seat;
  if (lingering !== null && seat && fits(target, seat)) {
    clearTimeout(lingering.timer);
    keep(lingering.client);
    lingering.client.close();
    lingering = null;
    return read();
  }
  await giveUp();
  const kept = read();
  return "Room" in target && kept?.room === target.Room ? kept : null;
}

/**
 * Whether who had this seat a moment ago wants it again: any room of its game is as good as its own.
 *
 * @param {Target} target
 * @param {Entered} seat
 */
function fits(target, seat) {
  return ("Room" in target && target.Room === seat.room) || ("Game" in target && target.Game === seat.game);
}
