//! What a pool takes and what it proposes.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use crate::matchmaking::{
    InstanceId, MatchId, TicketId,
    ticket::{Refused, Ticket, Vacancy},
};

/// A home's statement of all its open tickets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// The home.
    pub home: InstanceId,
    /// Rises with each statement of this home.
    pub number: u64,
    /// The tickets.
    pub tickets: Vec<Ticket>,
}

/// A host's statement of all free seats in its rooms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The host.
    pub host: InstanceId,
    /// Rises with each statement of this host.
    pub number: u64,
    /// The seats, at most one entry for each team of a room.
    pub vacancies: Vec<Vacancy>,
}

/// The changes that a statement made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// It was too old or overtaken by a later one: nothing changed.
    pub stale: bool,
    /// The number of new tickets.
    pub added: usize,
    /// Tickets that it no longer named.
    pub cancelled: Vec<TicketId>,
    /// Tickets that were not taken, with their homes. The home is not the sender's if another ticket gave way.
    pub refused: Vec<(InstanceId, TicketId, Refused)>,
}

/// A proposed match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The name of the mode.
    pub mode: String,
    /// The region.
    pub region: String,
    /// The venue.
    pub place: Venue,
    /// The tickets by team, one entry for each team of the mode.
    pub teams: Vec<Vec<Placed>>,
}

/// A ticket of a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The ticket, as it came into the pool.
    pub ticket: Arc<Ticket>,
    /// How long it has waited so far.
    pub waited: Duration,
}

/// The venue of a proposal: the room in which it is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Venue {
    /// A new room.
    New,
    /// A running room with free seats.
    Running {
        /// The room.
        room: MatchId,
        /// The instance it runs on.
        host: InstanceId,
        /// The team, the only one of [`Proposal::teams`] that is not empty.
        team: usize,
    },
}

impl Placed {
    /// The ticket with its waiting time so far, as a host needs it: without its regions, and without whom it avoids.
    pub fn stated(&self) -> Ticket {
        let Ticket { id, home, ref mode, ref party, .. } = *self.ticket;
        let (mode, party) = (mode.clone(), party.clone());
        Ticket { id, home, mode, party, regions: Vec::new(), avoid: Vec::new(), waited: self.waited }
    }
}

impl Proposal {
    /// All tickets, team by team, as they came into the pool.
    pub fn tickets(&self) -> impl Iterator<Item = &Ticket> {
        self.teams.iter().flatten().map(|placed| &*placed.ticket)
    }

    /// The tickets of a home.
    pub(crate) fn of_home(&self, home: InstanceId) -> Vec<TicketId> {
        self.tickets().filter(|ticket| ticket.home == home).map(|ticket| ticket.id).collect()
    }
}
