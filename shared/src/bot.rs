//! A player of a game that is no person: for load tests, and for whoever wants somebody to play against.

use crate::{
    game::{Game, PlayerId, Rng},
    replica::Replica,
};

/// Plays a game by what a client knows. The bots of `tiltyard-bot` play with it; a game without one is played with random
/// inputs.
pub trait Bot: Send + Sized + 'static {
    /// What it plays.
    type Game: Game;

    /// One that takes a seat.
    fn new(rng: &mut Rng) -> Self;

    /// What player `me` sends next, who sees this; `None` for nothing. It is asked a few times a second; between, what it
    /// sent last is sent again as often as the load asks for.
    fn play(&mut self, me: PlayerId, sees: &Replica, rng: &mut Rng) -> Option<<Self::Game as Game>::Input>;
}
