//! What goes wrong in a run, and the counts that prove it did.

use std::time::Duration;

use tiltyard_core::matchmaking::proposals::host;

use crate::{
    bus::Trouble,
    world::{Mutant, Role, World},
};

/// What happened in a run, or in several.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) late: u64,
    pub(crate) refused: u64,
    pub(crate) undelivered: u64,
    pub(crate) cut_off: u64,
    pub(crate) cuts: u64,
    pub(crate) home_crashes: u64,
    pub(crate) host_crashes: u64,
    pub(crate) matchmaker_crashes: u64,
    pub(crate) restarts: u64,
    pub(crate) home_pauses: u64,
    pub(crate) host_pauses: u64,
    pub(crate) matchmaker_pauses: u64,
    pub(crate) doubled_matchmakers: u64,
    pub(crate) redelivered: u64,
    pub(crate) searches: u64,
    pub(crate) cancels: u64,
    pub(crate) matched: u64,
    pub(crate) sent_back: u64,
    pub(crate) declined: u64,
    pub(crate) backfilled: u64,
    pub(crate) started: u64,
    pub(crate) ended_below_minimum: u64,
    pub(crate) no_shows: u64,
    pub(crate) refused_by_penalty: u64,
    pub(crate) turned_away: u64,
    pub(crate) superseded: u64,
    pub(crate) given_up: u64,
    /// The longest wait for what was agreed on.
    pub(crate) longest_bound: Duration,
    /// The longest that two have waited for each other.
    pub(crate) longest_free: Duration,
}

impl Counts {
    fn named(&mut self) -> [(&'static str, &mut u64); 29] {
        [
            ("lost message", &mut self.lost),
            ("doubled message", &mut self.doubled),
            ("late message", &mut self.late),
            ("refused batch", &mut self.refused),
            ("undelivered message", &mut self.undelivered),
            ("player cut off on the way", &mut self.cut_off),
            ("cut connection", &mut self.cuts),
            ("crash of a home", &mut self.home_crashes),
            ("crash of a host", &mut self.host_crashes),
            ("crash of a matchmaker", &mut self.matchmaker_crashes),
            ("restart", &mut self.restarts),
            ("pause of a home", &mut self.home_pauses),
            ("pause of a host", &mut self.host_pauses),
            ("pause of a matchmaker", &mut self.matchmaker_pauses),
            ("two matchmakers at once", &mut self.doubled_matchmakers),
            ("redelivery", &mut self.redelivered),
            ("search", &mut self.searches),
            ("cancel", &mut self.cancels),
            ("match", &mut self.matched),
            ("ticket sent back", &mut self.sent_back),
            ("go after a yes had run out", &mut self.declined),
            ("backfill", &mut self.backfilled),
            ("start", &mut self.started),
            ("end below the minimum", &mut self.ended_below_minimum),
            ("no-show", &mut self.no_shows),
            ("search refused by a penalty", &mut self.refused_by_penalty),
            ("player turned away", &mut self.turned_away),
            ("ticket superseded", &mut self.superseded),
            ("search given up", &mut self.given_up),
        ]
    }

    pub(crate) fn add(&mut self, other: &Self) {
        let mut other = *other;
        for ((_, sum), (_, more)) in self.named().into_iter().zip(other.named()) {
            *sum += *more;
        }
        self.longest_bound = self.longest_bound.max(other.longest_bound);
        self.longest_free = self.longest_free.max(other.longest_free);
    }

    /// What did not happen.
    pub(crate) fn missing(&mut self) -> Vec<&'static str> {
        self.named().into_iter().filter(|(_, count)| **count == 0).map(|(name, _)| name).collect()
    }
}

impl World {
    /// Crashes, pauses and cuts off instances now and then, and brings them back.
    pub(crate) fn misfortune(&mut self) -> Result<(), String> {
        for slot in 0..self.nodes.len() {
            self.bring_back(slot)?;
            if self.trouble != Trouble::All || self.nodes[slot].machine.is_none() {
                continue;
            }
            if self.rng.chance(0.004) {
                self.crash(slot)?;
            } else if self.nodes[slot].paused.is_none() && self.rng.chance(0.004) {
                let length = [3, 8, 13, 20][self.rng.below(4) as usize];
                self.nodes[slot].paused = Some((self.now, self.now + Duration::from_secs(length)));
                *match self.nodes[slot].role {
                    Role::Home => &mut self.counts.home_pauses,
                    Role::Host => &mut self.counts.host_pauses,
                    Role::Matchmaker => &mut self.counts.matchmaker_pauses,
                } += 1;
            } else if self.nodes[slot].cut_until < self.now && self.rng.chance(0.004) {
                let length = [1, 4, 9][self.rng.below(3) as usize];
                self.nodes[slot].cut_until = self.now + Duration::from_secs(length);
                self.counts.cuts += 1;
            }
        }
        Ok(())
    }

    fn bring_back(&mut self, slot: usize) -> Result<(), String> {
        let node = &mut self.nodes[slot];
        if self.trouble == Trouble::None {
            (node.cut_until, node.down_until) = (Duration::ZERO, Duration::ZERO);
            node.paused = node.paused.map(|(from, _)| (from, self.now));
        }
        if let Some((from, _)) = node.paused.take_if(|(_, until)| *until <= self.now)
            && node.role == Role::Host
            && self.mutant != Mutant::BlameEverybody
        {
            self.host(slot, host::Event::StoodStill(self.now - from))?;
        }
        let node = &mut self.nodes[slot];
        if node.machine.is_none() && node.down_until <= self.now {
            self.start(slot);
            self.counts.restarts += 1;
        }
        Ok(())
    }

    fn crash(&mut self, slot: usize) -> Result<(), String> {
        let id = self.nodes[slot].id;
        *match self.nodes[slot].role {
            Role::Home => &mut self.counts.home_crashes,
            Role::Host => &mut self.counts.host_crashes,
            Role::Matchmaker => &mut self.counts.matchmaker_crashes,
        } += 1;
        self.trace(|| format!("crash of {:?} {id:?}", self.nodes[slot].role));
        let node = &mut self.nodes[slot];
        (node.machine, node.paused, node.cut_until) = (None, None, Duration::ZERO);
        node.deferred.clear();
        node.down_until = self.now + Duration::from_secs(u64::from(1 + self.rng.below(8)));
        self.gone.push((self.now + Duration::from_secs(6), id));
        match self.nodes[slot].role {
            Role::Home => self.home_died(id),
            Role::Host => self.host_died(id),
            Role::Matchmaker => return self.ledger.matchmaker_died(),
        }
        Ok(())
    }

    /// With this mutant the delivery is acknowledged when it comes, and taken in later.
    pub(crate) fn defers(&self) -> bool {
        self.mutant == Mutant::AcknowledgeEarly
    }
}
