//! Seats behind lines: what a player sees who is far away, whose line is slow or becomes longer, or who does not keep up.

use std::{collections::VecDeque, time::Duration};

use tiltyard_core::{
    edge::Bounds,
    room::{Room, SeatId},
};
use tiltyard_shared::{
    game::{Game as _, PlayerId, Rng, Settings, Simulation, Tick},
    protocol::{ClientMessage, Code, PIECE, Report, capabilities, codec},
    replica::{Applied, Replica},
    replicate::Replicate,
    world::GroupId,
};
use uuid::Uuid;

use crate::sandbox::{Act, GROUPS, Sandbox, Sign, Thing, join_request};

const TICK: Duration = Duration::from_millis(50);
const MS: Duration = Duration::from_millis(1);
const ALL: u64 = capabilities::PIECES | capabilities::PACE;

/// What a kernel takes beside what is under way.
const SOCKET_BYTES: u64 = 32 * 1024;

/// A room with one player, and the line between them.
struct Play {
    room: Room<Sandbox>,
    seat: SeatId,
    player: PlayerId,
    replica: Replica,
    now: Duration,
    /// The way there, the way back, bytes a second.
    down: Duration,
    up: Duration,
    rate: u64,
    /// When all that was written will have gone.
    free: Duration,
    frames: VecDeque<(Duration, Vec<u8>)>,
    reports: VecDeque<(Duration, Report)>,
    /// The page applies only one frame in so many milliseconds.
    page: Duration,
    page_free: Duration,
    /// When messages came, whether each was a piece, and its bytes.
    came: Vec<(Duration, bool, usize)>,
    /// Ticks of the frames applied, with the time.
    applied: Vec<(Duration, Tick)>,
    refused: Vec<(u32, Code)>,
    paces: Vec<(Duration, u32)>,
    /// The socket takes nothing.
    blocked: bool,
    gone: Option<Code>,
}

impl Play {
    fn new(understands: u64) -> Self {
        let mut room = Room::<Sandbox>::open(false, 1);
        let entered = room.enter(join_request("Ann", Uuid::from_u128(1), true), 0).expect("there is a seat");
        room.understands(entered.seat, understands);
        Self {
            room,
            seat: entered.seat,
            player: entered.player,
            replica: Replica::new(&Thing::schema(), 1),
            now: Duration::ZERO,
            down: MS * 20,
            up: MS * 20,
            rate: 1_000_000,
            free: Duration::ZERO,
            frames: VecDeque::new(),
            reports: VecDeque::new(),
            page: Duration::ZERO,
            page_free: Duration::ZERO,
            came: Vec::new(),
            applied: Vec::new(),
            refused: Vec::new(),
            paces: Vec::new(),
            blocked: false,
            gone: None,
        }
    }

    /// Puts so many signs of some 200 bytes into a group, and has the player see these groups.
    fn fill(&mut self, group: u32, signs: u32) {
        for number in 0..signs {
            let stain = (0..200).map(|at| (number * 7 + at) as u8).collect();
            let sign = Thing::Sign(Sign { stain, wide: number, ..Sign::default() });
            self.room.simulation_mut().world_mut().spawn_in(GroupId(group), sign);
        }
    }

    fn see(&mut self, groups: u32) {
        self.act(1, &Act::See { player: self.player.0, groups });
    }

    fn act(&mut self, number: u32, act: &Act) {
        let aim = Tick(self.room.simulation().tick().0 + 1);
        let input = ClientMessage::input(number, Report::default(), aim, codec::encode(act));
        self.room.receive(self.seat, input, self.now).expect("it is an input");
    }

    /// Touches something in each of these groups, so that there is something to tell.
    fn stir(&mut self, rng: &mut Rng) {
        let world = self.room.simulation_mut().world_mut();
        for (_, thing) in world.iter_mut() {
            if let Thing::Sign(sign) = thing {
                sign.wide = rng.next_u32();
            }
        }
    }

    /// One tick, as the room's task does it.
    fn tick(&mut self) {
        self.now += TICK;
        while let Some((at, report)) = self.reports.pop_front_if(|(at, _)| *at <= self.now) {
            self.room.receive(self.seat, ClientMessage::Report(report), at).expect("it is a report");
        }
        self.room.step(self.now);
        self.serve();
        while let Some((at, bytes)) = self.frames.pop_front_if(|(at, _)| *at <= self.now) {
            self.take(at, &bytes);
        }
    }

