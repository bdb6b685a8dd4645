/** The games of examples/, each on a server and a page of its own: a sale to its end, and a board that two draw on. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { Browser, LAPTOP, PHONE, inRoom, look, picture, startServer, until } from "./harness.js";

/** @typedef {import("playwright-core").Page} Page */

/** @type {Browser} */
let browser;

before(async () => {
  browser = await Browser.launch();
});

after(async () => {
  await browser?.close();
});

/** @param {string} name */
function serve(name) {
  const web = fileURLToPath(new URL(`../../examples/${name}/web`, import.meta.url));
  return startServer(["--web", web], name);
}

/**
 * The fields of all entities of a kind.
 *
 * @param {Page} page
 * @param {string} wanted
 */
async function pick(page, wanted) {
  return (await look(page)).entities.filter(({ kind }) => kind === wanted).map(({ fields }) => fields);
}

test("a lot goes to the highest limit, which nobody else learns, and the sale ends with its result", async () => {
  const server = await serve("auction");
  const [ann, bo] = [await browser.page("Ann", LAPTOP), await browser.page("Bo", PHONE)];
  const titles = ["Harbour at dusk, oil on canvas", "Walnut writing desk with a secret drawer"];
  const lots = titles.map((title) => ({ title, start: 45_000 }));
  const request = { method: "POST", headers: { "content-type": "application/json" } };
  const body = JSON.stringify({ game: "auction", config: { seconds_per_lot: 8, lots } });
  const answer = await fetch(`http://${server.host}/api/rooms`, { ...request, body });
  const { room } = await answer.json();
  for (const page of [ann, bo]) {
    await page.goto(`http://${server.host}/rooms/${room}`);
    await inRoom(page);
  }
  await picture(ann, "auction-laptop-waiting");
  const lot = async () => (await pick(ann, "Lot")).find(({ number }) => number === 0);
  await until(lot, ({ phase }) => phase === "Open", "the first lot");

  await bo.getByPlaceholder("Up to").fill("600.50");
  await bo.getByRole("button", { name: "Bid for me" }).click();
  await until(lot, ({ price }) => price === 45_000, "the house to bid the start");
  await ann.getByRole("button", { name: "Bid €" }).click();
  await until(lot, ({ price }) => price === 47_000, "the house to bid more than Ann");
  await ann.locator(".auction[data-outbid]").waitFor();
  assert.match((await ann.locator(".auction-leader").textContent()) ?? "", /You are outbid by Bo/);
  assert.match((await bo.locator(".auction-leader").textContent()) ?? "", /You lead, after 3 bids/);
  assert.deepEqual((await pick(bo, "Limit")).map(({ cents }) => cents), [60_050]);
  assert.deepEqual((await pick(ann, "Limit")).map(({ cents }) => cents), [0]);
  await picture(ann, "auction-laptop");
  await picture(bo, "auction-phone");

  await bo.locator(".auction[data-short]").waitFor();
  await picture(bo, "auction-phone-short");
  await until(lot, ({ phase }) => phase === "Sold", "the hammer");
  await ann.getByText("Sold to Bo").waitFor();
  await ann.waitForTimeout(400);
  await picture(ann, "auction-laptop-sold");
  await ann.locator(".card[data-code=Finished]").waitFor({ timeout: 40_000 });
  assert.match((await bo.locator(".card p").textContent()) ?? "", /You bought 1 lot for €\u202f470/);
  await picture(bo, "auction-phone-over");
  assert.deepEqual(browser.failures, []);
  await server.stop();
});

/**
 * Draws through points with a finger.
 *
 * @param {Page} page
 * @param {[number, number][]} points
 */
async function touch(page, points) {
  const devtools = await page.context().newCDPSession(page);
  const send = (/** @type {any} */ type, /** @type {[number, number][]} */ at) =>
    devtools.send("Input.dispatchTouchEvent", { type, touchPoints: at.map(([x, y]) => ({ x, y })) });
  await send("touchStart", [points[0]]);
  for (const point of points.slice(1)) {
    await send("touchMove", [point]);
  }
  await send("touchEnd", []);
}

/**
 * Draws through points with the mouse.
 *
 * @param {Page} page
 * @param {[number, number][]} points
 */
async function drag(page, points) {
  await page.mouse.move(...points[0]);
  await page.mouse.down();
  for (const point of points.slice(1)) {
    await page.mouse.move(...point, { steps: 2 });
  }
  await page.mouse.up();
}

/**
 * A round line.
 *
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 * @returns {[number, number][]}
 */
function circle(x, y, radius) {
  const turn = (/** @type {number} */ step) => (step / 24) * 2 * Math.PI;
  const turns = Array.from({ length: 25 }, (_, step) => turn(step));
  return turns.map((angle) => [x + radius * Math.cos(angle), y + radius * Math.sin(angle)]);
}

test("two draw on one board, see each other's hands, and take back what is their own", async () => {
  const server = await serve("whiteboard");
  const [ann, bo] = [await browser.page("Ann", LAPTOP), await browser.page("Bo", PHONE)];
  await ann.goto(`http://${server.host}/?play=whiteboard`);
  await inRoom(ann);
  await bo.goto(ann.url());
  await inRoom(bo);
  await ann.getByRole("button", { name: "Blue" }).click();
  await drag(ann, circle(500, 330, 110));
  await ann.getByRole("button", { name: "Red" }).click();
  await ann.getByRole("button", { name: "7 wide" }).click();
  await drag(ann, [[700, 260], [740, 420], [790, 250], [830, 430], [880, 250]]);
  const lines = async (/** @type {Page} */ page) => {
    const drawn = await pick(page, "Stroke");
    return drawn.map(({ owner, ink, x, y }) => `${owner} ${ink} ${x} ${y}`).sort();
  };
  await bo.getByRole("button", { name: "Green" }).click();
  await bo.getByRole("button", { name: "16 wide" }).click();
  await touch(bo, [[110, 540], [160, 600], [280, 480]]);
  const count = (/** @type {string[]} */ drawn, /** @type {string} */ ink) =>
    drawn.filter((line) => line.includes(ink)).length;
  const all = await until(
    () => lines(bo),
    (drawn) => ["Blue", "Red", "Green"].every((ink) => count(drawn, ink) > 0),
    "all lines at Bo's",
  );
  assert.ok(count(all, "Blue") > 3, "a long line is several strokes");
  await until(
    async () => [await lines(ann), await lines(bo)],
    ([one, other]) => String(one) === String(other),
    "the same at Ann's",
  );
  await ann.mouse.move(640, 480);
  await until(
    () => pick(bo, "Cursor"),
    (hands) => hands.length === 2,
    "both hands",
  );
  await bo.waitForTimeout(500);
  await picture(ann, "whiteboard-laptop");
  await picture(bo, "whiteboard-phone");

  await ann.keyboard.press("Control+z");
  const left = await until(
    () => lines(bo),
    (drawn) => count(drawn, "Red") === 0,
    "the red line to go",
  );
  assert.ok(count(left, "Blue") > 3 && count(left, "Green") > 0);
  await bo.getByRole("button", { name: "Undo" }).click();
  await until(
    () => lines(ann),
    (drawn) => count(drawn, "Green") === 0,
    "the green line to go",
  );

  // Far away nothing of it is sent.
  await bo.touchscreen.tap(20, 72);
  await until(
    () => lines(bo),
    (drawn) => drawn.length === 0,
    "an empty corner",
  );
  await bo.waitForTimeout(300);
  await picture(bo, "whiteboard-phone-corner");
  assert.deepEqual(browser.failures, []);
  await server.stop();
});
