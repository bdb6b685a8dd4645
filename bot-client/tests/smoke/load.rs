//! 500 bots for 30 s, 300 in one room and 50 in each of four: nobody throttled, nobody behind, every state as the
//! server has it. Two in each room are bots of the browser's SDK.

use std::{env, fs, process::Command, thread, time::Duration};

use anyhow::Context as _;
use serde_json::Value;

use crate::{browser::Browser, checks::Checks, server};

/// The swarm's binary.
pub(crate) const BOTS: &str = env!("CARGO_BIN_EXE_tiltyard-bot");

pub(crate) fn run(checks: &mut Checks) -> anyhow::Result<()> {
    println!("500 bots, 300 in one room and 50 in each of four; 10 of them are the browser's SDK:");
    Browser::check()?;
    let server = server::start(&[])?;
    let path = env::temp_dir().join(format!("tiltyard-smoke-{}.json", std::process::id()));
    let mut swarm = Command::new(BOTS)
        .args(["--url", &server.url(), "--room-sizes", "298,48,48,48,48", "--ramp", "5s", "--duration", "30s"])
        .args(["--rate", "20", "--verify", "--json"])
        .arg(&path)
        .spawn()?;
    let browser = Browser::start(&server.url(), &["--rooms", "5", "--bots", "10", "--seconds", "32"])?;
    let mut most_throttled = 0.0f64;
    let status = loop {
        thread::sleep(Duration::from_millis(500));
        most_throttled = most_throttled.max(server.metric("tiltyard_throttled_players")?);
        if let Some(status) = swarm.try_wait()? {
            break status;
        }
    };
    let sdk = browser.finish()?;
    thread::sleep(Duration::from_secs(2));
    let swarm: Value = serde_json::from_str(&fs::read_to_string(&path).context("the swarm wrote no results")?)?;
    fs::remove_file(&path).ok();
    checks.check("the swarm's exit status is 0", status, status.success());
    check_bots(checks, "", &swarm, 490.0)?;
    check_bots(checks, "SDK: ", &sdk, 10.0)?;
    checks.check("players throttled at any time: 0", most_throttled, most_throttled == 0.0);
    for name in ["tiltyard_throttles_total", "tiltyard_resyncs_total", "tiltyard_room_panics_total"] {
        let count = server.metric(name)?;
        checks.check(&format!("{name}: 0"), count, count == 0.0);
    }
    let frames = server.metric("tiltyard_frames_total")?;
    let read = format!("{} of {frames}", number(&swarm, "frames")? + number(&sdk, "frames")?);
    checks.check("frames read by all while playing, of those handed over", read, true);
    checks.check("the server stops when told, with status 0", "", server::stop(server)?);
    Ok(())
}

/// What must be true of the bots of either kind. Their complaints are printed.
fn check_bots(checks: &mut Checks, who: &str, report: &Value, bots: f64) -> anyhow::Result<()> {
    for (key, wanted) in [("connected", bots), ("mismatches", 0.0), ("errors", 0.0), ("resyncs", 0.0)] {
        let seen = number(report, key)?;
        checks.check(&format!("{who}{key}: {wanted}"), seen, seen == wanted);
    }
    let (visible, rate) = (number(report, "entities_visible_mean")?, number(report, "frames_per_second_min")?);
    checks.check(&format!("{who}mean of visible entities: at least 10"), format!("{visible:.1}"), visible >= 10.0);
    checks.check(&format!("{who}frames a second of every bot: at least 19.8"), format!("{rate:.2}"), rate >= 19.8);
    for complaint in report["complaints"].as_array().into_iter().flatten() {
        println!("  ! {complaint}");
    }
    Ok(())
}

pub(crate) fn number(report: &Value, key: &str) -> anyhow::Result<f64> {
    report[key].as_f64().with_context(|| format!("the results lack {key}"))
}
