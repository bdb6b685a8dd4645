/** Whatever happens to a page, its player comes back to the own seat; and who leaves leaves no ghost. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Browser, Cable, inRoom, look, startServer, until } from "./harness.js";

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
function room(page) {
  return page.evaluate(() => Reflect.get(globalThis, "tiltyard").client.session.seat.room);
}

/** @param {string} id */
async function players(id) {
  const answer = await fetch(`http://${server.host}/api/rooms/${id}`);
  assert.ok(answer.ok || answer.status === 404, `the server says ${answer.status}`);
  return answer.ok ? (await answer.json()).players : 0;
}

/** @param {Page} page */
async function player(page) {
  await inRoom(page);
  return (await look(page)).player;
}

/**
 * Opens a page in a room of its own.
 *
 * @param {Page} page
 * @param {string} [host]
 */
async function open(page, host = server.host) {
  const init = { method: "POST", headers: { "content-type": "application/json" } };
  const body = JSON.stringify({ game: "arena", private: true });
  const answer = await fetch(`http://${server.host}/api/rooms`, { ...init, body });
  await page.goto(`http://${host}/rooms/${(await answer.json()).room}`);
}

/**
 * Waits until frames come, with the newest tick moving on.
 *
 * @param {Page} page
 */
async function plays(page) {
  await inRoom(page);
  await page.locator(".line-state[data-state=in]").waitFor();
  const { tick } = await look(page);
  await until(
    async () => (await look(page)).tick,
    (now) => now > tick + 5,
    "frames",
  );
}

for (const how of /** @type {const} */ (["cut", "silence"])) {
  test(`a page whose line is gone for 5 s by ${how} says so, and is back in its seat`, async () => {
    const cable = new Cable(server.host);
    const page = await browser.page("Ann");
    await open(page, await cable.open());
    const before = await player(page);
    await plays(page);
    cable[how]();
    const gone = Date.now();
    await page.locator(".banner", { hasText: "Your seat is kept for" }).waitFor();
    assert.ok(Date.now() - gone < 6500, "noticed in time");
    await new Promise((resolve) => setTimeout(resolve, Math.max(gone + 5000 - Date.now(), 0)));
    cable.mend();
    const mended = Date.now();
    await plays(page);
    assert.ok(Date.now() - mended < 3500, `back after ${Date.now() - mended} ms`);
    assert.equal(await player(page), before);
    assert.equal(await players(await room(page)), 1);
    assert.equal((await look(page)).counts.mismatches, 0);
    cable.close();
    await page.context().close();
  });
}

test("a tab that the phone kills and loads again has its own seat", async () => {
  const page = await browser.page("Ann");
  await page.goto(`http://${server.host}/?play=pong`);
  const before = await player(page);
  const id = await room(page);
  const bo = await browser.page("Bo");
  await bo.goto(page.url());
  await inRoom(bo);
  const killed = await page.context().newCDPSession(page);
  const crashed = new Promise((resolve) => page.once("crash", resolve));
  killed.send("Page.crash").catch(() => {});
  await crashed;
  await killed.send("Page.navigate", { url: page.url() });
  const seen = async () => {
    const expression = `globalThis.tiltyard?.client.player`;
    return (await killed.send("Runtime.evaluate", { expression, returnByValue: true })).result.value;
  };
  assert.equal(await until(seen, (now) => now !== undefined, "the seat"), before);
  assert.equal(await players(id), 2, "and no ghost sits beside it");
  await page.context().close();
  await bo.context().close();
});

test("a reload has its own seat", async () => {
  const page = await browser.page("Ann");
  await page.goto(`http://${server.host}/?play=pong`);
  const before = await player(page);
  await page.reload();
  assert.equal(await player(page), before);
  assert.equal(await players(await room(page)), 1);
  await page.context().close();
});

