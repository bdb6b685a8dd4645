/** A line to a server that a test makes slow, silent, or cuts; both ways alike, order kept. */

import net from "node:net";

export class Line {
  /** Each way takes so long, in ms. */
  delay = 0;
  /** Whether nothing is passed on: what comes waits. */
  silent = false;
  /** Whether nothing new opens. */
  offline = false;
  /** How many have been opened. */
  opened = 0;
  /** @type {Set<net.Socket>} */
  #sockets = new Set();
  #server = net.createServer((socket) => this.#join(socket));

  /** @param {string} url of the server's WebSocket */
  constructor(url) {
    const { hostname, port } = new URL(url);
    this.upstream = { host: hostname, port: Number(port) };
  }

  /** Opens it; the URL to use instead of the server's. @returns {Promise<string>} */
  open() {
    return new Promise((resolve) => {
      this.#server.listen(0, "127.0.0.1", () => {
        const { port } = /** @type {net.AddressInfo} */ (this.#server.address());
        resolve(`ws://127.0.0.1:${port}/ws`);
      });
    });
  }

  cut() {
    this.#sockets.forEach((socket) => socket.resetAndDestroy());
  }

  close() {
    this.#server.close();
    this.#sockets.forEach((socket) => socket.destroy());
  }

  /** @param {net.Socket} socket */
  #join(socket) {
    this.opened += 1;
    if (this.offline) {
      socket.destroy();
      return;
    }
    const upstream = net.connect(this.upstream);
    this.#pass(socket, upstream);
    this.#pass(upstream, socket);
  }

  /**
   * @param {net.Socket} from
   * @param {net.Socket} to
   */
  #pass(from, to) {
    /** @type {{ due: number, bytes: Buffer }[]} */
    const queue = [];
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on("error", () => {});
    from.on("data", (bytes) => queue.push({ due: performance.now() + this.delay, bytes }));
    const step = setInterval(() => {
      while (!this.silent && queue.length > 0 && queue[0].due <= performance.now()) {
        to.write(/** @type {{ bytes: Buffer }} */ (queue.shift()).bytes);
      }
    }, 2);
    from.on("close", () => {
      this.#sockets.delete(from);
      clearInterval(step);
      queue.forEach(({ bytes }) => !this.silent && to.write(bytes));
      to.destroySoon();
    });
  }
}
