//! The life of one bot: it waits for its turn, enters, plays until the end, leaves, and compares; when a game ends, it
//! enters the next one.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tiltyard_client::{
    AnyGame,
    client::{Client, Options},
    error::Error,
    inputs::NotSent,
    session::{Event, Frame, Reason},
};
use tiltyard_shared::{
    game::{Rng, Tick},
    protocol::{Code, Target, lobby::RoomOptions},
    replica::ReplicaError,
};
use tokio::time::{sleep, sleep_until, timeout};

use super::{BotReport, Measures, Shared};
use crate::player::Player;

/// The maximum wait for a goodbye.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many times per second a bot looks around; in between it repeats its last input.
const LOOKS_PER_SECOND: f64 = 5.0;

/// How often a bot that waits for its turn, or sends nothing, checks whether the play is over.
const IDLE: Duration = Duration::from_millis(250);

/// Runs bot `number`.
pub(super) async fn run(shared: Arc<Shared>, measures: Arc<Mutex<Measures>>, number: usize) -> BotReport {
    let turn = shared.start + shared.plan.ramp.mul_f64(number as f64 / shared.plan.rooms.len() as f64);
    while Instant::now() < turn {
        if shared.is_over(Instant::now()) {
            return BotReport::default();
        }
        sleep_until(turn.min(Instant::now() + IDLE).into()).await;
    }
    let (mut report, mut round) = (BotReport::default(), 0);
    loop {
        let entered = tokio::select! {
            entered = enter(&shared, number, &mut round) => entered,
            () = over(&shared), if round > 0 => return report,
        };
        let client = match entered {
            Ok(client) => client,
            Err(error) => {
                shared.errors.fetch_add(1, Ordering::Relaxed);
                report.failed(format!("bot {number} could not enter: {error}"));
                return report;
            }
        };
        let mut bot = Bot::new(client, &shared, &measures, number, report);
        bot.stay().await;
        let finished = bot.finished;
        report = bot.sum_up();
        if !finished || shared.is_over(Instant::now()) {
            return report;
        }
        round += 1;
    }
}

async fn over(shared: &Shared) {
    while !shared.is_over(Instant::now()) {
        sleep(IDLE).await;
    }
}

/// Enters the room of a round, or of a later round if that one is over already.
async fn enter(shared: &Shared, number: usize, round: &mut u32) -> Result<Client<AnyGame>, Error> {
    let plan = &shared.plan;
    let mut options = Options::new(plan.url.as_str());
    options.name = format!("bot-{number}");
    options.verify = plan.verify;
    let room = plan.rooms[number];
    if plan.rooms[..number].contains(&room) {
        let made = shared.rooms.id(room, *round).await;
        let (made, id) = made.ok_or_else(|| Error::Line("its room could not be made".to_owned()))?;
        *round = made;
        return Client::enter(options, Target::Room(id)).await;
    }
    let (game, config) = (plan.game.clone(), plan.config.clone());
    let made = Client::enter(options, Target::Create { game, config, options: RoomOptions::default() }).await;
    let id = made.as_ref().ok().map(|client: &Client<AnyGame>| client.session().seat().room);
    shared.rooms.set(room, *round, id);
    made
}

/// A bot in a room.
struct Bot {
    client: Client<AnyGame>,
    shared: Arc<Shared>,
    measures: Arc<Mutex<Measures>>,
    number: usize,
    rng: Rng,
    player: Box<dyn Player>,
    input: Option<Vec<u8>>,
    /// The number of inputs since it last looked around.
    blind: u32,
    report: BotReport,
    last_frame: Option<(Tick, Instant)>,
    goodbye: Option<u64>,
    /// Whether the game has ended.
    finished: bool,
}

impl Bot {
    fn new(
        client: Client<AnyGame>,
        shared: &Arc<Shared>,
        measures: &Arc<Mutex<Measures>>,
        number: usize,
        mut report: BotReport,
    ) -> Self {
        report.enter();
        let plan = &shared.plan;
        let mut rng = Rng::new(plan.seed.wrapping_add(number as u64));
        let player = plan.players.player(&plan.game, &client.session().schema().schema, &mut rng);
        let blind = rng.below(looks_every(plan.rate));
        Self {
            client,
            shared: Arc::clone(shared),
            measures: Arc::clone(measures),
            number,
            rng,
            player,
            input: None,
            blind,
            report,
            last_frame: None,
            goodbye: None,
            finished: false,
        }
    }

    /// Stays from the first frame to the goodbye.
    async fn stay(&mut self) {
        self.shared.connected.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = self.live().await {
            self.complain(format!("bot {}: {error}", self.number));
        }
        self.shared.connected.fetch_sub(1, Ordering::Relaxed);
    }

    async fn live(&mut self) -> Result<(), Error> {
        self.play().await?;
        if self.goodbye.is_none() {
            self.client.leave();
            timeout(PATIENCE, self.see_off()).await.unwrap_or(Err(Error::Timeout))?;
        }
        Ok(())
    }

