//! One way of one connection: bytes in, and the same bytes out later, as TCP would deliver them over such a line. Pure:
//! the time is an argument, counted from the start of the line.
//!
//! Sent bytes go through a bottleneck of limited rate with a bounded queue before it, and then take the delay. A lost
//! segment is sent again when the next one reveals the loss: 1.25 round trips after that (RACK, RFC 8985), or two after
//! itself if nothing follows; if lost again, after a timeout of 200 ms and a round trip, doubled each time. Everything
//! behind it waits and arrives as a burst. In a silence, too, the first segment is tried again at doubled intervals,
//! and the rest follows a round trip after the first attempt that gets through. Headers and slow start are not
//! simulated.

use std::{collections::VecDeque, mem, time::Duration};

use tiltyard_shared::game::Rng;

use crate::line::{Flow, Terms};

#[cfg(test)]
mod tests;

/// The size of a full TCP segment in bytes.
pub const SEGMENT: usize = 1448;

/// The number of segments that TCP sends before the first answer.
const UNANSWERED: u32 = 10;

/// The maximum number of bytes on their way on a line without a rate.
const WINDOW: usize = 256 * 1024;

/// The minimum timeout.
const LEAST_TIMEOUT: Duration = Duration::from_millis(200);

/// The maximum timeout.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(120);

/// The maximum number of losses of a segment in a row.
const MOST_LOSSES: u32 = 6;

#[derive(Debug)]
struct Segment {
    /// Its bytes; empty for the end of the stream.
    bytes: Vec<u8>,
    fate: Fate,
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Arrives(Duration),
    /// Sent at this time and lost. Further losses cost `more`.
    Lost {
        sent: Duration,
        travel: Duration,
        more: Duration,
    },
    /// Nothing passes.
    Stuck,
}

/// TCP's attempts to get a segment through.
#[derive(Clone, Copy, Debug)]
struct Attempts {
    next: Duration,
    wait: Duration,
}

/// One way of one connection.
#[derive(Debug)]
pub struct Way {
    terms: Terms,
    rng: Rng,
    segments: VecDeque<Segment>,
    held: usize,
    /// When the bottleneck has sent all pushed bytes.
    free: Duration,
    attempts: Option<Attempts>,
    /// The number of segments sent since answers stopped.
    unanswered: u32,
    finished: bool,
}

impl Way {
    /// An empty way. The seed is the connection's.
    pub fn new(terms: Terms, seed: u64) -> Self {
        Self {
            terms,
            rng: Rng::new(seed),
            segments: VecDeque::new(),
            held: 0,
            free: Duration::ZERO,
            attempts: None,
            unanswered: 0,
            finished: false,
        }
    }

    /// Sets the conditions. Bytes that are on their way already arrive as before.
    pub fn set(&mut self, terms: Terms, now: Duration) {
        self.attempt(now);
        if terms.flow != self.terms.flow {
            self.unanswered = 0;
        }
        self.terms = terms;
    }

    /// The number of bytes that may be pushed now: the free space of the queue before the bottleneck.
    pub fn room(&self, now: Duration) -> usize {
        if self.finished {
            return 0;
        }
        let Some(rate) = self.terms.direction.rate else { return WINDOW.saturating_sub(self.held) };
        let bytes = |time: Duration| (time.as_secs_f64() * f64::from(rate)) as usize;
        let queue = bytes(self.terms.direction.queue).max(SEGMENT);
        let window = queue + 2 * bytes(self.terms.round_trip) + UNANSWERED as usize * SEGMENT;
        let queued = bytes(self.free.saturating_sub(now));
        queue.saturating_sub(queued).min(window.saturating_sub(self.held))
    }

    /// When there will be room again, if nothing but time passes: half a queue.
    pub fn room_at(&self, now: Duration) -> Duration {
        now.max(self.free.saturating_sub(self.terms.direction.queue / 2)) + Duration::from_millis(1)
    }

    /// Sends bytes. It takes more than [`Way::room`], too.
    pub fn push(&mut self, bytes: &[u8], now: Duration) {
        self.attempt(now);
        let spread = self.terms.direction.spread.draw(&mut self.rng);
        for part in bytes.chunks(SEGMENT) {
            self.send(part.to_vec(), spread, now);
        }
    }

    /// Ends the stream.
    pub fn finish(&mut self, now: Duration) {
        if !mem::replace(&mut self.finished, true) {
            self.attempt(now);
            self.send(Vec::new(), Duration::ZERO, now);
        }
    }

