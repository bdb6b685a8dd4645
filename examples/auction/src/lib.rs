//! An auction house: lots one after the other, each to whoever bids most.
//!
//! What it shows: a secret stands in a player's own group, so it is never sent to anybody else. An input names the
//! lot that it is for and the amount that is meant, so one that comes late buys nothing else, and a second click bids no
//! more than the first. Money is whole cents, times are ticks: the same bids give the same result, which goes out as
//! JSON at the end. What is sold is the room's config, so a shop opens a sale by a request.

#[cfg(test)]
mod tests;

use std::{cmp::Reverse, collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use tiltyard_shared::{prelude::*, protocol::limits::NAME_BYTES};

/// Ticks a second.
pub const TICK_HZ: u32 = 10;
/// After a bid a lot stays open for at least so many ticks.
pub const SOFT_CLOSE: u32 = 10 * TICK_HZ;
/// Ticks before the first lot, between two, and after the last.
pub const PAUSE: u32 = 5 * TICK_HZ;
/// The highest price, in cents: ten million.
pub const MOST: u32 = 1_000_000_000;
/// No bidder: the first player is 1.
pub const NOBODY: PlayerId = PlayerId(0);
/// Most bytes of a lot's title.
const TITLE_BYTES: u32 = 64;

/// What a room is made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub struct Config {
    /// How long a lot is open for bids; 0 counts as 1.
    pub seconds_per_lot: u16,
    /// What is sold, in this order.
    #[wire(max_len = 16)]
    pub lots: Vec<Offer>,
}

/// Something to be sold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub struct Offer {
    /// What it is.
    #[wire(max_len = TITLE_BYTES)]
    pub title: String,
    /// The least first bid, in cents.
    pub start: u32,
}

impl Default for Config {
    fn default() -> Self {
        let offers = [
            ("Brass sextant, about 1880", 12_000),
            ("Harbour at dusk, oil on canvas", 45_000),
            ("Walnut writing desk with a secret drawer", 28_000),
            ("First edition, signed by the translator", 6_500),
            ("Silver pocket watch, five minutes fast", 9_000),
        ];
        let offer = |(title, start): (&str, _)| Offer { title: title.to_owned(), start };
        Self { seconds_per_lot: 30, lots: offers.map(offer).into() }
    }
}

/// Anything in the world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
pub enum Thing {
    /// What was, is or will be sold.
    Lot(Lot),
    /// Somebody in the room.
    Bidder(Bidder),
    /// Up to which price the house bids for a player, in cents; 0: it does not. It stands in the player's own group.
    Limit {
        /// The highest bid that the house makes.
        cents: u32,
    },
}

/// What was, is or will be sold. Amounts are cents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
pub struct Lot {
    /// The first is 0.
    pub number: u8,
    /// How far it is.
    pub phase: Phase,
    /// The highest bid; 0 before the first.
    pub price: u32,
    /// The least that the next bid must be.
    pub ask: u32,
    /// How many bids there were; stops at 65,535.
    pub bids: u16,
    /// When the hammer falls, unless somebody bids.
    pub closes: Tick,
    /// Whose the highest bid is.
    pub leader: PlayerId,
    /// The leader's name: it stays when the leader leaves, as the bid does.
    #[replicate(max_len = NAME_BYTES as u32)]
    pub name: String,
    /// What it is.
    #[replicate(max_len = TITLE_BYTES)]
    pub title: String,
}

/// How far a lot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Replicate)]
pub enum Phase {
    /// It is not its turn yet.
    Coming,
    /// Bids are taken.
    Open,
    /// The leader has bought it.
    Sold,
    /// Nobody wanted it.
    Unsold,
}

/// Somebody in the room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
pub struct Bidder {
    /// Who.
    pub player: PlayerId,
    /// Whether the connection is gone. The house bids on, up to the limit.
    pub away: bool,
    /// The name that the player chose.
    #[replicate(max_len = NAME_BYTES as u32)]
    pub name: String,
}

/// What a bidder says. What is not possible is answered by [`Event::Refused`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub enum Input {
    /// Bids openly.
    Bid {
        /// For which lot: what comes after the hammer is for no other.
        lot: u8,
        /// How much.
        cents: u32,
    },
    /// Lets the house bid, a step at a time and only against others. It is over with the lot.
    Limit {
        /// For which lot.
        lot: u8,
        /// Up to which price; 0 takes it back.
        cents: u32,
    },
}

