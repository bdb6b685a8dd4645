//! Whole matches, played by hand.

use serde_json::{Value, json};
use tiltyard_shared::{
    check::Check,
    game::{Audience, Command, Simulation},
    prelude::*,
    protocol::codec,
};

use crate::{
    Config, Connect4, MAX_PLAYERS, REMATCH_TICKS, TICK_HZ,
    board::{Board, CELLS, Color, Phase},
    entities::{Person, Thing},
    messages::{Ending, Event, Input, Refusal},
};

const ADA: PlayerId = PlayerId(1);
const BOB: PlayerId = PlayerId(2);
const CYD: PlayerId = PlayerId(3);
const DAN: PlayerId = PlayerId(4);

/// Ada wins from the lower left to the upper right.
const RISING: [u8; 11] = [0, 1, 1, 2, 2, 3, 2, 3, 3, 6, 3];
/// Nobody ever has four in a line.
const DRAW: [u8; 42] = [
    1, 1, 4, 2, 3, 3, 4, 2, 2, 5, 6, 2, 3, 4, 2, 4, 6, 5, 1, 0, 1, 5, 3, 4, 4, 1, 1, 6, 2, 6, 6, 6, 0, 0, 3, 0, 5, 3,
    0, 0, 5, 5,
];

/// A room whose players act in turn.
struct Match {
    sim: Simulation<Connect4>,
    events: Vec<(Audience, Event)>,
}

impl Match {
    fn new() -> Self {
        Self { sim: Simulation::new(Config { seconds_per_move: 10 }, 1), events: Vec::new() }
    }

    /// Ada with red discs, Bob with yellow ones, Cyd and Dan watching.
    fn of_two() -> Self {
        let mut room = Self::new();
        room.step([(ADA, "Ada"), (BOB, "Bob"), (CYD, "Cyd"), (DAN, "Dan")].map(|(player, name)| join(player, name)));
        room
    }

    /// Discs in turn, Ada's first.
    fn played(columns: &[u8]) -> Self {
        let mut room = Self::of_two();
        room.play(columns);
        room
    }

    fn play(&mut self, columns: &[u8]) {
        for column in columns {
            let player = self.with(self.board().turn).unwrap().player;
            self.step([drop(player, *column)]);
        }
    }

    fn step<const N: usize>(&mut self, commands: [Command<Input>; N]) {
        self.sim.step(commands);
        self.sim.commit();
        let events = std::mem::take(&mut self.sim.outbox().events);
        self.events = events.iter().map(|(audience, bytes)| (*audience, codec::decode(bytes).unwrap())).collect();
    }

    fn wait(&mut self, ticks: u32) {
        for _ in 0..ticks {
            self.step([]);
        }
    }

    fn board(&self) -> &Board {
        let mut things = self.sim.world().iter();
        things.find_map(|(_, thing)| if let Thing::Board(board) = thing { Some(board) } else { None }).unwrap()
    }

    fn people(&self) -> impl Iterator<Item = &Person> {
        self.sim
            .world()
            .iter()
            .filter_map(|(_, thing)| if let Thing::Person(person) = thing { Some(person) } else { None })
    }

    fn with(&self, color: Color) -> Option<&Person> {
        self.people().find(|person| person.color == color)
    }

    fn person(&self, player: PlayerId) -> &Person {
        self.people().find(|person| person.player == player).unwrap()
    }

    /// Phase, whose turn, who won.
    fn state(&self) -> (Phase, Color, Color) {
        (self.board().phase, self.board().turn, self.board().winner)
    }

    fn result(&mut self) -> Option<Value> {
        self.sim.outbox().finished.clone()
    }

    fn was_told(&self, event: &Event) -> bool {
        self.events.iter().any(|(audience, told)| *audience == Audience::Group(GroupId(0)) && told == event)
    }

    /// What this player alone was told, and nobody else.
    fn refusals(&self, player: PlayerId) -> Vec<Refusal> {
        let of_player = self.events.iter().filter(|(audience, _)| *audience == Audience::Player(player));
        of_player
            .map(|(_, event)| if let Event::Refused { why } = event { *why } else { panic!("{event:?}") })
            .collect()
    }
}

