//! The model: what every client of a room must hold after every frame, whatever happens to world, views and lines.
//!
//! 10,000 seeded cases; `MODEL_SEED=n cargo test -p tiltyard-core model` replays one, `MODEL_CASES=n` plays another number.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use tiltyard_core::{
    edge::Bounds,
    room::{Returning, Room, SeatId},
};
use tiltyard_shared::{
    check::{Naive, NaiveLines},
    game::{PlayerId, Rng, Tick},
    hash::StateHash,
    protocol::{ClientMessage, PIECE, Report, Resync, capabilities, codec},
    replica::{Applied, Replica},
    replicate::{Layout, Replicate},
    world::{EntityId, GroupId},
};
use uuid::Uuid;

use crate::sandbox::{Act, GROUPS, Said, Sandbox, Thing, To, join_request};

const RTT: Duration = Duration::from_millis(20);

/// The cases are played in parts, which run beside each other.
const PARTS: u64 = 4;

#[test]
fn every_client_holds_what_it_must_whatever_happens() {
    play_part(0);
}

#[test]
fn every_client_holds_what_it_must_whatever_happens_2() {
    play_part(1);
}

#[test]
fn every_client_holds_what_it_must_whatever_happens_3() {
    play_part(2);
}

#[test]
fn every_client_holds_what_it_must_whatever_happens_4() {
    play_part(3);
}

/// One part of `MODEL_CASES` cases (10,000), or the case of `MODEL_SEED` alone.
#[expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a failing seed must be told, and so must what was reached"
)]
fn play_part(part: u64) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let each = number("MODEL_CASES").unwrap_or(10_000) / PARTS;
    let (first, cases) = match number("MODEL_SEED") {
        Some(seed) => (seed, u64::from(part == 0)),
        None => (1 + part * each, each),
    };
    let mut seen = Seen::default();
    for seed in first..first + cases {
        let play = std::panic::AssertUnwindSafe(|| Model::new(seed).play(&mut seen));
        if let Err(panic) = std::panic::catch_unwind(play) {
            eprintln!("failed with seed {seed}; replay: MODEL_SEED={seed} cargo test -p tiltyard-core model");
            std::panic::resume_unwind(panic);
        }
    }
    println!("{cases} cases: {seen:?}");
    if cases >= 1_000 {
        let Seen {
            frames,
            pieces,
            stale,
            behind,
            lost,
            resyncs,
            resumes,
            restores,
            throttled,
            refused_views,
            events,
            moves,
            paces,
        } = seen;
        let of_lines = [frames, pieces, stale, behind, lost, resyncs, resumes, restores, throttled, paces];
        let of_games = [refused_views, events, moves];
        let all = || of_lines.iter().chain(&of_games);
        assert!(all().all(|count| *count > 0), "the cases do not reach everything: {of_lines:?}, {of_games:?}");
    }
}

/// What the cases reached: a model that never sees a thing proves nothing about it.
#[derive(Debug, Default)]
struct Seen {
    frames: u64,
    pieces: u64,
    stale: u64,
    behind: u64,
    lost: u64,
    resyncs: u64,
    resumes: u64,
    restores: u64,
    throttled: u64,
    refused_views: u64,
    events: u64,
    moves: u64,
    paces: u64,
}

/// A group's members by slot: generation and naive fields.
type Members = BTreeMap<u16, (u16, Naive)>;

/// What the author's structs were, group by group and version by version.
#[derive(Default)]
struct History {
    versions: BTreeMap<GroupId, BTreeMap<Tick, Members>>,
    /// What linear lanes were at the last tick.
    lines: BTreeMap<EntityId, NaiveLines>,
}

impl History {
    fn record(&mut self, room: &Room<Sandbox>) {
        let (schema, world) = (Thing::schema(), room.simulation().world());
        let mut now: BTreeMap<GroupId, Members> = self.versions.keys().map(|group| (*group, Members::new())).collect();
        let before = std::mem::take(&mut self.lines);
        for (id, thing) in world.iter() {
            let group = world.group_of(id).expect("a committed entity stands in a group");
            let (lines, naive) = NaiveLines::follow(&schema, thing, before.get(&id), world.committed().tick())
                .expect("every field is in the schema or marked skip");
            self.lines.insert(id, lines);
            now.entry(group).or_default().insert(id.slot as u16, (id.generation as u16, naive));
        }
        for (group, members) in now {
            let versions = self.versions.entry(group).or_default();
            if versions.last_key_value().map_or(!members.is_empty(), |(_, last)| *last != members) {
                versions.insert(room.simulation().tick(), members);
            }
            let newest = versions.last_key_value().map_or(Tick(0), |(version, _)| *version);
            assert_eq!(world.committed().group(group).version, newest, "version of {group:?}");
            let hash = versions
                .last_key_value()
                .map_or(StateHash::default(), |(_, members)| naive_hash(world.committed().layout(), members));
            assert_eq!(world.committed().group(group).hash, hash, "hash of {group:?}");
        }
    }

