/**
 * The auction's page: the lot under the hammer, what one may say to it, and the catalogue. It shows what the last frame
 * said; the only thing of its own is the list of the latest bids.
 */

import { fill, h, mark, toast } from "../../page/dom.js";
import { beep } from "../../page/sound.js";

/** The last seconds of a lot, and what an auctioneer says in them. @type {[number, string][]} */
const CALLS = [
  [3, "Going twice"],
  [6, "Going once"],
];

/** Bids in the list of the latest. */
const LATEST = 6;

/** Why something is not possible. As `Refusal` of the rules. @type {Record<string, string>} */
const REFUSALS = {
  Closed: "The hammer was faster: this lot is closed.",
  TooLow: "The next bid must be higher than that.",
  Leading: "The highest bid is yours already.",
};

/** @typedef {"Coming" | "Open" | "Sold" | "Unsold"} Phase */
/**
 * @typedef {{ number: number, phase: Phase, price: number, ask: number, bids: number, closes: number, leader: number,
 *   name: string, title: string }} Lot
 */
/** @typedef {{ player: number, away: boolean, name: string }} Bidder */

/** @type {import("../../page/room.js").Play} */
export function play(room) {
  const page = new AuctionPage(room);
  return () => page.stop();
}

class AuctionPage {
  #number = h("p.auction-number");
  #title = h("h1");
  #price = h("p.auction-price");
  #leader = h("p.auction-leader", { role: "status" });
  #bar = h("i");
  #clock = h("span");
  #stamp = h("p.auction-stamp");
  #bid = h("button.primary", { onClick: () => this.#send("Bid", this.#lot?.ask ?? 0) });
  #amount = h("input", { type: "text", inputMode: "decimal", autocomplete: "off", placeholder: "Up to, in €" });
  #set = h("button", { type: "submit" }, "Bid for me");
  #limit = h("p.auction-limit");
  #say = h("div.auction-say");
  #catalogue = h("ol.auction-catalogue");
  #latest = h("ol.auction-latest");
  #people = h("p.auction-people");
  /** @type {Lot[]} */
  #lots = [];
  /** @type {Lot | undefined} The one on show. */
  #lot;
  #shown = 0;
  /** @type {Bidder[]} */
  #bidders = [];
  /** The lots for which this player has bid. An answer of the house may come in the same frame. */
  #wanted = new Set();
  /** For how long the lot stays open, in ticks, seen when that changes. */
  #length = 1;
  #closes = 0;
  /** @type {ReturnType<typeof setInterval>} */
  #timer;

