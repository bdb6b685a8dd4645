//! One way of one connection: bytes in, and later the same bytes out, as TCP over such a line brings them. Pure: the time is
//! an argument, counted from when the line was made.
//!
//! What is sent goes through a bottleneck of so many bytes a second, before which a bounded queue stands, and then takes its
//! delay. A lost segment is sent again when the next one shows that it is missing: 1.25 round trips after that (RACK, RFC
//! 8985), two after itself if nothing follows; lost once more, after a timeout of 200 ms and a round trip, doubled each
//! time. All behind it waits, and comes as a burst. In a silence, too, the head is tried again at doubled intervals, and the
//! rest follows a round trip after the first attempt that gets through. Headers and slow start cost nothing here.

use std::{collections::VecDeque, mem, time::Duration};

use tiltyard_shared::game::Rng;

use crate::line::{Flow, Terms};

#[cfg(test)]
mod tests;

/// Bytes of a full TCP segment.
pub const SEGMENT: usize = 1448;

/// Segments that TCP sends before anything is answered.
const UNANSWERED: u32 = 10;

/// On a line without a rate so many bytes may be on their way.
const WINDOW: usize = 256 * 1024;

/// No timeout is shorter.
const LEAST_TIMEOUT: Duration = Duration::from_millis(200);

/// No timeout is longer.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(120);

/// A segment is lost at most so often in a row.
const MOST_LOSSES: u32 = 6;

#[derive(Debug)]
struct Segment {
    /// Empty: the end of the stream.
    bytes: Vec<u8>,
    fate: Fate,
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Arrives(Duration),
    /// Sent then, to no avail. That it is lost again costs `more`.
    Lost {
        sent: Duration,
        travel: Duration,
        more: Duration,
    },
    /// Nothing passes.
    Stuck,
}

/// TCP's attempts to get something through.
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
    /// When the bottleneck has sent all that was pushed.
    free: Duration,
    attempts: Option<Attempts>,
    /// Segments sent since nothing is answered.
    unanswered: u32,
    finished: bool,
}

impl Way {
    /// A way with nothing on it. The seed is this connection's.
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

    /// From now on this holds. What is on its way already arrives as it would have.
    pub fn set(&mut self, terms: Terms, now: Duration) {
        self.attempt(now);
        if terms.flow != self.terms.flow {
            self.unanswered = 0;
        }
        self.terms = terms;
    }

    /// How many bytes may be pushed now: as many as the queue before the bottleneck has room for.
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

    /// When there is room again, if only time is to pass: half a queue.
    pub fn room_at(&self, now: Duration) -> Duration {
        now.max(self.free.saturating_sub(self.terms.direction.queue / 2)) + Duration::from_millis(1)
    }

    /// Bytes go out. More than [`Way::room`] are taken, too.
    pub fn push(&mut self, bytes: &[u8], now: Duration) {
        self.attempt(now);
        let spread = self.terms.direction.spread.draw(&mut self.rng);
        for part in bytes.chunks(SEGMENT) {
            self.send(part.to_vec(), spread, now);
        }
    }

    /// Nothing follows any more.
    pub fn finish(&mut self, now: Duration) {
        if !mem::replace(&mut self.finished, true) {
            self.attempt(now);
            self.send(Vec::new(), Duration::ZERO, now);
        }
    }

    /// What has arrived by now. The end of the stream is an empty `Vec`.
    pub fn poll(&mut self, now: Duration) -> Option<Vec<u8>> {
        self.attempt(now);
        if self.segments.front()?.arrival(&self.terms)? > now {
            return None;
        }
        let Segment { bytes, .. } = self.segments.pop_front()?;
        self.held -= bytes.len();
        Some(bytes)
    }

    /// When [`Way::poll`] next has something to do.
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

    /// What is sent at this time tells of those lost before, if they have not been sent again meanwhile.
    fn reveal_losses(&mut self, sent: Duration) {
        let round_trip = self.terms.round_trip;
        for segment in self.segments.iter_mut().rev() {
            let Fate::Lost { sent: lost, travel, more } = segment.fate else { break };
            let again = if sent <= lost + 2 * round_trip { sent + round_trip * 5 / 4 } else { lost + 2 * round_trip };
            segment.fate = Fate::Arrives(again + travel + more);
        }
    }

    /// How much longer it takes if the segment is lost once more, and again.
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

    /// TCP tries what is stuck again, when it is time to.
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

    /// The first that is stuck gets through; the answer to it lets the others follow.
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
    /// When it arrives, as far as is known. Those before it must have arrived.
    fn arrival(&self, terms: &Terms) -> Option<Duration> {
        match self.fate {
            Fate::Arrives(at) => Some(at),
            Fate::Lost { sent, travel, more } => Some(sent + 2 * terms.round_trip + travel + more),
            Fate::Stuck => None,
        }
    }
}
