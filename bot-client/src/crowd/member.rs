//! One bot of a crowd: it searches, goes where it is told, plays, and searches again if the match fails.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use tiltyard_arena::{Arena, bot::Bot as Player, entities::Thing, messages::Input};
use tiltyard_shared::{
    game::{Rng, Tick},
    protocol::{
        Code, Target,
        search::{Party, Search, SearchState},
    },
    replica::ReplicaError,
};
use tokio::time::{sleep, sleep_until, timeout};
use uuid::Uuid;

use super::{Entry, Person, Shared, report::What};
use tiltyard_client::{
    client::{Client, Options},
    error::Error,
    search::{Progress, Searching},
    session::{Event, Reason},
};

/// The interval between a bot's actions.
const ACTS_EVERY: Duration = Duration::from_millis(250);

/// A server that was killed does not come back at the same port: after more attempts than this it counts as gone.
const ATTEMPTS: u32 = 2;

/// The wait before trying the next server when one cannot be found.
const NEXT_SERVER: Duration = Duration::from_millis(300);

/// The maximum time to get a seat.
const JOIN: Duration = Duration::from_secs(4);

/// Runs a bot.
pub(super) async fn run(shared: Arc<Shared>, person: Person) {
    sleep_until((shared.start + person.at).into()).await;
    let server = person.party % shared.plan.urls.len().max(1);
    let rng = Rng::new(shared.plan.seed ^ person.number as u64);
    let waiting = !person.no_show;
    let mut member = Member { server, rng, waiting, told: None, joining: None, shared, person };
    member.live().await;
    if member.waiting {
        member.shared.wait_no_longer(member.person.number);
        member.note(What::Unmatched);
    }
}

/// The end of a match for a bot.
enum End {
    /// The bot has played it.
    Played,
    /// The match failed, or the host was gone before it began: the search goes on.
    Again,
    /// The host is gone, and the search was over: the bot starts a new one.
    Anew,
}

struct Member {
    shared: Arc<Shared>,
    person: Person,
    server: usize,
    rng: Rng,
    waiting: bool,
    /// The waiting time that it was last told, and when.
    told: Option<(Duration, Instant)>,
    /// The match that it joins or is in.
    joining: Option<Uuid>,
}

impl Member {
    async fn live(&mut self) {
        while !self.is_over() {
            let url = self.shared.plan.urls[self.server].clone();
            let mut searching = Searching::start(&self.options(url), self.wish());
            if self.search(&mut searching).await {
                return;
            }
            self.joining = None;
            self.told = None;
            self.server = (self.server + 1) % self.shared.plan.urls.len().max(1);
            sleep(NEXT_SERVER).await;
        }
    }

    /// Whether it has to leave. Who never takes a seat goes when nobody waits any more.
    fn is_over(&self) -> bool {
        self.shared.is_over() || self.person.no_show && self.shared.nobody_waits()
    }

    /// Waits until it has to leave.
    async fn over(&self) {
        while !self.is_over() {
            sleep(ACTS_EVERY).await;
        }
    }

    fn options(&self, url: String) -> Options {
        let (name, patience) = (format!("b{}", self.person.number), Duration::ZERO);
        let client_key = Uuid::from_u64_pair(self.shared.plan.seed, self.person.number as u64 + 1).into_bytes();
        Options { name, verify: true, patience, client_key, ..Options::new(url) }
    }

    fn wish(&self) -> Search {
        let Person { party, size, rating, .. } = self.person;
        let code = format!("{}-{party}", self.shared.plan.seed);
        let party = (size > 1).then_some(Party { code, size });
        Search { game: "arena".to_owned(), mode: self.shared.plan.mode.clone(), rating, party }
    }