/// What happens once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub enum Event {
    /// There is a higher bid.
    Bid {
        /// Whose.
        by: PlayerId,
        /// How high.
        cents: u32,
    },
    /// The hammer fell.
    Hammer {
        /// For which lot.
        lot: u8,
    },
    /// Told to one bidder alone.
    Refused {
        /// Why.
        why: Refusal,
    },
}

/// Why something is not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub enum Refusal {
    /// This lot is not open.
    Closed,
    /// Somebody else has bid as much, or the price is at its highest.
    TooLow,
    /// Nobody bids against themselves.
    Leading,
}

/// The least by which a bid must be above a price.
fn step(cents: u32) -> u32 {
    match cents {
        0..10_000 => 500,
        10_000..100_000 => 1_000,
        100_000..1_000_000 => 5_000,
        _ => 50_000,
    }
}

/// A room: what players must not see of it stays here, and is never sent.
#[derive(Debug, Serialize, Deserialize)]
pub struct Auction {
    lot_ticks: u32,
    lots: Vec<EntityId>,
    /// Which of them is open, or the next.
    turn: usize,
    /// When it opens; `None` until somebody is there.
    opens: Option<Tick>,
    /// Each player's entry, and the limit in the own group.
    bidders: BTreeMap<PlayerId, [EntityId; 2]>,
    /// The limits for this lot, by when they were set: of two that are equal the earlier one counts.
    limits: Vec<(PlayerId, u32)>,
}

impl Game for Auction {
    const NAME: &'static str = "auction";
    type Config = Config;
    type Entity = Thing;
    type Input = Input;
    type Event = Event;

    fn settings(_config: &Config) -> Settings {
        let (grace, linger) = (Duration::from_secs(120), Duration::from_secs(60));
        Settings { tick_hz: TICK_HZ, max_players: 500, max_spectators: 500, grace, linger, ..Settings::default() }
    }

    fn new(config: Config, ctx: &mut Ctx<'_, Self>) -> Self {
        let lot_ticks = u32::from(config.seconds_per_lot.max(1)) * TICK_HZ;
        let (phase, closes, leader) = (Phase::Coming, Tick(0), NOBODY);
        let lot = |(number, Offer { title, start })| {
            let (number, ask, name) = (number as u8, start.min(MOST), String::new());
            ctx.world.spawn(Thing::Lot(Lot { number, phase, price: 0, ask, bids: 0, closes, leader, name, title }))
        };
        let lots = config.lots.into_iter().enumerate().map(lot).collect();
        Self { lot_ticks, lots, turn: 0, opens: None, bidders: BTreeMap::new(), limits: Vec::new() }
    }

    fn join(&mut self, player: PlayerId, ctx: &mut Ctx<'_, Self>) {
        let name = ctx.name(player).to_owned();
        let (own, bidder) = (ctx.own_group(player), Bidder { player, away: false, name });
        let (bidder, limit) = (ctx.world.spawn(Thing::Bidder(bidder)), Thing::Limit { cents: 0 });
        self.bidders.insert(player, [bidder, ctx.world.spawn_in(own, limit)]);
        self.opens.get_or_insert(Tick(ctx.tick.0 + PAUSE));
    }

    /// A bid is binding, so it stays. The limit goes.
    fn leave(&mut self, player: PlayerId, _why: Leave, ctx: &mut Ctx<'_, Self>) {
        self.set_limit(player, 0, ctx);
        if let Some([bidder, _]) = self.bidders.remove(&player) {
            ctx.world.despawn(bidder);
        }
    }

    fn away(&mut self, player: PlayerId, ctx: &mut Ctx<'_, Self>) {
        self.show_away(player, true, ctx);
    }

    fn back(&mut self, player: PlayerId, ctx: &mut Ctx<'_, Self>) {
        self.show_away(player, false, ctx);
    }

    fn tick(&mut self, inputs: &Inputs<Input>, ctx: &mut Ctx<'_, Self>) {
        for (player, input) in inputs.iter() {
            if let Err(why) = self.handle(player, input, ctx) {
                ctx.send(player, &Event::Refused { why });
            }
        }
        self.watch_clock(ctx);
    }
}

impl Auction {
    fn handle(&mut self, player: PlayerId, input: &Input, ctx: &mut Ctx<'_, Self>) -> Result<(), Refusal> {
        let (Input::Bid { lot: number, cents } | Input::Limit { lot: number, cents }) = *input;
        let lot = self.lot(ctx).filter(|lot| lot.phase == Phase::Open && lot.number == number);
        let &mut Lot { ask, leader, .. } = lot.ok_or(Refusal::Closed)?;
        let (leads, cents) = (leader == player, cents.min(MOST));
        match input {
            Input::Bid { .. } if leads => return Err(Refusal::Leading),
            Input::Bid { .. } if cents < ask => return Err(Refusal::TooLow),
            Input::Limit { .. } if cents < ask && cents > 0 && !leads => return Err(Refusal::TooLow),
            Input::Bid { .. } => self.raise(player, cents, ctx),
            Input::Limit { .. } => self.set_limit(player, cents, ctx),
        }
        self.bid_for_limits(ctx);
        Ok(())
    }

