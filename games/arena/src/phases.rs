//! The phases of a tick, in their order. Each goes through players in the order of joining, or through entities in the
//! order of creation, so the same inputs always give the same match.

use tiltyard_shared::prelude::*;

use crate::{
    Arena, Config,
    entities::{Ammo, Effect, Fighter, Pickup, Shot, Thing},
    messages::Event,
    rules::{self, DAMAGE, FIGHTER_RADIUS, MAGAZINE, MAX_HP, MEDKIT, PICKUP_RADIUS, Point, SHOT_RADIUS, SHOT_TICKS},
    seat::Seat,
};

impl Arena {
    /// Brings players who have been dead for long enough back at a random place.
    pub(crate) fn revive(&mut self, ctx: &mut Ctx<'_, Self>) {
        for seat in self.seats.values_mut() {
            if !seat.revive(ctx.tick) {
                continue;
            }
            if let Some(fighter) = fighter_mut(ctx.world, seat.fighter) {
                fighter.revive(rules::random_place(ctx.rng));
            }
            ctx.world.move_to_grid(seat.fighter);
            if let Some(ammo) = ammo_mut(ctx.world, seat.ammo) {
                *ammo = Ammo::full();
            }
        }
    }

    /// Moves and turns the living, and notes their positions.
    pub(crate) fn walk(&mut self, ctx: &mut Ctx<'_, Self>) {
        let living = self.seats.iter().filter(|(_, seat)| seat.is_alive());
        self.targets.replace(living.filter_map(|(player, seat)| {
            let fighter = fighter_mut(ctx.world, seat.fighter)?;
            [fighter.x, fighter.y] = rules::walk(fighter.position(), seat.held.walk, ctx.dt);
            fighter.aim = seat.held.aim;
            fighter.safe = seat.is_safe(ctx.tick);
            Some((*player, fighter.position()))
        }));
    }

    /// Reloads, and fires for those who pull the trigger.
    pub(crate) fn shoot(&mut self, ctx: &mut Ctx<'_, Self>) {
        for (player, seat) in &mut self.seats {
            let Some(ammo) = ammo_mut(ctx.world, seat.ammo) else { continue };
            ammo.rapid = seat.is_rapid(ctx.tick);
            if seat.reloads(ctx.tick) {
                ammo.rounds = MAGAZINE.min(ammo.rounds + 1);
            }
            if !seat.pulls_trigger(ctx.tick) {
                continue;
            }
            if ammo.rounds == 0 {
                ctx.send(*player, &Event::Empty);
            } else {
                ammo.rounds -= 1;
                self.shots.extend(fire(seat, ctx));
            }
        }
    }

    /// Moves the shots in the air, and hurts the fighters in their way.
    pub(crate) fn fly(&mut self, ctx: &mut Ctx<'_, Self>) {
        let mut shots = std::mem::take(&mut self.shots);
        shots.retain(|id| self.fly_one(*id, ctx));
        self.shots = shots;
    }

    /// Moves a shot. Returns whether it is still in the air.
    fn fly_one(&mut self, id: EntityId, ctx: &mut Ctx<'_, Self>) -> bool {
        let Some(Thing::Shot(shot)) = ctx.world.get_mut(id) else { return false };
        let (owner, from) = (shot.owner, [shot.x, shot.y]);
        let to = rules::fly(from, shot.velocity, ctx.dt);
        let victim = self.first_in_the_way(owner, from, to);
        if victim.is_none() && ctx.tick < shot.ends && rules::is_on_field(to) {
            [shot.x, shot.y] = to;
            return true;
        }
        ctx.world.despawn(id);
        if let Some(victim) = victim {
            self.hit(owner, victim, ctx);
        }
        false
    }

    /// The living fighter that a shot reaches first, its owner and the owner's mates aside.
    fn first_in_the_way(&self, owner: PlayerId, from: Point, to: Point) -> Option<PlayerId> {
        let reach = FIGHTER_RADIUS + SHOT_RADIUS;
        let near = self.targets.near(from, rules::distance_squared(from, to).sqrt() + reach);
        let is_foe = |player| player != owner && !self.are_mates(owner, player);
        let others = near.filter(|target| is_foe(target.player) && self.is_alive(target.player));
        let hits = others.filter_map(|target| Some((rules::passes(from, to, target.at, reach)?, target.player)));
        hits.min_by(|(a, one), (b, other)| a.total_cmp(b).then(one.cmp(other))).map(|(_, player)| player)
    }

    /// Whether a player who was alive at the start of the phase can still be hit.
    fn is_alive(&self, player: PlayerId) -> bool {
        self.seats.get(&player).is_some_and(Seat::is_alive)
    }

    /// Hurts a fighter that is not protected.
    fn hit(&mut self, by: PlayerId, victim: PlayerId, ctx: &mut Ctx<'_, Self>) {
        let Some(seat) = self.seats.get(&victim).filter(|seat| !seat.is_safe(ctx.tick)) else { return };
        let Some(fighter) = fighter_mut(ctx.world, seat.fighter) else { return };
        fighter.hp = fighter.hp.saturating_sub(DAMAGE);
        let (is_dead, at) = (fighter.hp == 0, fighter.position().into());
        ctx.broadcast_at(seat.fighter, &Event::Hit { by, victim, at, damage: DAMAGE });
        if is_dead {
            self.kill(by, victim, ctx);
        }
    }

