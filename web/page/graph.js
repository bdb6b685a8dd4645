/**
 * The corner graph: how the line is, at a glance. Bars are the times between frames (the line is what the server promises;
 * it sends less while nothing happens). An amber bar came late by one such time, a red one by two.
 */

import { fill, h, mark } from "./dom.js";

/** Frames in the picture. */
const BARS = 72;

/** How often the numbers change, in milliseconds. */
const REFRESH = 500;

/** Over so many milliseconds starved draws are counted. */
const STARVED = 5000;

export class Graph {
  /** @type {{ at: number, interval: number, bytes: number, age: number }[]} */
  #frames = [];
  #last = 0;
  /** @type {{ draws: number, underruns: number }[]} What had been counted at the last refreshes. */
  #counted = [];
  #picture = h("canvas", { width: 416, height: 88 });
  #numbers = h("dl");
  /** @type {ReturnType<typeof setInterval>} */
  #timer;
  #off;

  /** @param {import("../sdk/client.js").Client} client */
  constructor(client) {
    this.client = client;
    this.element = h("div.graph", {}, this.#picture, this.#numbers);
    this.#off = client.on("frame", ({ bytes, age }) => this.#note(bytes, age));
    this.#timer = setInterval(() => this.#show(), REFRESH);
  }

  stop() {
    clearInterval(this.#timer);
    this.#off();
    this.element.remove();
  }

  /**
   * @param {number} bytes
   * @param {number} age ms by which it came later than on the best line
   */
  #note(bytes, age) {
    const at = performance.now();
    this.#frames.push({ at, interval: this.#last === 0 ? 0 : at - this.#last, bytes, age });
    this.#last = at;
    if (this.#frames.length > 4 * BARS) {
      this.#frames.splice(0, this.#frames.length - 4 * BARS);
    }
  }

  #show() {
    const { session } = this.client;
    if (this.element.hidden || session === null) {
      return;
    }
    const now = performance.now();
    const recent = this.#frames.filter(({ at }) => now - at < 2000);
    const bytes = recent.reduce((sum, frame) => sum + frame.bytes, 0) / 2;
    const interval = recent.reduce((sum, frame) => sum + frame.interval, 0) / Math.max(recent.length, 1);
    const { verified, mismatches } = session.counts;
    const hash = mismatches > 0 ? `${mismatches} wrong` : verified > 0 ? `ok ×${verified}` : "none yet";
    let entities = 0;
    session.replica.visit(() => (entities += 1));
    this.#draw(session.clock.tickMs * session.seat.send_every);
    const mood = mismatches > 0 ? "bad" : verified > 0 ? "good" : "";
    fill(
      this.#numbers,
      ...row("trip", `${session.pulse.smoothed.toFixed(0)} ms`),
      ...row("delay", `${session.playout.delay.toFixed(0)} ms`),
      ...this.#starved(session.playout),
      ...row("margin", `${session.settled.margin} ticks`, session.settled.margin < 0 ? "bad" : ""),
      ...row("every", `${interval.toFixed(0)} ms`),
      ...row("bytes", bytes < 10_000 ? `${bytes.toFixed(0)}/s` : `${(bytes / 1000).toFixed(1)}k/s`),
      ...row("things", `${entities}`),
      ...row("hash", hash, mood),
    );
  }

  /**
   * The part of the recent draws for whose time no frame had come.
   *
   * @param {import("../sdk/playout.js").Playout} playout
   */
  #starved({ draws, underruns }) {
    this.#counted.push({ draws, underruns });
    const before = this.#counted[0];
    if (this.#counted.length > STARVED / REFRESH) {
      this.#counted.shift();
    }
    const part = (underruns - before.underruns) / Math.max(draws - before.draws, 1);
    return row("starved", `${(100 * part).toFixed(part < 0.1 ? 1 : 0)} %`, part > 0.01 ? "bad" : "");
  }

  /** @param {number} promised ms from frame to frame */
  #draw(promised) {
    const context = /** @type {CanvasRenderingContext2D} */ (this.#picture.getContext("2d"));
    const { width, height } = this.#picture;
    context.clearRect(0, 0, width, height);
    context.fillStyle = "#ffffff14";
    context.fillRect(0, height / 2, width, 1.5);
    const step = width / BARS;
    this.#frames.slice(-BARS).forEach(({ interval, age }, index) => {
      const part = Math.min(interval / (2 * promised), 1);
      context.fillStyle = age > 2 * promised ? "#ff6b74" : age > promised ? "#ffb454" : "#54e0c7";
      context.fillRect(index * step, height - part * height, step - 2, part * height);
    });
  }
}

/**
 * @param {string} name
 * @param {string} value
 * @param {string} [mood]
 */
function row(name, value, mood = "") {
  const cell = h("dd", {}, value);
  if (mood) {
    mark(cell, mood, true);
  }
  return [h("dt", {}, name), cell];
}