    fn serve(&mut self) {
        if self.gone.is_some() {
            return;
        }
        if self.blocked || self.waiting() > SOCKET_BYTES {
            if !self.blocked {
                self.room.drained(self.seat, self.now);
            }
            self.room.throttle(self.seat, self.now);
            return;
        }
        let mut out = Vec::new();
        let mut more = match self.room.frame(self.seat, self.now, self.down + self.up, &mut out) {
            Ok(more) => more,
            Err(code) => {
                self.gone = Some(code);
                return;
            }
        };
        while more {
            let bytes = std::mem::take(&mut out);
            self.free = self.free.max(self.now) + Duration::from_micros(bytes.len() as u64 * 1_000_000 / self.rate);
            // The order is kept.
            let at = (self.free + self.down).max(self.frames.back().map_or(Duration::ZERO, |(at, _)| *at));
            self.frames.push_back((at, bytes));
            more = self.waiting() <= SOCKET_BYTES && self.room.piece(self.seat, self.now, &mut out);
        }
        if let Some(every) = self.room.take_pace(self.seat) {
            self.paces.push((self.now, every));
        }
    }

    /// Bytes that were written and have not gone.
    fn waiting(&self) -> u64 {
        self.free.saturating_sub(self.now).as_micros() as u64 * self.rate / 1_000_000
    }

    fn take(&mut self, at: Duration, bytes: &[u8]) {
        self.came.push((at, bytes[0] == PIECE, bytes.len()));
        self.page_free = self.page_free.max(at) + self.page;
        match self.replica.apply(bytes).expect("it is exact") {
            Applied::Frame(head) => {
                self.applied.push((at, head.tick));
                self.refused.extend(head.refused);
            }
            Applied::Stale | Applied::Piece => return,
        }
        let at = (self.page_free + self.up).max(self.reports.back().map_or(Duration::ZERO, |(at, _)| *at));
        self.reports.push_back((at, self.replica.report()));
    }

    /// All that is under way arrives.
    fn arrive(&mut self) {
        while let Some((at, bytes)) = self.frames.pop_front() {
            self.take(at, &bytes);
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.tick();
        }
    }

    /// Runs until every group is there; how long that took.
    fn until_whole(&mut self, most: Duration) -> Duration {
        let start = self.now;
        while self.applied.is_empty() || self.replica.tables().any(|(_, _, behind)| behind) {
            self.tick();
            assert!(self.now - start < most, "not in after {most:?}: {:?}", self.came);
            assert_eq!(self.gone, None);
        }
        self.now - start
    }

    /// The longest time without a message.
    fn longest_silence(&self) -> Duration {
        let times = std::iter::once(Duration::ZERO).chain(self.came.iter().map(|(at, ..)| *at));
        times.clone().zip(times.skip(1)).map(|(a, b)| b - a).max().expect("something came")
    }

    /// Frames applied from a time on, for a second.
    fn rate_at(&self, from: Duration) -> usize {
        self.applied.iter().filter(|(at, _)| (from..from + MS * 1_000).contains(at)).count()
    }
}

#[test]
fn a_view_larger_than_the_line_takes_in_a_second_comes_by_groups() {
    for (rate, most) in [(8_000, 12_000), (125_000, 1_500), (1_000_000, 700)] {
        let mut play = Play::new(ALL);
        (play.rate, play.down, play.up) = (rate, MS * 50, MS * 50);
        (0..GROUPS).for_each(|group| play.fill(group, 28));
        play.see(0xFF);
        let took = play.until_whole(MS * most);
        assert!(play.replica.shown().count() == 28 * GROUPS as usize, "all is there after {took:?}");
        assert!(play.longest_silence() < MS * 4_000, "{rate}: {:?}", play.came);
        assert!(play.came.iter().all(|(_, piece, bytes)| !piece && *bytes <= 64 * 1024));
        assert_eq!(play.room.stats().edge.throttles, 0, "nobody is throttled by the first frames");
    }
}

#[test]
fn one_large_group_comes_in_pieces_to_who_joins_them_and_whole_to_others() {
    for (rate, seconds) in [(125_000, 8), (10_000, 90)] {
        let mut play = Play::new(ALL);
        play.rate = rate;
        play.fill(0, 3_500);
        let took = play.until_whole(MS * 1_000 * seconds);
        assert!(took > MS * 1_000 * (seconds / 2), "it is as large as it should be: {took:?}");
        assert!(play.longest_silence() < MS * 4_000, "{rate}: {:?}", play.longest_silence());
        assert!(play.came.iter().filter(|(_, piece, _)| *piece).count() > 10);
        let stats = play.room.stats().edge;
        assert_eq!((stats.throttles, stats.frames), (0, play.applied.len() as u64), "a frame in pieces is one");
        // Afterwards all goes on as ever.
        play.run(MS * 3_000);
        let mut rng = Rng::new(1);
        play.fill(1, 5);
        for _ in 0..40 {
            play.stir(&mut rng);
            play.tick();
        }
    }
    let mut play = Play::new(0);
    play.fill(0, 3_500);
    play.until_whole(MS * 3_000);
    assert!(play.came.iter().all(|(_, piece, _)| !piece));
}

