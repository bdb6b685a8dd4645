//! A computer player: walks about the field, aims at the nearest fighter, and shoots. It knows what a client knows.
//!
//! The load swarm plays with it. Bots never stand still, and walk from place to place all over the field, so every view
//! keeps changing. At the default view depth a bot then sees about 26 entities in a room of 50 bots, 74 of 300 and 200
//! of 1,000 (half a minute each; fighters, shots, pickups, its own ammunition).

use std::f32::consts::TAU;

use tiltyard_shared::{prelude::*, replica::Replica};

use crate::{
    Arena,
    entities::Thing,
    messages::Input,
    rules::{self, Point},
};

/// It shoots at fighters nearer than this.
const RANGE: f32 = 300.0;
/// It has reached its goal when it is nearer than this.
const ARRIVED: f32 = 32.0;
/// Ticks after which it gives up a goal: ten seconds, in which it walks 2,000 units.
const PATIENCE_TICKS: u32 = 200;
/// The most radians by which its aim misses the mark.
const ERROR: f32 = 0.15;
/// The share of inputs in which it holds the trigger while someone is in range, so that rounds and fights last.
const TRIGGER: f32 = 0.25;

/// One bot, with its goal and the time until which it tries to reach that.
#[derive(Clone, Debug, PartialEq)]
pub struct Bot {
    goal: Point,
    until: Tick,
}

impl Bot {
    /// A bot that sets out for a random place.
    pub fn new(rng: &mut Rng) -> Self {
        Self { goal: rules::random_place(rng), until: Tick(0) }
    }

    /// Decides the next input of player `me`, who sees these entities at `tick`. Call it as often as inputs are to be
    /// sent.
    pub fn decide(
        &mut self,
        me: PlayerId,
        tick: Tick,
        sees: impl IntoIterator<Item = (EntityId, Thing)>,
        rng: &mut Rng,
    ) -> Input {
        let (own, others) = fighters(me, sees);
        let Some(own) = own else { return Input::default() };
        if self.until <= tick || rules::distance_squared(own, self.goal) < ARRIVED * ARRIVED {
            (self.goal, self.until) = (rules::random_place(rng), rules::after(tick, PATIENCE_TICKS));
        }
        let walk = direction(own, self.goal).map(|part| (part * 127.0) as i8);
        let distance = |other: &Point| rules::distance_squared(own, *other);
        let nearest = others.into_iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        match nearest.filter(|nearest| distance(nearest) < RANGE * RANGE) {
            Some(target) => {
                let aim = angle(own, target) + rng.between(-ERROR, ERROR);
                Input { walk, aim, fire: rng.chance(TRIGGER) }
            }
            None => Input { walk, aim: angle(own, self.goal), fire: false },
        }
    }
}

impl tiltyard_shared::bot::Bot for Bot {
    type Game = Arena;

    fn new(rng: &mut Rng) -> Self {
        Self::new(rng)
    }

    fn play(&mut self, me: PlayerId, sees: &Replica, rng: &mut Rng) -> Option<Input> {
        let things = sees.shown().filter_map(|shown| Some((shown.id(), shown.restore()?)));
        Some(self.decide(me, sees.tick().unwrap_or(Tick(0)), things, rng))
    }
}

/// The position of this player's living fighter, if it has one, and those of the others.
fn fighters(me: PlayerId, sees: impl IntoIterator<Item = (EntityId, Thing)>) -> (Option<Point>, Vec<Point>) {
    let (mut own, mut others) = (None, Vec::new());
    for (_, thing) in sees {
        match thing {
            Thing::Fighter(fighter) if fighter.hp == 0 => {}
            Thing::Fighter(fighter) if fighter.owner == me => own = Some(fighter.position()),
            Thing::Fighter(fighter) => others.push(fighter.position()),
            Thing::Shot(_) | Thing::Pickup(_) | Thing::Ammo(_) => {}
        }
    }
    (own, others)
}

