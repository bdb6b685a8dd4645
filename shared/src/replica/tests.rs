//! What a replica refuses, what it shows, and what an epoch or a resync changes. Frames are written by hand.

use serde::{Deserialize, Serialize};

use super::*;
use crate::{
    chunk::{self, Form},
    frame::{self, head_flags},
    id::PlayerId,
    protocol::{FRAME, PIECE},
    rng::Rng,
    world::World,
};

mod pieces;
mod refused;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
enum Thing {
    Mark,
    Ball {
        team: u8,
        #[replicate(max_len = 8)]
        name: String,
    },
}

fn ball(team: u8) -> Thing {
    Thing::Ball { team, name: "ball".to_owned() }
}

const A: GroupId = GroupId(0);
const B: GroupId = GroupId(1);

/// What a frame says beside its head.
#[derive(Clone, Copy, Default)]
struct Says<'a> {
    view: &'a [GroupId],
    behind: &'a [GroupId],
    chunks: &'a [(GroupId, Form)],
    /// Whether what comes from other groups is told as moves.
    moves: bool,
    events: &'a Numbered<'a>,
    own: Option<(GroupId, Form, &'a Numbered<'a>)>,
}

/// Events with their numbers.
type Numbered<'a> = [(u64, &'a [u8])];

/// The frame of the last commit; it states the view if it is the first of its epoch.
fn frame_of(world: &World<Thing>, epoch: u32, start: bool, hash: Option<StateHash>, says: Says<'_>) -> Vec<u8> {
    let (committed, mut out) = (world.committed(), Vec::new());
    let Says { view, behind, chunks, moves, events, own } = says;
    Head { epoch, start, tick: committed.tick(), hash, own: own.is_some(), ..Head::default() }.write(&mut out);
    let flag = |on: bool, flag: u8| if on { flag } else { 0 };
    let listed = |groups: &[GroupId]| view.iter().map(|group| groups.contains(group)).collect::<Vec<_>>().into_iter();
    out.push(
        flag(start, part_flags::VIEW)
            | flag(!behind.is_empty(), part_flags::BEHIND)
            | flag(!chunks.is_empty(), part_flags::CHUNKS)
            | flag(!events.is_empty(), part_flags::EVENTS),
    );
    if start {
        frame::write_view(&mut out, view);
    }
    if !behind.is_empty() {
        frame::write_bit_list(&mut out, listed(behind));
    }
    if !chunks.is_empty() {
        frame::write_bit_list(&mut out, listed(&chunks.iter().map(|(group, _)| *group).collect::<Vec<_>>()));
    }
    chunks.iter().for_each(|(group, form)| chunk::encode_for(committed, *group, *form, |_| moves, &mut out));
    if !events.is_empty() {
        frame::write_events(&mut out, events.iter().copied());
    }
    if let Some((group, form, events)) = own {
        out.push(part_flags::GROUP | part_flags::CHUNKS | part_flags::EVENTS);
        frame::write_varint(&mut out, u64::from(group.0));
        chunk::encode(committed, group, form, &mut out);
        frame::write_events(&mut out, events.iter().copied());
    }
    out
}

/// A world with a ball in each of two groups at tick 1, and a replica that holds it.
struct Pair {
    world: World<Thing>,
    balls: [EntityId; 2],
    replica: Replica,
}

impl Pair {
    fn new() -> Self {
        let mut world = World::new();
        world.new_group();
        let balls = [world.spawn_in(A, ball(1)), world.spawn_in(B, ball(2))];
        let mut pair = Self { world, balls, replica: Replica::new(&Thing::schema(), 1) };
        pair.world.commit(Tick(1));
        pair.apply(true, Says { chunks: &[(A, Form::Snapshot), (B, Form::Snapshot)], ..Says::default() }).unwrap();
        pair
    }

    fn tick<T>(&mut self, change: impl FnOnce(&mut World<Thing>, [EntityId; 2]) -> T) {
        change(&mut self.world, self.balls);
        self.world.commit(Tick(self.world.committed().tick().0 + 1));
    }