    /// Takes bytes that have arrived by now. The end of the stream is an empty `Vec`.
    pub fn poll(&mut self, now: Duration) -> Option<Vec<u8>> {
        self.attempt(now);
        if self.segments.front()?.arrival(&self.terms)? > now {
            return None;
        }
        let Segment { bytes, .. } = self.segments.pop_front()?;
        self.held -= bytes.len();
        Some(bytes)
    }

    /// When [`Way::poll`] must be called next.
    pub fn deadline(&self) -> Option<Duration> {
        let arrival = self.segments.front().and_then(|head| head.arrival(&self.terms));
        arrival.into_iter().chain(self.attempts.map(|attempts| attempts.next)).min()
    }

    fn send(&mut self, bytes: Vec<u8>, spread: Duration, now: Duration) {
        let sent = match self.terms.direction.rate {
            Some(rate) => now.max(self.free) + Duration::from_secs_f64(bytes.len() as f64 / f64::from(rate)),
            None => now,
        };
        self.free = sent;
        self.held += bytes.len();
        self.reveal_losses(sent);
        let fate = self.fate(spread, sent);
        self.segments.push_back(Segment { bytes, fate });
    }

    fn fate(&mut self, spread: Duration, sent: Duration) -> Fate {
        let Terms { direction, seed, flow, .. } = self.terms;
        let passes = match flow {
            Flow::Open => true,
            Flow::Unanswered => self.unanswered < UNANSWERED,
            Flow::Silent => false,
        };
        if !passes || self.attempts.is_some() {
            let wait = self.timeout();
            self.attempts.get_or_insert(Attempts { next: sent + wait, wait });
            return Fate::Stuck;
        }
        self.unanswered += 1;
        let travel = direction.delay + direction.sway.extra(seed, sent) + spread;
        if self.rng.chance(direction.loss) || direction.sway.loses(seed, sent) {
            return Fate::Lost { sent, travel, more: self.further_losses() };
        }
        Fate::Arrives(direction.sway.arrival(seed, sent + travel))
    }

    /// Lets a segment sent at this time reveal earlier losses, unless those have been sent again meanwhile.
    fn reveal_losses(&mut self, sent: Duration) {
        let round_trip = self.terms.round_trip;
        for segment in self.segments.iter_mut().rev() {
            let Fate::Lost { sent: lost, travel, more } = segment.fate else { break };
            let again = if sent <= lost + 2 * round_trip { sent + round_trip * 5 / 4 } else { lost + 2 * round_trip };
            segment.fate = Fate::Arrives(again + travel + more);
        }
    }

    /// Draws the further losses of the segment, and returns the time they cost.
    fn further_losses(&mut self) -> Duration {
        let (mut more, mut timeout) = (Duration::ZERO, self.timeout());
        for _ in 0..MOST_LOSSES {
            if !self.rng.chance(self.terms.direction.loss) {
                break;
            }
            more += timeout;
            timeout *= 2;
        }
        more
    }

    fn timeout(&self) -> Duration {
        self.terms.round_trip + LEAST_TIMEOUT
    }

    /// Tries stuck segments again when that is due.
    fn attempt(&mut self, now: Duration) {
        while let Some(Attempts { next, wait }) = self.attempts.filter(|attempts| attempts.next <= now) {
            if self.terms.flow == Flow::Open {
                self.attempts = None;
                self.release(next);
                return;
            }
            let wait = (2 * wait).min(LONGEST_TIMEOUT);
            self.attempts = Some(Attempts { next: next + wait, wait });
        }
    }

    /// Lets the first stuck segment through; the answer to it lets the others follow.
    fn release(&mut self, at: Duration) {
        let Terms { direction, seed, round_trip, .. } = self.terms;
        let travel = direction.delay + direction.sway.extra(seed, at);
        let (mut sent, mut is_head) = (at, true);
        for segment in self.segments.iter_mut().filter(|segment| matches!(segment.fate, Fate::Stuck)) {
            segment.fate = Fate::Arrives(sent + travel);
            if mem::take(&mut is_head) {
                sent += round_trip;
            }
            if let Some(rate) = direction.rate {
                sent += Duration::from_secs_f64(segment.bytes.len() as f64 / f64::from(rate));
            }
        }
        self.free = self.free.max(sent);
    }
}

impl Segment {
    /// When it arrives, as far as known. Those before it must have arrived.
    fn arrival(&self, terms: &Terms) -> Option<Duration> {
        match self.fate {
            Fate::Arrives(at) => Some(at),
            Fate::Lost { sent, travel, more } => Some(sent + 2 * terms.round_trip + travel + more),
            Fate::Stuck => None,
        }
    }
}
