/**
 * What the browser tests stand on: the real server on free ports, a real Chromium, and lines that can be cut.
 */

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import net from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("../..", import.meta.url));
const output = fileURLToPath(new URL("output/", import.meta.url));

/** The viewports that must look good. */
export const LAPTOP = { viewport: { width: 1280, height: 720 } };
export const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--no-default-browser-check",
  // Pages of one browser are windows of one screen here: those behind must go on like the one in front.
  "--disable-renderer-backgrounding",
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
];

/**
 * The binary: `TILTYARD`, or one that stands beside it; otherwise what was built last of release and debug.
 *
 * @param {string} name
 */
function binary(name) {
  if (process.env.TILTYARD) {
    return name === "tiltyard" ? process.env.TILTYARD : join(dirname(process.env.TILTYARD), name);
  }
  const target = process.env.CARGO_TARGET_DIR ?? `${root}target`;
  const built = ["release", "debug"].map((profile) => `${target}/${profile}/${name}`).filter(existsSync);
  if (built.length === 0) {
    throw new Error("there is no server to test: run `make build`, or set TILTYARD to the path of the binary");
  }
  return built.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
}

/**
 * Starts a server on free ports.
 *
 * @param {string[]} [options]
 * @param {string} [name] of its binary
 * @returns {Promise<{ host: string, stop: () => Promise<void> }>}
 */
export async function startServer(options = [], name = "tiltyard") {
  const args = ["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--log", "warn", ...options];
  const child = spawn(binary(name), args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const host = await new Promise((resolve, reject) => {
    let said = "";
    child.stdout.on("data", (bytes) => {
      said += bytes;
      const listening = /^listening (\S+)$/m.exec(said);
      if (listening) {
        resolve(listening[1]);
      }
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the server has exited with ${code}`)));
  });
  const stop = async () => {
    child.kill("SIGKILL");
    await exited;
  };
  return { host, stop };
}

/**
 * A line between a page and the server that can be cut, as a network does it: what is open breaks, nothing new opens. Or it
 * falls silent: nothing breaks, and nothing comes through.
 */
export class Cable {
  /** Each with where its bytes go. @type {Map<net.Socket, net.Socket>} */
  #sockets = new Map();
  #cut = false;
  #silent = false;
  #server = net.createServer((socket) => this.#join(socket));

  /** @param {string} host of the server */
  constructor(host) {
    const [address, port] = host.split(":");
    this.upstream = { host: address, port: Number(port) };
  }

  /** Opens it; the address to use instead of the server's. @returns {Promise<string>} */
  open() {
    return new Promise((resolve) => {
      // A test that fails leaves it open, and shall end all the same.
      this.#server.unref();
      this.#server.listen(0, "127.0.0.1", () => {
        const { port } = /** @type {net.AddressInfo} */ (this.#server.address());
        resolve(`127.0.0.1:${port}`);
      });
    });
  }

  cut() {
    this.#cut = true;
    this.#sockets.forEach((_, socket) => socket.destroy());
  }

  silence() {
    this.#silent = true;
    this.#sockets.forEach((other, one) => one.unpipe(other));
  }

  mend() {
    this.#cut = false;
    this.#silent = false;
    this.#sockets.forEach((other, one) => one.pipe(other));
  }

  close() {
    this.cut();
    this.#server.close();
  }

  /** @param {net.Socket} socket */
  #join(socket) {
    if (this.#cut) {
      socket.destroy();
      return;
    }
    const upstream = net.connect(this.upstream);
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ]) {
      this.#sockets.set(one, other);
      one.setNoDelay(true);
      one.unref();
      one.on("error", () => {});
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      if (!this.#silent) {
        one.pipe(other);
      }
    }
  }
}

/**
 * A browser with an empty profile, and pages in it. Whatever goes wrong inside a page fails the test.
 */
export class Browser {
  /** @type {string[]} */
  failures = [];

  /** @param {import("playwright-core").Browser} browser */
  constructor(browser) {
    this.browser = browser;
    mkdirSync(output, { recursive: true });
  }

  static async launch() {
    return new Browser(
      await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS }),
    );
  }

  /**
   * A page of a player of its own.
   *
   * @param {string} name the player's
   * @param {import("playwright-core").BrowserContextOptions} [options]
   */
  async page(name, options = LAPTOP) {
    const context = await this.browser.newContext(options);
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on("pageerror", (error) => this.failures.push(`${name}: ${error.stack}`));
    page.on("console", (message) => {
      // A line that is cut is told of as an error; that is what those tests are about.
      if (message.type() === "error" && !/WebSocket|ERR_|Failed to load resource/.test(message.text())) {
        this.failures.push(`${name}: ${message.text()}`);
      }
    });
    await page.addInitScript((chosen) => localStorage.setItem("tiltyard.name", chosen), name);
    return page;
  }

  close() {
    return this.browser.close();
  }
}

/**
 * Keeps a picture for people.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} name
 * @param {{ fullPage?: boolean }} [options]
 */
export async function picture(page, name, options = {}) {
  await page.screenshot({ path: `${output}${name}.png`, ...options });
}

/**
 * Waits until the page is in a room.
 *
 * @param {import("playwright-core").Page} page
 */
export async function inRoom(page) {
  await page.waitForFunction(() => Reflect.get(globalThis, "tiltyard")?.room.newest().length > 0);
}

/**
 * The last frame's entities of a kind, by their fields; and who the page is.
 *
 * @param {import("playwright-core").Page} page
 * @returns {Promise<{ player: number, tick: number, counts: any, entities: { kind: string, slot: number, generation: number, fields: any }[] }>}
 */
export function look(page) {
  return page.evaluate(() => {
    const { client, room } = Reflect.get(globalThis, "tiltyard");
    const { counts } = client.session;
    return { player: client.player, tick: client.replica.tick, counts: { ...counts }, entities: room.newest() };
  });
}

/**
 * Waits until something seen in a page is as wanted.
 *
 * @template T
 * @param {() => Promise<T>} see
 * @param {(seen: T) => boolean} wanted
 * @param {string} what for the message
 * @param {number} [patience] in ms
 * @returns {Promise<T>}
 */
export async function until(see, wanted, what, patience = 15_000) {
  const end = Date.now() + patience;
  for (;;) {
    const seen = await see();
    if (wanted(seen)) {
      return seen;
    }
    if (Date.now() > end) {
      throw new Error(`in vain waited for: ${what}; last seen: ${JSON.stringify(seen)?.slice(0, 600)}`);
    }
    // The API takes 20 requests a second.
    await new Promise((resolve) => setTimeout(resolve, 75));
  }
}
