//! One round: goes through the free tickets, the oldest first, and gathers for each the nearest ones that fit.
//!
//! Running rooms are filled first. Then each ticket in turn is the *anchor* of a match. Its regions are tried, the
//! nearest first. Other tickets are considered by how near their rating is; at most [`MAX_REJECTED`] may not fit the
//! windows, and those whose size would leave a number of seats that no sizes in reach can fill are left out. An anchor
//! that has waited for the mode's `max_wait` tries again for a match of at least the minimum.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::Duration,
};

use super::{
    Open, Pool, Proposal, Venue,
    nearest::{Cursor, Shelf},
    teams::{Draft, Part},
};
use crate::matchmaking::{mode::Mode, ticket::Ticket};

/// Most tickets outside each other's windows that are considered for one match in one region.
const MAX_REJECTED: usize = 128;

/// A ticket that can be proposed. Its index is its number: a lower one is older.
struct Seeker<'a> {
    ticket: &'a Ticket,
    waited: Duration,
    size: usize,
    strength: i64,
    rating: i32,
    window: u32,
    latency: u32,
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
}

struct Region<'a> {
    name: &'a str,
    /// Whether a room can be opened here.
    open: bool,
    /// By size of the party, starting at 1.
    shelves: Vec<Shelf>,
}

/// A search on all shelves of a region.
#[derive(Default)]
struct Search {
    /// A shelf that is no longer of use has no cursor.
    cursors: Vec<Option<Cursor>>,
    /// Whether a number of seats (from 0) can be filled by the sizes in reach.
    fills: Vec<bool>,
}

pub(super) fn round(pool: &Pool, now: Duration) -> Vec<Proposal> {
    let mut seekers: BTreeMap<&str, Vec<Seeker<'_>>> = BTreeMap::new();
    for (id, waiting) in &pool.tickets {
        if !pool.held.is_free(id, now) || pool.silent.contains(&waiting.ticket.home) {
            continue;
        }
        let mode = &pool.modes[&waiting.ticket.mode];
        let seeker = Seeker::new(mode, &waiting.ticket, waiting.waited(now));
        seekers.entry(&mode.name).or_default().push(seeker);
    }
    let mut proposals = Vec::new();
    for (name, seekers) in seekers {
        let free = pool.rooms.iter().filter(|(key, _)| pool.held_seats.is_free(key, now));
        let open = free.map(|(_, open)| open).filter(|open| open.vacancy.mode == name).collect();
        let mut round = Round::new(&pool.modes[name], seekers, pool, &open);
        round.fill_rooms(open, now);
        round.form_matches();
        proposals.append(&mut round.proposals);
    }
    proposals
}

impl<'a> Seeker<'a> {
    fn new(mode: &Mode, ticket: &'a Ticket, waited: Duration) -> Self {
        let (window, latency) = (mode.window.at(waited), mode.latency.at(waited));
        let (size, strength, rating) = (ticket.party.len(), ticket.strength(), ticket.rating());
        Self { ticket, waited, size, strength, rating, window, latency, near: 0..0 }
    }

    fn part(&self, seeker: usize) -> Part {
        Part { seeker, size: self.size, strength: self.strength }
    }

    /// The regions within its reach.
    fn reach(&self, regions: &[Region<'_>]) -> impl Iterator<Item = (u32, usize)> {
        let (ticket, latency) = (self.ticket, self.latency);
        let near = regions.iter().enumerate();
        near.filter_map(move |(index, region)| Some((ticket.distance(region.name).filter(|ms| *ms <= latency)?, index)))
    }
}

impl<'a> Round<'a> {
    fn new(mode: &'a Mode, mut seekers: Vec<Seeker<'a>>, pool: &'a Pool, rooms: &Vec<&'a Open>) -> Self {
        seekers.sort_unstable_by_key(|seeker| (Reverse(seeker.waited), seeker.ticket.id));
        let mut names: BTreeSet<&str> = pool.regions.iter().map(String::as_str).collect();
        names.extend(rooms.iter().map(|open| open.vacancy.region.as_str()));
        let region = |name| Region { name, open: pool.regions.contains(name), shelves: Vec::new() };
        let mut regions: Vec<_> = names.into_iter().map(region).collect();
        let near = Self::fill_shelves(&mut regions, &mut seekers, mode.team_size);
        let (taken, search) = (vec![false; seekers.len()], Search::default());
        Self { mode, taken, seekers, regions, near, search, proposals: Vec::new() }
    }

    /// Puts each ticket on the shelves of the regions within its reach. Returns [`Round::near`].
    fn fill_shelves(regions: &mut [Region<'_>], seekers: &mut [Seeker<'_>], sizes: usize) -> Vec<(u32, usize)> {
        let mut entries = vec![vec![Vec::new(); sizes]; regions.len()];
        let mut near = Vec::with_capacity(seekers.len());
        for (number, seeker) in seekers.iter_mut().enumerate() {
            let start = near.len();
            near.extend(seeker.reach(regions));
            near[start..].sort_unstable();
            seeker.near = start..near.len();
            for &(_, region) in &near[start..] {
                entries[region][seeker.size - 1].push((seeker.rating, number));
            }
        }
        for (region, entries) in regions.iter_mut().zip(entries) {
            region.shelves = entries.into_iter().map(Shelf::new).collect();
        }
        near
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
        let shelves = &mut regions[region].shelves;
        let Seeker { rating, window, .. } = seekers[anchor];
        let part = seekers[anchor].part(anchor);
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
                Some(team) if draft.tolerates(seekers[other].rating, seekers[other].window) => {
                    draft.put(team, seekers[other].part(other), seekers[other].rating, seekers[other].window);
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

    /// The oldest free ticket that differs from this one only in waiting, if it is in no team yet. Everything within
    /// the windows of the younger is within those of the older, which are at least as wide.
    fn eldest_equal(&mut self, anchor: usize, region: usize, teams: &[Vec<usize>]) -> usize {
        let mine = &self.seekers[anchor];
        let shelf = &mut self.regions[region].shelves[mine.size - 1];
        let older = shelf.older(mine.rating, anchor, &self.taken);
        let equal = |other: &Seeker<'_>| other.strength == mine.strength && other.ticket.regions == mine.ticket.regions;
        let mut free = older.into_iter().filter(|seeker| equal(&self.seekers[*seeker]));
        free.find(|seeker| !teams.iter().flatten().any(|other| other == seeker)).unwrap_or(anchor)
    }

    fn propose(&mut self, region: String, place: Venue, teams: &[Vec<usize>]) {
        for seeker in teams.iter().flatten() {
            self.taken[*seeker] = true;
        }
        let stated = |seeker: &usize| {
            let Seeker { ticket, waited, .. } = self.seekers[*seeker];
            Ticket { waited, ..ticket.clone() }
        };
        let teams = teams.iter().map(|team| team.iter().map(stated).collect()).collect();
        self.proposals.push(Proposal { mode: self.mode.name.clone(), region, place, teams });
    }
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
        self.fills[1..].fill(false);
        for (index, shelf) in shelves.iter_mut().enumerate() {
            let Some(cursor) = &mut self.cursors[index] else { continue };
            if shelf.nearest(cursor).is_some_and(|(_, seeker)| seeker == anchor) {
                shelf.pass(cursor, taken);
            }
            if shelf.nearest(cursor).is_some_and(|(distance, _)| distance <= window) {
                let size = index + 1;
                for seats in size..self.fills.len() {
                    self.fills[seats] |= self.fills[seats - size];
                }
            }
        }
        &self.fills
    }
}
