//! Matches played by hand, and the guide held against the file that it builds.

use tiltyard_shared::{
    game::{Command, Simulation},
    prelude::*,
    protocol::codec,
};

use crate::{Event, Input, NOBODY, PAUSE_TICKS, POINTS, Pong, Table};

#[test]
fn the_game_passes_its_check() {
    tiltyard_shared::check::check_game::<crate::Pong>();
}

const ADA: PlayerId = PlayerId(1);
const BOB: PlayerId = PlayerId(2);
const CYD: PlayerId = PlayerId(3);

struct Match(Simulation<Pong>);

impl Match {
    fn new() -> Self {
        Self(Simulation::new((), 1))
    }

    /// Ada on the left, Bob on the right.
    fn of_two() -> Self {
        let mut room = Self::new();
        room.step([join(ADA, "Ada"), join(BOB, "Bob")]);
        room
    }

    fn step<const N: usize>(&mut self, commands: [Command<Input>; N]) {
        self.0.outbox().events.clear();
        self.0.step(commands);
        self.0.commit();
    }

    fn table(&self) -> &Table {
        self.0.world().iter().next().unwrap().1
    }

    fn events(&mut self) -> Vec<Event> {
        let events = &self.0.outbox().events;
        events.iter().map(|(_, bytes)| codec::decode(bytes).unwrap()).collect()
    }

    fn result(&mut self) -> Option<serde_json::Value> {
        self.0.outbox().finished.clone()
    }

    /// What a player does who follows the ball on this side.
    fn follow(&self, side: usize) -> i8 {
        let ahead = self.table().ball[1] - self.table().paddles[side];
        if ahead.abs() < 0.03 { 0 } else { ahead.signum() as i8 }
    }
}

fn join(player: PlayerId, name: &str) -> Command<Input> {
    Command::Join { player, name: name.to_owned(), team: None }
}

fn leave(player: PlayerId) -> Command<Input> {
    Command::Leave { player, why: Leave::Quit }
}

fn push(player: PlayerId, push: i8) -> Command<Input> {
    Command::Input { player, input: Input { push } }
}

#[test]
fn the_ball_waits_for_both_players_and_a_second_more() {
    let mut room = Match::new();
    room.step([join(ADA, "Ada")]);
    for _ in 0..100 {
        room.step([]);
    }
    assert_eq!((room.table().ball, room.table().players), ([0.5; 2], [NOBODY; 2]));
    room.step([join(BOB, "Bob")]);
    for _ in 1..PAUSE_TICKS {
        room.step([]);
    }
    assert_eq!((room.table().ball, room.table().players), ([0.5; 2], [ADA, BOB]));
    room.step([]);
    assert!(room.table().ball[0] > 0.5);
}

#[test]
fn a_paddle_moves_until_it_is_let_go_and_stops_at_the_edge() {
    let mut room = Match::of_two();
    room.step([push(ADA, 1), push(BOB, -1)]);
    room.step([]);
    room.step([push(ADA, 0)]);
    let down = room.table().paddles[0];
    assert!((0.53..0.56).contains(&down));
    for _ in 0..30 {
        room.step([]);
    }
    assert_eq!(room.table().paddles, [down, 0.0]);
}

#[test]
fn a_paddle_throws_the_ball_back_faster_and_away_from_its_middle() {
    let mut room = Match::of_two();
    room.step([push(BOB, -1)]);
    room.step([]);
    room.step([push(BOB, 0)]);
    let hit = (0..100).any(|_| {
        room.step([]);
        room.events() == [Event::Bounce]
    });
    let [x, y] = room.table().ball;
    assert!(hit && x == 1.0);
    room.step([]);
    let [next_x, next_y] = room.table().ball;
    assert!(next_x < x - crate::SPEED / 30.0, "faster than it came");
    assert!(next_y > y, "the lower half of the paddle throws it down");
}

/// Ada follows the ball, Bob hides in a corner.
#[test]
fn the_first_to_seven_points_wins() {
    let mut room = Match::of_two();
    let mut points = 0;
    for _ in 0..10_000 {
        room.step([push(ADA, room.follow(0)), push(BOB, -1)]);
        points += room.events().iter().filter(|event| **event == Event::Point { by: ADA }).count();
        if room.result().is_some() {
            break;
        }
    }
    assert_eq!(room.result(), Some(serde_json::json!({ "winner": 1, "name": "Ada" })));
    assert_eq!((room.table().score[0], points), (POINTS, usize::from(POINTS)));
    assert!(room.table().score[1] < POINTS);
}

