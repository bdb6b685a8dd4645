//! The proposals being agreed on: found by their ids, by the tickets that they name, and by when they fail.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{InstanceId, MatchId, Proposal, Reservation, TicketId};

/// A proposal being agreed on.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) proposal: Proposal,
    pub(super) host: InstanceId,
    /// When it fails.
    pub(super) until: Duration,
    pub(super) reserved: Option<Reservation>,
    /// Homes that have not answered.
    pub(super) asked: BTreeSet<InstanceId>,
    /// When the first yes was said.
    pub(super) first_yes: Option<Duration>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Proposals {
    open: BTreeMap<MatchId, Open>,
    /// By when they fail.
    late: BTreeSet<(Duration, MatchId)>,
    /// The one that names each ticket.
    named: BTreeMap<TicketId, MatchId>,
}

impl Proposals {
    /// Adds a proposal.
    pub(super) fn insert(&mut self, id: MatchId, open: Open) -> &Open {
        self.named.extend(open.proposal.tickets().map(|ticket| (ticket.id, id)));
        self.late.insert((open.until, id));
        self.open.entry(id).or_insert(open)
    }

    /// Takes a proposal out that is settled or has failed.
    pub(super) fn take(&mut self, id: MatchId) -> Option<Open> {
        let open = self.open.remove(&id)?;
        self.late.remove(&(open.until, id));
        for ticket in open.proposal.tickets() {
            self.named.remove(&ticket.id);
        }
        Some(open)
    }

    /// Sets when a proposal fails.
    pub(super) fn extend(&mut self, id: MatchId, until: Duration) {
        if let Some(open) = self.open.get_mut(&id) {
            self.late.remove(&(open.until, id));
            self.late.insert((until, id));
            open.until = until;
        }
    }

    /// The first one that has failed by now.
    pub(super) fn first_late(&self, now: Duration) -> Option<(MatchId, &Open)> {
        let (_, id) = self.late.first().copied().filter(|(until, _)| *until <= now)?;
        Some((id, &self.open[&id]))
    }

    /// The one that names a ticket.
    pub(super) fn naming(&self, ticket: TicketId) -> Option<MatchId> {
        self.named.get(&ticket).copied()
    }

    /// The one with this id. Its time is set by [`Self::extend`].
    pub(super) fn get_mut(&mut self, id: MatchId) -> Option<&mut Open> {
        self.open.get_mut(&id)
    }

    /// The one with this id.
    pub(super) fn get(&self, id: MatchId) -> Option<&Open> {
        self.open.get(&id)
    }

    /// All of them, by id.
    pub(super) fn iter(&self) -> impl Iterator<Item = (MatchId, &Open)> {
        self.open.iter().map(|(id, open)| (*id, open))
    }
}
