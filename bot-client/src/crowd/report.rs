//! The evaluation of a crowd's journal: waiting times, the balance of matches, and whether everything held that must
//! hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

use serde::Serialize;
use tiltyard_arena::Arena;
use tiltyard_shared::{game::Game as _, protocol::Code};
use uuid::Uuid;

#[cfg(test)]
mod tests;

/// The tolerance for waiting times: a bot may have waited this much longer by its own clock than by its server's.
const BY_THE_WAY: Duration = Duration::from_secs(2);

/// An entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The time after the start.
    pub at: Duration,
    /// The bot.
    pub bot: usize,
    /// Its party.
    pub party: usize,
    /// The size of the party.
    pub size: u8,
    /// Its rating.
    pub rating: i32,
    /// The event.
    pub what: What,
}

/// An event for a bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It was told to join a match.
    Told {
        /// The match.
        id: Uuid,
    },
    /// It was told to join another match while it was joining one. This must not happen.
    Twice {
        /// The other match.
        id: Uuid,
    },
    /// It has a seat.
    Entered {
        /// The match.
        id: Uuid,
        /// The room: the match's own, unless it fills a running one.
        room: Uuid,
    },
    /// The match has started, with this bot.
    Matched {
        /// The match.
        id: Uuid,
        /// The room.
        room: Uuid,
        /// Its waiting time.
        waited: Duration,
    },
    /// It has seen its team.
    Team {
        /// The room.
        room: Uuid,
        /// The team, from 0.
        team: u8,
    },
    /// It has left, because the match was over or the crowd leaves.
    Left {
        /// The match.
        id: Uuid,
        /// The room.
        room: Uuid,
    },
    /// The room was closed while it was in it, or its host is gone.
    Out {
        /// The match.
        id: Uuid,
        /// The room.
        room: Uuid,
        /// The reason.
        why: String,
    },
    /// Its search ended without a match.
    Ended {
        /// The reason.
        code: Code,
    },
    /// The connection to its home is gone.
    HomeLost,
    /// It searches on, and was told less waiting time than before. This must not happen.
    TimeLost {
        /// The time told before.
        before: Duration,
        /// The time told now.
        now: Duration,
    },
    /// Its state differs from the server's. This must not happen.
    Mismatch {
        /// The room.
        room: Uuid,
    },
    /// It has given up, or the crowd left before it was matched.
    Unmatched,
}

/// A bot's seat in a match.
#[derive(Clone, Copy, Debug)]
struct Seated {
    party: usize,
    rating: i32,
    waited: Duration,
    team: Option<u8>,
    founded: bool,
}

/// Percentiles of seconds or ratings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// The median.
    pub p50: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The maximum.
    pub max: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values.get(((values.len() as f64 * share) as usize).min(values.len().saturating_sub(1)));
        let at = |share| at(share).copied().unwrap_or(0.0);
        Self { p50: at(0.5), p99: at(0.99), max: at(1.0) }
    }
}

/// The results of a crowd.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Bots in the plan, without followers.
    pub bots: usize,
    /// Bots that arrived, including followers.
    pub came: usize,
    /// Bots that played a match.
    pub matched: usize,
    /// Parties that played a match, including single players.
    pub tickets: usize,
    /// Bots without a match, or whose match was lost with its host and not replaced.
    pub unmatched: usize,
    /// Rooms in which matches took place.
    pub matches: usize,
    /// Times that a bot was told of two matches at once, or had seats in two.
    pub twice: usize,
    /// Matches with two parties outside each other's windows.
    pub outside_windows: usize,
    /// Matches with a party split over two teams.
    pub torn_parties: usize,
    /// Times that a bot's waiting time was not kept.
    pub time_lost: usize,
    /// States that differed from the server's.
    pub mismatches: usize,
    /// Connections to homes that were lost.
    pub homes_lost: usize,
    /// Seats lost before the match was over, by reason.
    pub thrown_out: BTreeMap<String, usize>,
    /// Those lost in matches that had started: their players search anew.
    pub interrupted: usize,
    /// The waiting times of bots, in seconds.
    pub waiting: Spread,
    /// Those of bots that were never in a match to which somebody did not come.
    pub waiting_undisturbed: Spread,
    /// Times that one of those who never take a seat was told so.
    pub no_shows_told: usize,
    /// Times that a bot was in a match to which one of those did not come who never take a seat.
    pub no_shows_met: usize,
    /// Of those, times that it was the same one again. This must not happen.
    pub met_again: usize,
    /// Most seconds that a bot waited, less 10 for each that it met.
    pub waiting_less_no_shows: f64,
    /// The difference between the best and the worst rating in a match.
    pub rating_spread: Spread,
    /// The difference between the mean ratings of its teams.
    pub balance: Spread,
    /// Descriptions of the first errors.
    pub complaints: Vec<String>,
}