    fn newest(&self, group: GroupId, tick: Tick) -> Tick {
        self.versions
            .get(&group)
            .and_then(|versions| versions.range(..=tick).next_back())
            .map_or(Tick(0), |(version, _)| *version)
    }

    fn members(&self, group: GroupId, version: Tick) -> Members {
        self.versions.get(&group).and_then(|versions| versions.get(&version)).cloned().unwrap_or_default()
    }
}

/// The hash of a group, by its definition.
fn naive_hash(layout: &Layout, members: &Members) -> StateHash {
    let mut hash = StateHash::default();
    for (slot, (generation, naive)) in members {
        hash += StateHash::member(*slot, *generation, naive.kind);
        let blobs = naive.blobs.iter().map(|bytes| StateHash::blob_content(bytes));
        let kind = &layout.kinds[naive.kind as usize];
        let lanes = (0..kind.lanes.len()).map(|lane| match kind.lanes[lane].rate {
            None => naive.lanes[lane],
            Some(rate) => naive.lanes[lane].wrapping_add(naive.lanes[rate].wrapping_mul(0x9E37_79B1)),
        });
        for (index, content) in lanes.chain(blobs).enumerate() {
            hash += StateHash::field(*slot, *generation, index as u32, content);
        }
    }
    hash
}

/// How a client's line behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Line {
    /// Frames arrive and are applied at once.
    Good,
    /// One arrives every second tick.
    Slow,
    /// Frames arrive and wait.
    Stalled,
    /// The server's socket takes nothing.
    Blocked,
    /// There is none.
    Gone,
}

struct Client {
    seat: SeatId,
    player: PlayerId,
    token: Uuid,
    replica: Replica,
    /// What it has said that it understands.
    understands: u64,
    /// The pace that it was told, and when it got its last frame.
    every: u32,
    last_frame: Tick,
    line: Line,
    in_flight: VecDeque<Vec<u8>>,
    /// The last view sent, each group with the number of the last event before it entered.
    view: BTreeMap<u32, u32>,
    owed: BTreeSet<u32>,
    consumed: Vec<u32>,
    behind_for: BTreeMap<GroupId, u32>,
    last_resync: Duration,
    alive: bool,
}

struct Model {
    random: Rng,
    bounds: Bounds,
    room: Room<Sandbox>,
    history: History,
    clients: Vec<Client>,
    director: SeatId,
    inputs: u32,
    tick: Duration,
    /// The largest message for who joins pieces.
    largest: usize,
    now: Duration,
    said: Vec<(u32, To)>,
    said_before: u32,
    /// Whether events are small enough that no log can overflow.
    gentle: bool,
    /// Whether the first client's line is slow until the calm.
    crawls: bool,
    calm: bool,
}

impl Model {
    fn new(seed: u64) -> Self {
        let mut random = Rng::new(seed);
        let mut bounds = [
            Bounds::default(),
            Bounds { frame: 300, events: 60, ..Bounds::default() },
            Bounds { frame: 1_000, events: 400, chunk: 300, ..Bounds::default() },
        ][random.below(3) as usize];
        if random.chance(0.5) {
            (bounds.first, bounds.first_unmeasured) = ((60, 250), 120);
        }
        let gentle = random.chance(0.8);
        if !gentle {
            (bounds.log_events, bounds.log_bytes) = (5, 8_000);
        }
        let mut room = Room::with_bounds(false, seed, bounds);
        let director =
            room.enter(join_request("director", Uuid::from_u128(1), false), 0).expect("there is a seat").seat;
        // In long ticks there is time to be silent, and to be given another pace.
        let tick = Duration::from_millis([50, 50, 50, 50, 50, 50, 200, 500][random.below(8) as usize]);
        let crawls = tick == Duration::from_millis(200);
        Self {
            random,
            bounds,
            room,
            history: History::default(),
            clients: Vec::new(),
            director,
            inputs: 0,
            tick,
            largest: bounds.frame.max(bounds.first.1) + 16,
            now: Duration::ZERO,
            said: Vec::new(),
            said_before: 0,
            gentle,
            crawls,
            calm: false,
        }
    }

