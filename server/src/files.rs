//! The budget of open files. Each connection is one, and a process may open only so many: the budget says how many are
//! for players' sockets and how many stay for operators, so that health checks are answered when everything else is in
//! use. The accept loops are in [`crate::net::http`].

use rlimit::{Resource, getrlimit, increase_nofile_limit};
use tracing::{debug, warn};

/// The maximum number of connections outside of rooms: HTTP, handshake, hello, lobby. Further ones wait to be accepted.
const MAX_OUTSIDE: u64 = 16 * 1024;

/// The maximum number of operators' connections; further ones wait to be accepted. Few files leave them an eighth, but
/// at least [`LEAST_OPERATORS`].
const MAX_OPERATORS: u64 = 64;
const LEAST_OPERATORS: u64 = 8;

/// One in so many of the files for players is for those who are outside of rooms, but neither fewer nor more than these.
/// What players leave is for them, too.
const OUTSIDE_PART: u64 = 8;
const LEAST_OUTSIDE: u64 = 32;
const ENOUGH_OUTSIDE: u64 = 1024;

/// More sockets than a machine has, and than a semaphore counts anywhere.
const MOST_SOCKETS: u64 = 1 << 28;

/// The files of the process itself: standard streams, listeners, the runtime, the broker's connections, pages that are
/// read; and those of each shard's runtime.
const OWN: u64 = 48;
const OWN_PER_SHARD: u64 = 4;

/// Raises the limit of open files of this process as far as the system allows: the usual one is 1,024.
pub(crate) fn raise_limit() {
    match increase_nofile_limit(u64::MAX) {
        Ok(limit) => debug!(limit, "open files"),
        Err(error) => warn!(%error, "cannot raise the limit of open files"),
    }
}

/// How many open files are for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    /// The maximum number of players, at most as many as wanted.
    pub(crate) players: u32,
    /// The maximum number of connections outside of rooms.
    pub(crate) outside: u32,
    /// The maximum number of players' sockets, in rooms, outside of them, and closing.
    pub(crate) sockets: u32,
    /// The maximum number of operators' connections.
    pub(crate) operators: u32,
}

impl Budget {
    /// The budget of this process for so many players. Warns if they do not fit.
    pub(crate) fn of_process(players: u32, shards: usize) -> Self {
        let allowed = getrlimit(Resource::NOFILE).map_or(u64::MAX, |(soft, _)| soft);
        let budget = Self::new(allowed, players, shards);
        if budget.players < players {
            warn!(
                allowed,
                needed = Self::needed(players, shards),
                max_players = players,
                takes = budget.players,
                "too few open files for --max-players: this server takes fewer; raise the limit (ulimit -n, LimitNOFILE=)"
            );
        }
        budget
    }

    /// The budget where so many files are allowed.
    fn new(allowed: u64, players: u32, shards: usize) -> Self {
        let operators = (allowed / 8).clamp(LEAST_OPERATORS, MAX_OPERATORS);
        let sockets = allowed.saturating_sub(own(shards) + operators).min(MOST_SOCKETS);
        let least_outside = (sockets / OUTSIDE_PART).clamp(LEAST_OUTSIDE, ENOUGH_OUTSIDE).min(sockets.div_ceil(2));
        let players = (sockets - least_outside).min(players.into());
        let outside = (sockets - players).min(MAX_OUTSIDE);
        let [players, outside, sockets, operators] =
            [players, outside, sockets, operators].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        Self { players, outside, sockets, operators }
    }

    /// How many files are enough for so many players.
    fn needed(players: u32, shards: usize) -> u64 {
        let players = u64::from(players);
        let sockets = (players + LEAST_OUTSIDE).max((players * OUTSIDE_PART).div_ceil(OUTSIDE_PART - 1));
        sockets.min(players + ENOUGH_OUTSIDE) + own(shards) + MAX_OPERATORS
    }
}

fn own(shards: usize) -> u64 {
    OWN + OWN_PER_SHARD * shards as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn players_and_operators_never_share_a_file() {
        for allowed in (0..5_000).chain([20_000, 36_500, 65_536, 1 << 20, u64::MAX]) {
            for (players, shards) in [(0, 1), (100, 2), (20_000, 8), (u32::MAX, 64)] {
                let budget = Budget::new(allowed, players, shards);
                let [taken, outside, sockets, operators] =
                    [budget.players, budget.outside, budget.sockets, budget.operators].map(u64::from);
                assert!(taken <= players.into() && taken + outside <= sockets, "{allowed} {budget:?}");
                assert!(operators >= LEAST_OPERATORS);
                assert!(allowed < 100 || sockets + operators + own(shards) <= allowed.max(own(shards) + operators));
            }
        }
    }

    #[test]
    fn what_is_said_to_be_needed_is_enough() {
        for players in [0, 1, 50, 500, 1_000, 20_000, 200_000] {
            let needed = Budget::needed(players, 4);
            assert_eq!(Budget::new(needed, players, 4).players, players);
            assert!(needed < u64::from(players) * 2 + 200, "{needed} files for {players}");
        }
    }

    #[test]
    fn few_files_lower_the_number_of_players_and_many_leave_it() {
        let budget = |allowed| Budget::new(allowed, 20_000, 2);
        assert_eq!(budget(200), Budget { players: 87, outside: 32, sockets: 119, operators: 25 });
        assert_eq!(budget(1_024), Budget { players: 791, outside: 113, sockets: 904, operators: 64 });
        assert_eq!((budget(65_536).players, budget(65_536).outside), (20_000, 16_384));
    }
}
