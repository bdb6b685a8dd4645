//! Saves a world and restores it.
//!
//! The entities are the author's types, so they are saved by the names of their fields; their committed state is saved
//! as bytes of our own. If the schema has changed, everything is committed again.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Audience, Bent, Committed, Location, MAX_ENTITIES, Position, Slot, World};
use crate::{
    grid::Grid,
    id::{GroupId, Tick},
    replicate::{Layout, Quantized, Replicate},
};

/// The reason why saved bytes are no state of a game.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadSave {
    /// They are of another version.
    #[error("version {0} of saved states is unknown")]
    Version(u8),
    /// The author's types cannot read their saved state.
    #[error("the game does not read its state: {0}")]
    Game(String),
    /// The bytes end early, or have impossible content.
    #[error("malformed bytes: {0}")]
    Malformed(&'static str),
    /// The world had a grid, and `Game::grid` gives none, or a different one.
    #[error("the grid is not the one that `Game::grid` gives for this config")]
    Grid,
}

/// A saved world without its committed state. `T` is an entity, or a reference to one.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedWorld<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u16>,
    touched: Vec<u64>,
    audiences: Vec<Audience>,
    grid: Option<Grid>,
    strict: bool,
    bent: Bent,
    /// The number of fields that had to be bent.
    errors: u64,
}

impl<E: Replicate> World<E> {
    /// The world without its committed state, and that state.
    pub(crate) fn save(&self) -> (SavedWorld<&E>, Vec<u8>) {
        let slot = |slot| {
            let &Slot { ref entity, generation, location } = slot;
            Slot { entity: entity.as_ref(), generation, location }
        };
        let saved = SavedWorld {
            slots: self.slots.iter().map(slot).collect(),
            free: self.free.iter().copied().collect(),
            touched: self.touched.clone(),
            audiences: self.audiences.clone(),
            grid: self.grid().cloned(),
            strict: self.strict,
            bent: self.bent,
            errors: self.scratch.errors,
        };
        (saved, self.committed.save(&E::schema()))
    }

    /// Restores the world that was saved at a tick.
    ///
    /// # Errors
    ///
    /// [`BadSave::Malformed`] and [`BadSave::Grid`].
    pub(crate) fn restore(
        saved: SavedWorld<E>,
        committed: &[u8],
        tick: Tick,
        grid: Option<(Grid, Position<E>)>,
    ) -> Result<Self, BadSave> {
        if saved.grid.as_ref() != grid.as_ref().map(|(grid, _)| grid) {
            return Err(BadSave::Grid);
        }
        saved.check()?;
        let schema = E::schema();
        let shared: Vec<bool> = saved.audiences.iter().map(|audience| *audience == Audience::Shared).collect();
        let restored = Committed::restore(committed, &schema, &shared, saved.slots.len())?;
        if restored.as_ref().map_or_else(|tick| *tick, Committed::tick) > tick {
            return Err(BadSave::Malformed("what was committed later than it is"));
        }
        let SavedWorld { slots, free, touched, audiences, strict, bent, errors, .. } = saved;
        let owned = |(group, audience): (usize, &Audience)| match audience {
            Audience::Own(player) => Some((*player, GroupId(group as u32))),
            _ => None,
        };
        let mut world = Self {
            len: slots.iter().filter(|slot| slot.entity.is_some()).count(),
            owned: audiences.iter().enumerate().filter_map(owned).collect::<BTreeMap<_, _>>(),
            slots,
            free: free.into(),
            touched,
            grid,
            audiences,
            committed: Committed::new(Layout::new(&schema)),
            scratch: Quantized { errors, ..Quantized::default() },
            // A release build is not strict, even if a debug build saved the world.
            strict: strict && cfg!(debug_assertions),
            bent,
        };
        match restored {
            Ok(committed) => world.committed = committed,
            Err(tick) => world.commit_anew(tick, &shared),
        }
        Ok(world)
    }

    /// Commits everything as if it had just been spawned, because the schema has changed.
    fn commit_anew(&mut self, tick: Tick, shared: &[bool]) {
        for (count, shared) in (1..).zip(shared) {
            self.committed.grow_groups(count, *shared);
        }
        let Some(before) = tick.0.checked_sub(1) else { return };
        self.committed.skip_to(Tick(before));
        self.touched = vec![0; self.slots.len().div_ceil(64)];
        for slot in (0..self.slots.len()).filter(|slot| self.slots[*slot].entity.is_some()) {
            self.touched[slot / 64] |= 1 << (slot % 64);
        }
        // Values in range by the old schema need not be in range by this one.
        let strict = mem::replace(&mut self.strict, false);
        self.commit(tick);
        self.strict = strict;
    }
}

impl<E> SavedWorld<E> {
    /// Checks everything that the methods of a world rely on.
    fn check(&self) -> Result<(), BadSave> {
        let fail = |what| Err(BadSave::Malformed(what));
        let (slots, groups) = (self.slots.len(), self.audiences.len());
        if slots > MAX_ENTITIES || groups == 0 {
            return fail("too many entities, or no group");
        }
        let empty = |slot: &u16| self.slots.get(usize::from(*slot)).is_some_and(|slot| slot.entity.is_none());
        let distinct: BTreeSet<u16> = self.free.iter().copied().collect();
        if distinct.len() != self.free.len() || !self.free.iter().all(empty) {
            return fail("a free slot that is not");
        }
        let known = |location: &Location| {
            matches!(location, Location::Group(group) if (group.0 as usize) < groups) || *location == Location::Grid
        };
        if !self.slots.iter().all(|slot| known(&slot.location)) {
            return fail("an entity in a group that there is not");
        }
        let beyond = |bits: &u64| !slots.is_multiple_of(64) && bits >> (slots % 64) != 0;
        if self.touched.len() != slots.div_ceil(64) || self.touched.last().is_some_and(beyond) {
            return fail("a touched slot that there is not");
        }
        match &self.grid {
            Some(grid) if self.audiences.get(grid.cells() as usize) != Some(&Audience::Overflow) => Err(BadSave::Grid),
            _ => Ok(()),
        }
    }
}
