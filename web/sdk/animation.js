/**
 * Calls a page back at the display's rate: what is decoded when it arrives is drawn from here.
 */

/**
 * Calls `draw` before each repaint with the time in ms, as `performance.now` tells it. Returns what ends that.
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
