//! One round: goes through the free tickets, the oldest first, and gathers for each the nearest that go with it.
//!
//! Running rooms are filled first. Then each ticket in turn is the *anchor* of a match: its regions are tried, the nearest
//! first; other tickets are considered by how near their rating is, at most [`MAX_REJECTED`] that do not fit the windows,
//! and those whose size would leave a seat that no size in reach can fill are left out. An anchor that has waited for the
//! mode's `max_wait` tries again for a match of at least the minimum.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    Open, Place, Pool, Proposal,
    nearest::{Cursor, Shelf},
    teams::{Draft, Part},
};
use crate::matchmaking::{mode::Mode, ticket::Ticket};

/// So many tickets outside each other's windows are considered for one match in one region.
const MAX_REJECTED: usize = 128;

/// A ticket that can be proposed. Its index is its number: lower is older.
struct Seeker<'a> {
    ticket: &'a Ticket,
    waited: Duration,
    rating: i32,
    window: u32,
    latency: u32,
}

struct Round<'a> {
    mode: &'a Mode,
    seekers: Vec<Seeker<'a>>,
    taken: Vec<bool>,
    regions: Vec<Region<'a>>,
    proposals: Vec<Proposal>,
}

struct Region<'a> {
    name: &'a str,
    /// Whether a room can be opened here.
    open: bool,
    /// By size of the party, from 1.
    shelves: Vec<Shelf>,
}

/// A search on all shelves of a region; a shelf that is of no use any more has no cursor.
struct Search {
    cursors: Vec<Option<Cursor>>,
}

pub(super) fn round(pool: &Pool, now: Duration) -> Vec<Proposal> {
    let mut seekers: BTreeMap<&str, Vec<Seeker<'_>>> = BTreeMap::new();
    for (_, waiting) in pool.tickets.iter().filter(|(id, _)| pool.held.is_free(id, now)) {
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
        Self { ticket, waited, rating: ticket.rating(), window, latency }
    }

    fn part(&self, seeker: usize) -> Part {
        Part { seeker, size: self.ticket.party.len(), strength: self.ticket.strength() }
    }

    fn reaches(&self, region: &str) -> bool {
        self.ticket.distance(region).is_some_and(|ms| ms <= self.latency)
    }
}

impl<'a> Round<'a> {
    fn new(mode: &'a Mode, mut seekers: Vec<Seeker<'a>>, pool: &'a Pool, rooms: &Vec<&'a Open>) -> Self {
        seekers.sort_unstable_by_key(|seeker| (Reverse(seeker.waited), seeker.ticket.id));
        let mut names: BTreeSet<&str> = pool.regions.iter().map(String::as_str).collect();
        names.extend(rooms.iter().map(|open| open.vacancy.region.as_str()));
        let region = |name| Region::new(name, pool.regions.contains(name), mode, &seekers);
        let regions = names.into_iter().map(region).collect();
        Self { mode, taken: vec![false; seekers.len()], seekers, regions, proposals: Vec::new() }
    }

    /// Rooms with free seats get the nearest tickets that fit, the room with the longest waiting first.
    fn fill_rooms(&mut self, mut rooms: Vec<&Open>, now: Duration) {
        let waited = |open: &Open| open.vacancy.waited.saturating_add(now.saturating_sub(open.heard));
        rooms.sort_by_key(|open| (Reverse(waited(open)), open.vacancy.room, open.vacancy.team));
        for open in rooms {
            let (vacancy, window) = (&open.vacancy, self.mode.window.at(waited(open)));
            let mut teams = vec![Vec::new(); self.mode.teams];
            teams[vacancy.team] = self.newcomers(open, window);
            let place = Place::Running { room: vacancy.room, host: vacancy.host, team: vacancy.team };
            if !teams[vacancy.team].is_empty() {
                self.propose(vacancy.region.clone(), place, &teams);
            }
        }
    }

    fn newcomers(&mut self, open: &Open, window: u32) -> Vec<usize> {
        let (vacancy, taken) = (&open.vacancy, &self.taken);
        let region =
            self.regions.iter_mut().find(|region| region.name == vacancy.region).expect("rooms' are among them");
        let (mut seats, mut rejected, mut newcomers) = (vacancy.seats, 0, Vec::new());
        let mut search = Search::new(&mut region.shelves, vacancy.rating, taken);
        while let Some((distance, size, seeker)) = search.nearest(&region.shelves) {
            if distance > window || rejected > MAX_REJECTED || seats == 0 {
                break;
            }
            if size > seats {
                search.leave(size);
                continue;
            }
            if distance <= self.seekers[seeker].window {
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
                self.propose(self.regions[region].name.to_owned(), Place::New, &teams);
            }
        }
    }

