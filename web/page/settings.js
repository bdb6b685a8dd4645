/**
 * What a player chose and the browser remembers: name, sound, graph, being seen in channels. A browser that forbids storage forgets.
 */

import { limits } from "../sdk/protocol.js";
import { plain } from "../sdk/text.js";

const PREFIX = "tiltyard.";

/** @type {Map<string, Set<(value: string) => void>>} */
const watchers = new Map();

/** @param {string} key */
function read(key) {
  try {
    return localStorage.getItem(PREFIX + key) ?? "";
  } catch {
    return "";
  }
}

/**
 * @param {string} key
 * @param {string} value
 */
function write(key, value) {
  try {
    localStorage.setItem(PREFIX + key, value);
  } catch {
    // Private windows may have no storage; the choice then holds for this page.
  }
  for (const watcher of watchers.get(key) ?? []) {
    watcher(value);
  }
}

/** The player's name; one is made up for who has none, or one that an older page kept and no server takes. */
export function name() {
  const chosen = plain(read("name"), limits.NAME_BYTES).text;
  if (chosen) {
    return chosen;
  }
  const first = [
    "Amber",
    "Brisk",
    "Calm",
    "Dapper",
    "Eager",
    "Fabled",
    "Gentle",
    "Keen",
    "Lucky",
    "Noble",
    "Quiet",
    "Swift",
  ];
  const second = [
    "Badger",
    "Crane",
    "Falcon",
    "Fox",
    "Heron",
    "Lynx",
    "Marten",
    "Otter",
    "Raven",
    "Squire",
    "Stoat",
    "Wren",
  ];
  const any = (/** @type {string[]} */ list) => list[Math.floor(Math.random() * list.length)];
  const made = `${any(first)} ${any(second)}`;
  write("name", made);
  return made;
}

/**
 * Keeps a name in its plain form; one that a server would refuse is not kept. Returns the name that the player has now.
 *
 * @param {string} wanted
 */
export function setName(wanted) {
  const { text } = plain(wanted, limits.NAME_BYTES);
  if (text !== null) {
    write("name", text);
  }
  return name();
}

/** @typedef {"sound" | "graph" | "seen"} Switch */

/**
 * Whether a switch is on; all are off at first.
 *
 * @param {Switch} key
 */
export function isOn(key) {
  return read(key) === "on";
}

/** @param {Switch} key */
export function toggle(key) {
  write(key, isOn(key) ? "off" : "on");
}

/**
 * Calls `watcher` now and with each change of a switch, until the returned function is called.
 *
 * @param {Switch} key
 * @param {(on: boolean) => void} watcher
 */
export function watch(key, watcher) {
  const told = () => watcher(isOn(key));
  const set = watchers.get(key) ?? new Set();
  watchers.set(key, set.add(told));
  told();
  return () => void set.delete(told);
}
