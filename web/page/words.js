/**
 * What the server's codes mean to a player. Codes are those of `shared/src/protocol.rs`.
 */

/** @type {Record<string, string>} */
const words = {
  Malformed: "The server did not understand this page.",
  TooLarge: "That is too long.",
  TooEarly: "The server was not ready for that yet.",
  TooFast: "Too many messages at once.",
  HelloTimeout: "The server waited for us for too long.",
  WrongVersion: "This page is older than the server.",
  UnknownGame: "This server does not have that game.",
  UnknownRoom: "There is no such room. It may have closed.",
  RoomFull: "The room is full.",
  ServerFull: "The server is full at the moment. Try again in a while.",
  UnknownSession: "Your seat has been given up.",
  BadConfig: "The server cannot make a room with these options.",
  BadName: "Your name looks like that of somebody here, or the server does not know its characters. Choose another one.",
  OutOfOrder: "Your inputs arrived in the wrong order.",
  TooManyEarly: "Too many inputs at once.",
  TooLate: "That came too late.",
  BadInput: "The game does not know that move.",
  StaleEpoch: "The connection got out of step.",
  ViewTooLarge: "There is more to see than can be sent.",
  Unresponsive: "The connection was silent for too long.",
  TakenOver: "You are playing in another tab now.",
  Left: "You left the room.",
  Finished: "The match is over.",
  GameFailed: "The game broke down. Its room is gone.",
  Stopping: "The server is restarting.",
  Internal: "Something went wrong at the server.",
  RoomClosed: "The room closed because nobody was in it.",
  Locked: "The room takes nobody in at the moment.",
  BadPass: "This invitation is no longer good.",
  NotAllowed: "Spectators only watch.",
  BadCode: "That is not the code of a room.",
  BadFilter: "The server cannot list rooms like that.",
  BadTitle: "The server does not take this title.",
  UnknownMode: "This game is not played like that here.",
  BadParty: "The party did not come together.",
  BadRating: "The server does not take this rating.",
  AlreadySearching: "You are searching already.",
  Cancelled: "The search was called off.",
  TooFew: "Too few players came to the match.",
  BadChannel: "There can be no such channel.",
  NotInChannel: "You are not in that channel.",
  TooManyChannels: "You are in too many channels.",
  BadText: "The server does not take this text.",
  Unsupported: "This server does not do that.",
  NoShow: "You did not come to a match. Please wait a moment before you search again.",
  Expired: "Nobody to play with was found in time. Try again, or another mode.",
  Flooding: "That was a lot at once. Wait a moment.",
};

/**
 * A code in words, as the WebSocket names it or as the API does (`BadTitle`, `bad_title`).
 *
 * @param {string | number | null | undefined} code
 * @param {string} [message] what the server said, for codes that this page does not know
 */
export function inWords(code, message) {
  const name = String(code ?? "").replace(/(?:^|_)([a-z])/g, (_, letter) => letter.toUpperCase());
  return words[name] || message || "Something went wrong.";
}

/** What is wrong with a text that somebody types. @type {Record<import("../sdk/text.js").Flaw, string>} */
export const flawWords = {
  TooLong: "That is too long.",
  Unseen: "That has a character that nobody sees.",
  Unknown: "That has a character that is not in Unicode.",
  Stacked: "That has too many marks on one letter, or a mark on none.",
};

/**
 * What a match came to, for a page that has not seen its end: results name a winner, as the games here do.
 *
 * @param {any} result as the game told it
 * @param {number} player who reads it
 */
export function resultWords(result, player) {
  if (typeof result !== "object" || result === null || !("winner" in result)) {
    return null;
  }
  const text = "It ended while you were away.";
  if (result.winner === null) {
    return { title: "A draw", text };
  }
  const other = result.name ? `${result.name} won` : "You lost";
  return { title: result.winner === player ? "You won" : other, text };
}

/** The states of a connection. @type {Record<string, string>} */
export const stateWords = {
  connecting: "Connecting",
  in: "Connected",
  reconnecting: "Reconnecting",
  gone: "Disconnected",
};

/**
 * What stands in place of a list without rooms. That there are none is only known while the line is there.
 *
 * @param {boolean} listed whether a list has come, if only before the line was lost
 * @param {import("./lobby.js").LobbyState["line"]} line
 * @param {boolean} open whether only rooms with free seats are asked for
 * @param {string | null} game the title of the game whose rooms are asked for
 */
export function emptyWords(listed, line, open, game) {
  if (!listed || line !== "in") {
    return { count: "", title: "", text: line === "in" ? "Looking around…" : `${stateWords[line]}…` };
  }
  const title = game ? `No ${open ? "open " : ""}rooms of ${game}` : "No rooms yet";
  return { count: "0", title, text: "Play now opens one, and whoever comes next joins you there." };
}
