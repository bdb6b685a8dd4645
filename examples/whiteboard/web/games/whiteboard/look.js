/** What the board and what is on it look like. */

import { SIZE } from "./pen.js";

const PAPER = "#f8f6f0";
const DOTS = "#d4cfc2";
const DOT_SPACING = 32;

/** As `Ink` of the rules. @type {Record<string, string>} */
export const INKS = {
  Black: "#22262f",
  Red: "#dd4250",
  Orange: "#ec8a23",
  Green: "#2b9a62",
  Blue: "#2b6de0",
  Violet: "#8750d3",
};

/** Of hands. */
const COLORS = ["#dd4250", "#2b6de0", "#2b9a62", "#b8651b", "#8750d3", "#0f8c8c", "#c23d8f"];

/** @typedef {import("./pen.js").Spot} Spot */

/** The nearest place on the board, along an axis. @param {number} at */
export function within(at) {
  return Math.min(Math.max(at, 0), SIZE);
}

/** @param {number} player */
export function colorOf(player) {
  return COLORS[player % COLORS.length];
}

/** The points of a stroke as pairs. @param {Uint8Array} points */
export function pairs(points) {
  const signed = new Int8Array(points.buffer, points.byteOffset, points.length);
  return Array.from({ length: signed.length / 2 }, (_, index) => [signed[2 * index], signed[2 * index + 1]]);
}

/**
 * A smooth line from (0, 0) through points; a dot if there are none.
 *
 * @param {number[][]} points
 */
export function lineOf(points) {
  const line = new Path2D();
  line.moveTo(0, 0);
  points.slice(0, -1).forEach(([x, y], index) => {
    const [nextX, nextY] = points[index + 1];
    line.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  });
  const [x, y] = points.at(-1) ?? [0.01, 0];
  line.lineTo(x, y);
  return line;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {{ x: number, y: number, ink: string, width: number }} stroke
 * @param {Path2D} line
 */
export function drawLine(context, { x, y, ink, width }, line) {
  context.strokeStyle = INKS[ink];
  context.lineWidth = width;
  context.translate(x, y);
  context.stroke(line);
  context.translate(-x, -y);
}

/**
 * The board, as far as it is seen.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {{ left: number, top: number, right: number, bottom: number }} seen
 */
export function drawPaper(context, seen) {
  const [left, top, right, bottom] = [seen.left, seen.top, seen.right, seen.bottom].map(within);
  context.fillStyle = PAPER;
  context.fillRect(left, top, right - left, bottom - top);
  context.fillStyle = DOTS;
  const first = (/** @type {number} */ from) => Math.ceil(from / DOT_SPACING) * DOT_SPACING;
  for (let x = first(left); x <= right; x += DOT_SPACING) {
    for (let y = first(top); y <= bottom; y += DOT_SPACING) {
      context.fillRect(x - 1, y - 1, 2, 2);
    }
  }
}

/**
 * The hand of somebody else: an arrow, and a name.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Spot} at on the screen
 * @param {{ name: string, color: string }} whose
 */
export function drawHand(context, { x, y }, { name, color }) {
  context.save();
  context.translate(x, y);
  context.fillStyle = color;
  context.strokeStyle = "#ffffff";
  context.lineWidth = 1.5;
  context.beginPath();
  for (const [right, down] of [[0, 0], [5, 17], [8.5, 10.5], [15.5, 9]]) {
    context.lineTo(right, down);
  }
  context.closePath();
  context.fill();
  context.stroke();
  context.font = "600 12.5px system-ui, sans-serif";
  const width = context.measureText(name).width;
  context.beginPath();
  context.roundRect(12, 15, width + 14, 21, 7);
  context.fill();
  context.fillStyle = "#ffffff";
  context.textBaseline = "middle";
  context.fillText(name, 19, 26);
  context.restore();
}
