//! The players: they search, go where they are told, claim their seats, give up and come back. They obey blindly: a player
//! who is told to go to two rooms claims both seats.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use tiltyard_core::matchmaking::{
    InstanceId, MatchId, PlayerKey, SessionId, TicketId,
    proposals::{Claim, Reservation, home, host},
    ticket::{Distance, Member, Ticket},
};
use uuid::Uuid;

use crate::world::{Machine, Mutant, Role, World};

/// A player gives a host up that has not answered for so long.
const PATIENCE: Duration = Duration::from_secs(12);
/// Who is back from a host has told the home after so long, if the host is gone, or the client is quick.
const WAY_BACK: Duration = Duration::from_millis(700);
/// Others leave it to the host to say so for long.
const SLOW_WAY_BACK: Duration = Duration::from_secs(40);

/// A rating that is far from all others: who has it finds nobody.
pub(crate) const FAR: i32 = 100_000;
/// So many players, and at the end as many of them in a second window, with a session of its own.
const PLAYERS: u32 = 16;
const WINDOWS: u32 = 2;

#[derive(Debug)]
pub(crate) struct Player {
    session: SessionId,
    key: PlayerKey,
    rating: i32,
    /// The home that the player is connected to, and the ticket there.
    search: Option<(InstanceId, TicketId)>,
    doors: Vec<Door>,
}

/// A connection to a host.
#[derive(Clone, Debug)]
struct Door {
    host: InstanceId,
    claim: Claim,
    room: Option<MatchId>,
    heard: Duration,
    claimed: Duration,
    /// The player does not come.
    lazy: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Crowd {
    players: Vec<Player>,
    /// What clients say to hosts, in order, and when it arrives.
    said: VecDeque<(Duration, InstanceId, Said)>,
    /// Who will tell the home that the players of a ticket are back from a host.
    backs: Vec<(Duration, InstanceId, MatchId, TicketId)>,
    /// Tickets whose players want no match any more.
    cancels: Vec<(Duration, TicketId)>,
    /// Who did not come to a match, was turned away there, or gave its host up.
    missing: BTreeSet<(MatchId, SessionId)>,
    /// Who did nothing of that, and did not come.
    lazy: BTreeSet<(MatchId, PlayerKey)>,
}

#[derive(Clone, Debug)]
enum Said {
    Claim(Claim),
    Left { id: MatchId, player: SessionId },
}

impl Door {
    /// When the home will hear that the player is back: every other client is quick to say so, and some are quicker than
    /// the host.
    fn back(&self, now: Duration) -> (Duration, InstanceId, MatchId, TicketId) {
        let way = match self.claim.ticket.0.as_u128() % 4 {
            0 => Duration::ZERO,
            2 => WAY_BACK,
            _ => SLOW_WAY_BACK,
        };
        (now + way, self.host, self.claim.id, self.claim.ticket)
    }
}

impl Crowd {
    pub(crate) fn new() -> Self {
        let id = |kind, number: u32| Uuid::from_u64_pair(kind, number.into());
        let player = |number| Player {
            session: SessionId(id(9, number)),
            key: PlayerKey(id(8, number % PLAYERS)),
            rating: if number == PLAYERS - 1 { FAR } else { i32::try_from(number * 37 % 300).expect("below 300") },
            search: None,
            doors: Vec::new(),
        };
        Self { players: (0..PLAYERS + WINDOWS).map(player).collect(), ..Self::default() }
    }

    /// The key of a player.
    pub(crate) fn key(&self, player: SessionId) -> PlayerKey {
        self.players.iter().find(|other| other.session == player).expect("a player").key
    }

    /// The keys of the players who search with a ticket.
    pub(crate) fn players_of(&self, ticket: TicketId) -> impl Iterator<Item = PlayerKey> {
        let searching = move |player: &&Player| player.search.is_some_and(|search| search.1 == ticket);
        self.players.iter().filter(searching).map(|player| player.key)
    }

    /// Whether a player was told to go to a match, and does nothing.
    pub(crate) fn is_lazy(&self, id: MatchId, key: PlayerKey) -> bool {
        self.lazy.contains(&(id, key))
    }

