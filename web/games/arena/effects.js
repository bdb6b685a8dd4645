/**
 * What flies, glows and fades: sparks, rings, numbers. Nothing here matters to the game.
 */

/** @typedef {{ x: number, y: number, vx: number, vy: number, left: number, life: number, size: number, color: string }} Spark */
/** @typedef {{ x: number, y: number, from: number, to: number, left: number, life: number, color: string }} Ring */
/** @typedef {{ x: number, y: number, text: string, left: number, life: number, color: string }} Word */

/** More sparks than this nobody sees. */
const MOST_SPARKS = 600;

export class Effects {
  /** @type {Spark[]} */
  #sparks = [];
  /** @type {Ring[]} */
  #rings = [];
  /** @type {Word[]} */
  #words = [];
  /** @type {{ at: number, run: () => void }[]} */
  #later = [];
  /** @type {Map<number, number>} Until when a fighter shines because it was hit. */
  #flashes = new Map();
  /** @type {Map<number, number>} Until when a gun is pushed back because it has fired. */
  #kicks = new Map();
  #shake = 0;
  #now = 0;

  /**
   * Does something when so much time has passed.
   *
   * @param {number} seconds
   * @param {() => void} run
   */
  after(seconds, run) {
    this.#later.push({ at: this.#now + seconds, run });
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {{ count: number, speed: number, color: string, size?: number, life?: number }} options
   */
  burst(x, y, { count, speed, color, size = 2.4, life = 0.45 }) {
    for (let index = 0; index < count && this.#sparks.length < MOST_SPARKS; index += 1) {
      const angle = Math.random() * 2 * Math.PI;
      const fast = speed * (0.3 + 0.7 * Math.random());
      const lasts = life * (0.5 + 0.5 * Math.random());
      const [vx, vy] = [Math.cos(angle) * fast, Math.sin(angle) * fast];
      this.#sparks.push({ x, y, vx, vy, left: lasts, life: lasts, size, color });
    }
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {{ from: number, to: number, color: string, life?: number }} options
   */
  ring(x, y, { from, to, color, life = 0.4 }) {
    this.#rings.push({ x, y, from, to, left: life, life, color });
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {string} text
   * @param {string} color
   */
  word(x, y, text, color) {
    this.#words.push({ x: x + (Math.random() - 0.5) * 14, y, text, left: 0.8, life: 0.8, color });
  }

  /** @param {number} player */
  flash(player) {
    this.#flashes.set(player, this.#now + 0.14);
  }

  /** @param {number} player */
  kick(player) {
    this.#kicks.set(player, this.#now + 0.12);
  }

  /** @param {number} strength in CSS pixels */
  shake(strength) {
    this.#shake = Math.max(this.#shake, strength);
  }

  /**
   * How much of a player's flash and kick is left, 0 to 1.
   *
   * @param {number} player
   */
  of(player) {
    const left = (/** @type {number} */ until, /** @type {number} */ life) => Math.max(0, (until - this.#now) / life);
    return { flash: left(this.#flashes.get(player) ?? 0, 0.14), kick: left(this.#kicks.get(player) ?? 0, 0.12) };
  }

  /** By how many CSS pixels the picture is off at the moment. */
  get offset() {
    const any = () => (Math.random() - 0.5) * 2 * this.#shake;
    return this.#shake > 0.2 ? { x: any(), y: any() } : { x: 0, y: 0 };
  }

  /**
   * @param {number} now in seconds
   * @param {number} dt
   */
  step(now, dt) {
    this.#now = now;
    const due = this.#later.filter((entry) => entry.at <= now);
    this.#later = this.#later.filter((entry) => entry.at > now);
    due.forEach((entry) => entry.run());
    this.#shake *= Math.exp(-dt * 9);
    for (const spark of this.#sparks) {
      const drag = Math.exp(-dt * 4);
      spark.x += spark.vx * dt;
      spark.y += spark.vy * dt;
      spark.vx *= drag;
      spark.vy *= drag;
    }
    for (const word of this.#words) {
      word.y -= 34 * dt;
    }
    for (const list of [this.#sparks, this.#rings, this.#words]) {
      list.forEach((item) => (item.left -= dt));
    }
    this.#sparks = this.#sparks.filter((item) => item.left > 0);
    this.#rings = this.#rings.filter((item) => item.left > 0);
    this.#words = this.#words.filter((item) => item.left > 0);
  }

  /** @param {CanvasRenderingContext2D} context scaled to units of the field */
  draw(context) {
    context.save();
    context.globalCompositeOperation = "lighter";
    for (const { x, y, left, life, size, color } of this.#sparks) {
      context.globalAlpha = left / life;
      context.fillStyle = color;
      context.fillRect(x - size / 2, y - size / 2, size, size);
    }
    for (const { x, y, from, to, left, life, color } of this.#rings) {
      const done = 1 - left / life;
      context.globalAlpha = (1 - done) * 0.8;
      context.strokeStyle = color;
      context.lineWidth = 1 + 4 * (1 - done);
      context.beginPath();
      context.arc(x, y, from + (to - from) * (1 - (1 - done) ** 3), 0, 2 * Math.PI);
      context.stroke();
    }
    context.restore();
    context.font = "700 11px Inter, system-ui, sans-serif";
    context.textAlign = "center";
    for (const { x, y, text, left, life, color } of this.#words) {
      context.globalAlpha = Math.min(1, (left / life) * 2);
      context.fillStyle = color;
      context.fillText(text, x, y);
    }
    context.globalAlpha = 1;
  }
}