    /// A match around this ticket, and where: full, or if it has waited for long, of the minimum.
    fn form_match(&mut self, anchor: usize) -> Option<(usize, Vec<Vec<usize>>)> {
        let seeker = &self.seekers[anchor];
        let distance = |region: &Region<'_>| seeker.ticket.distance(region.name).filter(|ms| *ms <= seeker.latency);
        let near = self.regions.iter().enumerate().filter(|(_, region)| region.open);
        let mut near: Vec<_> = near.filter_map(|(index, region)| Some((distance(region)?, index))).collect();
        near.sort_unstable();
        let fewer = seeker.waited >= self.mode.max_wait && self.mode.min_players < self.mode.seats();
        for full in [true, false] {
            for &(_, region) in near.iter().filter(|_| full || fewer) {
                if let Some(teams) = self.draft(anchor, region, full) {
                    return Some((region, teams));
                }
            }
        }
        None
    }

    fn draft(&mut self, anchor: usize, region: usize, full: bool) -> Option<Vec<Vec<usize>>> {
        let (shelves, taken, seekers) = (&mut self.regions[region].shelves, &self.taken, &self.seekers);
        let Seeker { rating, window, .. } = seekers[anchor];
        let mut search = Search::new(shelves, rating, taken);
        let fills = match full {
            true => search.fills(anchor, window, shelves, taken),
            false => vec![true; shelves.len() + 1],
        };
        let mut draft = Draft::new(self.mode);
        let part = seekers[anchor].part(anchor);
        draft.put(draft.room_for(part.size, &fills)?, part, rating, window);
        let mut rejected = 0;
        while let Some((distance, size, other)) = search.nearest(shelves) {
            if distance > window || rejected > MAX_REJECTED || draft.is_full() {
                break;
            }
            match draft.room_for(size, &fills) {
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

    /// The oldest free ticket that differs from this one only in waiting, if it is in no team yet. What is within the
    /// windows of the younger is within those of the older, which are at least as wide.
    fn eldest_equal(&mut self, anchor: usize, region: usize, teams: &[Vec<usize>]) -> usize {
        let mine = &self.seekers[anchor];
        let shelf = &mut self.regions[region].shelves[mine.ticket.party.len() - 1];
        let older = shelf.older(mine.rating, anchor, &self.taken);
        let equal = |other: &Ticket| other.strength() == mine.ticket.strength() && other.regions == mine.ticket.regions;
        let mut free = older.into_iter().filter(|seeker| equal(self.seekers[*seeker].ticket));
        free.find(|seeker| !teams.iter().flatten().any(|other| other == seeker)).unwrap_or(anchor)
    }

    fn propose(&mut self, region: String, place: Place, teams: &[Vec<usize>]) {
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

impl<'a> Region<'a> {
    fn new(name: &'a str, open: bool, mode: &Mode, seekers: &[Seeker<'_>]) -> Self {
        let mut sizes = vec![Vec::new(); mode.team_size];
        for (number, seeker) in seekers.iter().enumerate().filter(|(_, seeker)| seeker.reaches(name)) {
            sizes[seeker.ticket.party.len() - 1].push((seeker.rating, number));
        }
        Self { name, open, shelves: sizes.into_iter().map(Shelf::new).collect() }
    }
}

impl Search {
    fn new(shelves: &mut [Shelf], rating: i32, taken: &[bool]) -> Self {
        Self { cursors: shelves.iter_mut().map(|shelf| Some(shelf.search(rating, taken))).collect() }
    }

    /// The nearest ticket: how far off, its size, and its number. Of several the oldest.
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

    /// Tickets of this size are of no use any more.
    fn leave(&mut self, size: usize) {
        self.cursors[size - 1] = None;
    }

    /// Which numbers of seats can be filled by the sizes that are within the window, without the anchor, if there are
    /// enough of each.
    fn fills(&mut self, anchor: usize, window: u32, shelves: &mut [Shelf], taken: &[bool]) -> Vec<bool> {
        let mut fills = vec![false; shelves.len() + 1];
        fills[0] = true;
        for (index, shelf) in shelves.iter_mut().enumerate() {
            let Some(cursor) = &mut self.cursors[index] else { continue };
            if shelf.nearest(cursor).is_some_and(|(_, seeker)| seeker == anchor) {
                shelf.pass(cursor, taken);
            }
            if shelf.nearest(cursor).is_some_and(|(distance, _)| distance <= window) {
                let size = index + 1;
                for seats in size..fills.len() {
                    fills[seats] |= fills[seats - size];
                }
            }
        }
        fills
    }
}
