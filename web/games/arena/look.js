/**
 * How things of the arena look. Pure drawing: positions are in units of the field, the context is already scaled to them.
 */

import { CELL, FIGHTER_RADIUS, MAX_HP, SIZE } from "./rules.js";

/** @typedef {CanvasRenderingContext2D} Context */

const TAU = 2 * Math.PI;
export const OWN_COLOR = "#54e0c7";
export const GROUND = "#10161f";

/** Lines of the backdrop lie so far apart. */
const GRID = 64;

/**
 * A player's colour. The own one is the page's accent, which no other comes near.
 *
 * @param {number} player
 * @param {number} own
 */
export function colorOf(player, own) {
  return player === own ? OWN_COLOR : `hsl(${(205 + ((player * 137.508) % 300)) % 360} 78% 66%)`;
}

/**
 * The floor, its lines and the walls, as far as they are in sight.
 *
 * @param {Context} context
 * @param {{ left: number, top: number, right: number, bottom: number }} sight
 */
export function drawField(context, sight) {
  context.fillStyle = "#080b10";
  context.fillRect(sight.left, sight.top, sight.right - sight.left, sight.bottom - sight.top);
  const [left, top] = [Math.max(sight.left, 0), Math.max(sight.top, 0)];
  const [right, bottom] = [Math.min(sight.right, SIZE), Math.min(sight.bottom, SIZE)];
  context.fillStyle = GROUND;
  context.fillRect(left, top, right - left, bottom - top);
  drawSectors(context, { left, top, right, bottom });
  drawLines(context, { left, top, right, bottom }, GRID, "#ffffff0b");
  drawLines(context, { left, top, right, bottom }, 4 * GRID, "#ffffff1a");
  context.strokeStyle = "#54e0c71a";
  context.lineWidth = 12;
  context.strokeRect(-6, -6, SIZE + 12, SIZE + 12);
  context.strokeStyle = "#54e0c799";
  context.lineWidth = 2;
  context.strokeRect(-1, -1, SIZE + 2, SIZE + 2);
}

/**
 * Every other sector is a little lighter and all have names, so that walking can be seen.
 *
 * @param {Context} context
 * @param {{ left: number, top: number, right: number, bottom: number }} sight
 */
function drawSectors(context, { left, top, right, bottom }) {
  const side = 2 * CELL;
  context.font = "700 44px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (let row = Math.floor(top / side); row * side < bottom; row += 1) {
    for (let column = Math.floor(left / side); column * side < right; column += 1) {
      if ((row + column) % 2 === 0) {
        context.fillStyle = "#7fb2ff0a";
        context.fillRect(column * side, row * side, side, side);
      }
      context.fillStyle = "#ffffff0b";
      context.fillText(`${"ABCDEFGH"[column] ?? ""}${row + 1}`, (column + 0.5) * side, (row + 0.5) * side);
    }
  }
}

/**
 * @param {Context} context
 * @param {{ left: number, top: number, right: number, bottom: number }} sight
 * @param {number} step
 * @param {string} color
 */
function drawLines(context, { left, top, right, bottom }, step, color) {
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.beginPath();
  for (let x = Math.ceil(left / step) * step; x <= right; x += step) {
    context.moveTo(x, top);
    context.lineTo(x, bottom);
  }
  for (let y = Math.ceil(top / step) * step; y <= bottom; y += step) {
    context.moveTo(left, y);
    context.lineTo(right, y);
  }
  context.stroke();
}

/**
 * @typedef {object} Fighter
 * @property {number} x
 * @property {number} y
 * @property {number} aim
 * @property {number} hp
 * @property {boolean} safe
 * @property {number} score
 * @property {number} owner
 * @property {string} name
 */

/**
 * @param {Context} context
 * @param {Fighter} fighter
 * @param {{ color: string, flash: number, kick: number, now: number }} look flash: just hit, kick: just fired, 0 to 1
 */
