//! A room under any sequence of operations: an honest client with a bad line, a hostile one, a director who does whatever
//! an author's code could do.

#![no_main]

use std::{collections::VecDeque, time::Duration};

use libfuzzer_sys::{
    arbitrary::{Result, Unstructured},
    fuzz_target,
};
use tiltyard_core::{
    edge::Bounds,
    room::{Returning, Room, SeatId},
};
use tiltyard_shared::{
    game::Leave,
    id::GroupId,
    protocol::{ClientMessage, Input, Report, codec},
    replica::{Applied, Replica},
    replicate::Replicate,
};
use uuid::Uuid;

use tiltyard_test_support::sandbox::{Act, Sandbox, Thing, join_request};

const RTT: Duration = Duration::from_millis(20);
const HONEST: Uuid = Uuid::from_u128(1);

struct Play {
    room: Room<Sandbox>,
    now: Duration,
    director: SeatId,
    inputs: u32,
    honest: SeatId,
    replica: Replica,
    /// Frames on their way; `None` while the connection is gone.
    line: Option<VecDeque<Vec<u8>>>,
    hostile: Option<SeatId>,
}

fuzz_target!(|data: &[u8]| {
    let mut bytes = Unstructured::new(data);
    let _ = play(&mut bytes);
});

fn play(bytes: &mut Unstructured<'_>) -> Result<()> {
    let small = Bounds { frame: 300, events: 60, log_events: 5, ..Bounds::default() };
    let bounds = if bytes.arbitrary()? { Bounds::default() } else { small };
    let mut room = Room::<Sandbox>::with_bounds(false, 1, bounds);
    let mut enter = |token| room.enter(join_request("player", token, true), 0).expect("there is a seat");
    let (honest, director) = (enter(HONEST), enter(Uuid::from_u128(2)));
    let mut play = Play {
        room,
        now: Duration::ZERO,
        director: director.seat,
        inputs: 0,
        honest: honest.seat,
        replica: Replica::new(&Thing::schema(), 1),
        line: Some(VecDeque::new()),
        hostile: None,
    };
    while !bytes.is_empty() {
        play.operate(bytes)?;
    }
    Ok(())
}

impl Play {
    fn operate(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        match bytes.arbitrary::<u8>()? % 12 {
            0..4 => self.tick(bytes.arbitrary()?),
            4..7 => self.direct(bytes)?,
            7 => self.receive(),
            8 => self.lose_or_resume(bytes.arbitrary()?),
            9 if self.line.is_some() => {
                let resync = ClientMessage::Resync(self.replica.resync(bytes.arbitrary()?));
                self.room.receive(self.honest, resync, self.now).expect("a resync is always allowed");
            }
            10 => match self.hostile {
                Some(seat) if bytes.arbitrary()? => {
                    self.room.remove(seat, Leave::Removed);
                    self.hostile = None;
                }
                Some(seat) => self.room.disconnect(seat, self.now),
                None => {
                    let entered = self.room.enter(join_request("", Uuid::from_u128(3), false), 0);
                    self.hostile = entered.ok().map(|entered| entered.seat);
                }
            },
            _ => self.say(bytes)?,
        }
        Ok(())
    }

    fn tick(&mut self, blocked: bool) {
        self.now += Duration::from_millis(50);
        self.room.step(self.now);
        for seat in self.hostile.into_iter().chain([self.director]) {
            let _ = self.room.frame(seat, self.now, RTT, &mut Vec::new());
        }
        let mut frame = Vec::new();
        match &mut self.line {
            Some(_) if blocked => self.room.throttle(self.honest, self.now),
            Some(line) => {
                if self.room.frame(self.honest, self.now, RTT, &mut frame) == Ok(true) {
                    line.push_back(frame);
                }
            }
            None => {}
        }
    }

    fn direct(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let (entity, seed, size) =
            (bytes.arbitrary::<u8>()?.into(), bytes.arbitrary()?, bytes.arbitrary::<u16>()?.into());
        let (group, thing, player) = (seed % 8, seed as u8, 1 + seed % 3);
        let act = match bytes.arbitrary::<u8>()? % 12 {
            0 | 1 => Act::Spawn { group, thing, seed },
            2 => Act::SpawnOwn { player, seed },
            3 => Act::Change { entity, seed },
            4 => Act::Become { entity, thing, seed },
            5 => Act::Move { entity, group },
            6 => Act::MoveOwn { entity, player },
            7 => Act::Despawn { entity },
            8 => Act::Replace { entity, seed },
            9 => Act::See { player, groups: size },
            10 => Act::Shout { group, size },
            _ => Act::Whisper { player, size },
        };
        self.inputs += 1;
        let (aim, payload) = (self.room.simulation().tick(), codec::encode(&act));
        let input = ClientMessage::input(self.inputs, Report::default(), aim, payload);
        self.room.receive(self.director, input, self.now).expect("the director is in order");
        Ok(())
    }

    /// The honest client applies what has arrived.
    fn receive(&mut self) {
        let Some(line) = &mut self.line else { return };
        for frame in line.drain(..) {
            let applied = self.replica.apply(&frame).expect("an honest client can apply every frame");
            if let Applied::Frame(head) = applied {
                assert!(head.hash.is_some() && head.tick <= self.room.simulation().tick());
            }
        }
        let report = ClientMessage::Report(self.replica.report());
        self.room.receive(self.honest, report, self.now).expect("a report is always allowed");
    }

    fn lose_or_resume(&mut self, anew: bool) {
        if self.line.take().is_some() {
            return self.room.disconnect(self.honest, self.now);
        }
        let groups = if anew { Vec::new() } else { self.replica.current_groups().into_iter().map(GroupId).collect() };
        let resync = self.replica.resync(anew);
        match self.room.resume(Returning { token: HONEST, resync, first_input: 1, groups, verify: true }, self.now) {
            Ok(_) => self.line = Some(VecDeque::new()),
            Err(_) => {
                let entered = self.room.enter(join_request("again", HONEST, true), 0).expect("there is a seat");
                (self.honest, self.replica) = (entered.seat, Replica::new(&Thing::schema(), entered.epoch));
                self.line = Some(VecDeque::new());
            }
        }
    }

    /// The hostile client says anything that can be read as a message.
    fn say(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let said: &[u8] = bytes.arbitrary()?;
        let (Some(seat), Ok(message)) = (self.hostile, codec::decode_client(said)) else { return Ok(()) };
        if let ClientMessage::Inputs { inputs, .. } = &message {
            // The sandbox says events of any size that it is asked for.
            let shouts = |input: &Input| {
                let act = codec::decode(&input.payload);
                matches!(act, Ok(Act::Shout { size, .. } | Act::Whisper { size, .. }) if size > 10_000)
            };
            if inputs.iter().any(shouts) {
                return Ok(());
            }
        }
        if self.room.receive(seat, message, self.now).is_err() {
            self.room.remove(seat, Leave::Removed);
            self.hostile = None;
        }
        Ok(())
    }
}
