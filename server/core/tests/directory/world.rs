//! The world of the simulation: instances, the bus between them, the faults, and what must hold.

use std::{collections::BTreeMap, time::Duration};

use tiltyard_core::{
    directory::{
        Listing,
        roster::{Effect, Unanswered},
    },
    instance::InstanceId,
};
use tiltyard_shared::{
    game::Rng,
    protocol::{ServerMessage, lobby::Browse},
};
use tiltyard_testing::{Faulted, Faults, Network};
use uuid::Uuid;

use crate::{
    bus::{Body, Counts, Envelope, FAULTS},
    node::{Machine, Node},
};

const NODES: usize = 4;
const STEPS: u32 = 200;
/// An answer that is not there by then is none.
const DEADLINE: Duration = Duration::from_secs(2);
/// By then all lists are whole: a silence is noticed after 6 s, asked about for up to 2 s, and a question is repeated 1 s later.
const CALM: Duration = Duration::from_secs(20);
/// How often an instance's time passes.
const BEAT: Duration = Duration::from_millis(250);

/// A fault of the program that the simulation has to notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    None,
    /// Heartbeats name no number and no count.
    BlindToGaps,
    /// Commands never come back.
    NobodyIsGone,
    /// A wish that comes twice is granted twice.
    WishesTwice,
}

/// A question on the bus.
struct Asked {
    by: usize,
    of: InstanceId,
    /// The asker's number of it.
    ask: u64,
    until: Duration,
}

pub(crate) struct World {
    nodes: Vec<Node>,
    bus: Network<Envelope>,
    /// Questions without an answer by the numbers that the bus gives them.
    asked: BTreeMap<u64, Asked>,
    requests: u64,
    rng: Rng,
    now: Duration,
    rooms: u128,
    faults: Faults,
    mutant: Mutant,
    verbose: bool,
    counts: Counts,
}

impl World {
    pub(crate) fn new(seed: u64, mutant: Mutant, verbose: bool) -> Self {
        Self {
            nodes: (0..NODES).map(Node::new).collect(),
            bus: Network::default(),
            asked: BTreeMap::new(),
            requests: 0,
            rng: Rng::new(seed),
            now: Duration::from_secs(1),
            rooms: 0,
            faults: FAULTS,
            mutant,
            verbose,
            counts: Counts::default(),
        }
    }

    /// Plays to the end; what went wrong, if anything.
    pub(crate) fn play(mut self) -> Result<Counts, String> {
        for _ in 0..STEPS {
            self.act();
            let time = Duration::from_millis(50 + u64::from(self.rng.below(450)));
            self.pass(time)?;
        }
        self.faults = FAULTS.calm();
        for slot in 0..NODES {
            self.heal(slot);
        }
        self.pass(CALM)?;
        self.check_lists()?;
        let Faulted { lost, doubled, late } = self.bus.faulted();
        Ok(Counts { lost, doubled, late, ..self.counts })
    }

    /// Somebody does something, or something happens to somebody.
    fn act(&mut self) {
        let slot = self.rng.below(NODES as u32) as usize;
        let until = self.now + Duration::from_millis(u64::from(self.rng.below(15_000)));
        let Some(machine) = &mut self.nodes[slot].machine else { return };
        match self.rng.below(100) {
            0..=29 => {
                self.rooms += 1;
                machine.open(Uuid::from_u128(self.rooms), &mut self.rng, self.now);
            }
            30..=54 => {
                if let Some(room) = any(machine, &mut self.rng) {
                    machine.update(room, &mut self.rng, self.now);
                }
            }
            55..=69 => {
                if let Some(room) = any(machine, &mut self.rng) {
                    machine.close(room);
                }
            }
            70..=89 => self.wish(slot),
            90..=91 => {
                self.counts.crashed += 1;
                self.nodes[slot].machine = None;
                self.nodes[slot].down = Some(until);
            }
            92..=94 => {
                self.counts.paused += 1;
                self.nodes[slot].paused = Some(until);
            }
            95..=97 => {
                self.counts.cut += 1;
                machine.notices = Some(self.now + Duration::from_millis(self.rng.below(5_000).into()));
                self.nodes[slot].cut = Some(until);
            }
            _ => {}
        }
    }

