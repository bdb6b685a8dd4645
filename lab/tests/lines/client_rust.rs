//! The Rust SDK as a client of the lab: what a game would do with it, in a process of its own, and notes. The other two are
//! `web/test/lab.mjs` and `web/e2e/lines.mjs`; all speak as `child.rs` says.

use std::{
    io::{BufRead as _, stdin},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tiltyard_arena::{Arena, entities::Thing, messages::Input};
use tiltyard_client::{Client, Event, Options};
use tiltyard_shared::protocol::Target;
use tokio::{sync::watch, task::LocalSet};
use uuid::Uuid;

use crate::{
    bystander::{is_shared, wall},
    record::{Draws, Record},
};

/// A screen draws so often.
const DRAW: Duration = Duration::from_micros(16_667);

/// Inputs go out with every so-manieth draw.
const ACTS: u32 = 6;

/// A client that is not in by then will not be.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the runner has said so far.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Nothing,
    Enter,
    End,
}

/// Plays with so many clients, as told by standard input, and prints their records.
pub(crate) fn play(url: &str, room: Uuid, clients: u64) -> anyhow::Result<()> {
    let (tell, said) = watch::channel(Said::Nothing);
    thread::spawn(move || {
        for line in stdin().lock().lines().map_while(Result::ok) {
            tell.send_replace(if line == "enter" { Said::Enter } else { Said::End });
        }
        tell.send_replace(Said::End);
    });
    println!("{{\"ready\":true}}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let all = LocalSet::new();
    let records = all.block_on(&runtime, async {
        let mut enter = said.clone();
        enter.wait_for(|said| *said >= Said::Enter).await.context("the runner is gone")?;
        let tasks: Vec<_> = (0..clients)
            .map(|number| tokio::task::spawn_local(live(url.to_owned(), room, number, said.clone())))
            .collect();
        let mut records = Vec::new();
        for task in tasks {
            records.push(task.await?);
        }
        anyhow::Ok(records)
    })?;
    println!("{}", serde_json::json!({ "records": records }));
    Ok(())
}

async fn live(url: String, room: Uuid, number: u64, mut said: watch::Receiver<Said>) -> Record {
    let options = Options { name: format!("rust-{number}"), verify: true, ..Options::new(url) };
    let mut record = Record { asked: wall(), ..Record::default() };
    let entered = tokio::time::timeout(PATIENCE, Client::<Arena>::enter(options, Target::Room(room))).await;
    match entered {
        Ok(Ok(client)) => {
            let mut player = Player { record, number, told: false, client };
            player.play(&mut said).await;
            record = player.finish();
        }
        Ok(Err(error)) => record.over = Some(format!("no way in: {error}")),
        Err(_) => record.over = Some("no way in: no answer".to_owned()),
    }
    if record.over.is_some() {
        println!("{{\"in\":{number}}}");
    }
    record
}

struct Player {
    client: Client<Arena>,
    record: Record,
    number: u64,
    told: bool,
}

impl Player {
    async fn play(&mut self, said: &mut watch::Receiver<Said>) {
        let me = self.client.session().seat().player;
        let (mut next, mut draws) = (Instant::now(), 0u32);
        while *said.borrow() < Said::End {
            match self.client.next_before(next).await {
                Ok(Some(event)) => self.note(&event),
                Ok(None) => {
                    self.draw(next);
                    draws += 1;
                    if draws.is_multiple_of(ACTS) {
                        self.act(draws);
                    }
                    // A process that was stopped does not make up for it.
                    next = (next + DRAW).max(Instant::now());
                }
                Err(error) => {
                    self.record.over = Some(error.to_string());
                    return;
                }
            }
        }
        let is_own = |thing: &Thing| matches!(thing, Thing::Fighter(fighter) if fighter.owner == me);
        let sees_itself = self.client.replica().shown().filter_map(|shown| shown.restore()).any(|thing| is_own(&thing));
        self.record.own_seat = sees_itself && self.client.session().seat().player == me;
    }

    fn note(&mut self, event: &Event<tiltyard_arena::messages::Event>) {
        let now = wall();
        match event {
            Event::Frame(frame) => {
                self.record.frames.push((now, frame.tick.0, frame.bytes as u32));
                if !std::mem::replace(&mut self.told, true) {
                    println!("{{\"in\":{}}}", self.number);
                }
            }
            Event::Game { number, event } if is_shared(event) => self.record.events.push(*number),
            Event::Resyncing(_) => self.record.resyncs.push(now),
            Event::Reconnecting { .. } => self.record.breaks.push(now),
            Event::Goodbye { message, .. } => self.record.over = Some(format!("goodbye: {message}")),
            _ => {}
        }
    }

    /// What a screen would show now.
    fn draw(&mut self, due: Instant) {
        let now = Instant::now();
        let playout = self.client.playout();
        let before = playout.underruns();
        let shown = playout.draw(now);
        // What is told of earlier draws counts here: at most a frame's interval late.
        let under = playout.underruns().saturating_sub(before);
        let delay = playout.delay();
        let tick = Duration::from_secs(1) / self.client.session().seat().tick_hz;
        let draws = draws_at(&mut self.record.draws, wall());
        draws.count += 1;
        draws.under += under as u32;
        draws.delay += delay.div_duration_f64(tick);
        draws.tick += shown;
        draws.lag = draws.lag.max((now - due).as_secs_f64() * 1000.0);
    }

    /// Walks in a circle and shoots.
    fn act(&mut self, draws: u32) {
        let turn = draws as f32 / 60.0 + self.number as f32;
        let walk = [turn.cos(), turn.sin()].map(|part| (part * 127.0) as i8);
        // Who waits for a line has too many unanswered at some time.
        self.client.send(&Input { walk, aim: turn.rem_euclid(std::f32::consts::TAU), fire: draws % 60 < 30 }).ok();
    }

    fn finish(mut self) -> Record {
        let counts = self.client.session().counts();
        self.record.mismatches = counts.mismatches;
        self.record.bad_frames = counts.bad_frames;
        self.record.reconnects = counts.reconnects;
        self.record
    }
}

/// The draws of the tenth of a second that this time is in.
fn draws_at(all: &mut Vec<Draws>, now: f64) -> &mut Draws {
    let at = (now / 100.0).floor() * 100.0;
    if all.last().is_none_or(|last| last.at < at) {
        all.push(Draws { at, ..Draws::default() });
    }
    let last = all.len() - 1;
    &mut all[last]
}