    fn play(mut self, seen: &mut Seen) {
        for _ in 0..2 + self.random.below(2) {
            self.join();
        }
        for _ in 0..20 + self.random.below(30) {
            self.trouble(seen);
            self.tick(seen);
        }
        self.calm = true;
        for client in 0..self.clients.len() {
            self.mend(client, seen);
        }
        // One second until the next resync may come, a round of frames for each of the groups.
        let rest = 160;
        for _ in 0..rest {
            self.tick(seen);
        }
        self.conclude(seen);
    }

    fn join(&mut self) {
        let token = Uuid::from_u128(100 + self.clients.len() as u128);
        let entered = self.room.enter(join_request("client", token, true), 0).expect("there is a seat");
        let understands = (capabilities::PIECES * u64::from(self.random.chance(0.5)))
            | (capabilities::PACE * u64::from(self.random.chance(0.8)));
        self.room.understands(entered.seat, understands);
        self.clients.push(Client {
            seat: entered.seat,
            player: entered.player,
            token,
            replica: Replica::new(&Thing::schema(), 1),
            understands,
            every: 1,
            last_frame: Tick(0),
            line: Line::Good,
            in_flight: VecDeque::new(),
            view: BTreeMap::new(),
            owed: BTreeSet::new(),
            consumed: Vec::new(),
            behind_for: BTreeMap::new(),
            last_resync: Duration::ZERO,
            alive: true,
        });
    }

    /// What happens between two ticks.
    fn trouble(&mut self, seen: &mut Seen) {
        for _ in 0..self.random.below(6) {
            let act = self.act();
            self.inputs += 1;
            let (aim, payload) = (self.room.simulation().tick(), codec::encode(&act));
            let input = ClientMessage::input(self.inputs, Report::default(), aim, payload);
            self.room.receive(self.director, input, self.now).expect("the director is in order");
        }
        for client in 0..self.clients.len() {
            if self.crawls && client == 0 {
                self.set_line(client, Line::Slow);
                continue;
            }
            match self.random.below(25) {
                24 => self.set_line(client, Line::Slow),
                0 => self.set_line(client, Line::Stalled),
                1 => self.set_line(client, Line::Blocked),
                2 => self.set_line(client, Line::Gone),
                3..6 => self.mend(client, seen),
                6 => {
                    let anew = self.random.chance(0.4);
                    self.resync(client, anew, seen);
                }
                _ => {}
            }
        }
        if self.random.below(40) == 0 && self.clients.len() < 5 {
            self.join();
        }
        if self.random.below(60) == 0 {
            self.restore(seen);
        }
    }

    /// The room is saved and made again somewhere else: everybody has to come back.
    fn restore(&mut self, seen: &mut Seen) {
        for client in 0..self.clients.len() {
            self.set_line(client, Line::Gone);
        }
        let saved = self.room.authority().save().expect("a sandbox can be saved");
        self.room = Room::restore(&saved, self.bounds, self.now).expect("and made again");
        assert_eq!(self.room.authority().save().expect("as before"), saved, "it is what it was");
        let resync = Resync { epoch: 1, applied: None, event: 0 };
        let (token, first_input) = (Uuid::from_u128(1), self.inputs + 1);
        let back = Returning { token, resync, first_input, groups: Vec::new(), verify: false };
        self.director = self.room.resume(back, self.now).expect("the director has a seat").seat;
        seen.restores += 1;
    }

    fn act(&mut self) -> Act {
        let random = &mut self.random;
        let players = self.clients.iter().map(|client| client.player.0).collect::<Vec<_>>();
        let player = players[random.below(players.len() as u32) as usize];
        let (entity, seed, group) = (random.below(1000), random.next_u32() >> 4, random.below(GROUPS));
        let thing = random.below(3) as u8;
        let size = match self.gentle {
            true => random.below(40),
            false => random.below(4000),
        };
        match random.below(26) {
            0..5 => Act::Spawn { group, thing, seed },
            5 => Act::SpawnOwn { player, seed },
            6..11 => Act::Change { entity, seed },
            11 => Act::Become { entity, thing, seed },
            12 => Act::Touch { entity },
            13..16 => Act::Move { entity, group },
            16 => Act::MoveOwn { entity, player },
            17 => Act::Despawn { entity },
            18 => Act::Replace { entity, seed },
            19..22 => Act::See { player, groups: random.next_u32() & random.next_u32() },
            22..25 => Act::Shout { group, size },
            _ => Act::Whisper { player, size },
        }
    }

