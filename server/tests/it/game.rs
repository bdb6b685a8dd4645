//! The puppet: a game that moves, ends, or panics when a player says so. And a server that offers it.

use std::{num::NonZeroUsize, time::Duration};

use tiltyard_server::{Config, Games, Server};
use tiltyard_shared::{
    prelude::*,
    protocol::{Target, codec, lobby::RoomOptions},
};

/// What a player can make the game do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub(crate) enum Pull {
    /// The player's figure steps aside.
    Step(i8),
    /// The match ends.
    End,
    /// The game panics.
    Break,
    /// The game says so in the lobby.
    Tell(String),
    /// The room takes no new players, or does again.
    Lock(bool),
}

/// What a room of it is made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub(crate) struct Strings {
    /// Seats.
    pub(crate) seats: u8,
    /// How long a seat is kept, in milliseconds.
    pub(crate) grace_ms: u16,
    /// Whether the game panics when a room is opened.
    pub(crate) broken: bool,
}

impl Default for Strings {
    fn default() -> Self {
        Self { seats: 3, grace_ms: 30_000, broken: false }
    }
}

/// So far away are figures of players who are away.
pub(crate) const AWAY: i32 = 1_000_000;

/// A player's figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
pub(crate) struct Figure {
    /// Where it stands.
    pub(crate) place: i32,
    /// Whose it is.
    pub(crate) owner: PlayerId,
}

/// The rules.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Puppet(Vec<(PlayerId, EntityId)>);

impl Game for Puppet {
    const NAME: &'static str = "puppet";
    type Config = Strings;
    type Entity = Figure;
    type Input = Pull;
    type Event = ();

    fn settings(config: &Strings) -> Settings {
        Settings {
            tick_hz: 50,
            max_players: config.seats.into(),
            grace: Duration::from_millis(config.grace_ms.into()),
            max_spectators: 2,
            linger: Duration::from_millis(200),
            away_after: Duration::from_millis(100),
            // Tests aim at the last frame that they have read, which may be long ago.
            stale: Duration::from_secs(60),
            ..Settings::default()
        }
    }

    fn modes() -> Vec<(Mode, Strings)> {
        let mode = |name, size| (Mode::new(name, 2, size), Strings { seats: 2 * size as u8, ..Strings::default() });
        let (relay, strings) = mode("relay", 1);
        vec![mode("duel", 1), mode("pairs", 2), (Mode { backfill: true, ..relay }, strings)]
    }

    fn new(config: Strings, _ctx: &mut Ctx<'_, Self>) -> Self {
        assert!(!config.broken, "told to");
        Self(Vec::new())
    }

    fn join(&mut self, player: PlayerId, ctx: &mut Ctx<'_, Self>) {
        let place = ctx.team(player).map_or(0, |team| 100 * (i32::from(team) + 1));
        self.0.push((player, ctx.world.spawn(Figure { place, owner: player })));
    }

    fn leave(&mut self, player: PlayerId, _why: Leave, ctx: &mut Ctx<'_, Self>) {
        for (_, figure) in self.0.extract_if(.., |(owner, _)| *owner == player) {
            ctx.world.despawn(figure);
        }
    }

    /// Its figure goes far to the left.
    fn away(&mut self, player: PlayerId, ctx: &mut Ctx<'_, Self>) {
        self.step(player, -AWAY, ctx);
    }

    fn back(&mut self, player: PlayerId, ctx: &mut Ctx<'_, Self>) {
        self.step(player, AWAY, ctx);
    }

    fn tick(&mut self, inputs: &Inputs<Pull>, ctx: &mut Ctx<'_, Self>) {
        for (player, pull) in inputs.iter() {
            match pull {
                Pull::Step(far) => self.step(player, i32::from(*far), ctx),
                Pull::End => ctx.finish("over".into()),
                Pull::Break => panic!("told to"),
                Pull::Tell(json) => ctx.set_metadata(json.as_str()),
                Pull::Lock(locked) => ctx.set_locked(*locked),
            }
        }
    }
}

impl Puppet {
    fn step(&mut self, player: PlayerId, far: i32, ctx: &mut Ctx<'_, Self>) {
        let figure = self.0.iter().find(|(owner, _)| *owner == player).map(|(_, figure)| *figure);
        if let Some(figure) = figure.and_then(|figure| ctx.world.get_mut(figure)) {
            figure.place += far;
        }
    }
}

/// The defaults, on free ports.
pub(crate) fn config() -> Config {
    let mut config = Config::default();
    config.listen.set_port(0);
    config.ops_listen.set_port(0);
    config.shards = NonZeroUsize::new(2);
    config
}

/// A server of puppets.
pub(crate) async fn serve(config: &Config) -> Server {
    Server::start(config, Games::new().with::<Puppet>()).await.expect("the ports are free")
}

/// A new room with such strings, which nobody else is led to.
pub(crate) fn create(strings: &Strings) -> Target {
    let options = RoomOptions { title: String::new(), private: true };
    Target::Create { game: "puppet".to_owned(), config: Some(codec::encode(strings)), options }
}
