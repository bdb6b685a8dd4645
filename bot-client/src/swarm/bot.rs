//! One bot's life: wait for its turn, enter, play until the end, leave, compare.

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::{Duration, Instant},
};

use tiltyard_arena::{
    Arena,
    bot::Bot as Player,
    messages::{Event as Happening, Input},
};
use tiltyard_shared::{
    game::{Game, Rng, Tick},
    protocol::{Code, Target, codec, lobby::RoomOptions},
    replica::ReplicaError,
};
use tokio::time::{sleep_until, timeout};

use super::{BotReport, Measures, Shared, lock};
use tiltyard_client::{
    client::{Client, Options},
    error::Error,
    session::{Event, Frame, Reason},
};

/// A goodbye is waited for so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// A bot looks around so many times a second; in between it goes on as it did.
const LOOKS_PER_SECOND: f64 = 5.0;

/// A bot that waits for its turn, or sends nothing, looks so often whether it is over.
const IDLE: Duration = Duration::from_millis(250);

/// Lives the life of bot `number`.
pub(super) async fn run(shared: Arc<Shared>, measures: Arc<Mutex<Measures>>, number: usize) -> BotReport {
    let turn = shared.start + shared.plan.ramp.mul_f64(number as f64 / shared.plan.rooms.len() as f64);
    while Instant::now() < turn {
        if shared.is_over(Instant::now()) {
            return BotReport::default();
        }
        sleep_until(turn.min(Instant::now() + IDLE).into()).await;
    }
    let client = match enter(&shared, number).await {
        Ok(client) => client,
        Err(error) => {
            shared.errors.fetch_add(1, Ordering::Relaxed);
            return BotReport::failed(format!("bot {number} could not enter: {error}"));
        }
    };
    shared.connected.fetch_add(1, Ordering::Relaxed);
    let mut bot = Bot::new(client, shared, measures, number);
    if let Err(error) = bot.live().await {
        bot.complain(format!("bot {number}: {error}"));
    }
    bot.shared.connected.fetch_sub(1, Ordering::Relaxed);
    bot.sum_up(number)
}

async fn enter(shared: &Shared, number: usize) -> Result<Client<Arena>, Error> {
    let mut options = Options::new(shared.plan.url.as_str());
    options.name = format!("bot-{number}");
    options.verify = shared.plan.verify;
    let room = shared.plan.rooms[number];
    if shared.plan.rooms[..number].contains(&room) {
        let id = shared.rooms.id(room).await.ok_or_else(|| Error::Line("its room could not be made".to_owned()))?;
        return Client::enter(options, Target::Room(id)).await;
    }
    let config = shared.plan.config.as_ref().map(codec::encode);
    let create = Target::Create { game: Arena::NAME.to_owned(), config, options: RoomOptions::default() };
    let made = Client::enter(options, create).await;
    shared.rooms.set(room, made.as_ref().map(|client: &Client<Arena>| client.session().seat().room).map_err(|_| ()));
    made
}

struct Bot {
    client: Client<Arena>,
    shared: Arc<Shared>,
    measures: Arc<Mutex<Measures>>,
    rng: Rng,
    player: Player,
    input: Input,
    /// Inputs sent since it looked around.
    blind: u32,
    report: BotReport,
    last_frame: Option<(Tick, Instant)>,
    goodbye: Option<u64>,
}

impl Bot {
    fn new(client: Client<Arena>, shared: Arc<Shared>, measures: Arc<Mutex<Measures>>, number: usize) -> Self {
        let mut rng = Rng::new(shared.plan.seed.wrapping_add(number as u64));
        let player = Player::new(&mut rng);
        let blind = rng.below(looks_every(shared.plan.rate));
        let (input, report) = (Input::default(), BotReport::entered());
        Self { client, shared, measures, rng, player, input, blind, report, last_frame: None, goodbye: None }
    }

    async fn live(&mut self) -> Result<(), Error> {
        self.play().await?;
        if self.goodbye.is_none() {
            self.client.leave();
            timeout(PATIENCE, self.see_off()).await.unwrap_or(Err(Error::Timeout))?;
        }
        Ok(())
    }

    /// Until the end, or until the server says goodbye.
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
        self.complain("the server ended the session".to_owned());
        Ok(())
    }

    /// Reads what is still on its way, unmeasured, until the goodbye.
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
            let replica = self.client.replica();
            let sees = replica.shown().filter_map(|shown| Some((shown.id(), shown.restore()?)));
            let (me, tick) = (self.client.session().seat().player, replica.tick().unwrap_or(Tick(0)));
            self.input = self.player.decide(me, tick, sees, &mut self.rng);
        }
        if self.client.send(&self.input).is_err() {
            self.report.inputs_held_back += 1;
        }
    }

    fn handle(&mut self, event: Event<Happening>) {
        match event {
            Event::Frame(frame) => self.count(frame),
            Event::Settled { after, .. } => lock(&self.measures).settled(after),
            Event::Game { .. } => self.report.events += 1,
            Event::InputRefused { code: Code::TooLate | Code::TooManyEarly, .. } => {}
            Event::InputRefused { number, code } => self.complain(format!("input {number} refused: {code}")),
            Event::Refused { message, .. } => self.complain(format!("refused: {message}")),
            Event::Resyncing(reason) => self.count_resync(reason),
            Event::Reconnecting { .. } | Event::Reconnected | Event::Rewound { .. } => self.last_frame = None,
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
        lock(&self.measures).frame(frame.bytes, visible, skipped, interval);
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
        if code != Code::Left {
            self.complain(format!("goodbye: {message}"));
        }
    }

    fn complain(&mut self, complaint: String) {
        self.shared.errors.fetch_add(1, Ordering::Relaxed);
        self.report.errors += 1;
        self.report.complaints.push(complaint);
    }

    /// On one connection nothing is lost, so the frames read must be those handed over.
    fn sum_up(mut self, number: usize) -> BotReport {
        let counts = self.client.session().counts();
        if let Some(handed) = self.goodbye {
            let read = counts.frames;
            let exact = if counts.reconnects == 0 { read == handed } else { read <= handed };
            if !exact {
                self.complain(format!("bot {number} read {read} frames of {handed} handed over"));
            }
        }
        self.report.counts = counts;
        self.report.events_lost = self.client.replica().events_lost();
        self.report
    }
}

/// A bot looks around with every so-manieth input.
fn looks_every(rate: f64) -> u32 {
    (rate / LOOKS_PER_SECOND).max(1.0) as u32
}
