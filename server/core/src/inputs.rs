//! The inputs of one seat: numbered, aimed at ticks, executed once or refused.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use tiltyard_shared::{
    frame::Settled,
    game::Tick,
    protocol::{Code, limits},
};

/// A seat's inputs and their outcomes.
///
/// At most [`limits::EARLY_INPUTS`] wait; one more is refused. At most as many refusals are kept until they are told:
/// an older one is forgotten, and the client only sees that it is settled.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SeatInputs<I> {
    waiting: VecDeque<Waiting<I>>,
    highest: u32,
    aim: Tick,
    settled: Settled,
    refused: VecDeque<(u32, Code)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting<I> {
    number: u32,
    aim: Tick,
    input: I,
}

/// The outcome of an input, for the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It waits for the tick that it aims at.
    Accepted,
    /// It came after the tick that it aimed at, and is executed at the next.
    Late,
    /// It was taken in before; nothing happens.
    Repeated,
    /// It was refused; the next frame tells the client.
    Refused(Code),
}

impl<I> Default for SeatInputs<I> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            highest: 0,
            aim: Tick(0),
            settled: Settled::default(),
            refused: VecDeque::new(),
        }
    }
}

impl<I> SeatInputs<I> {
    /// Whether a client can have sent these inputs: saved bytes may have been changed.
    pub(crate) fn is_sound(&self, bounded: impl Fn(&I) -> bool) -> bool {
        let numbers = self.waiting.iter().map(|waiting| waiting.number);
        self.waiting.len() <= limits::EARLY_INPUTS
            && self.refused.len() <= limits::EARLY_INPUTS
            && numbers.clone().is_sorted_by(|one, other| one < other)
            && numbers.clone().all(|number| (1..=self.highest).contains(&number))
            && self.highest < u32::MAX / 2
            && self.waiting.iter().all(|waiting| bounded(&waiting.input))
    }

    /// The highest number taken in so far.
    pub fn highest(&self) -> u32 {
        self.highest
    }

    /// Continues the session with another client, which need not know what the one before aimed at. It has kept its
    /// inputs from number `first` on; earlier ones that were never taken in are lost, and count as settled.
    pub fn resume(&mut self, first: u32) {
        self.aim = Tick(0);
        if first > self.highest.saturating_add(1) {
            self.highest = first - 1;
            self.settle();
        }
    }

    /// The number up to which inputs are settled, and the margin of the last.
    pub fn settled(&self) -> Settled {
        self.settled
    }

    /// Takes an input in. `input` is the input, or the code with which it is refused in any case. `next` is the tick to
    /// be computed next; an input aimed at a tick more than `most_late` before it is refused.
    ///
    /// # Errors
    ///
    /// [`Code::OutOfOrder`] if the number skips one or the aim falls. The connection must end.
    pub fn take(
        &mut self,
        number: u32,
        aim: Tick,
        input: Result<I, Code>,
        next: Tick,
        most_late: u32,
    ) -> Result<Outcome, Code> {
        if number <= self.highest {
            return Ok(Outcome::Repeated);
        }
        if number != self.highest + 1 || aim < self.aim {
            return Err(Code::OutOfOrder);
        }
        (self.highest, self.aim) = (number, aim);
        let margin = i64::from(aim.0) - i64::from(next.0);
        self.settled.margin = margin.clamp(-i64::from(i16::MAX), i64::from(i16::MAX)) as i16;
        let input = input.and_then(|input| {
            if -margin > i64::from(most_late) {
                Err(Code::TooLate)
            } else if self.waiting.len() >= limits::EARLY_INPUTS {
                Err(Code::TooManyEarly)
            } else {
                Ok(input)
            }
        });
        match input {
            Ok(input) => {
                self.waiting.push_back(Waiting { number, aim, input });
                Ok(if margin < 0 { Outcome::Late } else { Outcome::Accepted })
            }
            Err(code) => {
                if self.refused.len() >= limits::EARLY_INPUTS {
                    self.refused.pop_front();
                }
                self.refused.push_back((number, code));
                self.settle();
                Ok(Outcome::Refused(code))
            }
        }
    }

    /// The next input to execute at `tick`, if one is due.
    pub fn due(&mut self, tick: Tick) -> Option<I> {
        let due = self.waiting.pop_front_if(|waiting| waiting.aim <= tick);
        self.settle();
        due.map(|waiting| waiting.input)
    }

    /// The refusals that the client has not been told yet.
    pub fn drain_refused(&mut self) -> impl ExactSizeIterator<Item = (u32, Code)> {
        self.refused.drain(..)
    }

