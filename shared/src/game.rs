//! The interface for game authors and its driver: the [`Game`] trait, its [`Ctx`], and the [`Simulation`].
//!
//! A simulation is a pure function of its seed, its config and the ordered [`Command`]s of each tick. It knows no
//! seats, sockets or clocks; those belong to `tiltyard-core` and the server.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    grid::Grid,
    id::{EntityId, GroupId},
    protocol::{codec, limits},
    replicate::Replicate,
    wire::Wire,
    world::{Position, World},
};

pub mod mode;
mod simulation;
mod saved;

pub use crate::{
    id::{PlayerId, Tick},
    rng::Rng,
};
pub use mode::{Mode, Window};
use simulation::Person;
pub use simulation::{Command, Simulation};

/// The rules of a game. Plain data, no async: everything a room does follows from these functions.
///
/// A game is deterministic: it uses [`Ctx::rng`] and [`Ctx::tick`] instead of the system's randomness and clock,
/// ordered maps instead of hashed ones, and `libm` instead of `f32::sin` and friends, whose results differ between
/// platforms. [`check_game`](crate::check::check_game) finds most slips.
pub trait Game: Serialize + DeserializeOwned + Send + Sized + 'static {
    /// The name of the game for players, operators and metrics: lower case, digits and dashes, at most 32 bytes.
    const NAME: &'static str;
    /// The settings of a room.
    type Config: Wire + Default;
    /// The entities of the world.
    type Entity: Replicate;
    /// The input of a player.
    type Input: Wire;
    /// An event, which happens once: a shot, a score, a message.
    type Event: Wire;

    /// Tick rate, number of players and other properties of a room with this config.
    fn settings(_config: &Self::Config) -> Settings {
        Settings::default()
    }

    /// The modes that players can search for by matchmaking, each with the config of its rooms; none by default. Names
    /// are lower case, digits and dashes, at most 32 bytes; [`Settings::max_players`] must have room for all seats.
    ///
    /// A matched room fills like any other, player by player. [`Ctx::team`] is the team that a player was matched into.
    fn modes() -> Vec<(Mode, Self::Config)> {
        Vec::new()
    }

    /// The grid of a room with this config, and the position of an entity on it: groups are its cells, and entities are
    /// in the cell of their position unless the game puts them elsewhere. By default there is no grid, and one group.
    fn grid(_config: &Self::Config) -> Option<(Grid, Position<Self::Entity>)> {
        None
    }

    /// Makes a room at tick 0.
    fn new(config: Self::Config, ctx: &mut Ctx<'_, Self>) -> Self;

    /// Adds a player who took a seat.
    fn join(&mut self, player: PlayerId, ctx: &mut Ctx<'_, Self>);

    /// Removes a player whose seat is free again. Afterwards entities in the player's own group are despawned; others
    /// are left to the game.
    fn leave(&mut self, player: PlayerId, why: Leave, ctx: &mut Ctx<'_, Self>);

    /// A player has had no connection for [`Settings::away_after`]; the seat is kept for [`Settings::grace`]. By
    /// default nothing happens, and the player's last input stays in force. A game that should not punish a bad line
    /// stops the player here, and shows others that the player is away.
    fn away(&mut self, _player: PlayerId, _ctx: &mut Ctx<'_, Self>) {}

    /// A player who was [`away`](Game::away) has a connection again.
    fn back(&mut self, _player: PlayerId, _ctx: &mut Ctx<'_, Self>) {}

    /// Computes one fixed step. Inputs come in the order of seats, each player's in the order sent.
    fn tick(&mut self, inputs: &Inputs<Self::Input>, ctx: &mut Ctx<'_, Self>);

    /// Lists the groups that a player sees; by default all but the own groups of others.
    fn view(&self, _player: PlayerId, view: &mut View<'_, Self::Entity>) {
        view.all();
    }

    /// Lists the groups that spectators see, who have no seat; by default all but own groups.
    fn spectate(&self, view: &mut View<'_, Self::Entity>) {
        view.all();
    }
}

/// The reason why a player's seat became free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Leave {
    /// The client gave it up.
    Quit,
    /// The connection was gone for longer than [`Settings::grace`].
    Lost,
    /// The server closed the seat for a breach of the protocol or a limit.
    Removed,
}

/// Properties of a room, fixed when it opens.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Steps a second, 1 to 128. Default 20.
    pub tick_hz: u32,
    /// Ticks from one frame to the next for players, at least 1. Default 1.
    pub send_every: u32,
    /// Seats, at most 65,535. Default 64.
    pub max_players: u32,
    /// Most spectators, who need no seat. Default 64.
    pub max_spectators: u32,
    /// The policy for inputs that arrive after the tick they aimed at. Default [`Late::Apply`].
    pub late: Late,
    /// An input that arrives this long after the tick it aimed at is refused with
    /// [`Code::TooLate`](crate::protocol::Code::TooLate), without asking the game. Counted in ticks, so a server that
    /// stalls makes no input stale. Default 1 s.
    pub stale: Duration,
    /// Time without a connection after which the game is told that a player is [`away`](Game::away). Default 1 s.
    pub away_after: Duration,
    /// Time that a seat is kept for a player whose connection is gone. Default 30 s.
    pub grace: Duration,
    /// Time that a room without players stays open. Default 10 s.
    pub linger: Duration,
}

/// The policy for inputs that arrive after the tick they aimed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// Executed at the next tick, unless it is [`Settings::stale`].
    Apply,
    /// Executed if it is not stale and at most this many ticks late, otherwise refused with
    /// [`Code::TooLate`](crate::protocol::Code::TooLate).
    RefuseAfter(u32),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tick_hz: 20,
            send_every: 1,
            max_players: 64,
            max_spectators: 64,
            late: Late::Apply,
            stale: Duration::from_secs(1),
            away_after: Duration::from_secs(1),
            grace: Duration::from_secs(30),
            linger: Duration::from_secs(10),
        }
    }
}

