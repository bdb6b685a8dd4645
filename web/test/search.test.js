// A search by the letter of PROTOCOL.md, against a line that this test plays.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { CONTROL, clientMessage, serverMessage } from "../sdk/protocol.js";
import { Backoff } from "../sdk/backoff.js";
import { Searching, isOver } from "../sdk/search.js";
import { decode, encode } from "../sdk/wire.js";
import { welcome } from "./connection.js";
import { until } from "./wires.js";

/** @type {FakeLine[]} */
const lines = [];

class FakeLine {
  /** @type {any[]} */
  said = [];
  binaryType = "";
  /** @type {((event: any) => void) | null} */
  onopen = null;
  /** @type {((event: any) => void) | null} */
  onmessage = null;
  /** @type {((event: any) => void) | null} */
  onclose = null;
  /** @type {((event: any) => void) | null} */
  onerror = null;
  closed = false;

  /** @param {string} url */
  constructor(url) {
    this.url = url;
    lines.push(this);
  }

  /** @param {Uint8Array} bytes */
  send(bytes) {
    this.said.push(decode(clientMessage, bytes));
  }

  close() {
    this.closed = true;
  }

  /** @param {any} message */
  hear(message) {
    const bytes = encode(serverMessage, message);
    this.onmessage?.({ data: Uint8Array.of(CONTROL, ...bytes).buffer });
  }
}

const search = { game: "arena", mode: "teams", rating: 1500, party: { code: "k7", size: 2 } };

/** @type {Searching[]} Those of the test that runs: one that fails leaves none that keeps trying. */
const searches = [];

afterEach(() => {
  searches.splice(0).forEach((searching) => searching.close());
  lines.length = 0;
});

/** A search, and its line after the welcome. */
function begin() {
  const searching = new Searching({ url: "ws://a/ws", search, WebSocket: FakeLine, backoff: new Backoff({ first: 2 }) });
  searches.push(searching);
  return { searching, line: welcomed() };
}

function welcomed() {
  const [line] = lines.splice(0);
  line.onopen?.({});
  line.hear({ Welcome: welcome });
  return line;
}

/** @param {Searching} searching */
async function again(searching) {
  await until(searching.state, (state) => state === "Reconnecting");
  for (; lines.length === 0; await new Promise((resolve) => setTimeout(resolve, 1)));
  return welcomed();
}

/** @param {FakeLine} line what was said beside pings */
function said(line) {
  return line.said.filter((message) => !message.Ping && !message.Hello);
}

const id = "0198a1b2-c3d4-7e5f-8091-a2b3c4d5e6f7";

test("a search goes where its party meets, joins, and goes on when that comes to nothing", () => {
  const { searching, line: first } = begin();
  assert.deepEqual(said(first), [{ Search: { request: 1, search } }]);
  first.hear({ Redirect: { request: 1, url: "ws://b/ws", pass: new Uint8Array() } });
  const [second] = lines;
  assert.ok(first.closed && second.url === "ws://b/ws");
  welcomed();
  second.hear({ Search: { Joining: { id, url: "", pass: Uint8Array.of(1) } } });
  assert.ok(!isOver(searching.state.get()));
  searching.again(id);
  assert.deepEqual(said(second)[1], { SearchAgain: { request: 3, id } });
  second.hear({ Search: { Searching: { waited_ms: 7000 } } });
  assert.deepEqual(searching.state.get(), { Searching: { waited_ms: 7000 } });
  second.hear({ Search: { Matched: { id } } });
  assert.ok(isOver(searching.state.get()));
  searching.close();
  assert.deepEqual(said(second).length, 2, "a search that is over is not called off");
});

test("a search that is refused for good is over and says why", () => {
  const { searching, line } = begin();
  line.hear({ Refused: { request: 1, code: "UnknownMode", message: "", retry_after_ms: null } });
  assert.deepEqual(searching.state.get(), { Ended: { code: "UnknownMode", retry_after_ms: null } });
  assert.equal(line.closed, true);
});

test("a search whose line is cut says so and searches again by itself, with the time that the server gives", async () => {
  const { searching, line } = begin();
  line.hear({ Search: { Searching: { waited_ms: 9000 } } });
  line.onclose?.({ code: 1006 });
  const next = await again(searching);
  assert.deepEqual(said(next), [{ Search: { request: 2, search } }]);
  next.hear({ Search: { Searching: { waited_ms: 0 } } });
  assert.deepEqual(searching.state.get(), { Searching: { waited_ms: 0 } });
  searching.close();
  assert.deepEqual(said(next)[1], { CancelSearch: { request: 2 } });
});

test("a search that the server ends for now begins anew", async () => {
  const { searching, line } = begin();
  line.hear({ Search: { Ended: { code: "ServerFull", retry_after_ms: 5 } } });
  const next = await again(searching);
  assert.deepEqual(said(next), [{ Search: { request: 2, search } }]);
  searching.close();
});

test("a search whose line is cut while the seat is taken does not search for another beside it", async () => {
  const { searching, line } = begin();
  line.hear({ Search: { Joining: { id, url: "", pass: Uint8Array.of(1) } } });
  line.onclose?.({ code: 1006 });
  for (; lines.length === 0; await new Promise((resolve) => setTimeout(resolve, 1)));
  const next = welcomed();
  assert.deepEqual(said(next), []);
  searching.again(id);
  assert.deepEqual(said(next), [{ Search: { request: 3, search } }], "the seat could not be taken");
  searching.close();
});