    /// Plays until the end, or until the server says goodbye.
    async fn play(&mut self) -> Result<(), Error> {
        let period =
            if self.shared.plan.rate > 0.0 { Duration::from_secs_f64(1.0 / self.shared.plan.rate) } else { IDLE };
        let mut next = Instant::now() + period.mul_f32(self.rng.unit());
        while self.goodbye.is_none() {
            match self.client.next_before(next).await? {
                Some(event) => self.handle(event),
                None => {
                    let now = Instant::now();
                    if self.shared.is_over(now) {
                        return Ok(());
                    }
                    if self.shared.plan.rate > 0.0 {
                        self.act();
                    }
                    next = (next + period).max(now);
                }
            }
        }
        if !self.finished {
            self.complain("the server ended the session".to_owned());
        }
        Ok(())
    }

    /// Reads remaining messages, unmeasured, until the goodbye.
    async fn see_off(&mut self) -> Result<(), Error> {
        while self.goodbye.is_none() {
            if let Event::Goodbye { code, message, frames } = self.client.next().await? {
                self.say_goodbye(code, &message, frames);
            }
        }
        Ok(())
    }

    fn act(&mut self) {
        self.blind += 1;
        if self.blind >= looks_every(self.shared.plan.rate) {
            self.blind = 0;
            let me = self.client.session().seat().player;
            self.input = self.player.play(me, self.client.replica(), &mut self.rng);
        }
        if let Some(input) = &self.input {
            match self.client.send(input) {
                Ok(_) => {}
                Err(NotSent::Full) => self.report.inputs_held_back += 1,
                Err(error) => self.complain(error.to_string()),
            }
        }
    }

    fn handle(&mut self, event: Event<Vec<u8>>) {
        match event {
            Event::Frame(frame) => self.count(frame),
            Event::Settled { after, .. } => self.measures.lock().settled(after),
            Event::Game { .. } => self.report.events += 1,
            Event::InputRefused { code: Code::TooLate | Code::TooManyEarly, .. } => {}
            Event::InputRefused { number, code } => self.complain(format!("input {number} refused: {code}")),
            Event::Refused { message, .. } => self.complain(format!("refused: {message}")),
            Event::Resyncing(reason) => self.count_resync(reason),
            Event::Reconnecting { .. } | Event::Reconnected | Event::Transferred | Event::Rewound { .. } => {
                self.last_frame = None;
            }
            Event::Announcement(_) | Event::Result(_) => {}
            Event::Goodbye { code, message, frames } => self.say_goodbye(code, &message, frames),
        }
    }

    fn count(&mut self, frame: Frame) {
        let now = Instant::now();
        let visible = self.client.replica().tables().map(|(_, table, _)| table.members().len()).sum();
        let last = self.last_frame.replace((frame.tick, now));
        let (skipped, interval) = last.map_or((0, None), |(tick, at)| {
            let expected = tick.0 + self.client.session().seat().send_every;
            (frame.tick.0.saturating_sub(expected), Some(now - at))
        });
        self.measures.lock().frame(frame.bytes, visible, skipped, interval);
        self.report.saw(frame.tick, now);
    }

    fn count_resync(&mut self, reason: Reason) {
        match reason {
            Reason::Lag => {}
            Reason::Failed(ReplicaError::HashMismatch(tick)) => {
                self.shared.mismatches.fetch_add(1, Ordering::Relaxed);
                self.report.complaints.push(format!("state differs at tick {}", tick.0));
            }
            Reason::Failed(error) => self.complain(format!("bad frame: {error}")),
        }
    }

    fn say_goodbye(&mut self, code: Code, message: &str, frames: u64) {
        self.goodbye = Some(frames);
        self.finished = code == Code::Finished;
        self.report.games_finished += u64::from(self.finished);
        if code != Code::Left && !self.finished {
            self.complain(format!("goodbye: {message}"));
        }
    }

    fn complain(&mut self, complaint: String) {
        self.shared.errors.fetch_add(1, Ordering::Relaxed);
        self.report.errors += 1;
        self.report.complaints.push(complaint);
    }

    /// Makes the report. Nothing is lost on one connection, so the number of frames read must be that of frames handed
    /// over.
    fn sum_up(mut self) -> BotReport {
        let counts = self.client.session().counts();
        // The goodbye of another room does not count the frames of the first.
        if let Some(handed) = self.goodbye.filter(|_| counts.transfers == 0) {
            let read = counts.frames;
            let exact = if counts.reconnects == 0 { read == handed } else { read <= handed };
            if !exact {
                self.complain(format!("bot {} read {read} frames of {handed} handed over", self.number));
            }
        }
        self.report.counts += counts;
        self.report.events_lost += self.client.replica().events_lost();
        self.report
    }
}

/// The number of inputs after which a bot looks around again.
fn looks_every(rate: f64) -> u32 {
    (rate / LOOKS_PER_SECOND).max(1.0) as u32
}
