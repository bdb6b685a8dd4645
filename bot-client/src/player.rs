//! The decisions of bots: by the game's own [`Bot`], or at random, by the shape of inputs in the schema.

use std::{collections::BTreeMap, fmt, sync::Arc};

use tiltyard_shared::{
    bot::Bot,
    game::{Game, PlayerId, Rng},
    protocol::{codec, limits},
    replica::Replica,
    schema::Schema,
};

/// Decides what one bot sends.
pub trait Player: Send {
    /// Returns the bytes of the next input of player `me`, who sees this; `None` for no input.
    fn play(&mut self, me: PlayerId, sees: &Replica, rng: &mut Rng) -> Option<Vec<u8>>;
}

type Make = fn(&mut Rng) -> Box<dyn Player>;

/// The games that bring a [`Bot`] of their own, by name. All others are played at random.
#[derive(Clone, Default)]
pub struct Players(BTreeMap<&'static str, Make>);

impl Players {
    /// The bots of the shipped games.
    pub fn of_shipped_games() -> Self {
        Self::default().with::<tiltyard_arena::bot::Bot>()
    }

    /// Adds the bots of another game.
    #[must_use]
    pub fn with<B: Bot>(mut self) -> Self {
        self.0.insert(B::Game::NAME, |rng| Box::new(Own(B::new(rng))));
        self
    }

    /// Makes a player for a game.
    pub fn player(&self, game: &str, schema: &Arc<Schema>, rng: &mut Rng) -> Box<dyn Player> {
        match self.0.get(game) {
            Some(make) => make(rng),
            None => Box::new(Chance(Arc::clone(schema))),
        }
    }
}

impl fmt::Debug for Players {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

struct Own<B>(B);

impl<B: Bot> Player for Own<B> {
    fn play(&mut self, me: PlayerId, sees: &Replica, rng: &mut Rng) -> Option<Vec<u8>> {
        self.0.play(me, sees, rng).map(|input| codec::encode(&input))
    }
}

/// Sends random inputs of the game's shape.
struct Chance(Arc<Schema>);

impl Player for Chance {
    fn play(&mut self, _me: PlayerId, _sees: &Replica, rng: &mut Rng) -> Option<Vec<u8>> {
        let input = self.0.input.arbitrary(limits::INPUT_BYTES / 2, rng);
        (input.len() <= limits::INPUT_BYTES).then_some(input)
    }
}

#[cfg(test)]
mod tests {
    use tiltyard_arena::{Arena, messages::Input};
    use tiltyard_shared::replicate::Replicate as _;

    use super::*;

    fn played(players: &Players, game: &str) -> Vec<Input> {
        let (schema, mut rng) = (Arc::new(Schema::of::<Arena>()), Rng::new(1));
        let sees = Replica::new(&<Arena as Game>::Entity::schema(), 1);
        let mut player = players.player(game, &schema, &mut rng);
        let mut play = || player.play(PlayerId(1), &sees, &mut rng).unwrap();
        (0..100).map(|_| codec::decode(&play()).unwrap()).collect()
    }

    #[test]
    fn a_game_is_played_by_its_own_bot_or_by_chance() {
        let players = Players::of_shipped_games();
        assert!(
            played(&players, "arena").iter().all(|input| *input == Input::default()),
            "it sees no fighter of its own"
        );
        let random = played(&players, "other");
        assert!(random.iter().any(|input| input.fire) && random.iter().any(|input| !input.fire));
    }
}
