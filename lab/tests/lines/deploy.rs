//! All come back at once, as after a deploy or a router's restart: 2,000 players behind one line that is cut. The schedules of
//! rooms must not move for it, those of others least of all.

use std::{net::Ipv4Addr, thread, time::Duration};

use anyhow::Context as _;
use tiltyard_bot::swarm::{Plan, Swarm};
use tiltyard_lab::{Profile, Proxy};

use crate::{
    claims::{Figures, Verdict},
    run::{self, Row},
};

const ROOM: usize = 40;
const RAMP: Duration = Duration::from_secs(15);
const MOVED: &str = "tiltyard_schedule_moved_ticks_total";

/// Runs it with so many players, and judges.
pub(crate) fn run(players: usize) -> anyhow::Result<Row> {
    let server = run::server(Ipv4Addr::LOCALHOST)?;
    let target = server.listen();
    let proxy = Proxy::start(&Profile::named("deploy").context("no such profile")?, 1, target)?;
    let swarm = |url: String, rooms: Vec<usize>, ramp| {
        let duration = Duration::from_secs(3600);
        Swarm::start(Plan { url, rooms, ramp, duration, rate: 1.0, seed: 5, ..Plan::default() })
    };
    let others = swarm(server.url(), Plan::spread(20, 1), Duration::from_secs(1))?;
    let url = format!("ws://{}/ws", proxy.address());
    let returning = swarm(url, Plan::spread(players, players.div_ceil(ROOM)), RAMP)?;
    thread::sleep(RAMP + Duration::from_secs(5));
    let before = server.metric(MOVED)?;
    let entered = returning.progress().connected;
    proxy.cut();
    thread::sleep(Duration::from_secs(20));
    let moved = server.metric(MOVED)? - before;
    let seated = server.metric("tiltyard_players")?;
    others.stop();
    returning.stop();
    let (others, returned) = (others.finish(), returning.finish());
    let mut verdicts = Vec::new();
    let mut claim = |claim: &str, seen: String, holds: bool| {
        verdicts.push(Verdict { claim: claim.to_owned(), seen, holds });
    };
    claim("all players are in before the cut", format!("{entered} of {players}"), entered == players);
    claim("all come back", format!("{}, {seated} seats", returned.reconnects), returned.reconnects >= entered as u64);
    claim("no schedule moves, ticks", moved.to_string(), moved == 0.0);
    claim("mismatches: 0", returned.mismatches.to_string(), returned.mismatches + others.mismatches == 0);
    claim("others noticed nothing", format!("{} resyncs", others.resyncs), others.is_clean() && others.resyncs == 0);
    let figures = Figures {
        reconnects: returned.reconnects,
        mismatches: returned.mismatches,
        resyncs: returned.resyncs as usize,
        own_seat: returned.reconnects >= entered as u64,
        ..Figures::default()
    };
    Ok(Row { profile: "deploy".to_owned(), client: "rust", figures, verdicts, course: Vec::new() })
}
