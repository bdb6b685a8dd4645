//! What a room of the arena costs, part by part, and as a whole: `cargo bench -p tiltyard-core`.
//!
//! A thousand bots walk and fight, as in the load swarm, without sockets. Each time is that of one tick of all of them, but
//! for frames of one player, which say so.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use tiltyard_arena::{
    Arena, Config,
    bot::Bot,
    entities::{Fighter, Thing},
    rules::{self, CELL, SIZE},
};
use tiltyard_core::room::{JoinRequest, Room, SeatId};
use tiltyard_shared::{
    chunk::{self, Form},
    prelude::*,
    protocol::{ClientMessage, Report, codec},
    replica::Replica,
};
use uuid::Uuid;

const PLAYERS: u32 = 1_000;
const TICK: Duration = Duration::from_millis(50);
const RTT: Duration = Duration::from_millis(20);
/// A bot changes its mind so often, in ticks.
const DECIDES_EVERY: u32 = 4;

/// An arena full of bots, each connected by a line that loses nothing.
struct Crowd {
    room: Room<Arena>,
    players: Vec<Player>,
    rng: Rng,
    now: Duration,
    frame: Vec<u8>,
    view: Vec<GroupId>,
}

struct Player {
    seat: SeatId,
    id: PlayerId,
    bot: Bot,
    inputs: u32,
}

/// What a tick took: the game with its commit, and the frames of all.
#[derive(Clone, Copy, Default)]
struct Times {
    step: Duration,
    frames: Duration,
}

impl Crowd {
    /// After five seconds of play.
    fn new() -> Self {
        let (mut room, mut rng) = (Room::<Arena>::open(Config::default(), 1), Rng::new(2));
        let player = |number: u32| {
            let token = Uuid::from_u128(u128::from(number));
            let entered = room.enter(join_request(format!("bot {number}"), token), 0).expect("there is a seat");
            Player { seat: entered.seat, id: entered.player, bot: Bot::new(&mut rng), inputs: 0 }
        };
        let players = (0..PLAYERS - 1).map(player).collect();
        let mut crowd = Self { room, players, rng, now: Duration::ZERO, frame: Vec::new(), view: Vec::new() };
        for _ in 0..100 {
            crowd.tick();
        }
        crowd
    }

    fn tick(&mut self) -> Times {
        self.now += TICK;
        self.decide();
        let start = Instant::now();
        self.room.step(self.now);
        let stepped = Instant::now();
        for player in &self.players {
            let sent = self.room.frame(player.seat, self.now, RTT, &mut self.frame);
            black_box(sent).expect("every view can be sent");
        }
        let times = Times { step: stepped - start, frames: stepped.elapsed() };
        let report = Report { epoch: 1, applied: self.room.simulation().tick(), event: u64::MAX };
        for player in &self.players {
            let report = ClientMessage::Report(report);
            self.room.receive(player.seat, report, self.now).expect("a report is always allowed");
        }
        times
    }

    fn decide(&mut self) {
        let aim = Tick(self.room.simulation().tick().0 + 1);
        for player in self.players.iter_mut().filter(|player| (player.id.0 + aim.0).is_multiple_of(DECIDES_EVERY)) {
            let simulation = self.room.simulation();
            let (world, committed) = (simulation.world(), simulation.world().committed());
            simulation.view(player.id, &mut self.view);
            let slots = self.view.iter().flat_map(|group| &committed.group(*group).members);
            let sees = slots.filter_map(|slot| {
                let generation = u32::from(committed.member(*slot).generation);
                let id = EntityId { slot: u32::from(*slot), generation };
                Some((id, world.get(id)?.clone()))
            });
            let payload = codec::encode(&player.bot.decide(player.id, aim, sees, &mut self.rng));
            player.inputs += 1;
            let input = ClientMessage::input(player.inputs, Report::default(), aim, payload);
            self.room.receive(player.seat, input, self.now).expect("inputs are in order");
        }
    }

    /// One more player, who is no bot.
    fn enter(&mut self) -> SeatId {
        let request = join_request("newcomer".to_owned(), Uuid::from_u128(u128::MAX));
        self.room.enter(request, 0).expect("there is a seat").seat
    }

    /// The first frame of one more player, and how long it took.
    fn join(&mut self) -> Duration {
        let seat = self.enter();
        self.tick();
        let start = Instant::now();
        let sent = self.room.frame(seat, self.now, RTT, &mut self.frame);
        let time = start.elapsed();
        assert_eq!(sent, Ok(true));
        self.room.remove(seat, Leave::Quit);
        time
    }
}

fn join_request(name: String, token: Uuid) -> JoinRequest {
    JoinRequest { name, token, verify: false, expected: false, team: None }
}

/// A field of fighters who all walk, without a game.
struct Field {
    world: World<Thing>,
    goals: Vec<rules::Point>,
}

