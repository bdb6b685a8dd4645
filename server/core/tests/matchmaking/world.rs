//! The simulated fleet: three homes, two hosts, two matchmakers, one clock that moves in steps.

use std::{collections::BTreeMap, time::Duration};

use tiltyard_core::matchmaking::{
    InstanceId, MatchId,
    mode::{Mode, Window},
    pool::Pool,
    proposals::{
        Go, Message, Request, ToHome, ToHost, ToMatchmaker,
        home::{self, Home},
        host::{self, Host},
        matchmaker::{self, HostLoad, Matchmaker},
        outbox::{Outbox, Outcome, Said},
    },
};
use tiltyard_shared::game::Rng;
use tiltyard_testing::Faulted;

use crate::{
    bus::{Body, Bus, Envelope, TicketQueue, Trouble},
    crowd::Crowd,
    faults::Counts,
    ledger::Ledger,
};

const STEP: Duration = Duration::from_millis(250);
const STEPS: u32 = 200;
/// After the faults: everything must come right within this.
const CALM_STEPS: u32 = 100;
/// Where commands are refused, and nothing else goes wrong, nobody waits longer for what was agreed on: a reservation and a
/// yes last for 10 s.
const LONGEST_BOUND: Duration = Duration::from_secs(9);
/// Nor do two wait longer for each other, one proposal that comes to nothing included.
const LONGEST_FREE: Duration = Duration::from_secs(30);
/// Searches that find no match are given up.
pub(crate) const GIVE_UP: Duration = Duration::from_secs(40);
/// A broker notices after so long that a consumer stands still.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// A deliberate fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    None,
    /// Matchmakers acknowledge what comes, and take it in a step later.
    AcknowledgeEarly,
    /// Homes are not asked, and go counts as if they had said yes.
    SkipYes,
    /// What the bus refuses is neither said again nor given back.
    ForgetRefused,
    /// Hosts are not told who is cut off on the way.
    KeepWhoIsCutOff,
    /// Homes are not told who did not come.
    BlameNobody,
    /// Hosts are not told that they stood still.
    BlameEverybody,
    /// The matchmaker is not told who did not come.
    ForgetPenalties,
    /// The matchmaker is not told whom tickets avoid.
    MeetAgain,
    /// Nobody knows that two sessions are one player.
    TakeTwoTickets,
    /// Homes give up no search.
    SearchForEver,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Home,
    Host,
    Matchmaker,
}

pub(crate) enum Machine {
    Home(Home),
    Host(Host),
    Matchmaker(Box<Matchmaker>),
}

/// An instance, or the place of one that is down.
pub(crate) struct Node {
    pub(crate) id: InstanceId,
    pub(crate) role: Role,
    pub(crate) machine: Option<Machine>,
    /// From when until when it stands still.
    pub(crate) paused: Option<(Duration, Duration)>,
    pub(crate) cut_until: Duration,
    pub(crate) down_until: Duration,
    /// What was acknowledged but not taken in.
    pub(crate) deferred: Vec<Deferred>,
    pub(crate) outbox: Outbox,
    /// The batch that is under way to each instance.
    pub(crate) under_way: BTreeMap<InstanceId, u64>,
}

/// A request that came and was not taken in.
pub(crate) struct Deferred {
    came: Duration,
    sent: Duration,
    request: Request,
}

pub(crate) struct World {
    pub(crate) now: Duration,
    pub(crate) rng: Rng,
    pub(crate) mutant: Mutant,
    /// Nobody begins anything.
    pub(crate) calm: bool,
    /// What goes wrong now.
    pub(crate) trouble: Trouble,
    /// What goes wrong until it is calm.
    pub(crate) until_calm: Trouble,
    pub(crate) nodes: Vec<Node>,
    pub(crate) queue: TicketQueue,
    pub(crate) crowd: Crowd,
    pub(crate) ledger: Ledger,
    pub(crate) counts: Counts,
    /// Who is to be declared dead, and when.
    pub(crate) gone: Vec<(Duration, InstanceId)>,
    /// The rooms of proposals that fill seats.
    pub(crate) fills: BTreeMap<MatchId, MatchId>,
    pub(crate) bus: Bus,
    /// When the game in a room is over.
    pub(crate) games: Vec<(Duration, InstanceId, MatchId)>,
    numbers: u64,
    verbose: bool,
}

pub(crate) fn modes() -> Vec<Mode> {
    let window = Window { start: 100, growth: 50, limit: 300 };
    let max_wait = Duration::from_secs(4);
    vec![
        Mode { window, give_up: GIVE_UP, ..Mode::new("duel", 2, 1) },
        Mode { window, max_wait, give_up: GIVE_UP, min_players: 2, backfill: true, ..Mode::new("squads", 2, 2) },
    ]
}

