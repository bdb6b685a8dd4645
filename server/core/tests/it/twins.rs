//! Names that look alike in one room: who may come in beside whom, for how long.

use std::time::Duration;

use tiltyard_core::room::{JoinRequest, Room, SeatId};
use tiltyard_shared::{game::Leave, protocol::Code};
use uuid::Uuid;

use crate::sandbox::{Sandbox, join_request};

/// Cyrillic, all of it.
const TWIN: &str = "\u{410}\u{43e}\u{435}";
const NAME: &str = "Aoe";

fn enter(room: &mut Room<Sandbox>, name: &str) -> Result<SeatId, Code> {
    room.enter(join_request(name, Uuid::from_u128(u128::from(room.authority().players()) + 1), false), 0)
        .map(|entered| entered.seat)
}

#[test]
fn a_twin_comes_in_once_nobody_has_the_name_any_more() {
    let mut room = Room::<Sandbox>::open(false, 1);
    let seats =
        [enter(&mut room, NAME).expect("there is a seat"), enter(&mut room, NAME).expect("the same name is free")];
    for seat in seats {
        assert_eq!(enter(&mut room, TWIN), Err(Code::BadName));
        room.remove(seat, Leave::Quit);
    }
    enter(&mut room, TWIN).expect("it has no twin any more");
    assert_eq!(enter(&mut room, NAME), Err(Code::BadName));
    assert_eq!(room.authority().players(), 1, "who was refused takes no seat");
}

#[test]
fn a_name_is_kept_as_long_as_its_seat_is() {
    let mut room = Room::<Sandbox>::open(false, 1);
    let seat = enter(&mut room, NAME).expect("there is a seat");
    room.disconnect(seat, Duration::ZERO);
    assert_eq!(enter(&mut room, TWIN), Err(Code::BadName));
    let back = room.anew(Uuid::from_u128(1), false).expect("its seat is kept");
    room.resume(back, Duration::ZERO).expect("it is its own seat");
    room.disconnect(seat, Duration::ZERO);
    room.step(room.settings().grace + Duration::from_secs(1));
    enter(&mut room, TWIN).expect("the seat was given up");
}

#[test]
fn who_was_matched_is_not_refused_for_a_name() {
    let mut room = Room::<Sandbox>::open(false, 1);
    for (number, name) in [NAME, TWIN].into_iter().enumerate() {
        let request = join_request(name, Uuid::from_u128(number as u128), false);
        room.enter(JoinRequest { team: Some(number as u16), ..request }, 0).expect("the others would lose the match");
    }
}
