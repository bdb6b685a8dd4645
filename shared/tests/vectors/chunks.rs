//! Chunks of every form: what stands in a table before, the bytes, and what stands in it after.

use serde_json::{Value, json};
use tiltyard_shared::{
    bits::BitWriter,
    chunk::{self, Form},
    game::{Rng, Tick},
    replica::Table,
    replicate::{Layout, Quantizer, Replicate},
    world::{EntityId, GroupId, World},
};

use crate::{
    codings,
    json::hex,
    replay::{chunk_error_name, table},
    things::{Dot, Learned, Numbers, Team, Thing, Wide},
};

const GROUP: GroupId = GroupId(0);
const ELSEWHERE: GroupId = GroupId(1);

#[test]
fn chunks() {
    let mut dots = Cases::new();
    let dot = dots.world.spawn(Dot { x: 3 });
    dots.add("one kind: its number takes no bits", Form::Snapshot);
    dots.world.get_mut(dot).expect("it is there").x = 9;
    dots.add("one kind, one field, one change", Form::Delta);

    let mut things = Cases::new();
    things.world.new_group();
    every_field(&mut things);
    lines(&mut things);
    come_and_go(&mut things);
    crate::check(
        "chunks.json",
        &json!([
            { "schema": Dot::schema(), "cases": dots.cases },
            { "schema": Thing::schema(), "cases": things.cases },
            { "schema": Learned::schema(), "cases": learned().cases },
            lamp(),
        ]),
    );
}

/// A world with one group of interest, and the chunks that lead a table from commit to commit.
struct Cases<E: Replicate> {
    world: World<E>,
    tick: u32,
    held: Table,
    cases: Vec<Value>,
}

impl<E: Replicate> Cases<E> {
    fn new() -> Self {
        Self { world: World::new(), tick: 99, held: Table::default(), cases: Vec::new() }
    }

    /// Commits two ticks after the last and writes down the chunk of this form.
    fn add(&mut self, name: &str, form: Form) {
        self.tick += 2;
        self.world.commit(Tick(self.tick));
        self.write(name, form);
    }

    fn write(&mut self, name: &str, form: Form) {
        let committed = self.world.committed();
        let layout = Layout::new(&E::schema());
        let mut bytes = Vec::new();
        chunk::encode(committed, GROUP, form, &mut bytes);
        let before = table(&layout, &self.held);
        let read = self.held.apply(&layout, &bytes, Tick(self.tick), Tick(0)).map_err(|error| chunk_error_name(&error));
        assert_eq!(read, Ok(bytes.len()), "{name}");
        let group = committed.group(GROUP);
        assert_eq!((self.held.version(), self.held.hash()), (group.version, group.hash), "{name}");
        self.cases.push(json!({
            "name": name,
            "tick": self.tick,
            "before": before,
            "hex": hex(&bytes),
            "after": table(&layout, &self.held),
        }));
    }
}

impl Cases<Thing> {
    fn change(&mut self, id: EntityId, change: impl FnOnce(&mut Thing)) {
        change(self.world.get_mut(id).expect("it is there"));
    }

    fn spawn(&mut self, thing: Thing) -> EntityId {
        self.world.spawn(thing)
    }

    /// Frees a slot and uses slots until that one is used again.
    fn replace(&mut self, old: EntityId, thing: &Thing) -> EntityId {
        self.world.despawn(old);
        loop {
            let id = self.world.spawn(thing.clone());
            if id.slot == old.slot {
                return id;
            }
            self.world.despawn(id);
        }
    }
}

macro_rules! of {
    ($kind:ident, |$fields:ident| $change:expr) => {
        |thing: &mut Thing| {
            if let Thing::$kind($fields) = thing {
                $change;
            }
        }
    };
}

