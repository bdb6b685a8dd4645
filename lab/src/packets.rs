//! One way of a line for whole IP packets: losses are real, and the machines' own TCP repeats lost packets, while
//! [`Way`](crate::Way) only simulates that. Pure. A packet that finds the queue full is dropped, as routers do.

use std::{collections::VecDeque, time::Duration};

use tiltyard_shared::game::Rng;

use crate::line::{Flow, Terms};

/// The minimum size of the queue before the bottleneck; with less nothing would pass.
const LEAST_QUEUE: u32 = 3_000;

/// The maximum number of packets on their way; further ones are dropped.
const PACKETS: usize = 65_536;

/// Packets from one machine to the other.
#[derive(Debug)]
pub struct Packets {
    terms: Terms,
    rng: Rng,
    queue: VecDeque<(Duration, Vec<u8>)>,
    /// When the bottleneck has sent all pushed packets.
    free: Duration,
    dropped: u64,
}

impl Packets {
    /// An empty way.
    pub fn new(terms: Terms, seed: u64) -> Self {
        Self { terms, rng: Rng::new(seed), queue: VecDeque::new(), free: Duration::ZERO, dropped: 0 }
    }

    /// Sets the conditions.
    pub fn set(&mut self, terms: Terms) {
        self.terms = terms;
    }

    /// Sends a packet.
    pub fn push(&mut self, packet: Vec<u8>, now: Duration) {
        let Terms { direction, seed, flow, .. } = self.terms;
        let spread = direction.spread.draw(&mut self.rng);
        let is_lost = self.rng.chance(direction.loss) || direction.sway.loses(seed, now);
        let sent = match direction.rate {
            Some(rate) => {
                let time = |bytes: u32| Duration::from_secs_f64(f64::from(bytes) / f64::from(rate));
                let queued = self.free.saturating_sub(now);
                if queued > direction.queue.max(time(LEAST_QUEUE)) {
                    self.dropped += 1;
                    return;
                }
                self.free = now + queued + time(packet.len() as u32);
                self.free
            }
            None => now,
        };
        if is_lost || flow == Flow::Silent || self.queue.len() >= PACKETS {
            self.dropped += 1;
            return;
        }
        let arrival = direction.sway.arrival(seed, sent + direction.delay + direction.sway.extra(seed, sent) + spread);
        let last = self.queue.back().map_or(Duration::ZERO, |(last, _)| *last);
        self.queue.push_back((arrival.max(last), packet));
    }

    /// Takes a packet that has arrived by now.
    pub fn poll(&mut self, now: Duration) -> Option<Vec<u8>> {
        self.queue.pop_front_if(|(arrival, _)| *arrival <= now).map(|(_, packet)| packet)
    }

    /// When the next packet arrives.
    pub fn deadline(&self) -> Option<Duration> {
        self.queue.front().map(|(arrival, _)| *arrival)
    }

    /// The number of lost packets so far, for any reason.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        line::Line,
        profile::{Change, Profile, Ways},
    };

    const MS: Duration = Duration::from_millis(1);

    fn way(name: &str) -> Packets {
        Packets::new(Line::new(Profile::named(name).unwrap(), 1).conditions().down, 1)
    }

    fn drain(way: &mut Packets, until: Duration) -> Vec<(Duration, Vec<u8>)> {
        let mut all = Vec::new();
        while let Some(at) = way.deadline().filter(|at| *at <= until) {
            all.push((at, way.poll(at).unwrap()));
        }
        all
    }

    #[test]
    fn two_in_a_hundred_are_lost_and_the_others_keep_their_order() {
        let mut lossy = way("lossy");
        for number in 0..10_000u32 {
            lossy.push(number.to_le_bytes().to_vec(), number * MS);
        }
        let arrived = drain(&mut lossy, 60_000 * MS);
        assert!((150..250).contains(&lossy.dropped()), "{} lost", lossy.dropped());
        assert_eq!(arrived.len() as u64 + lossy.dropped(), 10_000);
        let numbers: Vec<_> =
            arrived.iter().map(|(_, packet)| u32::from_le_bytes(packet[..].try_into().unwrap())).collect();
        assert!(numbers.is_sorted());
        assert!(arrived.iter().zip(&numbers).all(|((at, _), number)| *at >= *number * MS + 46 * MS));
    }

    #[test]
    fn a_full_queue_drops_and_the_rate_is_kept() {
        let mut capped = way("capped");
        for _ in 0..100 {
            capped.push(vec![0; 1000], Duration::ZERO);
        }
        assert_eq!(capped.dropped(), 83, "two seconds of 8 kB/s, and the one that is being sent");
        let arrived = drain(&mut capped, 60_000 * MS);
        assert_eq!(arrived.last().unwrap().0, 17 * 125 * MS + 50 * MS);
    }

    #[test]
    fn nothing_passes_in_a_silence() {
        let mut line = Line::new(Profile::named("good").unwrap(), 1);
        line.change(Change::Silence(Ways::Down));
        let mut down = way("good");
        down.set(line.conditions().down);
        down.push(vec![1], Duration::ZERO);
        assert_eq!((down.deadline(), down.dropped()), (None, 1));
    }
}
