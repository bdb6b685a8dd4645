//! Assigns the colours. The first two in the room play. A colour that is free while there is no match goes to the
//! spectator who came first.

use tiltyard_shared::prelude::*;

use crate::{
    Connect4,
    board::{Board, Color, Phase},
    entities::{Person, Thing},
};

impl Connect4 {
    /// The colour of a player's discs; `None` for spectators and strangers.
    pub(crate) fn color_of(&self, player: PlayerId, world: &World<Thing>) -> Color {
        self.people.get(&player).and_then(|id| person(world, *id)).map_or(Color::None, |person| person.color)
    }

    /// The player with this colour; for no colour, the spectator who came first.
    pub(crate) fn first_with<'w>(&self, color: Color, world: &'w World<Thing>) -> Option<(EntityId, &'w Person)> {
        let mut people = self.people.values().filter_map(|id| Some((*id, person(world, *id)?)));
        people.find(|(_, person)| person.color == color)
    }

    /// While there is no match, gives free colours to spectators, and starts one when both are taken.
    pub(crate) fn fill_seats(&mut self, ctx: &mut Ctx<'_, Self>) {
        if self.board(ctx.world).phase != Phase::Waiting {
            return;
        }
        for color in [Color::Red, Color::Yellow] {
            if self.first_with(color, ctx.world).is_none() {
                let Some((id, _)) = self.first_with(Color::None, ctx.world) else { return };
                change(ctx.world, id, |person| person.color = color);
            }
        }
        self.start(ctx);
    }

    /// The board; it exists as long as the room does.
    pub(crate) fn board<'w>(&self, world: &'w World<Thing>) -> &'w Board {
        match world.get(self.board) {
            Some(Thing::Board(board)) => board,
            _ => unreachable!("the board is spawned first and never despawned"),
        }
    }

    /// The board, to change.
    pub(crate) fn board_mut<'w>(&self, world: &'w mut World<Thing>) -> &'w mut Board {
        match world.get_mut(self.board) {
            Some(Thing::Board(board)) => board,
            _ => unreachable!("the board is spawned first and never despawned"),
        }
    }
}

fn person(world: &World<Thing>, id: EntityId) -> Option<&Person> {
    match world.get(id) {
        Some(Thing::Person(person)) => Some(person),
        _ => None,
    }
}

/// Changes a person; does nothing to other entities.
pub(crate) fn change(world: &mut World<Thing>, id: EntityId, change: impl FnOnce(&mut Person)) {
    if let Some(Thing::Person(person)) = world.get_mut(id) {
        change(person);
    }
}
