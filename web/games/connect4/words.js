/**
 * What connect four says to its players. As the enums of `games/connect4/src/messages.rs`.
 */

/** Why a match is over. @type {Record<string, string>} */
export const endings = {
  Four: "four in a line",
  Full: "the board is full",
  Clock: "time ran out",
  Resigned: "the other gave up",
  Left: "the other left",
};

/** Why a move is not allowed. @type {Record<string, string>} */
export const refusals = {
  Watching: "You are watching this match.",
  NoMatch: "There is no match at the moment.",
  NotYourTurn: "It is the other's turn.",
  NoSuchColumn: "There is no such column.",
  ColumnFull: "This column is full.",
  NotOver: "Finish this match first.",
};