impl Report {
    /// Evaluates a journal.
    pub(super) fn new(
        mode: &str,
        bots: usize,
        no_shows: &BTreeSet<usize>,
        journal: &[Entry],
        complaints: Vec<String>,
    ) -> Self {
        let met = meetings(no_shows, journal);
        let count = |is: fn(&What) -> bool| journal.iter().filter(|entry| is(&entry.what)).count();
        let who = |is: fn(&What) -> bool| {
            journal.iter().filter(|entry| is(&entry.what)).map(|entry| entry.bot).collect::<BTreeSet<_>>()
        };
        let matches = matches(journal);
        let waits = |which: &dyn Fn(usize) -> bool| {
            let of = journal.iter().filter(|entry| which(entry.bot)).filter_map(|entry| match entry.what {
                What::Matched { waited, .. } => Some((entry.bot, waited.as_secs_f64())),
                _ => None,
            });
            of.collect::<Vec<_>>()
        };
        let seconds = |waits: Vec<(usize, f64)>| Spread::of(waits.into_iter().map(|(_, waited)| waited).collect());
        let times_met =
            |bot: usize| met.iter().filter(|((met, _), _)| *met == bot).map(|(_, times)| times).sum::<usize>();
        let matched = who(|what| matches!(what, What::Matched { .. }));
        let window = Arena::modes().into_iter().find(|(known, _)| known.name == mode).map(|(known, _)| known.window);
        let outside = |seated: &&Vec<Seated>| window.is_some_and(|window| is_outside(seated, window));
        Self {
            bots,
            came: journal
                .iter()
                .map(|entry| entry.bot)
                .filter(|bot| !no_shows.contains(bot))
                .collect::<BTreeSet<_>>()
                .len(),
            matched: matched.len(),
            tickets: matched_parties(journal).len(),
            unmatched: who(|what| matches!(what, What::Unmatched)).len(),
            matches: matches.len(),
            twice: count(|what| matches!(what, What::Twice { .. })) + in_two(journal),
            outside_windows: matches.values().filter(outside).count(),
            torn_parties: matches.values().filter(|seated| is_torn(seated)).count(),
            time_lost: count(|what| matches!(what, What::TimeLost { .. })),
            mismatches: count(|what| matches!(what, What::Mismatch { .. })),
            homes_lost: count(|what| matches!(what, What::HomeLost)),
            thrown_out: thrown_out(journal),
            interrupted: interrupted(journal),
            waiting: seconds(waits(&|_| true)),
            waiting_undisturbed: seconds(waits(&|bot| times_met(bot) == 0)),
            no_shows_told: count(|what| matches!(what, What::Ended { code: Code::NoShow })),
            no_shows_met: met.values().sum(),
            met_again: met.values().map(|times| times - 1).sum(),
            waiting_less_no_shows: waits(&|_| true)
                .into_iter()
                .map(|(bot, waited)| waited - 10.0 * times_met(bot) as f64)
                .fold(0.0, f64::max),
            rating_spread: Spread::of(matches.values().map(|seated| rating_spread(seated)).collect()),
            balance: Spread::of(matches.values().map(|seated| balance(seated)).collect()),
            complaints,
        }
    }

    /// The number of seats that were lost before the match was over.
    pub fn seats_lost(&self) -> usize {
        self.thrown_out.values().sum()
    }

    /// Whether everything held that must hold, and everybody was matched.
    pub fn is_clean(&self) -> bool {
        let Self { unmatched, twice, outside_windows, torn_parties, time_lost, mismatches, met_again, .. } = *self;
        let wrong = [unmatched, twice, outside_windows, torn_parties, time_lost, mismatches, met_again];
        wrong.iter().all(|count| *count == 0) && self.complaints.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |f: &mut fmt::Formatter<'_>, name: &str, value: String| writeln!(f, "{name:<34}{value:>28}");
        let spread = |of: &Spread| format!("{:.1} / {:.1} / {:.1}", of.p50, of.p99, of.max);
        row(f, "bots (with followers)", format!("{} ({})", self.bots, self.came))?;
        row(f, "matched", self.matched.to_string())?;
        row(f, "unmatched", self.unmatched.to_string())?;
        row(f, "matches", self.matches.to_string())?;
        row(f, "waiting p50/p99/max, s", spread(&self.waiting))?;
        if self.no_shows_met > 0 {
            row(f, "  who met no no-show", spread(&self.waiting_undisturbed))?;
            let told = format!("{}, {}, {}", self.no_shows_told, self.no_shows_met, self.met_again);
            row(f, "no-shows told, met, met again", told)?;
        }
        row(f, "rating spread p50/p99/max", spread(&self.rating_spread))?;
        row(f, "team balance p50/p99/max", spread(&self.balance))?;
        row(f, "in two matches", self.twice.to_string())?;
        row(f, "matches outside of windows", self.outside_windows.to_string())?;
        row(f, "parties in two teams", self.torn_parties.to_string())?;
        row(f, "waiting times lost", self.time_lost.to_string())?;
        let (homes, seats) = (self.homes_lost, self.seats_lost());
        row(f, "homes lost, seats lost", format!("{homes}, {seats} ({} of them playing)", self.interrupted))?;
        self.thrown_out.iter().try_for_each(|(why, count)| row(f, &format!("  {why}"), count.to_string()))?;
        row(f, "mismatches", self.mismatches.to_string())?;
        self.complaints.iter().try_for_each(|complaint| writeln!(f, "  ! {complaint}"))
    }
}

