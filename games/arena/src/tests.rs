//! Whole matches, played by hand.

use tiltyard_shared::{
    check::Check,
    game::{Command, Simulation},
    prelude::*,
    protocol::codec,
};

use crate::{
    Arena, Config,
    entities::{Effect, Fighter, Pickup, Thing},
    messages::{Event, Input},
    rules::{DAMAGE, MAGAZINE, MAX_HP, PROTECTION_TICKS, Point, RESPAWN_TICKS, SIZE},
};

const ADA: PlayerId = PlayerId(1);
const BOB: PlayerId = PlayerId(2);
const CYD: PlayerId = PlayerId(3);

/// A room in which tests put players where they need them.
struct Match(Simulation<Arena>);

impl Match {
    /// Without pickups.
    fn new() -> Self {
        Self(Simulation::new(Config { pickups: 0, ..Config::default() }, 1))
    }

    /// Ada, Bob and Cyd in the room, no longer protected: Ada and Bob 100 units apart, Cyd far away.
    fn of_three() -> Self {
        let mut room = Self::new();
        room.step([(ADA, "Ada"), (BOB, "Bob"), (CYD, "Cyd")].map(|(player, name)| join(player, name)));
        for _ in 0..PROTECTION_TICKS {
            room.step([]);
        }
        room.put(ADA, [500.0, 500.0]);
        room.put(BOB, [600.0, 500.0]);
        room.put(CYD, [1_900.0, 1_900.0]);
        room.step([]);
        room
    }

    fn step<const N: usize>(&mut self, commands: [Command<Input>; N]) {
        self.0.outbox().events.clear();
        self.0.step(commands);
        self.0.commit();
    }

    /// Steps until this player is dead.
    fn until_dead(&mut self, player: PlayerId) {
        let ticks = (0..200).take_while(|_| {
            self.step([]);
            self.fighter(player).hp > 0
        });
        assert!(ticks.count() < 199, "{player:?} does not die");
    }

    fn things(&self) -> impl Iterator<Item = (EntityId, &Thing)> {
        self.0.world().iter()
    }

    fn id(&self, player: PlayerId) -> EntityId {
        let owned = |thing: &Thing| matches!(thing, Thing::Fighter(fighter) if fighter.owner == player);
        self.things().find(|(_, thing)| owned(thing)).unwrap().0
    }

    fn fighter(&self, player: PlayerId) -> &Fighter {
        let Some(Thing::Fighter(fighter)) = self.0.world().get(self.id(player)) else { panic!("no fighter") };
        fighter
    }

    fn put(&mut self, player: PlayerId, [x, y]: Point) {
        let id = self.id(player);
        let Some(Thing::Fighter(fighter)) = self.0.world_mut().get_mut(id) else { panic!("no fighter") };
        (fighter.x, fighter.y) = (x, y);
    }

    fn rounds(&self, player: PlayerId) -> u8 {
        let own_group = self.0.world().own_group_of(player).unwrap();
        let rounds = |(id, thing): (EntityId, &Thing)| match thing {
            Thing::Ammo(ammo) if self.0.world().group_of(id) == Some(own_group) => Some(ammo.rounds),
            _ => None,
        };
        self.things().find_map(rounds).unwrap()
    }

    fn view(&self, player: PlayerId) -> Vec<GroupId> {
        let mut groups = Vec::new();
        self.0.view(player, &mut groups);
        groups
    }

    fn events(&mut self) -> Vec<Event> {
        let events = &self.0.outbox().events;
        events.iter().map(|(_, bytes)| codec::decode(bytes).unwrap()).collect()
    }
}

fn join(player: PlayerId, name: &str) -> Command<Input> {
    Command::Join { player, name: name.to_owned(), team: None }
}

fn input(player: PlayerId, input: Input) -> Command<Input> {
    Command::Input { player, input }
}

/// Aims to the right and holds the trigger.
fn shoot(player: PlayerId) -> Command<Input> {
    input(player, Input { fire: true, ..Input::default() })
}

#[test]
fn the_game_passes_its_check() {
    check_game::<Arena>();
}

/// Long enough for some 2,000 kills, returns and pickups; the short matches above have none.
#[test]
fn a_long_and_crowded_game_passes_its_check() {
    let crowded = Check { seed: 100, matches: 1, ticks: 6_000, players: 150 };
    crowded.run::<Arena>().unwrap();
}

#[test]
fn a_key_stays_held_until_the_next_input() {
    let mut room = Match::of_three();
    room.step([input(ADA, Input { walk: [-127, 0], ..Input::default() })]);
    room.step([]);
    room.step([input(ADA, Input::default())]);
    assert_eq!(room.fighter(ADA).position(), [480.0, 500.0]);
}