    /// Searches until the bot is done (true), or this server is of no more use (false).
    async fn search(&mut self, searching: &mut Searching) -> bool {
        let mut found = false;
        loop {
            let progress = tokio::select! {
                progress = searching.next() => progress,
                () = self.over() => {
                    searching.cancel();
                    let _ = timeout(JOIN, searching.next()).await;
                    return true;
                }
            };
            let state = match progress {
                Ok(Progress::State(state)) => state,
                Ok(Progress::Reconnecting { code, .. }) => {
                    self.note(code.map_or(What::HomeLost, |code| What::Ended { code }));
                    return false;
                }
                Err(_) if found => {
                    self.note(What::HomeLost);
                    return false;
                }
                Err(_) => return false,
            };
            found = true;
            match state {
                SearchState::Joining { id, url, pass } => {
                    self.note(What::Told { id });
                    if self.person.no_show {
                        continue;
                    }
                    self.shared.tell(self.person.number, true);
                    if self.joining.replace(id).is_some_and(|other| other != id) {
                        self.note(What::Twice { id });
                    }
                    let url = searching.url_of(&url).to_owned();
                    let entered = timeout(JOIN, Client::<Arena>::enter(self.options(url), Target::Pass(pass))).await;
                    match entered {
                        Ok(Ok(client)) => match self.play(client, searching, id).await {
                            End::Played => return true,
                            // If its home has not reported the failure yet, the bot gives the match up.
                            End::Again if self.joining.take().is_some() => searching.again(id),
                            End::Again => {}
                            End::Anew => return false,
                        },
                        Ok(Err(_)) | Err(_) => {
                            self.joining = None;
                            searching.again(id);
                        }
                    }
                }
                SearchState::Searching { waited_ms } => self.hear(waited_ms),
                SearchState::Gathering { .. } | SearchState::Agreed | SearchState::Matched { .. } => {}
                SearchState::Ended { code, retry_after_ms } => {
                    self.note(What::Ended { code });
                    let penalty = Duration::from_millis(retry_after_ms.unwrap_or(0).into());
                    tokio::select! {
                        () = sleep(penalty) => {}
                        () = self.over() => {}
                    }
                    return false;
                }
            }
        }
    }

    fn hear(&mut self, waited_ms: u32) {
        let waited = Duration::from_millis(waited_ms.into());
        if let Some((before, _)) = self.told.filter(|(before, _)| *before > waited) {
            self.note(What::TimeLost { before, now: waited });
        }
        self.joining = None;
        self.shared.tell(self.person.number, false);
        self.told = Some((waited, Instant::now()));
    }

    /// Plays a match to its end, and learns meanwhile whether it takes place.
    async fn play(&mut self, client: Client<Arena>, searching: &mut Searching, id: Uuid) -> End {
        let room = client.session().seat().room;
        self.note(What::Entered { id, room });
        let mut game = Play { client, player: Player::new(&mut self.rng), input: Input::default(), team: None };
        let (mut home, mut told_team) = (true, false);
        loop {
            let step = tokio::select! {
                step = game.step(&mut self.rng) => step,
                progress = searching.next(), if home && self.waiting => {
                    match progress {
                        Ok(Progress::State(SearchState::Matched { .. })) => self.matched(id, room),
                        Ok(Progress::State(SearchState::Searching { waited_ms })) => {
                            self.hear(waited_ms);
                            return End::Again;
                        }
                        Ok(Progress::State(SearchState::Ended { code, .. })) => {
                            self.note(What::Ended { code });
                            home = false;
                        }
                        Ok(Progress::State(_)) => {}
                        // The host continues without the home.
                        Ok(Progress::Reconnecting { .. }) | Err(_) => {
                            self.note(What::HomeLost);
                            home = false;
                        }
                    }
                    Step::On
                }
            };
            match step {
                Step::On if self.shared.is_over() => return self.leave(game, id, room).await,
                Step::On if !self.waiting && !self.shared.plan.play => return self.leave(game, id, room).await,
                Step::On => {}
                Step::Differs => self.note(What::Mismatch { room }),
                Step::Finished => {
                    self.matched(id, room);
                    self.end(id, room);
                    return End::Played;
                }
                Step::Out(why) => return self.thrown_out(id, room, why),
            }
            if let Some(team) = game.team.filter(|_| !told_team) {
                told_team = true;
                self.note(What::Team { room, team });
            }
            if !home {
                // A bot that has lost its home hears no "matched". If it still plays after the reservations have ended,
                // it is in.
                self.matched_without_home(id, room, &game);
            }
        }
    }

