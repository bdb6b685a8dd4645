//! How many tickets a second go from homes through the broker, the pool and the agreement of host and homes to "everybody
//! told where to go".
//!
//! Single players of one rating search for a match of two, so that every round matches all whom it finds. They take no
//! seats, and hang up once all have been told: who hung up before would send a mate back who has not heard of it yet.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tiltyard_client::{
    Options,
    search::{Progress, Searching},
};
use tiltyard_shared::protocol::search::{Search, SearchState};
use tokio::{
    runtime,
    sync::Semaphore,
    task::JoinSet,
    time::{Instant as Deadline, sleep_until, timeout_at},
};

use crate::{Form, checks::Checks, fleet::Fleet};

/// So many search, in short and in full.
const MANY: [usize; 2] = [3_000, 20_000];

/// So many connect at a time.
const CONNECTING: usize = 128;

/// In full they come over this time.
const ARRIVAL: Duration = Duration::from_millis(8_500);

/// Whoever has not been told by then is lost.
const LIMIT: Duration = Duration::from_secs(30);

/// A step of the agreement that is lost and not noticed costs at least so long: a host keeps seats, and a home its word.
const RESERVED: Duration = Duration::from_secs(10);

/// When a player began to search, and when it was told where to go.
type Told = (Duration, Duration);

/// A crowd that searches as fast as it can connect.
pub(crate) fn run(checks: &mut Checks, form: Form) -> anyhow::Result<()> {
    let (many, arrival) = if form == Form::Short { (MANY[0], Duration::ZERO) } else { (MANY[1], ARRIVAL) };
    rlimit::increase_nofile_limit(many as u64 + 1_000)?;
    let fleet = Fleet::new(&[("TILTYARD_MAX_PLAYERS", "20000"), ("TILTYARD_MAX_ROOMS", "20000")])?;
    let before = fleet.cpu()?;
    let mut told =
        runtime::Builder::new_current_thread().enable_all().build()?.block_on(search(many, arrival, fleet.urls()))?;
    let spent = fleet.cpu()? - before;
    checks.check("all are told where to go", format!("{} of {many}", told.len()), told.len() == many);
    let (last_search, last_told) =
        told.iter().fold(Told::default(), |last, one| (last.0.max(one.0), last.1.max(one.1)));
    told.sort_by_key(|(searched, told)| *told - *searched);
    let took = |share: usize| told.get(told.len() * share / 100).map_or(0.0, |one| (one.1 - one.0).as_secs_f64());
    println!(
        "    all search after {:.2} s, are told after {:.2} s",
        last_search.as_secs_f64(),
        last_told.as_secs_f64()
    );
    let longest = told.last().map_or(Duration::ZERO, |one| one.1 - one.0);
    let seen = format!("{:.2} s at most", longest.as_secs_f64());
    checks.check("nobody waits out a reservation before being told", seen, longest < RESERVED);
    let rate = told.len() as f64 / last_told.as_secs_f64();
    println!("    {rate:.0} tickets a second");
    println!("    from search to told, p50 and p99: {:.2} and {:.2} s", took(50), took(99));
    if form != Form::Short {
        checks.check("20,000 tickets are matched in 10 s", format!("{rate:.0} a second"), rate >= 2_000.0);
        checks.check("told within 3 s of the search", format!("p99 {:.2} s", took(99)), took(99) <= 3.0);
    }
    println!("    {:.1} s of processor time in the servers", spent.as_secs_f64());
    println!("    on the bus: {}", on_the_bus(&fleet)?);
    Ok(())
}

/// What became of the messages of all instances.
fn on_the_bus(fleet: &Fleet) -> anyhow::Result<String> {
    let outcomes = |metric: &str, labels: &str, outcomes: &[&str]| -> anyhow::Result<String> {
        let count = |outcome: &&str| {
            let counted = fleet.sum(&format!("{metric}{{{labels}outcome=\"{outcome}\""))? as u64;
            Ok(format!("{counted} {outcome}"))
        };
        Ok(outcomes.iter().map(count).collect::<anyhow::Result<Vec<_>>>()?.join(", "))
    };
    let messages = outcomes("tiltyard_bus_messages_total", "", &["confirmed", "full", "late", "unconfirmed"])?;
    let commands = outcomes("tiltyard_match_commands_total", "game=\"pong\",", &["taken", "again", "nobody"])?;
    Ok(format!("messages {messages}; commands about matches {commands}"))
}

/// All who were told, with times from the first search on.
async fn search(many: usize, arrival: Duration, urls: Vec<String>) -> anyhow::Result<Vec<Told>> {
    let (start, connecting) = (Instant::now(), Arc::new(Semaphore::new(CONNECTING)));
    let mut tasks = JoinSet::new();
    for number in 0..many {
        let options = Options::new(urls[number % urls.len()].clone());
        let (connecting, at) = (Arc::clone(&connecting), start + arrival * number as u32 / many as u32);
        tasks.spawn(timeout_at(Deadline::from_std(start + LIMIT), async move {
            sleep_until(at.into()).await;
            player(options, connecting, start).await
        }));
    }
    let (mut told, mut waiting) = (Vec::with_capacity(many), Vec::with_capacity(many));
    while let Some(player) = tasks.join_next().await {
        match player.context("a player panicked")? {
            Ok(Ok((searching, one))) => {
                waiting.push(searching);
                told.push(one);
            }
            Ok(Err(error)) => println!("    {error:#}"),
            Err(_) => {}
        }
    }
    Ok(told)
}

/// Searches until told where to go. The search goes on until it is dropped.
async fn player(options: Options, connecting: Arc<Semaphore>, start: Instant) -> anyhow::Result<(Searching, Told)> {
    let wish = Search { game: "pong".to_owned(), mode: "duel".to_owned(), rating: 1_500, party: None };
    let permit = connecting.acquire_owned().await?;
    let mut searching = Searching::start(&options, wish);
    let mut state = searching.next().await?;
    drop(permit);
    let searched = start.elapsed();
    loop {
        match state {
            Progress::State(SearchState::Joining { .. }) => return Ok((searching, (searched, start.elapsed()))),
            Progress::State(SearchState::Ended { code, .. }) => anyhow::bail!("the search has ended: {code}"),
            Progress::State(_) | Progress::Reconnecting { .. } => state = searching.next().await?,
        }
    }
}
