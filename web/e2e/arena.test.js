/**
 * Two pages in one arena room: they meet by link, walk, shoot, score and see each other; one goes offline for three
 * seconds and is back in its seat with exact state.
 */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Browser, Cable, LAPTOP, PHONE, inRoom, look, picture, startServer, until } from "./harness.js";

/** @typedef {import("playwright-core").Page} Page */

/** @type {Awaited<ReturnType<typeof startServer>>} */
let server;
/** @type {Browser} */
let browser;
/** @type {Cable} */
let cable;

before(async () => {
  server = await startServer();
  browser = await Browser.launch();
  cable = new Cable(server.host);
});

after(async () => {
  await browser?.close();
  cable?.close();
  await server?.stop();
});

/**
 * A player's fighter as a page sees it.
 *
 * @param {Page} page
 * @param {number} [player] default the page's own
 */
async function fighter(page, player) {
  const { entities, player: own, tick } = await look(page);
  const found = entities.find(({ kind, fields }) => kind === "Fighter" && fields.owner === (player ?? own));
  return found && { ...found.fields, slot: found.slot, generation: found.generation, tick };
}

/**
 * Walks by the keyboard until the fighter is near a place.
 *
 * @param {Page} page
 * @param {{ x: number, y: number }} to
 * @param {number} near
 */
async function walk(page, to, near) {
  const keys = /** @type {const} */ ([
    ["KeyD", "x", 1],
    ["KeyA", "x", -1],
    ["KeyS", "y", 1],
    ["KeyW", "y", -1],
  ]);
  const held = new Set();
  await until(
    async () => {
      const at = await fighter(page);
      const away = { x: to.x - at.x, y: to.y - at.y };
      for (const [key, axis, sign] of keys) {
        const wanted = away[axis] * sign > near / 2;
        if (wanted !== held.has(key)) {
          await page.keyboard[wanted ? "down" : "up"](key);
          held[wanted ? "add" : "delete"](key);
        }
      }
      return Math.hypot(away.x, away.y);
    },
    (distance) => distance <= near,
    "the fighter to arrive",
    30_000,
  );
  for (const key of held) {
    await page.keyboard.up(key);
  }
}

/**
 * Points the mouse at somebody.
 *
 * @param {Page} page
 * @param {number} victim
 */
async function aim(page, victim) {
  const [from, to] = [await fighter(page), await fighter(page, victim)];
  const { width, height } = /** @type {{ width: number, height: number }} */ (page.viewportSize());
  const angle = Math.atan2(to.y - from.y, to.x - from.x);
  await page.mouse.move(width / 2 + Math.cos(angle) * 220, height / 2 + Math.sin(angle) * 220);
}

test("two pages meet by link, see each other, shoot and score", async () => {
  const ada = await browser.page("Ada", LAPTOP);
  const bo = await browser.page("Bo", PHONE);
  await ada.goto(`http://${server.host}/`);
  await ada.locator("[data-play=arena]").click();
  await inRoom(ada);
  assert.match(ada.url(), /\/rooms\/[0-9a-f-]{36}$/);
  await bo.goto(`http://${await cable.open()}${new URL(ada.url()).pathname}?verify`);
  await inRoom(bo);
  const first = await fighter(ada);
  await walk(ada, { x: first.x, y: first.y + (first.y < 1024 ? 60 : -60) }, 20);
  await ada.evaluate(() => localStorage.setItem("tiltyard.graph", "on"));
  await ada.goto(`${ada.url()}?verify`);
  await inRoom(ada);

  const [one, other] = [await look(ada), await look(bo)];
  assert.notEqual(one.player, other.player, "the page that was loaded again has its seat back, the other one its own");
  assert.equal(one.player, 1, "a reload keeps the seat");

  const stands = await fighter(bo);
  const side = stands.x < 1024 ? 1 : -1;
  await walk(ada, { x: stands.x + side * 130, y: stands.y }, 24);
  assert.equal((await fighter(ada, other.player)).name, "Bo");
  assert.equal((await fighter(bo, one.player)).name, "Ada");

  await aim(ada, other.player);
  await ada.mouse.down();
  await until(
    async () => {
      // She may have walked on a little after her keys were up: who misses aims again.
      await aim(ada, other.player);
      return fighter(bo);
    },
    (own) => own.hp < 80,
    "the first hits",
  );
  await picture(ada, "arena-laptop");
  await picture(bo, "arena-phone");
  await bo.locator(".arena-down").waitFor();
  await ada.mouse.up();
  await picture(bo, "arena-phone-down");
  await ada.locator(".arena-feed li").first().waitFor();
  await picture(ada, "arena-laptop-kill");
  await until(
    () => fighter(ada),
    (own) => own.score === 1,
    "the score",
  );
  await until(
    () => fighter(bo),
    (own) => own.hp === 100 && own.returns === 1,
    "the return",
  );
  await until(
    () => fighter(bo, one.player),
    (seen) => !seen || seen.score === 1,
    "the score at the other",
  );

  await thumbs(bo);
  await offline(bo);
  const { counts } = await look(ada);
  assert.equal(counts.mismatches + counts.badFrames, 0);
  assert.ok(counts.verified > 50, `${counts.verified} frames proved themselves`);
  assert.deepEqual(browser.failures, []);
});

