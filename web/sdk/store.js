/**
 * A value that can be watched: what view libraries bind to. `subscribe` and `get` fit React's `useSyncExternalStore`;
 * `subscribe` calls back with the value at once, as Svelte's stores do.
 */

/**
 * @template T
 */
export class Store {
  /** @type {T} */
  #value;
  /** @type {Set<(value: T) => void>} */
  #watchers = new Set();

  /** @param {T} value */
  constructor(value) {
    this.#value = value;
  }

  /** The value. Never changed in place: a new one is another object. */
  get() {
    return this.#value;
  }

  /**
   * Puts another value in its place and tells everybody.
   *
   * @param {T} value
   */
  set(value) {
    this.#value = value;
    for (const watcher of [...this.#watchers]) {
      watcher(value);
    }
  }

  /**
   * Changes some of its properties.
   *
   * @param {Partial<T>} change
   */
  update(change) {
    this.set({ ...this.#value, ...change });
  }

  /**
   * Calls back now and whenever the value is another. Returns what ends that.
   *
   * @param {(value: T) => void} watcher
   */
  subscribe(watcher) {
    this.#watchers.add(watcher);
    watcher(this.#value);
    return () => {
      this.#watchers.delete(watcher);
    };
  }
}
