//! What is measured, one module a scene, and what they have in common: terms, outcomes, crowds, steady [runs](run).

use std::time::Duration;

use serde_json::Value;
use tiltyard_shared::{
    game::{Game, Rng},
    protocol::codec,
    replicate::Replicate as _,
    schema::Schema,
};

use crate::{
    claim::Claim,
    crowd::{Dialect, Plan, Wish},
    host::Host,
    report::Results,
};

pub mod run;
pub mod walkers;
pub mod bytes;
pub mod aoi;
pub mod colyseus;
pub mod population;
pub mod stall;
pub mod saturation;
pub mod join;
pub mod idle;
pub mod rooms;
pub mod floor;

/// How the scenes are run.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Steady seconds of each run.
    pub steady: Duration,
    /// How often each run is made.
    pub rounds: usize,
    /// Numbers of players instead of a scene's own.
    pub players: Vec<usize>,
    /// Without floor and peers: for profilers.
    pub ours_only: bool,
    /// Where results go.
    pub results: Results,
}

impl Terms {
    /// The numbers of players that were asked for, or a scene's own.
    pub fn players(&self, own: &[usize]) -> Vec<usize> {
        if self.players.is_empty() { own.to_vec() } else { self.players.clone() }
    }

    /// Steady seconds of scenes that are not about CPU alone.
    pub fn short(&self) -> Duration {
        self.steady / 2
    }
}

/// What a scene has found.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Everything that was measured.
    pub measured: Value,
    /// What must hold.
    pub claims: Vec<Claim>,
}

/// A scene.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub about: &'static str,
    /// Measures it and prints its tables.
    pub run: fn(&Terms) -> anyhow::Result<Outcome>,
}

/// All scenes in the order in which they are run: what matters most comes first.
pub const SCENES: &[Scene] = &[
    walkers::SCENE,
    bytes::SCENE,
    aoi::SCENE,
    colyseus::SCENE,
    population::SCENE,
    stall::SCENE,
    saturation::SCENE,
    idle::SCENE,
    join::SCENE,
    rooms::SCENE,
    walkers::WIDE,
    floor::SCENE,
];

/// From the last player's entry until measuring begins.
const SETTLE: Duration = Duration::from_secs(2);

/// Who has not entered so long after its turn never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// Inputs a second of each player, unless a scene says otherwise.
const HZ: u32 = 20;

/// Reports a second of who sends no inputs.
const REPORT_HZ: u32 = 10;

/// Every so-manieth client verifies every frame.
const VERIFY_EVERY: usize = 20;

/// A crowd in one room of a game: a thousand come in a second, each sends an input at each tick.
pub fn plan_of<G: Game>(
    host: &Host,
    dialect: Dialect,
    clients: usize,
    config: &G::Config,
    input: fn(&mut Rng) -> Vec<u8>,
) -> Plan {
    Plan {
        addr: host.addr,
        dialect,
        clients,
        wish: Wish::Play { room_size: clients.max(1) },
        ramp: Duration::from_millis(1) * clients as u32,
        input_hz: HZ,
        verify_every: if dialect == Dialect::Tiltyard { VERIFY_EVERY } else { 0 },
        game: G::NAME,
        config: codec::encode(config),
        schema: G::Entity::schema(),
        schema_hash: Schema::hash(&Schema::of::<G>().to_json()),
        input,
    }
}

/// A crowd that says nothing but what it has applied.
pub fn silent<G: Game>(host: &Host, clients: usize, config: &G::Config) -> Plan {
    let mut plan = plan_of::<G>(host, Dialect::Tiltyard, clients, config, |_| Vec::new());
    plan.input_hz = REPORT_HZ;
    plan
}
