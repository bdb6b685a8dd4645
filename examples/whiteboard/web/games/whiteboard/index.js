/**
 * The whiteboard's page: a part of the board on a canvas, the hands of others on it, a map of what the server sends,
 * and the tools. `pen` is what this player draws, `look` what things look like.
 */

import { h } from "../../page/dom.js";
import { INKS, colorOf, drawHand, drawLine, drawPaper, lineOf, pairs, within } from "./look.js";
import { CELL, Pen, SIZE } from "./pen.js";

/** So many units the longer side of a screen shows: less than a player is sent, wherever the cursor is on it. */
const SIGHT = 1200;

/** What the hand does is sent at most so often, in seconds. */
const SPACING = 0.05;

/** Beside the board. */
const TABLE = "#d9d5ca";

/** Pens, in units. */
const WIDTHS = [3, 7, 16];

/** @typedef {import("./pen.js").Spot} Spot */
/** @typedef {{ x: number, y: number, ink: string, width: number, begun: number, points: Uint8Array }} Stroke */
/** @typedef {import("../../page/canvas.js").Paint} Paint */

/** @type {import("../../page/room.js").Play} */
export function play(room) {
  const page = new BoardPage(room);
  return () => page.stop();
}

class BoardPage {
  #end = new AbortController();
  /**
   * What is drawn, in the order in which it was; by slot and generation, so that lines are made once.
   *
   * @type {Map<string, { stroke: Stroke, line: Path2D }>}
   */
  #strokes = new Map();
  /** What stands in the middle of the screen. */
  #camera = { x: SIZE / 2, y: SIZE / 2 };
  #screen = { width: 1, height: 1 };
  /** Where each finger, or the mouse, is on the screen. @type {Map<number, Spot>} */
  #pointers = new Map();
  /** Where the cursor is, on the screen; `null`: in the middle. @type {Spot | null} */
  #hand = null;
  #pans = false;
  #sent = "";
  #sentAt = 0;
  #tools = h("div.board-tools", { role: "toolbar", "aria-label": "Tools", hidden: true });