test("back and forward again has its own seat; only back gives it up", async () => {
  const page = await browser.page("Ann");
  await page.goto(`http://${server.host}/`);
  await page.locator("[data-play=arena]").click();
  const before = await player(page);
  const id = await room(page);
  await page.goBack();
  await page.locator("[data-play=arena]").waitFor();
  await page.goForward();
  await plays(page);
  assert.equal(await player(page), before);
  assert.equal(await players(id), 1);
  await page.goBack();
  await until(
    () => players(id),
    (count) => count === 0,
    "the seat to be given up",
  );
  await page.context().close();
});

test("to another document and back is one's own seat, from the page cache or without it", async () => {
  const page = await browser.page("Ann");
  await open(page);
  const before = await player(page);
  await page.goto(`http://${server.host}/api/version`);
  await page.goBack();
  await plays(page);
  assert.equal(await player(page), before);
  assert.equal(await players(await room(page)), 1);
  await page.context().close();
});

test("who goes back while the room is being joined leaves no ghost", async () => {
  const page = await browser.page("Ann");
  await page.goto(`http://${server.host}/`);
  for (let round = 0; round < 3; round += 1) {
    await page.locator("[data-play=connect4]").click();
    await page.goBack();
    await page.locator("[data-play=connect4]").waitFor();
  }
  const all = async () => (await (await fetch(`http://${server.host}/api/rooms?game=connect4`)).json()).rooms;
  await until(
    async () => (await all()).reduce((/** @type {number} */ sum, /** @type {any} */ { players }) => sum + players, 0),
    (count) => count === 0,
    "an empty room",
    5000,
  );
  const bo = await browser.page("Bo");
  await bo.goto(`http://${server.host}/?play=connect4`);
  await inRoom(bo);
  assert.equal(await bo.locator(".four-status").textContent(), "Waiting for another player");
  await page.context().close();
  await bo.context().close();
});

test("who goes back while the own seat is being taken again leaves no ghost", async () => {
  const cable = new Cable(server.host);
  const page = await browser.page("Ann");
  await page.goto(`http://${await cable.open()}/`);
  await page.locator("[data-play=pong]").click();
  await inRoom(page);
  const id = await room(page);
  await page.goBack();
  await page.locator("[data-play=pong]").waitFor();
  cable.silence();
  await page.evaluate(() => history.forward());
  await page.locator(".veil", { hasText: "Joining the room" }).waitFor();
  await page.evaluate(() => history.back());
  await page.locator(".veil").waitFor({ state: "detached" });
  cable.mend();
  await until(
    () => players(id),
    (count) => count === 0,
    "the seat to be given up",
    5000,
  );
  cable.close();
  await page.context().close();
});

test("of two tabs with one seat the older one says so, and both stay as they are", async () => {
  const page = await browser.page("Ann");
  await open(page);
  const before = await player(page);
  const kept = await until(
    () => page.evaluate(() => sessionStorage.getItem("tiltyard.seat")),
    (text) => text !== null,
    "the seat to be kept",
  );
  const copy = await page.context().newPage();
  await copy.addInitScript((text) => sessionStorage.setItem("tiltyard.seat", String(text)), kept);
  await copy.goto(page.url());
  assert.equal(await player(copy), before);
  await page.locator(".card[data-code=TakenOver]").waitFor();
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await plays(copy);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal(await page.locator(".card[data-code=TakenOver]").count(), 1);
  assert.equal(await copy.locator(".line-state").getAttribute("data-state"), "in");
  await page.context().close();
});

test("the home page is told of a line that died in silence, and its list comes back", async () => {
  const cable = new Cable(server.host);
  const page = await browser.page("Ann");
  await page.goto(`http://${await cable.open()}/`);
  await page.locator(".line-state[data-state=in]").waitFor();
  cable.silence();
  const gone = Date.now();
  await page.locator(".line-state[data-state=reconnecting]").waitFor();
  assert.ok(Date.now() - gone < 6500);
  cable.mend();
  await page.locator(".line-state[data-state=in]").waitFor();
  cable.close();
  await page.context().close();
});

test("all went well inside of the pages", () => {
  assert.deepEqual(browser.failures, []);
});