    /// A frame without a hash, in the epoch that the replica is in.
    fn apply(&mut self, start: bool, says: Says<'_>) -> Result<Applied, ReplicaError> {
        let says = Says { view: &[A, B], ..says };
        self.replica.apply(&frame_of(&self.world, self.replica.epoch(), start, None, says))
    }

    /// What is shown: teams by slots, each with the group it is shown from.
    fn shown(&self) -> Vec<(u16, u8, GroupId)> {
        let team = |shown: &Shown<'_>| match shown.restore() {
            Some(Thing::Ball { team, .. }) => team,
            _ => 0,
        };
        self.replica.shown().map(|shown| (shown.member.slot, team(&shown), shown.group)).collect()
    }
}

fn set_team(world: &mut World<Thing>, id: EntityId, team: u8) {
    *world.get_mut(id).unwrap() = ball(team);
}

#[test]
fn a_delta_from_another_version_is_refused() {
    let mut pair = Pair::new();
    pair.tick(|world, [ball, _]| set_team(world, ball, 7));
    pair.tick(|world, [ball, _]| set_team(world, ball, 8));
    let refused = pair.apply(false, Says { chunks: &[(A, Form::Delta)], ..Says::default() });
    let reason = BadChunk::WrongBase { held: Tick(1), base: Tick(2) };
    assert_eq!(refused, Err(ReplicaError::Chunk { group: A, reason }));
}

#[test]
fn a_move_is_resolved_before_and_after_its_group_has_changed_and_refused_if_that_is_not_held() {
    let both = Says { chunks: &[(A, Form::Delta), (B, Form::Delta)], moves: true, ..Says::default() };
    for (from, to) in [(0, B), (1, A)] {
        let mut pair = Pair::new();
        pair.tick(|world, balls| world.move_to(balls[from], to));
        pair.apply(false, both).unwrap();
        assert_eq!(pair.replica.anatomy().moves, 1);
        assert_eq!(pair.shown(), [(0, 1, to), (1, 2, to)]);
    }
    let mut pair = Pair::new();
    pair.tick(|world, [ball, _]| set_team(world, ball, 7));
    pair.tick(|world, [ball, _]| world.move_to(ball, B));
    let refused = pair.apply(false, Says { chunks: &[(B, Form::Delta)], ..both });
    let reason = BadChunk::WrongBase { held: Tick(1), base: Tick(2) };
    assert_eq!(refused, Err(ReplicaError::Chunk { group: B, reason }));
}

#[test]
fn a_catch_up_brings_any_table_since_its_tick_to_the_same_state_and_refuses_older_ones() {
    for seed in 0..200 {
        let (mut random, mut world) = (Rng::new(seed), World::new());
        let (mut ids, mut tables) = (Vec::new(), vec![Table::default()]);
        for tick in (1..=12).map(Tick) {
            for _ in 0..random.below(6) {
                let known = ids.get(random.below(12) as usize).copied().unwrap_or(EntityId::NONE);
                match random.below(4) {
                    0 => ids.push(world.spawn(ball(random.next_u32() as u8))),
                    1 => drop(world.despawn(known)),
                    2 => world.get_mut(known).into_iter().for_each(|thing| *thing = Thing::Mark),
                    _ => world.get_mut(known).into_iter().for_each(|thing| *thing = ball(random.next_u32() as u8)),
                }
            }
            world.commit(tick);
            let mut table = Table::default();
            let mut bytes = Vec::new();
            chunk::encode(world.committed(), A, Form::Snapshot, &mut bytes);
            assert_eq!(table.apply(world.committed().layout(), &bytes, tick, Tick(0)), Ok(bytes.len()));
            tables.push(table);
        }
        let (committed, newest) = (world.committed(), &tables[12]);
        let rows = |table: &Table| {
            let fields = |index| {
                (table.lanes(committed.layout(), index).to_vec(), table.blobs(committed.layout(), index).to_vec())
            };
            (0..table.members().len()).map(|index| (table.members()[index], fields(index))).collect::<Vec<_>>()
        };
        for since in (1..12).map(Tick) {
            let mut bytes = Vec::new();
            chunk::encode(committed, A, Form::CatchUp(since), &mut bytes);
            for held in (0..=12).map(Tick) {
                let mut table = tables[held.0 as usize].clone();
                let applied = table.apply(committed.layout(), &bytes, Tick(12), held);
                if held < since {
                    assert_eq!(applied, Err(BadChunk::WrongBase { held, base: since }));
                    continue;
                }
                assert_eq!(applied, Ok(bytes.len()), "seed {seed}: since {since:?} for {held:?}");
                assert_eq!((rows(&table), table.version()), (rows(newest), committed.group(A).version));
                assert_eq!(table.hash(), committed.group(A).hash);
            }
        }
    }
}

