//! A crowd that searches for matches: bots with ratings, alone and in parties, that play what they are matched into, verify
//! what they hold, and keep a journal of what happened to them.
//!
//! One task a bot (the private `member`), one current-thread runtime a thread. When the crowd has arrived, single players
//! follow until nobody waits, as they do where people play. What must be true of all journals together is
//! [`report`]'s.

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

/// A single player follows so often while others wait: longer than it takes to match one, so that none is too many.
const FOLLOWERS_EVERY: Duration = Duration::from_millis(1_500);

/// So many who wait are followed at a time.
const FOLLOWED: usize = 4;

/// What a crowd does.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The servers: bots and parties are spread over them, and go to another when theirs is gone.
    pub urls: Vec<String>,
    /// The mode of the arena.
    pub mode: String,
    /// How many bots arrive.
    pub bots: usize,
    /// The largest party: sizes from 1 to this are as likely as each other.
    pub party_max: u8,
    /// They arrive over this time.
    pub arrival: Duration,
    /// Whoever waits after so long from the start gives up, and counts as lost.
    pub limit: Duration,
    /// Whether bots whose match is over leave; otherwise they leave once they have been matched.
    pub play: bool,
    /// Single players follow until nobody waits, at most so many at a time for one who does; 0: nobody follows.
    pub followers: usize,
    /// How many threads.
    pub threads: usize,
    /// The seed of ratings and parties.
    pub seed: u64,
}

/// One bot as it was made.
#[derive(Clone, Debug)]
pub struct Person {
    /// Its number, from 0: also its name, `b0`.
    pub number: usize,
    /// Its party: a number of its own for who is alone.
    pub party: usize,
    /// How many are in the party.
    pub size: u8,
    /// From a normal distribution around 1,500 with deviation 300.
    pub rating: i32,
    /// When it arrives after the start.
    pub at: Duration,
}

/// The people of a plan.
pub fn people(plan: &Plan) -> Vec<Person> {
    let mut rng = Rng::new(plan.seed);
    let mut people = Vec::with_capacity(plan.bots);
    let mut party = 0;
    while people.len() < plan.bots {
        let left = plan.bots - people.len();
        let size = (1 + rng.below(u32::from(plan.party_max.max(1))) as usize).min(left);
        let at = plan.arrival.mul_f32(rng.unit());
        let rating = normal(&mut rng);
        for _ in 0..size {
            let rating = rating + (rng.below(61) as i32 - 30);
            people.push(Person { number: people.len(), party, size: size as u8, rating, at });
        }
        party += 1;
    }
    people
}

/// A rating: the sum of twelve uniform numbers is near enough to a normal one.
fn normal(rng: &mut Rng) -> i32 {
    let sum: f32 = (0..12).map(|_| rng.unit()).sum();
    (1_500.0 + 300.0 * (sum - 6.0)) as i32
}

/// What the bots of all threads share.
#[derive(Debug)]
struct Shared {
    plan: Plan,
    start: Instant,
    stopping: AtomicBool,
    /// Bots that have yet to come, or wait.
    waiting: Mutex<BTreeMap<usize, Waiting>>,
    playing: AtomicUsize,
    journal: Mutex<Vec<Entry>>,
}

/// A bot that has no match yet.
#[derive(Debug)]
struct Waiting {
    person: Person,
    /// Whether it was told where to go, so that nobody needs to come for it.
    told: bool,
}

impl Shared {
    fn is_over(&self) -> bool {
        self.stopping.load(Ordering::Relaxed) || self.start.elapsed() >= self.plan.limit
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<usize, Waiting>> {
        self.waiting.lock()
    }

    fn wait(&self, person: &Person) {
        self.waiting().insert(person.number, Waiting { person: person.clone(), told: false });
    }

    /// A bot that waits was told where to go, or that it searches on.
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

/// A crowd on its way.
#[derive(Debug)]
pub struct Crowd {
    shared: Arc<Shared>,
    people: Vec<Person>,
    threads: Vec<JoinHandle<io::Result<()>>>,
}

impl Crowd {
    /// Starts the threads; the bots arrive by themselves.
    ///
    /// # Errors
    ///
    /// If the system gives no more threads.
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
        people.iter().for_each(|person| shared.wait(person));
        let spawn = |index: usize| {
            let mine = people.iter().skip(index).step_by(threads).cloned().collect();
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name(format!("crowd-{index}")).spawn(move || run_thread(&shared, mine, index))
        };
        let threads = (0..threads).map(spawn).collect::<io::Result<_>>()?;
        Ok(Self { shared, people, threads })
    }

    /// Bots that have yet to come or wait, and bots that play.
    pub fn progress(&self) -> (usize, usize) {
        (self.shared.waiting().len(), self.shared.playing.load(Ordering::Relaxed))
    }

    /// What has happened so far.
    pub fn journal(&self) -> Vec<Entry> {
        self.shared.journal.lock().clone()
    }

    /// Time since the start, as entries have it.
    pub fn elapsed(&self) -> Duration {
        self.shared.start.elapsed()
    }

    /// Everybody who waits cancels, everybody who plays leaves.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether every bot is done.
    pub fn is_finished(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Waits for the end and sums up.
    pub fn finish(mut self) -> Report {
        let mut complaints = Vec::new();
        for thread in self.threads.drain(..) {
            match thread.join() {
                Ok(Ok(())) => {}
                Ok(Err(error)) => complaints.push(format!("no runtime: {error}")),
                Err(_) => complaints.push("a thread of bots panicked".to_owned()),
            }
        }
        Report::new(&self.shared.plan.mode, self.people.len(), &self.journal(), complaints)
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

/// Single players come while others wait after the arrivals: they are as strong as those who wait, the oldest first, and far
/// enough from one another that each helps somebody else; no more at a time than a match lacks. Nobody comes for who was
/// told where to go: one too many would wait for nine more.
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
                let person = Person { number, party: number, size: 1, rating, at: shared.start.elapsed() };
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
        let mean = people.iter().map(|person| person.rating).sum::<i32>() / 500;
        assert!((1_440..1_560).contains(&mean), "{mean}");
    }
}
