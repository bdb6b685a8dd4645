/**
 * The recent arrivals of frames by half seconds, each as the time at which tick 0 would have arrived. Times are ms. As
 * `client/src/playout/arrivals.rs`.
 */

/** The span of a bucket, of which the latest and the earliest arrival are kept. */
const BUCKET = 500;
/** How long buckets are kept. */
const HISTORY = 10_000;
/** The fraction of the buckets' latest arrivals that must be in time. */
const SHARE = 0.95;
/**
 * If all frames of the last two seconds came earlier than needed by this, and the earliest earlier than usual, the line
 * is another one.
 */
const EARLY = 100;
const RECENT = 2000;

/** The measurements of a line. */
export class Arrivals {
  /** @type {{ opened: number, latest: number, earliest: number }[]} */
  #buckets = [];
  /** An arrival time that is later than nearly all. */
  level = 0;
  /** The earliest arrival of the last two seconds. */
  earliest = 0;

  /** Whether there are no measurements. */
  get isEmpty() {
    return this.#buckets.length === 0;
  }

  /**
   * Notes an arrival and drops old ones. Returns true if the line is a different, faster one.
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

  /** Drops all measurements. */
  clear() {
    this.#buckets = [];
  }
}

/** @param {{ latest: number }[]} buckets */
function levelOf(buckets) {
  return part(buckets.map(({ latest }) => latest), SHARE);
}

/**
 * The smallest value such that this fraction of the values is no greater; 0 if there are none.
 *
 * @param {number[]} values
 * @param {number} share
 */
function part(values, share) {
  return values.sort((one, other) => one - other)[Math.ceil(values.length * share) - 1] ?? 0;
}
