//! The client's mirror of a world: one [`Table`] per group of its view, each at its own version, checked by hash.
//!
//! A replica takes frames and says what to report; the client opens sockets, keeps clocks and draws. After any error
//! nothing that it holds can be trusted: ask for everything again with [`Replica::resync`].

use std::{cmp::Ordering, collections::BTreeMap};

use crate::{
    frame::{BadFrame, BitList, Cursor, Head, part_flags},
    hash::StateHash,
    id::{EntityId, GroupId, Tick},
    protocol::{PIECE, Report, Resync, limits},
    replicate::{EntitySchema, Layout, Replicate},
};

mod anatomy;
mod applied;
mod error;
mod pieces;
mod seen;
mod shown;
mod table;
#[cfg(test)]
mod tests;

pub use anatomy::Anatomy;
pub use applied::{Applied, Event};
pub use error::{BadChunk, ReplicaError};
use pieces::{Joined, Pieces};
use seen::Seen;
pub use shown::Shown;
use table::{Gone, Others};
pub use table::{Table, TableMember};

/// Everything that one client sees of a room.
#[derive(Clone, Debug)]
pub struct Replica {
    layout: Layout,
    epoch: u32,
    started: bool,
    tick: Option<Tick>,
    view: Vec<Seen>,
    /// The groups that the frame being applied removes from the view.
    left: Vec<Seen>,
    own: Option<Seen>,
    events: Vec<Event>,
    consumed: u64,
    events_lost: u64,
    sent: u32,
    /// The tick of the last head read, applied or not: shortened ticks count from it.
    last_head: Tick,
    pieces: Pieces,
    anatomy: Anatomy,
}

impl Replica {
    /// An empty mirror that waits for the first frame of `epoch`.
    pub fn new(schema: &EntitySchema, epoch: u32) -> Self {
        Self {
            layout: Layout::new(schema),
            epoch,
            started: false,
            tick: None,
            view: Vec::new(),
            left: Vec::new(),
            own: None,
            events: Vec::new(),
            consumed: 0,
            events_lost: 0,
            sent: 0,
            last_head: Tick(0),
            pieces: Pieces::default(),
            anatomy: Anatomy::default(),
        }
    }

    /// Applies a frame message, or takes a piece of one; with the last piece the frame is applied.
    ///
    /// # Errors
    ///
    /// [`ReplicaError`] if it cannot be applied or leads to another state than the server's.
    pub fn apply(&mut self, bytes: &[u8]) -> Result<Applied, ReplicaError> {
        if bytes.first() != Some(&PIECE) {
            return self.apply_frame(bytes);
        }
        match self.pieces.take(bytes, self.epoch)? {
            Joined::Stale => Ok(Applied::Stale),
            Joined::More => Ok(Applied::Piece),
            Joined::Whole(frame) => self.apply_frame(&frame),
        }
    }

    fn apply_frame(&mut self, bytes: &[u8]) -> Result<Applied, ReplicaError> {
        match Head::read_epoch(bytes)?.cmp(&self.epoch) {
            Ordering::Less => return Ok(Applied::Stale),
            Ordering::Equal if !self.pieces.is_pending() => {}
            Ordering::Equal | Ordering::Greater => return Err(BadFrame::OutOfRange.into()),
        }
        let mut cursor = Cursor::new(bytes);
        let head = Head::read(&mut cursor, self.last_head, self.sent)?;
        self.last_head = head.tick;
        if !head.start && !self.started {
            return Err(ReplicaError::NoStart);
        }
        self.started = true;
        let fresh = self.tick.unwrap_or(Tick(0));
        let before = self.anatomy.bits();
        self.left.clear();
        let mut events = Vec::new();
        self.apply_body(&mut cursor, &head, fresh, &mut events)?;
        if head.own {
            self.apply_own(&mut cursor, &head, fresh, &mut events)?;
        } else if head.start {
            self.own = None;
        }
        if !cursor.rest.is_empty() {
            return Err(BadFrame::Trailing.into());
        }
        self.anatomy.frames += 1;
        self.anatomy.heads += 8 * bytes.len() as u64 - (self.anatomy.bits() - before);
        self.tick = Some(head.tick);
        self.take_events(events);
        match head.hash {
            Some(hash) if hash != self.hash() => Err(ReplicaError::HashMismatch(head.tick)),
            _ => Ok(Applied::Frame(head)),
        }
    }