    /// The players of a ticket who have not come to a match, if there are any.
    pub(crate) fn excuse(&self, ticket: TicketId, id: Option<MatchId>) -> Option<Vec<PlayerKey>> {
        let id = id?;
        let searching = |player: &&Player| player.search.is_some_and(|search| search.1 == ticket);
        let missing =
            self.players.iter().filter(searching).filter(|player| self.missing.contains(&(id, player.session)));
        let keys: Vec<_> = missing.map(|player| player.key).collect();
        (!keys.is_empty()).then_some(keys)
    }

    /// A host has let a player in, but the room is full.
    pub(crate) fn turn_away(&mut self, now: Duration, claim: Claim) {
        self.missing.insert((claim.id, claim.player));
        let player = self.players.iter_mut().find(|player| player.session == claim.player).expect("a player");
        let doors = player.doors.extract_if(.., |door| door.claim == claim);
        self.backs.extend(doors.map(|door| (now + WAY_BACK, door.host, claim.id, claim.ticket)));
    }

    /// Whether a player's connection to a host, by this ticket, is open as far as the player knows.
    pub(crate) fn is_at(&self, player: SessionId, host: InstanceId, ticket: TicketId) -> bool {
        let player = self.players.iter().find(|other| other.session == player).expect("a player");
        player.doors.iter().any(|door| door.host == host && door.claim.ticket == ticket)
    }

    /// The players of a ticket are told to go; the first of them may be lazy.
    pub(crate) fn go(
        &mut self,
        now: Duration,
        ticket: TicketId,
        to: (MatchId, InstanceId, Reservation),
        mut lazy: bool,
    ) {
        let (id, host, reservation) = to;
        for player in self.players.iter_mut().filter(|player| player.search.is_some_and(|search| search.1 == ticket)) {
            let claim = Claim { id, reservation, ticket, player: player.session };
            let known = |door: &Door| door.claim == claim;
            if !player.doors.iter().any(known) {
                let lazy = std::mem::take(&mut lazy);
                player.doors.push(Door { host, claim, room: None, heard: now, claimed: Duration::ZERO, lazy });
                if lazy {
                    self.missing.insert((id, player.session));
                    self.lazy.insert((id, player.key));
                }
            }
        }
    }

    /// The search of a ticket's players is over.
    pub(crate) fn over(&mut self, now: Duration, ticket: TicketId, cancelled: bool) {
        for player in self.players.iter_mut().filter(|player| player.search.is_some_and(|search| search.1 == ticket)) {
            player.search = None;
            if cancelled {
                let close = |door: &Door| (now, door.host, Said::Left { id: door.claim.id, player: player.session });
                self.said.extend(player.doors.iter().filter(|door| door.claim.ticket == ticket).map(close));
                player.doors.retain(|door| door.claim.ticket != ticket);
            }
        }
    }

    /// What a host says to a player who claimed.
    pub(crate) fn answer(&mut self, now: Duration, claim: Claim, room: Option<MatchId>) {
        let player = self.players.iter_mut().find(|player| player.session == claim.player).expect("a player");
        match room {
            Some(room) => {
                for door in player.doors.iter_mut().filter(|door| door.claim == claim) {
                    (door.room, door.heard) = (Some(room), now);
                }
            }
            None => {
                let doors = player.doors.extract_if(.., |door| door.claim == claim);
                self.backs.extend(doors.map(|door| door.back(now)));
            }
        }
    }

    /// A room was closed: below the minimum its players go back, else they have played and want no more. Whether anybody
    /// was in it.
    pub(crate) fn closed(&mut self, now: Duration, host: InstanceId, room: MatchId, played: bool) -> bool {
        let mut doors = self.players.iter().flat_map(|player| &player.doors);
        let anybody = doors.any(|door| door.host == host && door.room == Some(room));
        self.close(now, played, |door| door.host == host && (door.room == Some(room) || door.claim.id == room));
        anybody
    }

    /// The connections to a host break.
    pub(crate) fn host_died(&mut self, now: Duration, host: InstanceId) {
        self.said.retain(|(_, to, _)| *to != host);
        self.close(now, false, |door| door.host == host);
        for (at, ..) in self.backs.iter_mut().filter(|(_, from, ..)| *from == host) {
            *at = now + WAY_BACK;
        }
    }

    fn close(&mut self, now: Duration, played: bool, which: impl Fn(&Door) -> bool) {
        for door in self.players.iter_mut().flat_map(|player| player.doors.extract_if(.., |door| which(door))) {
            match played && door.room.is_some() {
                true => self.cancels.push((now + WAY_BACK, door.claim.ticket)),
                false => self.backs.push(door.back(now)),
            }
        }
    }

