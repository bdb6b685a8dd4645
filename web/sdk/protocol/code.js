/**
 * The reasons why a server refuses something or closes a connection. As `shared/src/protocol/code.rs`.
 *
 * A number stands for a code of a later server that this version does not know. Nothing follows from it but that
 * another try may make sense.
 */

/** All codes, in the order of their numbers. */
export const CODES = /** @type {const} */ ([
  "Malformed",
  "TooLarge",
  "TooEarly",
  "TooFast",
  "HelloTimeout",
  "WrongVersion",
  "UnknownGame",
  "UnknownRoom",
  "RoomFull",
  "ServerFull",
  "UnknownSession",
  "BadConfig",
  "BadName",
  "OutOfOrder",
  "TooManyEarly",
  "TooLate",
  "BadInput",
  "StaleEpoch",
  "ViewTooLarge",
  "Unresponsive",
  "TakenOver",
  "Left",
  "Finished",
  "GameFailed",
  "Stopping",
  "Internal",
  "RoomClosed",
  "Locked",
  "BadPass",
  "NotAllowed",
  "BadCode",
  "BadFilter",
  "BadTitle",
  "UnknownMode",
  "BadParty",
  "BadRating",
  "AlreadySearching",
  "Cancelled",
  "TooFew",
  "BadChannel",
  "NotInChannel",
  "TooManyChannels",
  "BadText",
  "Flooding",
  "Unsupported",
  "NoShow",
  "Expired",
]);

/** @typedef {typeof CODES[number] | number} Code */

/** Passing reasons, after which a further try makes sense. All others say that the wish will never be granted. */
const PASSING = new Set([
  "TooFast",
  "HelloTimeout",
  "ServerFull",
  "StaleEpoch",
  "TooManyEarly",
  "TooLate",
  "Unresponsive",
  "Stopping",
  "Internal",
  "Flooding",
]);

/** A WebSocket close code is the code's number plus this. */
const FIRST_CLOSE = 4000;
const LAST_CLOSE = 4999;

/**
 * Whether no further try makes sense after this code. An unknown code is not final.
 *
 * @param {Code} code
 */
export function isFinal(code) {
  return typeof code === "string" && !PASSING.has(code);
}

/**
 * The code of a number.
 *
 * @param {number} number
 * @returns {Code}
 */
export function codeOf(number) {
  return CODES[number] ?? number;
}

/**
 * The number of a code; negative if there is none of this name.
 *
 * @param {Code} code
 */
export function numberOf(code) {
  return typeof code === "number" ? code : CODES.indexOf(code);
}

/**
 * The code in a WebSocket close code, if it is one of ours.
 *
 * @param {number} closeCode
 * @returns {Code | undefined}
 */
export function codeOfClose(closeCode) {
  return closeCode >= FIRST_CLOSE && closeCode <= LAST_CLOSE ? codeOf(closeCode - FIRST_CLOSE) : undefined;
}
