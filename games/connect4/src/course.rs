//! A match from its start to its end, and then another one or the end of the room.

use serde_json::json;
use tiltyard_shared::prelude::*;

use crate::{
    Connect4, REMATCH_TICKS,
    board::{Board, Color, Phase, four_through},
    entities::{Person, Thing},
    messages::{Ending, Event, Input, Refusal},
    seats::change,
};

impl Connect4 {
    /// Starts a match with an empty board and a running clock.
    pub(crate) fn start(&mut self, ctx: &mut Ctx<'_, Self>) {
        let deadline = after(ctx.tick, self.config.move_ticks());
        *self.board_mut(ctx.world) = Board::playing(self.first, deadline);
        for id in self.people.values() {
            change(ctx.world, *id, |person| person.rematch = false);
        }
        ctx.broadcast(GroupId(0), &Event::Started { first: self.first });
    }

    /// Carries out a player's input, if the rules allow it.
    pub(crate) fn handle(&mut self, player: PlayerId, input: &Input, ctx: &mut Ctx<'_, Self>) -> Result<(), Refusal> {
        match (self.color_of(player, ctx.world), input) {
            (Color::None, _) => Err(Refusal::Watching),
            (color, Input::Drop { column }) => self.drop(color, *column, ctx),
            (color, Input::Resign) => self.resign(color, ctx),
            (color, Input::Rematch) => self.ask_rematch(color, ctx),
        }
    }

    fn drop(&mut self, color: Color, column: u8, ctx: &mut Ctx<'_, Self>) -> Result<(), Refusal> {
        let board = self.board_mut(ctx.world);
        let cell = board.drop(color, column)?;
        board.deadline = after(ctx.tick, self.config.move_ticks());
        let (four, is_full) = (four_through(&board.cells, cell), board.is_full());
        board.four = four.unwrap_or(board.four);
        ctx.broadcast(GroupId(0), &Event::Dropped { color, cell });
        if four.is_some() {
            self.end(color, Ending::Four, ctx);
        } else if is_full {
            self.end(Color::None, Ending::Full, ctx);
        }
        Ok(())
    }

    fn resign(&mut self, color: Color, ctx: &mut Ctx<'_, Self>) -> Result<(), Refusal> {
        if self.board(ctx.world).phase != Phase::Playing {
            return Err(Refusal::NoMatch);
        }
        self.end(color.other(), Ending::Resigned, ctx);
        Ok(())
    }

    fn ask_rematch(&mut self, color: Color, ctx: &mut Ctx<'_, Self>) -> Result<(), Refusal> {
        if self.board(ctx.world).phase != Phase::Over {
            return Err(Refusal::NotOver);
        }
        if let Some((id, _)) = self.first_with(color, ctx.world) {
            change(ctx.world, id, |person| person.rematch = true);
        }
        if self.first_with(color.other(), ctx.world).is_some_and(|(_, other)| other.rematch) {
            self.first = self.first.other();
            self.start(ctx);
        }
        Ok(())
    }

    /// Ends the match, or the wait for another one, when its time has run out.
    pub(crate) fn watch_clock(&mut self, ctx: &mut Ctx<'_, Self>) {
        let Board { phase, turn, deadline, .. } = *self.board(ctx.world);
        match phase {
            Phase::Playing if deadline <= ctx.tick => self.end(turn.other(), Ending::Clock, ctx),
            Phase::Over if deadline <= ctx.tick => self.close(ctx),
            _ => {}
        }
    }

    /// Handles a player who is about to leave. Before the first disc the player's colour is free again; afterwards the
    /// player loses the match, and no other follows.
    pub(crate) fn abandon(&mut self, player: PlayerId, ctx: &mut Ctx<'_, Self>) {
        let color = self.color_of(player, ctx.world);
        if color == Color::None {
            return;
        }
        let board = self.board_mut(ctx.world);
        if board.phase != Phase::Over && board.is_empty() {
            *board = Board::waiting();
            return;
        }
        if board.phase == Phase::Playing {
            self.end(color.other(), Ending::Left, ctx);
        }
        self.close(ctx);
    }

    fn end(&mut self, winner: Color, ending: Ending, ctx: &mut Ctx<'_, Self>) {
        let board = self.board_mut(ctx.world);
        (board.phase, board.turn, board.winner) = (Phase::Over, Color::None, winner);
        board.deadline = after(ctx.tick, REMATCH_TICKS);
        let mut name = String::new();
        if let Some((id, person)) = self.winner(ctx.world) {
            name.clone_from(&person.name);
            change(ctx.world, id, |person| person.wins = person.wins.saturating_add(1));
        }
        ctx.broadcast(GroupId(0), &Event::Ended { winner, name, ending });
    }

    /// Reports the result of the last match, and each player's number of wins. The room closes.
    fn close(&mut self, ctx: &mut Ctx<'_, Self>) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        let winner = self.winner(ctx.world).map(|(_, person)| (person.player, person.name.as_str()));
        let both = [Color::Red, Color::Yellow].map(|color| self.first_with(color, ctx.world));
        let players = both.into_iter().flatten();
        let wins =
            players.map(|(_, person)| json!({ "player": person.player, "name": person.name, "wins": person.wins }));
        let result = json!({
            "winner": winner.map(|(player, _)| player),
            "name": winner.map(|(_, name)| name),
            "players": wins.collect::<Vec<_>>(),
        });
        ctx.finish(result);
    }

    fn winner<'w>(&self, world: &'w World<Thing>) -> Option<(EntityId, &'w Person)> {
        let color = self.board(world).winner;
        (color != Color::None).then(|| self.first_with(color, world)).flatten()
    }
}

/// The time `ticks` after `tick`.
fn after(tick: Tick, ticks: u32) -> Tick {
    Tick(tick.0.saturating_add(ticks))
}