fn join(player: PlayerId, name: &str) -> Command<Input> {
    Command::Join { player, name: name.to_owned(), team: None }
}

fn leave(player: PlayerId) -> Command<Input> {
    Command::Leave { player, why: Leave::Lost }
}

fn drop(player: PlayerId, column: u8) -> Command<Input> {
    Command::Input { player, input: Input::Drop { column } }
}

fn resign(player: PlayerId) -> Command<Input> {
    Command::Input { player, input: Input::Resign }
}

fn rematch(player: PlayerId) -> Command<Input> {
    Command::Input { player, input: Input::Rematch }
}

fn ended(winner: Color, name: &str, ending: Ending) -> Event {
    Event::Ended { winner, name: name.to_owned(), ending }
}

#[test]
fn the_game_passes_its_check() {
    check_game::<Connect4>();
}

/// Most of these matches are resigned: a random column is rarely one of the seven.
#[test]
fn a_crowded_room_passes_its_check() {
    let crowded = Check { seed: 100, matches: 5, ticks: 2_000, players: MAX_PLAYERS };
    crowded.run::<Connect4>().unwrap();
}

#[test]
fn the_first_two_play_and_the_others_watch() {
    let mut room = Match::new();
    room.step([join(ADA, "Ada")]);
    assert_eq!(room.state(), (Phase::Waiting, Color::None, Color::None));
    room.step([join(BOB, "Bob"), join(CYD, "Cyd")]);
    assert_eq!(room.state(), (Phase::Playing, Color::Red, Color::None));
    assert!(room.was_told(&Event::Started { first: Color::Red }));
    let colors = [ADA, BOB, CYD].map(|player| room.person(player).color);
    assert_eq!(colors, [Color::Red, Color::Yellow, Color::None]);
    assert_eq!(room.person(CYD).name, "Cyd");
}

#[test]
fn four_in_a_line_win_in_all_four_directions() {
    for (columns, four) in [
        (&[0, 0, 1, 1, 2, 2, 3][..], [0, 1, 2, 3]),
        (&[6, 5, 6, 5, 6, 5, 6], [6, 13, 20, 27]),
        (&RISING, [0, 8, 16, 24]),
        (&RISING.map(|column| 6 - column), [6, 12, 18, 24]),
    ] {
        let mut room = Match::played(columns);
        assert_eq!(room.state(), (Phase::Over, Color::None, Color::Red), "{columns:?}");
        let mut shown = room.board().four;
        shown.sort_unstable();
        assert_eq!(shown, four);
        assert!(room.was_told(&ended(Color::Red, "Ada", Ending::Four)));
        assert_eq!((room.person(ADA).wins, room.person(BOB).wins, room.result()), (1, 0, None));
    }
}

#[test]
fn the_second_player_can_win_too() {
    let room = Match::played(&[0, 1, 0, 1, 0, 1, 6, 1]);
    assert_eq!(room.state(), (Phase::Over, Color::None, Color::Yellow));
    assert!(room.was_told(&ended(Color::Yellow, "Bob", Ending::Four)));
}

#[test]
fn a_full_board_without_a_line_is_a_draw() {
    let mut room = Match::played(&DRAW[..41]);
    assert_eq!(room.board().phase, Phase::Playing);
    room.play(&DRAW[41..]);
    assert_eq!(room.state(), (Phase::Over, Color::None, Color::None));
    assert_eq!(room.board().four, [CELLS; 4]);
    assert!(room.was_told(&ended(Color::None, "", Ending::Full)));
    room.step([leave(BOB)]);
    let result = room.result().unwrap();
    assert_eq!((&result["winner"], &result["name"]), (&Value::Null, &Value::Null));
}

#[test]
fn four_that_fill_the_board_win_and_are_no_draw() {
    let mut room = Match::played(&DRAW[..41]);
    let last = DRAW[41];
    let id = room.sim.world().iter().find(|(_, thing)| matches!(thing, Thing::Board(_))).unwrap().0;
    let Some(Thing::Board(board)) = room.sim.world_mut().get_mut(id) else { panic!("no board") };
    for row in 2..5 {
        board.cells[row][usize::from(last)] = board.turn;
    }
    room.play(&[last]);
    assert!(room.was_told(&ended(Color::Yellow, "Bob", Ending::Four)));
}

