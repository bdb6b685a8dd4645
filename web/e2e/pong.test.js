/** Pong played to its end by two pages, and pages that find each other to play it. */

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

test("two pages find a match, and who cancels searches no more", async () => {
  const [ann, bo, cy] = [
    await browser.page("Ann", LAPTOP),
    await browser.page("Bo", PHONE),
    await browser.page("Cy", LAPTOP),
  ];
  const find = async (/** @type {typeof ann} */ page) => {
    await page.goto(`http://${server.host}/`);
    await page.locator("[data-find=pong]").click();
    await page.locator("[data-match=Searching]").waitFor();
  };
  await find(cy);
  await picture(cy, "match-laptop-searching");
  await cy.getByRole("button", { name: "Cancel" }).click();
  await cy.locator("[data-find=pong]").waitFor();

  // What pages are told on the way: of states that follow quickly only the last.
  const states = async (/** @type {typeof ann} */ page) => page.evaluate(() => [...Reflect.get(globalThis, "states")]);
  for (const page of [ann, bo]) {
    await page.addInitScript(() => {
      const seen = new Set();
      Reflect.set(globalThis, "states", seen);
      const look = () => seen.add(document.querySelector("[data-match]")?.getAttribute("data-match"));
      new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
    });
  }
  await find(bo);
  await picture(bo, "match-phone-searching");
  await find(ann);
  await Promise.all([inRoom(ann), inRoom(bo)]);
  const players = async () => (await look(ann)).entities[0].fields.players;
  await until(players, (both) => both.every((/** @type {number} */ one) => one > 0), "both players");
  assert.equal(ann.url(), bo.url(), "both are in the same room");
  for (const page of [ann, bo]) {
    assert.ok((await states(page)).includes("Searching"));
  }
  await picture(bo, "match-phone-playing");
  await picture(ann, "match-laptop-playing");
  assert.deepEqual(browser.failures, []);
});

test("who goes back while the match is being joined lets the other search on at once", async () => {
  const [ann, bo] = [await browser.page("Ann", LAPTOP), await browser.page("Bo", LAPTOP)];
  // Bo's page never gets as far as the seat.
  await bo.addInitScript(() => {
    const Real = globalThis.WebSocket;
    let opened = 0;
    class Slow extends Real {
      /** @param {string} url */
      constructor(url) {
        opened += location.search.startsWith("?match") ? 1 : 0;
        super(opened > 1 ? "ws://127.0.0.1:9/" : url);
      }
    }
    Reflect.set(globalThis, "WebSocket", Slow);
  });
  await ann.goto(`http://${server.host}/?match=pong/duel`);
  await bo.goto(`http://${server.host}/?match=pong/duel`);
  await inRoom(ann);
  const left = Date.now();
  await bo.goBack();
  await ann.locator("[data-match=Searching]").waitFor();
  assert.ok(Date.now() - left < 5_000, "without waiting for the end of the reservation");
});
