//! [`check_game`]: plays a game by itself and finds where server and clients would differ.
//!
//! A random journal is played twice and must give the same states, even if one of the two is saved and restored now and
//! then, or plays a second later. Meanwhile one viewer's replica, fed with real frames, must equal the author's structs
//! as quantized by a second, naive function.

use std::{collections::BTreeSet, fmt};

use crate::{
    chunk::{self, Form},
    frame::{self, Head, part_flags},
    game::{Command, Game, Leave, Simulation},
    hash::StateHash,
    id::{EntityId, GroupId, PlayerId, Tick},
    protocol::{codec, limits},
    replica::{Applied, Replica},
    replicate::Replicate,
    rng::Rng,
    wire::Wire,
    world::World,
};

mod naive;
mod lines;
mod again;

use again::{again, difference};
pub use lines::NaiveLines;
pub use naive::{Naive, naive_quantize};

/// The amount of play.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// The first seed. A failure names the one that found it.
    pub seed: u64,
    /// The number of seeds, one match each.
    pub matches: u32,
    /// Ticks of a match.
    pub ticks: u32,
    /// Most players at a time.
    pub players: u32,
}

impl Default for Check {
    fn default() -> Self {
        Self { seed: 1, matches: 8, ticks: 300, players: 6 }
    }
}

/// A failure, with the means to reproduce it.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The seed to put into [`Check::seed`].
    pub seed: u64,
    /// The tick at which it was found.
    pub tick: Tick,
    /// The difference in words: with entity and lane where there are any.
    pub what: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "at tick {}: {} (replay with Check {{ seed: {}, matches: 1, .. }})",
            self.tick.0, self.what, self.seed
        )
    }
}

/// Plays the game with default settings. For a `#[test]`.
///
/// # Panics
///
/// With the first tick, entity and lane that differ, and the seed that shows it again.
pub fn check_game<G: Game>() {
    if let Err(failure) = Check::default().run::<G>() {
        panic!("{} fails its check {failure}", G::NAME);
    }
}

impl Check {
    /// Plays the game.
    ///
    /// # Errors
    ///
    /// The first [`Failure`].
    pub fn run<G: Game>(&self) -> Result<(), Failure> {
        sizes::<G>().map_err(|what| Failure { seed: self.seed, tick: Tick(0), what })?;
        (0..u64::from(self.matches)).try_for_each(|index| self.play::<G>(self.seed + index))?;
        self.play_later::<G>()
    }

    fn play<G: Game>(&self, seed: u64) -> Result<(), Failure> {
        let mut random = Rng::new(seed);
        let config = Self::config::<G>(&mut random);
        let journal = self.journal::<G>(&mut random);
        let mut moments = Rng::new(!seed);
        let mut first = Simulation::<G>::new(config.clone(), seed);
        let mut second = Simulation::<G>::new(config, seed);
        let mut viewer = Viewer::new(&first);
        for commands in journal {
            first.step(commands.iter().cloned());
            second.step(commands.iter().cloned());
            first.commit();
            second.commit();
            let tick = first.tick();
            let fail = |what: &str| Err(Failure { seed, tick, what: what.to_owned() });
            if fingerprint(&first) != fingerprint(&second) {
                return fail(&format!("the same journal gave two different states: {}", difference(&first, &second)));
            }
            if first.outbox().events != second.outbox().events {
                return fail("the same journal gave different events");
            }
            for sim in [&mut first, &mut second] {
                sim.outbox().events.clear();
            }
            if moments.chance(0.05) {
                second = again(&first).map_err(|what| Failure { seed, tick, what })?;
            }
            viewer.look(&first, &commands).map_err(|what| Failure { seed, tick, what })?;
            if first.outbox().finished.is_some() {
                break;
            }
        }
        Ok(())
    }

    /// The default config, or a random one.
    fn config<G: Game>(random: &mut Rng) -> G::Config {
        if random.chance(0.5) { G::Config::default() } else { G::Config::arbitrary(random) }
    }