    /// Settles everything before the oldest input that waits.
    fn settle(&mut self) {
        self.settled.number = self.waiting.front().map_or(self.highest, |waiting| waiting.number - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(inputs: &mut SeatInputs<u32>, number: u32, aim: u32, next: u32) -> Result<Outcome, Code> {
        inputs.take(number, Tick(aim), Ok(number), Tick(next), 2)
    }

    #[test]
    fn an_input_waits_for_its_tick_and_is_executed_once() {
        let mut inputs = SeatInputs::default();
        assert_eq!(taken(&mut inputs, 1, 12, 10), Ok(Outcome::Accepted));
        assert_eq!(taken(&mut inputs, 1, 12, 10), Ok(Outcome::Repeated));
        assert_eq!(taken(&mut inputs, 2, 12, 10), Ok(Outcome::Accepted));
        assert_eq!((inputs.due(Tick(11)), inputs.settled().number), (None, 0));
        assert_eq!((inputs.due(Tick(12)), inputs.settled().number), (Some(1), 1));
        assert_eq!((inputs.due(Tick(12)), inputs.due(Tick(12))), (Some(2), None));
        assert_eq!(inputs.settled(), Settled { number: 2, margin: 2 });
    }

    #[test]
    fn late_inputs_are_executed_within_the_window_and_refused_beyond() {
        let mut inputs = SeatInputs::default();
        assert_eq!(taken(&mut inputs, 1, 8, 10), Ok(Outcome::Late));
        assert_eq!(inputs.due(Tick(10)), Some(1));
        assert_eq!(taken(&mut inputs, 2, 8, 11), Ok(Outcome::Refused(Code::TooLate)));
        assert_eq!(inputs.settled(), Settled { number: 2, margin: -3 });
        assert_eq!(inputs.drain_refused().collect::<Vec<_>>(), [(2, Code::TooLate)]);
    }

    #[test]
    fn a_margin_beyond_what_can_be_told_is_the_most_that_can() {
        for (aim, next, margin) in [(1, 200, -199), (1, 40_000, -32_767), (40_000, 1, 32_767), (u32::MAX, 1, 32_767)] {
            let mut inputs = SeatInputs::default();
            inputs.take(1, Tick(aim), Ok(()), Tick(next), u32::MAX).expect("it is in order");
            assert_eq!(inputs.settled().margin, margin, "aimed at {aim}, {next} is next");
        }
    }

    #[test]
    fn numbers_rise_by_one_and_aims_never_fall() {
        let mut inputs = SeatInputs::default();
        assert_eq!(taken(&mut inputs, 2, 5, 1), Err(Code::OutOfOrder));
        assert_eq!(taken(&mut inputs, 1, 5, 1), Ok(Outcome::Accepted));
        assert_eq!(taken(&mut inputs, 2, 4, 1), Err(Code::OutOfOrder));
        inputs.resume(2);
        assert_eq!(taken(&mut inputs, 2, 4, 1), Ok(Outcome::Accepted));
    }

    #[test]
    fn what_a_client_has_not_kept_is_given_up_and_numbers_go_on_behind_it() {
        let mut inputs = SeatInputs::default();
        assert_eq!(taken(&mut inputs, 1, 5, 1), Ok(Outcome::Accepted));
        inputs.resume(1);
        assert_eq!((inputs.highest(), inputs.settled().number), (1, 0), "all of it is here");
        inputs.resume(4);
        assert_eq!((inputs.highest(), inputs.settled().number), (3, 0), "number 1 still waits for its tick");
        assert_eq!(inputs.due(Tick(5)), Some(1));
        assert_eq!(inputs.settled().number, 3);
        assert_eq!(taken(&mut inputs, 4, 9, 6), Ok(Outcome::Accepted));
    }

    #[test]
    fn too_many_early_ones_and_bad_bytes_are_refused_in_their_turn() {
        let mut inputs = SeatInputs::default();
        for number in 1..=64 {
            assert_eq!(taken(&mut inputs, number, 100, 1), Ok(Outcome::Accepted));
        }
        assert_eq!(taken(&mut inputs, 65, 100, 1), Ok(Outcome::Refused(Code::TooManyEarly)));
        let bad = inputs.take(66, Tick(100), Err(Code::BadInput), Tick(1), 20);
        assert_eq!(bad, Ok(Outcome::Refused(Code::BadInput)));
        assert_eq!(inputs.settled().number, 0, "nothing is settled before the ones that wait");
        while inputs.due(Tick(100)).is_some() {}
        assert_eq!(inputs.settled().number, 66);
    }
}
