//! A game without rules: its inputs are whatever an author's code could do to a world.

#![expect(missing_docs, reason = "its types are arbitrary")]

use std::collections::BTreeMap;

use tiltyard_core::room::JoinRequest;
use tiltyard_shared::prelude::*;
use uuid::Uuid;

/// Three kinds with every sort of field. `learned` made the codings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
#[replicate(codings = "codings.txt")]
pub enum Thing {
    Ball(Ball),
    Sign(Sign),
    Mark,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Replicate)]
pub struct Ball {
    #[replicate(range = 0.0..=100.0, step = 0.125)]
    pub at: [f32; 2],
    #[replicate(angle = 8)]
    pub heading: f32,
    #[replicate(range = -5..=100)]
    pub hp: i16,
    pub team: Team,
    pub lit: bool,
    #[replicate(teleport)]
    pub jumps: u8,
    #[replicate(range = 0.0..=100.0, step = 0.125, linear)]
    pub way: [f32; 2],
    #[replicate(skip)]
    pub speed: [f32; 2],
    #[replicate(skip)]
    pub secret: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Replicate)]
pub struct Sign {
    #[replicate(max_len = 12)]
    pub text: String,
    pub points_at: Option<EntityId>,
    pub wide: u32,
    #[replicate(max_len = 200)]
    pub stain: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Replicate)]
pub enum Team {
    #[default]
    Red,
    Green,
    Blue,
}

/// What the director may do. Entities are named by their place in the list of the living.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub enum Act {
    Spawn { group: u32, thing: u8, seed: u32 },
    SpawnOwn { player: u32, seed: u32 },
    Change { entity: u32, seed: u32 },
    Become { entity: u32, thing: u8, seed: u32 },
    Touch { entity: u32 },
    Move { entity: u32, group: u32 },
    MoveOwn { entity: u32, player: u32 },
    Despawn { entity: u32 },
    Replace { entity: u32, seed: u32 },
    See { player: u32, groups: u32 },
    Shout { group: u32, size: u32 },
    Whisper { player: u32, size: u32 },
    End,
}

/// An event that says which it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Wire)]
pub struct Said {
    pub id: u32,
    #[wire(max_len = 4096)]
    pub padding: Vec<u8>,
}

/// Most groups that the director uses.
pub const GROUPS: u32 = 8;

#[derive(Debug, Serialize, Deserialize)]
pub struct Sandbox {
    pub alive: Vec<EntityId>,
    pub views: BTreeMap<PlayerId, u32>,
    pub events: u32,
    pub said: Vec<(u32, To)>,
    /// Who was away (true) and back (false), in order.
    pub absences: Vec<(PlayerId, bool)>,
}

/// To whom an event was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum To {
    Group(u32),
    Player(u32),
}

impl Game for Sandbox {
    const NAME: &'static str = "sandbox";
    type Config = bool;
    type Entity = Thing;
    type Input = Act;
    type Event = Said;

    fn new(_grid: bool, ctx: &mut Ctx<'_, Self>) -> Self {
        ctx.world.set_strict(false);
        for _ in 1..GROUPS {
            ctx.world.new_group();
        }
        Self { alive: Vec::new(), views: BTreeMap::new(), events: 0, said: Vec::new(), absences: Vec::new() }
    }

    fn join(&mut self, player: PlayerId, _: &mut Ctx<'_, Self>) {
        self.views.insert(player, 1);
    }

    fn leave(&mut self, player: PlayerId, _: Leave, _: &mut Ctx<'_, Self>) {
        self.views.remove(&player);
    }

    fn away(&mut self, player: PlayerId, _: &mut Ctx<'_, Self>) {
        self.absences.push((player, true));
    }

    fn back(&mut self, player: PlayerId, _: &mut Ctx<'_, Self>) {
        self.absences.push((player, false));
    }

    fn tick(&mut self, acts: &Inputs<Act>, ctx: &mut Ctx<'_, Self>) {
        self.said.clear();
        for (_, act) in acts.iter() {
            self.act(act, ctx);
        }
        self.alive.retain(|id| ctx.world.get(*id).is_some());
        for id in &self.alive {
            roll(*id, ctx.world);
        }
    }

    fn view(&self, player: PlayerId, view: &mut View<'_, Thing>) {
        let mask = self.views.get(&player).copied().unwrap_or(0);
        for group in (0..GROUPS).filter(|group| mask >> group & 1 == 1) {
            view.group(GroupId(group));
        }
    }
}

impl Sandbox {
    fn pick(&self, entity: u32) -> Option<EntityId> {
        self.alive.get(entity as usize % self.alive.len().max(1)).copied()
    }

