//! No-shows: who was told to go to a match and did not come, and the penalty for it.
//!
//! A player who did not come leaves the pool, and is taken again when the penalty is over: [`PENALTY`], doubled by each
//! further no-show of the last [`FORGIVEN`], at most [`MAX_PENALTY`]. A no-show is counted once for each match, whoever
//! states it and however often, so all who know the same ones agree on the penalty. The player is known by the key that
//! the client shows: whoever changes it is somebody else here.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{MatchId, PlayerKey};

/// The penalty for a first no-show.
pub const PENALTY: Duration = Duration::from_secs(10);

/// The longest penalty.
pub const MAX_PENALTY: Duration = Duration::from_secs(600);

/// Time after which a no-show counts no more.
pub const FORGIVEN: Duration = Duration::from_secs(1_800);

/// A player who did not come to a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoShow {
    /// The player.
    pub key: PlayerKey,
    /// The match.
    pub id: MatchId,
    /// The time since the match was decided without the player.
    pub ago: Duration,
}

/// The no-shows that still count. When there are too many, the oldest is forgotten.
#[derive(Clone, Debug)]
pub struct NoShows {
    limit: usize,
    by_key: BTreeMap<PlayerKey, BTreeMap<MatchId, Duration>>,
    by_time: BTreeSet<(Duration, PlayerKey, MatchId)>,
}

impl NoShows {
    /// None, and room for `limit`.
    pub fn with_limit(limit: usize) -> Self {
        Self { limit, by_key: BTreeMap::new(), by_time: BTreeSet::new() }
    }

    /// Counts a no-show, unless it is counted already or counts no more.
    pub fn note(&mut self, now: Duration, no_show: NoShow) {
        let NoShow { key, id, ago } = no_show;
        let at = now.saturating_sub(ago);
        if at + FORGIVEN <= now || self.by_key.get(&key).is_some_and(|matches| matches.contains_key(&id)) {
            return;
        }
        self.by_key.entry(key).or_default().insert(id, at);
        self.by_time.insert((at, key, id));
        if self.by_time.len() > self.limit {
            self.forget_oldest();
        }
    }

    /// The time until a player may search again; `None` if that is now.
    pub fn penalty(&self, now: Duration, key: PlayerKey) -> Option<Duration> {
        let mut counted = self.by_key.get(&key)?.values().filter(|at| **at + FORGIVEN > now);
        let first = *counted.next()?;
        let (count, last) = counted.fold((0, first), |(count, last), at| (count + 1, last.max(*at)));
        let penalty = PENALTY.saturating_mul(1 << u32::min(count, 16)).min(MAX_PENALTY);
        (last + penalty).checked_sub(now).filter(|rest| !rest.is_zero())
    }

    /// At most `most` no-shows of players whose penalty is not over, the newest first.
    pub fn punished(&self, now: Duration, most: usize) -> Vec<NoShow> {
        let recent = self.by_time.iter().rev().take_while(|(at, ..)| *at + MAX_PENALTY > now);
        let punished = recent.filter(|(_, key, _)| self.penalty(now, *key).is_some());
        punished.take(most).map(|&(at, key, id)| NoShow { key, id, ago: now.saturating_sub(at) }).collect()
    }

    /// Forgets those that count no more.
    pub fn expire(&mut self, now: Duration) {
        while self.by_time.first().is_some_and(|(at, ..)| *at + FORGIVEN <= now) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((_, key, id)) = self.by_time.pop_first() else { return };
        if let Some(matches) = self.by_key.get_mut(&key) {
            matches.remove(&id);
            if matches.is_empty() {
                self.by_key.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(10_000 + seconds)
    }

    fn key(number: u128) -> PlayerKey {
        PlayerKey(Uuid::from_u128(number))
    }

    fn no_show(number: u128, id: u128) -> NoShow {
        NoShow { key: key(number), id: MatchId(Uuid::from_u128(id)), ago: Duration::ZERO }
    }

    fn penalty(no_shows: &NoShows, seconds: u64, number: u128) -> Option<u64> {
        no_shows.penalty(at(seconds), key(number)).map(|rest| rest.as_secs())
    }

    #[test]
    fn the_penalty_doubles_with_each_match_missed_and_is_forgiven() {
        let mut no_shows = NoShows::with_limit(100);
        no_shows.note(at(0), no_show(1, 1));
        assert_eq!((penalty(&no_shows, 0, 1), penalty(&no_shows, 0, 2)), (Some(10), None));
        assert_eq!((penalty(&no_shows, 9, 1), penalty(&no_shows, 10, 1)), (Some(1), None));
        no_shows.note(at(20), NoShow { ago: Duration::from_secs(5), ..no_show(1, 2) });
        no_shows.note(at(21), no_show(1, 2));
        assert_eq!(penalty(&no_shows, 21, 1), Some(14), "20 s from the first statement of the second match");
        (3..20).for_each(|id| no_shows.note(at(100), no_show(1, id)));
        assert_eq!(penalty(&no_shows, 100, 1), Some(600), "at most");
        assert_eq!(penalty(&no_shows, 700, 1), None);
        no_shows.note(at(1_905), no_show(1, 30));
        assert_eq!(penalty(&no_shows, 1_905, 1), Some(10), "all others are forgiven");
        no_shows.expire(at(1_905));
        assert_eq!((no_shows.by_time.len(), no_shows.by_key.len()), (1, 1));
        no_shows.note(at(4_000), NoShow { ago: FORGIVEN, ..no_show(2, 31) });
        assert_eq!(no_shows.by_time.len(), 1, "stated too late");
    }

    #[test]
    fn who_tells_another_says_whose_penalty_runs_the_newest_first() {
        let mut no_shows = NoShows::with_limit(100);
        (0..4).for_each(|number| no_shows.note(at(number * 4), no_show(number.into(), 1)));
        let told = no_shows.punished(at(13), 2);
        assert_eq!(told.iter().map(|no_show| no_show.key).collect::<Vec<_>>(), [key(3), key(2)]);
        assert_eq!(told[0].ago, Duration::from_secs(1));
        assert_eq!(no_shows.punished(at(13), 9).len(), 3, "one is over");
    }

    #[test]
    fn when_there_are_too_many_the_oldest_is_forgotten() {
        let mut no_shows = NoShows::with_limit(2);
        (1..=3).for_each(|number| no_shows.note(at(number as u64), no_show(number, 1)));
        assert_eq!([1, 2, 3].map(|number| penalty(&no_shows, 3, number).is_some()), [false, true, true]);
        assert_eq!((no_shows.by_time.len(), no_shows.by_key.len()), (2, 2));
    }
}