#[test]
fn a_resync_gives_up_the_rest_of_a_frame_in_pieces() {
    let mut play = Play::new(ALL);
    play.rate = 100_000;
    play.fill(0, 3_000);
    play.run(MS * 3_000);
    assert!(play.applied.is_empty() && play.came.len() > 5, "it is under way");
    let resync = play.replica.resync(false);
    play.room.receive(play.seat, ClientMessage::Resync(resync), play.now).expect("it is granted");
    play.until_whole(MS * 12_000);
    let frames = play.applied.len() as u64;
    assert_eq!(play.room.frames_handed(play.seat), frames, "what was given up does not count");
}

#[test]
fn who_reads_nothing_of_its_first_frames_is_given_up_and_who_reads_slowly_is_not() {
    let mut play = Play::new(ALL);
    play.fill(0, 3_500);
    // 700 kB in 140 s: the grace of 30 s passes several times.
    play.rate = 5_000;
    play.until_whole(MS * 200_000);
    // A page that is frozen from the start: its socket takes bytes, and it says nothing.
    let mut play = Play::new(ALL);
    play.page = MS * 1_000_000;
    (0..GROUPS).for_each(|group| play.fill(group, 28));
    play.see(0xFF);
    let mut rng = Rng::new(1);
    while play.gone.is_none() {
        play.stir(&mut rng);
        play.tick();
        assert!(play.now < MS * 60_000, "it is given up");
    }
    assert_eq!(play.gone, Some(Code::Unresponsive));
    assert!(play.now > Sandbox::settings(&false).grace);
}

#[test]
fn a_line_that_takes_nothing_in_the_middle_of_the_first_frames_gets_the_rest_once_it_does() {
    let mut play = Play::new(ALL);
    (0..GROUPS).for_each(|group| play.fill(group, 28));
    play.see(0xFF);
    play.run(MS * 100);
    play.blocked = true;
    play.run(MS * 10_000);
    assert!(!play.applied.is_empty() && play.reports.is_empty(), "what was under way is there, and said to be");
    play.blocked = false;
    play.until_whole(MS * 3_000);
}

#[test]
fn who_is_throttled_for_longer_than_the_grace_is_given_up() {
    let mut play = Play::new(ALL);
    let mut rng = Rng::new(1);
    play.fill(0, 3);
    play.run(MS * 2_000);
    play.page = MS * 1_000_000;
    let since = play.now;
    while play.gone.is_none() {
        play.stir(&mut rng);
        play.tick();
        assert!(play.now - since < MS * 40_000, "the time that it is throttled does not begin anew");
    }
    assert_eq!(play.gone, Some(Code::Unresponsive));
    assert_eq!(play.room.stats().edge.throttles, 1);
}

#[test]
fn a_step_of_the_latency_throttles_nobody_and_frames_come_as_before() {
    for step in [600, 1_000] {
        for (down, up) in [(true, false), (false, true), (true, true)] {
            for phase in 0..10 {
                let mut play = Play::new(ALL);
                let mut rng = Rng::new(1);
                play.fill(0, 5);
                let mut run = |play: &mut Play, time: u32| {
                    let end = play.now + MS * time;
                    while play.now < end {
                        play.stir(&mut rng);
                        play.tick();
                    }
                };
                run(&mut play, 6_000 + phase * 230);
                play.down += MS * step * u32::from(down);
                play.up += MS * step * u32::from(up);
                let from = play.now;
                run(&mut play, 15_000);
                let settled = from + MS * 1_500 + (play.down + play.up) * 3 / 2;
                for second in 0..8 {
                    assert!(play.rate_at(settled + MS * 1_000 * second) >= 19, "{step} ms, second {second}");
                }
                (play.down, play.up) = (MS * 20, MS * 20);
                run(&mut play, 5_000);
                assert_eq!(play.room.stats().edge.throttles, 0, "{step} ms down {down} up {up}, phase {phase}");
                assert_eq!(play.paces, [], "{step} ms down {down} up {up}, phase {phase}");
            }
        }
    }
}