    fn act(&mut self, act: &Act, ctx: &mut Ctx<'_, Self>) {
        match *act {
            Act::Spawn { group, thing, seed } => {
                let id = ctx.world.spawn_in(GroupId(group % GROUPS), made(thing, seed, self.pick(seed)));
                self.alive.push(id);
            }
            Act::SpawnOwn { player, seed } if self.views.contains_key(&PlayerId(player)) => {
                let own = ctx.own_group(PlayerId(player));
                self.alive.push(ctx.world.spawn_in(own, made(seed as u8, seed, None)));
            }
            Act::See { player, groups } => {
                if let Some(view) = self.views.get_mut(&PlayerId(player)) {
                    *view = groups;
                }
            }
            Act::Shout { group, size } => {
                let event = self.event(To::Group(group % GROUPS), size);
                ctx.broadcast(GroupId(group % GROUPS), &event);
            }
            Act::Whisper { player, size } if self.views.contains_key(&PlayerId(player)) => {
                let event = self.event(To::Player(player), size);
                ctx.send(PlayerId(player), &event);
            }
            Act::Change { entity, .. } | Act::Become { entity, .. } | Act::Touch { entity } => {
                let other = self.pick(entity / 3);
                if let Some(thing) = self.pick(entity).and_then(|id| ctx.world.get_mut(id)) {
                    match *act {
                        Act::Change { seed, .. } => change(thing, seed, other),
                        Act::Become { thing: kind, seed, .. } => *thing = made(kind, seed, other),
                        _ => {}
                    }
                }
            }
            Act::Move { entity, group } => {
                self.pick(entity).into_iter().for_each(|id| ctx.world.move_to(id, GroupId(group % GROUPS)));
            }
            Act::MoveOwn { entity, player } if self.views.contains_key(&PlayerId(player)) => {
                let own = ctx.own_group(PlayerId(player));
                self.pick(entity).into_iter().for_each(|id| ctx.world.move_to(id, own));
            }
            Act::Despawn { entity } => {
                self.pick(entity).into_iter().for_each(|id| drop(ctx.world.despawn(id)));
                self.alive.retain(|id| ctx.world.get(*id).is_some());
            }
            Act::Replace { entity, seed } => self.replace(entity, seed, ctx),
            Act::End => ctx.finish("over".into()),
            Act::SpawnOwn { .. } | Act::Whisper { .. } | Act::MoveOwn { .. } => {}
        }
    }

    /// Frees a slot and uses slots until that one is used again, within one tick.
    fn replace(&mut self, entity: u32, seed: u32, ctx: &mut Ctx<'_, Self>) {
        let Some(old) = self.pick(entity) else { return };
        ctx.world.despawn(old);
        for _ in 0..70 {
            let id = ctx.world.spawn_in(GroupId(seed % GROUPS), made(seed as u8, seed, None));
            if id.slot == old.slot {
                self.alive.push(id);
                break;
            }
            ctx.world.despawn(id);
        }
        self.alive.retain(|id| ctx.world.get(*id).is_some());
    }

    fn event(&mut self, to: To, size: u32) -> Said {
        self.events += 1;
        self.said.push((self.events, to));
        Said { id: self.events, padding: vec![7; size as usize] }
    }
}

/// A thing whose fields follow from a seed, some of them out of range.
fn made(kind: u8, seed: u32, other: Option<EntityId>) -> Thing {
    let mut thing = match kind % 3 {
        0 => Thing::Ball(Ball::default()),
        1 => Thing::Sign(Sign::default()),
        _ => Thing::Mark,
    };
    change(&mut thing, seed, other);
    thing
}

/// Balls with a speed go on, to the end of their way, and a little further; some of them not every tick.
fn roll(id: EntityId, world: &mut World<Thing>) {
    let Some(Thing::Ball(Ball { speed, secret, .. })) = world.get(id) else { return };
    if *speed == [0.0; 2] || secret % 7 == 6 {
        return;
    }
    if let Some(Thing::Ball(ball)) = world.get_mut(id) {
        ball.way = [0, 1].map(|axis| ball.way[axis] + ball.speed[axis]);
        ball.secret += u64::from(ball.secret > 0);
    }
}

fn change(thing: &mut Thing, seed: u32, other: Option<EntityId>) {
    match thing {
        Thing::Mark => {}
        Thing::Ball(ball) => match seed % 10 {
            7 => ball.way = [(seed % 1100) as f32 / 10.0 - 5.0, (seed % 97) as f32],
            8 => ball.speed = [(seed % 23) as f32 / 7.0 - 1.5, (seed % 5) as f32 / 3.0],
            9 => ball.speed = [0.0; 2],
            0 => {
                let y = if seed.is_multiple_of(5) { f32::NAN } else { (seed % 1000) as f32 / 10.0 };
                ball.at = [(seed % 130) as f32 - 10.0, y];
            }
            1 => ball.heading = (seed as f32 / 1000.0) % 50.0 - 20.0,
            2 => ball.hp = (seed % 300) as i16 - 100,
            3 => ball.team = [Team::Red, Team::Green, Team::Blue][(seed / 7 % 3) as usize],
            4 => ball.lit = !ball.lit,
            5 => ball.jumps = ball.jumps.wrapping_add(1),
            _ => ball.secret += 1,
        },
        Thing::Sign(sign) => match seed % 4 {
            0 => sign.text = "grüße, ".repeat((seed / 4 % 3) as usize),
            1 => sign.points_at = other,
            2 => sign.wide = seed.wrapping_mul(0x9E37_79B1),
            _ => sign.stain = vec![seed as u8; (seed / 4 % 230) as usize],
        },
    }
}

/// Who wants to come in, by the front door.
pub fn join_request(name: &str, token: Uuid, verify: bool) -> JoinRequest {
    JoinRequest { name: name.to_owned(), token, verify, expected: false, team: None }
}
