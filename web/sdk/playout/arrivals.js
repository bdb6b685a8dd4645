/**
 * When frames arrived of late, by half seconds: each as the time when tick 0 would have arrived. Times are ms. As
 * `client/src/playout/arrivals.rs`.
 */

/** The latest and the earliest arrival of so long are kept */
const BUCKET = 500;
/** for so long, */
const HISTORY = 10_000;
/** and of the latest ones this part must be in time. */
const SHARE = 0.95;
/** When all of the last two seconds came earlier than needed by this, and the earliest earlier than usual: another line. */
const EARLY = 100;
const RECENT = 2000;

/** What was measured of a line. */
export class Arrivals {
  /** @type {{ opened: number, latest: number, earliest: number }[]} */
  #buckets = [];
  /** The arrival that is later than nearly all. */
  level = 0;
  /** The earliest of the last two seconds. */
  earliest = 0;

  /** Whether nothing has been noted. */
  get isEmpty() {
    return this.#buckets.length === 0;
  }

  /**
   * Notes one, and forgets what is too old. True if the line is another than before, a faster one.
   *
   * @param {number} sample
   * @param {number} now
   */
  note(sample, now) {
    const last = this.#buckets.at(-1);
    if (last !== undefined && now - last.opened < BUCKET) {
      last.latest = Math.max(last.latest, sample);
      last.earliest = Math.min(last.earliest, sample);
    } else {
      this.#buckets.push({ opened: now, latest: sample, earliest: sample });
    }
    this.#buckets = this.#buckets.filter(({ opened }) => opened > now - HISTORY);
    this.level = levelOf(this.#buckets);
    const old = this.#buckets.filter(({ opened }) => opened <= now - RECENT - BUCKET);
    const recent = this.#buckets.slice(old.length);
    this.earliest = Math.min(...recent.map(({ earliest }) => earliest));
    const latest = Math.max(...recent.map(({ latest }) => latest));
    const usual = part(old.map(({ earliest }) => earliest), 0.5);
    const faster = old.length > 0 && latest + EARLY < this.level && this.earliest + EARLY < usual;
    if (faster) {
      this.#buckets = recent;
      this.level = levelOf(recent);
    }
    return faster;
  }

  /** Forgets all. */
  clear() {
    this.#buckets = [];
  }
}

/** @param {{ latest: number }[]} buckets */
function levelOf(buckets) {
  return part(buckets.map(({ latest }) => latest), SHARE);
}

/**
 * The least of some values that is no less than this part of them; 0 if there are none.
 *
 * @param {number[]} values
 * @param {number} share
 */
function part(values, share) {
  return values.sort((one, other) => one - other)[Math.ceil(values.length * share) - 1] ?? 0;
}
