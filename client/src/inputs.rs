//! The inputs of a seat: their numbers rise by one, their aims never fall, they go out at a pace that the server takes,
//! and unsettled ones are sent again after a resume. Pure. As `web/sdk/inputs.js`.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use serde::Serialize;
use serde_json::Value;
use thiserror::Error;
use tiltyard_shared::{
    game::Tick,
    protocol::{codec, limits},
};

#[cfg(test)]
mod tests;

/// The maximum number of unanswered inputs; further ones are refused here.
const MOST: usize = 256;
/// The minimum time between messages; each has all inputs since the last one.
const SPACING: Duration = Duration::from_millis(16);
/// The sustained rate per second. It leaves the server room for inputs that are sent again after a resume.
const PER_SECOND: f64 = 0.9 * limits::INPUTS_PER_SECOND as f64;
/// The maximum number of inputs at once, and in one message.
const BURST: usize = limits::EARLY_INPUTS;
/// The maximum number of bytes under way: later messages, above all reports, must not wait for long.
const WINDOW: usize = 16 * 1024;
/// The maximum number of bytes in one message.
const BATCH: usize = 8 * 1024;

/// Why an input was not taken. Its number can be used again.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotSent {
    /// Too many inputs are unanswered.
    #[error("too many inputs are unanswered")]
    Full,
    /// No server takes an input this large.
    #[error("an input of {bytes} bytes, most of them in {field}: {} is the most", limits::INPUT_BYTES)]
    TooLarge {
        /// The path to the part that makes it so large.
        field: String,
        /// Its size.
        bytes: usize,
    },
    /// The bytes are no input of the game by its schema.
    #[error("these bytes are no input of the game")]
    NoInput,
}

/// Encodes an input.
///
/// # Errors
///
/// [`NotSent::TooLarge`]
pub fn encode(input: &impl Serialize) -> Result<Vec<u8>, NotSent> {
    let payload = codec::encode(input);
    if payload.len() <= limits::INPUT_BYTES {
        return Ok(payload);
    }
    let field = heaviest(&serde_json::to_value(input).unwrap_or_default());
    Err(NotSent::TooLarge { field, bytes: payload.len() })
}

/// The path to the innermost field that makes up at least half of a value.
fn heaviest(value: &Value) -> String {
    let size = |value: &Value| value.to_string().len();
    let (mut path, mut at) = ("input".to_owned(), value);
    while let Value::Object(fields) = at
        && let Some((name, part)) = fields.iter().max_by_key(|(_, part)| size(part))
        && 2 * size(part) >= size(at)
    {
        path = format!("{path}.{name}");
        at = part;
    }
    path
}

/// An input that was sent or waits to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its number.
    pub number: u32,
    /// The tick that it aims at.
    pub aim: Tick,
    /// The bincode bytes of the game's input.
    pub payload: Vec<u8>,
    at: Instant,
    settled: Option<Instant>,
}

/// Numbers inputs, hands them to the line, and keeps them for a while after they are settled.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// Settled inputs that are kept, then unsettled ones.
    kept: VecDeque<Sent>,
    /// The number of settled ones.
    settled: usize,
    last: u32,
    aim: Tick,
    /// The highest number handed to this line, and the highest that is settled on it.
    handed: u32,
    confirmed: u32,
    next: Instant,
    allowance: f64,
    allowed_at: Instant,
    /// Whether there is a line.
    open: bool,
}

impl Inputs {
    /// No inputs yet. The first gets the number after `last`, the highest that the server has already taken in.
    pub fn after(last: u32, now: Instant) -> Self {
        Self {
            kept: VecDeque::new(),
            settled: 0,
            last,
            aim: Tick(0),
            handed: last,
            confirmed: last,
            next: now,
            allowance: BURST as f64,
            allowed_at: now,
            open: true,
        }
    }

    /// Numbers an input. It aims at `aim`, or at the aim of the input before it if that is higher.
    ///
    /// # Errors
    ///
    /// [`NotSent::Full`]; the number can be used again.
    pub fn push(&mut self, aim: Tick, payload: Vec<u8>, now: Instant) -> Result<u32, NotSent> {
        if self.kept.len() - self.settled >= MOST {
            return Err(NotSent::Full);
        }
        self.last += 1;
        self.aim = self.aim.max(aim);
        self.kept.push_back(Sent { number: self.last, aim: self.aim, payload, at: now, settled: None });
        Ok(self.last)
    }

