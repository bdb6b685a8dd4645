//! How a client that has fallen behind comes to hold what the server has.

use std::time::Instant;

use tiltyard_shared::game::Tick;

/// The frames from a tick on, up to the first whose hash proves that nothing is missing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recovery {
    /// Frames of older ticks do not count: they were under way before.
    since: Tick,
    /// Frames that it took, the proving one included.
    pub frames: u32,
    /// Their bytes, without WebSocket headers.
    pub bytes: usize,
    /// When the proof arrived.
    pub exact: Option<Instant>,
}

impl Recovery {
    /// Nothing has arrived yet.
    pub(super) fn after(since: Tick) -> Self {
        Self { since, ..Self::default() }
    }

    /// A frame was applied, and its hash found equal if it carried one.
    pub(super) fn note(&mut self, tick: Tick, bytes: usize, proved: bool) {
        if self.exact.is_some() || tick.0 <= self.since.0 {
            return;
        }
        self.frames += 1;
        self.bytes += bytes;
        self.exact = proved.then(Instant::now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_new_frames_up_to_the_proof_count() {
        let mut recovery = Recovery::after(Tick(10));
        for (tick, bytes, proved) in [(9, 1, true), (10, 2, true), (20, 4, false), (21, 8, true), (22, 16, true)] {
            recovery.note(Tick(tick), bytes, proved);
        }
        assert_eq!((recovery.frames, recovery.bytes, recovery.exact.is_some()), (2, 12, true));
    }
}
