// Chat by the letter of PROTOCOL.md: what is sent, and what is kept of what comes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Chat, LINES } from "../sdk/chat.js";

/** @returns {{ chat: Chat, sent: any[] }} */
function begin() {
  /** @type {any[]} */
  const sent = [];
  let request = 0;
  const chat = new Chat((message) => sent.push(message), () => (request += 1));
  return { chat, sent };
}

/** @param {string} text */
function said(text, channel = "lobby") {
  return { ChannelMessage: { channel, name: "Ann", text } };
}

test("channels are joined when the connection is there, and again when it is back", () => {
  const { chat, sent } = begin();
  chat.joinChannel("lobby", { name: "Ann" });
  assert.equal(chat.sendMessage("lobby", "too early"), false);
  assert.deepEqual(sent, []);
  chat.welcomed();
  const wish = { JoinChannel: { request: 1, channel: "lobby", name: "Ann", visible: false } };
  assert.deepEqual(sent.splice(0), [wish]);
  assert.equal(chat.sendMessage("lobby", "hello"), true);
  assert.deepEqual(sent.splice(0), [{ SendMessage: { request: 2, channel: "lobby", text: "hello" } }]);
  chat.lost();
  chat.joinChannel("lobby", { name: "Ann", visible: true });
  chat.welcomed();
  assert.deepEqual(sent.splice(0), [{ JoinChannel: { request: 3, channel: "lobby", name: "Ann", visible: true } }]);
  chat.leaveChannel("lobby");
  assert.deepEqual(sent.splice(0), [{ LeaveChannel: { request: 4, channel: "lobby" } }]);
});

test("lines, names and refusals are kept, and nothing of channels that were left", () => {
  const { chat } = begin();
  chat.joinChannel("lobby", { name: "Ann" });
  chat.welcomed();
  for (let number = 0; number < LINES + 5; number += 1) {
    assert.ok(chat.hear(said(String(number))));
  }
  assert.ok(chat.hear({ Present: { channel: "lobby", visible: 70, names: ["Ann", "Bob"] } }));
  const { lobby } = chat.state.get().channels;
  assert.deepEqual([lobby.lines.length, lobby.lines[0].text, lobby.visible], [LINES, "5", 70]);
  chat.sendMessage("lobby", "too much");
  assert.ok(chat.hear({ Refused: { request: 2, code: "Flooding", message: "", retry_after_ms: null } }));
  assert.equal(chat.state.get().refused?.code, "Flooding");
  assert.equal(chat.hear({ Refused: { request: 9, code: "BadFilter", message: "", retry_after_ms: null } }), false);
  assert.equal(chat.hear({ Rooms: { revision: 0, total: 0, rooms: [] } }), false);
  chat.leaveChannel("lobby");
  chat.hear(said("late"));
  assert.deepEqual(chat.state.get().channels, {});
});
