//! A network between the parts of a simulated system: messages arrive late, twice, out of order, or never, as a seed says.

use std::{collections::BTreeMap, time::Duration};

use tiltyard_shared::game::Rng;

/// What happens to messages. Chances are from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// The chance that a message never arrives.
    pub lost: f32,
    /// The chance that it arrives twice.
    pub doubled: f32,
    /// The chance that it is late, for each time it arrives.
    pub late: f32,
    /// A message takes up to so long.
    pub usual: Duration,
    /// A late one takes up to so much longer.
    pub latest: Duration,
}

impl Faults {
    /// The same delays, but nothing is lost, doubled or late.
    #[must_use]
    pub fn calm(self) -> Self {
        Self { lost: 0.0, doubled: 0.0, late: 0.0, ..self }
    }
}

/// How many messages met which fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faulted {
    /// They never arrive.
    pub lost: u64,
    /// They arrive twice.
    pub doubled: u64,
    /// They are late.
    pub late: u64,
}

/// Messages under way, by the time of their arrival.
#[derive(Clone, Debug)]
pub struct Network<M> {
    under_way: BTreeMap<(Duration, u64), M>,
    sent: u64,
    faulted: Faulted,
}

impl<M> Default for Network<M> {
    fn default() -> Self {
        Self { under_way: BTreeMap::new(), sent: 0, faulted: Faulted::default() }
    }
}

impl<M: Clone> Network<M> {
    /// Sends a message, which meets what faults chance has for it.
    pub fn send(&mut self, now: Duration, message: M, faults: &Faults, rng: &mut Rng) {
        if rng.chance(faults.lost) {
            self.faulted.lost += 1;
            return;
        }
        if rng.chance(faults.doubled) {
            self.faulted.doubled += 1;
            self.send_copy(now, message.clone(), faults, rng);
        }
        self.send_copy(now, message, faults, rng);
    }

    fn send_copy(&mut self, now: Duration, message: M, faults: &Faults, rng: &mut Rng) {
        let mut arrives = now + faults.usual.mul_f32(rng.unit());
        if rng.chance(faults.late) {
            self.faulted.late += 1;
            arrives += faults.latest.mul_f32(rng.unit());
        }
        self.put(arrives, message);
    }
}

impl<M> Network<M> {
    /// Adds a message that arrives at this time for sure.
    pub fn put(&mut self, arrives: Duration, message: M) {
        self.sent += 1;
        self.under_way.insert((arrives, self.sent), message);
    }

    /// Takes the next message that has arrived.
    pub fn arrived(&mut self, now: Duration) -> Option<M> {
        let first = self.under_way.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }

    /// Takes a message whose time has not come: the `index`-th of those under way.
    pub fn take(&mut self, index: usize) -> Option<M> {
        let key = *self.under_way.keys().nth(index)?;
        self.under_way.remove(&key)
    }

    /// How many messages are under way.
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// What has happened to messages so far.
    pub fn faulted(&self) -> Faulted {
        self.faulted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAULTS: Faults =
        Faults { lost: 0.1, doubled: 0.1, late: 0.1, usual: Duration::from_millis(20), latest: Duration::from_secs(1) };

    fn run(faults: &Faults) -> (Vec<u32>, Faulted) {
        let (mut network, mut rng, mut arrived) = (Network::default(), Rng::new(1), Vec::new());
        for number in 0..1_000 {
            let now = Duration::from_millis(10) * number;
            network.send(now, number, faults, &mut rng);
            arrived.extend(std::iter::from_fn(|| network.arrived(now)));
        }
        arrived.extend(std::iter::from_fn(|| network.arrived(Duration::MAX)));
        (arrived, network.faulted())
    }

    #[test]
    fn every_fault_happens_as_often_as_was_asked_and_is_counted() {
        let (arrived, Faulted { lost, doubled, late }) = run(&FAULTS);
        assert_eq!(arrived.len() as u64, 1_000 - lost + doubled);
        assert!([lost, doubled, late].iter().all(|count| (60..140).contains(count)), "{lost}, {doubled}, {late}");
        assert!(!arrived.is_sorted());
        assert_eq!(run(&FAULTS), run(&FAULTS), "the seed says it all");
    }

    #[test]
    fn a_calm_network_brings_everything_once() {
        let (mut arrived, faulted) = run(&FAULTS.calm());
        arrived.sort_unstable();
        assert_eq!((arrived, faulted), ((0..1_000).collect(), Faulted::default()));
    }
}
