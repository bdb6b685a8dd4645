//! The effects of a service's machines: each event is handed to its machine, and the effects are carried out in order.

use std::time::{Duration, Instant};

use tiltyard_core::{
    instance::InstanceId,
    matchmaking::{
        MatchId, TicketId,
        proposals::{
            Claim, Message,
            home::{self, Over, Told},
            host, matchmaker,
        },
        ticket::Refused,
    },
};
use tiltyard_shared::protocol::{Code, search::SearchState};
use tracing::{debug, info, warn};

use super::{Admitted, Event, News, Service, Turn};
use crate::{
    matchmaking::pass::MatchPass,
    metrics,
    room::{
        door::RoomRequest,
        matched::{Guard, MatchSeat},
    },
};

/// Ticks come every 100 ms: after a silence longer than this, the process or the machine stood still.
const STANDSTILL: Duration = Duration::from_secs(1);

impl Service {
    /// Hands events to the machines until there are none left.
    pub(super) async fn settle(&mut self) {
        self.note_standstill();
        while let Some(turn) = self.turns.pop_front() {
            let now = self.parts.here.clock().now();
            match turn {
                Turn::Home(event) => self.home.handle(now, event).into_iter().for_each(|effect| self.at_home(effect)),
                Turn::Host(event) => {
                    for effect in self.host.handle(now, event) {
                        self.at_host(effect).await;
                    }
                }
                Turn::Matchmaker(event) => self.match_players(event),
            }
        }
        // A claim that the host did not answer has no seat.
        for (_, reply) in self.claims.drain(..) {
            let _gone = reply.send(Err(Code::BadPass));
        }
    }

    /// Tells the host, before anything else, if this process stood still: no tick came when it was due.
    fn note_standstill(&mut self) {
        let now = self.parts.here.clock().now();
        let silence = now.saturating_sub(std::mem::replace(&mut self.handled, now));
        if silence > STANDSTILL {
            warn!(game = self.game, ?silence, "this instance stood still");
            self.turns.push_front(host::Event::StoodStill(silence).into());
        }
    }

    fn match_players(&mut self, event: matchmaker::Event) {
        let is_round = matches!(event, matchmaker::Event::Round { .. });
        let started = Instant::now();
        let effects = self.matchmaker.handle(self.parts.here.clock().now(), event);
        if is_round {
            metrics::round(self.game, started.elapsed(), self.matchmaker.pool().waiting());
        }
        for effect in effects {
            match effect {
                matchmaker::Effect::Acknowledge(delivery) => {
                    self.receipts.remove(&delivery).into_iter().for_each(crate::bus::Receipt::ack);
                }
                matchmaker::Effect::Send(to, message) => self.send(to, message),
            }
        }
    }

    fn send(&mut self, to: InstanceId, message: Message) {
        if to == self.id {
            self.hear(Duration::ZERO, message);
        } else if let Some(message) = self.publisher.say(self.parts.here.clock().now(), to, message) {
            self.miss(to, message);
        }
    }

    fn at_home(&mut self, effect: home::Effect) {
        match effect {
            home::Effect::Publish(request) => self.publisher.publish(request),
            home::Effect::Send(to, message) => self.send(to, message),
            home::Effect::Tell(ticket, told) => self.tell(ticket, told),
        }
    }

    fn tell(&mut self, ticket: TicketId, told: Told) {
        match told {
            Told::Searching { waited } => {
                if !self.players.search_on(ticket, waited) {
                    self.turns.push_back(home::Event::Cancel(ticket).into());
                }
            }
            Told::Agreed(_) => self.players.tell(ticket, |_| SearchState::Agreed),
            Told::Go { id, host, reservation } => {
                let waited = self.home.waited(ticket, self.parts.here.clock().now()).unwrap_or_default();
                let Some(url) = self.parts.url(host) else {
                    // Players who cannot be sent there count as back at once.
                    debug!(%host, "no way to the host of a match");
                    return self.turns.push_back(home::Event::Back { id, ticket }.into());
                };
                let game = self.game;
                self.players.go(ticket, waited, |player| {
                    let pass = MatchPass { game: game.to_owned(), claim: Claim { id, reservation, ticket, player } };
                    SearchState::Joining { id: id.0, url: url.clone(), pass: pass.encode() }
                });
            }
            Told::Over(over) => self.end(ticket, over),
        }
    }

