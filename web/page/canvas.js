/**
 * A canvas that fills its place at the display's own resolution, drawn once per animation frame.
 */

import { h } from "./dom.js";

/** Sharper than this nobody sees, and it costs. */
const MOST_RATIO = 2;

/** Longest step between two frames that animations are told of, in seconds. */
const LONGEST_STEP = 0.1;

/**
 * What a frame is drawn with: sizes are in CSS pixels, `dt` and `now` in seconds.
 *
 * @typedef {{ context: CanvasRenderingContext2D, width: number, height: number, now: number, dt: number }} Paint
 */

/**
 * Puts a canvas into `place` and calls `draw` for each frame until the returned function is called.
 *
 * @param {HTMLElement} place
 * @param {(paint: Paint) => void} draw
 */
export function canvas(place, draw) {
  const element = h("canvas");
  const context = /** @type {CanvasRenderingContext2D} */ (element.getContext("2d", { alpha: false }));
  place.append(element);
  let last = performance.now();
  let running = requestAnimationFrame(paint);

  /** @param {number} time */
  function paint(time) {
    running = requestAnimationFrame(paint);
    const ratio = Math.min(devicePixelRatio || 1, MOST_RATIO);
    const { clientWidth: width, clientHeight: height } = element;
    if (width === 0 || height === 0) {
      return;
    }
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (element.width !== across || element.height !== down) {
      [element.width, element.height] = [across, down];
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const dt = Math.min(Math.max((time - last) / 1000, 0), LONGEST_STEP);
    last = time;
    draw({ context, width, height, now: time / 1000, dt });
  }

  return () => {
    cancelAnimationFrame(running);
    element.remove();
  };
}
