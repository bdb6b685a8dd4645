//! Measures the rate of a socket's line: the bytes that it takes while it is blocked, when no more can go.

use std::time::Duration;

/// The time over which bytes are counted.
const WINDOW: Duration = Duration::from_secs(1);

/// The measurement of one socket.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Drain {
    since: Duration,
    from: u64,
    seen: u64,
}

impl Drain {
    /// Notes the total of sent bytes; `blocked` is whether some have waited since the last call. Returns whether any of
    /// those went, and the rate in bytes per second once it is known.
    pub(crate) fn note(&mut self, now: Duration, sent: u64, blocked: bool) -> (bool, Option<u32>) {
        let moved = blocked && sent > self.seen;
        self.seen = sent;
        let passed = now.saturating_sub(self.since);
        let rate = (blocked && passed >= WINDOW)
            .then(|| u128::from(sent - self.from) * 1_000_000 / passed.as_micros())
            .map(|rate| u32::try_from(rate).unwrap_or(u32::MAX));
        if !blocked || rate.is_some() {
            (self.since, self.from) = (now, sent);
        }
        (moved, rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_known_of_a_socket_that_has_been_blocked_for_a_second() {
        let mut drain = Drain::default();
        let at = |tick: u64| Duration::from_millis(50 * tick);
        for tick in 0..100 {
            assert_eq!(
                drain.note(at(tick), tick * 10_000, false),
                (false, None),
                "nothing says how much more it would take"
            );
        }
        let mut sent = 99 * 10_000;
        for tick in 100..119 {
            sent += 400;
            assert_eq!(drain.note(at(tick), sent, true), (true, None));
        }
        assert_eq!(drain.note(at(119), sent + 400, true), (true, Some(8_000)));
        assert_eq!(drain.note(at(120), sent + 400, true), (false, None), "nothing has moved");
    }
}
