//! The results that wait for the broker, in a queue for each game: where nobody takes those of one game, the others go
//! on. Time is an argument.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::fleet::messages::MatchResult;

/// The pause after the first attempt that failed; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Why a result waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The broker is away, or takes no messages.
    Broker,
    /// No queue takes results of its game.
    Queue,
}

impl Reason {
    /// Its name in metrics.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Broker => "broker",
            Self::Queue => "queue",
        }
    }
}

/// The queues by game. No more results than the limit wait; when they are full, the oldest of the longest queue is
/// dropped.
#[derive(Debug)]
pub(super) struct Waiting {
    games: BTreeMap<String, Game>,
    limit: usize,
    /// Results that have begun to wait and are not counted yet.
    uncounted: u64,
}

/// The results of a game, oldest first.
#[derive(Debug, Default)]
struct Game {
    waiting: VecDeque<MatchResult>,
    /// Whether its oldest result is under way.
    under_way: bool,
    /// Attempts in a row that failed.
    failures: u32,
    /// Why the last attempt failed.
    reason: Option<Reason>,
    /// The time of the next attempt.
    due: Duration,
}

impl Waiting {
    /// No results, and no more than this many.
    pub(super) fn new(limit: usize) -> Self {
        Self { games: BTreeMap::new(), limit, uncounted: 0 }
    }

    /// Adds a result. Returns the one that was dropped for it.
    pub(super) fn add(&mut self, result: MatchResult) -> Option<MatchResult> {
        let game = self.games.entry(result.game.clone()).or_default();
        self.uncounted += u64::from(game.reason.is_some());
        game.waiting.push_back(result);
        if self.len() <= self.limit {
            return None;
        }
        let longest = self.games.values_mut().max_by_key(|game| game.idle())?;
        longest.waiting.remove(usize::from(longest.under_way))
    }

    /// The next result that is due; it stays the first of its game. Of each game one is under way at a time.
    pub(super) fn take(&mut self, now: Duration) -> Option<MatchResult> {
        let game = self.games.values_mut().find(|game| game.is_ready() && game.due <= now)?;
        game.under_way = true;
        game.waiting.front().cloned()
    }

    /// When the next result is due.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.games.values().filter(|game| game.is_ready()).map(|game| game.due).min()
    }

    /// The broker has taken the first result of a game, or nobody ever will. Returns it.
    pub(super) fn settled(&mut self, game: &str) -> Option<MatchResult> {
        let game = self.games.get_mut(game)?;
        let settled = game.waiting.pop_front();
        *game = Game { waiting: std::mem::take(&mut game.waiting), ..Game::default() };
        settled
    }

    /// An attempt failed: all results of the game wait.
    pub(super) fn failed(&mut self, game: &str, reason: Reason, now: Duration) {
        let Some(game) = self.games.get_mut(game) else { return };
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(game.failures)).min(LONGEST_PAUSE);
        game.under_way = false;
        game.failures = game.failures.saturating_add(1);
        game.due = now + pause;
        if game.reason.replace(reason).is_none() {
            self.uncounted += game.waiting.len() as u64;
        }
    }

    /// The broker is back: everything is due.
    pub(super) fn hurry(&mut self) {
        self.games.values_mut().for_each(|game| game.due = Duration::ZERO);
    }

    /// How many results wait after an attempt that failed for this reason.
    pub(super) fn held(&self, reason: Reason) -> usize {
        self.games.values().filter(|game| game.reason == Some(reason)).map(|game| game.waiting.len()).sum()
    }

    /// How many have begun to wait since the last call.
    pub(super) fn take_uncounted(&mut self) -> u64 {
        std::mem::take(&mut self.uncounted)
    }

    /// Whether none is left.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes all results, for the end. From now on none is taken.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = MatchResult> + use<> {
        self.limit = 0;
        std::mem::take(&mut self.games).into_values().flat_map(|game| game.waiting)
    }

    /// How many results there are, those under way included.
    fn len(&self) -> usize {
        self.games.values().map(|game| game.waiting.len()).sum()
    }
}