    /// The joins, leaves and inputs of a random match.
    fn journal<G: Game>(&self, random: &mut Rng) -> Vec<Vec<Command<G::Input>>> {
        let (mut inside, mut away, mut next, teams) = (Vec::new(), BTreeSet::new(), 1, random.chance(0.5));
        let tick = |_| {
            let mut commands = Vec::new();
            if inside.is_empty() || (inside.len() < self.players as usize && random.chance(0.05)) {
                inside.push(PlayerId(next));
                let (name, team) = (format!("player {next}"), teams.then_some((next % 2) as u16));
                commands.push(Command::Join { player: PlayerId(next), name, team });
                next += 1;
            } else if random.chance(0.01) {
                let player = inside.swap_remove(random.below(inside.len() as u32) as usize);
                away.remove(&player);
                let why = [Leave::Quit, Leave::Lost, Leave::Removed][random.below(3) as usize];
                commands.push(Command::Leave { player, why });
            }
            for &player in &inside {
                if away.contains(&player) {
                    if random.chance(0.1) {
                        away.remove(&player);
                        commands.push(Command::Back { player });
                    }
                } else if random.chance(0.01) {
                    away.insert(player);
                    commands.push(Command::Away { player });
                } else if random.chance(0.5) {
                    commands.push(Command::Input { player, input: G::Input::arbitrary(random) });
                }
            }
            commands
        };
        (0..self.ticks).map(tick).collect()
    }
}

/// Checks that everything players send and are told within the bounds of its type is small enough to arrive.
fn sizes<G: Game>() -> Result<(), String> {
    let most = [
        ("an input", G::Input::schema(), limits::INPUT_BYTES),
        ("an event", G::Event::schema(), limits::FRAME_EVENT_BYTES / 2),
    ];
    let large = most.into_iter().find(|(_, schema, limit)| schema.most_bytes() > *limit as u64);
    large.map_or(Ok(()), |(what, schema, limit)| {
        let (bytes, part) = (schema.most_bytes(), schema.heaviest());
        Err(format!(
            "{what} may have {bytes} bytes, most of them in `{part}`: {limit} is the most; bound it by `#[wire(max_len = …)]`"
        ))
    })
}

/// The state of a simulation that must not differ between two runs.
fn fingerprint<G: Game>(sim: &Simulation<G>) -> (Vec<StateHash>, Vec<u8>) {
    let committed = sim.world().committed();
    let groups = (0..committed.group_count() as u32).map(|group| committed.group(GroupId(group)).hash);
    (groups.collect(), codec::encode(sim.game()))
}

/// The simplest receiver: never throttled, never behind, without bounds.
struct Viewer<E: Replicate> {
    replica: Replica,
    player: Option<PlayerId>,
    view: Vec<GroupId>,
    next_view: Vec<GroupId>,
    entities: std::marker::PhantomData<E>,
}

impl<E: Replicate> Viewer<E> {
    fn new<G: Game<Entity = E>>(_sim: &Simulation<G>) -> Self {
        let replica = Replica::new(&E::schema(), 1);
        Self { replica, player: None, view: Vec::new(), next_view: Vec::new(), entities: std::marker::PhantomData }
    }

    /// Takes the view of one player until that player leaves, then of another.
    fn look<G: Game<Entity = E>>(&mut self, sim: &Simulation<G>, commands: &[Command<G::Input>]) -> Result<(), String> {
        for command in commands {
            match command {
                Command::Leave { player, .. } if self.player == Some(*player) => {
                    self.player = None;
                    self.replica.resync(true);
                }
                Command::Join { player, .. } if self.player.is_none() => self.player = Some(*player),
                _ => {}
            }
        }
        let Some(player) = self.player else { return Ok(()) };
        sim.view(player, &mut self.next_view);
        let frame = self.frame(sim.world(), player, sim.tick());
        std::mem::swap(&mut self.view, &mut self.next_view);
        match self.replica.apply(&frame) {
            Ok(Applied::Frame(_)) => compare(sim.world(), &self.replica),
            Ok(Applied::Stale | Applied::Piece) => Err("the frame was dropped".to_owned()),
            Err(error) => Err(format!("the frame cannot be applied: {error}")),
        }
    }

