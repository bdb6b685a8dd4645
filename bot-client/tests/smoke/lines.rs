//! Lines that break: clients whose connections are cut again and again come back by token, exact, told every event once.
//! Clients of the browser's SDK, cut once, come back as well.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use tiltyard_arena::{Arena, messages::Input};
use tiltyard_bot::swarm::{Plan, Swarm};
use tiltyard_client::{Client, Event, Options, session::Counts};
use tiltyard_shared::{
    game::{Rng, Tick},
    protocol::{Target, codec},
};
use tiltyard_testing::Server;
use tokio::time::sleep;
use uuid::Uuid;

use crate::{
    browser::Browser,
    checks::Checks,
    server,
    witness::{Telling, Witness, is_shared, open_field},
};

const CLIENTS: u64 = 20;
const TIME: Duration = Duration::from_secs(10);

/// What a client whose line breaks has to say.
struct Seen {
    counts: Counts,
    events: Vec<u64>,
    /// Inputs that were sent and never settled.
    unsettled: u32,
    ticks_fell: bool,
}

pub(crate) fn run(checks: &mut Checks) -> anyhow::Result<()> {
    println!("{CLIENTS} clients and 10 of the browser's SDK whose lines break, among 30 whose do not:");
    Browser::check()?;
    let server = server::start(&[])?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(play(&server, checks))
}

async fn play(server: &Server, checks: &mut Checks) -> anyhow::Result<()> {
    let swarm = Swarm::start(Plan {
        url: server.url(),
        rooms: vec![0; 30],
        config: Some(codec::encode(&open_field())),
        ramp: Duration::from_secs(1),
        duration: Duration::from_secs(3600),
        seed: 11,
        ..Plan::default()
    })?;
    let room = swarm.room(0).await.context("the room could not be made")?;
    let witness = Witness::enter(&server.url(), room).await?;
    sleep(Duration::from_secs(1)).await;
    let clients: Vec<_> = (0..CLIENTS).map(|seed| tokio::spawn(stumble(server.url(), room, seed))).collect();
    let sdk = Browser::start(&server.url(), &["--rooms", "1", "--bots", "10", "--seconds", "10", "--drop"])?;
    let mut seen = Vec::new();
    for client in clients {
        seen.push(client.await??);
    }
    let sdk = tokio::task::spawn_blocking(|| sdk.finish()).await??;
    let witnessed = witness.leave().await?;
    swarm.stop();
    let report = tokio::task::spawn_blocking(|| swarm.finish()).await?;
    checks.check("the others noticed nothing", "", report.is_clean() && report.resyncs == 0);
    let sum = |of: fn(&Seen) -> u64| seen.iter().map(of).sum::<u64>();
    let reconnects = sum(|seen| seen.counts.reconnects);
    checks.check("seats taken over again: at least 3 each", reconnects, reconnects >= 3 * CLIENTS);
    let wrong = sum(|seen| seen.counts.mismatches + seen.counts.bad_frames);
    checks.check("mismatches and bad frames: 0", wrong, wrong == 0);
    let fell = sum(|seen| u64::from(seen.ticks_fell));
    checks.check("clients whose ticks ever fell: 0", fell, fell == 0);
    let unsettled = sum(|seen| u64::from(seen.unsettled));
    checks.check("inputs not settled in the end: 0", unsettled, unsettled == 0);
    let telling: Telling = seen.iter().map(|seen| Telling::compare(&seen.events, &witnessed)).sum();
    checks.check("every event once", format!("{} told, {} wrong", telling.told, telling.wrong), telling.wrong == 0);
    for (key, wanted) in [("connected", 10), ("reconnects", 10), ("mismatches", 0), ("errors", 0)] {
        checks.check(&format!("SDK: {key}: {wanted}"), &sdk[key], sdk[key] == wanted);
    }
    Ok(())
}

/// Plays, cuts its own line every now and then, and notes what it is told.
async fn stumble(url: String, room: Uuid, seed: u64) -> anyhow::Result<Seen> {
    let options = Options { name: format!("stumbler-{seed}"), verify: true, seed, ..Options::new(url) };
    let mut client = Client::<Arena>::enter(options, Target::Room(room)).await?;
    let mut rng = Rng::new(seed);
    let mut seen = Seen { counts: Counts::default(), events: Vec::new(), unsettled: 0, ticks_fell: false };
    let (start, mut last, mut sent, mut settled) = (Instant::now(), Tick(0), 0, 0);
    let mut next_cut = start + Duration::from_secs(1);
    while settled < sent || start.elapsed() < TIME {
        let soon = Instant::now() + Duration::from_millis(50);
        match client.next_before(soon).await? {
            None if start.elapsed() < TIME => {
                sent = client.send(&Input { walk: [rng.below(255) as i8, 90], aim: 0.5, fire: true })?;
            }
            Some(Event::Frame(frame)) => {
                seen.ticks_fell |= frame.tick <= last;
                last = frame.tick;
            }
            Some(Event::Settled { number, .. }) => settled = number,
            Some(Event::Game { number, event }) if is_shared(&event) => seen.events.push(number),
            _ => {}
        }
        if Instant::now() >= next_cut && start.elapsed() < TIME {
            client.drop_line();
            next_cut = Instant::now() + Duration::from_millis(u64::from(300 + rng.below(1500)));
        }
        if start.elapsed() > 2 * TIME {
            break;
        }
    }
    seen.unsettled = sent - settled;
    seen.counts = client.session().counts();
    Ok(seen)
}
