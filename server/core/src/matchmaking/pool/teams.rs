//! The teams of one match: which tickets fit in, and how even the teams are.

use super::super::mode::Mode;

/// A ticket in a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Its number in the round.
    pub(super) seeker: usize,
    /// Its players.
    pub(super) size: usize,
    /// The sum of their ratings.
    pub(super) strength: i64,
}

/// One team, as far as it is filled.
#[derive(Clone, Debug, Default)]
pub(super) struct Team {
    /// Its tickets.
    pub(super) parts: Vec<Part>,
    size: usize,
    strength: i64,
}

/// All teams of a match. Ratings stay within what every ticket in it tolerates.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    mode: &'a Mode,
    /// One for each team of the mode.
    pub(super) teams: Vec<Team>,
    lowest: i64,
    highest: i64,
    floor: i64,
    ceiling: i64,
}

/// Which numbers of seats, from 0 on, can be filled by parties of the sizes that there are, each as often as needed.
/// `there` is asked once for each size.
pub(super) fn find_fills(fills: &mut [bool], mut there: impl FnMut(usize) -> bool) {
    fills.fill(false);
    fills[0] = true;
    for size in (1..fills.len()).filter(|size| there(*size)) {
        for seats in size..fills.len() {
            fills[seats] |= fills[seats - size];
        }
    }
}

impl<'a> Draft<'a> {
    /// Empty teams.
    pub(super) fn new(mode: &'a Mode) -> Self {
        let teams = vec![Team::default(); mode.teams];
        Self { mode, teams, lowest: i64::MAX, highest: i64::MIN, floor: i64::MIN, ceiling: i64::MAX }
    }

    /// The numbers of all tickets in it.
    pub(super) fn seekers(&self) -> impl Iterator<Item = usize> {
        self.teams.iter().flat_map(|team| &team.parts).map(|part| part.seeker)
    }

    /// Whether a ticket is within the windows of all others, and all are within its own.
    pub(super) fn tolerates(&self, rating: i32, window: u32) -> bool {
        let (rating, window) = (i64::from(rating), i64::from(window));
        let (lowest, highest) = (self.lowest.min(rating), self.highest.max(rating));
        lowest >= self.floor.max(rating - window) && highest <= self.ceiling.min(rating + window)
    }

    /// The emptiest team that has room for `size` and can still be filled then: `fills[n]` says whether n seats can be.
    pub(super) fn room_for(&self, size: usize, fills: &[bool]) -> Option<usize> {
        let rooms = self.teams.iter().map(|team| self.mode.team_size - team.size).enumerate();
        let fitting = rooms.filter(|(_, room)| *room >= size && fills[*room - size]);
        fitting.max_by_key(|(team, room)| (*room, usize::MAX - team)).map(|(team, _)| team)
    }

    /// Puts a ticket into a team.
    pub(super) fn put(&mut self, team: usize, part: Part, rating: i32, window: u32) {
        let (rating, window) = (i64::from(rating), i64::from(window));
        (self.lowest, self.highest) = (self.lowest.min(rating), self.highest.max(rating));
        (self.floor, self.ceiling) = (self.floor.max(rating - window), self.ceiling.min(rating + window));
        let team = &mut self.teams[team];
        team.size += part.size;
        team.strength += part.strength;
        team.parts.push(part);
    }

    /// Whether no seat is free.
    pub(super) fn is_full(&self) -> bool {
        self.teams.iter().all(|team| team.size == self.mode.team_size)
    }

    /// Whether the mode's minimum is reached, and no team has two players more than another.
    pub(super) fn is_enough(&self) -> bool {
        let sizes = || self.teams.iter().map(|team| team.size);
        let (least, most) = (sizes().min().unwrap_or(0), sizes().max().unwrap_or(0));
        sizes().sum::<usize>() >= self.mode.min_players && least > 0 && most - least <= 1
    }