impl Game {
    fn is_ready(&self) -> bool {
        !self.under_way && !self.waiting.is_empty()
    }

    /// How many results are not under way.
    fn idle(&self) -> usize {
        self.waiting.len() - usize::from(self.under_way)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{bus::InstanceId, fleet::messages::RESULT_SCHEMA};

    fn result(game: &str, number: u64) -> MatchResult {
        MatchResult {
            schema: RESULT_SCHEMA,
            id: Uuid::from_u128(number.into()),
            instance: InstanceId::new("here").unwrap(),
            room: Uuid::nil(),
            game: game.to_owned(),
            at_ms: number,
            result: serde_json::Value::Null,
        }
    }

    const NOW: Duration = Duration::ZERO;

    #[test]
    fn where_nobody_takes_the_results_of_one_game_those_of_another_go_on() {
        let mut waiting = Waiting::new(10);
        for number in 0..3 {
            assert!(waiting.add(result("arena", number)).is_none() && waiting.add(result("pong", number)).is_none());
        }
        let stuck = waiting.take(NOW).unwrap();
        assert_eq!(stuck.game, "arena");
        waiting.failed("arena", Reason::Queue, NOW);
        assert_eq!(waiting.take_uncounted(), 3);
        for number in 0..3 {
            let next = waiting.take(NOW).unwrap();
            assert_eq!((next.game.as_str(), next.at_ms), ("pong", number));
            assert!(waiting.take(NOW).is_none(), "one of a game at a time");
            waiting.settled("pong");
        }
        assert_eq!((waiting.held(Reason::Queue), waiting.held(Reason::Broker)), (3, 0));
        assert_eq!(waiting.take(FIRST_PAUSE).unwrap().at_ms, 0);
        waiting.settled("arena");
        assert_eq!((waiting.take(FIRST_PAUSE).unwrap().at_ms, waiting.held(Reason::Queue)), (1, 0));
    }

    #[test]
    fn attempts_become_rarer_until_the_broker_is_back() {
        let mut waiting = Waiting::new(10);
        waiting.add(result("arena", 1));
        let (mut now, mut pauses) = (Duration::from_secs(100), Vec::new());
        for _ in 0..7 {
            assert!(waiting.take(now).is_some() && waiting.take(now).is_none());
            waiting.failed("arena", Reason::Broker, now);
            pauses.push((waiting.next_due().unwrap() - now).as_millis());
            now = waiting.next_due().unwrap();
        }
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
        waiting.add(result("arena", 2));
        assert_eq!(waiting.take_uncounted(), 2, "once each, however often it is tried");
        now -= Duration::from_secs(1);
        assert!(waiting.take(now).is_none());
        waiting.hurry();
        assert!(waiting.take(now).is_some());
    }

    #[test]
    fn when_they_are_full_the_oldest_of_the_longest_queue_is_dropped() {
        let mut waiting = Waiting::new(4);
        for number in 0..3 {
            waiting.add(result("arena", number));
        }
        waiting.add(result("pong", 10));
        assert_eq!(waiting.add(result("pong", 11)).unwrap(), result("arena", 0));
        assert_eq!(waiting.take(NOW).unwrap(), result("arena", 1));
        // What is under way counts, but cannot be dropped.
        assert_eq!(waiting.add(result("pong", 12)).unwrap(), result("pong", 10));
        assert_eq!(waiting.add(result("arena", 3)).unwrap(), result("pong", 11));
        assert_eq!(waiting.add(result("arena", 4)).unwrap(), result("arena", 2));
        waiting.failed("arena", Reason::Queue, NOW);
        assert_eq!(waiting.drain().map(|left| left.at_ms).collect::<Vec<_>>(), [1, 3, 4, 12]);
        assert_eq!(waiting.add(result("pong", 13)).unwrap(), result("pong", 13));
    }
}
