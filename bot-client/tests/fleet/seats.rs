//! Somebody who keeps asking all instances for seats in one room, which most of them can give only by asking its host: each
//! pass that is given must open the room, and only once.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use serde_json::Value;
use tiltyard_arena::Arena;
use tiltyard_client::{Client, Error, Event, Options};
use tiltyard_shared::protocol::Target;
use tiltyard_testing::http;
use tokio::runtime;

use crate::{checks::Checks, fleet::Fleet};

/// Between two wishes.
const PAUSE: Duration = Duration::from_millis(200);

/// What became of all wishes.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    given: u32,
    refused: u32,
    entered: u32,
    entered_again: u32,
    complaints: Vec<String>,
}

/// The one who asks.
pub(crate) struct Seats {
    stopping: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<Outcome>>,
}

impl Seats {
    /// Begins to ask for seats in one of the fleet's rooms.
    pub(crate) fn start(fleet: &Fleet) -> anyhow::Result<Self> {
        let first = fleet.instances.first().context("no instance")?;
        let list = http::json(first.players, "/api/rooms?game=arena")?;
        let room = list["rooms"][0]["room"].as_str().context("no room")?.to_owned();
        let instances: Vec<_> = fleet.instances.iter().map(|instance| instance.players).collect();
        let stopping = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let stopping = stopping.clone();
            move || ask(&instances, &room, &stopping)
        });
        Ok(Self { stopping, thread })
    }

    /// Stops asking.
    pub(crate) fn finish(self) -> anyhow::Result<Outcome> {
        self.stopping.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("who asks for seats has panicked"))?
    }
}

impl Outcome {
    /// What was given must hold, once.
    pub(crate) fn check(&self, checks: &mut Checks) {
        let Self { given, refused, entered, entered_again, complaints } = self;
        let seen = format!("{entered} of {given}, and {refused} refused {complaints:?}");
        checks.check("every seat reserved across instances is there", seen, entered == given && *given > 0);
        checks.check("no pass opens a second time", entered_again, *entered_again == 0);
    }
}

fn ask(instances: &[SocketAddr], room: &str, stopping: &AtomicBool) -> anyhow::Result<Outcome> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let mut outcome = Outcome::default();
    for instance in instances.iter().cycle() {
        if stopping.load(Ordering::Relaxed) {
            break;
        }
        let (status, seat) = http::ask(*instance, "POST", &format!("/api/rooms/{room}/seats"), "")?;
        match status {
            201 => runtime.block_on(take(&serde_json::from_str(&seat)?, &mut outcome))?,
            _ => outcome.refused += 1,
        }
        thread::sleep(PAUSE);
    }
    Ok(outcome)
}

async fn take(seat: &Value, outcome: &mut Outcome) -> anyhow::Result<()> {
    outcome.given += 1;
    let (url, pass) = (seat["url"].as_str().context("no url")?, seat["pass"].as_str().context("no pass")?);
    let enter = || Client::<Arena>::enter(Options::new(url), Target::Pass(from_hex(pass)));
    match enter().await {
        Ok(client) => {
            outcome.entered += 1;
            outcome.entered_again += u32::from(enter().await.is_ok());
            leave(client).await?;
        }
        Err(error) => outcome.complaints.push(error.to_string()),
    }
    Ok(())
}

async fn leave(mut client: Client<Arena>) -> Result<(), Error> {
    client.leave();
    while !matches!(client.next().await?, Event::Goodbye { .. }) {}
    Ok(())
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | *digit as u8)).collect()
}
