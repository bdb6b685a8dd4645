//! When a client asks to be brought up to date in one frame. Pure: it is told of frames and their ages.
//!
//! A client that reads too slowly holds an old world although nothing is wrong with it: what it reads now left the server
//! long ago. A stalled server does not look like that, because the clock takes schedule moves into account, and because
//! frames that do not come have no age.

use std::time::{Duration, Instant};

use tiltyard_shared::protocol::limits;

/// Frames must be too old for this long on end.
const SPELL: Duration = Duration::from_millis(250);

/// Decides when to jump for lag, and keeps all jumps [`limits::RESYNC_SPACING`] apart.
#[derive(Clone, Debug, Default)]
pub struct Jumps {
    old_since: Option<Instant>,
    last: Option<Instant>,
}

impl Jumps {
    /// A frame of this age was applied. True if it is time to jump.
    pub fn lags(&mut self, age: Duration, round_trip: Duration, now: Instant) -> bool {
        if age <= limits::LAG + round_trip {
            self.old_since = None;
            return false;
        }
        let since = *self.old_since.get_or_insert(now);
        now.saturating_duration_since(since) >= SPELL && self.earliest(now) <= now
    }

    /// When the next jump may be sent.
    pub fn earliest(&self, now: Instant) -> Instant {
        self.last.map_or(now, |last| now.max(last + limits::RESYNC_SPACING))
    }

    /// A jump was sent (or the like: a resume); lag counts anew.
    pub fn sent(&mut self, now: Instant) {
        *self = Self { old_since: None, last: Some(now) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn only_a_spell_of_old_frames_makes_a_client_jump() {
        let (start, mut jumps) = (Instant::now(), Jumps::default());
        assert!(!jumps.lags(600 * MS, 50 * MS, start));
        assert!(!jumps.lags(600 * MS, 50 * MS, start + 249 * MS));
        assert!(!jumps.lags(540 * MS, 50 * MS, start + 250 * MS), "one in time ends the spell");
        assert!(!jumps.lags(600 * MS, 50 * MS, start + 300 * MS));
        assert!(jumps.lags(600 * MS, 50 * MS, start + 550 * MS));
    }

    #[test]
    fn jumps_are_a_second_apart() {
        let (start, mut jumps) = (Instant::now(), Jumps::default());
        assert_eq!(jumps.earliest(start), start);
        jumps.sent(start);
        for after in [10, 300, 600, 999] {
            assert!(!jumps.lags(2000 * MS, MS, start + after * MS));
        }
        assert_eq!(jumps.earliest(start + 10 * MS), start + 1000 * MS);
        assert!(jumps.lags(2000 * MS, MS, start + 1000 * MS));
    }
}
