/**
 * Connect four's page: the board, whose turn it is and how long still, who watches. It shows what the last frame said; the
 * only thing of its own is that a disc is seen falling.
 */

import { fill, h, mark, toast } from "../../page/dom.js";
import { beep } from "../../page/sound.js";
import { endings, refusals } from "./words.js";

const COLUMNS = 7;
const ROWS = 6;
const NOBODY = "None";

/** The clock turns red when so many seconds are left. */
const SHORT = 8;

/** @typedef {"None" | "Red" | "Yellow"} Color */
/** @typedef {{ cells: Color[][], four: number[], phase: "Waiting" | "Playing" | "Over", turn: Color, winner: Color, deadline: number }} Board */
/** @typedef {{ player: number, color: Color, rematch: boolean, wins: number, name: string }} Person */

/** @type {import("../../page/room.js").Play} */
export function play(room) {
  const page = new FourPage(room);
  return () => page.stop();
}

class FourPage {
  /** @type {Color[]} What stood in each cell when it was shown last. */
  #shown = Array(COLUMNS * ROWS).fill(NOBODY);
  #columns = Array.from({ length: COLUMNS }, (_, column) => this.#column(column));
  #board = h("div.four-board", {}, ...this.#columns);
  #status = h("div.four-status", { role: "status" });
  #players = { Red: playerCard("Red"), Yellow: playerCard("Yellow") };
  #watchers = h("p.four-watchers");
  #resign = h("button.danger", { onClick: () => this.room.send("Resign") }, "Resign");
  #rematch = h("button.primary", { onClick: () => this.room.send("Rematch") }, "Rematch");
  /** What a whole turn takes, in ticks: seen when it begins. */
  #turnTicks = 1;
  #deadline = 0;
  #ending = "";
  /** @type {ReturnType<typeof setInterval>} */
  #timer;

  /** @param {import("../../page/room.js").Room} room */
  constructor(room) {
    this.room = room;
    const side = h(
      "aside.four-side",
      {},
      this.#status,
      this.#players.Red.card,
      this.#players.Yellow.card,
      h("div.four-actions", {}, this.#rematch, this.#resign),
      this.#watchers,
    );
    this.view = h("div.four", {}, this.#board, side);
    room.place.append(this.view);
    room.onFrame(() => this.#show());
    room.onEvent((event) => this.#handle(event));
    this.#timer = setInterval(() => this.#showClock(), 100);
    this.#show();
  }

  stop() {
    clearInterval(this.#timer);
    this.view.remove();
  }

  /** @param {number} column */
  #column(column) {
    const drop = () => this.room.send({ Drop: { column } });
    const button = h("button.four-column", { "aria-label": `Column ${column + 1}`, onClick: drop });
    for (let row = 0; row < ROWS; row += 1) {
      button.append(h("div.four-cell"));
    }
    return button;
  }

  /** What the last frame said. */
  #state() {
    const entities = this.room.newest();
    const board = /** @type {Board | undefined} */ (entities.find(({ kind }) => kind === "Board")?.fields);
    const people = /** @type {Person[]} */ (
      entities.filter(({ kind }) => kind === "Person").map(({ fields }) => fields)
    );
    return { board, people: people.sort((a, b) => a.player - b.player) };
  }

  #show() {
    const { board, people } = this.#state();
    if (!board) {
      return;
    }
    const own = people.find(({ player }) => player === this.room.player);
    const color = own?.color ?? NOBODY;
    if (board.deadline !== this.#deadline) {
      this.#deadline = board.deadline;
      this.#turnTicks = Math.max(board.deadline - this.room.client.clock.newest, 1);
    }
    const yours = board.phase === "Playing" && board.turn === color && color !== NOBODY;
    this.#showBoard(board, yours, color);
    this.#showPeople(board, people);
    this.#status.textContent = this.#words(board, people, color);
    this.#resign.hidden = board.phase !== "Playing" || color === NOBODY;
    this.#rematch.hidden = board.phase !== "Over" || color === NOBODY;
    this.#rematch.disabled = own?.rematch ?? false;
    const other = people.find((person) => person.color !== NOBODY && person.color !== color);
    this.#rematch.textContent = own?.rematch
      ? "Waiting for the other"
      : other?.rematch
        ? "Accept the rematch"
        : "Rematch";
    this.#showClock();
  }

  /**
   * @param {Board} board
   * @param {boolean} yours whether it is the turn of who sits here
   * @param {Color} color
   */
  #showBoard(board, yours, color) {
    mark(this.#board, "over", board.phase === "Over" && board.winner !== NOBODY);
    this.#columns.forEach((button, column) => {
      const next = board.cells.findIndex((row) => row[column] === NOBODY);
      button.disabled = !yours || next < 0;
      for (let row = 0; row < ROWS; row += 1) {
        const cell = /** @type {HTMLElement} */ (button.children[ROWS - 1 - row]);
        const number = row * COLUMNS + column;
        const won = board.four.includes(number);
        this.#showCell(cell, number, board.cells[row][column], won, yours && row === next ? color : null);
      }
    });
  }

