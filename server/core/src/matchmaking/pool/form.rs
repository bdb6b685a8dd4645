//! One round: goes through the free tickets, the oldest first, and gathers for each the nearest ones that fit.
//!
//! Running rooms are filled first. Then each ticket in turn is the *anchor* of a match. Its regions are tried, the
//! nearest first. Other tickets are considered by how near their rating is; at most [`MAX_REJECTED`] may not fit the
//! windows, or avoid each other, and those whose size would leave a number of seats that no sizes in reach can fill are
//! left out. An anchor that has waited for the mode's `max_wait` tries again for a match of at least the minimum.

use std::{cmp::Reverse, collections::BTreeSet, ops::Range, time::Duration};

use super::{
    Open, Placed, Pool, Proposal, Venue,
    nearest::{Cursor, Shelf},
    teams::{Draft, Part, find_fills},
    waiting::Waiting,
};
use crate::matchmaking::{TicketId, mode::Mode};

/// Most tickets that do not fit which are considered for one match in one region.
const MAX_REJECTED: usize = 128;

/// A ticket that can be proposed. Its index is its number: a lower one is older.
#[derive(Clone)]
struct Seeker<'a> {
    waiting: &'a Waiting,
    waited: Duration,
    size: usize,
    strength: i64,
    rating: i32,
    window: u32,
    latency: u32,
    /// Whether it avoids anybody.
    avoids: bool,
    /// Its part of [`Round::near`].
    near: Range<usize>,
}

struct Round<'a> {
    mode: &'a Mode,
    seekers: Vec<Seeker<'a>>,
    taken: Vec<bool>,
    regions: Vec<Region<'a>>,
    /// For each ticket in turn the regions within its reach, as distance and index, the nearest first.
    near: Vec<(u32, usize)>,
    /// Kept between searches for its memory.
    search: Search,
    proposals: Vec<Proposal>,
    /// The tickets of all proposals.
    named: Vec<TicketId>,
}

struct Region<'a> {
    name: &'a str,
    /// Whether a room can be opened here.
    open: bool,
    /// By size of the party, starting at 1.
    shelves: Vec<Shelf>,
    /// Whether a number of seats (from 0) can be filled by the sizes that there are.
    fills: Vec<bool>,
}

/// A search on all shelves of a region.
#[derive(Default)]
struct Search {
    /// A shelf that is no longer of use has no cursor.
    cursors: Vec<Option<Cursor>>,
    /// Whether a number of seats (from 0) can be filled by the sizes in reach.
    fills: Vec<bool>,
}

/// The proposals of a round, and all tickets that they name.
pub(super) fn round(pool: &Pool, now: Duration) -> (Vec<Proposal>, Vec<TicketId>) {
    let mut seekers: Vec<_> = pool.modes.values().map(|mode| (mode, Vec::new())).collect();
    let mut is_free = pool.held.ascending(now);
    for (id, waiting) in &pool.tickets {
        let silent = !pool.silent.is_empty() && pool.silent.contains(&waiting.ticket.home);
        if is_free(id) && !silent {
            let (mode, seekers) = &mut seekers[waiting.mode];
            seekers.push(Seeker::new(mode, waiting, waiting.waited(now)));
        }
    }
    let mut is_free = pool.held_seats.ascending(now);
    let free: Vec<_> = pool.rooms.iter().filter(|(key, _)| is_free(key)).map(|(_, open)| open).collect();
    let (mut proposals, mut named) = (Vec::new(), Vec::new());
    for (mode, seekers) in seekers {
        if seekers.is_empty() {
            continue;
        }
        let open: Vec<_> = free.iter().filter(|open| open.vacancy.mode == mode.name).copied().collect();
        let mut round = Round::new(mode, &seekers, pool, &open);
        round.fill_rooms(open, now);
        round.form_matches();
        proposals.append(&mut round.proposals);
        named.append(&mut round.named);
    }
    (proposals, named)
}

impl<'a> Seeker<'a> {
    fn new(mode: &Mode, waiting: &'a Waiting, waited: Duration) -> Self {
        let (window, latency) = (mode.window.at(waited), mode.latency.at(waited));
        let Waiting { size, strength, rating, avoids, .. } = *waiting;
        Self { waiting, waited, size, strength, rating, window, latency, avoids, near: 0..0 }
    }