export function drawFighter(context, fighter, { color, flash, kick, now }) {
  const radius = FIGHTER_RADIUS;
  context.save();
  context.translate(fighter.x, fighter.y);
  context.fillStyle = "#0006";
  disc(context, 1.5, 4, radius + 1);
  context.save();
  context.rotate(fighter.aim);
  context.fillStyle = "#0c1017";
  bar(context, 7 - kick * 5, -6, 24, 12, 4);
  context.fillStyle = shade(color, 0.62);
  bar(context, 8 - kick * 5, -4.5, 21.5, 9, 3);
  context.restore();
  context.fillStyle = "#0c1017";
  disc(context, 0, 0, radius + 1);
  const body = context.createRadialGradient(-5, -6, 2, 0, 0, radius);
  body.addColorStop(0, shade(color, 1.25));
  body.addColorStop(0.55, color);
  body.addColorStop(1, shade(color, 0.7));
  context.fillStyle = body;
  disc(context, 0, 0, radius - 0.5);
  context.fillStyle = "#0c101759";
  disc(context, 0, 0, 7);
  context.fillStyle = shade(color, 1.3);
  disc(context, Math.cos(fighter.aim) * 3, Math.sin(fighter.aim) * 3, 3);
  if (flash > 0) {
    context.globalAlpha = flash;
    context.fillStyle = "#fff";
    disc(context, 0, 0, radius);
    context.globalAlpha = 1;
  }
  if (fighter.safe) {
    context.strokeStyle = "#dffcff";
    context.globalAlpha = 0.45 + 0.25 * Math.sin(now * 7);
    context.lineWidth = 1.6;
    context.setLineDash([7, 5]);
    context.lineDashOffset = now * 22;
    context.beginPath();
    context.arc(0, 0, radius + 7, 0, TAU);
    context.stroke();
  }
  context.restore();
}

/**
 * The name and the health above a fighter, in screen pixels, so that text stays sharp and readable.
 *
 * @param {Context} context
 * @param {Fighter} fighter
 * @param {{ x: number, y: number, own: boolean }} at the top of the fighter on the screen
 */
