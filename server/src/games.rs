//! The games of a server, each behind one small trait, so that gateway and rooms need not know their types.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use serde_json::Value;
use tiltyard_shared::{
    game::{Game, Mode, Rng},
    learn::Recording,
    protocol::{Code, codec, limits},
    replicate::Replicate as _,
    schema::Schema,
    wire::Wire,
};

use crate::{
    config::ModeConfig,
    room::{self, SchemaDocument, Setup},
    shard::RoomFuture,
};

/// The games that have modes, and for each mode the config of its rooms.
pub(crate) type ModeTable = Vec<(&'static str, Vec<(Mode, Vec<u8>)>)>;

/// The games that a server offers.
///
/// ```
/// # use tiltyard_server::Games;
/// let games = Games::new().with::<tiltyard_arena::Arena>();
/// assert_eq!(games.names(), ["arena"]);
/// ```
#[derive(Clone, Default)]
pub struct Games(Vec<Arc<dyn GameHost>>);

impl Games {
    /// A server without games.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a game.
    #[must_use]
    pub fn with<G: Game>(mut self) -> Self {
        self.0.push(Arc::new(Host::<G>::new()));
        self
    }

    /// The games' names in the order given.
    pub fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|host| host.name()).collect()
    }

    /// The games in the order given.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &dyn GameHost> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// A game by its name.
    pub(crate) fn find(&self, name: &str) -> Option<&Arc<dyn GameHost>> {
        self.0.iter().find(|host| host.name() == name)
    }

    /// The games that have modes, with an operator's changes to their configs.
    ///
    /// # Errors
    ///
    /// A description of what is wrong.
    pub(crate) fn modes(&self, wanted: &[ModeConfig]) -> Result<ModeTable, String> {
        let mut table: ModeTable = self.iter().map(|game| (game.name(), game.modes())).collect();
        for ModeConfig { game, mode, config } in wanted {
            let modes = table.iter_mut().filter(|(name, _)| name == game).flat_map(|(_, modes)| modes);
            let found = modes.into_iter().find(|(known, _)| known.name == *mode);
            let (known, bytes) = found.ok_or_else(|| format!("--mode-config: there is no mode {game}/{mode}"))?;
            let host = self.find(game).ok_or_else(|| format!("--mode-config: there is no game {game}"))?;
            let wrong = |why: String| format!("--mode-config {game}/{mode}: {why}");
            *bytes = host.change_config(bytes, config.clone()).map_err(wrong)?;
            check_mode(host.as_ref(), known, bytes)?;
        }
        table.retain(|(_, modes)| !modes.is_empty());
        Ok(table)
    }

    /// Checks the list. The error describes what is wrong: no game, a duplicate name, an invalid name.
    pub(crate) fn check(&self) -> Result<(), String> {
        let names = self.names();
        if names.is_empty() {
            return Err("there is no game to serve".to_owned());
        }
        for (index, name) in names.iter().enumerate() {
            let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            if !plain || !(1..=limits::NAME_BYTES).contains(&name.len()) {
                return Err(format!("{name:?} is no name for a game: 1 to 32 lower-case letters, digits and dashes"));
            }
            if names[..index].contains(name) {
                return Err(format!("two games have the name {name:?}"));
            }
        }
        self.iter().try_for_each(check_modes)
    }
}

impl fmt::Debug for Games {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Games").field(&self.names()).finish()
    }
}

/// A game of this server.
pub(crate) trait GameHost: Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// The schema for clients.
    fn schema(&self) -> &SchemaDocument;

    /// Learns codings for its lanes from this many rooms of players with random inputs. Returns a file of codings.
    fn learn(&self, rooms: u64, players: u32, ticks: u32) -> String;

    /// The default config of a room, as JSON.
    fn default_config(&self) -> Value;

    /// Encodes a config given as JSON. Fields that it does not name have their defaults.
    ///
    /// # Errors
    ///
    /// A description of why it is no config.
    fn encode_config(&self, json: Value) -> Result<Vec<u8>, String>;

    /// Encodes a copy of a config in which the fields given as JSON are changed.
    ///
    /// # Errors
    ///
    /// A description of why the result is no config.
    fn change_config(&self, config: &[u8], json: Value) -> Result<Vec<u8>, String>;

    /// The modes, each with the encoded config of its rooms.
    fn modes(&self) -> Vec<(Mode, Vec<u8>)>;

    /// Checks a config (`None`: the default) and prepares a room with it.
    ///
    /// # Errors
    ///
    /// [`Code::BadConfig`] or [`Code::TooLarge`] if the config is invalid, [`Code::GameFailed`] if the game panics over
    /// it.
    fn prepare(&self, config: Option<&[u8]>) -> Result<Prepared, Code>;
}

