/** Members that left their groups with one frame, for moves to other groups. As `Gone` in `table/decoder.rs`. */

import { Members } from "./members.js";

/** @typedef {import("../layout.js").Layout} Layout */

/**
 * Members that left their group with the frame that is being applied, as they were there: moves are resolved against
 * these.
 */
export class Gone {
  /** @param {Layout} layout */
  constructor(layout) {
    this.members = new Members(layout);
    /** @type {Map<number, { base: number, places: Map<number, number> }>} The index of places in members, by group. */
    this.groups = new Map();
  }

  clear() {
    this.members.clear();
    this.groups.clear();
  }

  /**
   * @param {number} group
   * @param {number} base
   * @param {Members} members
   * @param {number} place
   */
  push(group, base, members, place) {
    let left = this.groups.get(group);
    if (left === undefined) {
      left = { base, places: new Map() };
      this.groups.set(group, left);
    }
    left.places.set(place, this.members.pushFrom(members, place));
  }
}
