/**
 * A server to test against: that of `TILTYARD_URL`, or one started from `TILTYARD_BIN` (by default the debug build) on
 * free ports.
 */

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Starts a server, or finds the one that is meant.
 *
 * @returns {Promise<{ url: string, stop: () => void }>}
 */
export async function server() {
  if (process.env.TILTYARD_URL) {
    return { url: process.env.TILTYARD_URL, stop() {} };
  }
  const target = process.env.CARGO_TARGET_DIR ?? `${ROOT}/target`;
  const binary = process.env.TILTYARD_BIN ?? `${target}/debug/tiltyard`;
  const child = spawn(binary, ["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const failed = new Promise((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the server has stopped with status ${code}`)));
  });
  failed.catch(() => {});
  const lines = createInterface({ input: child.stdout });
  const listening = (async () => {
    for await (const line of lines) {
      const address = /listening (\S+)/.exec(line)?.[1];
      if (address !== undefined) {
        return `ws://${address}/ws`;
      }
    }
    throw new Error("the server has not said where it listens");
  })();
  const url = /** @type {string} */ (await Promise.race([listening, failed]));
  return { url, stop: () => child.kill("SIGINT") };
}