impl World {
    pub(crate) fn new(seed: u64, mutant: Mutant, until_calm: Trouble, verbose: bool) -> Self {
        let roles = [Role::Home, Role::Home, Role::Home, Role::Host, Role::Host, Role::Matchmaker, Role::Matchmaker];
        let node = |role| Node {
            id: InstanceId::new("broker").expect("a word"),
            role,
            machine: None,
            paused: None,
            cut_until: Duration::ZERO,
            down_until: Duration::ZERO,
            deferred: Vec::new(),
            outbox: Outbox::default(),
            under_way: BTreeMap::new(),
        };
        let mut world = Self {
            now: Duration::from_secs(100),
            rng: Rng::new(seed),
            mutant,
            calm: false,
            trouble: until_calm,
            until_calm,
            nodes: roles.map(node).into(),
            queue: TicketQueue::default(),
            crowd: Crowd::new(),
            ledger: Ledger::default(),
            counts: Counts::default(),
            gone: Vec::new(),
            fills: BTreeMap::new(),
            bus: Bus::default(),
            games: Vec::new(),
            numbers: 0,
            verbose,
        };
        (0..world.nodes.len()).for_each(|slot| world.start(slot));
        world
    }

    /// Plays all steps; what was violated, if anything.
    pub(crate) fn play(mut self) -> Result<Counts, String> {
        for step in 0..STEPS + CALM_STEPS {
            self.calm = step >= STEPS;
            self.trouble = if self.calm { Trouble::None } else { self.until_calm };
            let played = self.step().and_then(|()| self.check()).and_then(|()| self.check_waits());
            played.map_err(|why| format!("step {step}: {why}"))?;
        }
        self.check_calm(STEP * (CALM_STEPS - 20)).map_err(|why| format!("in the end: {why}"))?;
        let Faulted { lost, doubled, late } = self.bus.faulted();
        Ok(Counts { lost, doubled, late, ..self.counts })
    }

    fn check_waits(&mut self) -> Result<(), String> {
        let (bound, free) = self.ledger.longest_waits(self.now);
        self.counts.longest_bound = self.counts.longest_bound.max(bound);
        self.counts.longest_free = self.counts.longest_free.max(free);
        match self.until_calm == Trouble::Refusals {
            true if bound > LONGEST_BOUND => Err(format!("somebody has waited {bound:?} for what was agreed on")),
            true if free > LONGEST_FREE => Err(format!("somebody has waited {free:?} for an opponent who was there")),
            _ => Ok(()),
        }
    }

    fn step(&mut self) -> Result<(), String> {
        self.now += STEP;
        self.bus.step();
        self.misfortune()?;
        self.move_queue();
        self.deliver()?;
        self.tick()?;
        self.end_games()?;
        self.play_crowd()?;
        (0..self.nodes.len()).try_for_each(|slot| self.post(slot))
    }

    pub(crate) fn trace(&self, what: impl FnOnce() -> String) {
        if self.verbose {
            println!("{:?}: {}", self.now, what());
        }
    }

    pub(crate) fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// A new instance in this place.
    pub(crate) fn start(&mut self, slot: usize) {
        let id = InstanceId::new(&format!("i{slot:03}-{:06}", self.next_number())).expect("a word");
        let region = if slot.is_multiple_of(2) { "us" } else { "eu" };
        let pool = Pool::new(modes()).expect("modes that can be played");
        self.nodes[slot].id = id;
        (self.nodes[slot].outbox, self.nodes[slot].under_way) = (Outbox::default(), BTreeMap::new());
        self.nodes[slot].machine = Some(match self.nodes[slot].role {
            Role::Home => Machine::Home(Home::new(id, &self.home_modes())),
            Role::Host => Machine::Host(Host::new(id, region, modes(), 40)),
            Role::Matchmaker => Machine::Matchmaker(Box::new(Matchmaker::new(id, pool))),
        });
    }

    fn home_modes(&self) -> Vec<Mode> {
        match self.mutant {
            Mutant::SearchForEver => modes().into_iter().map(|mode| Mode { give_up: Duration::MAX, ..mode }).collect(),
            _ => modes(),
        }
    }

    /// Whether this instance has this role and runs now.
    pub(crate) fn is_up(&self, slot: usize, role: Role) -> bool {
        let node = &self.nodes[slot];
        node.role == role && node.machine.is_some() && node.paused.is_none()
    }

