//! A client on a good line in the same room, which notes what there was: events, and when which tick came.

use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, bail};
use tiltyard_arena::{Arena, Config, messages::Event as Happening};
use tiltyard_client::{Client, Event, Options};
use tiltyard_shared::protocol::Target;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::record::Ticks;

/// The machine's clock, in ms.
pub(crate) fn wall() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1000.0
}

/// It is in by then.
const PATIENCE: Duration = Duration::from_secs(10);

/// A room that shows the whole field to everyone, so that all are owed the same events (but those told to one alone).
pub(crate) fn open_field() -> Config {
    Config { view_depth: 16, ..Config::default() }
}

/// Whether all who see the place are told.
pub(crate) fn is_shared(event: &Happening) -> bool {
    !matches!(event, Happening::Empty)
}

/// What there was.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) events: BTreeSet<u64>,
    pub(crate) ticks: Ticks,
}

/// A bystander that is in its room.
pub(crate) struct Bystander {
    stop: oneshot::Sender<()>,
    thread: thread::JoinHandle<anyhow::Result<Notes>>,
}

impl Bystander {
    pub(crate) fn enter(url: &str, room: Uuid) -> anyhow::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let options = Options { name: "bystander".to_owned(), verify: true, ..Options::new(url) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let client = runtime.block_on(async {
            let enter = Client::<Arena>::enter(options, Target::Room(room));
            tokio::time::timeout(PATIENCE, enter).await.context("the bystander waits in vain")?.context("the bystander")
        })?;
        let thread = thread::spawn(move || runtime.block_on(watch(client, stopped)));
        Ok(Self { stop, thread })
    }

    /// Ends, and tells.
    pub(crate) fn leave(self) -> anyhow::Result<Notes> {
        drop(self.stop);
        self.thread.join().map_err(|_| anyhow::anyhow!("the bystander panicked"))?
    }
}

async fn watch(mut client: Client<Arena>, mut stopped: oneshot::Receiver<()>) -> anyhow::Result<Notes> {
    let mut notes = Notes::default();
    loop {
        let event = tokio::select! {
            event = client.next() => event?,
            _ = &mut stopped => return Ok(notes),
        };
        match event {
            Event::Frame(frame) => notes.ticks.0.push((frame.tick.0, wall())),
            Event::Game { number, event } if is_shared(&event) => drop(notes.events.insert(number)),
            Event::Resyncing(reason) => bail!("the bystander resynced: {reason:?}"),
            Event::Reconnecting { .. } => bail!("the bystander lost its line"),
            _ => {}
        }
    }
}
