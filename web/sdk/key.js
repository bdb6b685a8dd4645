/**
 * The key by which a server recognizes a device: 16 random bytes that a page stores, or that last as long as a process.
 */

const NAME = "tiltyard.key";
const BYTES = 16;

/** @type {Uint8Array | null} */
let key = null;

/** @returns {Uint8Array} */
export function clientKey() {
  key ??= stored() ?? made();
  return key;
}

function stored() {
  try {
    const text = globalThis.localStorage?.getItem(NAME) ?? "";
    return /^[0-9a-f]{32}$/.test(text) ? Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16)) : null;
  } catch {
    return null; // Some browsers forbid even to ask.
  }
}

function made() {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(BYTES));
  try {
    const text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    globalThis.localStorage?.setItem(NAME, text);
  } catch {
    // The key then lasts as long as the page.
  }
  return bytes;
}
