//! The publication of match results: durable, each with an id, until the broker has confirmed it. A room hands over its
//! result and forgets it.
//!
//! Results wait in memory while the broker is away, and while no queue takes those of their game: an operator may have
//! deleted it, or not created it yet. Of each game one is under way at a time, so those of one game never block another's;
//! attempts that fail are repeated after 0.5 to 10 s, and when the broker is back. Up to [`WAITING`] wait; then the oldest
//! of the game with the most is dropped, logged as an error and counted. What waits is lost with the process. Without a
//! broker a result is a line of the log.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use parking_lot::Mutex;
use serde_json::Value;
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tracing::{error, info, warn};
use uuid::Uuid;

use crate::{
    bus::{Address, BusError, Key, Payload, State},
    fleet::{
        Instance,
        messages::{MatchResult, RESULT_SCHEMA},
    },
    metrics,
};

mod waiting;

pub(crate) use waiting::Reason;
use waiting::Waiting;

/// The maximum number of results that wait for the broker.
const WAITING: usize = 4_096;

/// The maximum size of a result as JSON text, in bytes.
const RESULT_BYTES: usize = 16 * 1024;

/// How often it is logged that results wait.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// The time that a stopping server gives the broker for the waiting results.
const LAST: Duration = Duration::from_secs(2);

/// Where rooms leave their results. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Results {
    waiting: Arc<Mutex<Waiting>>,
    added: Arc<Notify>,
    here: Instance,
}

/// Publishes results.
#[derive(Debug)]
pub(crate) struct Publisher {
    results: Results,
    /// At most one for each game.
    under_way: JoinSet<(String, Result<(), BusError>)>,
    /// When it was last logged that results wait.
    logged: Option<Instant>,
}

impl Results {
    /// Creates the queue for results, and the publisher that empties it.
    pub(crate) fn new(here: Instance) -> (Self, Publisher) {
        let results = Self { waiting: Arc::new(Mutex::new(Waiting::new(WAITING))), added: Arc::default(), here };
        (results.clone(), Publisher { results, under_way: JoinSet::new(), logged: None })
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
        if self.here.is_alone() {
            info!(id = %told.id, room = %told.room, game = told.game, result = %told.result, "match finished");
            return metrics::result("logged");
        }
        if let Some(dropped) = self.waiting.lock().add(told) {
            lost(&dropped, "too many results wait for the broker, or the server has stopped");
        }
        self.added.notify_one();
    }

    /// How many results wait for this reason.
    pub(crate) fn held(&self, reason: Reason) -> usize {
        self.waiting.lock().held(reason)
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
        let Results { waiting, added, here } = self.results.clone();
        let (mut stop, clock, mut bus) = (here.stop(), here.clock(), here.link().state.clone());
        let mut end = None;
        while end.is_none() || !waiting.lock().is_empty() {
            self.send_due();
            self.show();
            let due = waiting.lock().next_due().map(|due| clock.at(due));
            tokio::select! {
                () = added.notified() => {}
                Some(Ok((game, outcome))) = self.under_way.join_next() => self.settle(&game, outcome),
                Ok(()) = bus.changed() => if *bus.borrow_and_update() == State::Up { waiting.lock().hurry() },
                () = until(due) => {}
                () = stop.is_over(), if end.is_none() => {
                    end = Some(Instant::now() + LAST);
                    waiting.lock().hurry();
                }
                () = until(end) => break,
            }
        }
        let left: Vec<_> = waiting.lock().drain().collect();
        left.iter().for_each(|result| lost(result, "the server has stopped"));
    }

    /// Publishes what is due, in tasks.
    fn send_due(&mut self) {
        let Results { waiting, here, .. } = &self.results;
        let now = here.clock().now();
        loop {
            let Some(result) = waiting.lock().take(now) else { return };
            let here = here.clone();
            self.under_way.spawn(async move {
                let outcome = publish(&here, &result).await;
                (result.game, outcome)
            });
        }
    }

    fn settle(&mut self, game: &str, outcome: Result<(), BusError>) {
        let Results { waiting, here, .. } = &self.results;
        let reason = match outcome {
            Ok(()) => {
                waiting.lock().settled(game);
                return metrics::result("published");
            }
            Err(BusError::TooLarge) => {
                let settled = waiting.lock().settled(game);
                return settled.iter().for_each(|result| lost(result, "it is too large, or its game is no word"));
            }
            Err(BusError::Unroutable | BusError::Full) => Reason::Queue,
            Err(_) => Reason::Broker,
        };
        waiting.lock().failed(game, reason, here.clock().now());
        self.log(game, reason);
    }

    /// Shows in the metrics what waits.
    fn show(&mut self) {
        let mut waiting = self.results.waiting.lock();
        metrics::results_begin_to_wait(waiting.take_uncounted());
        let held = [Reason::Queue, Reason::Broker].map(|reason| {
            metrics::results_waiting(reason.label(), waiting.held(reason));
            waiting.held(reason)
        });
        if held == [0, 0] && self.logged.take().is_some() {
            info!("the results that waited are published");
        }
    }

    /// Logs that results wait, if that was not done lately.
    fn log(&mut self, game: &str, reason: Reason) {
        if self.logged.is_some_and(|logged| logged.elapsed() < LOG_EVERY) {
            return;
        }
        self.logged = Some(Instant::now());
        let results = self.results.held(reason);
        match reason {
            Reason::Queue => warn!(game, results, "results of matches wait: no queue at the broker takes them"),
            Reason::Broker => warn!(game, results, "results of matches wait for the broker"),
        }
    }
}

/// Waits until this moment; for ever if there is none.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

async fn publish(here: &Instance, result: &MatchResult) -> Result<(), BusError> {
    let key = Key::new([result.game.as_str(), here.region()]).map_err(|_| BusError::TooLarge)?;
    here.link().bus.publish(Address::Result(key), Payload::json(result)).await
}
