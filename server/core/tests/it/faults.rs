//! A model that holds proves little unless a broken encoder fails it.

use std::time::Duration;

use tiltyard_core::room::Room;
use tiltyard_shared::{
    game::{PlayerId, Tick},
    protocol::{ClientMessage, Report, codec},
    replica::{Replica, ReplicaError},
    replicate::Replicate,
    world::{EntityId, Fault},
};
use uuid::Uuid;

use crate::sandbox::{Act, Sandbox, Thing, join_request};

/// Plays a fixed match with one viewer, and returns how its replica first fails.
fn first_failure(fault: Option<Fault>) -> Option<ReplicaError> {
    let mut room = Room::<Sandbox>::open(false, 1);
    let entered = room.enter(join_request("viewer", Uuid::from_u128(1), true), 0).expect("there is a seat");
    let mut replica = Replica::new(&Thing::schema(), 1);
    let mut number = 0;
    for tick in 1..60u32 {
        let now = Duration::from_millis(50) * tick;
        let acts = match tick {
            1..20 => vec![Act::Spawn { group: 0, thing: 0, seed: tick * 7 }],
            _ => vec![Act::Change { entity: tick, seed: tick * 7 }, Act::Despawn { entity: 0 }],
        };
        for act in acts {
            number += 1;
            let input = ClientMessage::input(number, Report::default(), Tick(tick), codec::encode(&act));
            room.receive(entered.seat, input, now).expect("inputs are in order");
        }
        if tick == 30 {
            fault.into_iter().for_each(|fault| room.inject(fault));
        }
        room.step(now);
        let mut frame = Vec::new();
        if room.frame(entered.seat, now, Duration::ZERO, &mut frame).expect("the view is small") {
            if let Err(error) = replica.apply(&frame) {
                return Some(error);
            }
            room.receive(entered.seat, ClientMessage::Report(replica.report()), now).expect("a report is allowed");
        }
    }
    assert_eq!(replica.entity::<Thing>(EntityId::NONE), None);
    assert_eq!(entered.player, PlayerId(1));
    None
}

#[test]
fn each_deliberate_fault_is_noticed() {
    assert_eq!(first_failure(None), None);
    for fault in [Fault::FlipLane, Fault::DropDeparture, Fault::SkipDelta] {
        let failure = first_failure(Some(fault));
        assert!(matches!(failure, Some(ReplicaError::HashMismatch(_))), "{fault:?}: {failure:?}");
    }
}
