//! Sales, as their bidders see them.

use std::time::Duration;

use serde_json::json;
use tiltyard_shared::{check::check_game, game::PlayerId};
use tiltyard_testing::Play;

use crate::{Auction, Bidder, Config, Event, Input, Lot, NOBODY, Offer, Phase, Refusal, SOFT_CLOSE, Thing};

const SECOND: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(100);

#[test]
fn the_game_passes_its_check() {
    check_game::<Auction>();
}

/// A vase and a chair, the vase just opened, with three who are interested.
fn sale() -> (Play<Auction>, [PlayerId; 3]) {
    let offer = |title: &str, start| Offer { title: title.to_owned(), start };
    let lots = vec![offer("A vase", 10_000), offer("A chair", 5_000)];
    let mut play = Play::new(Config { seconds_per_lot: 20, lots });
    let bidders = ["Ann", "Bob", "Cyd"].map(|name| play.join(name));
    run_until(&mut play, |play| lots_of(play)[0].phase == Phase::Open);
    (play, bidders)
}

fn run_until(play: &mut Play<Auction>, until: impl Fn(&Play<Auction>) -> bool) {
    let reached = (0..1_000).any(|_| {
        play.tick();
        until(play)
    });
    assert!(reached, "not in 100 seconds");
}

/// All lots as the room has them.
fn lots_of(play: &Play<Auction>) -> Vec<Lot> {
    let things = play.room().simulation().world().iter();
    things.filter_map(|(_, thing)| if let Thing::Lot(lot) = thing { Some(lot.clone()) } else { None }).collect()
}

/// What a player sees of a lot: who leads, and the price.
fn seen(play: &Play<Auction>, by: PlayerId, number: u8) -> (PlayerId, u32) {
    let lot = play.sees(by).into_iter().find_map(|(_, thing)| match thing {
        Thing::Lot(lot) if lot.number == number => Some((lot.leader, lot.price)),
        _ => None,
    });
    lot.unwrap()
}

/// The limits that a player sees.
fn limits(play: &Play<Auction>, by: PlayerId) -> Vec<u32> {
    let things = play.sees(by).into_iter();
    things.filter_map(|(_, thing)| if let Thing::Limit { cents } = thing { Some(cents) } else { None }).collect()
}

fn is_away(play: &Play<Auction>, of: PlayerId, seen_by: PlayerId) -> bool {
    let away = |thing: &Thing| matches!(thing, Thing::Bidder(Bidder { player, away: true, .. }) if *player == of);
    play.sees(seen_by).iter().any(|(_, thing)| away(thing))
}

#[test]
fn the_highest_limit_leads_a_step_above_the_second_and_nobody_else_learns_it() {
    let (mut play, [ann, bob, cyd]) = sale();
    play.line(cyd).delay = 3 * TICK;
    let say = |play: &mut Play<Auction>, player, input: &Input| {
        play.send(player, input);
        play.run(SECOND);
        seen(play, cyd, 0)
    };
    assert_eq!(
        say(&mut play, ann, &Input::Limit { lot: 0, cents: 50_000 }),
        (ann, 10_000),
        "as if she had bid the start"
    );
    assert_eq!(say(&mut play, bob, &Input::Bid { lot: 0, cents: 20_000 }), (ann, 21_000));
    assert_eq!(say(&mut play, cyd, &Input::Limit { lot: 0, cents: 40_000 }), (ann, 41_000));
    assert_eq!(say(&mut play, bob, &Input::Limit { lot: 0, cents: 50_000 }), (ann, 50_000), "of two the earlier");
    assert_eq!(say(&mut play, bob, &Input::Bid { lot: 0, cents: 51_000 }), (bob, 51_000));
    assert_eq!([ann, bob, cyd].map(|player| limits(&play, player)), [[50_000], [50_000], [40_000]]);

    assert_eq!(say(&mut play, bob, &Input::Bid { lot: 0, cents: 60_000 }), (bob, 51_000));
    assert_eq!(play.events(bob).last(), Some(&Event::Refused { why: Refusal::Leading }));
    assert_eq!(say(&mut play, cyd, &Input::Bid { lot: 0, cents: 51_500 }), (bob, 51_000));
    assert_eq!(play.events(cyd).last(), Some(&Event::Refused { why: Refusal::TooLow }));
}

