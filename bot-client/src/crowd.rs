//! A crowd that searches for matches: bots with ratings, alone and in parties, that play the matches they get, verify
//! their state, and keep a journal of what happened to them.
//!
//! Each bot is a task (in the private `member`), on threads with a current-thread runtime each. When all have arrived,
//! single players follow until nobody waits, as new players would. [`report`] checks what must be true of all journals
//! together.

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use parking_lot::{Mutex, MutexGuard};
use tiltyard_arena::Arena;
use tiltyard_shared::game::{Game as _, Rng};
use tokio::{runtime, task::JoinSet, time::sleep_until};

mod member;
pub mod report;

pub use report::{Entry, Report};

/// The interval at which single players follow while others wait. It is longer than matching one takes, so that none is
/// too many.
const FOLLOWERS_EVERY: Duration = Duration::from_millis(1_500);

/// The maximum number of waiting bots that are followed at a time.
const FOLLOWED: usize = 4;

/// The plan of a crowd.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The servers. Bots and parties are spread over them, and go to another when theirs is gone.
    pub urls: Vec<String>,
    /// The mode of the arena.
    pub mode: String,
    /// The number of bots that arrive.
    pub bots: usize,
    /// The largest party. All sizes from 1 to this are equally likely.
    pub party_max: u8,
    /// The percentage of single players who never take a seat, and search again when the penalty is over.
    pub no_shows: u8,
    /// The time over which they arrive.
    pub arrival: Duration,
    /// The time from the start after which waiting bots give up and count as lost.
    pub limit: Duration,
    /// Whether bots play until their match is over; otherwise they leave once they have been matched.
    pub play: bool,
    /// The maximum number of single players that follow at a time for one waiting bot, until nobody waits; 0 for none.
    pub followers: usize,
    /// The number of threads.
    pub threads: usize,
    /// The seed of ratings and parties.
    pub seed: u64,
}

/// A bot as planned.
#[derive(Clone, Debug)]
pub struct Person {
    /// Its number, from 0: also its name, `b0`.
    pub number: usize,
    /// The number of its party; single players have parties of their own.
    pub party: usize,
    /// The size of the party.
    pub size: u8,
    /// Its rating, from a normal distribution around 1,500 with deviation 300.
    pub rating: i32,
    /// Whether it never takes a seat.
    pub no_show: bool,
    /// When it arrives, after the start.
    pub at: Duration,
}

/// Makes the bots of a plan.
pub fn people(plan: &Plan) -> Vec<Person> {
    let mut rng = Rng::new(plan.seed);
    let mut people = Vec::with_capacity(plan.bots);
    let mut party = 0;
    while people.len() < plan.bots {
        let left = plan.bots - people.len();
        let size = (1 + rng.below(u32::from(plan.party_max.max(1))) as usize).min(left);
        let at = plan.arrival.mul_f32(rng.unit());
        let rating = normal(&mut rng);
        // Drawn from the party's number, so that the same people come with no-shows among them and without.
        let no_show = size == 1 && Rng::new(plan.seed ^ party as u64).below(100) < u32::from(plan.no_shows);
        for _ in 0..size {
            let rating = rating + (rng.below(61) as i32 - 30);
            people.push(Person { number: people.len(), party, size: size as u8, rating, no_show, at });
        }
        party += 1;
    }
    people
}

/// Draws a rating: the sum of twelve uniform numbers is close enough to a normal distribution.
fn normal(rng: &mut Rng) -> i32 {
    let sum: f32 = (0..12).map(|_| rng.unit()).sum();
    (1_500.0 + 300.0 * (sum - 6.0)) as i32
}

/// State shared by the bots of all threads.
#[derive(Debug)]
struct Shared {
    plan: Plan,
    start: Instant,
    stopping: AtomicBool,
    /// Bots that have not arrived yet or wait.
    waiting: Mutex<BTreeMap<usize, Waiting>>,
    playing: AtomicUsize,
    journal: Mutex<Vec<Entry>>,
}

/// A bot that has no match yet.
#[derive(Debug)]
struct Waiting {
    person: Person,
    /// Whether it was told where to go, so that nobody needs to follow it.
    told: bool,
}

impl Shared {
    fn is_over(&self) -> bool {
        self.stopping.load(Ordering::Relaxed) || self.start.elapsed() >= self.plan.limit
    }

    /// Whether all bots have a match, or have left, but for those who never take a seat.
    fn nobody_waits(&self) -> bool {
        self.waiting().is_empty()
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<usize, Waiting>> {
        self.waiting.lock()
    }

    fn wait(&self, person: &Person) {
        self.waiting().insert(person.number, Waiting { person: person.clone(), told: false });
    }

    /// Notes whether a waiting bot was told where to go, or searches on.
    fn tell(&self, number: usize, told: bool) {
        if let Some(waiting) = self.waiting().get_mut(&number) {
            waiting.told = told;
        }
    }

    fn wait_no_longer(&self, number: usize) {
        self.waiting().remove(&number);
    }

    fn note(&self, entry: Entry) {
        self.journal.lock().push(entry);
    }
}

/// A running crowd.
#[derive(Debug)]
pub struct Crowd {
    shared: Arc<Shared>,
    people: Vec<Person>,
    threads: Vec<JoinHandle<io::Result<()>>>,
}

impl Crowd {
    /// Starts the threads; the bots arrive at their times.
    ///
    /// # Errors
    ///
    /// If the system has no threads left.
    pub fn start(plan: Plan) -> io::Result<Self> {
        let people = people(&plan);
        let threads = plan.threads.max(1);
        let shared = Arc::new(Shared {
            waiting: Mutex::new(BTreeMap::new()),
            plan,
            start: Instant::now(),
            stopping: AtomicBool::new(false),
            playing: AtomicUsize::new(0),
            journal: Mutex::default(),
        });
        people.iter().filter(|person| !person.no_show).for_each(|person| shared.wait(person));
        let spawn = |index: usize| {
            let mine = people.iter().skip(index).step_by(threads).cloned().collect();
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name(format!("crowd-{index}")).spawn(move || run_thread(&shared, mine, index))
        };
        let threads = (0..threads).map(spawn).collect::<io::Result<_>>()?;
        Ok(Self { shared, people, threads })
    }