#[test]
fn an_entity_in_two_tables_is_shown_from_the_newer_while_the_older_is_behind() {
    let mut pair = Pair::new();
    pair.tick(|world, [ball, _]| {
        world.move_to(ball, B);
        set_team(world, ball, 9);
    });
    pair.apply(false, Says { behind: &[A], chunks: &[(B, Form::Delta)], ..Says::default() }).unwrap();
    assert_eq!(pair.shown(), [(0, 9, B), (1, 2, B)]);
    assert_eq!(
        pair.replica.tables().map(|(_, table, behind)| (table.members().len(), behind)).collect::<Vec<_>>(),
        [(1, true), (2, false)]
    );
    pair.tick(|_, _| {});
    pair.apply(false, Says { chunks: &[(A, Form::CatchUp(Tick(1)))], ..Says::default() }).unwrap();
    assert_eq!(pair.shown(), [(0, 9, B), (1, 2, B)]);

    // Now it is the group that it goes to which is behind.
    pair.tick(|world, [ball, _]| world.move_to(ball, A));
    pair.apply(false, Says { behind: &[A], chunks: &[(B, Form::Delta)], ..Says::default() }).unwrap();
    assert_eq!(pair.shown(), [(1, 2, B)], "gone from the newer, not yet in the older");
}

#[test]
fn a_slot_that_was_given_to_another_entity_is_shown_from_the_newer_table() {
    let mut pair = Pair::new();
    pair.tick(|world, [ball, _]| {
        world.despawn(ball);
        while world.spawn_in(B, Thing::Mark).slot != 0 {
            let last = world.iter().last().unwrap().0;
            world.despawn(last);
        }
    });
    pair.apply(false, Says { behind: &[A], chunks: &[(B, Form::Delta)], ..Says::default() }).unwrap();
    let shown: Vec<_> = pair.replica.shown().map(|shown| (shown.id(), shown.group)).collect();
    assert!(shown.contains(&(EntityId { slot: 0, generation: 1 }, B)), "{shown:?}");
    assert_eq!(pair.replica.entity::<Thing>(EntityId { slot: 0, generation: 0 }), None);
    assert_eq!(pair.replica.entity(EntityId { slot: 0, generation: 1 }), Some(Thing::Mark));
}

#[test]
fn a_group_that_is_behind_goes_on_from_the_last_frame_that_told_all() {
    let mut pair = Pair::new();
    for tick in 2..5 {
        pair.tick(|world, _| world.spawn_in(A, ball(tick)));
        pair.apply(false, Says { behind: &[A], ..Says::default() }).unwrap();
    }
    let mut early = pair.replica.clone();
    let too_late = frame_of(
        &pair.world,
        1,
        false,
        None,
        Says { view: &[A, B], chunks: &[(A, Form::CatchUp(Tick(2)))], ..Says::default() },
    );
    let reason = BadChunk::WrongBase { held: Tick(1), base: Tick(2) };
    assert_eq!(early.apply(&too_late), Err(ReplicaError::Chunk { group: A, reason }));
    pair.apply(false, Says { chunks: &[(A, Form::CatchUp(Tick(1)))], ..Says::default() }).unwrap();
    assert_eq!(pair.shown().len(), 5);
}