    /// Swaps tickets of one size between the strongest and the weakest team while that makes them more even. Returns
    /// whether they end up as even as the mode asks.
    ///
    /// If all tickets are of one size, the sums of two teams of that many tickets differ afterwards by at most the
    /// match's spread x that size: a greater difference than any two tickets have would shrink by swapping some two.
    pub(super) fn balance(&mut self) -> bool {
        loop {
            let (strong, weak) = self.extremes();
            let Some((mine, theirs)) = best_swap(&self.teams[strong], &self.teams[weak]) else {
                let (strong, weak) = (&self.teams[strong], &self.teams[weak]);
                return gap(strong, weak) <= i64::from(self.mode.balance) * strong.count() * weak.count();
            };
            let (ours, other) = (self.teams[strong].parts[mine], self.teams[weak].parts[theirs]);
            self.teams[strong].replace(mine, other);
            self.teams[weak].replace(theirs, ours);
        }
    }

    /// The teams with the highest and the lowest mean.
    fn extremes(&self) -> (usize, usize) {
        let (mut strong, mut weak) = (0, 0);
        for team in 1..self.teams.len() {
            if gap(&self.teams[team], &self.teams[strong]) > 0 {
                strong = team;
            }
            if gap(&self.teams[team], &self.teams[weak]) < 0 {
                weak = team;
            }
        }
        (strong, weak)
    }
}

impl Team {
    fn count(&self) -> i64 {
        i64::try_from(self.size).expect("a team is small")
    }

    fn replace(&mut self, part: usize, by: Part) {
        self.strength += by.strength - self.parts[part].strength;
        self.parts[part] = by;
    }
}

/// The difference between two teams' means, times the numbers of players of both.
fn gap(one: &Team, other: &Team) -> i64 {
    one.strength * other.count() - other.strength * one.count()
}

/// The two tickets of one size whose exchange makes the teams most even, if any makes them more even.
fn best_swap(strong: &Team, weak: &Team) -> Option<(usize, usize)> {
    let (gap, players) = (gap(strong, weak), strong.count() + weak.count());
    let mut best = (gap, None);
    for (mine, ours) in strong.parts.iter().enumerate() {
        for (theirs, other) in weak.parts.iter().enumerate().filter(|(_, other)| other.size == ours.size) {
            let left = (gap - (ours.strength - other.strength) * players).abs();
            if left < best.0 {
                best = (left, Some((mine, theirs)));
            }
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(mode: &Mode, tickets: &[(usize, i32)]) -> bool {
        let mut draft = Draft::new(mode);
        for (seeker, &(size, rating)) in tickets.iter().enumerate() {
            let strength = i64::from(rating) * i64::try_from(size).unwrap();
            let team = draft.room_for(size, &[true; 9]).unwrap();
            draft.put(team, Part { seeker, size, strength }, rating, 1_000);
        }
        draft.balance()
    }

    #[test]
    fn swaps_make_teams_as_even_as_they_get() {
        let mode = |balance| Mode { balance, ..Mode::new("", 2, 3) };
        let singles = [(1, 300), (1, 0), (1, 290), (1, 10), (1, 280), (1, 20)];
        assert!(draft(&mode(90), &singles), "900 in all: 300 + 10 + 20 + ... make two halves that are close");
        assert!(draft(&mode(100), &[(2, 100), (2, 200), (1, 300), (1, 0)]));
        assert!(!draft(&mode(33), &[(2, 100), (2, 200), (1, 300), (1, 200)]), "500 to 600, a mean of 33.3 apart");
        assert!(draft(&mode(34), &[(2, 100), (2, 200), (1, 300), (1, 200)]));
    }

    #[test]
    fn windows_count_both_ways() {
        let mode = Mode::new("", 2, 2);
        let mut draft = Draft::new(&mode);
        let part = Part { seeker: 0, size: 1, strength: 0 };
        draft.put(0, part, 1_000, 500);
        assert!(draft.tolerates(1_100, 100) && !draft.tolerates(1_101, 100) && !draft.tolerates(1_501, 900));
        draft.put(0, part, 1_100, 100);
        assert!(!draft.tolerates(990, 300), "too far below the one at 1100, and 1100 is outside the window of 100");
        assert!(draft.tolerates(1_200, 200) && !draft.tolerates(1_201, 900));
    }
}