    /// A player here wants into a room that is listed elsewhere.
    fn wish(&mut self, slot: usize) {
        let Some(machine) = &mut self.nodes[slot].machine else { return };
        let listed: Vec<_> = machine.roster.directory().rooms().map(|listing| listing.entry.room).collect();
        let Some(room) = listed.get(self.rng.below(listed.len() as u32) as usize) else { return };
        let Some(home) = machine.roster.home_of(*room).map(|home| home.instance) else { return };
        let Some(to) = self.nodes.iter().position(|node| node.id == home) else { return };
        let wish = Uuid::from_u64_pair(7, self.rng.next_u64());
        self.send(slot, to, Body::Reserve { wish, room: *room, until: self.now + DEADLINE });
    }

    /// All faults of an instance end.
    fn heal(&mut self, slot: usize) {
        let node = &mut self.nodes[slot];
        node.paused = None;
        node.down = None;
        if node.cut.take().is_some()
            && let Some(machine) = &mut node.machine
        {
            machine.notices = None;
            machine.roster.connected(self.now);
        }
    }

    /// Time passes, in steps.
    fn pass(&mut self, time: Duration) -> Result<(), String> {
        let end = self.now + time;
        while self.now < end {
            self.now = (self.now + BEAT / 5).min(end);
            for slot in 0..NODES {
                self.beat(slot);
            }
            self.deliver();
            self.time_out();
            for node in &mut self.nodes {
                node.machine.as_ref().map_or(Ok(()), Machine::check)?;
            }
            self.check_pages()?;
        }
        Ok(())
    }

    /// An instance's own time passes.
    fn beat(&mut self, slot: usize) {
        let (now, node) = (self.now, &mut self.nodes[slot]);
        if node.down.is_some_and(|until| until <= now) {
            self.counts.restarted += u64::from(now > Duration::from_secs(2));
            node.start(now);
        }
        let reconnects = node.cut.is_some_and(|until| until <= now);
        if reconnects {
            node.cut = None;
        }
        let Some(machine) = &mut node.machine else { return };
        if reconnects {
            machine.notices = None;
            machine.roster.connected(now);
        }
        if node.paused.is_some_and(|until| until > now) {
            return;
        }
        node.paused = None;
        if machine.notices.take_if(|at| *at <= now).is_some() {
            machine.roster.disconnected();
        }
        machine.kept.expire(now);
        machine.roster.tick(now);
        self.carry_out(slot);
    }

    fn carry_out(&mut self, slot: usize) {
        let id = self.nodes[slot].id;
        let Some(machine) = &mut self.nodes[slot].machine else { return };
        for effect in machine.roster.take_effects() {
            match effect {
                Effect::Hello => self.send_all(slot, &Body::Hello(id)),
                Effect::Alive(mut heartbeat) => {
                    if self.mutant == Mutant::BlindToGaps {
                        (heartbeat.number, heartbeat.rooms) = (0, 0);
                    }
                    self.send_all(slot, &Body::Alive(heartbeat));
                }
                Effect::Here(to, heartbeat) => {
                    let to = self.nodes.iter().position(|node| node.id == to);
                    if let Some(to) = to {
                        self.send(slot, to, Body::Alive(heartbeat));
                    }
                }
                Effect::Tell(event) => self.send_all(slot, &Body::Event(event)),
                Effect::Ask { to, ask, after } => self.ask(slot, to, ask, after),
                Effect::Joined(_) | Effect::Lost(_) | Effect::Twin => {}
            }
        }
    }

    fn ask(&mut self, slot: usize, of: InstanceId, ask: u64, after: Option<Uuid>) {
        let Some(to) = self.nodes.iter().position(|node| node.id == of) else { return };
        let gone = !self.nodes[to].is_reached() && self.mutant != Mutant::NobodyIsGone;
        if self.nodes[slot].is_reached() && gone {
            if let Some(machine) = &mut self.nodes[slot].machine {
                machine.roster.answer(self.now, of, ask, Err(Unanswered::Gone));
            }
            return;
        }
        self.requests += 1;
        self.asked.insert(self.requests, Asked { by: slot, of, ask, until: self.now + DEADLINE });
        self.send(slot, to, Body::Ask(self.requests, after));
    }

    fn send_all(&mut self, from: usize, body: &Body) {
        for to in (0..NODES).filter(|to| *to != from) {
            self.send(from, to, body.clone());
        }
    }

    fn send(&mut self, from: usize, to: usize, body: Body) {
        if self.nodes[from].cut.is_some() {
            return;
        }
        if self.verbose {
            println!("{:?} {from} -> {to}: {body:?}", self.now);
        }
        self.bus.send(self.now, Envelope { from, to, body }, &self.faults, &mut self.rng);
    }

