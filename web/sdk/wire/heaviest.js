/**
 * Finds what makes a value too large, for whoever has made it.
 */

import { encode } from "../wire.js";

/** @typedef {import("../wire.js").WireSchema} WireSchema */

/**
 * The part of a value that takes most of its bytes, as a path, and its size.
 *
 * @param {WireSchema} schema
 * @param {any} value
 * @param {string} [path]
 * @returns {{ path: string, bytes: number }}
 */
export function heaviest(schema, value, path = "input") {
  let best = { path, bytes: encode(schema, value).length };
  const name = schema.type === "enum" ? Object.keys(value ?? {})[0] : "";
  const variant = schema.type === "enum" ? schema.variants.find((one) => one.name === name) : undefined;
  const fields = schema.type === "struct" ? schema.fields : (variant?.fields ?? []);
  const at = variant ? value[name] : value;
  for (const field of fields) {
    const inner = fields.length === 1 && field.name === "0" ? at : at[field.name];
    const here = [path, name, fields.length === 1 && field.name === "0" ? "" : field.name].filter(Boolean).join(".");
    const part = heaviest(field.schema, inner, here);
    best = 2 * part.bytes >= best.bytes ? part : best;
  }
  return best;
}