    fn thrown_out(&mut self, id: Uuid, room: Uuid, why: String) -> End {
        self.note(What::Out { id, room, why });
        if !self.waiting {
            self.shared.playing.fetch_sub(1, Ordering::Relaxed);
            self.shared.wait(&self.person);
            self.waiting = true;
            return End::Anew;
        }
        End::Again
    }

    async fn leave(&mut self, mut game: Play, id: Uuid, room: Uuid) -> End {
        game.client.leave();
        let farewell = async { while !matches!(game.step(&mut self.rng).await, Step::Finished | Step::Out(_)) {} };
        let _ = timeout(JOIN, farewell).await;
        self.end(id, room);
        End::Played
    }

    fn matched(&mut self, id: Uuid, room: Uuid) {
        if !std::mem::take(&mut self.waiting) {
            return;
        }
        self.shared.wait_no_longer(self.person.number);
        self.shared.playing.fetch_add(1, Ordering::Relaxed);
        let waited = self.waited();
        self.note(What::Matched { id, room, waited });
    }

    fn matched_without_home(&mut self, id: Uuid, room: Uuid, game: &Play) {
        let long = game.client.replica().tick().is_some_and(|tick| tick.0 > 20 * 12);
        if self.waiting && long {
            self.matched(id, room);
        }
    }

    fn end(&mut self, id: Uuid, room: Uuid) {
        if !self.waiting {
            self.shared.playing.fetch_sub(1, Ordering::Relaxed);
        }
        self.note(What::Left { id, room });
    }

    fn waited(&self) -> Duration {
        self.told.map_or(Duration::ZERO, |(waited, at)| waited + at.elapsed())
    }

    fn note(&self, what: What) {
        let Person { number, party, size, rating, .. } = self.person;
        self.shared.note(Entry { at: self.shared.start.elapsed(), bot: number, party, size, rating, what });
    }
}

/// A bot in a match.
struct Play {
    client: Client<Arena>,
    player: Player,
    input: Input,
    team: Option<u8>,
}

/// A step of a match.
enum Step {
    /// Nothing notable.
    On,
    /// The state differs from the server's.
    Differs,
    /// The match is over.
    Finished,
    /// This bot is not in it any more, for this reason.
    Out(String),
}

impl From<Code> for Step {
    fn from(code: Code) -> Self {
        if code == Code::Finished { Self::Finished } else { Self::Out(code.label().to_owned()) }
    }
}

impl Play {
    async fn step(&mut self, rng: &mut Rng) -> Step {
        let next = Instant::now() + ACTS_EVERY;
        loop {
            match self.client.next_before(next).await {
                Ok(None) => break,
                Ok(Some(Event::Goodbye { code, .. })) => return code.into(),
                Ok(Some(Event::Resyncing(Reason::Failed(ReplicaError::HashMismatch(_))))) => return Step::Differs,
                Ok(Some(Event::Reconnecting { attempt, .. })) if attempt > ATTEMPTS => {
                    return Step::Out("no connection".to_owned());
                }
                Ok(Some(_)) => {}
                Err(Error::Refused { code, .. }) => return code.into(),
                Err(error) => return Step::Out(error.to_string()),
            }
        }
        let (me, replica) = (self.client.session().seat().player, self.client.replica());
        let sees: Vec<_> = replica.shown().filter_map(|shown| Some((shown.id(), shown.restore()?))).collect();
        let tick = replica.tick().unwrap_or(Tick(0));
        if self.team.is_none() {
            self.team = sees.iter().find_map(|(_, thing)| match thing {
                Thing::Fighter(fighter) if fighter.owner == me => {
                    fighter.name.strip_prefix('[')?.bytes().next()?.checked_sub(b'A')
                }
                _ => None,
            });
        }
        self.input = self.player.decide(me, tick, sees, rng);
        self.client.send(&self.input).ok();
        Step::On
    }
}
