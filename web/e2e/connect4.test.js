/** Connect four played to its end by two pages while a third watches; then a rematch and a resignation. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Browser, LAPTOP, PHONE, inRoom, look, picture, startServer, until } from "./harness.js";

/** @typedef {import("playwright-core").Page} Page */

/** @type {Awaited<ReturnType<typeof startServer>>} */
let server;
/** @type {Browser} */
let browser;

before(async () => {
  server = await startServer();
  browser = await Browser.launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** @param {Page} page */
async function board(page) {
  return (await look(page)).entities.find(({ kind }) => kind === "Board")?.fields;
}

/** @param {Page} page */
function status(page) {
  return page.locator(".four-status").textContent();
}

/**
 * Drops a disc as a player does: by a click on the column.
 *
 * @param {Page} page
 * @param {number} column
 */
async function drop(page, column) {
  const discs = async () =>
    (await board(page))?.cells.flat().filter((/** @type {string} */ cell) => cell !== "None").length;
  const before = await discs();
  await page.locator(`.four-column:nth-child(${column + 1}):enabled`).click();
  await until(discs, (count) => count === before + 1, "the disc to fall");
}

test("a match is played to four in a line, watched, and played again", async () => {
  const ann = await browser.page("Ann", LAPTOP);
  const bo = await browser.page("Bo", PHONE);
  const cy = await browser.page("Cy", LAPTOP);
  await ann.goto(`http://${server.host}/?play=connect4`);
  await inRoom(ann);
  assert.equal(await status(ann), "Waiting for another player");
  await bo.goto(ann.url());
  await inRoom(bo);
  await cy.goto(`${ann.url()}?watch`);
  await inRoom(cy);
  await until(
    () => status(ann),
    (words) => words === "Your move",
    "the first turn",
  );

  await play(ann, bo, 17);
  await picture(ann, "connect4-laptop");
  await picture(bo, "connect4-phone");
  await play(ann, bo, 42);

  await until(
    () => board(cy),
    (seen) => seen?.phase === "Over",
    "the end at the spectator",
  );
  const red = await board(ann);
  assert.equal(red.winner, "Red");
  assert.equal(await status(ann), "You won: four in a line");
  assert.equal(await status(bo), "Ann won: four in a line");
  assert.equal(await status(cy), "Ann won: four in a line");
  assert.equal(await cy.locator(".four-column:enabled").count(), 0, "who watches has nothing to click");
  await picture(ann, "connect4-laptop-won");
  await picture(bo, "connect4-phone-lost");

  await ann.getByRole("button", { name: "Rematch" }).click();
  await bo.getByRole("button", { name: "Accept the rematch" }).click();
  await until(
    () => status(bo),
    (words) => words === "Your move",
    "the other one to begin",
  );
  await drop(bo, 0);
  await ann.getByRole("button", { name: "Resign" }).click();
  await until(
    () => status(bo),
    (words) => words === "You won: the other gave up",
    "the resignation",
  );
  assert.deepEqual(browser.failures, []);
});

/**
 * Plays until so many discs are on the board or the match is over. Red takes a win when there is one; yellow never does, and
 * leaves it to red.
 *
 * @param {Page} red
 * @param {Page} yellow
 * @param {number} discs
 */
async function play(red, yellow, discs) {
  for (;;) {
    const { cells, phase, turn } = await board(red);
    const count = cells.flat().filter((/** @type {string} */ cell) => cell !== "None").length;
    if (phase === "Over" || count >= discs) {
      return;
    }
    await drop(turn === "Red" ? red : yellow, choose(cells, turn, count));
  }
}

/**
 * @param {string[][]} cells
 * @param {string} turn
 * @param {number} count of discs
 */
function choose(cells, turn, count) {
  // From the middle outwards, beginning elsewhere each time.
  const order = [3, 2, 4, 1, 5, 0, 6].map((_, place, all) => all[(place + count) % 7]);
  const open = order.filter((column) => cells[5][column] === "None");
  const wins = open.find((column) => completes(cells, column, "Red"));
  if (turn === "Red" && count > 18) {
    return wins ?? open[0];
  }
  return open.find((column) => !completes(cells, column, "Red") && !completes(cells, column, "Yellow")) ?? open[0];
}

/**
 * @param {string[][]} cells
 * @param {number} column
 * @param {string} color
 */
function completes(cells, column, color) {
  const row = cells.findIndex((line) => line[column] === "None");
  const run = (/** @type {number} */ up, /** @type {number} */ right) => {
    let length = 0;
    while (cells[row + up * (length + 1)]?.[column + right * (length + 1)] === color) {
      length += 1;
    }
    return length;
  };
  const lines = [
    [0, 1],
    [1, 0],
    [1, 1],
    [1, -1],
  ];
  return lines.some(([up, right]) => run(up, right) + run(-up, -right) >= 3);
}
