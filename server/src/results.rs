//! Results of matches on their way out: published durably, each with an id, one after another until the broker has confirmed
//! it. A room hands its result over and forgets it.
//!
//! What waits is kept in memory, so it is lost with the process; while the broker is away up to [`WAITING`] results wait.
//! When that is full, a further result is dropped, logged as an error and counted. Without a broker a result is a line of
//! the log.

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

/// Most results that wait for the broker.
const WAITING: usize = 4_096;

/// Most bytes of a result as JSON text.
const RESULT_BYTES: usize = 16 * 1024;

/// How long to wait until a result that was not confirmed is published again.
const AGAIN: Duration = Duration::from_millis(500);

/// A stopping server gives the broker so long for what still waits.
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
    /// Where results are left, and who takes them from there.
    pub(crate) fn new(here: Instance) -> (Self, Publisher) {
        let (sender, waiting) = mpsc::channel(WAITING);
        (Self { waiting: sender, here: here.clone() }, Publisher { waiting, here })
    }

    /// A match is over.
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
    /// Publishes every result, until the server stops and nothing waits.
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

/// The time that is left once everything else has stopped.
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