    fn deliver(&mut self) {
        let mut later = Vec::new();
        while let Some(envelope) = self.bus.arrived(self.now) {
            let node = &self.nodes[envelope.to];
            if node.paused.is_some() {
                later.push(envelope);
            } else if node.is_reached() {
                self.counts.delivered += 1;
                let to = envelope.to;
                self.receive(envelope);
                self.carry_out(to);
            }
        }
        for envelope in later {
            self.bus.send(self.now, envelope, &FAULTS.calm(), &mut self.rng);
        }
    }

    fn receive(&mut self, Envelope { from, to, body }: Envelope) {
        let now = self.now;
        let Some(machine) = &mut self.nodes[to].machine else { return };
        match body {
            Body::Hello(from) => machine.roster.hello(from),
            Body::Alive(heartbeat) => machine.roster.heard(now, heartbeat),
            Body::Event(event) => machine.roster.event(now, event),
            Body::Ask(request, after) => {
                let page = machine.roster.page(after);
                self.send(to, from, Body::Answer(request, page));
            }
            Body::Answer(request, page) => {
                if let Some(Asked { of, ask, .. }) = self.asked.remove(&request) {
                    machine.roster.answer(now, of, ask, Ok(page));
                }
            }
            // Who gets a command late drops it.
            Body::Reserve { until, .. } if until < now => {}
            Body::Reserve { wish, room, .. } => {
                let secret = (u128::from(self.rng.next_u64()) << 64) | u128::from(self.rng.next_u64());
                let twice = self.mutant == Mutant::WishesTwice;
                if let Some(pass) = machine.reserve(wish, room, secret, twice, now) {
                    self.send(to, from, Body::Seat(pass));
                }
            }
            Body::Seat(pass) => {
                // The player goes there.
                if self.nodes[from].paused.is_none()
                    && let Some(host) = &mut self.nodes[from].machine
                    && host.enter(&pass, now)
                {
                    self.counts.seated += 1;
                }
            }
        }
    }

    /// Questions that were not answered in time.
    fn time_out(&mut self) {
        let late = self.asked.extract_if(.., |_, asked| asked.until <= self.now);
        for (_, Asked { by, of, ask, .. }) in late.collect::<Vec<_>>() {
            if let Some(machine) = &mut self.nodes[by].machine {
                machine.roster.answer(self.now, of, ask, Err(Unanswered::Silent));
            }
        }
    }

    /// At any time: what is private stands on no page.
    fn check_pages(&mut self) -> Result<(), String> {
        for node in &mut self.nodes {
            let id = node.id;
            let Some(machine) = &mut node.machine else { continue };
            let directory = machine.roster.directory();
            let (_, message) = directory.snapshot(&Browse::default());
            let ServerMessage::Rooms { rooms, total, .. } = message else { return Err("no page".to_owned()) };
            for room in &rooms {
                if directory.find(room.room).is_none_or(|listing| listing.private) {
                    return Err(format!("{id} shows {} on a page", room.room));
                }
            }
            let public = directory.rooms().filter(|listing| !listing.private).count();
            if public != total as usize {
                return Err(format!("{id} says {total} rooms and has {public}"));
            }
        }
        Ok(())
    }

    /// Once all is calm: everybody lists what the living host, and nothing else.
    fn check_lists(&mut self) -> Result<(), String> {
        let hosted = |node: &Node| {
            let rooms = node.machine.iter().flat_map(|machine| machine.rooms.iter());
            rooms.map(|(id, room)| (*id, room.listing.clone())).collect::<BTreeMap<Uuid, Listing>>()
        };
        let expected: BTreeMap<_, _> = self.nodes.iter().flat_map(hosted).collect();
        for node in &mut self.nodes {
            let id = node.id;
            let Some(machine) = &mut node.machine else { continue };
            let listed = machine.roster.directory().rooms().map(|listing| (listing.entry.room, listing.clone()));
            let listed: BTreeMap<_, _> = listed.collect();
            if listed != expected {
                let wrong: Vec<_> = listed.iter().filter(|(room, one)| expected.get(room) != Some(one)).collect();
                let missing: Vec<_> = expected.keys().filter(|room| !listed.contains_key(room)).collect();
                return Err(format!("{id} lists what is not so: {wrong:?}, and not: {missing:?}"));
            }
            if !machine.kept.is_empty() {
                return Err(format!("{id} keeps {} seats that nobody comes for", machine.kept.len()));
            }
        }
        Ok(())
    }
}

fn any(machine: &Machine, rng: &mut Rng) -> Option<Uuid> {
    machine.rooms.keys().nth(rng.below(machine.rooms.len() as u32) as usize).copied()
}
