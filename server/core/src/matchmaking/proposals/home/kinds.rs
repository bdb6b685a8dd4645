//! The events that a home takes, and the effects that it asks for.

use std::time::Duration;

use crate::matchmaking::{
    InstanceId, MatchId, SessionId, TicketId,
    proposals::{Message, Request, Reservation, ToHome},
    ticket::{Refused, Ticket},
};

/// An event for a home.
#[derive(Clone, Debug)]
pub enum Event {
    /// Players connected here search for a match. The home sets `ticket.home`; `ticket.waited` is the time that they
    /// waited in earlier searches.
    Search(Ticket),
    /// The players no longer search, or have left.
    Cancel(TicketId),
    /// The connection of one of a ticket's players is gone. If they were told to go, the player may be in the match by
    /// now, and the host must say so; any other search is over.
    CutOff {
        /// The ticket.
        ticket: TicketId,
        /// The player.
        player: SessionId,
    },
    /// Players who were told to go are back: none of them is at the host, and none will try to go there again.
    Back {
        /// The match.
        id: MatchId,
        /// Their ticket.
        ticket: TicketId,
    },
    /// A message came.
    Message {
        /// The time since it was sent.
        age: Duration,
        /// The message.
        message: ToHome,
    },
    /// A message to an instance could not be delivered in time.
    Undelivered(Message),
    /// No more searches are taken; open ones go on.
    Drain,
    /// Time has passed. Due at least four times a second.
    Tick,
}

/// An action that a home asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send to the present matchmaker.
    Publish(Request),
    /// Send to an instance.
    Send(InstanceId, Message),
    /// Tell the players of a ticket.
    Tell(TicketId, Told),
}

/// A notice to players about their search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It goes on.
    Searching {
        /// The time waited so far.
        waited: Duration,
    },
    /// A match was found; others have yet to agree.
    Agreed(MatchId),
    /// Go to the host and claim the seats.
    Go {
        /// The match.
        id: MatchId,
        /// The host.
        host: InstanceId,
        /// The number to name there.
        reservation: Reservation,
    },
    /// It is over.
    Over(Over),
}

/// The end of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The players are in a match.
    Matched(MatchId),
    /// The players cancelled it.
    Cancelled,
    /// No match was found within the mode's [`give_up`](crate::matchmaking::mode::Mode::give_up).
    Expired,
    /// It was refused.
    Refused(Refused),
}
