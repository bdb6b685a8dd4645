//! A ticket at its home: what it is bound to, and when something becomes of it by itself.

use std::time::Duration;

use super::{InstanceId, MAX_AVOIDED, MatchId, PlayerKey, Ticket};

#[derive(Debug)]
pub(super) struct Held {
    pub(super) ticket: Ticket,
    /// When `ticket.waited` was true.
    since: Duration,
    /// When the search is given up.
    gives_up: Duration,
    pub(super) state: State,
    /// The match that its players were last told to go to.
    pub(super) went_to: Option<MatchId>,
    /// When they were told.
    pub(super) told_to_go: Duration,
    /// When it is stated again at the latest, if its players are back and the host has not said who was absent.
    pub(super) unstated: Option<Duration>,
    /// Whether the connection of one of its players is gone.
    pub(super) cut_off: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Open,
    Agreed { id: MatchId, until: Duration },
    Going { id: MatchId, host: InstanceId, ask: Duration },
}

impl State {
    /// The match that the players were told to go to.
    pub(super) fn going(self) -> Option<MatchId> {
        match self {
            Self::Going { id, .. } => Some(id),
            Self::Open | Self::Agreed { .. } => None,
        }
    }
}

impl Held {
    /// A ticket that begins to wait, with the longest time that it may have waited.
    pub(super) fn new(now: Duration, ticket: Ticket, patience: Duration) -> Self {
        let gives_up = now.saturating_add(patience.saturating_sub(ticket.waited));
        Self {
            ticket,
            since: now,
            gives_up,
            state: State::Open,
            went_to: None,
            told_to_go: now,
            unstated: None,
            cut_off: false,
        }
    }

    /// When something becomes of it by itself.
    pub(super) fn due(&self) -> Duration {
        match self.state {
            State::Open => self.gives_up,
            State::Agreed { until, .. } => until,
            State::Going { ask, .. } => ask,
        }
    }

    /// How long it has waited.
    pub(super) fn waited(&self, now: Duration) -> Duration {
        self.ticket.waited + now.saturating_sub(self.since)
    }

    /// The ticket with its waiting time by now.
    pub(super) fn stated(&self, now: Duration) -> Ticket {
        Ticket { waited: self.waited(now), ..self.ticket.clone() }
    }

    /// Avoids these players from now on, and the last ones before.
    pub(super) fn avoid(&mut self, absent: &[PlayerKey]) {
        let Ticket { party, avoid, .. } = &mut self.ticket;
        avoid.retain(|key| !absent.contains(key));
        avoid.extend(absent.iter().filter(|key| party.iter().all(|member| member.key != **key)));
        avoid.drain(..avoid.len().saturating_sub(MAX_AVOIDED));
    }
}
