// A search by the letter of PROTOCOL.md, against a line that this test plays.

import assert from "node:assert/strict";
import { test } from "node:test";

import { CONTROL, clientMessage, serverMessage } from "../sdk/protocol.js";
import { Searching, isOver } from "../sdk/search.js";
import { decode, encode } from "../sdk/wire.js";

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
const welcome = { Welcome: { protocol: 2, server: "", games: ["arena"], capabilities: 0, identity: null, credential: null } };

test("a search goes where its party meets, joins, and goes on when that comes to nothing", () => {
  const searching = new Searching({ url: "ws://a/ws", search, WebSocket: FakeLine });
  const [first] = lines.splice(0);
  first.onopen?.({});
  first.hear(welcome);
  assert.deepEqual(first.said[1], { Search: { request: 1, search } });
  first.hear({ Redirect: { request: 1, url: "ws://b/ws", pass: new Uint8Array() } });
  const [second] = lines.splice(0);
  assert.ok(first.closed && second.url === "ws://b/ws");
  second.onopen?.({});
  second.hear(welcome);
  const id = "0198a1b2-c3d4-7e5f-8091-a2b3c4d5e6f7";
  second.hear({ Search: { Joining: { id, url: "", pass: Uint8Array.of(1) } } });
  assert.ok(!isOver(searching.state.get()));
  searching.again(id);
  assert.deepEqual(second.said[2], { SearchAgain: { request: 1, id } });
  second.hear({ Search: { Searching: { waited_ms: 7000 } } });
  assert.deepEqual(searching.state.get(), { Searching: { waited_ms: 7000 } });
  second.hear({ Search: { Matched: { id } } });
  assert.ok(isOver(searching.state.get()));
});

test("a search that is refused, or whose line is lost, is over", () => {
  const refused = new Searching({ url: "ws://a/ws", search, WebSocket: FakeLine });
  lines.splice(0)[0].hear({ Refused: { request: 1, code: "UnknownMode", message: "", retry_after_ms: null } });
  assert.deepEqual(refused.state.get(), { Ended: { code: "UnknownMode", retry_after_ms: null } });
  const lost = new Searching({ url: "ws://a/ws", search, WebSocket: FakeLine });
  lines.splice(0)[0].onclose?.({ code: 1006 });
  assert.equal(lost.state.get(), "Lost");
});
