//! A board, as those who draw on it see it.

use std::time::Duration;

use tiltyard_shared::{check::check_game, game::PlayerId, protocol::Code};
use tiltyard_testing::Play;

use crate::{Ink, Input, POINTS, SIZE, STROKES, Stroke, Thing, Whiteboard};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_game_passes_its_check() {
    check_game::<Whiteboard>();
}

fn begin(x: u16, y: u16) -> Input {
    Input::Begin { x, y, ink: Ink::Blue, width: 4, goes_on: false }
}

fn go_on(x: u16, y: u16) -> Input {
    Input::Begin { x, y, ink: Ink::Blue, width: 4, goes_on: true }
}

fn draw(points: &[[i8; 2]]) -> Input {
    Input::Draw { points: points.to_vec() }
}

fn say(play: &mut Play<Whiteboard>, player: PlayerId, inputs: &[Input]) {
    for input in inputs {
        play.send(player, input);
    }
    play.run(SECOND);
}

/// The strokes that a player sees, by where they begin; of each its owner and points.
fn strokes(play: &Play<Whiteboard>, seen_by: PlayerId) -> Vec<([u16; 2], PlayerId, Vec<u8>)> {
    let stroke = |thing| match thing {
        Thing::Stroke(Stroke { x, y, owner, points, .. }) => Some(([x, y], owner, points)),
        Thing::Cursor(_) => None,
    };
    let mut strokes: Vec<_> = play.sees(seen_by).into_iter().filter_map(|(_, thing)| stroke(thing)).collect();
    strokes.sort();
    strokes
}

/// The middle of the board, where all begin.
const MIDDLE: u16 = SIZE / 2;

#[test]
fn who_is_near_sees_a_stroke_grow_and_who_is_far_away_is_not_sent_it() {
    let mut play = Play::<Whiteboard>::new(());
    let [ann, bob, cyd] = ["Ann", "Bob", "Cyd"].map(|name| play.join(name));
    play.line(bob).delay = Duration::from_millis(300);
    say(&mut play, cyd, &[Input::Move { x: u16::MAX, y: 0 }]);
    say(&mut play, ann, &[begin(MIDDLE, MIDDLE), draw(&[[3, 4], [5, -6]])]);
    play.send(ann, &draw(&[[-127, 127]]));
    play.run(Duration::from_millis(200));
    let (early, late) = (vec![3, 4, 5, 250], vec![3, 4, 5, 250, 129, 127]);
    assert_eq!(strokes(&play, bob), [([MIDDLE, MIDDLE], ann, early)], "he lags");
    play.run(SECOND);
    assert_eq!(strokes(&play, bob), [([MIDDLE, MIDDLE], ann, late.clone())]);
    assert_eq!(strokes(&play, cyd), []);
    say(&mut play, cyd, &[Input::Move { x: MIDDLE, y: MIDDLE }]);
    assert_eq!(strokes(&play, cyd), [([MIDDLE, MIDDLE], ann, late)]);
}

#[test]
fn undo_takes_back_the_own_last_line_whole_and_nothing_else() {
    let mut play = Play::<Whiteboard>::new(());
    let [ann, bob] = ["Ann", "Bob"].map(|name| play.join(name));
    say(&mut play, ann, &[begin(10, 10), begin(20, 20), draw(&[[1, 1]]), go_on(21, 21), go_on(22, 22)]);
    say(&mut play, bob, &[begin(30, 30), Input::Move { x: 0, y: 0 }]);
    say(&mut play, ann, &[Input::Undo, draw(&[[1, 1]])]);
    let left = [([10, 10], ann, vec![]), ([30, 30], bob, vec![])];
    assert_eq!(strokes(&play, bob), left, "and what is gone is drawn on no more");
    say(&mut play, ann, &[Input::Undo, Input::Undo]);
    play.leave(ann);
    play.run(SECOND);
    assert_eq!(strokes(&play, bob), left[1..]);
}

#[test]
fn who_comes_back_sees_what_was_drawn_and_taken_back_meanwhile() {
    let mut play = Play::<Whiteboard>::new(());
    let [ann, bob] = ["Ann", "Bob"].map(|name| play.join(name));
    say(&mut play, ann, &[begin(MIDDLE, MIDDLE)]);
    play.disconnect(bob);
    say(&mut play, ann, &[Input::Undo, begin(MIDDLE, 4000), draw(&[[9, 9]])]);
    assert_eq!(strokes(&play, bob), [([MIDDLE, MIDDLE], ann, vec![])], "nothing comes without a connection");
    play.resume(bob).unwrap();
    say(&mut play, bob, &[begin(MIDDLE, 4001)]);
    assert_eq!(strokes(&play, bob), [([MIDDLE, 4000], ann, vec![9, 9]), ([MIDDLE, 4001], bob, vec![])]);
    assert_eq!(strokes(&play, ann), strokes(&play, bob));
}

#[test]
fn a_full_board_forgets_the_oldest_and_still_fits_one_cell() {
    let mut play = Play::<Whiteboard>::new(());
    let ann = play.join("Ann");
    for number in 0..STROKES as u16 + 5 {
        let at = MIDDLE + number % 400;
        play.send(ann, &begin(at, MIDDLE + number / 400));
        play.send(ann, &draw(&[[100, -100]; POINTS]));
        play.send(ann, &draw(&[[1, 1]; POINTS]));
        play.tick();
    }
    let bob = play.join("Bob");
    play.run(5 * SECOND);
    let seen = strokes(&play, bob);
    assert_eq!((seen.len(), seen[0].0, seen == strokes(&play, ann)), (STROKES, [MIDDLE, MIDDLE + 1], true));
    assert!(seen.iter().all(|(_, _, points)| points.len() == 2 * POINTS));
    assert_eq!((play.refused(ann), play.gone(bob)), (vec![], None::<Code>));
}
