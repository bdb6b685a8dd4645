//! The loop that drives the tasks by which an instance takes part in its fleet: `dispatch`, the relay of chat, and the
//! services of matchmaking.

use std::{future, time::Duration};

use tokio::time::{self, MissedTickBehavior};

use super::Instance;
use crate::bus::State;

/// A task that handles one event after another, and the passing of time.
pub(crate) trait Machine: Send {
    /// Waits for the next event and handles it. Nothing is lost if the future is dropped.
    fn next(&mut self) -> impl Future<Output = ()> + Send;

    /// Called when time has passed.
    fn tick(&mut self);

    /// Called when the bus has lost its broker.
    fn disconnected(&mut self) {}

    /// Carries out the effects of what was handled.
    fn carry_out(&mut self) -> impl Future<Output = ()> + Send {
        future::ready(())
    }
}

/// Drives a machine until the server stops. Ticks are at least `every` apart.
pub(crate) async fn drive(machine: &mut impl Machine, here: &Instance, every: Duration) {
    let mut ticks = time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut stop, mut state) = (here.stop(), here.link().state.clone());
    let mut state_ends = false;
    loop {
        machine.carry_out().await;
        tokio::select! {
            () = stop.requested() => return,
            () = machine.next() => {}
            _ = ticks.tick() => machine.tick(),
            changed = state.changed(), if !state_ends => {
                state_ends = changed.is_err();
                if matches!(*state.borrow_and_update(), State::Away(_)) {
                    machine.disconnected();
                }
            }
        }
    }
}
