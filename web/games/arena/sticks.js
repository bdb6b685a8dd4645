/**
 * Two thumb sticks: the left half of the screen walks, the right half aims, and fires while its thumb is pushed out. A
 * stick stands where its thumb came down, and follows one that goes too far.
 */

/** How far a thumb pushes at most, in CSS pixels. */
const REACH = 54;

/** Pushed less than this part of the reach, a thumb rests. */
const REST = 0.18;

/** Pushed further than this part of the reach, the right thumb fires. */
const FIRES = 0.5;

/** @typedef {{ pointer: number, from: { x: number, y: number }, at: { x: number, y: number } }} Thumb */

/** @typedef {{ walk: [number, number] | null, aim: number | null, fire: boolean }} Thumbs */

export class Sticks {
  /** @type {Thumb | null} */
  #left = null;
  /** @type {Thumb | null} */
  #right = null;

  /**
   * @param {HTMLElement} place
   * @param {AbortSignal} signal ends it
   */
  constructor(place, signal) {
    this.place = place;
    /** Whether this player has ever used a touch screen here. */
    this.shown = matchMedia("(pointer: coarse)").matches;
    place.addEventListener("pointerdown", (event) => this.#down(event), { signal });
    place.addEventListener("pointermove", (event) => this.#move(event), { signal });
    for (const type of /** @type {const} */ (["pointerup", "pointercancel", "lostpointercapture"])) {
      place.addEventListener(type, (event) => this.#up(event), { signal });
    }
  }

  get active() {
    return this.#left !== null || this.#right !== null;
  }

  /** What the thumbs do. @returns {Thumbs} */
  get thumbs() {
    const left = this.#left && push(this.#left);
    const right = this.#right && push(this.#right);
    return {
      walk: left === null ? null : left.length < REST ? [0, 0] : [left.x, left.y],
      aim: right === null || right.length < REST ? null : Math.atan2(right.y, right.x),
      fire: right !== null && right.length >= FIRES,
    };
  }

  stop() {
    this.#left = this.#right = null;
  }

  /**
   * Draws both sticks: where the thumbs are, otherwise faintly where they would lie.
   *
   * @param {import("../../page/canvas.js").Paint} paint
   */
  draw({ context, width, height }) {
    if (!this.shown) {
      return;
    }
    const rest = Math.min(width * 0.22, 110);
    drawStick(context, this.#left, { x: rest, y: height - 118 }, "#54e0c7");
    drawStick(context, this.#right, { x: width - rest, y: height - 118 }, "#ffb454");
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.pointerType !== "touch") {
      return;
    }
    event.preventDefault();
    this.shown = true;
    const at = { x: event.offsetX, y: event.offsetY };
    const thumb = { pointer: event.pointerId, from: { ...at }, at };
    if (event.offsetX < this.place.clientWidth / 2) {
      this.#left ??= thumb;
    } else {
      this.#right ??= thumb;
    }
  }

  /** @param {PointerEvent} event */
  #move(event) {
    for (const thumb of [this.#left, this.#right]) {
      if (thumb?.pointer === event.pointerId) {
        thumb.at = { x: event.offsetX, y: event.offsetY };
        follow(thumb);
      }
    }
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (this.#left?.pointer === event.pointerId) {
      this.#left = null;
    }
    if (this.#right?.pointer === event.pointerId) {
      this.#right = null;
    }
  }
}

/** @param {Thumb} thumb */
function push({ from, at }) {
  const [x, y] = [(at.x - from.x) / REACH, (at.y - from.y) / REACH];
  const length = Math.hypot(x, y);
  const over = Math.max(length, 1);
  return { x: x / over, y: y / over, length };
}

/**
 * The middle of a stick comes along with a thumb that goes beyond its reach.
 *
 * @param {Thumb} thumb
 */
function follow(thumb) {
  const { x, y, length } = push(thumb);
  if (length > 1) {
    thumb.from = { x: thumb.at.x - x * REACH, y: thumb.at.y - y * REACH };
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Thumb | null} thumb
 * @param {{ x: number, y: number }} rest
 * @param {string} color
 */
function drawStick(context, thumb, rest, color) {
  const { x, y } = thumb?.from ?? rest;
  const pushed = thumb ? push(thumb) : { x: 0, y: 0 };
  context.save();
  context.globalAlpha = thumb ? 0.85 : 0.34;
  context.lineWidth = 2;
  context.strokeStyle = "#ffffff55";
  context.fillStyle = "#0c101766";
  context.beginPath();
  context.arc(x, y, REACH, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
  context.fillStyle = color;
  context.beginPath();
  context.arc(x + pushed.x * REACH, y + pushed.y * REACH, 23, 0, 2 * Math.PI);
  context.fill();
  context.restore();
}