    fn apply_body<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        head: &Head,
        fresh: Tick,
        events: &mut Vec<(u64, &'a [u8])>,
    ) -> Result<(), ReplicaError> {
        let flags = cursor.flags(part_flags::BODY)?;
        let has = |flag| flags & flag != 0;
        if has(part_flags::VIEW) {
            self.change_view(cursor, head.start)?;
        } else if head.start {
            return Err(ReplicaError::NoStart);
        }
        let bits = |cursor: &mut Cursor<'a>, flag, count| {
            if has(flag) { cursor.bit_list(count) } else { Ok(BitList::default()) }
        };
        let behind = bits(cursor, part_flags::BEHIND, self.view.len())?;
        let chunks = bits(cursor, part_flags::CHUNKS, self.view.len())?;
        let mut gone = Gone::default();
        for index in 0..self.view.len() {
            if chunks.get(index) {
                let seen = &mut self.view[index];
                let (group, fresh) = (seen.id, seen.behind.unwrap_or(fresh));
                let mut table = std::mem::take(&mut seen.table);
                let (layout, anatomy) = (&self.layout, &mut self.anatomy);
                let others = Others { view: &self.view, chunks, index, left: &self.left };
                let frame = &mut table::Frame { layout, tick: head.tick, others, gone: &mut gone, anatomy };
                let read = table.read(frame, group, cursor.rest, fresh);
                self.view[index].table = table;
                cursor.take(read.map_err(|reason| ReplicaError::Chunk { group, reason })?)?;
            }
            self.view[index].mark_behind(behind.get(index), chunks.get(index), fresh);
        }
        self.left.clear();
        self.read_events(cursor, flags, events)
    }

    fn apply_own<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        head: &Head,
        fresh: Tick,
        events: &mut Vec<(u64, &'a [u8])>,
    ) -> Result<(), ReplicaError> {
        let flags = cursor.flags(part_flags::OWN)?;
        let has = |flag| flags & flag != 0;
        if has(part_flags::GROUP) {
            let id = GroupId(cursor.varint_u32()?);
            if self.own.as_ref().is_none_or(|own| own.id != id) {
                self.own = Some(Seen::new(id));
            }
        } else if head.start {
            self.own = None;
        }
        if let Some(own) = &mut self.own {
            if has(part_flags::CHUNKS) {
                let (group, fresh) = (own.id, own.behind.unwrap_or(fresh));
                let (layout, gone, anatomy) = (&self.layout, &mut Gone::default(), &mut self.anatomy);
                let frame = &mut table::Frame { layout, tick: head.tick, others: Others::default(), gone, anatomy };
                let read = own.table.read(frame, group, cursor.rest, fresh);
                cursor.take(read.map_err(|reason| ReplicaError::Chunk { group, reason })?)?;
            }
            own.mark_behind(has(part_flags::BEHIND), has(part_flags::CHUNKS), fresh);
        } else if has(part_flags::CHUNKS) || has(part_flags::BEHIND) {
            return Err(BadFrame::OutOfRange.into());
        }
        self.read_events(cursor, flags, events)
    }

    fn read_events<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        flags: u8,
        events: &mut Vec<(u64, &'a [u8])>,
    ) -> Result<(), ReplicaError> {
        if flags & part_flags::LOST != 0 {
            self.events_lost += 1;
        }
        if flags & part_flags::EVENTS != 0 {
            let before = cursor.rest.len();
            cursor.events(|number, bytes| events.push((number, bytes)))?;
            self.anatomy.events += 8 * (before - cursor.rest.len()) as u64;
        }
        Ok(())
    }

    fn change_view(&mut self, cursor: &mut Cursor<'_>, start: bool) -> Result<(), BadFrame> {
        if start {
            let view = cursor.rising()?;
            let mut old = std::mem::take(&mut self.view).into_iter().peekable();
            for id in view.into_iter().map(GroupId) {
                while old.next_if(|seen| seen.id < id).is_some() {}
                self.view.push(old.next_if(|seen| seen.id == id).unwrap_or_else(|| Seen::new(id)));
            }
            return Ok(());
        }
        let removed = cursor.rising()?;
        if removed.last().is_some_and(|index| *index as usize >= self.view.len()) {
            return Err(BadFrame::OutOfRange);
        }
        for index in removed.into_iter().rev() {
            let seen = self.view.remove(index as usize);
            self.left.push(seen);
        }
        for id in cursor.rising()?.into_iter().map(GroupId) {
            match self.view.binary_search_by_key(&id, |seen| seen.id) {
                Ok(_) => return Err(BadFrame::OutOfRange),
                Err(index) => self.view.insert(index, Seen::new(id)),
            }
        }
        Ok(())
    }

    /// Merges shared and own events by their numbers and drops those consumed before a resync.
    fn take_events(&mut self, mut events: Vec<(u64, &[u8])>) {
        events.sort_by_key(|(number, _)| *number);
        for (number, bytes) in events {
            if number > self.consumed {
                self.consumed = number;
                self.events.push(Event { number, bytes: bytes.to_vec() });
            }
        }
    }

    /// Takes the events that arrived since the last call, in order.
    pub fn drain_events(&mut self) -> impl Iterator<Item = Event> {
        self.events.drain(..)
    }

    /// The report to the server.
    pub fn report(&self) -> Report {
        Report { epoch: self.epoch, applied: self.tick.unwrap_or(Tick(0)), event: self.consumed }
    }

    /// Begins a new epoch and returns the request to send: frames of the old one are dropped from now on. With `anew`
    /// everything is forgotten and asked for again; otherwise the server continues from what is held.
    pub fn resync(&mut self, anew: bool) -> Resync {
        self.epoch += 1;
        self.started = false;
        self.pieces = Pieces::default();
        if anew {
            self.forget();
        }
        Resync { epoch: self.epoch, applied: self.tick, event: self.consumed }
    }

    /// Undoes the applied ticks, which have not happened: forgets everything but the consumed events, and waits for the
    /// first frame of the epoch, which states everything.
    pub fn rewind(&mut self) {
        self.forget();
        self.started = false;
        self.pieces = Pieces::default();
    }

    fn forget(&mut self) {
        self.tick = None;
        self.view.clear();
        self.own = None;
    }

    /// The groups whose tables are current at the last applied tick, the own group included, in ascending order, for a
    /// resume.
    pub fn current_groups(&self) -> Vec<u32> {
        let current = self.view.iter().chain(&self.own).filter(|seen| seen.behind.is_none());
        let mut groups: Vec<u32> = current.map(|seen| seen.id.0).collect();
        groups.sort_unstable();
        groups.truncate(limits::RESUME_GROUPS);
        groups
    }

    /// Remembers the highest input number sent, from which shortened numbers in heads are counted.
    pub fn sent_input(&mut self, number: u32) {
        self.sent = number;
    }

    /// The hash of the held groups, without those that are behind.
    pub fn hash(&self) -> StateHash {
        let mut hash = StateHash::default();
        for seen in self.view.iter().chain(&self.own).filter(|seen| seen.behind.is_none()) {
            hash += seen.table.hash().in_view(seen.id, seen.table.version());
        }
        hash
    }

    /// The tick of the last frame applied.
    pub fn tick(&self) -> Option<Tick> {
        self.tick
    }

    /// The epoch that is being applied or waited for.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The number of frames that told of dropped events for this client.
    pub fn events_lost(&self) -> u64 {
        self.events_lost
    }

    /// The bits of all frames applied so far, by purpose.
    pub fn anatomy(&self) -> Anatomy {
        self.anatomy
    }

    /// The widths and codings of the kinds.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The tables in the order of their groups, the own group last, each with whether it is behind.
    pub fn tables(&self) -> impl Iterator<Item = (GroupId, &Table, bool)> {
        self.view.iter().chain(&self.own).map(|seen| (seen.id, &seen.table, seen.behind.is_some()))
    }

    /// The own group, once it is known.
    pub fn own_group(&self) -> Option<GroupId> {
        self.own.as_ref().map(|own| own.id)
    }

    /// All entities to show. While a group is behind, one slot may be in two tables: the newer one shows it.
    pub fn shown(&self) -> impl Iterator<Item = Shown<'_>> {
        let doubled = self.newest_by_slot();
        self.view.iter().chain(&self.own).flat_map(move |seen| {
            let newest = doubled.clone();
            let tick = seen.behind.or(self.tick).unwrap_or(Tick(0));
            seen.table.members().iter().enumerate().filter_map(move |(index, member)| {
                let hidden = newest.as_ref().is_some_and(|newest| newest.get(&member.slot) != Some(&seen.id));
                (!hidden).then(|| Shown {
                    member: *member,
                    group: seen.id,
                    lanes: seen.table.lanes(&self.layout, index),
                    blobs: seen.table.blobs(&self.layout, index),
                    tick,
                    kind: &self.layout.kinds[member.kind as usize],
                })
            })
        })
    }

    /// The group that shows each slot; `None` while no group is behind, because no slot can be in two tables then.
    fn newest_by_slot(&self) -> Option<BTreeMap<u16, GroupId>> {
        let seen = || self.view.iter().chain(&self.own);
        seen().any(|seen| seen.behind.is_some()).then(|| {
            let mut newest: BTreeMap<u16, (Tick, GroupId)> = BTreeMap::new();
            for seen in seen() {
                for member in seen.table.members() {
                    let this = (seen.table.version(), seen.id);
                    newest.entry(member.slot).and_modify(|held| *held = (*held).max(this)).or_insert(this);
                }
            }
            newest.into_iter().map(|(slot, (_, group))| (slot, group)).collect()
        })
    }

    /// One entity as the author's type, if it is shown.
    pub fn entity<E: Replicate>(&self, id: EntityId) -> Option<E> {
        let wanted = (id.slot as u16, id.generation as u16);
        self.shown().find(|shown| (shown.member.slot, shown.member.generation) == wanted)?.restore()
    }
}