impl Field {
    fn new() -> Self {
        let (mut world, mut rng) = (World::new(), Rng::new(3));
        world.set_grid(Grid::new(SIZE, SIZE, CELL), Thing::position);
        for number in 0..PLAYERS {
            let fighter = Fighter::new(PlayerId(number), format!("bot {number}"), rules::random_place(&mut rng));
            world.spawn(Thing::Fighter(fighter));
        }
        let goals = (0..PLAYERS).map(|_| rules::random_place(&mut rng)).collect();
        Self { world, goals }
    }

    /// Everyone takes a step of ten units towards its goal, and then back where it came from.
    fn walk(&mut self) -> Tick {
        let tick = Tick(self.world.committed().tick().0 + 1);
        for ((_, thing), goal) in self.world.iter_mut().zip(&self.goals) {
            let Thing::Fighter(fighter) = thing else { continue };
            let way = [goal[0] - fighter.x, goal[1] - fighter.y];
            let length = way[0].hypot(way[1]).max(10.0);
            let step = if (tick.0 / 32).is_multiple_of(2) { 10.0 } else { -10.0 };
            fighter.x = (fighter.x + way[0] / length * step).clamp(0.0, SIZE);
            fighter.y = (fighter.y + way[1] / length * step).clamp(0.0, SIZE);
        }
        tick
    }
}

/// Adds up what `run` says of each of many runs.
fn sum(runs: u64, mut run: impl FnMut() -> Duration) -> Duration {
    (0..runs).map(|_| run()).sum()
}

fn commit(c: &mut Criterion) {
    let mut field = Field::new();
    let mut commit = || {
        let tick = field.walk();
        let start = Instant::now();
        field.world.commit(tick);
        start.elapsed()
    };
    c.bench_function("commit of 1,000 walkers", |b| b.iter_custom(|runs| sum(runs, &mut commit)));
}

fn encode(c: &mut Criterion) {
    let (mut field, mut bytes) = (Field::new(), Vec::new());
    let mut encode = |form: fn(Tick) -> Form| {
        let tick = field.walk();
        field.world.commit(tick);
        bytes.clear();
        let committed = field.world.committed();
        let start = Instant::now();
        for group in committed.changed_groups() {
            chunk::encode(committed, *group, form(tick), &mut bytes);
        }
        start.elapsed()
    };
    type FormAt = fn(Tick) -> Form;
    let forms: [(&str, FormAt); 3] = [
        ("deltas", |_| Form::Delta),
        ("catch-ups of a second", |tick| Form::CatchUp(Tick(tick.0.saturating_sub(20)))),
        ("snapshots", |_| Form::Snapshot),
    ];
    for (name, form) in forms {
        let name = format!("encode of 1,000 walkers, {name}");
        c.bench_function(&name, |b| b.iter_custom(|runs| sum(runs, || encode(form))));
    }
}

fn gather(c: &mut Criterion) {
    let mut crowd = Crowd::new();
    c.bench_function("gather for 1,000 players", |b| b.iter_custom(|runs| sum(runs, || crowd.tick().frames)));
    c.bench_function("gather for one who joins", |b| b.iter_custom(|runs| sum(runs, || crowd.join())));
}

fn decode(c: &mut Criterion) {
    let mut crowd = Crowd::new();
    let seat = crowd.enter();
    let frames: Vec<Vec<u8>> = (0..100)
        .map(|_| {
            crowd.tick();
            let mut frame = Vec::new();
            assert_eq!(crowd.room.frame(seat, crowd.now, RTT, &mut frame), Ok(true));
            let report = Report { epoch: 1, applied: crowd.room.simulation().tick(), event: u64::MAX };
            crowd.room.receive(seat, ClientMessage::Report(report), crowd.now).expect("a report is always allowed");
            frame
        })
        .collect();
    let mut started = Replica::new(&Thing::schema(), 1);
    started.apply(&frames[0]).expect("the first frame is good");
    c.bench_function("decode of 99 frames of one player", |b| {
        b.iter_batched_ref(
            || started.clone(),
            |replica| frames[1..].iter().for_each(|frame| drop(replica.apply(frame).expect("every frame is good"))),
            criterion::BatchSize::SmallInput,
        );
    });
}

fn step(c: &mut Criterion) {
    let mut crowd = Crowd::new();
    type Part = fn(Times) -> Duration;
    let parts: [(&str, Part); 2] =
        [("game and commit", |times| times.step), ("all", |times| times.step + times.frames)];
    for (name, part) in parts {
        let name = format!("step of 1,000 players, {name}");
        c.bench_function(&name, |b| b.iter_custom(|runs| sum(runs, || part(crowd.tick()))));
    }
}

criterion_group! {
    name = room;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = commit, encode, gather, decode, step
}
criterion_main!(room);
