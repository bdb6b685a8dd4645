/**
 * One axis of steering, for games that need no more: keys, or a finger.
 */

/** @type {Record<string, number>} */
const ways = { ArrowUp: -1, KeyW: -1, ArrowDown: 1, KeyS: 1 };

/**
 * Calls back with -1 while up is pushed (arrow, W, or a finger on the upper half of `place`), 1 for down, and 0 when it is
 * let go. Returns what ends that.
 *
 * @param {HTMLElement} place
 * @param {(way: number) => void} steer
 */
export function steerUpDown(place, steer) {
  const end = new AbortController();
  addEventListener("keydown", ({ code }) => code in ways && steer(ways[code]), end);
  addEventListener("keyup", ({ code }) => code in ways && steer(0), end);
  place.addEventListener("pointerdown", ({ offsetY }) => steer(offsetY < place.clientHeight / 2 ? -1 : 1), end);
  for (const type of /** @type {const} */ (["pointerup", "pointercancel", "blur"])) {
    addEventListener(type, () => steer(0), end);
  }
  return () => end.abort();
}