for (const [name, screen] of Object.entries({ laptop: LAPTOP, phone: PHONE })) {
  test(`on a ${name} the graph's numbers stay inside of it, however bad the line`, async () => {
    const page = await browser.page("Cy", screen);
    await page.addInitScript(() => localStorage.setItem("tiltyard.graph", "on"));
    await page.goto(`http://${server.host}/?play=arena`);
    await inRoom(page);
    await page.locator(".graph dd").last().waitFor();
    const left = await page.locator(".graph").evaluate((graph) => {
      const cells = [...graph.querySelectorAll("dd")];
      const worst = ["1000 ms", "1000 ms", "100 %", "-12 ticks", "1000 ms", "123.4k/s", "1000", "ok ×72000"];
      const ends = cells.map((cell, index) => {
        cell.textContent = worst[index];
        const text = document.createRange();
        text.selectNodeContents(cell);
        return text;
      });
      const right = Math.max(...ends.map((text) => text.getBoundingClientRect().right));
      return graph.getBoundingClientRect().right - right;
    });
    assert.ok(left >= 5, `${left} px are left to its border`);
    await page.context().close();
    assert.deepEqual(browser.failures, []);
  });
}

/**
 * Walks and fires by the two sticks.
 *
 * @param {Page} page
 */
async function thumbs(page) {
  const devtools = await page.context().newCDPSession(page);
  const touch = (/** @type {any} */ type, /** @type {any[]} */ touchPoints) =>
    devtools.send("Input.dispatchTouchEvent", { type, touchPoints });
  const start = await fighter(page);
  const way = start.x < 1024 ? 40 : -40;
  const [left, right] = [
    { x: 90, y: 720, id: 0 },
    { x: 300, y: 720, id: 1 },
  ];
  await touch("touchStart", [left, right]);
  await touch("touchMove", [
    { ...left, x: left.x + way },
    { ...right, y: right.y - 50 },
  ]);
  await until(
    () => fighter(page),
    ({ x }) => Math.abs(x - start.x) > 40,
    "the thumb to walk",
  );
  await until(
    async () =>
      (await look(page)).entities.filter(({ kind, fields }) => kind === "Shot" && fields.owner === start.owner),
    (shots) => shots.length > 0,
    "the thumb to fire",
  );
  await picture(page, "arena-phone-thumbs");
  await touch("touchEnd", []);
  const stopped = await until(
    async () => [await fighter(page), await pause(200).then(() => fighter(page))],
    ([a, b]) => a.x === b.x && a.y === b.y,
    "the fighter to stand",
  );
  assert.ok(Math.abs(Math.sin(stopped[0].aim) + 1) < 0.1, "it aims up");
}

/**
 * No line for three seconds, then the same seat.
 *
 * @param {Page} page
 */
async function offline(page) {
  const [seat, own] = [await look(page), await fighter(page)];
  await page.context().setOffline(true);
  cable.cut();
  await page.locator(".line-state[data-state=reconnecting]").waitFor();
  await picture(page, "arena-phone-offline");
  await pause(3000);
  assert.equal((await look(page)).tick, (await look(page)).tick, "nothing arrives");
  cable.mend();
  await page.context().setOffline(false);
  await page.locator(".line-state[data-state=in]").waitFor();
  const back = await until(
    () => look(page),
    ({ tick, counts }) => tick > seat.tick + 40 && counts.verified > seat.counts.verified + 10,
    "frames that prove themselves",
  );
  assert.equal(back.counts.reconnects, 1);
  assert.equal(back.player, seat.player);
  assert.equal(back.counts.mismatches + back.counts.badFrames, 0);
  const { tick: _, ...now } = await fighter(page);
  const { tick: __, ...then } = own;
  assert.deepEqual({ ...now, safe: then.safe }, then, "the fighter is as it was left");
}

/** @param {number} ms */
function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
