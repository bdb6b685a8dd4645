//! The entities of a room: plain structs that game code mutates, grouped by interest, quantized and compared by
//! [`World::commit`].
//!
//! The world hands out `&mut` only through its own methods, so it knows which entities were touched, and looks at no
//! others. [`Committed`] holds the committed state, and [`crate::chunk`] encodes it.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::{
    grid::Grid,
    id::{PlayerId, Tick},
    replicate::{Layout, Quantized, Replicate},
};

mod committed;
mod saved;
#[cfg(test)]
mod tests;

pub use crate::id::{EntityId, GroupId, MAX_ENTITIES};
pub use committed::{Committed, Fault, Group, Member, Move};
pub use saved::BadSave;
pub(crate) use saved::SavedWorld;

/// A slot is used again only while this many others are free.
const FREE_SLOTS_KEPT: usize = 32;

/// The players who may see a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Audience {
    /// Everybody whose view lists the group.
    Shared,
    /// Nobody: positions outside the grid.
    Overflow,
    /// The owner, always.
    Own(PlayerId),
    /// Nobody, until it is given to the next player.
    Free,
}

/// Values that a world had to bend, counted since its creation. In a strict world each one panics instead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bent {
    /// Fields out of range, not a number, or too long.
    pub fields: u64,
    /// Commits of an entity whose position was outside the grid.
    pub outside: u64,
    /// Entities that were not spawned because the world was full.
    pub full: u64,
}

/// The location of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Location {
    /// In the cell of its position, or in group 0 without a grid.
    Grid,
    /// In the group where the game put it.
    Group(GroupId),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Slot<E> {
    entity: Option<E>,
    generation: u32,
    location: Location,
}

/// The position of an entity on the grid. Not asked for entities that the game put into a group of its choice.
pub type Position<E> = fn(&E) -> [f32; 2];

/// All entities of a room.
#[derive(Clone, Debug)]
pub struct World<E: Replicate> {
    slots: Vec<Slot<E>>,
    free: VecDeque<u16>,
    touched: Vec<u64>,
    len: usize,
    grid: Option<(Grid, Position<E>)>,
    audiences: Vec<Audience>,
    owned: BTreeMap<PlayerId, GroupId>,
    committed: Committed,
    scratch: Quantized,
    strict: bool,
    bent: Bent,
}

impl<E: Replicate> Default for World<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Replicate> World<E> {
    /// An empty world with group 0 and no grid. Strict in debug builds.
    pub fn new() -> Self {
        let mut committed = Committed::new(Layout::new(&E::schema()));
        committed.grow_groups(1, true);
        Self {
            slots: Vec::new(),
            free: VecDeque::new(),
            touched: Vec::new(),
            len: 0,
            grid: None,
            audiences: vec![Audience::Shared],
            owned: BTreeMap::new(),
            committed,
            scratch: Quantized::default(),
            strict: cfg!(debug_assertions),
            bent: Bent::default(),
        }
    }

    /// Sets a grid: groups are its cells, and entities are in the cell of their position unless the game puts them
    /// elsewhere. A game should use [`Game::grid`](crate::game::Game::grid) instead, which a restored room asks for its
    /// grid.
    ///
    /// # Panics
    ///
    /// If further groups or any entities exist already.
    pub fn set_grid(&mut self, grid: Grid, position: Position<E>) {
        assert!(self.slots.is_empty() && self.audiences.len() == 1, "a grid comes before entities and groups");
        self.audiences = vec![Audience::Shared; grid.cells() as usize];
        self.committed.grow_groups(self.audiences.len(), true);
        self.audiences.push(Audience::Overflow);
        self.committed.grow_groups(self.audiences.len(), false);
        self.grid = Some((grid, position));
    }

    /// The grid, if any.
    pub fn grid(&self) -> Option<&Grid> {
        self.grid.as_ref().map(|(grid, _)| grid)
    }

    /// Sets whether values out of range and positions outside the grid panic instead of being bent and counted.
    pub fn set_strict(&mut self, strict: bool) {
        self.strict = strict;
    }

    /// The values bent so far.
    pub fn bent(&self) -> Bent {
        Bent { fields: self.scratch.errors, ..self.bent }
    }

