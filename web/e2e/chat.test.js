/**
 * Chat on the home page: two people in one channel, who is seen and who is not, what is refused, and a line that breaks.
 */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Browser, Cable, LAPTOP, PHONE, picture, startServer } from "./harness.js";

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

/**
 * @param {import("playwright-core").Page} page
 * @param {string} text
 */
async function say(page, text) {
  await page.getByLabel("Say something").fill(text);
  await page.getByRole("button", { name: "Say", exact: true }).click();
}

/**
 * Waits for a line of the chat.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} line
 */
function heard(page, line) {
  return page.locator(".chat .lines li", { hasText: line }).waitFor();
}

test("two pages talk, and only who wants to be is seen", async () => {
  const ann = await browser.page("Ann", LAPTOP);
  const bob = await browser.page("Bob", PHONE);
  for (const page of [ann, bob]) {
    await page.goto(`http://${server.host}/`);
    await page.locator(".line-state[data-state=in]").waitFor();
    await page.locator(".chat .lines").scrollIntoViewIfNeeded();
  }
  await say(ann, "Anybody for a round of pong?");
  await heard(ann, "Ann Anybody for a round of pong?");
  await heard(bob, "Ann Anybody for a round of pong?");
  await say(bob, "<b>Me</b> & my thumbs!");
  await heard(ann, "Bob <b>Me</b> & my thumbs!");
  assert.equal(await ann.locator(".chat .present").isVisible(), false, "nobody is seen who has not asked for it");
  await bob.getByText("Show that I am here").click();
  await ann.getByText("Here: Bob").waitFor();
  await ann.getByText("Show that I am here").click();
  await bob.getByText("Here: Ann, Bob").waitFor();
  await picture(ann, "chat-laptop", { fullPage: true });
  await picture(bob, "chat-phone", { fullPage: true });
  const width = await bob.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 390, `the page is ${width} wide`);
  await bob.getByText("Show that I am here").click();
  await ann.getByText("Here: Ann", { exact: true }).waitFor();

  // The channel is that of the rooms that are shown; another name is another name there, too.
  await bob.getByRole("tab", { name: "Arena" }).click();
  await say(bob, "only for the arena");
  await heard(bob, "only for the arena");
  await ann.getByLabel("Your name").fill("Anna");
  await ann.getByLabel("Your name").blur();
  await say(ann, "still in the lobby");
  await heard(ann, "Anna still in the lobby");
  assert.equal(await ann.locator(".chat .lines li", { hasText: "only for the arena" }).count(), 0);
  assert.deepEqual(browser.failures, []);
});

test("too much is refused in words and given back, and a broken line is mended", async () => {
  const page = await browser.page("Cyd", LAPTOP);
  const cable = new Cable(server.host);
  try {
    await page.goto(`http://${await cable.open()}/`);
    await page.locator(".line-state[data-state=in]").waitFor();
    // All at once: on a busy machine a browser that is driven types too slowly to be too much.
    await page.evaluate(() => {
      const form = /** @type {HTMLFormElement} */ (document.querySelector("form.say"));
      const text = /** @type {HTMLInputElement} */ (form.querySelector("input"));
      for (let number = 1; number <= 12; number += 1) {
        text.value = `line ${number}`;
        form.requestSubmit();
      }
    });
    await page.getByText("That was a lot at once. Wait a moment.").waitFor();
    assert.match(await page.getByLabel("Say something").inputValue(), /^line \d+$/);
    cable.cut();
    await page.locator(".line-state[data-state=reconnecting]").waitFor();
    assert.equal(await page.getByRole("button", { name: "Say", exact: true }).isDisabled(), true);
    cable.mend();
    await page.locator(".line-state[data-state=in]").waitFor();
    await say(page, "back again");
    await heard(page, "Cyd back again");
  } finally {
    cable.close();
  }
  assert.deepEqual(browser.failures, []);
});
