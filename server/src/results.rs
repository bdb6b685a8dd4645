//! The publication of match results: durable, each with an id, one at a time until the broker has confirmed it. A room
//! hands over its result and forgets it.
//!
//! Waiting results are kept in memory and are lost with the process; up to [`WAITING`] of them wait while the broker is
//! away. Beyond that a result is dropped, logged as an error and counted. Without a broker a result is a line of the
//! log.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    time::{sleep, timeout},
};
use tracing::{error, info};
use uuid::Uuid;

use crate::{
    bus::{Address, BusError, Key, Payload},
    fleet::{
        Instance,
        messages::{MatchResult, RESULT_SCHEMA},
    },
    metrics,
    stop::Stop,
};

/// The maximum number of results that wait for the broker.
const WAITING: usize = 4_096;

/// The maximum size of a result as JSON text, in bytes.
const RESULT_BYTES: usize = 16 * 1024;

/// The delay before a result that was not confirmed is published again.
const AGAIN: Duration = Duration::from_millis(500);

/// The time that a stopping server gives the broker for the waiting results.
const LAST: Duration = Duration::from_secs(2);

/// Where rooms leave their results. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Results {
    waiting: mpsc::Sender<MatchResult>,
    here: Instance,
}

/// Publishes results.
#[derive(Debug)]
pub(crate) struct Publisher {
    waiting: mpsc::Receiver<MatchResult>,
    here: Instance,
}

impl Results {
    /// Creates the queue for results, and the publisher that empties it.
    pub(crate) fn new(here: Instance) -> (Self, Publisher) {
        let (sender, waiting) = mpsc::channel(WAITING);
        (Self { waiting: sender, here: here.clone() }, Publisher { waiting, here })
    }

    /// Hands over the result of a match.
    pub(crate) fn tell(&self, room: Uuid, game: &str, result: &Value) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let told = MatchResult {
            schema: RESULT_SCHEMA,
            id: Uuid::now_v7(),
            instance: self.here.id(),
            room,
            game: game.to_owned(),
            at_ms: u64::try_from(now.as_millis()).unwrap_or_default(),
            result: result.clone(),
        };
        if told.result.to_string().len() > RESULT_BYTES {
            return lost(&told, "it is larger than 16 KiB");
        }
        match self.waiting.try_send(told) {
            Ok(()) => {}
            Err(TrySendError::Full(told)) => lost(&told, "too many results wait for the broker"),
            Err(TrySendError::Closed(told)) => lost(&told, "the server has stopped"),
        }
    }
}

fn lost(told: &MatchResult, why: &str) {
    metrics::result("dropped");
    let result: String = told.result.to_string().chars().take(200).collect();
    error!(room = %told.room, game = told.game, result, why, "a result is lost");
}

impl Publisher {
    /// Publishes results until the server has stopped and none is waiting.
    pub(crate) async fn run(mut self) {
        let mut stop = self.here.stop();
        loop {
            tokio::select! {
                Some(result) = self.waiting.recv() => {
                    tokio::select! {
                        () = deliver(&self.here, &result) => {}
                        () = patiently(&mut stop) => lost(&result, "the server has stopped"),
                    }
                }
                () = stop.is_over() => break,
            }
        }
        let mut in_time = true;
        while let Ok(result) = self.waiting.try_recv() {
            in_time = in_time && timeout(LAST, deliver(&self.here, &result)).await.is_ok();
            if !in_time {
                lost(&result, "the server has stopped");
            }
        }
    }
}

/// Waits until everything else has stopped and the time for the broker is over.
async fn patiently(stop: &mut Stop) {
    stop.is_over().await;
    sleep(LAST).await;
}

async fn deliver(here: &Instance, result: &MatchResult) {
    if here.is_alone() {
        info!(id = %result.id, room = %result.room, game = result.game, result = %result.result, "match finished");
        return metrics::result("logged");
    }
    let Ok(key) = Key::new([result.game.as_str(), here.region()]) else { return lost(result, "its game is no word") };
    let payload = Payload::json(result);
    loop {
        match here.link().bus.publish(Address::Result(key.clone()), payload.clone()).await {
            Ok(()) => return metrics::result("published"),
            Err(BusError::TooLarge) => return lost(result, "it is too large"),
            Err(_) => sleep(AGAIN).await,
        }
    }
}
