/** What view libraries make of objects, for tests. */

/**
 * What Vue makes of an object that a `ref` holds: a proxy that wraps every plain object it gives.
 *
 * @template T
 * @param {T} value
 * @returns {T}
 */
export function reactive(value) {
  const isPlain = Object.prototype.toString.call(value) === "[object Object]";
  if (typeof value !== "object" || value === null || !isPlain) {
    return value;
  }
  return new Proxy(value, { get: (target, key, receiver) => reactive(Reflect.get(target, key, receiver)) });
}
