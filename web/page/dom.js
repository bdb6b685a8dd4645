/**
 * Elements in a line: the page's whole view library.
 */

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * An element. `tag` may name classes, as in `"button.primary"`. Of `props`, functions named `on…` are listeners, `data`
 * is a dataset, what the element has as a property is set as one, and the rest are attributes.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T | `${T}.${string}`} tag
 * @param {Record<string, any>} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  element.className = classes.join(" ");
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null) {
      continue;
    }
    if (key.startsWith("on")) {
      element.addEventListener(key.slice(2).toLowerCase(), value);
    } else if (key === "data") {
      Object.assign(element.dataset, value);
    } else if (key in element) {
      Reflect.set(element, key, value);
    } else {
      element.setAttribute(key, value);
    }
  }
  append(element, children);
  return /** @type {HTMLElementTagNameMap[T]} */ (element);
}

/**
 * Replaces all that is in an element.
 *
 * @param {Element} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

/**
 * @param {Element} element
 * @param {Child[]} children
 */
function append(element, children) {
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) {
      element.append(typeof child === "number" ? String(child) : child);
    }
  }
}

/**
 * Sets or removes a data attribute without a value.
 *
 * @param {HTMLElement} element
 * @param {string} name
 * @param {boolean} on
 */
export function mark(element, name, on) {
  if (on) {
    element.dataset[name] = "";
  } else {
    delete element.dataset[name];
  }
}

/**
 * A drawing. `markup` is the page's own, never anything that came over the wire.
 *
 * @param {string} markup
 * @param {string} [viewBox]
 * @returns {SVGElement}
 */
export function svg(markup, viewBox = "0 0 24 24") {
  const holder = document.createElement("div");
  holder.innerHTML = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${viewBox}" aria-hidden="true">${markup}</svg>`;
  return /** @type {SVGElement} */ (holder.firstElementChild);
}

const stroke = 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"';

/** The icons of buttons. */
export const icons = {
  back: () => svg(`<path ${stroke} d="M15 5l-7 7 7 7"/>`),
  link: () =>
    svg(
      `<path ${stroke} d="M10 14a4 4 0 005.7 0l3.3-3.3a4 4 0 00-5.7-5.7l-1 1M14 10a4 4 0 00-5.7 0L5 13.3A4 4 0 0010.7 19l1-1"/>`,
    ),
  sound: () => svg(`<path ${stroke} d="M4 9.5v5h3.5L12 18V6L7.5 9.5zM15.5 9a4.2 4.2 0 010 6M18 6.5a8 8 0 010 11"/>`),
  muted: () => svg(`<path ${stroke} d="M4 9.5v5h3.5L12 18V6L7.5 9.5zM16 10l4 4M20 10l-4 4"/>`),
  graph: () => svg(`<path ${stroke} d="M4 19h16M5 15l4-5 4 3 6-8"/>`),
  plus: () => svg(`<path ${stroke} d="M12 5v14M5 12h14"/>`),
};

/**
 * Says something for a few seconds.
 *
 * @param {string} text
 * @param {{ bad?: boolean }} [options]
 */
export function toast(text, { bad = false } = {}) {
  const element = h("div.toast", {}, text);
  element.classList.toggle("bad", bad);
  document.getElementById("toasts")?.append(element);
  setTimeout(() => element.remove(), 3500);
}
