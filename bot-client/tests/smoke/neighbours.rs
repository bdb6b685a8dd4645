//! One slow client among a hundred honest ones: nobody else notices, the server's memory stays bounded, nothing is lost.
//!
//! The room shows the whole field to everyone, so that all are owed the same events, and a witness can say which.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tiltyard_bot::swarm::{Measures, Plan, Swarm, measures::Quantiles};
use tiltyard_shared::protocol::codec;
use tiltyard_testing::Server;
use tokio::time::{sleep, sleep_until};
use uuid::Uuid;

use crate::{
    checks::Checks,
    memory::SocketMemory,
    server,
    slow::{Kind, Slow},
    witness::{Telling, Witness, open_field},
};

const HONEST: usize = 100;
const ROUNDS: usize = 3;
const PHASE: Duration = Duration::from_secs(10);
/// A slow client behaves well for so long after it has entered. The server gives up on who answers no ping for 10 s.
const WELL: Duration = Duration::from_millis(700);
/// Most send memory of a slow one, in user space and in the kernel.
const MEMORY: u64 = 128 * 1024;
/// A slow one is up to date again after at most so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was seen with one slow client in one round.
struct Seen {
    kind: Kind,
    p99: f64,
    kernel: u32,
    /// Bytes in the write buffers of all connections together, at most: so no fewer than in the slow one's.
    unsent: f64,
    throttled: f64,
    recovery: Duration,
    slow: Slow,
    frames: (u64, u64),
}

pub(crate) fn run(checks: &mut Checks) -> anyhow::Result<()> {
    println!("{HONEST} honest bots in one room, and a slow one beside them:");
    let server = server::start(&[])?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(play(&server, checks))
}

async fn play(server: &Server, checks: &mut Checks) -> anyhow::Result<()> {
    let swarm = Swarm::start(Plan {
        url: server.url(),
        rooms: vec![0; HONEST],
        config: Some(codec::encode(&open_field())),
        ramp: Duration::from_secs(2),
        duration: Duration::from_secs(3600),
        seed: 7,
        ..Plan::default()
    })?;
    let room = swarm.room(0).await.context("the room could not be made")?;
    let witness = Witness::enter(&server.url(), room).await?;
    sleep(Duration::from_secs(4)).await;
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let quiet = measure(&swarm, PHASE).await;
        let honest_rate = quiet.bytes as f64 / PHASE.as_secs_f64() / HONEST as f64;
        without.push(p99(&quiet));
        println!("  round {round}: alone p99 {:.1} ms, {honest_rate:.0} bytes/s each", p99(&quiet));
        for kind in Kind::ALL {
            with.push(beside(server, &swarm, room, kind, (honest_rate / 4.0) as u64).await?);
        }
    }
    let witnessed = witness.leave().await?;
    swarm.stop();
    let report = tokio::task::spawn_blocking(|| swarm.finish()).await?;
    print!("{report}");
    let honest = report.mismatches + report.errors + report.resyncs;
    checks.check("honest bots: no mismatch, error or resync", honest, honest == 0);
    checks.check("honest bots throttled: none (ticks skipped)", report.ticks_skipped, report.ticks_skipped == 0);
    for kind in Kind::ALL {
        let seen: Vec<_> = with.iter().filter(|seen| seen.kind == kind).collect();
        if let Some(first) = seen.first() {
            println!("  {}:", first.kind.describe());
            judge_neighbours(checks, median(without.clone()), &seen);
            judge_slow(checks, &seen, &witnessed);
        }
    }
    Ok(())
}

