/** Pong played to its end by two pages. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Browser, LAPTOP, PHONE, inRoom, look, picture, startServer, until } from "./harness.js";

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

test("a match is played until one has all points", async () => {
  const ann = await browser.page("Ann", LAPTOP);
  const bo = await browser.page("Bo", PHONE);
  await ann.goto(`http://${server.host}/?play=pong`);
  await inRoom(ann);
  await picture(ann, "pong-laptop-waiting");
  await bo.goto(ann.url());
  await inRoom(bo);
  const table = async () => (await look(ann)).entities[0].fields;
  await until(table, ({ players }) => players[1] > 0, "both players");
  await picture(ann, "pong-laptop");
  // One stays where the first ball comes, the other hides in a corner.
  await bo.keyboard.down("ArrowUp");
  await until(table, ({ paddles }) => paddles[1] === 0, "the paddle to move");
  await until(table, ({ score }) => score[0] >= 1, "the first point");
  await picture(bo, "pong-phone");
  await ann.locator(".card[data-code=Finished]").waitFor({ timeout: 60_000 });
  await bo.locator(".card[data-code=Finished]").waitFor();
  const titles = [await ann.locator(".card h2").textContent(), await bo.locator(".card h2").textContent()];
  assert.deepEqual(titles.sort(), ["You lost", "You won"]);
  assert.match((await ann.locator(".card p").textContent()) ?? "", /7/);
  await picture(ann, "pong-laptop-over");
  assert.deepEqual(browser.failures, []);
});