    pub(crate) fn home_died(&mut self, home: InstanceId) {
        for player in self.players.iter_mut().filter(|player| player.search.is_some_and(|search| search.0 == home)) {
            player.search = None;
        }
    }

    fn is_back(&self, id: MatchId, ticket: TicketId) -> bool {
        let mut doors = self.players.iter().flat_map(|player| &player.doors);
        !doors.any(|door| door.claim.id == id && door.claim.ticket == ticket)
    }
}

impl World {
    /// Everybody does something or not.
    pub(crate) fn play_crowd(&mut self) -> Result<(), String> {
        for player in 0..self.crowd.players.len() {
            let Player { search, doors, .. } = &self.crowd.players[player];
            let (search, idle) = (*search, search.is_none() && doors.is_empty());
            if idle && !self.calm && self.rng.chance(0.08) {
                self.search(player)?;
            } else if let Some((_, ticket)) = search.filter(|_| !self.calm && self.rng.chance(0.003)) {
                self.crowd.cancels.push((self.now, ticket));
                self.counts.cancels += 1;
            } else if search.is_some() && !self.calm && self.rng.chance(0.003) {
                self.cut_off(player)?;
            }
            self.knock(player);
        }
        self.speak_to_hosts()?;
        self.speak_to_homes()
    }

    /// All connections of a player break.
    fn cut_off(&mut self, player: usize) -> Result<(), String> {
        let Player { session, search, .. } = self.crowd.players[player];
        let Some((_, ticket)) = search else { return Ok(()) };
        let Some(slot) = self.home_of(ticket).filter(|slot| self.is_up(*slot, Role::Home)) else { return Ok(()) };
        let left = |door: Door| (self.now, door.host, Said::Left { id: door.claim.id, player: session });
        let doors = std::mem::take(&mut self.crowd.players[player].doors);
        self.counts.cut_off += u64::from(!doors.is_empty());
        self.crowd.said.extend(doors.into_iter().map(left));
        self.home(slot, home::Event::CutOff { ticket, player: session })
    }

    /// A search, sometimes with a friend, at any home that can be reached.
    fn search(&mut self, first: usize) -> Result<(), String> {
        let homes: Vec<_> = (0..self.nodes.len()).filter(|slot| self.is_up(*slot, Role::Home)).collect();
        if homes.is_empty() {
            return Ok(());
        }
        let slot = homes[self.rng.below(u32::try_from(homes.len()).expect("few")) as usize];
        let squad = self.rng.chance(0.5);
        let idle = |other: &usize| {
            let player = &self.crowd.players[*other];
            player.key != self.crowd.players[first].key && player.search.is_none() && player.doors.is_empty()
        };
        let friend = (0..self.crowd.players.len()).find(idle).filter(|_| squad && self.rng.chance(0.5));
        let ticket = TicketId(Uuid::from_u64_pair(5, self.next_number()));
        let party: Vec<_> = [Some(first), friend].into_iter().flatten().collect();
        let member = |player: &usize| {
            let Player { session, key, rating, .. } = self.crowd.players[*player];
            let key = if self.mutant == Mutant::TakeTwoTickets { PlayerKey(session.0) } else { key };
            Member { player: session, key, rating }
        };
        let members = party.iter().map(member).collect();
        for player in party {
            self.crowd.players[player].search = Some((self.nodes[slot].id, ticket));
        }
        let region = |(region, ms): (&str, u32)| Distance { region: region.to_owned(), ms };
        let both = [("eu", 30), ("us", 60)].map(region).to_vec();
        let ticket = Ticket {
            id: ticket,
            home: self.nodes[slot].id,
            mode: if squad { "squads" } else { "duel" }.to_owned(),
            party: members,
            regions: if self.rng.chance(0.5) { Vec::new() } else { both },
            avoid: Vec::new(),
            waited: Duration::ZERO,
        };
        self.counts.searches += 1;
        self.ledger.opened(&ticket, self.nodes[slot].id, self.now);
        self.home(slot, home::Event::Search(ticket))
    }