    /// Adds an entity; [`EntityId::NONE`] if the world is full. Clients see it from the next commit on.
    pub fn spawn(&mut self, entity: E) -> EntityId {
        self.spawn_at(Location::Grid, entity)
    }

    /// Adds an entity to a group of the game's choice, wherever its position is. With an unknown group, the grid
    /// decides.
    pub fn spawn_in(&mut self, group: GroupId, entity: E) -> EntityId {
        self.spawn_at(if self.exists(group) { Location::Group(group) } else { Location::Grid }, entity)
    }

    fn spawn_at(&mut self, location: Location, entity: E) -> EntityId {
        let fresh = self.slots.len() < MAX_ENTITIES && self.free.len() <= FREE_SLOTS_KEPT;
        let slot = if fresh {
            self.slots.push(Slot { entity: None, generation: 0, location });
            (self.slots.len() - 1) as u16
        } else if let Some(slot) = self.free.pop_front() {
            slot
        } else {
            self.bent.full += 1;
            return EntityId::NONE;
        };
        let entry = &mut self.slots[slot as usize];
        entry.entity = Some(entity);
        entry.location = location;
        let id = EntityId { slot: u32::from(slot), generation: entry.generation };
        self.len += 1;
        self.touch(id.slot);
        id
    }

    /// Removes an entity and returns it.
    pub fn despawn(&mut self, id: EntityId) -> Option<E> {
        let entry = self.slots.get_mut(id.slot as usize).filter(|entry| entry.generation == id.generation)?;
        let entity = entry.entity.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push_back(id.slot as u16);
        self.len -= 1;
        self.touch(id.slot);
        Some(entity)
    }

    /// An entity by its id.
    pub fn get(&self, id: EntityId) -> Option<&E> {
        self.slots.get(id.slot as usize).filter(|entry| entry.generation == id.generation)?.entity.as_ref()
    }

    /// An entity to change. The next commit looks at it.
    pub fn get_mut(&mut self, id: EntityId) -> Option<&mut E> {
        self.get(id)?;
        self.touch(id.slot);
        self.slots[id.slot as usize].entity.as_mut()
    }

    /// All entities in the order of their slots.
    pub fn iter(&self) -> impl Iterator<Item = (EntityId, &E)> {
        self.slots.iter().enumerate().filter_map(|(slot, entry)| {
            let id = EntityId { slot: slot as u32, generation: entry.generation };
            entry.entity.as_ref().map(|entity| (id, entity))
        })
    }