    fn set_line(&mut self, client: usize, line: Line) {
        let client = &mut self.clients[client];
        if client.line == Line::Gone || !client.alive {
            return;
        }
        client.line = line;
        if line == Line::Gone {
            client.in_flight.clear();
            self.room.disconnect(client.seat, self.now);
        }
    }

    fn mend(&mut self, client: usize, seen: &mut Seen) {
        let client = &mut self.clients[client];
        if client.line == Line::Gone && client.alive {
            let groups = client.replica.current_groups().into_iter().map(GroupId).collect();
            let resync = client.replica.resync(self.random.chance(0.2));
            let back = Returning { token: client.token, resync, first_input: 1, groups, verify: true };
            let entered = self.room.resume(back, self.now).expect("the seat is kept");
            assert_eq!((entered.seat, entered.player), (client.seat, client.player));
            self.room.understands(client.seat, client.understands);
            client.every = 1;
            client.last_resync = self.now;
            seen.resumes += 1;
        }
        client.line = Line::Good;
    }

    fn resync(&mut self, client: usize, anew: bool, seen: &mut Seen) {
        let client = &mut self.clients[client];
        if client.line != Line::Gone && client.alive {
            let resync = ClientMessage::Resync(client.replica.resync(anew));
            self.room.receive(client.seat, resync, self.now).expect("a resync is always allowed");
            seen.resyncs += 1;
        }
    }

    fn tick(&mut self, seen: &mut Seen) {
        self.now += self.tick;
        self.said_before = self.room.simulation().game().events;
        assert!(self.room.step(self.now), "frames are due every tick");
        let said = self.room.simulation().game().said.clone();
        self.said.extend(&said);
        self.history.record(&self.room);
        for index in 0..self.clients.len() {
            self.serve(index, seen);
            self.receive(index, seen);
        }
    }

    /// What the server's task does for one seat.
    fn serve(&mut self, index: usize, seen: &mut Seen) {
        let client = &mut self.clients[index];
        for (id, to) in &self.said {
            if *id > self.said_before && *to == To::Player(client.player.0) && client.alive {
                client.owed.insert(*id);
            }
        }
        let mut out = Vec::new();
        match client.line {
            _ if !client.alive => return,
            Line::Gone => return,
            Line::Blocked => return self.room.throttle(client.seat, self.now),
            Line::Good | Line::Slow | Line::Stalled => match self.room.frame(client.seat, self.now, RTT, &mut out) {
                Ok(_) => {}
                Err(_) => {
                    seen.refused_views += 1;
                    client.alive = false;
                    return;
                }
            },
        }
        let (seat, joins) = (client.seat, client.understands & capabilities::PIECES != 0);
        seen.throttled += u64::from(self.room.is_throttled(seat));
        if let Some(every) = self.room.take_pace(seat) {
            let client = &mut self.clients[index];
            assert!(client.understands & capabilities::PACE != 0, "a pace is told to those who know what it is");
            assert!([1, 2, 4].contains(&every) && every != client.every);
            client.every = every;
            seen.paces += 1;
        }
        if !self.room.was_passed_over(seat) {
            self.owe_events(index);
            self.check_pace(index, out.first().is_some_and(|first| *first != PIECE));
        }
        while !out.is_empty() {
            assert!(!joins || out.len() <= self.largest, "{} bytes at once", out.len());
            assert!(joins || out[0] != PIECE, "pieces are sent to those who join them");
            seen.frames += u64::from(out[0] != PIECE);
            seen.pieces += u64::from(out[0] == PIECE);
            self.clients[index].in_flight.push_back(std::mem::take(&mut out));
            // The socket may take more.
            if self.random.chance(0.5) {
                self.room.piece(seat, self.now, &mut out);
            }
        }
    }

    /// Between the frames of a seat are so many ticks as it was told.
    fn check_pace(&mut self, index: usize, has_frame: bool) {
        let (client, tick) = (&mut self.clients[index], self.room.simulation().tick());
        if has_frame {
            assert!(tick.0 - client.last_frame.0 >= client.every, "a frame at every {}th tick", client.every);
            client.last_frame = tick;
        }
    }

    /// The view that counts is the last one sent.
    fn owe_events(&mut self, index: usize) {
        let client = &mut self.clients[index];
        let mask = self.room.simulation().game().views.get(&client.player).copied().unwrap_or(0);
        for group in (0..GROUPS).filter(|group| mask >> group & 1 == 1) {
            client.view.entry(group).or_insert(self.said_before);
        }
        for (id, to) in &self.said {
            if let To::Group(group) = to
                && client.view.get(group).is_some_and(|entry| id > entry)
            {
                client.owed.insert(*id);
            }
        }
        client.view.retain(|group, _| mask >> group & 1 == 1);
    }