/// Checks the modes of a game. The error describes what is wrong.
fn check_modes(game: &dyn GameHost) -> Result<(), String> {
    let modes = game.modes();
    for (index, (mode, config)) in modes.iter().enumerate() {
        check_mode(game, mode, config)?;
        if modes[..index].iter().any(|(other, _)| other.name == mode.name) {
            return Err(format!("mode {:?} of {}: another has the same name", mode.name, game.name()));
        }
    }
    Ok(())
}

fn check_mode(game: &dyn GameHost, mode: &Mode, config: &[u8]) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("mode {:?} of {}: {what}", mode.name, game.name()));
    let plain = mode.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !plain || !(1..=limits::NAME_BYTES).contains(&mode.name.len()) {
        return wrong("a name has 1 to 32 lower-case letters, digits and dashes");
    }
    if let Err(why) = mode.check() {
        return wrong(&format!("{why:?}"));
    }
    match game.prepare(Some(config)) {
        Err(code) => wrong(&format!("its config: {code}")),
        Ok(prepared) if (prepared.seats as usize) < mode.seats() => {
            wrong(&format!("a room of it holds {} players, not {}", prepared.seats, mode.seats()))
        }
        Ok(_) => Ok(()),
    }
}

/// A room that can be opened.
pub(crate) struct Prepared {
    /// The number of players it will hold.
    pub(crate) seats: u32,
    /// Opens it and runs it to its end. Called on its shard.
    pub(crate) run: Box<dyn FnOnce(Setup) -> RoomFuture + Send>,
}

struct Host<G: Game> {
    schema: Arc<SchemaDocument>,
    game: std::marker::PhantomData<fn() -> G>,
}

impl<G: Game> Host<G> {
    fn new() -> Self {
        let json = Schema::of::<G>().to_json();
        let hash = Schema::hash(&json);
        Self { schema: Arc::new(SchemaDocument { json, hash }), game: std::marker::PhantomData }
    }

    /// Encodes a config: `fields`, in which those given in `json` are replaced.
    fn merge(fields: Value, json: Value) -> Result<Vec<u8>, String> {
        let json = match (fields, json) {
            (Value::Object(mut fields), Value::Object(given)) => {
                for (name, value) in given {
                    let field = fields.get_mut(&name).ok_or_else(|| format!("unknown field `{name}`"))?;
                    *field = value;
                }
                Value::Object(fields)
            }
            (_, json) => json,
        };
        let config: G::Config = serde_json::from_value(json).map_err(|error| error.to_string())?;
        if config.is_bounded() { Ok(codec::encode(&config)) } else { Err("a text or list is too long".to_owned()) }
    }

    fn decode(config: Option<&[u8]>) -> Result<G::Config, Code> {
        match config {
            None => Ok(G::Config::default()),
            Some(bytes) if bytes.len() > limits::CONFIG_BYTES => Err(Code::TooLarge),
            Some(bytes) => codec::decode::<G::Config>(bytes).ok().filter(Wire::is_bounded).ok_or(Code::BadConfig),
        }
    }
}

impl<G: Game> GameHost for Host<G> {
    fn name(&self) -> &'static str {
        G::NAME
    }

    fn schema(&self) -> &SchemaDocument {
        &self.schema
    }

    fn learn(&self, rooms: u64, players: u32, ticks: u32) -> String {
        // A player continues with an input for a while.
        let input = |_, _: &_, rng: &mut Rng| rng.chance(0.1).then(|| G::Input::arbitrary(rng));
        let players = players.min(G::settings(&G::Config::default()).max_players);
        let mut recording = Recording::new(G::Entity::schema());
        for seed in 1..=rooms {
            recording.merge(&Recording::play::<G>(G::Config::default(), seed, players, ticks, input));
        }
        recording.file(&recording.findings())
    }

    fn default_config(&self) -> Value {
        serde_json::to_value(G::Config::default()).unwrap_or_default()
    }

    fn encode_config(&self, json: Value) -> Result<Vec<u8>, String> {
        Self::merge(self.default_config(), json)
    }

    fn change_config(&self, config: &[u8], json: Value) -> Result<Vec<u8>, String> {
        let config = Self::decode(Some(config)).map_err(|code| code.to_string())?;
        Self::merge(serde_json::to_value(config).unwrap_or_default(), json)
    }

    fn modes(&self) -> Vec<(Mode, Vec<u8>)> {
        G::modes().into_iter().map(|(mode, config)| (mode, codec::encode(&config))).collect()
    }

    fn prepare(&self, config: Option<&[u8]>) -> Result<Prepared, Code> {
        let config = Self::decode(config)?;
        let settings = catch_unwind(AssertUnwindSafe(|| G::settings(&config))).map_err(|_| Code::GameFailed)?;
        let schema = self.schema.clone();
        let run = Box::new(move |setup: Setup| -> RoomFuture { Box::pin(room::run::<G>(config, schema, setup)) });
        Ok(Prepared { seats: settings.max_players, run })
    }
}
