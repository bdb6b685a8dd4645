//! Matches that end: their length, their sides, and their results.
//!
//! A room without [`Config::match_seconds`](crate::Config::match_seconds) never ends. Sides come from matchmaking; a
//! player who came otherwise has none, and is nobody's mate.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tiltyard_shared::prelude::*;

use crate::{
    Arena,
    entities::Thing,
    rules::{self, TICK_HZ},
};

impl Arena {
    /// Starts the clock with the first player.
    pub(crate) fn start_clock(&mut self, now: Tick) {
        let ticks = u32::from(self.config.match_seconds) * TICK_HZ;
        if ticks > 0 && self.ends.is_none() {
            self.ends = Some(rules::after(now, ticks));
        }
    }

    /// Ends the match when its time is over.
    pub(crate) fn watch_clock(&self, ctx: &mut Ctx<'_, Self>) {
        if self.ends.is_some_and(|end| ctx.tick >= end) {
            ctx.finish(self.result(ctx));
        }
    }

    /// Whether two players were matched into the same team.
    pub(crate) fn are_mates(&self, one: PlayerId, other: PlayerId) -> bool {
        let team = |player| self.seats.get(player).and_then(|seat| seat.team);
        team(&one).is_some() && team(&one) == team(&other)
    }

    /// Kills by player and by team, of the players present at the end.
    fn result(&self, ctx: &Ctx<'_, Self>) -> Value {
        let mut teams = BTreeMap::<u16, u32>::new();
        let players: Vec<_> = self
            .seats
            .iter()
            .map(|(player, seat)| {
                let kills = match ctx.world.get(seat.fighter) {
                    Some(Thing::Fighter(fighter)) => u32::from(fighter.score),
                    _ => 0,
                };
                if let Some(team) = seat.team {
                    *teams.entry(team).or_default() += kills;
                }
                json!({ "player": player, "name": ctx.name(*player), "team": seat.team, "kills": kills })
            })
            .collect();
        json!({ "players": players, "teams": teams })
    }
}

/// The name above a fighter: in teams it begins with the team's letter.
pub(crate) fn name_above(name: &str, team: Option<u16>) -> String {
    let letter = team.and_then(|team| char::from_u32(u32::from(b'A') + u32::from(team)));
    rules::cut_name(&letter.map_or_else(|| name.to_owned(), |letter| format!("[{letter}] {name}")))
}
