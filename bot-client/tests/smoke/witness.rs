//! A client that sees everything and notes which events there were.

use std::{collections::BTreeSet, sync::Arc};

use anyhow::bail;
use parking_lot::Mutex;
use tiltyard_arena::{Arena, Config, messages::Event as Happening};
use tiltyard_client::{Client, Event, Options};
use tiltyard_shared::protocol::Target;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// A room that shows the whole field to everyone, so that all are owed the same events (but those told to one alone).
pub(crate) fn open_field() -> Config {
    Config { view_depth: 16, ..Config::default() }
}

/// The witness of a room.
pub(crate) struct Witness {
    task: JoinHandle<anyhow::Result<()>>,
    numbers: Arc<Mutex<BTreeSet<u64>>>,
}

impl Witness {
    /// Takes a seat and notes from now on.
    pub(crate) async fn enter(url: &str, room: Uuid) -> anyhow::Result<Self> {
        let options = Options { name: "witness".to_owned(), verify: true, ..Options::new(url) };
        let mut client = Client::<Arena>::enter(options, Target::Room(room)).await?;
        let numbers = Arc::<Mutex<BTreeSet<u64>>>::default();
        let noted = Arc::clone(&numbers);
        let task = tokio::spawn(async move {
            loop {
                match client.next().await? {
                    Event::Game { number, event } if is_shared(&event) => {
                        noted.lock().insert(number);
                    }
                    Event::Resyncing(reason) => bail!("the witness resynced: {reason:?}"),
                    _ => {}
                }
            }
        });
        Ok(Self { task, numbers })
    }

    /// Ends, and gives the numbers of all events that everybody could see.
    pub(crate) async fn leave(self) -> anyhow::Result<BTreeSet<u64>> {
        if self.task.is_finished() {
            self.task.await??;
        } else {
            self.task.abort();
        }
        Ok(std::mem::take(&mut *self.numbers.lock()))
    }
}

/// Whether all who see the place are told.
pub(crate) fn is_shared(event: &Happening) -> bool {
    !matches!(event, Happening::Empty)
}

/// What of its events a client was told, and what was wrong with it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Telling {
    /// Events told.
    pub(crate) told: usize,
    /// Events told twice or out of order, or not told although they happened between the first and the last told.
    pub(crate) wrong: usize,
}

impl Telling {
    /// Compares what a client was told, in order, with what there was.
    pub(crate) fn compare(told: &[u64], witnessed: &BTreeSet<u64>) -> Self {
        let disorder = told.windows(2).filter(|pair| pair[0] >= pair[1]).count();
        let set: BTreeSet<_> = told.iter().copied().collect();
        let missed = match (told.first(), told.last()) {
            (Some(first), Some(last)) if first < last => {
                witnessed.range(*first..*last).filter(|number| !set.contains(number)).count()
            }
            _ => 0,
        };
        Self { told: told.len(), wrong: disorder + missed }
    }
}

impl std::iter::Sum for Telling {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self { told: sum.told + one.told, wrong: sum.wrong + one.wrong })
    }
}
