/**
 * The meaning of lanes' codes. As `shared/src/replicate/quantizer.rs`: only additions, multiplications, divisions and
 * roundings of 64-bit floats, so that both find the same codes and values.
 */

const TAU = 2 * Math.PI;

/**
 * The meaning of a lane's code.
 *
 * @typedef {{ type: "fixed", min: number, step: number, max: number }
 *   | { type: "angle", bits: number }
 *   | { type: "int", min: number, max: number }
 *   | { type: "bool" }
 *   | { type: "choice", names: string[] }
 *   | { type: "entity" }} Quantizer
 */

/**
 * The name of an entity: its slot, and the low 16 bits of the number of times that slot had been freed before.
 *
 * @typedef {{ slot: number, generation: number }} EntityId
 */

/** @typedef {number | boolean | string | EntityId | null} LaneValue */

/**
 * The largest code; greater ones have no meaning.
 *
 * @param {Quantizer} quantizer
 */
export function quantizerMax(quantizer) {
  switch (quantizer.type) {
    case "fixed":
    case "int":
      return quantizer.max;
    case "angle":
      return 2 ** quantizer.bits - 1;
    case "bool":
      return 1;
    case "choice":
      return Math.max(0, quantizer.names.length - 1);
    case "entity":
      return 0xffffffff;
  }
}

/**
 * The number of bits of a code: 0 to 32, and 0 only if there is a single value.
 *
 * @param {Quantizer} quantizer
 */
export function quantizerBits(quantizer) {
  return 32 - Math.clz32(quantizerMax(quantizer));
}

/**
 * The function from a lane's code to its value. Codes above the largest are not checked.
 *
 * @param {Quantizer} quantizer
 * @returns {(code: number) => LaneValue}
 */
export function quantizerValue(quantizer) {
  switch (quantizer.type) {
    case "fixed": {
      const { min, step } = quantizer;
      return (code) => min + code * step;
    }
    case "angle": {
      const step = TAU / 2 ** quantizer.bits;
      return (code) => code * step;
    }
    case "int": {
      const { min } = quantizer;
      return (code) => min + code;
    }
    case "bool":
      return (code) => code === 1;
    case "choice": {
      const { names } = quantizer;
      return (code) => names[code];
    }
    case "entity":
      return (code) => (code === 0xffffffff ? null : { slot: code & 0xffff, generation: code >>> 16 });
  }
}

/**
 * The code whose value is nearest to a number. A number out of range takes the nearest end, NaN counts as 0, an angle
 * that is not finite is 0.
 *
 * @param {Quantizer} quantizer
 * @param {number} value
 */
export function quantize(quantizer, value) {
  const max = quantizerMax(quantizer);
  const clamp = (/** @type {number} */ code) => Math.min(Math.max(code, 0), max);
  switch (quantizer.type) {
    case "fixed":
      return clamp(Math.floor(((Number.isNaN(value) ? 0 : value) - quantizer.min) / quantizer.step + 0.5));
    case "angle": {
      if (!Number.isFinite(value)) {
        return 0;
      }
      const codes = max + 1;
      const steps = (value / TAU) * codes;
      const nearest = Math.trunc(steps + (steps < 0 ? -0.5 : 0.5));
      return ((nearest % codes) + codes) % codes;
    }
    case "int":
      return clamp(roundAway(value) - quantizer.min);
    default:
      return clamp(roundAway(value));
  }
}

/**
 * The nearest whole number; halves are rounded away from 0. NaN is 0.
 *
 * @param {number} value
 */
function roundAway(value) {
  return Number.isNaN(value) ? 0 : Math.sign(value) * Math.floor(Math.abs(value) + 0.5);
}