#[test]
fn each_move_starts_the_clock_anew_and_who_lets_it_run_out_loses() {
    let mut room = Match::of_two();
    room.wait(10 * TICK_HZ - 1);
    assert_eq!(room.board().deadline, Tick(room.sim.tick().0 + 1));
    room.step([drop(ADA, 3)]);
    assert_eq!(room.board().deadline, Tick(room.sim.tick().0 + 10 * TICK_HZ), "a move in the last tick counts");
    room.wait(10 * TICK_HZ - 1);
    assert_eq!(room.state(), (Phase::Playing, Color::Yellow, Color::None));
    room.step([]);
    assert_eq!(room.state(), (Phase::Over, Color::None, Color::Red));
    assert!(room.was_told(&ended(Color::Red, "Ada", Ending::Clock)));
}

#[test]
fn a_refused_move_does_not_stop_the_clock() {
    let mut room = Match::of_two();
    for _ in 0..10 * TICK_HZ {
        room.step([drop(ADA, 7), drop(BOB, 0)]);
    }
    assert!(room.was_told(&ended(Color::Yellow, "Bob", Ending::Clock)));
}

#[test]
fn who_resigns_loses_also_out_of_turn() {
    let mut room = Match::played(&[3]);
    room.step([resign(ADA)]);
    assert!(room.was_told(&ended(Color::Yellow, "Bob", Ending::Resigned)));
    assert_eq!((room.state().2, room.person(BOB).wins), (Color::Yellow, 1));
}

#[test]
fn who_leaves_during_a_match_loses_and_the_room_closes() {
    let mut room = Match::played(&[3, 3]);
    room.step([leave(ADA)]);
    assert!(room.was_told(&ended(Color::Yellow, "Bob", Ending::Left)));
    let players = json!([{ "player": 1, "name": "Ada", "wins": 0 }, { "player": 2, "name": "Bob", "wins": 1 }]);
    assert_eq!(room.result(), Some(json!({ "winner": 2, "name": "Bob", "players": players })));
}

#[test]
fn the_first_to_leave_decides_the_result() {
    let mut room = Match::played(&[3, 3]);
    room.step([leave(ADA), leave(BOB), join(PlayerId(5), "Eve")]);
    assert_eq!(room.result().unwrap()["name"], "Bob");
    assert_eq!(room.board().phase, Phase::Over);
}

#[test]
fn spectators_come_and_go_unnoticed() {
    let mut room = Match::played(&[3, 3]);
    let board = room.board().clone();
    room.step([leave(CYD), join(PlayerId(5), "Eve")]);
    assert_eq!((room.board(), room.people().count()), (&board, 4));
    assert_eq!((room.events.len(), room.result()), (0, None));
}

#[test]
fn a_color_that_becomes_free_before_the_first_disc_goes_to_the_first_spectator() {
    let mut room = Match::of_two();
    room.wait(50);
    room.step([leave(ADA)]);
    let colors = [BOB, CYD, DAN].map(|player| room.person(player).color);
    assert_eq!(colors, [Color::Yellow, Color::Red, Color::None]);
    assert!(room.was_told(&Event::Started { first: Color::Red }));
    assert_eq!(room.board().deadline, Tick(room.sim.tick().0 + 10 * TICK_HZ));
    room.step([leave(CYD), leave(DAN)]);
    assert_eq!((room.state(), room.result()), ((Phase::Waiting, Color::None, Color::None), None));
    room.wait(1_000);
    room.step([join(PlayerId(5), "Eve")]);
    assert_eq!((room.board().phase, room.person(PlayerId(5)).color), (Phase::Playing, Color::Red));
}

