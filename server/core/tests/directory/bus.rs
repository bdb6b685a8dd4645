//! The bus of the simulation: envelopes with a time of arrival, and what happened to them.

use std::{collections::BTreeMap, time::Duration};

use tiltyard_core::{
    directory::messages::{Heartbeat, RoomEvent, RoomPage},
    instance::InstanceId,
};
use tiltyard_shared::game::Rng;
use uuid::Uuid;

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
    pub(crate) delayed: u64,
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
            ("delayed", self.delayed),
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
        self.delayed += other.delayed;
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

/// Envelopes by their time of arrival.
#[derive(Debug, Default)]
pub(crate) struct Bus {
    envelopes: BTreeMap<(Duration, u64), Envelope>,
    sent: u64,
}

impl Bus {
    /// Sends an envelope; faults happen to it unless all is calm.
    pub(crate) fn send(&mut self, envelope: Envelope, now: Duration, rng: &mut Rng, calm: bool, counts: &mut Counts) {
        let fault = if calm { 100 } else { rng.below(100) };
        let usual = now + Duration::from_millis(rng.below(20).into());
        match fault {
            0..=4 => counts.lost += 1,
            5..=9 => {
                counts.doubled += 1;
                self.put(usual, envelope.clone());
                self.put(usual + Duration::from_millis(rng.below(4_000).into()), envelope);
            }
            10..=14 => {
                counts.delayed += 1;
                self.put(usual + Duration::from_millis(rng.below(15_000).into()), envelope);
            }
            _ => self.put(usual, envelope),
        }
    }

    fn put(&mut self, at: Duration, envelope: Envelope) {
        self.sent += 1;
        self.envelopes.insert((at, self.sent), envelope);
    }

    /// The next envelope that has arrived.
    pub(crate) fn next(&mut self, now: Duration) -> Option<Envelope> {
        let entry = self.envelopes.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }
}
