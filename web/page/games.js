/**
 * What the page says of the games: a title, a line, a picture. A game that does not stand here is shown under its name.
 */

import { playPlain } from "./plain.js";

import { svg } from "./dom.js";

/**
 * @typedef {object} GameWords
 * @property {string} title
 * @property {string} line
 * @property {string} players
 * @property {string} art
 * @property {string} badge
 */

const arenaArt = `
  <defs><radialGradient id="glow"><stop offset="0" stop-color="#54e0c7"/><stop offset="1" stop-color="#54e0c700"/></radialGradient></defs>
  <path d="M0 33h260M0 66h260M0 99h260M43 0v132M86 0v132M130 0v132M173 0v132M216 0v132" stroke="#ffffff0c"/>
  <path d="M92 76l66-21" stroke="#54e0c7" stroke-width="2" stroke-dasharray="10 7" stroke-linecap="round" opacity=".8"/>
  <circle cx="166" cy="52" r="14" fill="url(#glow)"/><circle cx="166" cy="52" r="3.5" fill="#eafffb"/>
  <g transform="translate(72 82) rotate(-18)"><rect x="8" y="-5" width="23" height="10" rx="4" fill="#2f9f8b"/><circle r="17" fill="#54e0c7"/><circle r="9" fill="#0c1017" opacity=".35"/></g>
  <g transform="translate(206 40) rotate(160)"><rect x="8" y="-5" width="23" height="10" rx="4" fill="#a8434f"/><circle r="17" fill="#ff6b74"/><circle r="9" fill="#0c1017" opacity=".35"/></g>
  <g transform="translate(136 108)"><circle r="10" fill="#7ddf8622"/><path d="M-5 0H5M0-5V5" stroke="#7ddf86" stroke-width="4" stroke-linecap="round"/></g>`;

const fourArt = () => {
  const rows = ["0000000", "0001000", "0021200", "0112120"];
  const colors = ["#0c1220", "#ff5d6c", "#ffd166"];
  const discs = rows.flatMap((row, y) =>
    [...row].map(
      (cell, x) => `<circle cx="${46 + x * 28}" cy="${20 + y * 29}" r="11" fill="${colors[Number(cell)]}"/>`,
    ),
  );
  return `<rect x="24" y="-20" width="212" height="172" rx="14" fill="#1b3778"/>${discs.join("")}`;
};

const pongArt = `
  <path d="M130 10v112" stroke="#ffffff22" stroke-width="3" stroke-dasharray="9 10"/>
  <rect x="30" y="30" width="8" height="44" rx="4" fill="#54e0c7"/><rect x="222" y="62" width="8" height="44" rx="4" fill="#ffb454"/>
  <path d="M92 72l56-20" stroke="#ffffff1a" stroke-width="9" stroke-linecap="round"/><circle cx="156" cy="49" r="7" fill="#fff"/>
  <text x="98" y="40" font-size="26" font-weight="700" fill="#ffffff44" text-anchor="middle">3</text><text x="164" y="110" font-size="26" font-weight="700" fill="#ffffff44" text-anchor="middle">2</text>`;

/** @type {Record<string, GameWords>} */
const games = {
  arena: {
    title: "Arena",
    line: "Walk, aim, shoot. Grab what helps, come back when you fall.",
    players: "up to 1,000 players",
    art: arenaArt,
    badge: `<g transform="translate(18 19) rotate(-32)"><rect x="4" y="-3" width="13" height="6" rx="2.5" fill="#2f9f8b"/><circle r="8.5" fill="#54e0c7"/></g>`,
  },
  connect4: {
    title: "Connect Four",
    line: "Drop discs in turn, against the clock. Four in a line win.",
    players: "2 players, and spectators",
    art: fourArt(),
    badge: `<g transform="translate(18 18)"><circle cx="-6" cy="-6" r="4.6" fill="#ff5d6c"/><circle cx="6" cy="-6" r="4.6" fill="#24335c"/><circle cx="-6" cy="6" r="4.6" fill="#ffd166"/><circle cx="6" cy="6" r="4.6" fill="#ff5d6c"/></g>`,
  },
  pong: {
    title: "Pong",
    line: "Two paddles, one ball. First to seven.",
    players: "2 players",
    art: pongArt,
    badge: `<rect x="7" y="9" width="4" height="15" rx="2" fill="#54e0c7"/><rect x="25" y="13" width="4" height="15" rx="2" fill="#ffb454"/><circle cx="19" cy="16" r="3" fill="#fff"/>`,
  },
};

/**
 * What to say of a game.
 *
 * @param {string} name
 * @returns {GameWords}
 */
export function gameWords(name) {
  const plain = `<path d="M95 66h70M130 31v70" stroke="#ffffff1c" stroke-width="12" stroke-linecap="round"/>`;
  const badge = `<path d="M11 18h14M18 11v14" stroke="#9aa8bb" stroke-width="3" stroke-linecap="round"/>`;
  const title = name.replace(/(^|-)(\w)/g, (_, dash, letter) => (dash && " ") + letter.toUpperCase());
  return games[name] ?? { title, line: "A game of this server.", players: "", art: plain, badge };
}

/** @param {string} name */
export function gameArt(name) {
  const drawing = svg(gameWords(name).art, "0 0 260 132");
  drawing.setAttribute("preserveAspectRatio", "xMidYMid slice");
  return drawing;
}

/** @param {string} name */
export function gameBadge(name) {
  return svg(gameWords(name).badge, "0 0 36 36");
}

/** The mark of Tiltyard. */
export function brandMark() {
  return svg(
    `<rect width="32" height="32" rx="9" fill="#17202c"/><path d="M7 10h18M16 10v14" stroke="#54e0c7" stroke-width="3.2" stroke-linecap="round"/><circle cx="24.5" cy="22.5" r="2.5" fill="#ffb454"/>`,
    "0 0 32 32",
  );
}

/**
 * What shows a game: its own script if the server has one, otherwise a table.
 *
 * @param {string} game
 * @returns {Promise<import("./room.js").Play>}
 */
export async function playOf(game) {
  try {
    return (await import(`../games/${game}/index.js`)).play;
  } catch (error) {
    console.info(`${game} has no page of its own that works:`, error);
    return playPlain;
  }
}