export function drawLabel(context, fighter, { x, y, own }) {
  const width = 46;
  const part = fighter.hp / MAX_HP;
  context.fillStyle = "#05080dcc";
  bar(context, x - width / 2 - 1.5, y - 9.5, width + 3, 7, 3.5);
  context.fillStyle = part > 0.5 ? "#7ddf86" : part > 0.25 ? "#ffb454" : "#ff6b74";
  if (part > 0) {
    bar(context, x - width / 2, y - 8, Math.max(width * part, 4), 4, 2);
  }
  context.font = `${own ? 700 : 600} 13px Inter, "Segoe UI", system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  context.lineWidth = 3;
  context.lineJoin = "round";
  context.strokeStyle = "#080b10cc";
  const name = fighter.name || `Player ${fighter.owner}`;
  context.strokeText(name, x, y - 15);
  context.fillStyle = own ? "#fff" : "#ccd6e4";
  context.fillText(name, x, y - 15);
}

/**
 * @param {Context} context
 * @param {{ x: number, y: number, heading: number }} shot
 * @param {string} color
 */
export function drawShot(context, { x, y, heading }, color) {
  const [back, up] = [Math.cos(heading), Math.sin(heading)];
  context.save();
  context.globalCompositeOperation = "lighter";
  context.lineCap = "round";
  context.strokeStyle = color;
  for (const [length, width, alpha] of /** @type {const} */ ([
    [22, 13, 0.1],
    [19, 8, 0.22],
    [14, 4.5, 0.6],
  ])) {
    context.globalAlpha = alpha;
    context.lineWidth = width;
    line(context, x - back * length, y - up * length, x, y);
  }
  context.globalAlpha = 1;
  context.strokeStyle = "#fff";
  context.lineWidth = 2.4;
  line(context, x - back * 6, y - up * 6, x, y);
  context.restore();
}

/**
 * @param {Context} context
 * @param {{ x: number, y: number, effect: string }} pickup
 * @param {number} now
 */
export function drawPickup(context, { x, y, effect }, now) {
  const beat = Math.sin(now * 2.6 + x);
  const color = effect === "Medkit" ? "#7ddf86" : "#ffb454";
  context.save();
  context.translate(x, y + beat * 1.6);
  context.globalAlpha = 0.1 + 0.04 * beat;
  context.fillStyle = color;
  disc(context, 0, 0, 20 + beat);
  context.globalAlpha = 1;
  context.fillStyle = "#141b26";
  context.strokeStyle = color;
  context.lineWidth = 1.5;
  context.beginPath();
  context.roundRect(-11, -11, 22, 22, 7);
  context.fill();
  context.stroke();
  context.fillStyle = color;
  if (effect === "Medkit") {
    bar(context, -2.2, -6.5, 4.4, 13, 1.5);
    bar(context, -6.5, -2.2, 13, 4.4, 1.5);
  } else {
    context.beginPath();
    for (const [right, down] of [
      [1.8, -8],
      [-5.2, 1.4],
      [-0.6, 1.4],
      [-1.8, 8],
      [5.2, -1.6],
      [0.6, -1.6],
    ]) {
      context.lineTo(right, down);
    }
    context.fill();
  }
  context.restore();
}

/**
 * Darkens the rim of the screen.
 *
 * @param {Context} context in screen pixels
 * @param {{ width: number, height: number }} size
 */
export function drawRim(context, { width, height }) {
  const far = Math.hypot(width, height) / 2;
  const rim = context.createRadialGradient(width / 2, height / 2, far * 0.55, width / 2, height / 2, far);
  rim.addColorStop(0, "#04060a00");
  rim.addColorStop(1, "#04060a9c");
  context.fillStyle = rim;
  context.fillRect(0, 0, width, height);
}

/**
 * The whole field in a corner: where the own fighter is, and who is near.
 *
 * @param {Context} context
 * @param {{ x: number, y: number, side: number }} place
 * @param {{ x: number, y: number, color: string, own: boolean }[]} dots
 */
export function drawMap(context, { x, y, side }, dots) {
  context.fillStyle = "#0a0e14c4";
  context.strokeStyle = "#ffffff2a";
  context.lineWidth = 1;
  context.beginPath();
  context.roundRect(x, y, side, side, 10);
  context.fill();
  context.stroke();
  for (const dot of dots) {
    context.fillStyle = dot.color;
    disc(context, x + 4 + (dot.x / SIZE) * (side - 8), y + 4 + (dot.y / SIZE) * (side - 8), dot.own ? 3.2 : 2.2);
  }
}

/**
 * @param {Context} context
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 */
export function disc(context, x, y, radius) {
  context.beginPath();
  context.arc(x, y, Math.max(radius, 0), 0, TAU);
  context.fill();
}

/**
 * @param {Context} context
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 * @param {number} radius
 */
function bar(context, x, y, width, height, radius) {
  context.beginPath();
  context.roundRect(x, y, width, height, radius);
  context.fill();
}

/**
 * @param {Context} context
 * @param {number} fromX
 * @param {number} fromY
 * @param {number} toX
 * @param {number} toY
 */
function line(context, fromX, fromY, toX, toY) {
  context.beginPath();
  context.moveTo(fromX, fromY);
  context.lineTo(toX, toY);
  context.stroke();
}

/** @type {Map<string, string>} */
const shades = new Map();

/**
 * A colour, darker (below 1) or lighter.
 *
 * @param {string} color
 * @param {number} amount
 */
function shade(color, amount) {
  const key = `${color} ${amount}`;
  let made = shades.get(key);
  if (made === undefined) {
    const other = amount < 1 ? `#0c1017 ${Math.round((1 - amount) * 100)}%` : `#fff ${Math.round((amount - 1) * 100)}%`;
    made = `color-mix(in srgb, ${color}, ${other})`;
    shades.set(key, made);
  }
  return made;
}