    pub(crate) fn home_died(&mut self, id: InstanceId) {
        self.ledger.home_died(id);
        self.crowd.home_died(id);
    }

    pub(crate) fn host_died(&mut self, id: InstanceId) {
        self.crowd.host_died(self.now, id);
        self.games.retain(|(_, host, _)| *host != id);
    }

    fn move_queue(&mut self) {
        let connected = |node: &&Node| {
            let stopped = node.paused.is_some_and(|(from, _)| from + HEARTBEAT < self.now);
            node.role == Role::Matchmaker && node.machine.is_some() && node.cut_until < self.now && !stopped
        };
        let connected: Vec<_> = self.nodes.iter().filter(connected).map(|node| node.id).collect();
        self.counts.redelivered += self.queue.connected(&connected) as u64;
        for (to, tag, sent, request) in self.queue.deliver() {
            let at = self.now + Duration::from_millis(u64::from(self.rng.below(300)));
            self.bus.put(at, Envelope { to, sent, body: Body::Delivery { tag, request } });
        }
    }

    fn deliver(&mut self) -> Result<(), String> {
        let mut kept = Vec::new();
        while let Some(envelope) = self.bus.arrived(self.now) {
            if let Body::Publish(request) = envelope.body {
                self.queue.publish(envelope.sent, request);
                continue;
            }
            let slot = self.nodes.iter().position(|node| node.id == envelope.to && node.machine.is_some());
            let Some(slot) = slot else {
                // Nobody is there, which its sender hears.
                if let Body::Batch { from, serial, .. } = envelope.body {
                    self.bus.reply(self.now, (from, envelope.to, serial), Outcome::Nobody, false);
                }
                continue;
            };
            // Who is cut off hears nothing, but for its own clock.
            if self.nodes[slot].cut_until >= self.now && !matches!(envelope.body, Body::Report { .. }) {
                continue;
            }
            match self.nodes[slot].paused.is_some() {
                true => kept.push(envelope),
                false => {
                    self.hand_over(slot, envelope)?;
                    self.post(slot)?;
                }
            }
        }
        for envelope in kept {
            self.bus.put(self.now + STEP, envelope);
        }
        Ok(())
    }

    fn hand_over(&mut self, slot: usize, envelope: Envelope) -> Result<(), String> {
        let way = self.now - envelope.sent;
        match envelope.body {
            Body::Batch { from, serial, said } => {
                let lost = self.trouble != Trouble::None && self.rng.chance(0.03);
                self.bus.reply(self.now, (from, envelope.to, serial), Outcome::Taken, lost);
                said.into_iter().try_for_each(|Said { age, message }| self.hear(slot, way + age, message))
            }
            Body::Report { of, serial, outcome } if self.nodes[slot].under_way.get(&of) == Some(&serial) => {
                self.nodes[slot].under_way.remove(&of);
                self.settle(slot, of, outcome)
            }
            Body::Report { .. } => Ok(()),
            Body::Delivery { tag, request } if self.defers() => {
                self.ledger.acknowledged(&request);
                self.queue.acknowledge(tag);
                self.nodes[slot].deferred.push(Deferred { came: self.now, sent: envelope.sent, request });
                Ok(())
            }
            Body::Delivery { tag, request } => self.take_in(slot, tag, way, request),
            Body::Publish(_) => unreachable!("goes to the queue"),
        }
    }

    fn hear(&mut self, slot: usize, age: Duration, message: Message) -> Result<(), String> {
        self.trace(|| format!("{:?} {slot} hears {message:?} after {age:?}", self.nodes[slot].role));
        match message {
            Message::Home(ToHome::Returned { id, ticket, absent, late, ago }) => {
                // Whoever was turned away may search on, and be met again before the others have heard of it.
                let lazy: Vec<_> = absent.iter().copied().filter(|key| self.crowd.is_lazy(id, *key)).collect();
                self.ledger.returned(id, ticket, &lazy);
                let absent = if self.mutant == Mutant::BlameNobody { Vec::new() } else { absent };
                let message = ToHome::Returned { id, ticket, absent, late, ago };
                self.home(slot, home::Event::Message { age, message })
            }
            Message::Home(message) => match (self.mutant, message) {
                (Mutant::SkipYes, message @ (ToHome::Agree { .. } | ToHome::Go(_))) => self.skip_yes(slot, message),
                (_, message) => self.home(slot, home::Event::Message { age, message }),
            },
            Message::Host(ToHost::CutOff { .. }) if self.mutant == Mutant::KeepWhoIsCutOff => Ok(()),
            Message::Host(message) => self.host(slot, host::Event::Message { age, message }),
            Message::Matchmaker(message) => self.matchmaker(slot, matchmaker::Event::Message { age, message }),
        }
    }

