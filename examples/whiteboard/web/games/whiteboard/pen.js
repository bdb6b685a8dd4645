/**
 * The pen of this page's player: makes strokes of a line, and sends them little by little. What it has drawn is shown
 * at once, until a frame has it.
 */

/** The numbers of the rules in `src/lib.rs`. */
export const SIZE = 8192;
export const CELL = 512;
const POINTS = 48;

/** A point is at most so far from the begin of its stroke. */
const REACH = 127;

/** And this far from the one before it. */
const NEAREST = 2;

/** @typedef {{ x: number, y: number }} Spot */
/**
 * A stroke of this player's. So many points have been `told`, the last of them by the `input` of this number.
 *
 * @typedef {{ x: number, y: number, ink: string, width: number, points: number[][], told: number,
 *   input: number }} Draft
 */

export class Pen {
  ink = "Black";
  width = 4;
  /** What a frame may not have yet, oldest first. @type {Draft[]} */
  drafts = [];
  /** Where the pen is, while it is on the board. @type {Spot | null} */
  #at = null;

  /** @param {import("../../page/room.js").Room} room */
  constructor(room) {
    this.room = room;
  }

  get isDown() {
    return this.#at !== null;
  }

  /** @param {Spot} spot in units, of whole numbers */
  down(spot) {
    this.#begin(spot, false);
  }

  /** @param {Spot} spot */
  move({ x, y }) {
    const from = this.#at;
    const far = from === null ? 0 : Math.max(Math.abs(x - from.x), Math.abs(y - from.y));
    if (from === null || far < NEAREST) {
      return;
    }
    // A fast hand is seldom asked where it is.
    const parts = Math.ceil(far / (REACH - 1));
    for (let part = 1; part <= parts; part += 1) {
      const share = part / parts;
      const at = { x: from.x + (x - from.x) * share, y: from.y + (y - from.y) * share };
      this.#point({ x: Math.round(at.x), y: Math.round(at.y) });
    }
  }

  up() {
    this.tell();
    this.#at = null;
  }

  /** Sends the points that were not sent. */
  tell() {
    const draft = this.drafts.at(-1);
    if (draft && draft.told < draft.points.length) {
      this.#send(draft, { Draw: { points: draft.points.slice(draft.told) } });
      draft.told = draft.points.length;
    }
  }

  undo() {
    this.drafts.length = 0;
    this.#at = null;
    this.room.send("Undo");
  }

  /** A frame came: forgets what it shows. */
  settle() {
    const settled = this.room.client.session?.settled.number ?? 0;
    const last = this.drafts.at(-1);
    this.drafts = this.drafts.filter((draft) => draft.input > settled || (draft === last && this.isDown));
  }

  /** @param {Spot} spot */
  #point(spot) {
    const { x, y, points } = /** @type {Draft} */ (this.drafts.at(-1));
    const isFar = Math.max(Math.abs(spot.x - x), Math.abs(spot.y - y)) > REACH;
    if (isFar || points.length === POINTS) {
      this.tell();
      this.#begin(/** @type {Spot} */ (this.#at), true);
    }
    const draft = /** @type {Draft} */ (this.drafts.at(-1));
    draft.points.push([spot.x - draft.x, spot.y - draft.y]);
    this.#at = spot;
  }

  /**
   * @param {Spot} spot
   * @param {boolean} goesOn
   */
  #begin({ x, y }, goesOn) {
    const { ink, width } = this;
    const draft = { x, y, ink, width, points: [], told: 0, input: 0 };
    this.drafts.push(draft);
    this.#at = { x, y };
    this.#send(draft, { Begin: { x, y, ink, width, goes_on: goesOn } });
  }

  /**
   * @param {Draft} draft
   * @param {any} input
   */
  #send(draft, input) {
    draft.input = this.room.send(input)?.number ?? draft.input;
  }
}