impl Settings {
    /// The length of a tick.
    pub fn tick_length(&self) -> Duration {
        Duration::from_secs(1) / self.tick_hz.clamp(1, 128)
    }

    /// The most ticks after the one it aimed at that an input is still executed.
    pub fn most_late(&self) -> u32 {
        let stale = self.stale.as_nanos().div_ceil(self.tick_length().as_nanos().max(1));
        let stale = u32::try_from(stale).unwrap_or(u32::MAX);
        match self.late {
            Late::Apply => stale,
            Late::RefuseAfter(window) => window.min(stale),
        }
    }
}

/// The part of a room that a game's functions may use.
pub struct Ctx<'a, G: Game> {
    /// The entities.
    pub world: &'a mut World<G::Entity>,
    /// The room's only source of randomness.
    pub rng: &'a mut Rng,
    /// The tick that is being computed; 0 in [`Game::new`].
    pub tick: Tick,
    /// The length of a tick in seconds.
    pub dt: f32,
    players: &'a BTreeMap<PlayerId, Person>,
    outbox: &'a mut Outbox,
}

impl<G: Game> Ctx<'_, G> {
    /// The name that a player chose; empty for a player who is not in the room.
    pub fn name(&self, player: PlayerId) -> &str {
        self.players.get(&player).map_or("", |person| &person.name)
    }

    /// The team that a player was matched into, from 0; `None` for a player who came without matchmaking.
    pub fn team(&self, player: PlayerId) -> Option<u16> {
        self.players.get(&player)?.team
    }

    /// The players in the room, in the order of joining.
    pub fn players(&self) -> impl Iterator<Item = PlayerId> {
        self.players.keys().copied()
    }

    /// The group that only this player sees: for a hand of cards, ammunition, and other secrets.
    pub fn own_group(&mut self, player: PlayerId) -> GroupId {
        self.world.own_group(player)
    }

    /// Sends an event to one player.
    pub fn send(&mut self, player: PlayerId, event: &G::Event) {
        self.outbox.events.push((Audience::Player(player), codec::encode(event)));
    }

    /// Sends an event to everyone who sees the group.
    pub fn broadcast(&mut self, group: GroupId, event: &G::Event) {
        self.outbox.events.push((Audience::Group(group), codec::encode(event)));
    }

    /// Sends an event to everyone who sees the group in which an entity was at the last commit; to nobody before its
    /// first.
    pub fn broadcast_at(&mut self, entity: EntityId, event: &G::Event) {
        if let Some(group) = self.world.group_of(entity) {
            self.broadcast(group, event);
        }
    }

    /// Sets the text that the lobby shows for the room: JSON of at most [`METADATA_BYTES`](limits::METADATA_BYTES).
    /// Anything else is refused and counted, and the previous text stays. The lobby takes changes at most once a
    /// second.
    pub fn set_metadata(&mut self, json: impl Into<String>) {
        let json = json.into();
        if json == self.outbox.metadata {
            return;
        }
        if json.len() <= limits::METADATA_BYTES && serde_json::from_str::<serde::de::IgnoredAny>(&json).is_ok() {
            self.outbox.metadata = json;
        } else {
            self.outbox.metadata_refused += 1;
        }
    }

    /// Sets whether the room takes no new players even if it has free seats. Players who are in it or have a pass are
    /// not affected.
    pub fn set_locked(&mut self, locked: bool) {
        self.outbox.locked = locked;
    }

    /// Ends the match: the room closes after this tick's frames, and the result goes to whoever waits for it.
    pub fn finish(&mut self, result: serde_json::Value) {
        self.outbox.finished = Some(result);
    }
}

