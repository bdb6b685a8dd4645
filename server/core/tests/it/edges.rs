//! Two edges on one authority: players who are spread over both are sent, byte for byte, what one edge would send them.

use std::time::Duration;

use tiltyard_core::{
    authority::Authority,
    edge::{Bounds, Edge, Up},
    room::{Room, SeatId},
};
use tiltyard_shared::{
    game::{Game as _, Rng, Simulation, Tick},
    protocol::{ClientMessage, Report, Resync, codec},
    replica::{Applied, Replica},
    replicate::Replicate as _,
};
use uuid::Uuid;

use crate::sandbox::{Act, GROUPS, Sandbox, Thing, join_request};

const TICK: Duration = Duration::from_millis(50);
const RTT: Duration = Duration::from_millis(20);
const PLAYERS: u32 = 6;

/// A room whose seats are served by turns by one of two edges, as two threads would.
struct Apart {
    authority: Authority<Sandbox>,
    edges: [Edge; 2],
}

impl Apart {
    fn new(seed: u64) -> Self {
        let (bounds, settings) = (Bounds::default(), Sandbox::settings(&false));
        // As a room keeps events by default.
        let keep = tiltyard_core::events::Keep { events: bounds.log_events, bytes: bounds.log_bytes };
        let authority = Authority::new(Simulation::new(false, seed), settings, keep);
        Self { authority, edges: [Edge::new(bounds), Edge::new(bounds)] }
    }

    fn edge(&mut self, seat: SeatId) -> &mut Edge {
        &mut self.edges[seat.0 as usize % 2]
    }

    fn receive(&mut self, seat: SeatId, message: ClientMessage, now: Duration) {
        let world = self.authority.simulation().world().committed();
        let up = self.edges[seat.0 as usize % 2].receive(seat, message, world, now).expect("it may be said");
        if let Some(Up::Inputs { seat, first, inputs }) = up {
            self.authority.take_inputs(seat, first, &inputs).expect("inputs are in order");
        }
    }

    fn step(&mut self, now: Duration) {
        let Self { authority, edges } = self;
        for edge in edges.iter_mut() {
            edge.look(|seat, attached| authority.attach(seat, attached));
        }
        authority.step(now);
        for edge in edges.iter_mut() {
            edge.publish(&authority.published());
        }
        authority.forget(|seat| edges[seat.0 as usize % 2].confirmed(seat));
    }

    fn frame(&mut self, seat: SeatId, now: Duration, out: &mut Vec<u8>) -> bool {
        let edge = &mut self.edges[seat.0 as usize % 2];
        let written = edge.frame(seat, &self.authority.published(), now, RTT, out).expect("its view is small");
        if let Some(after) = edge.gave() {
            self.authority.gave(seat, after);
        }
        written
    }
}

fn act(random: &mut Rng) -> Act {
    let (entity, seed, group) = (random.below(1000), random.next_u32() >> 4, random.below(GROUPS));
    let player = 1 + random.below(PLAYERS);
    match random.below(12) {
        0..4 => Act::Spawn { group, thing: random.below(3) as u8, seed },
        4 => Act::SpawnOwn { player, seed },
        5..7 => Act::Change { entity, seed },
        7 => Act::Move { entity, group },
        8 => Act::Despawn { entity },
        9 => Act::See { player, groups: random.next_u32() & random.next_u32() },
        10 => Act::Shout { group, size: 20 },
        _ => Act::Whisper { player, size: 20 },
    }
}

#[test]
fn players_of_two_edges_see_what_one_edge_would_send() {
    let mut frames = [0; 2];
    for seed in 1..=100 {
        let (mut random, mut one, mut two) = (Rng::new(seed), Room::<Sandbox>::open(false, seed), Apart::new(seed));
        let mut replicas = Vec::new();
        for number in 0..PLAYERS {
            let new = || join_request(&format!("player {number}"), Uuid::from_u128(number.into()), true);
            let (here, there) = (one.enter(new(), 0), two.authority.enter(new(), 0));
            assert_eq!(here, there);
            let seat = here.expect("there is a seat").seat;
            two.edge(seat).open(seat, true);
            replicas.push(Replica::new(&Thing::schema(), 1));
        }
        for tick in 1..80u32 {
            let now = TICK * tick;
            for number in 4 * tick..4 * (tick + 1) {
                let payload = codec::encode(&act(&mut random));
                let message = ClientMessage::input(number - 3, Report::default(), Tick(tick), payload);
                one.receive(SeatId(0), message.clone(), now).expect("inputs are in order");
                two.receive(SeatId(0), message, now);
            }
            one.step(now);
            two.step(now);
            for (index, replica) in replicas.iter_mut().enumerate() {
                let (seat, mut bytes, mut others) = (SeatId(index as u32), Vec::new(), Vec::new());
                let written = one.frame(seat, now, RTT, &mut bytes).expect("its view is small");
                assert_eq!((two.frame(seat, now, &mut others), &others), (written, &bytes), "seed {seed}, tick {tick}");
                // Some frames are lost with their line, and the client goes on from what it holds.
                if written && random.chance(0.9) && matches!(replica.apply(&bytes), Ok(Applied::Frame(_))) {
                    frames[index % 2] += 1;
                }
                let message = match random.below(20) {
                    0 => ClientMessage::Resync(replica.resync(false)),
                    _ => ClientMessage::Report(replica.report()),
                };
                one.receive(seat, message.clone(), now).expect("it may be said");
                two.receive(seat, message, now);
            }
        }
    }
    assert!(frames.iter().all(|count| *count > 5_000), "{frames:?}");
}

/// What a client says that has nothing yet.
#[test]
fn an_edge_that_was_made_later_serves_who_has_a_seat_already() {
    let mut two = Apart::new(1);
    let seat = two.authority.enter(join_request("player", Uuid::from_u128(1), true), 0).expect("there is a seat").seat;
    for tick in 1..10 {
        two.step(TICK * tick);
    }
    let edge = Edge::again(Bounds::default(), two.authority.history());
    *two.edge(seat) = edge;
    let resync = Resync { epoch: 1, applied: None, event: 0 };
    let world = two.authority.simulation().world().committed();
    two.edges[0].resume(seat, world, resync, &[], true, TICK * 10).expect("its epoch is above");
    two.step(TICK * 10);
    let (mut replica, mut frame) = (Replica::new(&Thing::schema(), 1), Vec::new());
    assert!(two.frame(seat, TICK * 10, &mut frame));
    assert!(matches!(replica.apply(&frame), Ok(Applied::Frame(_))));
}