/// Each sort of field changes, alone and with others.
fn every_field(cases: &mut Cases<Thing>) {
    let ball = cases.spawn(Thing::ball([1.0, -2.5]));
    let sign = cases.spawn(Thing::sign("north"));
    let wide = cases.spawn(Thing::Wide(Wide::default()));
    cases.spawn(Thing::Mark);
    let numbers = cases.spawn(Thing::numbers());
    cases.add("a snapshot of one entity of each kind", Form::Snapshot);
    cases.change(ball, of!(Ball, |ball| ball.at[0] += 0.0625));
    cases.add("fixed point: one step up", Form::Delta);
    cases.change(ball, of!(Ball, |ball| ball.at = [-64.0, 64.0]));
    cases.add("fixed point: to both ends", Form::Delta);
    cases.change(ball, of!(Ball, |ball| ball.heading = -0.1));
    cases.add("an angle below 0 wraps", Form::Delta);
    cases.change(ball, of!(Ball, |ball| (ball.hp, ball.team, ball.returns) = (-5, Team::Blue, 255)));
    cases.add("an integer, a choice, a counter", Form::Delta);
    cases.change(ball, of!(Ball, |ball| (ball.lit, ball.returns) = (true, 0)));
    cases.add("a bool has no difference; a counter wraps", Form::Delta);
    cases.change(ball, of!(Ball, |ball| ball.target = Some(sign)));
    cases.add("an entity id", Form::Delta);
    cases.change(ball, of!(Ball, |ball| ball.target = None));
    cases.add("no entity", Form::Delta);
    cases.change(sign, of!(Sign, |sign| sign.text = "grüße".to_owned()));
    cases.add("a text", Form::Delta);
    cases.change(sign, of!(Sign, |sign| (sign.text, sign.stain) = (String::new(), (0..=255).collect())));
    cases.add("an empty text and 256 bytes", Form::Delta);
    cases.change(numbers, |thing| {
        *thing = Thing::Numbers(Numbers {
            wide: u32::MAX,
            small: -128,
            far: -39_999_999_000,
            tenth: 0.9,
            fine: 3.0,
            owner: 1 << 31,
        });
    });
    cases.add("32-bit lanes by one down and by half a turn, 24-bit angles", Form::Delta);
    cases.change(
        wide,
        of!(Wide, |wide| {
            wide.cells[0][0] = 1;
            wide.cells[9][3] = 200;
            wide.flags[21] = true;
            wide.note = "last".to_owned();
        }),
    );
    cases.add("64 fields, the first and the last among those that change", Form::Delta);
    cases.change(wide, of!(Wide, |wide| (wide.cells, wide.flags) = ([[5; 4]; 10], [true; 22])));
    cases.add("62 of 64 fields", Form::Delta);
    cases.change(ball, |thing| thing.push(1.0, -1.0));
    cases.change(wide, of!(Wide, |wide| wide.name = "abcdefgh".to_owned()));
    cases.change(numbers, of!(Numbers, |numbers| numbers.wide = 7));
    cases.add("changes of several members", Form::Delta);
    cases.write("a snapshot of all that", Form::Snapshot);
}

/// The same by learned codings.
fn learned() -> Cases<Learned> {
    let (mut cases, mut rng) = (Cases::new(), Rng::new(6));
    let ids: Vec<EntityId> = (0..20).map(|_| cases.world.spawn(codings::learned(&mut rng))).collect();
    cases.add("a snapshot by learned codings", Form::Snapshot);
    for name in ["lines begin to move", "changes by learned codings", "more of these"] {
        codings::play(&mut cases.world, &mut rng);
        cases.add(name, Form::Delta);
    }
    cases.write("a snapshot of what moves", Form::Snapshot);
    let rare = cases.world.get_mut(ids[3]).expect("it is there");
    (rare.hp, rare.team, rare.points, rare.name) = (255, Team::Blue, u32::MAX, "rare".to_owned());
    cases.add("what was never recorded has a code, too", Form::Delta);
    cases.world.get_mut(ids[4]).expect("it is there").at = [3.0, 127.0];
    cases.add("a catch-up: its masks are plain", Form::CatchUp(Tick(cases.tick)));
    cases.world.despawn(ids[5]);
    cases.world.spawn(codings::learned(&mut rng));
    cases.add("a departure and an arrival", Form::Delta);
    cases
}

/// A lane of one bit flips without a code, also where the schema has one. No game learns one: the bits are written here.
fn lamp() -> Value {
    let mut schema = Dot::schema();
    let lane = &mut schema.kinds[0].lanes[0];
    (lane.quantizer, lane.learned.change) = (Quantizer::Bool, Some("1010".to_owned()));
    assert_eq!(schema.check(), Ok(()));
    let (layout, mut held) = (Layout::new(&schema), Table::default());
    let mut case = |name: &str, tick: u32, write: &dyn Fn(&mut BitWriter<'_>)| {
        let (before, mut bytes) = (table(&layout, &held), Vec::new());
        let mut bits = BitWriter::new(&mut bytes);
        write(&mut bits);
        bits.finish();
        assert_eq!(held.apply(&layout, &bytes, Tick(tick), Tick(0)), Ok(bytes.len()), "{name}");
        json!({ "name": name, "tick": tick, "before": before, "hex": hex(&bytes), "after": table(&layout, &held) })
    };
    let snapshot = case("a lamp that is off", 500, &|bits| {
        bits.write(3, 2);
        bits.write(500, 32);
        bits.write_golomb(1, 4);
        bits.write(0, 4);
        bits.write_golomb(0, 0);
        bits.write_golomb(0, 4);
        bits.write(0, 1);
    });
    let flip = |bits: &mut BitWriter<'_>| {
        bits.write(0, 1);
        bits.write_golomb(0, 0);
        bits.write_golomb(1, 1);
        bits.write(0, 4);
        bits.write_golomb(0, 0);
        bits.write(1, 1);
        (0..3).for_each(|_| bits.write_golomb(0, 0));
    };
    let cases = [snapshot, case("it flips", 501, &flip), case("and again", 502, &flip)];
    json!({ "schema": schema, "cases": cases })
}

