/**
 * Text that people choose and others see: names of players, titles of rooms, chat messages. As
 * `shared/src/protocol/text.rs`; `shared/vectors/texts.json` holds both to the same. A page that checks before it sends
 * is not refused.
 */

/**
 * Why a text has no plain form: it has too many bytes; a character that is invisible or changes others, where nothing
 * requires it; one that is not in Unicode; a mark on nothing, or too many marks on one character.
 *
 * @typedef {"TooLong" | "Unseen" | "Unknown" | "Stacked"} Flaw
 */

/** @typedef {{ text: string, flaw: null } | { text: null, flaw: Flaw }} Plain */

const NON_JOINER = "\u200C";
const JOINER = "\u200D";
const EMOJI_SELECTOR = "\uFE0F";

/** The soft hyphen, and the zero-width space that some scripts have between words. */
const BREAK_HINTS = /[\u00AD\u200B]/g;

const SELECTOR = /[\u180B-\u180D\u180F\uFE00-\uFE0F\u{E0100}-\u{E01EF}]/u;

const UNKNOWN = /[\p{Cn}\p{Co}\p{Cs}]/u;

/** The last ones are letters, marks and a symbol that are invisible. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u034F\u115F\u1160\u17B4\u17B5\u2800\u3164\uFFA0]/u;

/**
 * Scripts whose letters join or stack, so that they use joiners: Arabic to Sinhala, Tibetan, Burmese, Khmer, Mongolian
 * and similar ones.
 */
const JOINED =
  /[\u0600-\u0DFF\u0F00-\u109F\u1700-\u18AF\u1900-\u1AAF\u1B00-\u1BFF\uA800-\uA95F\uA980-\uAAFF\uABC0-\uABFF\u{10A00}-\u{11FFF}\u{1E900}-\u{1E95F}]/u;

/** The flag of a nation without letters of its own: a black flag and tags. */
const FLAG_TAGS = /(\u{1F3F4})[\u{E0030}-\u{E0039}\u{E0061}-\u{E007A}]{3,6}\u{E007F}/gu;

/** The maximum number of nonspacing marks on one character, and on one of a joined script: Burmese writes four. */
const MARKS = 3;
const MARKS_JOINED = 4;

const encoder = new TextEncoder();

/**
 * The plain form of a text: in NFC, without spaces at its ends, every run of spaces inside reduced to one, without
 * hints where a line may break. Otherwise why there is none of at most `maxBytes` bytes.
 *
 * @param {string} text
 * @param {number} maxBytes
 * @returns {Plain}
 */
export function plain(text, maxBytes) {
  const folded = fold(text);
  if (encoder.encode(folded).length > maxBytes) {
    return { text: null, flaw: "TooLong" };
  }
  if (folded === "" && /\P{Zs}/u.test(text)) {
    return { text: null, flaw: "Unseen" };
  }
  const characters = Array.from(folded.replace(FLAG_TAGS, "$1"));
  const cluster = new Cluster();
  for (const [at, character] of characters.entries()) {
    const flaw = cluster.add(character, characters[at + 1] ?? "");
    if (flaw !== null) {
      return { text: null, flaw };
    }
  }
  return { text: folded, flaw: null };
}

/** @param {string} text */
function fold(text) {
  const spaced = text.replace(BREAK_HINTS, "").normalize("NFC").replace(/\p{Zs}/gu, " ");
  // A non-joiner at the end of a word has no effect: it waits for the next letter to be typed.
  const words = spaced.split(" ").map((word) => word.replace(/\u200C+$/, ""));
  return words.filter((word) => word !== "").join(" ");
}

/** A character with its marks and joined characters, as far as read. */
class Cluster {
  /** Empty while there is none. */
  #base = "";
  #last = "";
  #marks = 0;

  /**
   * Reads the next character; `next` is the one after it.
   *
   * @param {string} character
   * @param {string} next
   * @returns {Flaw | null}
   */
  add(character, next) {
    if (character === " ") {
      [this.#base, this.#last, this.#marks] = ["", "", 0];
      return null;
    }
    const flaw = this.#flaw(character, next);
    this.#last = character;
    return flaw;
  }

  /**
   * @param {string} character
   * @param {string} next
   * @returns {Flaw | null}
   */
  #flaw(character, next) {
    if (character === JOINER || character === NON_JOINER) {
      return this.#takesJoiner(character, next) ? null : "Unseen";
    }
    if (SELECTOR.test(character)) {
      return this.#base !== "" && this.#last === this.#base ? null : "Unseen";
    }
    if (UNKNOWN.test(character)) {
      return "Unknown";
    }
    if (UNSEEN.test(character)) {
      return "Unseen";
    }
    if (!/\p{M}/u.test(character)) {
      [this.#base, this.#marks] = [character, character.normalize("NFD").match(/\p{Mn}/gu)?.length ?? 0];
      return null;
    }
    this.#marks += /\p{Mc}/u.test(character) ? 0 : 1;
    const most = JOINED.test(this.#base) ? MARKS_JOINED : MARKS;
    return this.#base !== "" && this.#marks <= most ? null : "Stacked";
  }

  /**
   * Whether a joiner is allowed: between letters of scripts that use joiners; the joiner proper also after the last
   * letter, to give it another form, and where it makes one emoji of several.
   *
   * @param {string} joiner
   * @param {string} next
   */
  #takesJoiner(joiner, next) {
    const inWord = isLetter(this.#last) && (joiner === JOINER || isLetter(next));
    const isWhole = this.#last === this.#base || this.#last === EMOJI_SELECTOR;
    return inWord || (joiner === JOINER && isWhole && isPicture(this.#base) && isPicture(next));
  }
}

/** @param {string} character of a joined script */
function isLetter(character) {
  return JOINED.test(character) && /[\p{L}\p{M}]/u.test(character);
}

/**
 * Whether it is an emoji or turns one into another, but no digit and no letter of a flag.
 *
 * @param {string} character
 */
function isPicture(character) {
  return /\p{Emoji}/u.test(character) && !/[\u0000-\u007F\u{1F1E6}-\u{1F1FF}]/u.test(character);
}
