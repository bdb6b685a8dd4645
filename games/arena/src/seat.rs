//! The game's state of a player: its entities, its controls, and the times at which it may act.

use tiltyard_shared::prelude::*;

use crate::{
    messages::Input,
    rules::{self, COOLDOWN_TICKS, PROTECTION_TICKS, RAPID_COOLDOWN_TICKS, RELOAD_TICKS, RESPAWN_TICKS},
};

/// A player of the arena. A time means "from this tick on" or "until before this tick".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seat {
    /// Its figure, dead or alive.
    pub(crate) fighter: EntityId,
    /// Its rounds, in its own group.
    pub(crate) ammo: EntityId,
    /// The team of its mates.
    pub(crate) team: Option<u16>,
    /// The last input, which stays in force.
    pub(crate) held: Input,
    /// Whether the trigger was pulled since the last tick, even if it was released again.
    pulled: bool,
    loaded_from: Tick,
    next_round: Tick,
    rapid_until: Tick,
    safe_until: Tick,
    dead_until: Option<Tick>,
}

impl Seat {
    pub(crate) fn new(fighter: EntityId, ammo: EntityId, team: Option<u16>, now: Tick) -> Self {
        Self {
            fighter,
            ammo,
            team,
            held: Input::default(),
            pulled: false,
            loaded_from: now,
            next_round: now,
            rapid_until: now,
            safe_until: rules::after(now, PROTECTION_TICKS),
            dead_until: None,
        }
    }

    /// Takes an input of any content.
    pub(crate) fn hold(&mut self, input: Input) {
        self.pulled |= input.fire;
        self.held = Input { aim: rules::turn(self.held.aim, input.aim), ..input };
    }

    /// Makes the fighter stand still and hold its fire.
    pub(crate) fn rest(&mut self) {
        self.pulled = false;
        self.held = Input { aim: self.held.aim, ..Input::default() };
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.dead_until.is_none()
    }

    pub(crate) fn is_safe(&self, now: Tick) -> bool {
        now < self.safe_until
    }

    pub(crate) fn is_rapid(&self, now: Tick) -> bool {
        now < self.rapid_until
    }

    pub(crate) fn start_rapid(&mut self, now: Tick) {
        self.rapid_until = rules::after(now, rules::RAPID_TICKS);
    }

    pub(crate) fn die(&mut self, now: Tick) {
        (self.dead_until, self.rapid_until) = (Some(rules::after(now, RESPAWN_TICKS)), now);
    }

    /// Whether it is time to come back; if so, the fighter is alive and protected from now on.
    pub(crate) fn revive(&mut self, now: Tick) -> bool {
        let due = self.dead_until.is_some_and(|until| until <= now);
        if due {
            (self.dead_until, self.safe_until) = (None, rules::after(now, PROTECTION_TICKS));
        }
        due
    }

    /// Whether the trigger is pulled and the gun has cooled down; if so, it is hot again. To be called once a tick.
    pub(crate) fn pulls_trigger(&mut self, now: Tick) -> bool {
        let pulled = std::mem::take(&mut self.pulled) || self.held.fire;
        let fires = pulled && self.is_alive() && self.loaded_from <= now;
        if fires {
            let cooldown = if self.is_rapid(now) { RAPID_COOLDOWN_TICKS } else { COOLDOWN_TICKS };
            self.loaded_from = rules::after(now, cooldown);
        }
        fires
    }

    /// Notes a fired round, which ends protection and delays the next round.
    pub(crate) fn fired(&mut self, now: Tick) {
        (self.safe_until, self.next_round) = (now, rules::after(now, RELOAD_TICKS));
    }

    /// Whether another round is loaded; if so, the one after it takes as long again.
    pub(crate) fn reloads(&mut self, now: Tick) -> bool {
        let due = self.next_round <= now;
        if due {
            self.next_round = rules::after(now, RELOAD_TICKS);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seat() -> Seat {
        Seat::new(EntityId::NONE, EntityId::NONE, None, Tick(0))
    }

    #[test]
    fn a_held_trigger_fires_whenever_the_gun_has_cooled_down() {
        let mut seat = seat();
        seat.hold(Input { fire: true, ..Input::default() });
        let fired: Vec<u32> = (1..=20).filter(|now| seat.pulls_trigger(Tick(*now))).collect();
        assert_eq!(fired, [1, 1 + COOLDOWN_TICKS, 1 + 2 * COOLDOWN_TICKS]);
        seat.start_rapid(Tick(30));
        let fired: Vec<u32> = (30..=40).filter(|now| seat.pulls_trigger(Tick(*now))).collect();
        assert_eq!(fired, [30, 30 + RAPID_COOLDOWN_TICKS, 30 + 2 * RAPID_COOLDOWN_TICKS]);
    }

    #[test]
    fn a_pull_that_is_over_within_a_tick_fires_once() {
        let mut seat = seat();
        seat.hold(Input { fire: true, ..Input::default() });
        seat.hold(Input::default());
        assert!(seat.pulls_trigger(Tick(1)));
        assert!(!seat.pulls_trigger(Tick(30)));
    }

    #[test]
    fn the_dead_do_not_shoot_and_come_back_protected() {
        let mut seat = seat();
        seat.hold(Input { fire: true, ..Input::default() });
        seat.die(Tick(100));
        assert!(!seat.pulls_trigger(Tick(101)) && !seat.revive(Tick(139)));
        assert!(seat.revive(Tick(140)) && seat.is_alive());
        assert!(seat.is_safe(Tick(179)) && !seat.is_safe(Tick(180)));
        seat.fired(Tick(150));
        assert!(!seat.is_safe(Tick(150)), "who shoots can be hurt");
    }
}
