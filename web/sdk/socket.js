/**
 * A link's surroundings: WebSockets, a probe by `fetch`, and the events of a page.
 */

/**
 * The part of a WebSocket that is used: a browser's, or that of the `ws` package.
 *
 * @typedef {object} Line
 * @property {string} binaryType
 * @property {((event: any) => void) | null} onopen
 * @property {((event: any) => void) | null} onmessage
 * @property {((event: any) => void) | null} onclose
 * @property {((event: any) => void) | null} onerror
 * @property {(data: Uint8Array) => void} send
 * @property {(code?: number, reason?: string) => void} close
 */

/**
 * Opens a line; `null` if there can never be a server at this address.
 *
 * @param {new (url: string) => Line} Socket
 * @param {string} url
 */
export function connect(Socket, url) {
  try {
    const line = new Socket(url);
    line.binaryType = "arraybuffer";
    return line;
  } catch {
    return null;
  }
}

/**
 * Probes by `fetch` whether a server can be reached. Firefox delays each WebSocket after some that failed, Chrome does
 * after many, and neither delays this.
 */
export class Probe {
  /** @type {AbortController | null} */
  #running = null;
  #learned = false;

  /** @param {(reachable: boolean) => void} answer */
  constructor(answer) {
    this.answer = answer;
  }

  /**
   * Finds out once, while there is a connection, whether probing works here: it is useful only in browsers, and a
   * page's policy may forbid it.
   *
   * @param {string} url of the WebSocket
   * @param {(works: boolean) => void} told
   */
  learn(url, told) {
    if (this.#learned || typeof document === "undefined" || typeof fetch === "undefined") {
      return;
    }
    this.#learned = true;
    void ask(url, new AbortController().signal).then(told);
  }

  /** @param {string} url of the WebSocket */
  start(url) {
    this.stop();
    const running = new AbortController();
    this.#running = running;
    void ask(url, running.signal).then((reachable) => {
      if (this.#running === running) {
        this.#running = null;
        this.answer(reachable);
      }
    });
  }

  stop() {
    const running = this.#running;
    this.#running = null;
    running?.abort();
  }
}

/**
 * @param {string} url of the WebSocket
 * @param {AbortSignal} signal
 */
async function ask(url, signal) {
  try {
    const address = new URL("/api/version", url.replace(/^ws/, "http"));
    const answer = await fetch(address, { cache: "no-store", mode: "no-cors", signal });
    // Behind a balancer without a server there are only errors; of another origin one sees only that it answers.
    return answer.status < 500;
  } catch {
    return false;
  }
}

/** @typedef {"online" | "visible" | "hidden" | "pagehide" | "pageshow"} PageEvent */

/**
 * Calls back with the events of a page; returns a function that stops it. Outside of pages nothing happens.
 *
 * @param {(event: PageEvent) => void} told
 */
export function watchPage(told) {
  if (typeof document === "undefined" || typeof addEventListener === "undefined") {
    return () => {};
  }
  const seen = () => told(document.hidden ? "hidden" : "visible");
  /** @type {[EventTarget, string, () => void][]} */
  const all = [
    [globalThis, "online", () => told("online")],
    [globalThis, "pagehide", () => told("pagehide")],
    [globalThis, "pageshow", () => told("pageshow")],
    [document, "visibilitychange", seen],
  ];
  all.forEach(([target, name, listener]) => target.addEventListener(name, listener));
  return () => all.forEach(([target, name, listener]) => target.removeEventListener(name, listener));
}
