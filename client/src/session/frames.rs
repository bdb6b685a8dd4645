//! A session's handling of frames: events, due reports, and resyncs.

use std::time::{Duration, Instant};

use tiltyard_shared::{
    frame::Head,
    protocol::{ClientMessage, Report, Resync},
    replica::{Applied, ReplicaError},
};

use super::{Event, Frame, REPORT_AFTER, Reason, Session};
use crate::{error::Violation, game::ClientGame, resyncs::Remedy};

impl<G: ClientGame> Session<G> {
    pub(super) fn handle_frame(&mut self, bytes: &[u8], now: Instant) -> Result<(), Violation> {
        self.counts.bytes += bytes.len() as u64;
        // Until the first frame of the new epoch is here, this is what the server goes by.
        let before = self.replica.report();
        let applied = self.replica.apply(bytes);
        if applied == Ok(Applied::Piece) {
            self.pieces += bytes.len();
            return Ok(());
        }
        self.counts.frames += 1;
        let bytes = std::mem::take(&mut self.pieces) + bytes.len();
        match applied {
            Ok(Applied::Stale | Applied::Piece) => self.counts.stale += 1,
            Ok(Applied::Frame(head)) => self.applied(&head, bytes, now),
            Err(error) => self.failed(error, before, now),
        }
        self.take_game_events()
    }

    fn applied(&mut self, head: &Head, bytes: usize, now: Instant) {
        self.lead.shift(self.clock.observe(head.tick, head.moved, now));
        self.playout.observe(head.tick, head.moved, now);
        self.report_due.get_or_insert(now + REPORT_AFTER);
        let age = self.clock.age(head.tick, now);
        let (tick, start, verified) = (head.tick, head.start, head.hash.is_some());
        self.tell(Event::Frame(Frame { tick, start, verified, bytes, age }));
        if let Some(settled) = head.inputs {
            self.lead.observe(settled.margin.into(), settled.number, self.inputs.last(), now);
            for (number, after) in self.inputs.settle(settled.number, now) {
                self.tell(Event::Settled { number, after });
            }
        }
        for &(number, code) in &head.refused {
            self.counts.inputs_refused += 1;
            self.tell(Event::InputRefused { number, code });
        }
        self.starting = (self.starting || head.start) && self.replica.tables().any(|(_, _, behind)| behind);
        if !self.starting {
            self.judge_lag(age, now);
        }
    }

    /// Applies the remedy for a frame of this age.
    fn judge_lag(&mut self, age: Duration, now: Instant) {
        match self.resyncs.judge(age, self.clock.grows(), now) {
            Remedy::None => {}
            Remedy::Resync => {
                let before = self.replica.report();
                self.resync(Reason::Lag, before, now);
            }
            Remedy::Rebase => self.lead.shift(self.clock.rebase(now)),
        }
    }

    fn failed(&mut self, error: ReplicaError, before: Report, now: Instant) {
        match error {
            ReplicaError::HashMismatch(_) => self.counts.mismatches += 1,
            ReplicaError::Frame(_) | ReplicaError::Chunk { .. } | ReplicaError::NoStart => self.counts.bad_frames += 1,
        }
        self.resync(Reason::Failed(error), before, now);
    }

    /// Turns to a new epoch at once, and asks for it when the last resync is long enough ago.
    fn resync(&mut self, reason: Reason, before: Report, now: Instant) {
        let for_lag = reason == Reason::Lag;
        let resync = self.replica.resync(!for_lag);
        self.pieces = 0;
        self.report_due = None;
        let due = self.resyncs.earliest(now);
        if due <= now {
            self.send_resync(resync, for_lag, now);
        } else {
            self.waiting = Some((due, resync, before));
        }
        self.tell(Event::Resyncing(reason));
    }

    pub(super) fn send_resync(&mut self, resync: Resync, for_lag: bool, now: Instant) {
        self.resyncs.sent(for_lag, now);
        self.counts.resyncs += 1;
        self.send_message(&ClientMessage::Resync(resync));
    }

    fn take_game_events(&mut self) -> Result<(), Violation> {
        for event in self.replica.drain_events() {
            let number = event.number;
            let event = G::decode(&self.schema.schema, &event.bytes);
            let event = event.map_err(|reason| Violation::Event { number, reason })?;
            self.events.push_back(Event::Game { number, event });
        }
        Ok(())
    }
}
