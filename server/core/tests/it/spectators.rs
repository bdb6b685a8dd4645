//! Spectators: they see what the game shows them and nothing that is one player's own, and they change nothing.

use std::time::Duration;

use tiltyard_core::room::{Room, SPECTATOR};
use tiltyard_shared::{
    game::{Leave, PlayerId, Tick},
    protocol::{ClientMessage, Code, Report, codec},
    replica::{Applied, Replica},
    replicate::Replicate,
};
use uuid::Uuid;

use crate::sandbox::{Act, Sandbox, Thing, join_request};

const NOW: Duration = Duration::ZERO;
const RTT: Duration = Duration::from_millis(20);

fn input(number: u32, act: &Act) -> ClientMessage {
    ClientMessage::input(number, Report::default(), Tick(number), codec::encode(act))
}

#[test]
fn a_spectator_sees_shared_groups_and_no_own_ones() {
    let mut room = Room::<Sandbox>::open(false, 1);
    let director = room.enter(join_request("director", Uuid::from_u128(1), false), 0).expect("there is a seat").seat;
    let watcher = room.spectate(Uuid::from_u128(2), true).expect("it may watch");
    assert_eq!((watcher.player, room.authority().players(), room.authority().spectators()), (SPECTATOR, 1, 1));
    let mut replica = Replica::new(&Thing::schema(), watcher.epoch);
    let mut frame = Vec::new();
    for number in 1..=60 {
        let act = match number % 3 {
            0 => Act::SpawnOwn { player: 1, seed: number },
            _ => Act::Spawn { group: number, thing: number as u8, seed: number },
        };
        room.receive(director, input(number, &act), NOW).expect("it is an input");
        room.step(NOW);
        // What is applied is compared with the hash that every frame carries.
        if room.frame(watcher.seat, NOW, RTT, &mut frame).expect("it can be sent") {
            replica.apply(&frame).expect("it is the state");
            room.receive(watcher.seat, ClientMessage::Report(replica.report()), NOW).expect("it is a report");
        }
    }
    let world = room.simulation().world();
    let own = world.own_group_of(PlayerId(1)).expect("things were put there");
    let shared = world.iter().filter(|(id, _)| world.group_of(*id) != Some(own)).count();
    assert_eq!((replica.shown().count(), shared), (40, 40));
}

#[test]
fn what_a_spectator_sends_is_refused_and_settled() {
    let mut room = Room::<Sandbox>::open(false, 1);
    let watcher = room.spectate(Uuid::from_u128(2), false).expect("it may watch");
    room.receive(watcher.seat, input(1, &Act::Touch { entity: 0 }), NOW).expect("it is refused, not punished");
    room.step(NOW);
    let (mut replica, mut frame) = (Replica::new(&Thing::schema(), watcher.epoch), Vec::new());
    replica.sent_input(1);
    assert_eq!(room.frame(watcher.seat, NOW, RTT, &mut frame), Ok(true));
    let Applied::Frame(head) = replica.apply(&frame).expect("it is a frame") else { panic!("it is the first") };
    assert_eq!(head.refused, [(1, Code::NotAllowed)]);
    assert_eq!(head.inputs.map(|settled| settled.number), Some(1));
    assert_eq!(room.stats().inputs.refused, 1);
}

#[test]
fn spectators_take_no_seats_and_have_a_limit_of_their_own() {
    let mut room = Room::<Sandbox>::open(false, 1);
    let limit = room.settings().max_spectators;
    let seats: Vec<_> = (0..limit)
        .map(|number| room.spectate(Uuid::from_u128(number.into()), false).expect("there is a place").seat)
        .collect();
    assert_eq!(room.spectate(Uuid::from_u128(1000), false), Err(Code::RoomFull));
    assert_eq!((room.authority().players(), room.authority().free_seats()), (0, room.settings().max_players));
    assert_eq!(
        room.enter(join_request("player", Uuid::from_u128(2000), false), 0).map(|entered| entered.player),
        Ok(PlayerId(1))
    );
    room.remove(seats[0], Leave::Quit);
    assert_eq!(room.authority().spectators(), limit - 1);
    room.spectate(Uuid::from_u128(1000), false).expect("there is a place again");
    room.step(NOW);
    assert_eq!(room.simulation().game().views.len(), 1, "the game has heard of the player only");
}

#[test]
fn seats_that_are_promised_are_given_to_nobody_else() {
    let mut room = Room::<Sandbox>::open(false, 1);
    let seats = room.settings().max_players;
    let mut enter = |number: u32, promised| {
        room.enter(join_request("player", Uuid::from_u128(number.into()), false), promised)
            .map(|entered| entered.player.0)
    };
    for number in 1..=seats - 2 {
        assert_eq!(enter(number, 2), Ok(number));
    }
    assert_eq!(enter(seats - 1, 2), Err(Code::RoomFull));
    assert_eq!(enter(seats - 1, 1), Ok(seats - 1));
    assert_eq!(enter(seats, 1), Err(Code::RoomFull));
    assert_eq!(enter(seats, 0), Ok(seats));
}