    fn part(&self, seeker: usize) -> Part {
        Part { seeker, size: self.size, strength: self.strength }
    }

    /// Whether it can be in a match with others, as far as one avoids the other.
    fn suits(&self, others: impl Iterator<Item = &'a Self>) -> bool {
        let apart = |other: &Self| other.waiting.ticket.is_apart_from(&self.waiting.ticket);
        !others.into_iter().any(|other| (self.avoids || other.avoids) && apart(other))
    }
}

impl<'a> Round<'a> {
    /// Puts all tickets of a mode on shelves, given by ascending ids.
    fn new(mode: &'a Mode, by_id: &[Seeker<'a>], pool: &'a Pool, rooms: &[&'a Open]) -> Self {
        let nanos = |waited: Duration| u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX);
        let mut oldest: Vec<_> = (0u32..).zip(by_id).map(|(at, seeker)| (Reverse(nanos(seeker.waited)), at)).collect();
        oldest.sort_unstable();
        let mut seekers: Vec<_> = oldest.iter().map(|(_, at)| by_id[*at as usize].clone()).collect();
        let mut names: BTreeSet<&str> = pool.regions.iter().map(String::as_str).collect();
        names.extend(rooms.iter().map(|open| open.vacancy.region.as_str()));
        let near = find_near(&mut seekers, names.len(), &pool.reached.among(names.iter().copied()));
        let mut entries = fill_shelves(&seekers, &near, names.len(), mode.team_size).into_iter();
        let region = |name| {
            let shelves: Vec<_> = entries.next().into_iter().flatten().map(Shelf::new).collect();
            let mut fills = vec![false; mode.team_size + 1];
            find_fills(&mut fills, |size| !shelves[size - 1].is_empty());
            Region { name, open: pool.regions.contains(name), shelves, fills }
        };
        let regions = names.into_iter().map(region).collect();
        let (taken, search) = (vec![false; seekers.len()], Search::default());
        Self { mode, taken, seekers, regions, near, search, proposals: Vec::new(), named: Vec::new() }
    }

    /// Gives the free seats of rooms to the nearest tickets that fit, in the order of the rooms' waiting, the longest
    /// first.
    fn fill_rooms(&mut self, mut rooms: Vec<&Open>, now: Duration) {
        let waited = |open: &Open| open.vacancy.waited.saturating_add(now.saturating_sub(open.heard));
        rooms.sort_by_key(|open| (Reverse(waited(open)), open.vacancy.room, open.vacancy.team));
        for open in rooms {
            let (vacancy, window) = (&open.vacancy, self.mode.window.at(waited(open)));
            let mut teams = vec![Vec::new(); self.mode.teams];
            teams[vacancy.team] = self.newcomers(open, window);
            let place = Venue::Running { room: vacancy.room, host: vacancy.host, team: vacancy.team };
            if !teams[vacancy.team].is_empty() {
                self.propose(vacancy.region.clone(), place, &teams);
            }
        }
    }

    fn newcomers(&mut self, open: &Open, window: u32) -> Vec<usize> {
        let Self { regions, taken, search, seekers, .. } = self;
        let vacancy = &open.vacancy;
        let region = regions.iter_mut().find(|region| region.name == vacancy.region).expect("rooms' are among them");
        let (mut seats, mut rejected, mut newcomers) = (vacancy.seats, 0, Vec::new());
        search.begin(&mut region.shelves, vacancy.rating, taken);
        while let Some((distance, size, seeker)) = search.nearest(&region.shelves) {
            if distance > window || rejected > MAX_REJECTED || seats == 0 {
                break;
            }
            if size > seats {
                search.leave(size);
                continue;
            }
            if distance <= seekers[seeker].window {
                newcomers.push(seeker);
                seats -= size;
            } else {
                rejected += 1;
            }
            search.pass(size, &mut region.shelves, taken);
        }
        newcomers
    }

    fn form_matches(&mut self) {
        for anchor in 0..self.seekers.len() {
            if self.taken[anchor] {
                continue;
            }
            if let Some((region, mut teams)) = self.form_match(anchor) {
                let eldest = self.eldest_equal(anchor, region, &teams);
                let mine = teams.iter_mut().flatten().find(|seeker| **seeker == anchor).expect("it is in its match");
                *mine = eldest;
                self.propose(self.regions[region].name.to_owned(), Venue::New, &teams);
            }
        }
    }

    /// Forms a match around a ticket: a full one or, if the ticket has waited for long, one of the minimum. Returns its
    /// region and teams.
    fn form_match(&mut self, anchor: usize) -> Option<(usize, Vec<Vec<usize>>)> {
        let Seeker { waited, ref near, .. } = self.seekers[anchor];
        let near = near.clone();
        let fewer = waited >= self.mode.max_wait && self.mode.min_players < self.mode.seats();
        for full in [true, false] {
            for index in near.clone().filter(|_| full || fewer) {
                let (_, region) = self.near[index];
                if let Some(teams) = self.regions[region].open.then(|| self.draft(anchor, region, full)).flatten() {
                    return Some((region, teams));
                }
            }
        }
        None
    }

    fn draft(&mut self, anchor: usize, region: usize, full: bool) -> Option<Vec<Vec<usize>>> {
        let Self { mode, seekers, taken, regions, search, .. } = self;
        let Region { shelves, fills, .. } = &mut regions[region];
        let Seeker { window, rating, .. } = seekers[anchor];
        let part = seekers[anchor].part(anchor);
        if full && !fills[mode.team_size - part.size] {
            return None;
        }
        search.begin(shelves, rating, taken);
        if full && !search.find_fills(anchor, window, shelves, taken)[mode.team_size - part.size] {
            return None;
        }
        let mut draft = Draft::new(mode);
        draft.put(draft.room_for(part.size, &search.fills)?, part, rating, window);
        let mut rejected = 0;
        while let Some((distance, size, other)) = search.nearest(shelves) {
            if distance > window || rejected > MAX_REJECTED || draft.is_full() {
                break;
            }
            match draft.room_for(size, &search.fills) {
                None => {
                    search.leave(size);
                    continue;
                }
                Some(_) if other == anchor => {}
                Some(team)
                    if draft.tolerates(seekers[other].rating, seekers[other].window)
                        && seekers[other].suits(draft.seekers().map(|seeker| &seekers[seeker])) =>
                {
                    let Seeker { window, rating, .. } = seekers[other];
                    draft.put(team, seekers[other].part(other), rating, window);
                }
                Some(_) => rejected += 1,
            }
            search.pass(size, shelves, taken);
        }
        let complete = draft.is_full() || (!full && draft.is_enough());
        let teams =
            |draft: Draft<'_>| draft.teams.into_iter().map(|team| team.parts.iter().map(|part| part.seeker).collect());
        (complete && draft.balance()).then(|| teams(draft).collect())
    }

    /// The oldest free ticket that differs from this one only in waiting, if it is in no team yet and can be in this
    /// match. Everything within the windows of the younger is within those of the older, which are at least as wide.
    fn eldest_equal(&mut self, anchor: usize, region: usize, teams: &[Vec<usize>]) -> usize {
        let mine = &self.seekers[anchor];
        let shelf = &mut self.regions[region].shelves[mine.size - 1];
        let older = shelf.older(mine.rating, anchor, &self.taken);
        let others = || teams.iter().flatten().copied().filter(|other| *other != anchor);
        let equal = |other: &Seeker<'_>| {
            other.strength == mine.strength && other.waiting.ticket.regions == mine.waiting.ticket.regions
        };
        let fits = |seeker: usize| {
            let one = &self.seekers[seeker];
            equal(one) && others().all(|other| other != seeker) && one.suits(others().map(|other| &self.seekers[other]))
        };
        older.into_iter().find(|seeker| fits(*seeker)).unwrap_or(anchor)
    }

    fn propose(&mut self, region: String, place: Venue, teams: &[Vec<usize>]) {
        for seeker in teams.iter().flatten() {
            self.taken[*seeker] = true;
        }
        let Self { seekers, named, .. } = self;
        let mut placed = |seeker: &usize| {
            let Seeker { waiting: Waiting { ticket, .. }, waited, .. } = seekers[*seeker];
            named.push(ticket.id);
            Placed { ticket: ticket.clone(), waited }
        };
        let teams = teams.iter().map(|team| team.iter().map(&mut placed).collect()).collect();
        self.proposals.push(Proposal { mode: self.mode.name.clone(), region, place, teams });
    }
}