#[test]
fn a_page_that_applies_half_of_its_frames_gets_every_second_and_all_again_once_it_can() {
    let mut play = Play::new(ALL);
    let mut rng = Rng::new(1);
    play.fill(0, 5);
    let mut run = |play: &mut Play, time: u32| {
        let end = play.now + MS * time;
        while play.now < end {
            play.stir(&mut rng);
            play.tick();
        }
    };
    run(&mut play, 5_000);
    assert_eq!(play.paces, []);
    play.page = MS * 80;
    run(&mut play, 30_000);
    assert_eq!(play.paces[0].1, 2, "{:?}", play.paces);
    assert!(play.paces[0].0 < MS * 13_000, "it is noticed: {:?}", play.paces);
    // Trials come, and fail, twice as far apart each time.
    run(&mut play, 120_000);
    let trials: Vec<Duration> = play.paces.iter().filter(|(_, every)| *every == 1).map(|(at, _)| *at).collect();
    assert!(trials.len() >= 3 && trials.len() <= 6, "{:?}", play.paces);
    let waits: Vec<Duration> = trials.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits.windows(2).all(|pair| pair[1] > pair[0] * 5 / 4), "{waits:?}");
    let last = play.rate_at(play.now - MS * 2_000);
    assert!((9..=13).contains(&last), "{last} frames in a second");
    play.page = Duration::ZERO;
    run(&mut play, 120_000);
    assert_eq!(play.paces.last().map(|(_, every)| *every), Some(1), "{:?}", play.paces);
    assert_eq!(play.rate_at(play.now - MS * 2_000), 20);
}

#[test]
fn who_does_not_know_of_paces_is_throttled_as_ever() {
    let mut play = Play::new(capabilities::PIECES);
    let mut rng = Rng::new(1);
    play.fill(0, 5);
    play.page = MS * 110;
    for _ in 0..600 {
        play.stir(&mut rng);
        play.tick();
    }
    assert_eq!(play.paces, []);
    assert!(play.room.stats().edge.throttles > 1, "{:?}", play.room.stats().edge);
    let ages = play.applied.len();
    assert!(ages > 200, "{ages} frames in 30 s");
}

#[test]
fn a_line_too_slow_for_what_happens_gives_what_it_can_evenly() {
    let mut play = Play::new(ALL);
    let mut rng = Rng::new(1);
    (play.rate, play.down, play.up) = (8_000, MS * 50, MS * 50);
    // A frame has some 600 bytes: 12 kB a second, half more than the line takes.
    play.fill(0, 110);
    play.until_whole(MS * 12_000);
    let from = play.now + MS * 20_000;
    for _ in 0..1_200 {
        play.stir(&mut rng);
        play.tick();
    }
    let rates: Vec<usize> = (0..35).map(|second| play.rate_at(from + MS * 1_000 * second)).collect();
    assert!(rates.iter().all(|rate| *rate >= 4), "{rates:?} {:?}", play.paces);
    assert!(play.paces.iter().any(|(_, every)| *every == 2), "{:?}", play.paces);
}

#[test]
fn the_last_frame_of_a_match_has_everything_for_everybody() {
    // Who has just come, on a slow line; and who gets every second frame.
    let mut play = Play::new(ALL);
    (play.rate, play.down) = (8_000, MS * 50);
    (0..GROUPS).for_each(|group| play.fill(group, 28));
    play.see(0xFF);
    play.run(MS * 100);
    play.act(2, &Act::End);
    play.tick();
    play.arrive();
    assert_eq!(play.replica.tick(), Some(play.room.simulation().tick()));
    assert!(play.replica.tables().all(|(_, _, behind)| !behind));
    for late in 0..4 {
        let (mut play, mut rng) = (Play::new(ALL), Rng::new(1));
        play.fill(0, 5);
        play.page = MS * 120;
        while play.paces.last().is_none_or(|(_, every)| *every < 2) {
            play.stir(&mut rng);
            play.tick();
        }
        (0..late).for_each(|_| play.tick());
        play.act(1, &Act::End);
        play.stir(&mut rng);
        play.tick();
        play.arrive();
        assert!(play.room.authority().finished().is_some(), "it is the end");
        assert_eq!(play.replica.tick(), Some(play.room.simulation().tick()), "{late} ticks after another");
    }
}

#[test]
fn who_was_throttled_is_told_afterwards_which_inputs_were_refused() {
    let mut play = Play::new(ALL);
    play.fill(0, 3);
    play.run(MS * 1_000);
    let bad = ClientMessage::input(1, Report::default(), Tick(0), vec![250]);
    play.room.receive(play.seat, bad, play.now).expect("it is refused, not punished");
    play.replica.sent_input(1);
    play.blocked = true;
    play.run(MS * 150);
    assert_eq!((play.room.is_throttled(play.seat), play.refused.len()), (true, 0));
    play.blocked = false;
    play.run(MS * 500);
    assert_eq!(play.refused, [(1, Code::BadInput)]);
}