impl<G: Game> fmt::Debug for Ctx<'_, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctx").field("tick", &self.tick).finish_non_exhaustive()
    }
}

/// The output of a game, collected until the room takes it.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Encoded events in the order in which they happened.
    pub events: Vec<(Audience, Vec<u8>)>,
    /// Set once the game has called [`Ctx::finish`].
    pub finished: Option<serde_json::Value>,
    /// The room's text for the lobby: JSON, or empty.
    pub metadata: String,
    /// How often [`Ctx::set_metadata`] was refused.
    pub metadata_refused: u64,
    /// Whether the room takes no new players.
    pub locked: bool,
}

/// The audience of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// One player.
    Player(PlayerId),
    /// Everyone who sees the group.
    Group(GroupId),
}

/// The inputs of one tick.
#[derive(Clone, Debug)]
pub struct Inputs<I>(Vec<(PlayerId, I)>);

impl<I> Inputs<I> {
    /// All inputs: in the order of seats, each player's in the order sent.
    pub fn iter(&self) -> impl Iterator<Item = (PlayerId, &I)> {
        self.0.iter().map(|(player, input)| (*player, input))
    }

    /// The inputs of one player, in the order sent.
    pub fn of(&self, player: PlayerId) -> impl Iterator<Item = &I> {
        self.iter().filter(move |(from, _)| *from == player).map(|(_, input)| input)
    }
}

/// Collects the groups that a player sees. Own groups are added by themselves and are not listed here.
#[derive(Debug)]
pub struct View<'a, E: Replicate> {
    /// The entities as committed for this frame.
    pub world: &'a World<E>,
    pub(crate) groups: &'a mut Vec<GroupId>,
}

impl<'a, E: Replicate> View<'a, E> {
    /// An empty view that collects into `groups`, which is cleared first, and sorted and without doubles after
    /// [`View::finish`].
    pub fn new(world: &'a World<E>, groups: &'a mut Vec<GroupId>) -> Self {
        groups.clear();
        Self { world, groups }
    }

    /// Adds every group except own ones and the overflow group.
    pub fn all(&mut self) {
        self.groups.extend(self.world.shared_groups());
    }

    /// Adds one group.
    pub fn group(&mut self, group: GroupId) {
        self.groups.push(group);
    }

    /// Adds the cell in which an entity is and all cells at most `depth` away: 1 for 3 x 3, 2 for 5 x 5. Adds nothing
    /// if the entity is not in a cell of the grid.
    pub fn around(&mut self, entity: EntityId, depth: u32) {
        if let (Some(group), Some(grid)) = (self.world.group_of(entity), self.world.grid()) {
            grid.around(group, depth, self.groups);
        }
    }

    /// Sorts the list and drops doubles and groups that cannot be listed (own ones, the overflow group, unknown ids).
    pub fn finish(self) {
        let Self { world, groups } = self;
        // Mostly there is nothing to do, so all are looked at, without a branch for each.
        if !groups.windows(2).fold(true, |rises, pair| rises & (pair[0] < pair[1])) {
            groups.sort_unstable();
            groups.dedup();
        }
        if !groups.iter().fold(true, |shared, group| shared & world.is_shared(*group)) {
            groups.retain(|group| world.is_shared(*group));
        }
    }
}