    /// What a client does with what has arrived.
    fn receive(&mut self, index: usize, seen: &mut Seen) {
        let client = &mut self.clients[index];
        let mut most = match client.line {
            Line::Good => usize::MAX,
            Line::Slow => self.room.simulation().tick().0 as usize % 2,
            Line::Stalled | Line::Blocked | Line::Gone => return,
        };
        while most > 0
            && let Some(frame) = client.in_flight.pop_front()
        {
            most -= 1;
            match client.replica.apply(&frame) {
                Ok(Applied::Stale) => seen.stale += 1,
                Ok(Applied::Piece) => {}
                Ok(Applied::Frame(head)) => check_frame(client, &self.history, head.tick, self.calm, seen),
                Err(error) => {
                    let versions: Vec<_> = client
                        .replica
                        .tables()
                        .map(|(group, table, behind)| (group, table.version(), behind))
                        .collect();
                    check_frame(client, &self.history, self.room.simulation().tick(), false, seen);
                    panic!("a frame for {:?} cannot be applied: {error}; its tables: {versions:?}", client.player);
                }
            }
            for event in client.replica.drain_events() {
                let said: Said = codec::decode(&event.bytes).expect("events arrive whole");
                client.consumed.push(said.id);
                seen.events += 1;
            }
        }
        let report = ClientMessage::Report(client.replica.report());
        self.room.receive(client.seat, report, self.now).expect("a report is always allowed");
    }

    /// Everybody is at the end; nothing is missing, nothing came twice.
    fn conclude(&self, seen: &mut Seen) {
        let tick = self.room.simulation().tick();
        for client in self.clients.iter().filter(|client| client.alive) {
            assert!(client.consumed.is_sorted_by(|a, b| a < b), "events come once and in order: {:?}", client.consumed);
            let consumed: BTreeSet<u32> = client.consumed.iter().copied().collect();
            seen.moves += client.replica.anatomy().moves;
            let lost = client.replica.events_lost();
            seen.lost += lost;
            if lost == 0 {
                assert_eq!(consumed, client.owed, "events of {:?}", client.player);
            } else {
                assert!(!self.gentle, "nothing is lost while logs do not overflow");
                assert!(consumed.is_subset(&client.owed));
            }
            for (group, table, behind) in client.replica.tables() {
                assert!(!behind, "{group:?} is still behind");
                let (least, most) = (Tick(tick.0 - (client.every - 1)), tick);
                let versions = self.history.newest(group, least)..=self.history.newest(group, most);
                assert!(versions.contains(&table.version()), "{group:?} at {:?} of {versions:?}", table.version());
            }
            let expected = self.room.simulation().game().views[&client.player];
            let held: u32 =
                client.replica.tables().filter(|(group, ..)| group.0 < GROUPS).map(|(group, ..)| 1 << group.0).sum();
            assert_eq!(held, expected & ((1 << GROUPS) - 1), "the view of {:?}", client.player);
        }
    }
}

/// Compares a replica with the author's structs as they were at each table's version.
fn check_frame(client: &mut Client, history: &History, tick: Tick, calm: bool, seen: &mut Seen) {
    let mut still_behind = BTreeMap::new();
    for (group, table, behind) in client.replica.tables() {
        if behind {
            seen.behind += 1;
            let frames = if calm { client.behind_for.get(&group).copied().unwrap_or(0) + 1 } else { 0 };
            assert!(frames <= 20, "{group:?} has been behind for more than 20 frames");
            still_behind.insert(group, frames);
        } else {
            assert_eq!(table.version(), history.newest(group, tick), "{group:?} is not marked behind");
        }
        let layout = client.replica.layout();
        let held: Members = table
            .members()
            .iter()
            .enumerate()
            .map(|(index, member)| {
                let lanes = table.lanes(layout, index).to_vec();
                let blobs = table.blobs(layout, index).iter().map(|blob| blob.to_vec()).collect();
                (member.slot, (member.generation, Naive { kind: member.kind, lanes, blobs }))
            })
            .collect();
        assert_eq!(held, history.members(group, table.version()), "{group:?} at {:?}", table.version());
    }
    client.behind_for = still_behind;
    let mut slots = BTreeSet::new();
    for shown in client.replica.shown() {
        assert!(slots.insert(shown.member.slot), "a slot is shown once");
        let EntityId { slot, .. } = shown.id();
        assert!(slot < 65_535);
        assert!(shown.restore::<Thing>().is_some(), "what is shown can be restored");
    }
}