  /**
   * @param {HTMLElement} cell
   * @param {number} number
   * @param {Color} disc
   * @param {boolean} won
   * @param {Color | null} hint the colour of a disc that would come to rest here
   */
  #showCell(cell, number, disc, won, hint) {
    const fell = disc !== this.#shown[number] && disc !== NOBODY;
    const told = `${disc} ${won} ${hint}`;
    if (!fell && cell.dataset.told === told) {
      return;
    }
    cell.dataset.told = told;
    this.#shown[number] = disc;
    if (disc === NOBODY) {
      fill(cell, hint && h("i.hint", { className: `hint ${hint}` }));
      return;
    }
    const shown = h("i", { className: disc });
    shown.classList.toggle("won", won);
    const above = ROWS - Math.floor(number / COLUMNS);
    shown.style.setProperty("--rows", String(above));
    shown.classList.toggle("falls", fell);
    fill(cell, shown);
  }

  /**
   * @param {Board} board
   * @param {Person[]} people
   */
  #showPeople(board, people) {
    for (const color of /** @type {const} */ (["Red", "Yellow"])) {
      const { card, name, about, wins } = this.#players[color];
      const person = people.find((other) => other.color === color);
      name.textContent = person ? nameOf(person) : "Nobody yet";
      about.textContent = person?.player === this.room.player ? "you" : person?.rematch ? "wants a rematch" : "";
      wins.textContent = person ? String(person.wins) : "";
      mark(card, "turn", board.phase === "Playing" && board.turn === color);
    }
    const watching = people.filter(({ color }) => color === NOBODY).map(nameOf);
    this.#watchers.textContent = watching.length > 0 ? `Watching: ${watching.join(", ")}` : "";
  }

  #showClock() {
    const { board } = this.#state();
    const left = Math.max(this.#deadline - this.room.client.clock.time(performance.now()), 0);
    const seconds = (left * this.room.client.clock.tickMs) / 1000;
    for (const color of /** @type {const} */ (["Red", "Yellow"])) {
      const { clock } = this.#players[color];
      clock.hidden = board?.phase !== "Playing" || board.turn !== color;
      clock.style.width = `${Math.min(left / this.#turnTicks, 1) * 100}%`;
      clock.title = `${Math.ceil(seconds)} s`;
      mark(clock, "short", seconds < SHORT);
    }
  }

  /**
   * @param {Board} board
   * @param {Person[]} people
   * @param {Color} color
   */
  #words(board, people, color) {
    const named = (/** @type {Color} */ wanted) => {
      const person = people.find((other) => other.color === wanted);
      return person ? nameOf(person) : wanted;
    };
    switch (board.phase) {
      case "Waiting":
        return "Waiting for another player";
      case "Playing":
        return board.turn === color ? "Your move" : `${named(board.turn)} is thinking`;
      default: {
        const result =
          board.winner === NOBODY ? "A draw" : board.winner === color ? "You won" : `${named(board.winner)} won`;
        this.room.result = { title: result, text: this.#ending || "The match is over." };
        return this.#ending ? `${result}: ${this.#ending}` : result;
      }
    }
  }

  /** @param {any} event */
  #handle(event) {
    const [name, told] = Object.entries(event)[0];
    if (name === "Dropped") {
      beep({ from: told.color === "Red" ? 330 : 392, to: 130, seconds: 0.16, volume: 0.5 });
    } else if (name === "Started") {
      this.#ending = "";
      beep({ from: 392, to: 588, seconds: 0.25, shape: "sine" });
    } else if (name === "Ended") {
      this.#ending = endings[told.ending] ?? "";
      beep({ from: 523, to: 784, seconds: 0.5, shape: "sine", volume: 0.6 });
    } else if (name === "Refused") {
      toast(refusals[told.why] ?? "That is not allowed.", { bad: true });
    }
    this.#show();
  }
}

/** @param {Person} person */
function nameOf({ name, player }) {
  return name || `Player ${player}`;
}

/** @param {Color} color */
function playerCard(color) {
  const name = h("b");
  const about = h("small");
  const wins = h("span.wins", { title: "Matches won" });
  const clock = h("div.clock");
  const disc = h("span.disc", { className: `disc ${color}` });
  const card = h("div.four-player", {}, disc, h("div", {}, name, about), wins, clock);
  return { card, name, about, wins, clock };
}
