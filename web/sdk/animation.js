/**
 * Calls a page back at the display's rate, to draw what was decoded when it arrived.
 */

/**
 * Calls `draw` before each repaint with the time in ms, as of `performance.now`. Returns a function that stops it.
 *
 * @param {(now: number) => void} draw
 */
export function animate(draw) {
  let request = requestAnimationFrame(function frame() {
    request = requestAnimationFrame(frame);
    draw(performance.now());
  });
  return () => cancelAnimationFrame(request);
}