    /// Hides the victim in its own group, where nobody else sees it.
    fn kill(&mut self, by: PlayerId, victim: PlayerId, ctx: &mut Ctx<'_, Self>) {
        let (by_name, own_group) = (self.score(by, ctx.world), ctx.own_group(victim));
        let Some(seat) = self.seats.get_mut(&victim) else { return };
        seat.die(ctx.tick);
        if let Some(Thing::Fighter(fighter)) = ctx.world.get(seat.fighter) {
            let (victim_name, at) = (fighter.name.clone(), fighter.position().into());
            ctx.broadcast_at(seat.fighter, &Event::Killed { by, by_name, victim, victim_name, at });
        }
        ctx.world.move_to(seat.fighter, own_group);
    }

    /// Counts a kill. Returns the killer's name.
    fn score(&self, killer: PlayerId, world: &mut World<Thing>) -> String {
        let fighter = self.seats.get(&killer).and_then(|seat| fighter_mut(world, seat.fighter));
        fighter.map_or_else(String::new, |fighter| {
            fighter.score = fighter.score.saturating_add(1);
            fighter.name.clone()
        })
    }

    /// Gives pickups to players who stand on them and have a use for them.
    pub(crate) fn collect(&mut self, ctx: &mut Ctx<'_, Self>) {
        let mut pickups = std::mem::take(&mut self.pickups);
        pickups.retain(|id| match ctx.world.get(*id) {
            Some(Thing::Pickup(pickup)) => {
                let (effect, at) = (pickup.effect, [pickup.x, pickup.y]);
                let taker = self.nearest_taker(effect, at, ctx.world);
                if let Some(taker) = taker {
                    ctx.broadcast_at(*id, &Event::Taken { by: taker, effect, at: at.into() });
                    ctx.world.despawn(*id);
                    self.give(effect, taker, ctx);
                }
                taker.is_none()
            }
            _ => false,
        });
        self.pickups = pickups;
    }

    fn nearest_taker(&self, effect: Effect, at: Point, world: &World<Thing>) -> Option<PlayerId> {
        let reach = FIGHTER_RADIUS + PICKUP_RADIUS;
        let has_use = |player: &PlayerId| match self.seats.get(player).and_then(|seat| world.get(seat.fighter)) {
            Some(Thing::Fighter(fighter)) => fighter.hp > 0 && (effect != Effect::Medkit || fighter.hp < MAX_HP),
            _ => false,
        };
        let near = self.targets.near(at, reach).map(|target| (rules::distance_squared(at, target.at), target.player));
        let takers = near.filter(|(distance, player)| *distance <= reach * reach && has_use(player));
        takers.min_by(|(a, one), (b, other)| a.total_cmp(b).then(one.cmp(other))).map(|(_, player)| player)
    }

    fn give(&mut self, effect: Effect, taker: PlayerId, ctx: &mut Ctx<'_, Self>) {
        let Some(seat) = self.seats.get_mut(&taker) else { return };
        match effect {
            Effect::Medkit => {
                if let Some(fighter) = fighter_mut(ctx.world, seat.fighter) {
                    fighter.hp = MAX_HP.min(fighter.hp + MEDKIT);
                }
            }
            Effect::Rapid => {
                seat.start_rapid(ctx.tick);
                if let Some(ammo) = ammo_mut(ctx.world, seat.ammo) {
                    ammo.rounds = MAGAZINE;
                }
            }
        }
    }

    /// Puts a new pickup on the field now and then, while some are missing.
    pub(crate) fn restock(&mut self, ctx: &mut Ctx<'_, Self>) {
        if ctx.tick.0.is_multiple_of(rules::RESTOCK_TICKS) && self.lacks_pickups() {
            self.add_pickup(ctx);
        }
    }

    pub(crate) fn lacks_pickups(&self) -> bool {
        self.pickups.len() < usize::from(self.config.pickups.min(Config::MAX_PICKUPS))
    }

    pub(crate) fn add_pickup(&mut self, ctx: &mut Ctx<'_, Self>) {
        let effect = if ctx.rng.chance(0.25) { Effect::Rapid } else { Effect::Medkit };
        let [x, y] = rules::random_place(ctx.rng);
        self.pickups.push(ctx.world.spawn(Thing::Pickup(Pickup { x, y, effect })));
    }

    pub(crate) fn remove_shots_of(&mut self, player: PlayerId, ctx: &mut Ctx<'_, Self>) {
        self.shots.retain(|id| {
            let others = matches!(ctx.world.get(*id), Some(Thing::Shot(shot)) if shot.owner != player);
            if !others {
                ctx.world.despawn(*id);
            }
            others
        });
    }
}

/// Fires a round. Returns the shot.
fn fire(seat: &mut Seat, ctx: &mut Ctx<'_, Arena>) -> Option<EntityId> {
    seat.fired(ctx.tick);
    let Some(Thing::Fighter(fighter)) = ctx.world.get(seat.fighter) else { return None };
    let shot = Shot::from_fighter(fighter, rules::after(ctx.tick, SHOT_TICKS));
    ctx.broadcast_at(seat.fighter, &Event::Fired { by: shot.owner, at: [shot.x, shot.y].into() });
    Some(ctx.world.spawn(Thing::Shot(shot)))
}

fn fighter_mut(world: &mut World<Thing>, id: EntityId) -> Option<&mut Fighter> {
    match world.get_mut(id) {
        Some(Thing::Fighter(fighter)) => Some(fighter),
        _ => None,
    }
}

fn ammo_mut(world: &mut World<Thing>, id: EntityId) -> Option<&mut Ammo> {
    match world.get_mut(id) {
        Some(Thing::Ammo(ammo)) => Some(ammo),
        _ => None,
    }
}