#[test]
fn a_bid_at_the_end_gives_everyone_more_time_and_one_after_it_is_for_no_lot() {
    let (mut play, [ann, bob, cyd]) = sale();
    play.line(bob).delay = 4 * TICK;
    let closes = lots_of(&play)[0].closes;
    run_until(&mut play, |play| play.room().simulation().tick().0 == closes.0 - 2);
    play.send(ann, &Input::Bid { lot: 0, cents: 10_000 });
    play.run(SECOND);
    let later = lots_of(&play)[0].closes;
    assert_eq!(later.0, closes.0 - 1 + SOFT_CLOSE);

    run_until(&mut play, |play| play.room().simulation().tick().0 == later.0 - 2);
    play.send(bob, &Input::Bid { lot: 0, cents: 20_000 });
    play.run(SECOND);
    assert_eq!(seen(&play, cyd, 0), (ann, 10_000));
    assert_eq!(play.events(bob).last(), Some(&Event::Refused { why: Refusal::Closed }));
    run_until(&mut play, |play| lots_of(play)[1].phase == Phase::Open);
    play.send(bob, &Input::Bid { lot: 0, cents: 20_000 });
    play.run(SECOND);
    assert_eq!(play.events(bob).last(), Some(&Event::Refused { why: Refusal::Closed }));
    assert_eq!(seen(&play, bob, 1), (NOBODY, 0));
}

#[test]
fn the_house_bids_on_for_whoever_is_away_and_a_bid_outlives_its_bidder() {
    let (mut play, [ann, bob, cyd]) = sale();
    play.send(ann, &Input::Limit { lot: 0, cents: 30_000 });
    play.tick();
    play.disconnect(ann);
    play.run(2 * SECOND);
    play.send(bob, &Input::Bid { lot: 0, cents: 12_000 });
    play.run(SECOND);
    assert_eq!((seen(&play, cyd, 0), is_away(&play, ann, cyd)), ((ann, 13_000), true));
    play.resume(ann).unwrap();
    play.run(SECOND);
    assert_eq!(
        (seen(&play, ann, 0), limits(&play, ann), is_away(&play, ann, cyd)),
        ((ann, 13_000), vec![30_000], false)
    );

    play.leave(ann);
    play.send(bob, &Input::Bid { lot: 0, cents: 13_500 });
    play.run(SECOND);
    assert_eq!(play.events(bob).last(), Some(&Event::Refused { why: Refusal::TooLow }), "hers stands");
    play.send(bob, &Input::Bid { lot: 0, cents: 14_000 });
    play.run(SECOND);
    assert_eq!(seen(&play, cyd, 0), (bob, 14_000), "but the house bids for her no more");
}

#[test]
fn the_result_names_what_was_sold_to_whom() {
    let (mut play, [ann, bob, _]) = sale();
    play.send(ann, &Input::Bid { lot: 0, cents: 10_000 });
    play.run(SECOND);
    play.leave(ann);
    run_until(&mut play, |play| lots_of(play)[0].phase == Phase::Sold);
    assert_eq!(play.events(bob).last(), Some(&Event::Hammer { lot: 0 }));
    run_until(&mut play, |play| play.result().is_some());
    assert_eq!(lots_of(&play)[1].phase, Phase::Unsold);
    let sold = json!({ "lot": 0, "title": "A vase", "cents": 10_000, "winner": ann, "name": "Ann" });
    assert_eq!(play.result(), Some(&json!({ "sold": [sold] })));
}