    /// The house bids: the highest limit leads, a step above what the second one is good for.
    fn bid_for_limits(&mut self, ctx: &mut Ctx<'_, Self>) {
        let Some(&mut Lot { ask, leader, .. }) = self.lot(ctx) else { return };
        let mut limits = self.limits.clone();
        limits.sort_by_key(|(_, cents)| Reverse(*cents));
        let Some(&(first, most)) = limits.first() else { return };
        let second = limits.get(1).map_or(0, |(_, cents)| *cents);
        let challenge = if first == leader { second } else { most };
        if challenge >= ask {
            self.raise(first, (second + step(second)).clamp(ask, most), ctx);
        }
    }

    fn raise(&mut self, player: PlayerId, cents: u32, ctx: &mut Ctx<'_, Self>) {
        let (name, closes) = (ctx.name(player).to_owned(), Tick(ctx.tick.0 + SOFT_CLOSE));
        let Some(lot) = self.lot(ctx) else { return };
        (lot.leader, lot.name, lot.price, lot.ask) = (player, name, cents, cents + step(cents));
        (lot.bids, lot.closes) = (lot.bids.saturating_add(1), lot.closes.max(closes));
        ctx.broadcast(GroupId(0), &Event::Bid { by: player, cents });
    }

    fn set_limit(&mut self, player: PlayerId, cents: u32, ctx: &mut Ctx<'_, Self>) {
        self.limits.retain(|(other, _)| *other != player);
        if cents > 0 {
            self.limits.push((player, cents));
        }
        let limit = self.bidders.get(&player).and_then(|[_, limit]| ctx.world.get_mut(*limit));
        limit.into_iter().for_each(|limit| *limit = Thing::Limit { cents });
    }

    fn watch_clock(&mut self, ctx: &mut Ctx<'_, Self>) {
        let (now, is_time) = (ctx.tick, self.opens.is_some_and(|opens| ctx.tick >= opens));
        let closes = Tick(now.0 + self.lot_ticks);
        match self.lot(ctx) {
            Some(lot) if lot.phase == Phase::Coming && is_time => {
                (lot.phase, lot.closes) = (Phase::Open, closes);
                let metadata = json!({ "lot": lot.title }).to_string();
                ctx.set_metadata(metadata);
            }
            Some(lot) if lot.phase == Phase::Open && now >= lot.closes => {
                lot.phase = if lot.leader == NOBODY { Phase::Unsold } else { Phase::Sold };
                let number = lot.number;
                ctx.broadcast(GroupId(0), &Event::Hammer { lot: number });
                let players: Vec<_> = self.limits.iter().map(|(player, _)| *player).collect();
                players.into_iter().for_each(|player| self.set_limit(player, 0, ctx));
                (self.turn, self.opens) = (self.turn + 1, Some(Tick(now.0 + PAUSE)));
            }
            None if is_time => ctx.finish(self.result(ctx)),
            _ => {}
        }
    }

    /// The lot that is open, or the next; `None` after the last.
    fn lot<'a>(&self, ctx: &'a mut Ctx<'_, Self>) -> Option<&'a mut Lot> {
        match ctx.world.get_mut(*self.lots.get(self.turn)?)? {
            Thing::Lot(lot) => Some(lot),
            Thing::Bidder(_) | Thing::Limit { .. } => None,
        }
    }

    fn show_away(&self, player: PlayerId, away: bool, ctx: &mut Ctx<'_, Self>) {
        let bidder = self.bidders.get(&player).and_then(|[bidder, _]| ctx.world.get_mut(*bidder));
        if let Some(Thing::Bidder(bidder)) = bidder {
            bidder.away = away;
        }
    }

    fn result(&self, ctx: &Ctx<'_, Self>) -> Value {
        let sold = |id: &EntityId| match ctx.world.get(*id)? {
            Thing::Lot(Lot { number, phase: Phase::Sold, price, leader, name, title, .. }) => {
                Some(json!({ "lot": number, "title": title, "cents": price, "winner": leader, "name": name }))
            }
            _ => None,
        };
        json!({ "sold": self.lots.iter().filter_map(sold).collect::<Vec<_>>() })
    }
}