  /** @param {import("../../page/room.js").Room} room */
  constructor(room) {
    this.room = room;
    this.pen = new Pen(room);
    this.#addTools();
    const show = () => (this.#tools.hidden = room.spectator);
    const href = new URL("style.css", import.meta.url).href;
    this.sheet = h("link", { rel: "stylesheet", href, onLoad: show, onError: show });
    document.head.append(this.sheet);
    room.place.append(this.#tools);
    room.onFrame(() => this.#take());
    room.draw((paint, entities) => this.#draw(paint, entities));
    this.#listen();
    this.#take();
  }

  stop() {
    this.#end.abort();
    this.#tools.remove();
    this.sheet.remove();
  }

  #addTools() {
    /**
     * Of these buttons one is pressed.
     *
     * @type {(all: HTMLButtonElement[], choose: (index: number) => void) => void}
     */
    const choice = (all, choose) => {
      const press = (/** @type {number} */ chosen) => {
        all.forEach((button, index) => button.setAttribute("aria-pressed", String(index === chosen)));
        choose(chosen);
      };
      all.forEach((button, index) => button.addEventListener("click", () => press(index)));
      press(0);
    };
    const names = Object.keys(INKS);
    const inks = names.map((name) => h("button.board-ink", { title: name, "aria-label": name }));
    inks.forEach((button, index) => button.style.setProperty("--ink", INKS[names[index]]));
    choice(inks, (index) => (this.pen.ink = names[index]));
    const sizes = WIDTHS.map((width) => `${width} wide`);
    const widths = sizes.map((title) => h("button.board-width", { title, "aria-label": title }, h("i")));
    widths.forEach((button, index) => button.style.setProperty("--width", `${WIDTHS[index]}px`));
    choice(widths, (index) => (this.pen.width = WIDTHS[index]));
    const modes = ["Draw", "Move"].map((name) => h("button", {}, name));
    choice(modes, (index) => {
      this.#pans = index === 1;
      this.room.place.style.cursor = this.#pans ? "grab" : "crosshair";
    });
    const undo = h("button", { title: "Take the last line back (Ctrl+Z)", onClick: () => this.pen.undo() }, "Undo");
    const group = (/** @type {HTMLElement[]} */ ...all) => h("div", {}, ...all);
    this.#tools.append(group(...inks), group(...widths), group(...modes, undo));
  }

  #listen() {
    const { place } = this.room;
    const end = this.#end;
    place.addEventListener("pointerdown", (event) => this.#down(event), end);
    place.addEventListener("pointermove", (event) => this.#move(event), end);
    for (const type of /** @type {const} */ (["pointerup", "pointercancel"])) {
      addEventListener(type, (event) => this.#up(event), end);
    }
    place.addEventListener("contextmenu", (event) => event.preventDefault(), end);
    place.addEventListener("wheel", (event) => this.#wheel(event), { passive: false, signal: end.signal });
    addEventListener("keydown", (event) => this.#key(event), end);
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (!(event.target instanceof HTMLCanvasElement)) {
      return;
    }
    event.target.setPointerCapture(event.pointerId);
    const spot = spotOf(event);
    this.#pointers.set(event.pointerId, spot);
    if (this.#pointers.size > 1) {
      // The second finger of two that move the board: what the first one drew was not meant.
      if (this.pen.isDown) {
        this.pen.undo();
      }
    } else if (this.#look(spot)) {
      this.#pointers.clear();
    } else if (event.button === 0 && !this.#pans && !this.room.spectator) {
      this.#hand = spot;
      this.#tellHand(true);
      this.pen.down(this.#toBoard(spot));
    }
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const spot = spotOf(event);
    const before = this.#pointers.get(event.pointerId);
    if (before === undefined) {
      this.#hand = event.target instanceof HTMLCanvasElement ? spot : this.#hand;
      return;
    }
    this.#pointers.set(event.pointerId, spot);
    if (this.pen.isDown) {
      const all = event.getCoalescedEvents?.() ?? [];
      (all.length > 0 ? all : [event]).forEach((one) => this.pen.move(this.#toBoard(spotOf(one))));
      this.#hand = spot;
    } else {
      const { size } = this.#pointers;
      this.#pan((spot.x - before.x) / size, (spot.y - before.y) / size);
      this.#hand = event.pointerType === "mouse" ? spot : null;
    }
  }

  /** @param {PointerEvent} event */
  #up({ pointerId }) {
    if (this.#pointers.delete(pointerId) && this.pen.isDown) {
      this.pen.up();
    }
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    this.#pan(-event.deltaX, -event.deltaY);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = 80;
    /** @type {Record<string, [number, number]>} */
    const ways = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (event.code === "KeyZ" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.pen.undo();
    } else if (event.code in ways) {
      this.#pan(...ways[event.code]);
    }
  }

  /** Moves the board under the screen, by CSS pixels. @param {number} right @param {number} down */
  #pan(right, down) {
    const { x, y } = this.#camera;
    this.#camera = { x: within(x - right / this.#scale), y: within(y - down / this.#scale) };
  }

  /** Looks where the map is touched; false beside it. @param {Spot} spot */
  #look(spot) {
    const { left, top, side } = this.#map;
    const [x, y] = [(spot.x - left) / side, (spot.y - top) / side];
    if (x < 0 || y < 0 || x > 1 || y > 1) {
      return false;
    }
    this.#camera = { x: x * SIZE, y: y * SIZE };
    this.#hand = null;
    return true;
  }

  get #scale() {
    return Math.max(this.#screen.width, this.#screen.height) / SIGHT;
  }

  /** Where the map is, in CSS pixels. */
  get #map() {
    return { left: 14, top: 66, side: this.#screen.width < 700 ? 88 : 128 };
  }

  /** @param {Spot} spot on the screen */
  #toBoard(spot) {
    const { width, height } = this.#screen;
    const x = within(Math.round(this.#camera.x + (spot.x - width / 2) / this.#scale));
    const y = within(Math.round(this.#camera.y + (spot.y - height / 2) / this.#scale));
    return { x, y };
  }

  /** Says where the hand is, if it is elsewhere than before. @param {boolean} [now] */
  #tellHand(now = false) {
    const time = performance.now() / 1000;
    if (!now && time - this.#sentAt < SPACING) {
      return;
    }
    this.pen.tell();
    const at = this.#toBoard(this.#hand ?? { x: this.#screen.width / 2, y: this.#screen.height / 2 });
    const said = `${at.x} ${at.y}`;
    if (said !== this.#sent && this.room.send({ Move: at })) {
      this.#sent = said;
    }
    this.#sentAt = time;
  }

  /** What the last frame said of strokes. */
  #take() {
    const before = this.#strokes;
    const entities = this.room.newest().filter(({ kind, fields }) => kind === "Stroke" && fields);
    entities.sort((a, b) => a.fields?.begun - b.fields?.begun || a.slot - b.slot);
    this.#strokes = new Map();
    for (const { slot, generation, fields } of entities) {
      const stroke = /** @type {Stroke} */ (fields);
      const key = `${slot}.${generation}`;
      const known = before.get(key);
      // A stroke only grows.
      const isSame = known?.stroke.points.length === stroke.points.length;
      this.#strokes.set(key, known && isSame ? known : { stroke, line: lineOf(pairs(stroke.points)) });
    }
    this.pen.settle();
  }

  /**
   * @param {Paint} paint
   * @param {import("../../sdk/interpolation.js").Drawn[]} entities
   */
  #draw({ context, width, height }, entities) {
    this.#screen = { width, height };
    if (!this.room.spectator) {
      this.#tellHand();
    }
    const { x, y } = this.#camera;
    const scale = this.#scale;
    context.fillStyle = TABLE;
    context.fillRect(0, 0, width, height);
    context.save();
    context.translate(width / 2, height / 2);
    context.scale(scale, scale);
    context.translate(-x, -y);
    const [right, down] = [width / 2 / scale, height / 2 / scale];
    drawPaper(context, { left: x - right, top: y - down, right: x + right, bottom: y + down });
    context.lineCap = context.lineJoin = "round";
    for (const { stroke, line } of this.#strokes.values()) {
      if (Math.abs(stroke.x - x) < right + 160 && Math.abs(stroke.y - y) < down + 160) {
        drawLine(context, stroke, line);
      }
    }
    this.pen.drafts.forEach((draft) => drawLine(context, draft, lineOf(draft.points)));
    context.restore();
    const others = entities.filter(({ kind, fields }) => kind === "Cursor" && fields.owner !== this.room.player);
    for (const { fields } of others) {
      const at = { x: width / 2 + (fields.x - x) * scale, y: height / 2 + (fields.y - y) * scale };
      drawHand(context, at, { name: fields.name || `Guest ${fields.owner}`, color: colorOf(fields.owner) });
    }
    this.#drawMap(context, { right, down, others });
  }

  /**
   * The board from above: light are the cells that the server sends.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {{ right: number, down: number, others: import("../../sdk/interpolation.js").Drawn[] }} seen
   */
  #drawMap(context, { right, down, others }) {
    const { left, top, side } = this.#map;
    const [columns, scale] = [SIZE / CELL, side / SIZE];
    context.save();
    context.translate(left, top);
    context.fillStyle = "#1a222ee0";
    context.beginPath();
    context.roundRect(-5, -5, side + 10, side + 10, 10);
    context.fill();
    context.scale(scale, scale);
    context.fillStyle = "#ffffff3d";
    for (const { group } of this.room.client.replica.tables()) {
      context.fillRect((group % columns) * CELL, Math.floor(group / columns) * CELL, CELL - 40, CELL - 40);
    }
    for (const { stroke } of this.#strokes.values()) {
      context.fillStyle = stroke.ink === "Black" ? "#ffffff" : INKS[stroke.ink];
      context.fillRect(stroke.x - 50, stroke.y - 50, 100, 100);
    }
    for (const { fields } of others) {
      context.fillStyle = colorOf(fields.owner);
      context.beginPath();
      context.arc(fields.x, fields.y, 190, 0, 7);
      context.fill();
    }
    context.strokeStyle = "#54e0c7";
    context.lineWidth = 1.5 / scale;
    context.strokeRect(this.#camera.x - right, this.#camera.y - down, 2 * right, 2 * down);
    context.restore();
  }
}

/**
 * Where on the place an event is; the place fills the window.
 *
 * @param {PointerEvent} event
 * @returns {Spot}
 */
function spotOf({ clientX, clientY }) {
  return { x: clientX, y: clientY };
}