    fn end(&mut self, ticket: TicketId, over: Over) {
        let (state, outcome) = match over {
            Over::Matched(id) => (SearchState::Matched { id: id.0 }, "matched"),
            Over::Cancelled => (SearchState::ended(Code::Cancelled), "cancelled"),
            Over::Expired => (SearchState::ended(Code::Expired), "expired"),
            Over::Refused(Refused::NoShow(rest)) => {
                let retry_after_ms = Some(u32::try_from(rest.as_millis()).unwrap_or(u32::MAX));
                (SearchState::Ended { code: Code::NoShow, retry_after_ms }, "no_show")
            }
            Over::Refused(why) => (SearchState::ended(code(why)), "refused"),
        };
        let waited = self.players.end(ticket, &state);
        metrics::ticket(self.game, outcome);
        if matches!(over, Over::Matched(_)) {
            metrics::waited(self.game, waited);
        }
    }

    async fn at_host(&mut self, effect: host::Effect) {
        match effect {
            host::Effect::Publish(request) => self.publisher.publish(request),
            host::Effect::Send(to, message) => self.send(to, message),
            host::Effect::Open { room, mode } => self.open(room, mode).await,
            host::Effect::Admit { room, team, claim } => {
                let admitted = self.admit(room, team, claim);
                if admitted.is_err() {
                    self.turns.push_back(host::Event::TurnedAway { room, player: claim.player }.into());
                }
                self.answer(&claim, admitted);
            }
            host::Effect::Refuse(claim) => self.answer(&claim, Err(Code::BadPass)),
            host::Effect::Start(room) => {
                let mode = self.playing.get(&room).map_or("", String::as_str);
                info!(room = %room.0, game = self.game, mode, "match on");
                metrics::match_started(self.game);
            }
            host::Effect::End(room) => self.close(room),
        }
    }

    async fn open(&mut self, room: MatchId, mode: String) {
        let config = self.configs.get(&mode).map_or(&[][..], Vec::as_slice);
        let opened = match Guard::reserve(&self.events, Event::News(News::Ended(room))) {
            Some(end) => self.parts.rooms.open_match(room.0, self.game, config, end).await,
            None => Err(Code::ServerFull),
        };
        match opened {
            Ok(()) => drop(self.playing.insert(room, mode)),
            Err(code) => {
                warn!(room = %room.0, game = self.game, %code, "no room for a match");
                self.turns.push_back(host::Event::Ended(room).into());
            }
        }
    }

    fn admit(&self, room: MatchId, team: usize, claim: Claim) -> Result<Admitted, Code> {
        let guard =
            Guard::reserve(&self.events, Event::News(News::Left(room, claim.player))).ok_or(Code::ServerFull)?;
        let arrival = self.parts.rooms.by_id(room.0, false).map_err(|_| Code::RoomClosed)?;
        let team = u16::try_from(team).unwrap_or(u16::MAX);
        Ok(Admitted { arrival, seat: MatchSeat { session: claim.player.0, team, guard } })
    }

    fn answer(&mut self, claim: &Claim, admitted: Result<Admitted, Code>) {
        if let Some(index) = self.claims.iter().position(|(other, _)| other == claim) {
            // If nobody listens any more, the seat is dropped, which frees it.
            let _gone = self.claims.swap_remove(index).1.send(admitted);
        }
    }

    /// Closes the room of a match to which too few came; its players search on.
    fn close(&self, room: MatchId) {
        info!(room = %room.0, game = self.game, "too few came to a match");
        if let Ok(arrival) = self.parts.rooms.by_id(room.0, false) {
            tokio::spawn(async move { arrival.door().send(RoomRequest::Close).await });
        }
    }
}

/// The code that players get for a refusal.
fn code(why: Refused) -> Code {
    match why {
        Refused::UnknownMode => Code::UnknownMode,
        Refused::BadParty => Code::BadParty,
        Refused::OutOfRange => Code::BadRating,
        Refused::AlreadySearching | Refused::Superseded => Code::AlreadySearching,
        Refused::Full => Code::ServerFull,
        Refused::Draining => Code::Stopping,
        Refused::NoShow(_) => Code::NoShow,
        Refused::NotItsHome | Refused::Changed => Code::Internal,
    }
}