#[test]
fn a_group_that_enters_holds_nothing_that_a_catch_up_could_go_on_from() {
    let mut pair = Pair::new();
    let start = |pair: &mut Pair, says| {
        let epoch = pair.replica.resync(false).epoch;
        pair.replica.apply(&frame_of(&pair.world, epoch, true, None, says))
    };
    start(&mut pair, Says { view: &[B], ..Says::default() }).unwrap();
    pair.tick(|world, [ball, _]| set_team(world, ball, 7));
    let refused = start(&mut pair, Says { view: &[A, B], chunks: &[(A, Form::CatchUp(Tick(1)))], ..Says::default() });
    let reason = BadChunk::WrongBase { held: Tick(0), base: Tick(1) };
    assert_eq!(refused, Err(ReplicaError::Chunk { group: A, reason }));
}

/// After a silence of more ticks than the short numbers of a frame can span the server states the view anew.
#[test]
fn a_start_in_the_middle_of_an_epoch_keeps_what_it_names_and_wakes_at_the_right_tick() {
    let mut pair = Pair::new();
    let own = pair.world.own_group(PlayerId(1));
    pair.tick(|world, _| world.spawn_in(own, ball(3)));
    pair.apply(false, Says { own: Some((own, Form::Snapshot, &[])), ..Says::default() }).unwrap();
    set_team(&mut pair.world, pair.balls[0], 7);
    pair.world.commit(Tick(200_003));
    pair.apply(
        true,
        Says {
            chunks: &[(A, Form::CatchUp(Tick(2)))],
            own: Some((own, Form::CatchUp(Tick(2)), &[])),
            ..Says::default()
        },
    )
    .unwrap();
    assert_eq!(pair.replica.report(), Report { epoch: 1, applied: Tick(200_003), event: 0 });
    assert_eq!(pair.shown(), [(0, 7, A), (1, 2, B), (2, 3, own)]);

    pair.tick(|world, [_, ball]| set_team(world, ball, 8));
    let says = Says { view: &[B], chunks: &[(B, Form::Delta)], ..Says::default() };
    pair.replica.apply(&frame_of(&pair.world, 1, true, None, says)).unwrap();
    assert_eq!(pair.replica.tick(), Some(Tick(200_004)));
    assert_eq!(pair.shown(), [(1, 8, B)], "what it does not name is gone, the own group too");
}

#[test]
fn the_first_frame_of_an_epoch_drops_the_tables_that_it_does_not_name() {
    let mut pair = Pair::new();
    pair.replica.resync(false);
    pair.replica
        .apply(&frame_of(&pair.world, 2, true, None, Says { view: &[B, GroupId(5)], ..Says::default() }))
        .unwrap();
    let tables: Vec<_> = pair.replica.tables().map(|(group, table, _)| (group, table.version())).collect();
    assert_eq!(tables, [(B, Tick(1)), (GroupId(5), Tick(0))]);
    assert_eq!(pair.replica.resync(true), Resync { epoch: 3, applied: None, event: 0 });
    assert_eq!((pair.replica.tables().count(), pair.replica.tick()), (0, None));
}

#[test]
fn a_hash_that_differs_is_reported_and_groups_that_are_behind_do_not_count() {
    let hash = |pair: &Pair, groups: &[GroupId]| {
        let mut hash = StateHash::default();
        for group in groups {
            let committed = pair.world.committed().group(*group);
            hash += committed.hash.in_view(*group, committed.version);
        }
        Some(hash)
    };
    let mut pair = Pair::new();
    pair.tick(|world, [a, b]| [a, b].into_iter().for_each(|id| set_team(world, id, 5)));
    let says = Says { view: &[A, B], behind: &[A], chunks: &[(B, Form::Delta)], ..Says::default() };
    let mut other = pair.replica.clone();
    let good = frame_of(&pair.world, 1, false, hash(&pair, &[B]), says);
    assert!(matches!(pair.replica.apply(&good), Ok(Applied::Frame(_))));
    let bad = frame_of(&pair.world, 1, false, hash(&pair, &[A, B]), says);
    assert_eq!(other.apply(&bad), Err(ReplicaError::HashMismatch(Tick(2))));
}

