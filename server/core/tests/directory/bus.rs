//! What is on the bus of the simulation, and what happened to it.

use std::time::Duration;

use tiltyard_core::{
    directory::messages::{Heartbeat, RoomEvent, RoomPage},
    instance::InstanceId,
};
use tiltyard_testing::Faults;
use uuid::Uuid;

/// What happens to envelopes until all is calm.
pub(crate) const FAULTS: Faults =
    Faults { lost: 0.05, doubled: 0.05, late: 0.05, usual: Duration::from_millis(20), latest: Duration::from_secs(15) };

/// What is in an envelope.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Hello(InstanceId),
    Alive(Heartbeat),
    Event(RoomEvent),
    /// A question and its number.
    Ask(u64, Option<Uuid>),
    Answer(u64, RoomPage),
    /// A wish for a seat.
    Reserve {
        wish: Uuid,
        room: Uuid,
        until: Duration,
    },
    /// The pass that a wish has got.
    Seat(Vec<u8>),
}

/// A message on its way.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) body: Body,
}

/// What was done to envelopes and instances.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) delivered: u64,
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) late: u64,
    pub(crate) crashed: u64,
    pub(crate) restarted: u64,
    pub(crate) paused: u64,
    pub(crate) cut: u64,
    pub(crate) seated: u64,
}

impl Counts {
    fn all(&self) -> [(&'static str, u64); 9] {
        [
            ("delivered", self.delivered),
            ("lost", self.lost),
            ("doubled", self.doubled),
            ("late", self.late),
            ("crashed", self.crashed),
            ("restarted", self.restarted),
            ("paused", self.paused),
            ("cut", self.cut),
            ("seated", self.seated),
        ]
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.delivered += other.delivered;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.late += other.late;
        self.crashed += other.crashed;
        self.restarted += other.restarted;
        self.paused += other.paused;
        self.cut += other.cut;
        self.seated += other.seated;
    }

    /// What has not happened.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        self.all().into_iter().filter(|(_, count)| *count == 0).map(|(name, _)| name).collect()
    }
}