/// How often each bot was in a match to which each of the others did not come who never take a seat.
fn meetings(no_shows: &BTreeSet<usize>, journal: &[Entry]) -> BTreeMap<(usize, usize), usize> {
    let told = journal.iter().filter(|entry| no_shows.contains(&entry.bot)).filter_map(|entry| match entry.what {
        What::Told { id } => Some((id, entry.bot)),
        _ => None,
    });
    let mut absent = BTreeMap::<Uuid, Vec<usize>>::new();
    told.for_each(|(id, bot)| absent.entry(id).or_default().push(bot));
    let mut met = BTreeMap::new();
    for entry in journal {
        if let What::Entered { id, room } = entry.what
            && id == room
        {
            for other in absent.get(&id).into_iter().flatten() {
                *met.entry((entry.bot, *other)).or_default() += 1;
            }
        }
    }
    met
}

fn thrown_out(journal: &[Entry]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for entry in journal {
        if let What::Out { why, .. } = &entry.what {
            *counts.entry(why.clone()).or_default() += 1;
        }
    }
    counts
}

fn matched_parties(journal: &[Entry]) -> BTreeSet<usize> {
    let matched = journal.iter().filter(|entry| matches!(entry.what, What::Matched { .. }));
    matched.map(|entry| entry.party).collect()
}

/// The bots in each room when its match started.
fn matches(journal: &[Entry]) -> BTreeMap<Uuid, Vec<Seated>> {
    let mut matches = BTreeMap::<Uuid, Vec<Seated>>::new();
    let teams: BTreeMap<_, _> = journal
        .iter()
        .filter_map(
            |entry| if let What::Team { room, team } = entry.what { Some(((entry.bot, room), team)) } else { None },
        )
        .collect();
    for entry in journal {
        if let What::Matched { id, room, waited } = entry.what {
            let Entry { party, rating, .. } = *entry;
            let team = teams.get(&(entry.bot, room)).copied();
            matches.entry(room).or_default().push(Seated { party, rating, waited, team, founded: id == room });
        }
    }
    matches
}

/// Counts bots that took a seat in a room while they had one in another.
fn in_two(journal: &[Entry]) -> usize {
    let mut seats = BTreeMap::<usize, Uuid>::new();
    let mut twice = 0;
    for entry in journal {
        match entry.what {
            What::Matched { room, .. } => {
                twice += usize::from(seats.insert(entry.bot, room).is_some_and(|other| other != room));
            }
            What::Left { .. } | What::Out { .. } => drop(seats.remove(&entry.bot)),
            _ => {}
        }
    }
    twice
}

/// Counts bots that were thrown out of a match that had started.
fn interrupted(journal: &[Entry]) -> usize {
    let (mut playing, mut lost) = (BTreeSet::new(), 0);
    for entry in journal {
        match entry.what {
            What::Matched { .. } => _ = playing.insert(entry.bot),
            What::Left { .. } => _ = playing.remove(&entry.bot),
            What::Out { .. } => lost += usize::from(playing.remove(&entry.bot)),
            _ => {}
        }
    }
    lost
}

/// Whether tickets that founded a match are outside each other's windows: by mean ratings and waiting times. (Later
/// players on free seats are compared with all who play.)
fn is_outside(seated: &[Seated], window: tiltyard_shared::game::Window) -> bool {
    let mut tickets = BTreeMap::<usize, (i64, i64, Duration)>::new();
    for seat in seated.iter().filter(|seat| seat.founded) {
        let ticket = tickets.entry(seat.party).or_default();
        *ticket = (ticket.0 + i64::from(seat.rating), ticket.1 + 1, ticket.2.max(seat.waited));
    }
    let tickets: Vec<_> = tickets.values().map(|(sum, count, waited)| (sum.div_euclid(*count), *waited)).collect();
    tickets.iter().any(|(one, waited)| {
        let width = i64::from(window.at(*waited + BY_THE_WAY));
        tickets.iter().any(|(other, _)| (one - other).abs() > width)
    })
}

fn is_torn(seated: &[Seated]) -> bool {
    let mut teams = BTreeMap::<usize, BTreeSet<u8>>::new();
    for seat in seated {
        teams.entry(seat.party).or_default().extend(seat.team);
    }
    teams.values().any(|teams| teams.len() > 1)
}

fn rating_spread(seated: &[Seated]) -> f64 {
    let ratings = || seated.iter().map(|seat| seat.rating);
    f64::from(ratings().max().unwrap_or(0) - ratings().min().unwrap_or(0))
}

fn balance(seated: &[Seated]) -> f64 {
    let mean = |team: u8| {
        let ratings: Vec<_> = seated.iter().filter(|seat| seat.team == Some(team)).map(|seat| seat.rating).collect();
        f64::from(ratings.iter().sum::<i32>()) / ratings.len().max(1) as f64
    };
    let whole = [0, 1].iter().all(|team| seated.iter().any(|seat| seat.team == Some(*team)));
    if whole { (mean(0) - mean(1)).abs() } else { 0.0 }
}