#[test]
fn events_come_in_the_order_of_their_numbers_and_none_again_after_a_resync() {
    let mut pair = Pair::new();
    let own = pair.world.own_group(PlayerId(1));
    pair.tick(|world, _| world.spawn_in(own, ball(3)));
    let numbers = |pair: &mut Pair, start, shared: &Numbered<'_>, mine: &Numbered<'_>| {
        let own = Some((own, Form::Snapshot, mine));
        pair.apply(start, Says { events: shared, own, ..Says::default() }).unwrap();
        pair.replica.drain_events().map(|event| (event.number, event.bytes)).collect::<Vec<_>>()
    };
    let one = |number, byte: u8| (number, vec![byte]);
    let got = numbers(&mut pair, false, &[(2, &[20]), (5, &[50])], &[(3, &[30]), (300, &[7])]);
    assert_eq!(got, [one(2, 20), one(3, 30), one(5, 50), one(300, 7)]);
    assert_eq!(pair.replica.report(), Report { epoch: 1, applied: Tick(2), event: 300 });
    assert_eq!(pair.replica.resync(true), Resync { epoch: 2, applied: None, event: 300 });
    assert_eq!(numbers(&mut pair, true, &[(5, &[50]), (301, &[1])], &[(300, &[7])]), [one(301, 1)]);
}

#[test]
fn the_own_group_is_held_beside_the_view_and_another_one_begins_anew() {
    let mut pair = Pair::new();
    let [first, second] = [1, 2].map(|player| pair.world.own_group(PlayerId(player)));
    pair.tick(|world, _| [first, second].map(|group| world.spawn_in(group, ball(group.0 as u8))));
    let told = |pair: &mut Pair, group| {
        pair.apply(false, Says { own: Some((group, Form::Snapshot, &[(1, &[])])), ..Says::default() }).unwrap();
        assert_eq!(pair.replica.own_group(), Some(group));
        pair.shown()[2]
    };
    assert_eq!(told(&mut pair, first), (2, first.0 as u8, first));
    assert_eq!(told(&mut pair, second), (3, second.0 as u8, second));

    let mut frame = Vec::new();
    Head { epoch: 2, tick: Tick(3), start: true, own: true, ..Head::default() }.write(&mut frame);
    frame.extend([part_flags::VIEW, 0, part_flags::BEHIND]);
    pair.replica.resync(false);
    assert_eq!(pair.replica.apply(&frame), Err(BadFrame::OutOfRange.into()), "behind with a group that it never told");
}

#[test]
fn a_change_of_the_view_drops_and_adds_tables_and_must_fit() {
    let change = |pair: &Pair, removed: &[u32], added: &[u32]| {
        let (mut frame, mut replica) = (Vec::new(), pair.replica.clone());
        Head { epoch: 1, tick: Tick(2), ..Head::default() }.write(&mut frame);
        frame.push(part_flags::VIEW);
        frame::write_rising(&mut frame, removed.iter().copied());
        frame::write_rising(&mut frame, added.iter().copied());
        replica
            .apply(&frame)
            .map(|_| replica.tables().map(|(group, table, _)| (group.0, table.version().0)).collect::<Vec<_>>())
    };
    let pair = Pair::new();
    assert_eq!(change(&pair, &[], &[]), Ok(vec![(0, 1), (1, 1)]));
    assert_eq!(change(&pair, &[0], &[7, 9]), Ok(vec![(1, 1), (7, 0), (9, 0)]));
    assert_eq!(change(&pair, &[0, 1], &[0]), Ok(vec![(0, 0)]), "what leaves and comes back is new");
    assert_eq!(change(&pair, &[2], &[]), Err(BadFrame::OutOfRange.into()), "no such place");
    assert_eq!(change(&pair, &[], &[1]), Err(BadFrame::OutOfRange.into()), "it is there already");
}