#[test]
fn after_an_hour_throttled_the_client_knows_the_tick() {
    let settings = Settings { grace: MS * 10_000_000, ..Sandbox::settings(&false) };
    let room = Room::around(Simulation::new(false, 1), settings, Bounds::default());
    let mut play = Play { room, ..Play::new(ALL) };
    play.room.enter(join_request("Ann", Uuid::from_u128(1), true), 0).expect("there is a seat");
    play.fill(0, 3);
    play.run(MS * 1_000);
    let mut rng = Rng::new(1);
    for _ in 0..70_000 {
        play.now += TICK;
        play.room.step(play.now);
        play.room.throttle(play.seat, play.now);
    }
    play.stir(&mut rng);
    play.tick();
    play.run(MS * 100);
    let (handed, frame) = play.frames.pop_front().unwrap_or_default();
    assert_eq!((handed, frame.len()), (Duration::ZERO, 0), "all has arrived");
    let newest = play.room.simulation().tick();
    assert_eq!(
        play.replica.tick().map(|tick| newest.0 - tick.0 <= 5),
        Some(true),
        "{:?} of {newest:?}",
        play.replica.tick()
    );
    assert_eq!(play.replica.epoch(), 1);
    play.stir(&mut rng);
    play.run(MS * 500);
    assert_eq!(play.replica.shown().count(), 3);
}

#[test]
fn a_room_ends_before_its_ticks_do_and_is_exact_to_the_last() {
    let day = 24 * 60 * 60 * 20;
    let start = Tick(u32::MAX - day - 100);
    let settings = Sandbox::settings(&false);
    let room = Room::around(Simulation::<Sandbox>::at_tick(false, 1, start), settings.clone(), Bounds::default());
    let mut play = Play { room, ..Play::new(ALL) };
    let entered = play.room.enter(join_request("Ann", Uuid::from_u128(1), true), 0).expect("there is a seat");
    assert_eq!(entered.seat, play.seat);
    play.fill(0, 3);
    let mut rng = Rng::new(1);
    for tick in 1..=200 {
        play.stir(&mut rng);
        play.tick();
        assert_eq!(play.room.authority().is_worn_out(), tick >= 100, "tick {tick}");
    }
    assert!(play.applied.len() >= 199);
    assert_eq!(play.replica.tick(), Some(Tick(start.0 + 199)), "the last is on its way");
    // Nothing fails at the very end either.
    let last = Tick(u32::MAX - 100);
    let room = Room::around(Simulation::<Sandbox>::at_tick(false, 1, last), settings, Bounds::default());
    let mut play = Play { room, ..Play::new(ALL) };
    play.room.enter(join_request("Ann", Uuid::from_u128(1), true), 0).expect("there is a seat");
    play.fill(0, 3);
    let far = ClientMessage::input(1, Report::default(), Tick(u32::MAX), codec::encode(&Act::Touch { entity: 0 }));
    play.room.receive(play.seat, far, play.now).expect("it may aim far away");
    for _ in 0..99 {
        play.stir(&mut rng);
        play.tick();
    }
    assert!(play.applied.len() >= 98);
}

#[test]
fn of_groups_that_do_not_fit_who_has_waited_longest_comes_next() {
    let bounds = Bounds { frame: 1_200, ..Bounds::default() };
    let settings = Sandbox::settings(&false);
    let mut play = Play { room: Room::around(Simulation::new(false, 1), settings, bounds), ..Play::new(ALL) };
    play.room.enter(join_request("Ann", Uuid::from_u128(1), true), 0).expect("there is a seat");
    play.see(0xFF);
    play.run(MS * 200);
    (0..GROUPS).for_each(|group| play.fill(group, 4));
    let (mut rng, mut behind_for) = (Rng::new(1), [0; GROUPS as usize]);
    for _ in 0..200 {
        // All of all groups becomes another, each tick: a frame takes one or two of them.
        let world = play.room.simulation_mut().world_mut();
        for (_, thing) in world.iter_mut() {
            if let Thing::Sign(sign) = thing {
                sign.stain = (0..200).map(|_| rng.next_u32() as u8).collect();
            }
        }
        play.tick();
        for (group, _, behind) in play.replica.tables() {
            let count = &mut behind_for[group.0 as usize];
            *count = if behind { *count + 1 } else { 0 };
            assert!(*count <= 2 * GROUPS, "{group:?} is forgotten");
        }
    }
    assert!(play.room.stats().edge.deferred > 100);
}