    fn take_in(&mut self, slot: usize, delivery: u64, age: Duration, mut request: Request) -> Result<(), String> {
        match &mut request {
            Request::NoShows(no_shows) if self.mutant == Mutant::ForgetPenalties => no_shows.clear(),
            Request::Submit { ticket, .. } if self.mutant == Mutant::MeetAgain => ticket.avoid.clear(),
            Request::Renew(renewal) if self.mutant == Mutant::MeetAgain => {
                renewal.tickets.iter_mut().for_each(|ticket| ticket.avoid.clear());
            }
            _ => {}
        }
        self.ledger.taken_in(&request);
        self.ledger.acknowledged(&request);
        self.matchmaker(slot, matchmaker::Event::Request { delivery, age, request })
    }

    /// The mutant's home: says yes without knowing, and sends the players off whatever it knows.
    fn skip_yes(&mut self, slot: usize, message: ToHome) -> Result<(), String> {
        match message {
            ToHome::Agree { id, matchmaker, .. } => {
                let yes = Message::Matchmaker(ToMatchmaker::Yes { id, home: self.nodes[slot].id });
                self.send(slot, matchmaker, yes);
            }
            ToHome::Go(Go { id, host, reservation, tickets }) => {
                for ticket in tickets {
                    self.crowd.go(self.now, ticket, (id, host, reservation), false);
                }
            }
            ToHome::Release { .. } | ToHome::NotTaken { .. } | ToHome::Seated { .. } | ToHome::Returned { .. } => {}
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<(), String> {
        self.tell_of_hosts()?;
        for slot in 0..self.nodes.len() {
            if self.nodes[slot].paused.is_some() {
                continue;
            }
            for (to, message) in self.nodes[slot].outbox.run_out(self.now) {
                self.miss(slot, to, message)?;
            }
            match self.nodes[slot].role {
                Role::Home => self.home(slot, home::Event::Tick)?,
                Role::Host => self.host(slot, host::Event::Tick)?,
                Role::Matchmaker => {
                    let now = self.now;
                    let due: Vec<_> = self.nodes[slot].deferred.extract_if(.., |late| late.came < now).collect();
                    for Deferred { sent, request, .. } in due {
                        self.take_in(slot, 0, now - sent, request)?;
                    }
                    let seed = self.rng.next_u64();
                    self.matchmaker(slot, matchmaker::Event::Round { unix: self.now, seed })?;
                }
            }
        }
        let pools = self.nodes.iter().filter(|node| {
            let matchmaker = match &node.machine {
                Some(Machine::Matchmaker(matchmaker)) => matchmaker,
                Some(Machine::Home(_) | Machine::Host(_)) | None => return false,
            };
            node.paused.is_none() && matchmaker.pool().waiting() > 0
        });
        self.counts.doubled_matchmakers += u64::from(pools.count() > 1);
        Ok(())
    }

    /// What the directory says: who is there, and who is dead.
    fn tell_of_hosts(&mut self) -> Result<(), String> {
        let load = |node: &Node| match &node.machine {
            Some(Machine::Host(host)) => {
                let region = host.region().to_owned();
                Some(HostLoad { host: node.id, region, seats: host.seats(), capacity: 40 })
            }
            Some(Machine::Home(_) | Machine::Matchmaker(_)) | None => None,
        };
        let hosts: Vec<_> = self.nodes.iter().filter_map(load).collect();
        let (now, gone) = (self.now, &mut self.gone);
        let dead: Vec<_> = gone.extract_if(.., |(at, _)| *at <= now).collect();
        for slot in 0..self.nodes.len() {
            if self.is_up(slot, Role::Matchmaker) && self.nodes[slot].cut_until < now {
                self.matchmaker(slot, matchmaker::Event::Hosts(hosts.clone()))?;
                for (_, id) in &dead {
                    self.matchmaker(slot, matchmaker::Event::Gone(*id))?;
                }
            }
        }
        Ok(())
    }

    fn end_games(&mut self) -> Result<(), String> {
        let now = self.now;
        let over: Vec<_> = self.games.extract_if(.., |(at, ..)| *at <= now).collect();
        for (_, host, room) in over {
            let slot = self.nodes.iter().position(|node| node.id == host);
            match slot.filter(|slot| self.is_up(*slot, Role::Host)) {
                Some(slot) => {
                    self.host(slot, host::Event::Ended(room))?;
                    self.crowd.closed(now, host, room, true);
                }
                None => self.games.push((now + STEP, host, room)),
            }
        }
        Ok(())
    }
}
