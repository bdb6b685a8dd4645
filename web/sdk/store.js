/**
 * A value that can be watched: what view libraries bind to. `subscribe` and `get` fit React's `useSyncExternalStore` as
 * they are, without the store before them; `subscribe` calls back with the value at once, as Svelte's stores do.
 */

/**
 * @template T
 */
export class Store {
  /** @param {T} value */
  constructor(value) {
    /** @type {Set<(value: T) => void>} */
    const watchers = new Set();

    /** The value. Never changed in place: a new one is another object. */
    this.get = () => value;

    /**
     * Puts another value in its place and tells everybody.
     *
     * @param {T} next
     */
    this.set = (next) => {
      value = next;
      [...watchers].forEach((watcher) => tell(watcher, next));
    };

    /**
     * Changes some of its properties.
     *
     * @param {Partial<T>} change
     */
    this.update = (change) => this.set({ ...value, ...change });

    /**
     * Calls back now and whenever the value is another. Returns what ends that.
     *
     * @param {(value: T) => void} watcher
     */
    this.subscribe = (watcher) => {
      watchers.add(watcher);
      watcher(value);
      return () => {
        watchers.delete(watcher);
      };
    };
  }

  /** View libraries that wrap plain objects leave this one as it is. */
  get [Symbol.toStringTag]() {
    return "Store";
  }
}

/**
 * Tells one of many. Its fault is its own: it is told as any other error, and nobody else misses anything for it.
 *
 * @template T
 * @param {(value: T) => void} listener
 * @param {T} value
 */
export function tell(listener, value) {
  try {
    listener(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