/// Linear lanes: what follows by itself is not told.
fn lines(cases: &mut Cases<Thing>) {
    let shot = cases.spawn(Thing::shot([1.0, 2.0]));
    cases.add("a line that stands still", Form::Delta);
    cases.change(shot, |thing| thing.push(1.5, -0.25));
    cases.add("two lines begin to move; from another tick than the one before: there is an error", Form::Delta);
    for _ in 0..3 {
        cases.change(shot, |thing| thing.push(1.5, -0.25));
        cases.tick += 2;
        cases.world.commit(Tick(cases.tick));
    }
    assert!(cases.world.committed().changed_groups().is_empty(), "what goes straight on is no change");
    cases.change(shot, |thing| thing.push(0.5, -0.25));
    cases.add("one of two lines has another rate", Form::Delta);
    cases.write("a snapshot of moving lines", Form::Snapshot);
    cases.change(shot, of!(Shot, |shot| (shot.at[0], shot.height, shot.owner) = (127.0, 0.9, 9)));
    cases.add("a rate as large as it may be; a lane of 21 bits", Form::Delta);
    let since = Form::CatchUp(Tick(cases.tick));
    cases.change(shot, of!(Shot, |shot| (shot.at[0], shot.height) = (127.0, 0.9)));
    cases.add("a catch-up of lines that stop", since);
    cases.change(shot, |thing| thing.push(0.0, -0.26));
    cases.add("the rate stays, the value misses: an error alone", Form::Delta);
    cases.world.despawn(shot);
    cases.add("it leaves", Form::Delta);
}

/// Members come, go, are replaced, become of another kind; and what a catch-up says of it.
fn come_and_go(cases: &mut Cases<Thing>) {
    let first = cases.tick;
    let mut balls: Vec<EntityId> = (0..3).map(|n| cases.spawn(Thing::ball([n as f32, 0.0]))).collect();
    cases.add("arrivals", Form::Delta);
    for n in 0..400 {
        let id = cases.spawn(Thing::Mark);
        if n % 130 == 129 {
            balls.push(cases.spawn(Thing::ball([-1.0, n as f32 / 10.0])));
        } else {
            cases.world.move_to(id, ELSEWHERE);
        }
    }
    cases.add("arrivals at large gaps", Form::Delta);
    cases.world.despawn(balls[0]);
    cases.world.move_to(balls[3], ELSEWHERE);
    cases.add("departures", Form::Delta);
    cases.world.move_to(balls[3], GROUP);
    cases.change(balls[1], |thing| thing.push(0.5, 0.0));
    cases.world.despawn(balls[4]);
    cases.spawn(Thing::sign("new"));
    cases.add("a change, a departure and two arrivals", Form::Delta);
    balls[1] = cases.replace(balls[1], &Thing::sign("other"));
    cases.add("a slot whose member was replaced", Form::Delta);
    cases.change(balls[2], |thing| *thing = Thing::Mark);
    cases.add("an entity that becomes of another kind", Form::Delta);
    let catch_up = Form::CatchUp(Tick(cases.tick));
    cases.change(balls[1], of!(Sign, |sign| sign.text = "third".to_owned()));
    cases.world.despawn(balls[5]);
    cases.add("a catch-up of one change and one departure", catch_up);
    cases.write("a catch-up from far back: changed lanes are absolute, new members whole", Form::CatchUp(Tick(first)));
    cases.write("a catch-up from before everything", Form::CatchUp(Tick(0)));
    cases.held = Table::default();
    cases.write("a snapshot with gaps", Form::Snapshot);
    let all: Vec<EntityId> =
        cases.world.iter().map(|(id, _)| id).filter(|id| cases.world.group_of(*id) == Some(GROUP)).collect();
    for id in all {
        cases.world.despawn(id);
    }
    cases.add("the last members leave", Form::Delta);
    cases.write("a snapshot of nobody", Form::Snapshot);
    cases.write("a catch-up of nobody", Form::CatchUp(Tick(first)));
}

#[test]
fn the_kinds_are_as_wide_as_their_cases_need() {
    assert_eq!(Layout::new(&Dot::schema()).kind_bits, 0);
    assert_eq!(Layout::new(&Thing::schema()).kind_bits, 3);
    let fields = |kind: usize| Layout::new(&Thing::schema()).kinds[kind].fields();
    assert_eq!((fields(0), fields(2), fields(3), fields(5)), (8, 64, 0, 5));
}