/// Ten seconds beside a slow client, which then recovers and leaves.
async fn beside(server: &Server, swarm: &Swarm, room: Uuid, kind: Kind, rate: u64) -> anyhow::Result<Seen> {
    swarm.take_measures();
    let start = Instant::now();
    let mut slow = Slow::enter(kind, &server.url(), room, rate).await?;
    slow.play(start + WELL).await?;
    let (peer, own) = slow.ends;
    let mut memory = SocketMemory::open()?;
    let (mut kernel, mut unsent, mut throttled) = (0, 0.0f64, 0.0f64);
    let watching = async {
        loop {
            if let (SocketAddr::V4(own), SocketAddr::V4(peer)) = (own, peer) {
                kernel = memory.of(own, peer)?.max(kernel);
            }
            unsent = unsent.max(server.metric("tiltyard_unsent_bytes")?);
            throttled = throttled.max(server.metric("tiltyard_throttled_players")?);
            sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::select! {
        slow = slow.dawdle(start + PHASE) => slow?,
        watched = watching => return watched,
    }
    let p99 = p99(&swarm.take_measures());
    let recovery = slow.recover(PATIENCE).await?;
    let (read, handed, slow) = slow.leave().await?;
    println!(
        "    beside {}: p99 {p99:.1} ms, {kernel} bytes in the kernel, {unsent} unsent, back in {recovery:.1?}",
        kind.describe()
    );
    Ok(Seen { kind, p99, kernel, unsent, throttled, recovery, slow, frames: (read, handed) })
}

/// What the others and the server noticed.
fn judge_neighbours(checks: &mut Checks, alone: f64, seen: &[&Seen]) {
    let beside = median(seen.iter().map(|seen| seen.p99).collect());
    let holds = beside <= alone + (alone * 0.1).max(5.0);
    checks.check("p99 interval of the honest: within 5 ms or 10 %", format!("{alone:.1} → {beside:.1} ms"), holds);
    let throttled = seen.iter().map(|seen| seen.throttled).fold(0.0, f64::max);
    checks.check("players throttled at a time: only this one", throttled, throttled <= 1.0);
    // A vector's capacity is at most twice what it has ever held: that, as measured, or the largest frame, if none waited.
    let user = |seen: &&Seen| 2 * (seen.unsent as u64).max(seen.slow.notes.largest_frame as u64);
    let memory = seen.iter().map(|seen| u64::from(seen.kernel) + user(seen)).max().unwrap_or(0);
    checks.check("send memory, kernel and user space: at most 128 KiB", memory, memory <= MEMORY);
}

/// What became of the slow one itself.
fn judge_slow(checks: &mut Checks, seen: &[&Seen], witnessed: &BTreeSet<u64>) {
    let notes = || seen.iter().map(|seen| &seen.slow.notes);
    let returns: u32 = notes().map(|notes| notes.returns).sum();
    let worst = notes().map(|notes| notes.worst_return).max().unwrap_or(0);
    let claim = format!("exact within 2 frames of each of {returns} releases and epochs");
    // Who was released is exact without an epoch of its own; who has lagged may ask for one.
    checks.check(&claim, worst, worst <= 2 && returns >= seen.len() as u32);
    let recovery = seen.iter().map(|seen| seen.recovery).max().unwrap_or_default();
    checks.check("up to date again", format!("{recovery:.1?}"), recovery <= PATIENCE);
    let wrong: u64 = seen.iter().map(|seen| seen.slow.session().counts()).map(|c| c.mismatches + c.bad_frames).sum();
    checks.check("mismatches and bad frames: 0", wrong, wrong == 0);
    let frames: Vec<_> = seen.iter().map(|seen| seen.frames).collect();
    let equal = frames.iter().all(|(read, handed)| read == handed);
    checks.check("frames read are those handed over", format!("{frames:?}"), equal);
    let telling: Telling = notes().map(|notes| Telling::compare(&notes.events, witnessed)).sum();
    let lost: u64 = seen.iter().map(|seen| seen.slow.session().replica().events_lost()).sum();
    let shown = format!("{} told, {} wrong, {lost} losses", telling.told, telling.wrong);
    checks.check("every event once", shown, telling.wrong == 0 && lost == 0);
}

/// What is measured from now on for so long.
async fn measure(swarm: &Swarm, time: Duration) -> Measures {
    swarm.take_measures();
    sleep_until((Instant::now() + time).into()).await;
    swarm.take_measures()
}

fn p99(measures: &Measures) -> f64 {
    Quantiles::from(&measures.interval).p99
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
