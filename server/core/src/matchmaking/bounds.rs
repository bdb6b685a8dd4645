//! Limits on messages: they come from a broker, so they are checked before they are believed.
//!
//! Only sizes and ranges are checked here. The pool checks whether a ticket fits its mode, and the machines whether a
//! message makes sense.

use std::time::Duration;

use tiltyard_shared::protocol::limits;

use super::{
    mode::MAX_PLAYERS,
    pool::{Offer, Renewal, Venue},
    proposals::{Go, MAX_STATED, Message, Request, Reserve, ToHome, ToHost, ToMatchmaker},
    ticket::{Distance, MAX_AVOIDED, MAX_RATING, MAX_REGIONS, Member, Ticket, Vacancy},
};
use crate::instance::is_word;

/// The longest possible wait.
pub const MAX_WAITED: Duration = Duration::from_secs(7 * 24 * 3600);

/// Most tickets that one message to a home names.
const MAX_NAMED: usize = MAX_PLAYERS;

impl Ticket {
    /// Whether everything in it is within its limits.
    pub fn is_bounded(&self) -> bool {
        let Self { id: _, home: _, mode, party, regions, avoid, waited } = self;
        let rated = |member: &Member| member.rating.unsigned_abs() <= MAX_RATING.unsigned_abs();
        let region = |distance: &Distance| is_word(&distance.region);
        is_name(mode)
            && (1..=usize::from(limits::PARTY)).contains(&party.len())
            && party.iter().all(rated)
            && regions.len() <= MAX_REGIONS
            && regions.iter().all(region)
            && avoid.len() <= MAX_AVOIDED
            && *waited <= MAX_WAITED
    }
}

impl Vacancy {
    fn is_bounded(&self) -> bool {
        let Self { room: _, host: _, mode, region, team, seats, rating, waited } = self;
        is_name(mode)
            && is_word(region)
            && *team < MAX_PLAYERS
            && (1..=MAX_PLAYERS).contains(seats)
            && rating.unsigned_abs() <= MAX_RATING.unsigned_abs()
            && *waited <= MAX_WAITED
    }
}

impl Request {
    /// Whether everything in it is within its limits.
    pub fn is_bounded(&self) -> bool {
        match self {
            Self::Submit { number: _, ticket } => ticket.is_bounded(),
            Self::Renew(Renewal { tickets, .. }) => tickets.iter().all(Ticket::is_bounded),
            Self::Cancel { .. } => true,
            Self::Offer(Offer { vacancies, .. }) => vacancies.iter().all(Vacancy::is_bounded),
            Self::NoShows(no_shows) => no_shows.len() <= MAX_STATED,
        }
    }
}

impl Message {
    /// Whether everything in it is within its limits.
    pub fn is_bounded(&self) -> bool {
        match self {
            Self::Matchmaker(ToMatchmaker::No { tickets, .. }) => tickets.len() <= MAX_NAMED,
            Self::Home(ToHome::Agree { tickets, .. } | ToHome::Go(Go { tickets, .. })) => tickets.len() <= MAX_NAMED,
            Self::Home(ToHome::Returned { absent, .. }) => absent.len() <= MAX_NAMED,
            Self::Host(ToHost::Reserve(Reserve { mode, place, teams, .. })) => {
                let placed = !matches!(place, Venue::Running { team, .. } if *team >= MAX_PLAYERS);
                let tickets = || teams.iter().flatten();
                let few = teams.len() <= MAX_PLAYERS && tickets().count() <= MAX_NAMED;
                is_name(mode) && placed && few && tickets().all(Ticket::is_bounded)
            }
            Self::Matchmaker(_) | Self::Home(_) | Self::Host(_) => true,
        }
    }
}

fn is_name(text: &str) -> bool {
    text.len() <= limits::NAME_BYTES && is_word(text)
}

#[cfg(test)]
mod tests {
    use tiltyard_shared::protocol::codec;
    use uuid::Uuid;

    use super::*;
    use crate::{
        instance::InstanceId,
        matchmaking::{MatchId, PlayerKey, SessionId, TicketId, proposals::Reservation},
    };

    fn ticket() -> Ticket {
        Ticket {
            id: TicketId(Uuid::from_u128(1)),
            home: InstanceId::new("eu-1").unwrap(),
            mode: "teams".to_owned(),
            party: vec![Member {
                player: SessionId(Uuid::from_u128(2)),
                key: PlayerKey(Uuid::from_u128(2)),
                rating: -7,
            }],
            regions: vec![Distance { region: "eu".to_owned(), ms: 20 }],
            avoid: vec![PlayerKey(Uuid::from_u128(9))],
            waited: Duration::from_millis(1_500),
        }
    }

    #[test]
    fn messages_are_the_same_after_their_way_over_the_bus() {
        let (id, reservation) = (MatchId(Uuid::from_u128(3)), Reservation(4));
        let home = InstanceId::new("eu-1").unwrap();
        let place = Venue::Running { room: id, host: home, team: 1 };
        let reserve =
            Reserve { id, matchmaker: home, mode: "teams".to_owned(), place, teams: vec![vec![ticket()], vec![]] };
        let go = Go { id, host: home, reservation, tickets: vec![ticket().id] };
        for message in [Message::Host(ToHost::Reserve(reserve)), Message::Home(ToHome::Go(go))] {
            assert!(message.is_bounded());
            assert_eq!(codec::decode::<Message>(&codec::encode(&message)), Ok(message));
        }
        let request = Request::Renew(Renewal { home, number: 5, tickets: vec![ticket(); 3] });
        assert_eq!(codec::decode::<Request>(&codec::encode(&request)), Ok(request));
    }

    #[test]
    fn what_is_beyond_a_limit_is_not_believed() {
        assert!(ticket().is_bounded());
        let many = |count| vec![ticket().party[0]; count];
        for bad in [
            Ticket { mode: "x".repeat(33), ..ticket() },
            Ticket { mode: "a.b".to_owned(), ..ticket() },
            Ticket { party: many(0), ..ticket() },
            Ticket { party: many(17), ..ticket() },
            Ticket { party: vec![Member { rating: i32::MIN, ..ticket().party[0] }], ..ticket() },
            Ticket { regions: vec![Distance { region: String::new(), ms: 0 }], ..ticket() },
            Ticket { avoid: vec![PlayerKey(Uuid::nil()); MAX_AVOIDED + 1], ..ticket() },
            Ticket { waited: Duration::MAX, ..ticket() },
        ] {
            assert!(!bad.is_bounded(), "{bad:?}");
            assert!(!Request::Submit { number: 1, ticket: bad }.is_bounded());
        }
    }
}
