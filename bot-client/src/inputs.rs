//! The inputs on their way: numbers that rise by one, aims that never fall, and what to send again after a resume. Pure.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use thiserror::Error;
use tiltyard_shared::game::Tick;

/// Most inputs that may be on their way; further ones are refused here. The server lets 64 wait for their tick.
const MOST: usize = 256;

/// So many inputs are unanswered that another one makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("too many inputs are unanswered")]
pub struct Full;

/// An input that is not settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its number.
    pub number: u32,
    /// The tick that it aims at.
    pub aim: Tick,
    /// The bincode bytes of the game's input.
    pub payload: Vec<u8>,
    at: Instant,
}

/// Numbers inputs and keeps them until they are settled.
#[derive(Clone, Debug, Default)]
pub struct Unsettled {
    queue: VecDeque<Sent>,
    last: u32,
    aim: Tick,
}

impl Unsettled {
    /// None on their way; the next gets the number after `last`.
    pub fn after(last: u32) -> Self {
        Self { last, ..Self::default() }
    }

    /// Gives an input its number and aim: `aim`, or that of the input before it if that is higher.
    ///
    /// # Errors
    ///
    /// [`Full`] if 256 inputs are on their way; the number is not used up.
    pub fn push(&mut self, aim: Tick, payload: Vec<u8>, now: Instant) -> Result<&Sent, Full> {
        if self.queue.len() >= MOST {
            return Err(Full);
        }
        self.last += 1;
        self.aim = self.aim.max(aim);
        self.queue.push_back(Sent { number: self.last, aim: self.aim, payload, at: now });
        self.queue.back().ok_or(Full)
    }

    /// The server has settled all inputs up to `number`: takes the oldest of them out, with the time since it was sent.
    pub fn settle(&mut self, number: u32, now: Instant) -> Option<(u32, Duration)> {
        let sent = self.queue.front().filter(|sent| sent.number <= number)?;
        let settled = (sent.number, now.saturating_duration_since(sent.at));
        self.queue.pop_front();
        Some(settled)
    }

    /// What the server has not taken in, if it says that `number` was the highest it did.
    pub fn above(&self, number: u32) -> impl Iterator<Item = &Sent> {
        self.queue.iter().filter(move |sent| sent.number > number)
    }

    /// The lowest number that is still here; one above the last if none is.
    pub fn first_kept(&self) -> u32 {
        self.queue.front().map_or(self.last + 1, |sent| sent.number)
    }

    /// The highest number given; 0 for none.
    pub fn last(&self) -> u32 {
        self.last
    }

    /// Whether a server that has taken in `number` can be answered: all above it are still here, and it made none up.
    pub fn reaches(&self, number: u32) -> bool {
        number <= self.last && number + 1 >= self.first_kept()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_by_one_and_aims_never_fall() {
        let (now, mut inputs) = (Instant::now(), Unsettled::default());
        for (number, wanted, aim) in [(1, 10, 10), (2, 12, 12), (3, 9, 12), (4, 13, 13)] {
            let sent = inputs.push(Tick(wanted), vec![], now).unwrap();
            assert_eq!((sent.number, sent.aim), (number, Tick(aim)));
        }
    }

    #[test]
    fn settled_inputs_leave_with_their_latency_and_the_rest_is_sent_again() {
        let (now, mut inputs) = (Instant::now(), Unsettled::default());
        for payload in 1..=5 {
            inputs.push(Tick(1), vec![payload], now).unwrap();
        }
        let later = now + Duration::from_millis(70);
        assert_eq!(inputs.settle(2, later), Some((1, Duration::from_millis(70))));
        assert_eq!(inputs.settle(2, later), Some((2, Duration::from_millis(70))));
        assert_eq!(inputs.settle(2, later), None);
        assert_eq!(inputs.above(3).map(|sent| sent.payload[0]).collect::<Vec<_>>(), [4, 5]);
        assert!(inputs.reaches(2) && inputs.reaches(5));
        assert!(!inputs.reaches(1), "input 2 is not kept any more");
        assert!(!inputs.reaches(6), "input 6 was never sent");
    }

    #[test]
    fn a_full_queue_refuses_and_uses_no_number_up() {
        let (now, mut inputs) = (Instant::now(), Unsettled::default());
        for _ in 0..MOST {
            inputs.push(Tick(1), vec![], now).unwrap();
        }
        assert_eq!(inputs.push(Tick(1), vec![], now).unwrap_err(), Full);
        assert_eq!(inputs.last(), MOST as u32);
    }
}