  /** @param {import("../../page/room.js").Room} room */
  constructor(room) {
    this.room = room;
    const setLimit = (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      const cents = Math.round(Number(this.#amount.value.replace(/[^\d.]/g, "")) * 100);
      this.#send("Limit", Math.min(cents || 0, 0xffffffff));
      this.#amount.value = "";
      this.#amount.blur();
    };
    const form = h("form", { onSubmit: setLimit }, this.#amount, this.#set);
    this.#say.append(this.#bid, form, this.#limit);
    const clock = h("div.auction-clock", {}, h("div", {}, this.#bar), this.#clock);
    const lot = h("header", {}, this.#number, this.#title, this.#stamp);
    this.view = h(
      "div.auction",
      { hidden: true },
      h("section.auction-lot", {}, lot, this.#price, this.#leader, clock, this.#say),
      h("aside", {}, h("h2", {}, "Catalogue"), this.#catalogue, h("h2", {}, "Latest bids"), this.#latest, this.#people),
    );
    const show = () => (this.view.hidden = false);
    const href = new URL("style.css", import.meta.url).href;
    this.sheet = h("link", { rel: "stylesheet", href, onLoad: show, onError: show });
    document.head.append(this.sheet);
    room.place.append(this.view);
    room.onFrame(() => this.#show());
    room.onEvent((event) => this.#handle(event));
    this.#timer = setInterval(() => this.#showClock(), 100);
    this.#show();
  }

  stop() {
    clearInterval(this.#timer);
    this.view.remove();
    this.sheet.remove();
  }

  /**
   * @param {"Bid" | "Limit"} what
   * @param {number} cents
   */
  #send(what, cents) {
    if (this.#lot) {
      this.room.send({ [what]: { lot: this.#lot.number, cents } });
    }
  }

  /** What the last frame said. */
  #show() {
    const entities = this.room.newest();
    const of = (/** @type {string} */ name) => entities.filter(({ kind }) => kind === name).map(({ fields }) => fields);
    this.#lots = /** @type {Lot[]} */ (of("Lot")).sort((a, b) => a.number - b.number);
    this.#bidders = /** @type {Bidder[]} */ (of("Bidder")).sort((a, b) => a.player - b.player);
    // Open, otherwise what was closed last, otherwise what comes first.
    const begun = this.#lots.filter(({ phase }) => phase !== "Coming");
    this.#lot = begun.at(-1) ?? this.#lots[0];
    this.#showLot(of("Limit")[0]?.cents ?? 0);
    this.#showCatalogue();
    const away = (/** @type {Bidder} */ { away }) => (away ? " (away)" : "");
    const names = this.#bidders.map((bidder) => this.#nameOf(bidder.player) + away(bidder));
    write(this.#people, `In the room: ${names.join(", ")}`);
    this.room.result = this.#result();
  }

  /** @param {number} limit the own one, in cents */
  #showLot(limit) {
    const lot = this.#lot;
    mark(this.view, "over", lot === undefined);
    if (!lot) {
      return write(this.#title, "There is nothing to be sold today");
    }
    const [open, leads] = [lot.phase === "Open", lot.leader === this.room.player];
    if (lot.closes !== this.#closes) {
      this.#closes = lot.closes;
      this.#length = Math.max(lot.closes - this.room.client.clock.newest, 1);
    }
    if (lot.number !== this.#shown) {
      this.#shown = lot.number;
      this.#latest.replaceChildren();
    }
    const outbid = open && !leads && (limit > 0 || this.#wanted.has(lot.number));
    write(this.#number, `Lot ${lot.number + 1} of ${this.#lots.length}`);
    write(this.#title, lot.title);
    write(this.#price, money(lot.price || lot.ask));
    write(this.#leader, this.#leading(lot, leads, outbid));
    write(this.#stamp, lot.phase === "Sold" ? "Sold" : lot.phase === "Unsold" ? "Not sold" : "");
    mark(this.view, "leads", leads && open);
    mark(this.view, "outbid", outbid);
    mark(this.view, "closed", lot.phase === "Sold" || lot.phase === "Unsold");
    this.#say.hidden = this.room.spectator;
    this.#bid.disabled = !open || leads;
    this.#set.disabled = !open;
    write(this.#bid, leads ? "The highest bid is yours" : `Bid ${money(lot.ask)}`);
    const secret = "The house bids for you, a step at a time, up to a limit that only you see.";
    const own = `Your secret limit is ${money(limit)}`;
    const withdraw = h("button.quiet", { type: "button", onClick: () => this.#send("Limit", 0) }, "Withdraw");
    if (this.#limit.dataset.cents !== String(limit)) {
      this.#limit.dataset.cents = String(limit);
      fill(this.#limit, limit > 0 ? own : secret, limit > 0 && withdraw);
    }
    this.#showClock();
  }

  /**
   * @param {Lot} lot
   * @param {boolean} leads
   * @param {boolean} outbid
   */
  #leading(lot, leads, outbid) {
    const who = leads ? "you" : this.#nameOf(lot.leader, lot.name);
    const bids = lot.bids === 1 ? "one bid" : `${lot.bids} bids`;
    switch (lot.phase) {
      case "Coming":
        return "The sale begins in a moment";
      case "Open":
        if (lot.bids === 0) {
          return "No bid yet";
        }
        return outbid ? `You are outbid by ${who}` : leads ? `You lead, after ${bids}` : `${who} leads, after ${bids}`;
      case "Sold":
        return `Sold to ${who} after ${bids}`;
      default:
        return "Nobody wanted it";
    }
  }

  #showCatalogue() {
    const said = JSON.stringify(this.#lots.map(({ phase, price, leader, name }) => [phase, price, leader, name]));
    if (this.#catalogue.dataset.said === said) {
      return;
    }
    this.#catalogue.dataset.said = said;
    const rows = this.#lots.map((lot) => {
      const from = lot.phase === "Coming" ? `from ${money(lot.ask)}` : money(lot.price || lot.ask);
      const price = lot.phase === "Unsold" ? "not sold" : from;
      const buyer = lot.phase === "Sold" && this.#nameOf(lot.leader, lot.name);
      const what = h("span", {}, lot.title, buyer && h("small", {}, buyer));
      const row = h("li", { data: { phase: lot.phase } }, what, h("b", {}, price));
      mark(row, "own", lot.phase === "Sold" && lot.leader === this.room.player);
      return row;
    });
    fill(this.#catalogue, ...rows);
  }

  #showClock() {
    const { clock } = this.room.client;
    const open = this.#lot?.phase === "Open";
    const left = open ? Math.max(this.#closes - clock.time(performance.now()), 0) : 0;
    const seconds = (left * clock.tickMs) / 1000;
    const call = this.#lot?.bids ? CALLS.find(([below]) => seconds < below)?.[1] : undefined;
    this.#bar.style.width = `${Math.min(left / this.#length, 1) * 100}%`;
    mark(this.view, "short", open && seconds < CALLS[CALLS.length - 1][0]);
    write(this.#clock, open ? `${Math.ceil(seconds)} s${call ? ` · ${call}` : ""}` : "");
  }

  /** @param {any} event */
  #handle(event) {
    const [name, told] = Object.entries(event)[0];
    if (name === "Bid") {
      const own = told.by === this.room.player;
      if (own) {
        this.#wanted.add(this.#lot?.number);
      }
      beep({ from: own ? 523 : 392, to: own ? 784 : 330, seconds: 0.15, shape: "sine" });
      const bid = h("li", {}, h("span", {}, own ? "You" : this.#nameOf(told.by)), h("b", {}, money(told.cents)));
      mark(bid, "own", own);
      this.#latest.prepend(bid);
      [...this.#latest.children].slice(LATEST).forEach((old) => old.remove());
    } else if (name === "Hammer") {
      beep({ from: 180, to: 60, seconds: 0.25, volume: 1 });
    } else {
      toast(REFUSALS[told.why] ?? "That is not possible.", { bad: true });
    }
  }

  #result() {
    const sold = this.#lots.filter(({ phase }) => phase === "Sold");
    const own = sold.filter(({ leader }) => leader === this.room.player);
    const lots = (/** @type {Lot[]} */ some) => `${some.length} ${some.length === 1 ? "lot" : "lots"}`;
    const sum = money(own.reduce((cents, { price }) => cents + price, 0));
    const all = `${lots(sold)} of ${this.#lots.length} found a buyer.`;
    return { title: "The sale is over", text: own.length > 0 ? `You bought ${lots(own)} for ${sum}.` : all };
  }

  /**
   * @param {number} player
   * @param {string} [name] if it is known
   */
  #nameOf(player, name = this.#bidders.find((bidder) => bidder.player === player)?.name) {
    return name || `Bidder ${player}`;
  }
}

/** @param {number} cents */
function money(cents) {
  const digits = cents % 100 === 0 ? 0 : 2;
  const format = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return `€\u202f${(cents / 100).toLocaleString("en", format)}`;
}

/**
 * Writes a text if it is another one, so that what is read aloud or selected is left alone.
 *
 * @param {HTMLElement} element
 * @param {string} text
 */
function write(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}
