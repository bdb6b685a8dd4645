//! An instance is told to stop while people play on it: it answers until balancers know, and the players go on elsewhere.

use std::time::{Duration, Instant};

use tiltyard_testing::http;

use crate::{
    Form,
    bots::Bots,
    broker::Broker,
    checks::Checks,
    fleet::{Fleet, NAMES},
    instance::InstanceSpec,
    process::wait_for,
};

/// How long the instance goes on answering, and then lets rooms play.
const DELAY: Duration = Duration::from_secs(2);
const OPTIONS: [(&str, &str); 2] = [("TILTYARD_DRAIN_DELAY", "2s"), ("TILTYARD_DRAIN_TIMEOUT", "500ms")];

/// All of it takes less.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn run(checks: &mut Checks, form: Form) -> anyhow::Result<()> {
    let count = if form == Form::Short { 20 } else { 300 };
    let mut fleet = Fleet::start(&InstanceSpec::several(&NAMES[..2], None)?, Broker::of_environment()?, &OPTIONS)?;
    let url = fleet.instances[0].url();
    let bots = Bots::start("leaving", &[url], &["--bots", &count.to_string()], 60, fleet.folder())?;
    let players = |fleet: &Fleet| fleet.sum("tiltyard_players");
    wait_for(PATIENCE, "all to play", || Ok((players(&fleet)? >= f64::from(count)).then_some(())))?;

    let first = &fleet.instances[0];
    first.process.signal("TERM")?;
    let began = Instant::now();
    let (mut answered, mut refused, mut told) = (0, 0, 0);
    // Short of the end, so that no request is under way then.
    while began.elapsed() < DELAY * 9 / 10 {
        let games = http::ask(first.players, "GET", "/api/games", "");
        *if games.is_ok_and(|(status, _)| status == 200) { &mut answered } else { &mut refused } += 1;
        told += u32::from(http::ask(first.ops, "GET", "/readyz", "")?.0 == 503);
    }
    let seen = format!("{answered} answered, {refused} refused, /readyz 503 {told} times");
    checks.check("who is told to stop answers until balancers know", seen, refused == 0 && told > 0);

    let mut gone = fleet.instances.remove(0);
    let status = gone.process.end(PATIENCE)?;
    wait_for(PATIENCE, "all to play on", || Ok((players(&fleet)? >= f64::from(count)).then_some(())))?;
    checks.check("who plays when the drain's time is over goes on elsewhere", status, status.success());
    bots.stop()?.check("who was sent on", checks)
}
