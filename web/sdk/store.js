/**
 * A value that can be watched, for view libraries to bind to. `subscribe` and `get` fit React's `useSyncExternalStore`
 * as they are, without their store as `this`; `subscribe` calls back with the value at once, as Svelte's stores do.
 */

/**
 * @template T
 */
export class Store {
  /** @param {T} value */
  constructor(value) {
    /** @type {Set<(value: T) => void>} */
    const watchers = new Set();

    /** The value. It is never changed in place: a new value is another object. */
    this.get = () => value;

    /**
     * Sets another value and tells all watchers.
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
     * Calls back now and whenever the value changes. Returns a function that stops it.
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
 * Calls one of many listeners. An error in it is reported like any other, and the other listeners are still called.
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