    fn frame(&self, world: &World<E>, player: PlayerId, tick: Tick) -> Vec<u8> {
        let committed = world.committed();
        let start = self.replica.tick().is_none();
        let old = if start { &[][..] } else { &self.view };
        let (own, mut frame) = (world.own_group_of(player), Vec::new());
        let mut hash = StateHash::default();
        for group in self.next_view.iter().chain(&own) {
            hash += committed.group(*group).hash.in_view(*group, committed.group(*group).version);
        }
        Head { epoch: self.replica.epoch(), tick, start, hash: Some(hash), own: own.is_some(), ..Head::default() }
            .write(&mut frame);

        let form = |group: GroupId, known: bool| match committed.group(group).version {
            version if known && version == tick => Some(Form::Delta),
            version if !known && version > Tick(0) => Some(Form::Snapshot),
            _ => None,
        };
        let forms: Vec<_> = self.next_view.iter().map(|group| form(*group, old.binary_search(group).is_ok())).collect();
        frame.push(part_flags::VIEW | part_flags::CHUNKS);
        if start {
            frame::write_view(&mut frame, &self.next_view);
        } else {
            frame::write_view_change(&mut frame, &self.view, &self.next_view);
        }
        frame::write_bit_list(&mut frame, forms.iter().map(Option::is_some));
        let held = |group: GroupId| old.binary_search(&group).is_ok();
        for (group, form) in self.next_view.iter().zip(forms) {
            form.into_iter().for_each(|form| chunk::encode_for(committed, *group, form, held, &mut frame));
        }
        if let Some(own) = own {
            let form = form(own, self.replica.own_group() == Some(own));
            frame.push(part_flags::GROUP | if form.is_some() { part_flags::CHUNKS } else { 0 });
            frame::write_varint(&mut frame, u64::from(own.0));
            form.into_iter().for_each(|form| chunk::encode(committed, own, form, &mut frame));
        }
        frame
    }
}

/// Compares a replica with the author's structs, quantized naively.
fn compare<E: Replicate>(world: &World<E>, replica: &Replica) -> Result<(), String> {
    for (group, table, _) in replica.tables() {
        let members = &world.committed().group(group).members;
        if members.len() != table.members().len() {
            return Err(format!(
                "group {} has {} members, the client holds {}",
                group.0,
                members.len(),
                table.members().len()
            ));
        }
    }
    let schema = E::schema();
    let ids: std::collections::BTreeMap<u16, EntityId> = world.iter().map(|(id, _)| (id.slot as u16, id)).collect();
    for shown in replica.shown() {
        let id =
            ids.get(&shown.member.slot).ok_or_else(|| format!("slot {} is empty, but shown", shown.member.slot))?;
        let entity = world.get(*id).ok_or("an id names no entity")?;
        let naive = naive_quantize(&schema, entity)?;
        if naive.kind != shown.member.kind || id.generation as u16 != shown.member.generation {
            return Err(format!("entity {id:?} is shown as another one, or of another kind"));
        }
        let kind = &schema.kinds[naive.kind as usize];
        for (lane, (expected, held)) in kind.lanes.iter().zip(naive.lanes.iter().copied().zip(shown.codes())) {
            if expected != held {
                return Err(format!(
                    "entity {id:?}, lane {}.{}: code {expected}, the client holds {held}",
                    kind.name, lane.name
                ));
            }
        }
        for (blob, (expected, held)) in kind.blobs.iter().zip(naive.blobs.iter().zip(shown.blobs)) {
            if *expected != **held {
                return Err(format!("entity {id:?}, field {}.{} differs", kind.name, blob.name));
            }
        }
    }
    Ok(())
}