/// Finds the regions within the reach of each ticket, of so many; `among` has the index of each number of a region.
/// Returns [`Round::near`].
fn find_near(seekers: &mut [Seeker<'_>], regions: usize, among: &[Option<usize>]) -> Vec<(u32, usize)> {
    let mut near = Vec::with_capacity(seekers.len());
    for Seeker { waiting, latency, near: mine, .. } in seekers {
        let start = near.len();
        match waiting.anywhere {
            true => near.extend((0..regions).map(|region| (0, region))),
            false => {
                let reach = waiting.reach.iter().filter(|(_, ms)| *ms <= *latency);
                near.extend(reach.filter_map(|(number, ms)| Some((*ms, among[usize::from(*number)]?))));
                near[start..].sort_unstable();
            }
        }
        *mine = start..near.len();
    }
    near
}

/// The entries of all shelves, by region and size, each in ascending order.
fn fill_shelves(
    seekers: &[Seeker<'_>],
    near: &[(u32, usize)],
    regions: usize,
    sizes: usize,
) -> Vec<Vec<Vec<(i32, u32)>>> {
    let mut by_rating: Vec<_> = (0u32..).zip(seekers).map(|(number, seeker)| (seeker.rating, number)).collect();
    by_rating.sort_unstable();
    let mut entries = vec![vec![Vec::new(); sizes]; regions];
    for (rating, number) in by_rating {
        let Seeker { size, near: mine, .. } = &seekers[number as usize];
        for &(_, region) in &near[mine.clone()] {
            entries[region][size - 1].push((rating, number));
        }
    }
    entries
}

impl Search {
    /// Starts a new search, with everything in reach.
    fn begin(&mut self, shelves: &mut [Shelf], rating: i32, taken: &[bool]) {
        self.fills.clear();
        self.fills.resize(shelves.len() + 1, true);
        self.cursors.clear();
        self.cursors.extend(shelves.iter_mut().map(|shelf| Some(shelf.search(rating, taken))));
    }

    /// The nearest ticket, as distance, size and number. Of several the oldest.
    fn nearest(&self, shelves: &[Shelf]) -> Option<(u32, usize, usize)> {
        let heads = self.cursors.iter().zip(shelves).enumerate().filter_map(|(index, (cursor, shelf))| {
            let (distance, seeker) = shelf.nearest(cursor.as_ref()?)?;
            Some((distance, index + 1, seeker))
        });
        heads.min_by_key(|(distance, _, seeker)| (*distance, *seeker))
    }

    fn pass(&mut self, size: usize, shelves: &mut [Shelf], taken: &[bool]) {
        if let Some(cursor) = &mut self.cursors[size - 1] {
            shelves[size - 1].pass(cursor, taken);
        }
    }

    /// Ends the search for tickets of this size.
    fn leave(&mut self, size: usize) {
        self.cursors[size - 1] = None;
    }

    /// Finds the numbers of seats that can be filled by the sizes within the window, assuming there are enough of each.
    /// The anchor does not count.
    fn find_fills(&mut self, anchor: usize, window: u32, shelves: &mut [Shelf], taken: &[bool]) -> &[bool] {
        let Self { cursors, fills } = self;
        find_fills(fills, |size| {
            let (Some(cursor), shelf) = (&mut cursors[size - 1], &mut shelves[size - 1]) else { return false };
            if shelf.nearest(cursor).is_some_and(|(_, seeker)| seeker == anchor) {
                shelf.pass(cursor, taken);
            }
            shelf.nearest(cursor).is_some_and(|(distance, _)| distance <= window)
        });
        fills
    }
}