#[test]
fn when_both_ask_for_it_there_is_a_rematch_and_the_other_begins() {
    let mut room = Match::played(&RISING);
    room.step([rematch(ADA)]);
    assert_eq!((room.board().phase, room.person(ADA).rematch), (Phase::Over, true));
    room.step([rematch(ADA)]);
    assert_eq!(room.board().phase, Phase::Over, "one alone cannot ask twice");
    room.step([rematch(BOB)]);
    let begun = Board::playing(Color::Yellow, Tick(room.sim.tick().0 + 10 * TICK_HZ));
    assert_eq!(*room.board(), begun);
    assert!(room.was_told(&Event::Started { first: Color::Yellow }));
    assert!(room.people().all(|person| !person.rematch));
    room.play(&[0, 1, 0, 1, 0, 1, 0]);
    assert_eq!((room.person(ADA).wins, room.person(BOB).wins), (1, 1));
    room.step([rematch(BOB), rematch(ADA)]);
    assert_eq!(room.board().turn, Color::Red);
}

#[test]
fn without_a_rematch_the_room_closes_after_a_minute() {
    let mut room = Match::played(&RISING);
    room.step([rematch(BOB)]);
    room.wait(REMATCH_TICKS - 2);
    assert_eq!(room.result(), None);
    room.step([]);
    assert_eq!(room.result().unwrap()["winner"], 1);
}

#[test]
fn who_leaves_after_a_match_closes_the_room() {
    let mut room = Match::played(&RISING);
    room.step([leave(BOB), rematch(ADA)]);
    let result = room.result().unwrap();
    assert_eq!((&result["winner"], &result["name"]), (&json!(1), &json!("Ada")));
}

#[test]
fn illegal_moves_are_refused_to_who_tried_them_alone() {
    let mut room = Match::played(&[3, 3, 3, 3, 3, 3]);
    let board = room.board().clone();
    room.step([drop(BOB, 0), drop(ADA, 3), drop(ADA, 7), drop(ADA, 255), rematch(ADA), drop(CYD, 0), resign(CYD)]);
    assert_eq!(
        room.refusals(ADA),
        [Refusal::ColumnFull, Refusal::NoSuchColumn, Refusal::NoSuchColumn, Refusal::NotOver]
    );
    assert_eq!(room.refusals(BOB), [Refusal::NotYourTurn]);
    assert_eq!(room.refusals(CYD), [Refusal::Watching; 2]);
    assert_eq!((room.events.len(), room.board()), (7, &board));
}

#[test]
fn nothing_can_be_done_without_a_match() {
    let mut room = Match::new();
    room.step([join(ADA, "Ada"), drop(ADA, 0), resign(ADA), rematch(ADA), drop(PlayerId(99), 0)]);
    assert_eq!(room.refusals(ADA), [Refusal::NoMatch, Refusal::NoMatch, Refusal::NotOver]);
    let mut room = Match::played(&RISING);
    room.step([drop(ADA, 0), drop(BOB, 0), resign(BOB)]);
    assert_eq!((room.refusals(ADA), room.refusals(BOB)), (vec![Refusal::NoMatch], vec![Refusal::NoMatch; 2]));
    assert_eq!((room.person(ADA).wins, room.state().2), (1, Color::Red));
}

#[test]
fn two_discs_of_one_player_in_a_tick_are_one() {
    let mut room = Match::of_two();
    room.step([drop(ADA, 0), drop(ADA, 1), drop(BOB, 2), drop(BOB, 3)]);
    assert_eq!(room.board().cells.iter().flatten().filter(|color| **color != Color::None).count(), 2);
    assert_eq!((room.refusals(ADA), room.refusals(BOB)), (vec![Refusal::NotYourTurn], vec![Refusal::NotYourTurn]));
}

#[test]
fn any_config_makes_a_room() {
    for (seconds_per_move, ticks) in [(0, TICK_HZ), (u16::MAX, 65_535 * TICK_HZ)] {
        let mut room = Match { sim: Simulation::new(Config { seconds_per_move }, 1), events: Vec::new() };
        room.step([join(ADA, &"漢".repeat(10)), join(BOB, "")]);
        assert_eq!(room.board().deadline, Tick(1 + ticks));
    }
}