#[test]
fn a_fighter_kills_another_and_scores() {
    let mut room = Match::of_three();
    room.step([shoot(ADA)]);
    room.until_dead(BOB);
    assert_eq!((room.fighter(ADA).score, room.fighter(ADA).hp), (1, MAX_HP));
    assert_eq!(room.fighter(BOB).score, 0);
    let killed = room.events().into_iter().find(|event| matches!(event, Event::Killed { .. })).unwrap();
    let Event::Killed { by, by_name, victim, victim_name, at } = killed else { panic!("not a kill") };
    assert_eq!((by, by_name.as_str(), victim, victim_name.as_str()), (ADA, "Ada", BOB, "Bob"));
    assert_eq!((at.x, at.y), (600, 500));
}

#[test]
fn the_dead_are_seen_by_nobody_else_and_watch_where_they_fell() {
    let mut room = Match::of_three();
    let watched = room.view(BOB);
    room.step([shoot(ADA)]);
    room.until_dead(BOB);
    let world = room.0.world();
    assert_eq!(world.group_of(room.id(BOB)), world.own_group_of(BOB));
    assert_eq!(room.view(BOB), watched);
}

#[test]
fn the_dead_come_back_whole_and_protected() {
    let mut room = Match::of_three();
    room.step([shoot(ADA)]);
    room.until_dead(BOB);
    for _ in 0..RESPAWN_TICKS {
        room.step([]);
    }
    let bob = room.fighter(BOB);
    assert_eq!((bob.hp, bob.returns, bob.safe), (MAX_HP, 1, true));
    let group = room.0.world().group_of(room.id(BOB)).unwrap();
    assert!(room.view(BOB).contains(&group));
}

#[test]
fn shots_do_not_hurt_who_just_came() {
    let mut room = Match::new();
    room.step([join(ADA, "Ada"), join(BOB, "Bob")]);
    room.put(ADA, [500.0, 500.0]);
    room.put(BOB, [600.0, 500.0]);
    room.step([shoot(ADA)]);
    for _ in 0..10 {
        room.step([]);
    }
    assert_eq!((room.fighter(BOB).hp, room.fighter(BOB).safe), (MAX_HP, true));
    assert!(!room.fighter(ADA).safe, "who shoots gives its protection up");
}

#[test]
fn a_shot_hurts_and_ends() {
    let mut room = Match::of_three();
    room.step([input(ADA, Input { fire: true, ..Input::default() }), input(ADA, Input::default())]);
    assert!(room.events().iter().any(|event| matches!(event, Event::Fired { by: ADA, .. })));
    let is_shot = |(_, thing): (_, &Thing)| matches!(thing, Thing::Shot(_));
    assert_eq!(room.things().filter(|thing| is_shot(*thing)).count(), 1);
    for _ in 0..5 {
        room.step([]);
    }
    assert_eq!(room.fighter(BOB).hp, MAX_HP - DAMAGE);
    assert!(!room.things().any(is_shot));
}

#[test]
fn ammunition_is_seen_by_its_owner_alone() {
    let mut room = Match::of_three();
    room.step([shoot(ADA)]);
    assert_eq!((room.rounds(ADA), room.rounds(BOB)), (MAGAZINE - 1, MAGAZINE));
    let own_group = room.0.world().own_group_of(ADA).unwrap();
    assert!([ADA, BOB, CYD].iter().all(|player| !room.view(*player).contains(&own_group)));
    assert_eq!(room.0.world().owner(own_group), Some(ADA));
}

#[test]
fn an_empty_magazine_clicks_for_its_owner() {
    let mut room = Match::of_three();
    room.put(ADA, [1_000.0, 100.0]);
    room.step([shoot(ADA)]);
    let empty = (0..400).any(|_| {
        room.step([]);
        room.events().contains(&Event::Empty)
    });
    assert!(empty && room.rounds(ADA) == 0);
}

#[test]
fn far_away_players_see_different_things() {
    let room = Match::of_three();
    assert_eq!(room.view(ADA).len(), 49);
    assert!(room.view(CYD).len() < 49, "the walls cut the view");
    assert!(!room.view(CYD).contains(&room.0.world().group_of(room.id(ADA)).unwrap()));
}

