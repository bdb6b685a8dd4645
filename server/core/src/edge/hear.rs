//! Messages from clients: the edge handles reports and resyncs, and passes the rest to the authority.

use std::time::Duration;

use tiltyard_shared::{
    protocol::{ClientMessage, Code, Input, Report, Resync, limits},
    world::{Committed, GroupId},
};

use super::{Edge, First, Pace, seat};
use crate::seat::SeatId;

/// A client's message for the authority.
#[derive(Clone, Debug, PartialEq)]
pub enum Up {
    /// A player's inputs.
    Inputs {
        /// The player's seat.
        seat: SeatId,
        /// The number of the first input.
        first: u32,
        /// The inputs in order.
        inputs: Vec<Input>,
    },
}

impl Edge {
    /// Takes a message from a client in the room. Returns what is for the authority.
    ///
    /// # Errors
    ///
    /// A [`Code`] that ends the connection; [`Code::Left`] if the client gave up its seat.
    pub fn receive(
        &mut self,
        id: SeatId,
        message: ClientMessage,
        world: &Committed,
        now: Duration,
    ) -> Result<Option<Up>, Code> {
        match message {
            ClientMessage::Inputs { number, report, inputs } => {
                self.report(id, report, now);
                Ok(Some(Up::Inputs { seat: id, first: number, inputs }))
            }
            ClientMessage::Report(report) => {
                self.report(id, report, now);
                Ok(None)
            }
            ClientMessage::Resync(resync) => {
                let stale = self.resync(id, world, resync, now).is_err();
                self.common.stats.stale_resyncs += u64::from(stale);
                Ok(None)
            }
            ClientMessage::Leave => Err(Code::Left),
            _ => Err(Code::Malformed),
        }
    }

    /// Takes a client's report of what it has applied.
    fn report(&mut self, id: SeatId, report: Report, now: Duration) {
        if let Some(seat) = seat(&mut self.seats, id) {
            seat.report(report, now, &self.common.bounds);
        }
    }

    /// Takes a client's resync. One that comes within [`limits::RESYNC_SPACING`] of the last waits.
    ///
    /// # Errors
    ///
    /// [`Code::StaleEpoch`] if the epoch is not above the current one: the resync is ignored.
    fn resync(&mut self, id: SeatId, world: &Committed, resync: Resync, now: Duration) -> Result<(), Code> {
        let Some(seat) = seat(&mut self.seats, id) else { return Ok(()) };
        if resync.epoch <= seat.epoch {
            return Err(Code::StaleEpoch);
        }
        if seat.last_resync.is_some_and(|last| now.saturating_sub(last) < limits::RESYNC_SPACING) {
            seat.pending_resync = Some(resync);
        } else {
            seat.unsteady(&self.common.views, world);
            seat.begin_epoch(resync, now);
            self.common.stats.resyncs += 1;
        }
        Ok(())
    }

    /// Resumes a seat on a new connection: like a resync, but at once. Where this edge cannot know, it believes the
    /// client that it holds the groups in `held`.
    ///
    /// # Errors
    ///
    /// [`Code::StaleEpoch`], as for a resync.
    pub fn resume(
        &mut self,
        id: SeatId,
        world: &Committed,
        resync: Resync,
        held: &[GroupId],
        verify: bool,
        now: Duration,
    ) -> Result<(), Code> {
        let resync = Resync { event: resync.event.min(self.common.event), ..resync };
        if let Some(seat) = seat(&mut self.seats, id).filter(|seat| resync.epoch > seat.epoch) {
            seat.last_resync = None;
            (seat.verify, seat.connected) = (verify, true);
            seat.believe(resync, held, &self.common.views);
            (seat.first, seat.pace) = (First::default(), Pace::default());
        }
        self.resync(id, world, resync, now)
    }
}