    /// The number of bots that have not arrived yet or wait, and of bots that play.
    pub fn progress(&self) -> (usize, usize) {
        (self.shared.waiting().len(), self.shared.playing.load(Ordering::Relaxed))
    }

    /// The journal so far.
    pub fn journal(&self) -> Vec<Entry> {
        self.shared.journal.lock().clone()
    }

    /// The time since the start, as in journal entries.
    pub fn elapsed(&self) -> Duration {
        self.shared.start.elapsed()
    }

    /// Ends it: waiting bots cancel, playing ones leave.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether every bot is done.
    pub fn is_finished(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Waits for the end and returns the report.
    pub fn finish(mut self) -> Report {
        let mut complaints = Vec::new();
        for thread in self.threads.drain(..) {
            match thread.join() {
                Ok(Ok(())) => {}
                Ok(Err(error)) => complaints.push(format!("no runtime: {error}")),
                Err(_) => complaints.push("a thread of bots panicked".to_owned()),
            }
        }
        let no_shows = self.people.iter().filter(|person| person.no_show).map(|person| person.number).collect();
        Report::new(&self.shared.plan.mode, self.people.len(), &no_shows, &self.journal(), complaints)
    }
}

fn run_thread(shared: &Arc<Shared>, people: Vec<Person>, index: usize) -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for person in people {
            tasks.spawn(member::run(Arc::clone(shared), person));
        }
        if index == 0 && shared.plan.followers > 0 {
            follow(shared, &mut tasks).await;
        }
        while tasks.join_next().await.is_some() {}
    });
    Ok(())
}

/// Sends single players while others wait after the arrivals: as strong as the oldest waiting bots, and far enough
/// apart that each helps somebody else; no more at a time than a match lacks. Nobody follows a bot that was told where
/// to go: one player too many would wait for nine more.
async fn follow(shared: &Arc<Shared>, tasks: &mut JoinSet<()>) {
    let mode = Arena::modes().into_iter().find(|(mode, _)| mode.name == shared.plan.mode);
    let (seats, near) = mode.map_or((1, 0), |(mode, _)| (mode.teams * mode.team_size, mode.window.start));
    let mut next = shared.start + shared.plan.arrival;
    let mut number = shared.plan.bots;
    loop {
        sleep_until(next.into()).await;
        let (waiting, nobody_waits) = {
            let all = shared.waiting();
            let waiting = all.values().filter(|one| !one.told).map(|one| one.person.rating).collect::<Vec<_>>();
            (waiting, all.is_empty())
        };
        let mut wanted: Vec<i32> = Vec::new();
        for rating in &waiting {
            if wanted.len() < FOLLOWED && wanted.iter().all(|other| (other - rating).abs() > 400) {
                wanted.push(*rating);
            }
        }
        if nobody_waits || shared.is_over() {
            return;
        }
        for rating in wanted {
            let there = waiting.iter().filter(|other| other.abs_diff(rating) <= near).count();
            for _ in 0..seats.saturating_sub(there).clamp(1, shared.plan.followers) {
                let person =
                    Person { number, party: number, size: 1, rating, no_show: false, at: shared.start.elapsed() };
                shared.wait(&person);
                tasks.spawn(member::run(Arc::clone(shared), person));
                number += 1;
            }
        }
        next += FOLLOWERS_EVERY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_people_in_whole_parties() {
        let plan = Plan {
            urls: Vec::new(),
            mode: "teams".to_owned(),
            bots: 500,
            party_max: 3,
            no_shows: 10,
            arrival: Duration::from_secs(60),
            limit: Duration::from_secs(1),
            play: true,
            followers: 0,
            threads: 1,
            seed: 7,
        };
        let people = people(&plan);
        assert_eq!(people.len(), 500);
        for person in &people {
            let party = people.iter().filter(|other| other.party == person.party);
            assert_eq!(party.count(), usize::from(person.size));
            assert!((300..2_700).contains(&person.rating) && person.at <= plan.arrival);
        }
        let no_shows = people.iter().filter(|person| person.no_show);
        assert!(no_shows.clone().all(|person| person.size == 1));
        assert!((5..=40).contains(&no_shows.count()), "a tenth of the single players");
        let mean = people.iter().map(|person| person.rating).sum::<i32>() / 500;
        assert!((1_440..1_560).contains(&mean), "{mean}");
    }
}
