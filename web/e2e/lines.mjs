/**
 * The real page in Chromium as a client of the lab of lines; what is drawn is counted in the page. As `web/test/lab.mjs`.
 *
 * `node e2e/lines.mjs URL ROOM 1`
 */

import { createInterface } from "node:readline";

import { Browser } from "./harness.js";

const [url, room] = process.argv.slice(2);

/** Small, so that several can draw at a time on a machine without a graphics card. */
const SMALL = { viewport: { width: 480, height: 320 } };

/** A hand presses another key so often, in ms. */
const HAND = 400;

/** @param {object} what */
const say = (what) => console.log(JSON.stringify(what));

/** Notes in the page what its client and its screen do. Runs there, once the room is on the screen. */
function listen() {
  const { client, room } = Reflect.get(globalThis, "tiltyard");
  const wall = () => performance.timeOrigin + performance.now();
  const record = {
    asked: Reflect.get(globalThis, "asked"),
    frames: [[wall(), client.replica.tick ?? 0, 0]],
    draws: /** @type {any[]} */ ([]),
    resyncs: /** @type {number[]} */ ([]),
    breaks: /** @type {number[]} */ ([]),
    reconnects: 0,
    mismatches: 0,
    bad_frames: 0,
    events: /** @type {number[]} */ ([]),
    own_seat: false,
    over: /** @type {string | null} */ (null),
  };
  const me = client.player;
  client.on("frame", (/** @type {any} */ { head, bytes }) => record.frames.push([wall(), head.tick, bytes]));
  client.on("resyncing", () => record.resyncs.push(wall()));
  client.on("reconnecting", () => record.breaks.push(wall()));
  client.on("event", (/** @type {any} */ { event, number }) => {
    if (event !== "Empty") {
      record.events.push(number);
    }
  });
  client.state.subscribe((/** @type {any} */ state) => {
    if (state.status === "over") {
      record.over ??= state.message;
    }
  });
  const { playout } = room;
  const draw = playout.draw.bind(playout);
  let drawn = performance.now();
  playout.draw = (/** @type {number} */ now) => {
    const before = playout.underruns;
    const shown = draw(now);
    const at = Math.floor(wall() / 100) * 100;
    let draws = record.draws.at(-1);
    if (draws === undefined || draws.at < at) {
      draws = { at, count: 0, under: 0, delay: 0, tick: 0, lag: 0 };
      record.draws.push(draws);
    }
    draws.count += 1;
    draws.under += playout.underruns - before;
    draws.delay += playout.delay / playout.tickMs;
    draws.tick += shown;
    draws.lag = Math.max(draws.lag, performance.now() - drawn - 17);
    drawn = performance.now();
    return shown;
  };
  Reflect.set(globalThis, "finish", () => {
    const { reconnects, mismatches, badFrames } = client.session.counts;
    const isOwn = (/** @type {any} */ { kind, fields }) => kind === "Fighter" && fields.owner === me;
    const own_seat = client.player === me && room.newest().some(isOwn);
    return { ...record, reconnects, mismatches, bad_frames: badFrames, own_seat };
  });
}

/** Makes a page as one in a hidden tab: it draws nothing, and its timers come once a second. Runs in the page, before it. */
function hideable() {
  let hidden = false;
  const { requestAnimationFrame: draw, setTimeout: later, setInterval: often } = globalThis;
  /** @type {FrameRequestCallback[]} */
  let waiting = [];
  const slow = (/** @type {number | undefined} */ ms) => (hidden ? Math.max(ms ?? 0, 1000) : ms);
  Object.assign(globalThis, {
    requestAnimationFrame: (/** @type {FrameRequestCallback} */ call) => (hidden ? waiting.push(call) : draw(call)),
    setTimeout: (/** @type {any} */ call, /** @type {number} */ ms, /** @type {any[]} */ ...rest) => later(call, slow(ms), ...rest),
    setInterval: (/** @type {any} */ call, /** @type {number} */ ms, /** @type {any[]} */ ...rest) => {
      let last = performance.now();
      const tick = () => {
        if (!hidden || performance.now() - last >= 1000) {
          last = performance.now();
          call(...rest);
        }
      };
      return often(tick, ms);
    },
    hide: (/** @type {boolean} */ now) => {
      hidden = now;
      if (!hidden) {
        waiting.splice(0).forEach((call) => draw(call));
      }
      document.dispatchEvent(new Event("visibilitychange"));
    },
  });
  Object.defineProperty(document, "hidden", { get: () => hidden });
  Object.defineProperty(document, "visibilityState", { get: () => (hidden ? "hidden" : "visible") });
}

const browser = await Browser.launch();
try {
  const page = await browser.page("Page", SMALL);
  await page.addInitScript(hideable);
  await page.goto(url.replace(/^ws/, "http").replace(/ws$/, ""));
  // The game's own script too is there before the line is bad.
  await page.evaluate(() => import(/** @type {any} */ (new URL("/web/games/arena/index.js", location.href).href)));
  say({ ready: true });
  let presses = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let hand;
  for await (const word of createInterface({ input: process.stdin })) {
    if (word === "enter") {
      await page.evaluate((room) => {
        Reflect.set(globalThis, "asked", performance.timeOrigin + performance.now());
        history.pushState(null, "", `/rooms/${room}?verify`);
        dispatchEvent(new PopStateEvent("popstate"));
      }, room);
      await page.waitForFunction(() => Reflect.get(globalThis, "tiltyard")?.room.newest().length > 0, null, { timeout: 60_000 });
      await page.evaluate(listen);
      await page.keyboard.down("Space");
      hand = setInterval(() => {
        const keys = ["KeyD", "KeyS", "KeyA", "KeyW"];
        presses += 1;
        // A browser that is being closed presses no keys.
        void page.keyboard.up(keys[(presses - 1) % 4]).then(() => page.keyboard.down(keys[presses % 4])).catch(() => {});
      }, HAND);
      say({ in: 0 });
    } else if (word === "hide" || word === "show") {
      await page.evaluate((hidden) => Reflect.get(globalThis, "hide")(hidden), word === "hide");
    } else if (word === "end") {
      break;
    }
  }
  clearInterval(hand);
  const record = await page.evaluate(() => Reflect.get(globalThis, "finish")());
  const [failure] = browser.failures;
  const records = [{ ...record, over: record.over ?? failure ?? null }];
  // What goes into a pipe must be there before the process ends.
  await new Promise((written) => process.stdout.write(`${JSON.stringify({ records })}\n`, written));
} finally {
  await browser.close();
}
process.exit();
