//! What drives the tasks by which an instance takes part in its fleet: `dispatch`, the relay of chat, and
//! the services of matchmaking.

use std::{future, time::Duration};

use tokio::time::{self, MissedTickBehavior};

use super::Instance;
use crate::bus::State;

/// A task that takes one thing after another, and the time.
pub(crate) trait Machine: Send {
    /// Waits for what comes next, and takes it. Nothing is lost if the future is dropped.
    fn next(&mut self) -> impl Future<Output = ()> + Send;

    /// Time has passed.
    fn tick(&mut self);

    /// The bus has lost its broker.
    fn disconnected(&mut self) {}

    /// Does what follows from what was taken.
    fn carry_out(&mut self) -> impl Future<Output = ()> + Send {
        future::ready(())
    }
}

/// Drives a machine until the server stops. It is told of the time at least so far apart.
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