#[test]
fn after_a_point_the_ball_is_served_from_the_middle_to_who_missed_it() {
    let mut room = Match::of_two();
    while room.table().score == [0, 0] {
        room.step([push(BOB, -1)]);
    }
    assert_eq!((room.table().score, room.table().ball), ([1, 0], [0.5; 2]));
    assert_eq!(room.events(), [Event::Point { by: ADA }]);
    for _ in 1..PAUSE_TICKS {
        room.step([]);
        assert_eq!(room.table().ball, [0.5; 2]);
    }
    room.step([]);
    assert!(room.table().ball[0] > 0.5);
}

#[test]
fn who_stays_wins_when_the_other_leaves() {
    let mut room = Match::of_two();
    room.step([leave(ADA)]);
    assert_eq!(room.result(), Some(serde_json::json!({ "winner": 2, "name": "Bob" })));
    assert_eq!(room.table().players, [ADA, BOB], "the last frame still shows who played");
}

#[test]
fn who_leaves_before_the_match_leaves_a_free_side_and_a_still_paddle() {
    let mut room = Match::new();
    room.step([join(ADA, "Ada"), push(ADA, 1)]);
    room.step([leave(ADA), join(BOB, "Bob")]);
    room.step([join(CYD, "Cyd")]);
    room.step([]);
    assert_eq!((room.table().paddles, room.table().players, room.result()), ([0.5; 2], [BOB, CYD], None));
}

#[test]
fn no_input_breaks_the_table() {
    let mut room = Match::of_two();
    room.0.world_mut().set_strict(true);
    for hostile in [i8::MIN, i8::MAX, -2, 1] {
        let before = room.table().paddles[0];
        room.step([push(PlayerId(99), 1), push(NOBODY, 1), push(ADA, -hostile.signum()), push(ADA, hostile)]);
        let moved = (room.table().paddles[0] - before) * f32::from(hostile.signum());
        assert!((0.0..0.03).contains(&moved), "the last input counts, and none is faster than another");
        for _ in 0..100 {
            room.step([]);
        }
    }
}

#[test]
fn a_rally_that_never_ends_stays_on_the_table() {
    let mut room = Match::of_two();
    room.0.world_mut().set_strict(true);
    let id = room.0.world().iter().next().unwrap().0;
    let mut hits = 0;
    for _ in 0..20_000 {
        let table = room.0.world_mut().get_mut(id).unwrap();
        table.paddles = [table.ball[1]; 2];
        room.step([]);
        hits += room.events().len();
    }
    assert!(hits > 5_000 && room.table().score == [0, 0]);
}

const RULES: &str = include_str!("lib.rs");
const GUIDE: &str = include_str!("../../../docs/pong.md");

/// The lines that say something, without indentation.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// The content of all code blocks of the guide that are headed by this file's name, one after the other.
fn quoted(file: &str) -> String {
    let blocks = GUIDE.split("```").skip(1).step_by(2);
    let of_file = blocks.filter_map(|block| block.split_once('\n').filter(|(head, _)| head.ends_with(file)));
    of_file.map(|(_, code)| code).collect()
}

#[test]
fn the_rules_take_at_most_sixty_lines() {
    let (_, rules) = RULES.split_at(RULES.find("impl Game for Pong").unwrap());
    assert!(lines(rules).filter(|line| !line.starts_with("//")).count() <= 60);
}

#[test]
fn the_guide_quotes_every_line_of_the_rules_in_their_order() {
    let guide = quoted("src/lib.rs");
    assert_eq!(lines(&guide).collect::<Vec<_>>(), lines(RULES).collect::<Vec<_>>());
}

#[test]
fn the_guide_quotes_these_tests_in_their_order() {
    let (guide, mut tests) = (quoted("src/tests.rs"), lines(include_str!("tests.rs")));
    assert!(lines(&guide).count() >= 4);
    for line in lines(&guide) {
        assert!(tests.any(|other| other == line), "not here, or not in this order: {line}");
    }
}
