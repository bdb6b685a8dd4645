/**
 * The page one comes to: rooms as they open and fill, rooms of one's own, links and codes, mistakes in words, and an old
 * page against a new server.
 */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Browser, Cable, LAPTOP, PHONE, inRoom, look, picture, startServer } from "./harness.js";

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

test("rooms are listed live, filtered, opened with options and found by code", async () => {
  const home = await browser.page("Watcher", LAPTOP);
  const phone = await browser.page("Pocket", PHONE);
  await home.goto(`http://${server.host}/`);
  await home.getByText("No rooms yet").waitFor();
  await picture(home, "home-laptop-empty");

  const ann = await browser.page("Ann", LAPTOP);
  await ann.goto(`http://${server.host}/`);
  await ann.locator("[data-create=connect4]").click();
  await ann.locator("dialog input[type=text]").first().fill("Friday night");
  await ann.getByLabel("Seconds per move").fill("45");
  await picture(ann, "home-laptop-create");
  await ann.getByRole("button", { name: "Open the room" }).click();
  await inRoom(ann);
  const row = home.locator(".rooms li", { hasText: "Friday night" });
  await row.waitFor();
  await row.getByText(/^1 of/).waitFor();
  const code = (await row.locator(".code").textContent()) ?? "";
  assert.match(code, /^[2-9A-Z]{6}$/);

  for (const [name, game] of [
    ["Bea", "arena"],
    ["Cal", "arena"],
    ["Dee", "pong"],
  ]) {
    const page = await browser.page(name, LAPTOP);
    await page.goto(`http://${server.host}/?play=${game}`);
    await inRoom(page);
  }
  await home.locator(".rooms li").nth(2).waitFor();
  await phone.goto(`http://${server.host}/`);
  await phone.locator(".rooms li").nth(2).waitFor();
  await picture(home, "home-laptop");
  await picture(phone, "home-phone", { fullPage: true });

  await home.getByRole("tab", { name: "Pong" }).click();
  await home.locator(".rooms li").nth(1).waitFor({ state: "detached" });
  assert.equal(await home.locator(".rooms li").count(), 1);
  await home.getByRole("tab", { name: "All" }).click();

  await phone.getByPlaceholder("Code or link").fill(code.toLowerCase());
  await phone.getByRole("button", { name: "Join", exact: true }).first().click();
  await inRoom(phone);
  assert.equal(new URL(phone.url()).pathname, new URL(ann.url()).pathname);
  await row.getByText(/^2 of/).waitFor();
  const board = (await look(ann)).entities.find(({ kind }) => kind === "Board");
  assert.equal(board?.fields.phase, "Playing");

  await ann.getByTitle("Back to the rooms").click();
  await ann.locator(".tiles").waitFor();
  assert.equal(new URL(ann.url()).pathname, "/");
  assert.deepEqual(browser.failures, []);
});

test("a private room is found by its link only", async () => {
  const ann = await browser.page("Ann", LAPTOP);
  const bo = await browser.page("Bo", LAPTOP);
  await bo.goto(`http://${server.host}/`);
  await ann.goto(`http://${server.host}/`);
  await ann.locator("[data-create=pong]").click();
  await ann.locator("dialog input[type=text]").first().fill("Secret");
  await ann.getByText("Private:").click();
  await ann.getByRole("button", { name: "Open the room" }).click();
  await inRoom(ann);
  assert.equal(await bo.getByText("Secret").count(), 0);
  await bo.getByPlaceholder("Code or link").fill(ann.url());
  await bo.getByRole("button", { name: "Join", exact: true }).first().click();
  await inRoom(bo);
  assert.equal(bo.url(), ann.url());
  assert.deepEqual(browser.failures, []);
});

