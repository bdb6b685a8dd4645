//! Slots and generations, what a commit looks at, strictness, groups and who sees them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};

use super::*;
use crate::{game::View, hash::StateHash};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
enum Thing {
    Stone(Stone),
    Note {
        #[replicate(max_len = 4)]
        text: String,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
struct Stone {
    #[replicate(range = 0.0..=40.0, step = 0.5)]
    x: f32,
    #[replicate(range = 0.0..=40.0, step = 0.5)]
    y: f32,
}

const ADA: PlayerId = PlayerId(1);
const BOB: PlayerId = PlayerId(2);

fn stone(x: f32, y: f32) -> Thing {
    Thing::Stone(Stone { x, y })
}

fn note(text: &str) -> Thing {
    Thing::Note { text: text.to_owned() }
}

/// Four cells of 20 x 20, and the overflow group behind them.
fn gridded(strict: bool) -> World<Thing> {
    let mut world = World::new();
    let position = |thing: &Thing| match thing {
        Thing::Stone(Stone { x, y }) => [*x, *y],
        Thing::Note { .. } => [0.0; 2],
    };
    world.set_grid(Grid::new(40.0, 40.0, 20.0), position);
    world.set_strict(strict);
    world
}

/// Version, members, and whom the last commit changed, brought and took away.
fn group(world: &World<Thing>, group: GroupId) -> (u32, &[u16], [&[u16]; 3]) {
    let group = world.committed().group(group);
    (group.version.0, &group.members, [&group.changed, &group.arrived, &group.departed])
}

#[test]
fn a_slot_is_used_again_when_32_others_are_free_and_the_one_free_for_longest_first() {
    let mut world = World::new();
    let ids: Vec<EntityId> = (0..40).map(|_| world.spawn(note(""))).collect();
    assert!(ids.iter().enumerate().all(|(slot, id)| *id == EntityId { slot: slot as u32, generation: 0 }));
    for id in ids[..32].iter().rev() {
        assert!(world.despawn(*id).is_some());
    }
    assert_eq!(world.spawn(note("")), EntityId { slot: 40, generation: 0 }, "32 free slots are kept");
    world.despawn(ids[39]);
    assert_eq!(world.spawn(note("")), EntityId { slot: 31, generation: 1 }, "of 33, the one that was freed first");
    assert_eq!(world.spawn(note("")), EntityId { slot: 41, generation: 0 });
    assert_eq!(world.len(), world.iter().count());
}

#[test]
fn an_id_names_no_later_entity_of_its_slot() {
    let mut world = World::new();
    let old = world.spawn(note("old"));
    for _ in 0..33 {
        let id = world.spawn(note(""));
        world.despawn(id);
    }
    assert_eq!(world.despawn(old), Some(note("old")));
    let new = std::iter::repeat_with(|| world.spawn(note("new"))).find(|id| id.slot == old.slot).unwrap();
    assert_eq!(new.generation, old.generation + 1);
    assert!(world.get(old).is_none() && world.get_mut(old).is_none() && world.despawn(old).is_none());
    world.move_to(old, GroupId(0));
    assert_eq!(world.get(new), Some(&note("new")));
    world.commit(Tick(1));
    assert_eq!((world.group_of(new), world.group_of(old)), (Some(GroupId(0)), None));
}

#[test]
fn a_full_world_spawns_nothing_and_says_so() {
    let mut world = World::new();
    let first = world.spawn(note(""));
    for _ in 1..MAX_ENTITIES {
        assert_ne!(world.spawn(note("")), EntityId::NONE);
    }
    assert_eq!((world.spawn(note("")), world.bent().full, world.len()), (EntityId::NONE, 1, MAX_ENTITIES));
    world.despawn(first);
    assert_eq!(world.spawn(note("")), EntityId { slot: 0, generation: 1 }, "in a full world no free slots are kept");
    assert!(world.get(EntityId::NONE).is_none() && world.despawn(EntityId::NONE).is_none());
}

#[test]
fn a_version_moves_with_changes_arrivals_and_departures_only() {
    let mut world = World::new();
    let (one, two) = (GroupId(0), world.new_group());
    let (stays, goes) = (world.spawn(stone(1.0, 1.0)), world.spawn_in(one, note("a")));
    world.commit(Tick(3));
    assert_eq!(group(&world, one), (3, &[0, 1][..], [&[][..], &[0, 1], &[]]));
    assert_eq!(group(&world, two), (0, &[][..], [&[][..]; 3]), "nothing was ever in it");

    world.get_mut(stays);
    *world.get_mut(goes).unwrap() = note("a");
    world.commit(Tick(4));
    assert!(world.committed().changed_groups().is_empty(), "touched, but the same");
    assert_eq!(group(&world, one), (3, &[0, 1][..], [&[][..]; 3]));

    *world.get_mut(stays).unwrap() = stone(1.2, 7.0);
    world.commit(Tick(6));
    assert_eq!(group(&world, one), (6, &[0, 1][..], [&[0][..], &[], &[]]));
    let committed = world.committed();
    assert_eq!(
        (committed.version_before(one), committed.member(0).mask),
        (Tick(3), 0b10),
        "1.2 is 1.0, in steps of 0.5"
    );
    assert_eq!((committed.lanes_before(0), committed.lanes(0)), (&[2, 2][..], &[2, 14][..]));
    assert_eq!(committed.field_ticks(0)[..2], [Tick(3), Tick(6)]);

    world.move_to(goes, two);
    world.commit(Tick(7));
    assert_eq!(group(&world, one), (7, &[0][..], [&[][..], &[], &[1]]));
    assert_eq!(group(&world, two), (7, &[1][..], [&[][..], &[1], &[]]));
    assert_eq!((committed_hash(&world, two), world.group_of(goes)), (expected_hash(1, 0, 1, &[], b"a"), Some(two)));

    world.move_to(goes, GroupId(77));
    world.move_to_grid(stays);
    world.despawn(goes);
    world.commit(Tick(8));
    assert_eq!(group(&world, one).0, 7, "an unknown group is no location, and without a grid all stand in group 0");
    assert_eq!(
        (group(&world, two), committed_hash(&world, two)),
        ((8, &[][..], [&[][..], &[], &[1]]), StateHash::default())
    );

    world.spawn_in(two, note("x"));
    world.commit(Tick(9));
    assert_eq!(group(&world, two).0, 9);
    let brief = world.spawn_in(two, note("x"));
    world.despawn(brief);
    world.commit(Tick(10));
    assert_eq!(group(&world, two).0, 9, "who comes and goes between two commits was never there");
}

fn committed_hash(world: &World<Thing>, group: GroupId) -> StateHash {
    world.committed().group(group).hash
}

/// The hash of a group of one member, by its definition.
fn expected_hash(slot: u16, generation: u16, kind: u8, lanes: &[u32], blob: &[u8]) -> StateHash {
    let mut hash = StateHash::member(slot, generation, kind);
    for (index, content) in lanes.iter().copied().chain([StateHash::blob_content(blob)]).enumerate() {
        hash += StateHash::field(slot, generation, index as u32, content);
    }
    hash
}

#[test]
fn another_kind_under_the_same_id_counts_as_new() {
    let mut world = World::new();
    let id = world.spawn(stone(1.0, 1.0));
    world.commit(Tick(1));
    *world.get_mut(id).unwrap() = note("now");
    world.commit(Tick(2));
    assert_eq!(group(&world, GroupId(0)), (2, &[0][..], [&[][..], &[0], &[0]]));
    let member = world.committed().member(0);
    assert_eq!((member.kind, member.generation, member.arrived), (1, 0, Tick(2)));
    assert_eq!(committed_hash(&world, GroupId(0)), expected_hash(0, 0, 1, &[], b"now"));
    assert_eq!(world.get(id), Some(&note("now")));
}

#[test]
fn only_what_was_touched_is_quantized() {
    let mut world = World::new();
    world.set_strict(false);
    let (id, _) = (world.spawn(stone(-9.0, 0.0)), world.spawn(stone(1.0, 1.0)));
    let mut bent_by = |touch: fn(&mut World<Thing>, EntityId)| {
        touch(&mut world, id);
        let (before, next) = (world.bent().fields, Tick(world.committed().tick().0 + 1));
        world.commit(next);
        world.bent().fields - before
    };
    assert_eq!(bent_by(|_, _| {}), 1, "a spawned entity is looked at, and each look counts what is out of range");
    assert_eq!(bent_by(|_, _| {}), 0);
    assert_eq!(bent_by(|world, id| assert!(world.get(id).is_some() && world.iter().count() == 2)), 0);
    assert_eq!(bent_by(|world, id| assert!(world.get_mut(id).is_some())), 1);
    assert_eq!(bent_by(|world, _| assert_eq!(world.iter_mut().count(), 2)), 1);
    assert_eq!(bent_by(|world, id| world.move_to(id, GroupId(0))), 1);
    assert_eq!(bent_by(|_, _| {}), 0);
}

#[test]
fn values_out_of_range_are_bent_and_counted_or_a_panic_in_a_strict_world() {
    for (thing, lanes, fields) in [
        (stone(-3.0, 99.0), &[0, 80][..], 2),
        (stone(f32::NAN, 1.0), &[0, 2], 1),
        (stone(40.2, 40.0), &[80, 80], 0),
        (note("grün"), &[], 1),
    ] {
        let mut world = World::new();
        world.set_strict(false);
        world.spawn(thing.clone());
        world.commit(Tick(1));
        assert_eq!(
            (&world.committed().lanes(0)[..lanes.len()], world.bent()),
            (lanes, Bent { fields, ..Bent::default() })
        );
        world.set_strict(true);
        assert_eq!(world.iter_mut().count(), 1);
        assert_eq!(catch_unwind(AssertUnwindSafe(|| world.commit(Tick(2)))).is_err(), fields > 0, "{thing:?}");
    }
}

#[test]
fn entities_stand_in_the_cell_of_their_position_or_where_the_game_puts_them() {
    let mut world = gridded(true);
    let (team, id) = (world.new_group(), world.spawn(stone(19.0, 5.0)));
    let mut group_at = |thing: Thing| {
        *world.get_mut(id).unwrap() = thing;
        let next = Tick(world.committed().tick().0 + 1);
        world.commit(next);
        world.group_of(id).unwrap().0
    };
    assert_eq!(group_at(stone(19.0, 5.0)), 0);
    assert_eq!(group_at(stone(21.0, 5.0)), 0, "within the hysteresis of 1.25");
    assert_eq!(group_at(stone(21.5, 5.0)), 1);
    assert_eq!(group_at(stone(19.0, 19.0)), 1, "the same in the other direction");
    assert_eq!(group_at(stone(5.0, 30.0)), 2);
    world.move_to(id, team);
    world.commit(Tick(90));
    assert_eq!(world.group_of(id), Some(team));
    world.move_to_grid(id);
    world.commit(Tick(91));
    assert_eq!(world.group_of(id), Some(GroupId(2)));
}

#[test]
fn outside_the_grid_is_the_overflow_group_that_nobody_sees_or_a_panic_in_a_strict_world() {
    let mut world = gridded(false);
    let inside = world.spawn(stone(5.0, 5.0));
    let outside = world.spawn(stone(5.0, 40.5));
    world.commit(Tick(1));
    let overflow = world.grid().unwrap().overflow();
    assert_eq!((world.group_of(outside), world.bent().outside), (Some(overflow), 1));
    assert!(!world.is_shared(overflow) && world.shared_groups().all(|group| group != overflow));
    let mut groups = Vec::new();
    let mut view = View::new(&world, &mut groups);
    view.all();
    view.group(overflow);
    view.around(outside, 5);
    view.around(inside, 1);
    view.finish();
    assert_eq!(groups, [0, 1, 2, 3].map(GroupId));

    *world.get_mut(outside).unwrap() = stone(5.0, 39.0);
    world.commit(Tick(2));
    assert_eq!((world.group_of(outside), world.bent().outside), (Some(GroupId(2)), 1));

    let mut world = gridded(true);
    world.spawn(stone(-0.25, 1.0));
    assert!(catch_unwind(AssertUnwindSafe(|| world.commit(Tick(1)))).is_err());
}

#[test]
fn an_own_group_is_its_owners_alone_until_it_leaves_and_then_the_next_players() {
    let mut world = World::new();
    let adas = world.own_group(ADA);
    assert_eq!((world.own_group(ADA), world.owner(adas), world.own_group_of(BOB)), (adas, Some(ADA), None));
    let bobs = world.own_group(BOB);
    assert_ne!(adas, bobs);
    let (secret, public) = (world.spawn_in(adas, note("ada")), world.spawn_in(adas, note("pub")));
    world.spawn_in(bobs, note("bob"));
    world.commit(Tick(1));
    world.move_to(public, GroupId(0));
    assert_eq!(world.shared_groups().collect::<Vec<_>>(), [GroupId(0)]);
    let mut groups = Vec::new();
    let mut view = View::new(&world, &mut groups);
    [GroupId(0), adas, bobs, GroupId(9), GroupId(0)].into_iter().for_each(|group| view.group(group));
    view.finish();
    assert_eq!(groups, [GroupId(0)], "own groups and unknown ones are in no view");

    world.drop_own_group(ADA);
    assert_eq!((world.get(secret), world.get(public)), (None, Some(&note("pub"))), "only what stands in it goes");
    assert_eq!((world.owner(adas), world.own_group_of(ADA), world.is_shared(adas)), (None, None, false));
    world.move_to(public, adas);
    let stray = world.spawn_in(adas, note("new"));
    world.commit(Tick(2));
    assert_eq!(
        (world.group_of(public), world.group_of(stray)),
        (Some(GroupId(0)), Some(GroupId(0))),
        "a free group is none"
    );
    assert_eq!(group(&world, adas), (2, &[][..], [&[][..], &[], &[0, 1]]));
    assert_eq!(world.own_group(PlayerId(3)), adas, "given again");
    world.drop_own_group(ADA);
    assert_eq!(world.owner(adas), Some(PlayerId(3)), "who has none drops none");
    assert_eq!(group(&world, adas).0, 2, "its version never falls");
}

#[test]
fn a_slot_whose_entity_is_replaced_within_a_tick_departs_and_arrives() {
    let mut world = World::new();
    let ids: Vec<EntityId> = (0..34).map(|_| world.spawn(note("old"))).collect();
    world.commit(Tick(1));
    ids[..33].iter().for_each(|id| drop(world.despawn(*id)));
    let new = world.spawn(note("new"));
    assert_eq!(new, EntityId { slot: 0, generation: 1 });
    world.commit(Tick(2));
    let group = world.committed().group(GroupId(0));
    assert_eq!((&group.members[..], &group.arrived[..], group.departed.len()), (&[0, 33][..], &[0][..], 33));
    assert_eq!(world.committed().member(0).generation, 1);
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
struct Shot {
    #[replicate(range = 0.0..=40.0, step = 0.0625, linear)]
    x: f32,
}

#[test]
fn what_goes_straight_on_does_not_change_and_what_stops_does_without_being_touched() {
    let mut world = World::new();
    let shot = world.spawn(Shot { x: 1.0 });
    let mut changed = Vec::new();
    for tick in 1..=40 {
        if (2..=30).contains(&tick) {
            world.get_mut(shot).expect("it is there").x += 0.83;
        }
        world.commit(Tick(tick));
        changed.extend((!world.committed().changed_groups().is_empty()).then_some(tick));
        let codes = world.committed().lanes(0);
        let x = f64::from(world.get(shot).expect("it is there").x);
        let kind = &world.committed().layout().kinds[0];
        assert_eq!(kind.code_at(codes, 0, Tick(tick)), (x * 16.0 + 0.5) as u32, "at {tick}");
    }
    assert_eq!(changed, [1, 2, 31], "it comes, moves, stops");
}

#[test]
fn a_line_is_kept_across_groups_and_begins_anew_with_another_entity() {
    let mut world = World::new();
    let other = world.new_group();
    let shot = world.spawn(Shot { x: 1.0 });
    for tick in 1..=4 {
        world.get_mut(shot).expect("it is there").x += 0.5;
        if tick == 4 {
            world.move_to(shot, other);
        }
        world.commit(Tick(tick));
    }
    assert_eq!(world.committed().lanes(0)[1], 8 * 256, "8 steps a tick");
    world.despawn(shot);
    world.commit(Tick(5));
    for _ in 0..40 {
        world.spawn(Shot { x: 2.0 });
    }
    world.commit(Tick(6));
    assert!((0..40).all(|slot| slot == 0 || world.committed().lanes(slot)[1] == 0));
}