    /// Takes the inputs for one message to send now: the first at once, later ones together. Their numbers follow that
    /// of the first.
    pub fn take(&mut self, now: Instant) -> Vec<&Sent> {
        if now < self.next || !self.open {
            return Vec::new();
        }
        self.allowance = self.allowance_at(now);
        self.allowed_at = now;
        let (from, mut under_way) = (self.unhanded(), self.under_way());
        let (mut count, mut bytes) = (0, 0);
        for sent in self.kept.iter().skip(from) {
            let size = sent.payload.len();
            let fits = bytes == 0 || bytes + size <= BATCH;
            let free = under_way == 0 || under_way + size <= WINDOW;
            if !fits || !free || self.allowance < 1.0 || count >= BURST {
                break;
            }
            count += 1;
            bytes += size;
            under_way += size;
            self.allowance -= 1.0;
            self.handed = sent.number;
        }
        if count > 0 {
            self.next = now + SPACING;
        }
        self.kept.iter().skip(from).take(count).collect()
    }

    /// Waits until the next turn, because the line takes nothing at the moment.
    pub fn hold(&mut self, now: Instant) {
        self.next = self.next.max(now + SPACING);
    }

    /// When [`Inputs::take`] next has inputs to give; `None` if an event must happen before.
    pub fn deadline(&self) -> Option<Instant> {
        let next = self.kept.get(self.unhanded()).filter(|_| self.open)?;
        let under_way = self.under_way();
        let free = under_way == 0 || under_way + next.payload.len() <= WINDOW;
        let missing = (1.0 - self.allowance).max(0.0);
        free.then(|| self.next.max(self.allowed_at + Duration::from_secs_f64(missing / PER_SECOND)))
    }

    /// Settles all inputs up to `number`. Returns those that were not settled before, with the time since they were
    /// made. Settled inputs are kept for a while.
    pub fn settle(&mut self, number: u32, now: Instant) -> Vec<(u32, Duration)> {
        self.confirmed = self.confirmed.max(number);
        let mut news = Vec::new();
        while let Some(sent) = self.kept.get_mut(self.settled).filter(|sent| sent.number <= number) {
            sent.settled = Some(now);
            news.push((sent.number, now.saturating_duration_since(sent.at)));
            self.settled += 1;
        }
        self.forget(now);
        news
    }

    /// Notes the loss of the line: unsettled inputs wait.
    pub fn lost(&mut self) {
        self.open = false;
    }

    /// Resumes on a new line, where `number` is the highest input that the server has taken in. All above it go out
    /// again, also those that an earlier owner of the room had settled. Returns false if that is impossible: the server
    /// names an input that was never sent, or one above is not kept any more.
    pub fn resume(&mut self, number: u32) -> bool {
        let answers = number <= self.last && number.saturating_add(1) >= self.first_kept();
        if answers {
            self.open = true;
            self.handed = number;
            // Inputs that the server has taken in and not settled are still under way.
            let settled = self.settled.checked_sub(1).and_then(|index| self.kept.get(index));
            self.confirmed = settled.map_or(self.first_kept() - 1, |sent| sent.number).min(number);
            self.next = self.allowed_at;
        }
        answers
    }

    /// The lowest number that is kept; one above the last if there is none.
    pub fn first_kept(&self) -> u32 {
        self.kept.front().map_or(self.last.saturating_add(1), |sent| sent.number)
    }

    /// The highest number given; 0 for none.
    pub fn last(&self) -> u32 {
        self.last
    }

    fn allowance_at(&self, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(self.allowed_at).as_secs_f64();
        (self.allowance + passed * PER_SECOND).min(BURST as f64)
    }

    /// The index of the first input that was not handed to the line.
    fn unhanded(&self) -> usize {
        self.handed.saturating_add(1).saturating_sub(self.first_kept()) as usize
    }

    /// The bytes that were handed over and not settled on this line.
    fn under_way(&self) -> usize {
        let from = self.confirmed.saturating_add(1).saturating_sub(self.first_kept()) as usize;
        let handed = self.kept.iter().skip(from).take_while(|sent| sent.number <= self.handed);
        handed.map(|sent| sent.payload.len()).sum()
    }

    /// Drops settled inputs that no server will need any more.
    fn forget(&mut self, now: Instant) {
        let is_old = |sent: &Sent| sent.settled.is_some_and(|at| now.saturating_duration_since(at) > limits::KEPT_FOR);
        while self.settled > limits::KEPT_INPUTS || self.kept.front().is_some_and(is_old) {
            self.kept.pop_front();
            self.settled -= 1;
        }
    }
}