/// The direction from one place to another, of length 1 (or 0 if they are the same).
fn direction(from: Point, to: Point) -> Point {
    let length = rules::distance_squared(from, to).sqrt().max(f32::MIN_POSITIVE);
    [(to[0] - from[0]) / length, (to[1] - from[1]) / length]
}

/// The angle to aim at, 0 to a full turn.
fn angle(from: Point, to: Point) -> f32 {
    libm::atan2f(to[1] - from[1], to[0] - from[0]).rem_euclid(TAU)
}

#[cfg(test)]
mod tests {
    use tiltyard_shared::game::{Command, Simulation};

    use super::*;
    use crate::{Arena, Config};

    /// What a player's client shows: the members of the groups of its view and of its own group.
    fn seen(sim: &Simulation<Arena>, player: PlayerId, view: &mut Vec<GroupId>) -> Vec<(EntityId, Thing)> {
        sim.view(player, view);
        view.extend(sim.world().own_group_of(player));
        let is_seen = |id| sim.world().group_of(id).is_some_and(|group| view.contains(&group));
        sim.world().iter().filter(|(id, _)| is_seen(*id)).map(|(id, thing)| (id, thing.clone())).collect()
    }

    /// Lets bots play; gives how many entities one sees in the later half, on average, and the share that walks at the end.
    fn play(bots: u32) -> (f32, f32) {
        let mut sim = Simulation::<Arena>::new(Config::default(), 1);
        let mut rng = Rng::new(2);
        let mut players: Vec<_> = (1..=bots).map(|n| (PlayerId(n), Bot::new(&mut rng), Input::default())).collect();
        let join = |player: PlayerId| Command::Join { player, name: format!("bot {player:?}"), team: None };
        sim.step(players.iter().map(|(player, ..)| join(*player)));
        let (mut view, mut counts) = (Vec::new(), Vec::new());
        for tick in 1..=200 {
            sim.commit();
            for (player, bot, input) in players.iter_mut().filter(|(player, ..)| (player.0 + tick) % 4 == 0) {
                let sees = seen(&sim, *player, &mut view);
                counts.extend((tick > 100).then_some(sees.len()));
                *input = bot.decide(*player, sim.tick(), sees, &mut rng);
            }
            sim.step(players.iter().map(|(player, _, input)| Command::Input { player: *player, input: *input }));
        }
        let walking = players.iter().filter(|(.., input)| input.walk != [0, 0]).count();
        (counts.iter().sum::<usize>() as f32 / counts.len() as f32, walking as f32 / bots as f32)
    }

    #[test]
    fn bots_keep_moving_and_see_enough_of_each_other() {
        let (few, walking) = play(50);
        assert!((14.0..40.0).contains(&few), "50 bots see {few} entities each");
        assert!(walking > 0.7, "of 50 bots only {walking} walk");
        let (many, walking) = play(300);
        assert!((40.0..160.0).contains(&many), "300 bots see {many} entities each");
        assert!(walking > 0.7, "of 300 bots only {walking} walk");
    }

    #[test]
    fn a_bot_aims_at_the_nearest_and_walks_on() {
        let fighter = |owner, at| {
            let fighter = crate::entities::Fighter::new(PlayerId(owner), String::new(), at);
            (EntityId { slot: owner, generation: 0 }, Thing::Fighter(fighter))
        };
        let sees = [fighter(1, [500.0; 2]), fighter(2, [500.0, 900.0]), fighter(3, [500.0, 600.0])];
        let mut rng = Rng::new(3);
        let input = Bot::new(&mut rng).decide(PlayerId(1), Tick(9), sees, &mut rng);
        assert!((input.aim - TAU / 4.0).abs() <= ERROR, "down is a quarter turn");
        assert_ne!(input.walk, [0, 0]);
    }

    #[test]
    fn a_bot_that_sees_no_fighter_of_its_own_does_nothing() {
        let mut rng = Rng::new(3);
        assert_eq!(Bot::new(&mut rng).decide(PlayerId(1), Tick(9), [], &mut rng), Input::default());
    }
}
