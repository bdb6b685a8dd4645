//! A computer player of a game, for load tests and as an opponent.

use crate::{
    game::{Game, PlayerId, Rng},
    replica::Replica,
};

/// Plays a game with the knowledge of a client. The bots of `tiltyard-bot` play with it; a game without one is played
/// with random inputs.
pub trait Bot: Send + Sized + 'static {
    /// The game that it plays.
    type Game: Game;

    /// A bot that takes a seat.
    fn new(rng: &mut Rng) -> Self;

    /// The next input of player `me`, who sees this; `None` for none. It is asked a few times a second; in between, its
    /// last input is repeated as often as the load asks for.
    fn play(&mut self, me: PlayerId, sees: &Replica, rng: &mut Rng) -> Option<<Self::Game as Game>::Input>;
}