    /// All entities to change, in the order of their slots. The next commit looks at every one.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (EntityId, &mut E)> {
        let touched = &mut self.touched;
        self.slots.iter_mut().enumerate().filter_map(|(slot, entry)| {
            let id = EntityId { slot: slot as u32, generation: entry.generation };
            entry.entity.as_mut().map(|entity| {
                touched[slot / 64] |= 1 << (slot % 64);
                (id, entity)
            })
        })
    }

    /// The number of entities.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no entities.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Makes a group that views may list: a team, a floor. It is never given back.
    pub fn new_group(&mut self) -> GroupId {
        self.add_group(Audience::Shared)
    }

    /// The group that only this player sees. Made at the first call.
    pub fn own_group(&mut self, player: PlayerId) -> GroupId {
        if let Some(group) = self.own_group_of(player) {
            return group;
        }
        let group = match self.audiences.iter().position(|audience| *audience == Audience::Free) {
            Some(free) => {
                self.audiences[free] = Audience::Own(player);
                GroupId(free as u32)
            }
            None => self.add_group(Audience::Own(player)),
        };
        self.owned.insert(player, group);
        group
    }

    /// The group that only this player sees, if it was ever made.
    pub fn own_group_of(&self, player: PlayerId) -> Option<GroupId> {
        self.owned.get(&player).copied()
    }

    /// The player who owns a group.
    pub fn owner(&self, group: GroupId) -> Option<PlayerId> {
        match self.audiences.get(group.0 as usize) {
            Some(Audience::Own(player)) => Some(*player),
            _ => None,
        }
    }

    /// Despawns the entities in a player's own group and frees the group for the next player.
    pub fn drop_own_group(&mut self, player: PlayerId) {
        let Some(group) = self.owned.remove(&player) else { return };
        let inside: Vec<EntityId> =
            self.iter().map(|(id, _)| id).filter(|id| self.location(*id) == Location::Group(group)).collect();
        for id in inside {
            self.despawn(id);
        }
        self.audiences[group.0 as usize] = Audience::Free;
    }

    /// Puts an entity into a group of the game's choice; clients see it from the next commit on.
    pub fn move_to(&mut self, id: EntityId, group: GroupId) {
        self.set_location(id, Location::Group(group));
    }

    /// Lets the grid decide again where an entity is.
    pub fn move_to_grid(&mut self, id: EntityId) {
        self.set_location(id, Location::Grid);
    }

    /// The group of an entity at the last commit.
    pub fn group_of(&self, id: EntityId) -> Option<GroupId> {
        self.get(id)?;
        let member = self.committed.member(id.slot as u16);
        member.group.filter(|_| member.generation == id.generation as u16)
    }

    /// The groups that views may list, in ascending order.
    pub fn shared_groups(&self) -> impl Iterator<Item = GroupId> {
        let shared = self.audiences.iter().enumerate().filter(|(_, audience)| **audience == Audience::Shared);
        shared.map(|(group, _)| GroupId(group as u32))
    }

    /// Whether views may list this group.
    pub fn is_shared(&self, group: GroupId) -> bool {
        self.audiences.get(group.0 as usize) == Some(&Audience::Shared)
    }

    /// The state fixed by the last commit.
    pub fn committed(&self) -> &Committed {
        &self.committed
    }

    /// Quantizes the entities touched since the last commit, and those that move by a linear lane, compares them with
    /// the committed state, and fixes the difference as the state of `tick`, which must be above that of the last
    /// commit.
    ///
    /// # Panics
    ///
    /// In a strict world, if a value was out of range or a position outside the grid.
    pub fn commit(&mut self, tick: Tick) {
        self.committed.begin(tick);
        for word in 0..self.touched.len() {
            let mut bits = std::mem::take(&mut self.touched[word]) | self.committed.moving(word);
            while bits != 0 {
                self.commit_slot((word * 64) as u16 + bits.trailing_zeros() as u16);
                bits &= bits - 1;
            }
        }
        self.committed.finish();
    }

    fn commit_slot(&mut self, slot: u16) {
        let entry = &self.slots[slot as usize];
        let Some(entity) = &entry.entity else { return self.committed.remove(slot) };
        let generation = entry.generation as u16;
        let errors = self.scratch.errors;
        self.scratch.clear();
        entity.quantize(&mut self.scratch);
        let group = match (entry.location, &self.grid) {
            (Location::Group(group), _) => group,
            (Location::Grid, None) => GroupId(0),
            (Location::Grid, Some((grid, position))) => {
                let old = self.committed.member(slot);
                let current = old.group.filter(|_| old.generation == generation);
                grid.cell_from(current, position(entity)).unwrap_or_else(|| {
                    self.bent.outside += 1;
                    grid.overflow()
                })
            }
        };
        if self.strict {
            assert!(
                self.scratch.errors == errors,
                "entity in slot {slot} has a value out of range, not a number or too long"
            );
            assert!(self.bent.outside == 0, "entity in slot {slot} is outside the grid");
        }
        self.committed.put(slot, generation, entity.kind(), group, &self.scratch);
    }

    fn add_group(&mut self, audience: Audience) -> GroupId {
        self.audiences.push(audience);
        self.committed.grow_groups(self.audiences.len(), audience == Audience::Shared);
        GroupId(self.audiences.len() as u32 - 1)
    }

    fn exists(&self, group: GroupId) -> bool {
        self.audiences.get(group.0 as usize).is_some_and(|audience| *audience != Audience::Free)
    }

    fn location(&self, id: EntityId) -> Location {
        self.slots[id.slot as usize].location
    }

    /// Does nothing for an unknown group: the entity stays where it is.
    fn set_location(&mut self, id: EntityId, location: Location) {
        let known = !matches!(location, Location::Group(group) if !self.exists(group));
        if known && self.get(id).is_some() {
            self.slots[id.slot as usize].location = location;
            self.touch(id.slot);
        }
    }

    fn touch(&mut self, slot: u32) {
        let word = slot as usize / 64;
        if word >= self.touched.len() {
            self.touched.resize(word + 1, 0);
        }
        self.touched[word] |= 1 << (slot % 64);
    }
}