#[test]
fn a_medkit_heals_the_hurt_and_is_left_by_the_unhurt() {
    let mut room = Match(Simulation::new(Config { pickups: 1, ..Config::default() }, 1));
    room.step([join(ADA, "Ada")]);
    let (pickup, _) = room.things().find(|(_, thing)| matches!(thing, Thing::Pickup(_))).unwrap();
    let [x, y] = room.fighter(ADA).position();
    *room.0.world_mut().get_mut(pickup).unwrap() = Thing::Pickup(Pickup { x, y, effect: Effect::Medkit });
    room.step([]);
    assert!(room.0.world().get(pickup).is_some());
    let id = room.id(ADA);
    let Some(Thing::Fighter(fighter)) = room.0.world_mut().get_mut(id) else { panic!("no fighter") };
    fighter.hp = 30;
    room.step([]);
    assert_eq!(room.fighter(ADA).hp, 80);
    assert!(room.0.world().get(pickup).is_none());
    assert!(room.events().iter().any(|event| matches!(event, Event::Taken { by: ADA, effect: Effect::Medkit, .. })));
}

#[test]
fn who_is_away_stands_still_and_holds_its_fire() {
    let mut room = Match::of_three();
    room.step([input(ADA, Input { walk: [-127, 0], fire: true, ..Input::default() })]);
    let shots = |room: &Match| room.things().filter(|(_, thing)| matches!(thing, Thing::Shot(_))).count();
    room.step([Command::Away { player: ADA }]);
    let (place, fired) = (room.fighter(ADA).position(), shots(&room));
    for _ in 0..5 {
        room.step([]);
    }
    assert_eq!(room.fighter(ADA).position(), place);
    assert!(shots(&room) <= fired, "no further shot");
    room.step([Command::Back { player: ADA }, input(ADA, Input { walk: [-127, 0], ..Input::default() })]);
    assert_ne!(room.fighter(ADA).position(), place);
}

#[test]
fn who_leaves_takes_everything_along() {
    let mut room = Match::of_three();
    room.step([shoot(ADA)]);
    room.step([Command::Leave { player: ADA, why: Leave::Quit }]);
    let mine = |thing: &Thing| match thing {
        Thing::Fighter(fighter) => fighter.owner == ADA,
        Thing::Shot(shot) => shot.owner == ADA,
        _ => false,
    };
    assert!(!room.things().any(|(_, thing)| mine(thing)));
    assert_eq!(room.0.world().len(), 4, "two fighters and their ammunition");
    assert_eq!(room.view(ADA), []);
}

#[test]
fn no_input_breaks_the_field() {
    let mut room = Match::of_three();
    room.0.world_mut().set_strict(true);
    for aim in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, -0.0] {
        for walk in [[i8::MIN; 2], [i8::MAX; 2], [i8::MIN, i8::MAX]] {
            room.step([ADA, PlayerId(99)].map(|player| input(player, Input { walk, aim, fire: true })));
            for _ in 0..250 {
                room.step([]);
            }
        }
    }
    assert!(room.fighter(ADA).position().iter().all(|part| (0.0..=SIZE).contains(part)));
}

#[test]
fn any_config_makes_a_room() {
    let least = Config { max_players: 0, pickups: 0, view_depth: 0, match_seconds: 1 };
    let most = Config { max_players: u16::MAX, pickups: u16::MAX, view_depth: u8::MAX, match_seconds: 0 };
    for config in [least, most] {
        assert!(Arena::settings(&config).max_players > 0);
        let mut room = Match(Simulation::new(config, 1));
        room.step([join(ADA, &"漢".repeat(30))]);
        assert!(room.0.world().len() <= usize::from(Config::MAX_PICKUPS) + 2);
        assert!(room.view(ADA).len() <= 256);
    }
}

/// A match of one second: Ada and Bob against Cyd, Ada 100 units from Bob and from Cyd.
fn two_against_one() -> Match {
    let mut room = Match(Simulation::new(Config { pickups: 0, match_seconds: 10, ..Config::default() }, 1));
    let seat = |player, name: &str, team| Command::Join { player, name: name.to_owned(), team: Some(team) };
    room.step([seat(ADA, "Ada", 0), seat(BOB, "Bob", 0), seat(CYD, "Cyd", 1)]);
    for _ in 0..PROTECTION_TICKS {
        room.step([]);
    }
    room.put(ADA, [500.0, 500.0]);
    room.put(BOB, [550.0, 500.0]);
    room.put(CYD, [600.0, 500.0]);
    room
}

#[test]
fn shots_fly_past_mates_and_the_match_ends_with_a_result() {
    let mut room = two_against_one();
    room.step([input(ADA, Input { fire: true, ..Input::default() })]);
    room.until_dead(CYD);
    assert_eq!(room.fighter(BOB).hp, MAX_HP);
    assert_eq!(room.fighter(CYD).name, "[B] Cyd");
    for _ in 0..200 {
        room.step([]);
    }
    let result = room.0.outbox().finished.clone().expect("its time is over");
    assert_eq!(result["teams"]["0"], result["players"][0]["kills"]);
    assert!(result["teams"]["0"].as_u64() >= Some(1), "{result}");
}
