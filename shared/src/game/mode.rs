//! The modes that a game declares for matchmaking: teams, windows, waiting.
//!
//! Plain values, written in code and the same on every instance: [`Game::modes`](super::Game::modes) names them. The
//! server keeps the players who wait for a mode, and finds the matches.

use std::time::Duration;

/// A way to play a game that players can search for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mode {
    /// Its name, unique in the game.
    pub name: String,
    /// The number of teams, at least 1. All against all: either one team of everybody, or as many teams as players.
    pub teams: usize,
    /// Most players of a team, at least 1. It also limits the size of a party.
    pub team_size: usize,
    /// The number of players with which a match may begin once its oldest ticket has waited [`Mode::max_wait`]; a match
    /// of fewer ends. Default: teams x team size.
    pub min_players: usize,
    /// The largest distance between the ratings of a match's tickets. Default: 100, and 10 more a second, up to 1,000.
    pub window: Window,
    /// The largest round trip to a region in milliseconds. Default: 80, and 5 more a second, up to 250.
    pub latency: Window,
    /// The waiting time after which a match of [`Mode::min_players`] is good enough. Default 30 s.
    pub max_wait: Duration,
    /// The waiting time after which a search that has found no match ends, so that the player knows and can choose
    /// something else. Default 3 min.
    pub give_up: Duration,
    /// The largest difference between the mean ratings of two teams. Default: the limit of [`Mode::window`], which
    /// never forbids a match, because means lie between the ratings they are made of.
    pub balance: u32,
    /// Whether seats that become free in a running room are filled from the pool. Default: no.
    pub backfill: bool,
}

/// A tolerance that grows with waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The tolerance for a new ticket.
    pub start: u32,
    /// The increase for each second of waiting.
    pub growth: u32,
    /// The largest tolerance; at least `start`.
    pub limit: u32,
}

/// The reason why a mode is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadMode {
    /// It has no teams, or teams without seats.
    NoSeats,
    /// It has more than [`MAX_PLAYERS`] seats.
    TooManySeats,
    /// The minimum is 0 or above the seats, or leaves teams empty.
    BadMinimum,
    /// A window's limit is below its start.
    BadWindow,
    /// Searches are given up before [`Mode::max_wait`].
    BadGiveUp,
}

/// Most players of one match.
pub const MAX_PLAYERS: usize = 1_024;

impl Mode {
    /// A mode with these teams, and the default of every other field.
    pub fn new(name: &str, teams: usize, team_size: usize) -> Self {
        let window = Window { start: 100, growth: 10, limit: 1_000 };
        Self {
            name: name.to_owned(),
            teams,
            team_size,
            min_players: teams * team_size,
            window,
            latency: Window { start: 80, growth: 5, limit: 250 },
            max_wait: Duration::from_secs(30),
            give_up: Duration::from_secs(180),
            balance: window.limit,
            backfill: false,
        }
    }

    /// The seats of a room of this mode: the most players of a match.
    pub fn seats(&self) -> usize {
        self.teams * self.team_size
    }

    /// Checks that this mode can be played.
    ///
    /// # Errors
    ///
    /// What is wrong with the mode.
    pub fn check(&self) -> Result<(), BadMode> {
        let seats = self.teams.saturating_mul(self.team_size);
        let windows = [self.window, self.latency];
        match seats {
            0 => Err(BadMode::NoSeats),
            _ if seats > MAX_PLAYERS => Err(BadMode::TooManySeats),
            _ if self.min_players < self.teams || self.min_players > seats => Err(BadMode::BadMinimum),
            _ if windows.iter().any(|window| window.limit < window.start) => Err(BadMode::BadWindow),
            _ if self.give_up < self.max_wait => Err(BadMode::BadGiveUp),
            _ => Ok(()),
        }
    }
}

impl Window {
    /// A window that never changes.
    pub fn fixed(size: u32) -> Self {
        Self { start: size, growth: 0, limit: size }
    }

    /// The tolerance for a ticket that has waited this long. It never shrinks.
    pub fn at(&self, waited: Duration) -> u32 {
        let millis = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        let grown = u64::from(self.growth).saturating_mul(millis) / 1_000;
        let width = u64::from(self.start).saturating_add(grown).min(self.limit.into());
        u32::try_from(width).expect("at most the limit")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_widens_with_waiting_up_to_its_limit() {
        let window = Window { start: 100, growth: 10, limit: 150 };
        let at = |seconds| window.at(Duration::from_secs(seconds));
        assert_eq!([at(0), at(1), at(5), at(6), at(u64::MAX)], [100, 110, 150, 150, 150]);
        assert_eq!(window.at(Duration::from_millis(250)), 102);
        assert_eq!(Window::fixed(7).at(Duration::MAX), 7);
    }

    #[test]
    fn a_mode_that_nobody_can_play_is_refused() {
        let mode = Mode::new("duel", 2, 1);
        assert_eq!(mode.check(), Ok(()));
        assert_eq!(Mode::new("", 0, 5).check(), Err(BadMode::NoSeats));
        assert_eq!(Mode::new("", usize::MAX, 1).check(), Err(BadMode::TooManySeats));
        assert_eq!(Mode { min_players: 3, ..mode.clone() }.check(), Err(BadMode::BadMinimum));
        assert_eq!(Mode { min_players: 1, ..mode.clone() }.check(), Err(BadMode::BadMinimum));
        let window = Window { start: 2, growth: 0, limit: 1 };
        assert_eq!(Mode { window, ..mode.clone() }.check(), Err(BadMode::BadWindow));
        assert_eq!(Mode { give_up: mode.max_wait / 2, ..mode }.check(), Err(BadMode::BadGiveUp));
    }
}