test("mistakes are told in words", async () => {
  const page = await browser.page("Ann", LAPTOP);
  await page.goto(`http://${server.host}/`);
  await page.getByPlaceholder("Code or link").fill("nothing");
  await page.getByRole("button", { name: "Join", exact: true }).first().click();
  await page.getByText("That is neither a room's code nor a link to a room.").waitFor();

  await page.locator("[data-create=arena]").click();
  await page.getByLabel("Title").fill("ä".repeat(48));
  await page.getByText("That is too long.").waitFor();
  await page.getByRole("button", { name: "Open the room" }).click();
  assert.equal(await page.getByRole("button", { name: "Open the room" }).count(), 1, "nothing was sent");
  await page.getByRole("button", { name: "Cancel" }).click();

  await page.goto(`http://${server.host}/rooms/00000000-0000-7000-8000-000000000000`);
  await page.locator(".card[data-code=UnknownRoom]").waitFor();
  await page.getByText("There is no such room. It may have closed.").waitFor();
  await picture(page, "room-laptop-unknown");
  await page.goto(`http://${server.host}/rooms/2345AB`);
  await page.getByText("There is no such room. It may have closed.").waitFor();
  await page.goto(`http://${server.host}/?play=chess`);
  await page.getByText("This server does not have that game.").waitFor();
  assert.deepEqual(browser.failures, []);
});

test("a name that no server takes is told of while it is typed, and is not kept", async () => {
  const page = await browser.page("Ann", LAPTOP);
  const kept = () => page.evaluate(() => localStorage.getItem("tiltyard.name"));
  await page.goto(`http://${server.host}/`);
  const name = page.getByLabel("Your name");
  for (const [text, words] of [
    ["A\u202EB", "That has a character that nobody sees."],
    ["\u00E4".repeat(17), "That is too long."],
    ["A\uE000", "That has a character that is not in Unicode."],
    ["e" + "\u0301".repeat(4), "That has too many marks on one letter, or a mark on none."],
  ]) {
    await name.fill(text);
    await page.getByText(`${words} You are still Ann.`).waitFor();
    await picture(page, "home-laptop-name");
    await name.blur();
    assert.equal(await kept(), "Ann");
  }
  await name.fill("  \u{1F468}\u200D\u{1F469}\u200D\u{1F467}\u00A0 ");
  await page.getByText("You are still Ann.").waitFor({ state: "detached" });
  await name.blur();
  assert.equal(await kept(), "\u{1F468}\u200D\u{1F469}\u200D\u{1F467}");
  assert.deepEqual(browser.failures, []);
});

test("who looks like somebody in the room is asked for another name there", async () => {
  const ann = await browser.page("Ann", LAPTOP);
  const twin = await browser.page("\u0410nn", PHONE);
  await ann.goto(`http://${server.host}/?play=arena`);
  await inRoom(ann);
  await twin.goto(ann.url());
  await twin.locator(".card[data-code=BadName]").waitFor();
  await twin.getByText("Your name looks like that of somebody here").waitFor();
  await picture(twin, "room-phone-twin");
  await twin.locator(".card").getByLabel("Your name").fill("Bea");
  await twin.locator(".card").getByLabel("Your name").blur();
  assert.equal(await twin.evaluate(() => localStorage.getItem("tiltyard.name")), "Bea");
  assert.deepEqual(browser.failures, []);
});

test("an old page says so and loads the new one", async () => {
  const page = await browser.page("Ann", LAPTOP);
  const cable = new Cable(server.host);
  try {
    await page.goto(`http://${await cable.open()}/`);
    await page.locator(".line-state[data-state=in]").waitFor();
    // Another server comes up behind the same address: its files have another stamp.
    await page.route("**/api/version", (route) =>
      route.fulfill({ json: { version: "9.9.9", protocol: 2, stamp: "new" } }),
    );
    cable.cut();
    await page.locator(".line-state[data-state=reconnecting]").waitFor();
    const loaded = page.waitForEvent("load");
    cable.mend();
    await page.locator("[data-old]").waitFor();
    await picture(page, "home-laptop-old");
    await loaded;
    await page.locator(".tiles").waitFor();

    // One that speaks another version of the protocol, also to the page that was loaded anew.
    await page.route("**/web/sdk/protocol.js", async (route) => {
      const body = (await (await route.fetch()).text()).replace("VERSION = 2;", "VERSION = 7;");
      await route.fulfill({ body, contentType: "text/javascript" });
    });
    await page.goto(`http://${server.host}/?play=arena`);
    await page.locator("[data-old]").waitFor();
  } finally {
    cable.close();
  }
});