    /// Claims, claims again, gives up, leaves.
    fn knock(&mut self, player: usize) {
        let (now, session) = (self.now, self.crowd.players[player].session);
        let searching = self.crowd.players[player].search.is_some();
        let mut kept = Vec::new();
        for mut door in std::mem::take(&mut self.crowd.players[player].doors) {
            let dead = !self.nodes.iter().any(|node| node.id == door.host && node.machine.is_some());
            let silent = self.nodes.iter().any(|node| node.id == door.host && node.paused.is_some());
            if !silent && door.room.is_some() {
                door.heard = now;
            }
            let gives_up = now - door.heard > PATIENCE;
            if door.lazy {
                if !dead && searching {
                    kept.push(door);
                }
                continue;
            }
            let quits = door.room.is_some() && !searching && !self.calm && self.rng.chance(0.005);
            if dead {
                self.crowd.backs.push((now + WAY_BACK, door.host, door.claim.id, door.claim.ticket));
                continue;
            }
            if gives_up || quits {
                self.crowd.missing.insert((door.claim.id, session));
                let left = Said::Left { id: door.claim.id, player: session };
                self.crowd.said.push_back((now, door.host, left));
                self.crowd.backs.push(door.back(now));
                continue;
            }
            if door.room.is_none() && (door.claimed == Duration::ZERO || now - door.claimed > Duration::from_secs(1)) {
                door.claimed = now;
                let delay = u64::from(self.rng.below(500)) + if self.rng.chance(0.02) { 2_000 } else { 0 };
                self.crowd.said.push_back((now + Duration::from_millis(delay), door.host, Said::Claim(door.claim)));
            }
            kept.push(door);
        }
        self.crowd.players[player].doors = kept;
    }

    /// What clients said arrives in order, unless the host stands still.
    fn speak_to_hosts(&mut self) -> Result<(), String> {
        let mut later = VecDeque::new();
        for (at, to, said) in std::mem::take(&mut self.crowd.said) {
            let slot = self.nodes.iter().position(|node| node.id == to && node.machine.is_some());
            let Some(slot) = slot else { continue };
            let waits = |(_, other, _): &(Duration, InstanceId, Said)| *other == to;
            if at > self.now || self.nodes[slot].paused.is_some() || later.iter().any(waits) {
                later.push_back((at, to, said));
                continue;
            }
            match said {
                // Who was turned away is gone, and with the connection what was said on it.
                Said::Claim(claim) if self.crowd.missing.contains(&(claim.id, claim.player)) => {}
                Said::Claim(claim) => self.host(slot, host::Event::Claim(claim))?,
                Said::Left { id, player } => self.host_left(slot, id, player)?,
            }
        }
        later.append(&mut self.crowd.said);
        self.crowd.said = later;
        Ok(())
    }

    /// The host notices that a connection is closed: of the room that the player sits in by this match.
    fn host_left(&mut self, slot: usize, id: MatchId, player: SessionId) -> Result<(), String> {
        let Some(Machine::Host(host)) = &self.nodes[slot].machine else { return Ok(()) };
        let by = self.fills.get(&id).copied().unwrap_or(id);
        let seat = host.seated().find(|(room, _, _, other)| *other == player && *room == by);
        match seat {
            Some((room, ..)) => self.host(slot, host::Event::Left { room, player }),
            None => Ok(()),
        }
    }

    /// Homes hear who is back and who wants no more.
    fn speak_to_homes(&mut self) -> Result<(), String> {
        for (at, host, id, ticket) in std::mem::take(&mut self.crowd.backs) {
            match self.home_of(ticket).filter(|_| at <= self.now) {
                Some(slot) if self.is_up(slot, Role::Home) => {
                    if self.crowd.is_back(id, ticket) {
                        self.home(slot, home::Event::Back { id, ticket })?;
                    }
                }
                None if at <= self.now => {}
                _ => self.crowd.backs.push((at, host, id, ticket)),
            }
        }
        for (at, ticket) in std::mem::take(&mut self.crowd.cancels) {
            match self.home_of(ticket).filter(|_| at <= self.now) {
                Some(slot) if self.is_up(slot, Role::Home) => self.home(slot, home::Event::Cancel(ticket))?,
                None if at <= self.now => {}
                _ => self.crowd.cancels.push((at, ticket)),
            }
        }
        Ok(())
    }

    /// The living home that the players of a ticket are connected to.
    fn home_of(&self, ticket: TicketId) -> Option<usize> {
        let mut searches = self.crowd.players.iter().filter_map(|player| player.search);
        let (home, _) = searches.find(|search| search.1 == ticket)?;
        self.nodes.iter().position(|node| node.id == home && node.machine.is_some())
    }
}
