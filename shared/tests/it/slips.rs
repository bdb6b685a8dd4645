//! Games with a slip that authors make: `check_game` finds each, and says what it is.

use std::{
    collections::HashMap,
    panic::catch_unwind,
    sync::atomic::{AtomicU32, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use tiltyard_shared::{
    check::Check,
    prelude::*,
    replicate::{EntitySchema, Fields, Fixed, KindSchema, LaneSchema, Quantized},
};

const NO_SLIP: u8 = 0;
const COUNTS_OUTSIDE_THE_ROOM: u8 = 1;
const TELLS_WHAT_IT_COUNTS: u8 = 2;
const ITERATES_A_HASH_MAP: u8 = 3;
const FORGETS_A_FIELD: u8 = 4;
const ROUNDS_BY_ITSELF: u8 = 5;
const SKIPS_ITS_STATE: u8 = 6;
const KEEPS_A_HASH_MAP: u8 = 7;
const LOOKS_AT_THE_CLOCK: u8 = 8;

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// Its trait is written by hand, as the derive macro would.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Stone<const SLIP: u8> {
    x: f32,
    y: f32,
}

const STEPS: Fixed = Fixed::inclusive(0.0, 100.0, 0.5);

impl<const SLIP: u8> Replicate for Stone<SLIP> {
    fn schema() -> EntitySchema {
        let mut lanes = vec![LaneSchema::new("x", STEPS), LaneSchema::new("y", STEPS)];
        lanes.truncate(if SLIP == FORGETS_A_FIELD { 1 } else { 2 });
        EntitySchema {
            kinds: vec![KindSchema { name: "Stone".to_owned(), lanes, blobs: vec![], mask: None, skipped: vec![] }],
        }
    }

    fn kind(&self) -> u8 {
        0
    }

    fn quantize(&self, out: &mut Quantized) {
        match SLIP {
            ROUNDS_BY_ITSELF => out.lane((self.x * 2.0) as u32),
            _ => out.fixed(&STEPS, self.x.into()),
        }
        if SLIP != FORGETS_A_FIELD {
            out.fixed(&STEPS, self.y.into());
        }
    }

    fn restore(_kind: u8, fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            x: STEPS.value(fields.lane()?) as f32,
            y: fields.lane().map_or(0.0, |code| STEPS.value(code) as f32),
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Slippery<const SLIP: u8> {
    stone: EntityId,
    /// What a room that is made again does not know.
    #[serde(skip)]
    forgotten: u32,
    weights: HashMap<u32, f32>,
}

impl<const SLIP: u8> Game for Slippery<SLIP> {
    const NAME: &'static str = "slippery";
    type Config = ();
    type Entity = Stone<SLIP>;
    type Input = ();
    type Event = u32;

    fn new((): (), ctx: &mut Ctx<'_, Self>) -> Self {
        let weights = (0..if SLIP == KEEPS_A_HASH_MAP { 50 } else { 0 }).map(|number| (number, number as f32));
        Self { stone: ctx.world.spawn(Stone::default()), forgotten: 0, weights: weights.collect() }
    }

    fn join(&mut self, _player: PlayerId, _ctx: &mut Ctx<'_, Self>) {}

    fn leave(&mut self, _player: PlayerId, _why: Leave, _ctx: &mut Ctx<'_, Self>) {}

    fn tick(&mut self, _inputs: &Inputs<()>, ctx: &mut Ctx<'_, Self>) {
        let (x, y) = (ctx.rng.between(0.0, 100.0), ctx.rng.between(0.0, 100.0));
        let stone = ctx.world.get_mut(self.stone).expect("it is never despawned");
        (stone.x, stone.y) = (x, y);
        match SLIP {
            COUNTS_OUTSIDE_THE_ROOM => stone.x = (COUNTER.fetch_add(1, Ordering::Relaxed) % 100) as f32,
            TELLS_WHAT_IT_COUNTS => ctx.broadcast(GroupId(0), &COUNTER.fetch_add(1, Ordering::Relaxed)),
            SKIPS_ITS_STATE => {
                self.forgotten += 1;
                stone.x = (self.forgotten % 100) as f32;
            }
            KEEPS_A_HASH_MAP => stone.y = self.weights.values().fold(0.0, |sum, weight| (sum * 0.5) + weight),
            LOOKS_AT_THE_CLOCK => {
                let seconds = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later").as_secs();
                stone.y = (seconds % 100) as f32;
            }
            ITERATES_A_HASH_MAP => {
                let weights: HashMap<u32, f32> = (0..50).map(|number| (number, number as f32)).collect();
                stone.x = weights.values().fold(0.0, |sum, weight| (sum * 0.5) + weight);
            }
            _ => {}
        }
    }
}

fn found<const SLIP: u8>() -> String {
    let check = Check { matches: 2, ticks: 50, ..Check::default() };
    check.run::<Slippery<SLIP>>().map_or_else(|failure| failure.what, |()| "nothing".to_owned())
}

#[test]
fn a_game_without_a_slip_passes() {
    assert_eq!(found::<NO_SLIP>(), "nothing");
}

#[test]
fn each_slip_is_found_and_named() {
    let counts = found::<COUNTS_OUTSIDE_THE_ROOM>();
    assert!(counts.starts_with("the same journal gave two different states: entity 0v0 (Stone).x: "), "{counts}");
    assert_eq!(found::<TELLS_WHAT_IT_COUNTS>(), "the same journal gave different events");
    let hashes = found::<ITERATES_A_HASH_MAP>();
    assert!(hashes.starts_with("the same journal gave two different states: entity 0v0 (Stone).x: "), "{hashes}");
    assert_eq!(found::<FORGETS_A_FIELD>(), "field y of Stone is neither in the schema nor marked skip");
    let rounds = found::<ROUNDS_BY_ITSELF>();
    assert!(rounds.starts_with("entity 0v0, lane Stone.x: code "), "{rounds}");
}

#[test]
fn what_a_room_that_is_made_again_does_not_know_is_found_and_named() {
    for (found, begin) in [
        (found::<SKIPS_ITS_STATE>(), "the same journal gave two different states: entity 0v0 (Stone).x: "),
        (found::<KEEPS_A_HASH_MAP>(), "the same journal gave two different states: entity 0v0 (Stone).y: "),
    ] {
        assert!(found.starts_with(begin) && found.contains(" and "), "{found}");
    }
}

#[test]
fn a_clock_is_found_though_it_has_whole_seconds() {
    let check = Check { matches: 1, ticks: 20, ..Check::default() };
    let failure = check.run::<Slippery<LOOKS_AT_THE_CLOCK>>().unwrap_err();
    assert!(failure.what.contains("entity 0v0 (Stone).y: ") && failure.seed == 1, "{failure}");
}

#[test]
fn a_failure_says_where_and_how_to_see_it_again() {
    let panic = catch_unwind(check_game::<Slippery<FORGETS_A_FIELD>>).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert_eq!(
        text,
        "slippery fails its check at tick 1: field y of Stone is neither in the schema nor marked skip \
         (replay with Check { seed: 1, matches: 1, .. })"
    );
}

/// A drawing board whose strokes may be longer than a server takes.
#[derive(Debug, Serialize, Deserialize)]
struct Board;

#[derive(Clone, Debug, Serialize, Deserialize, Wire)]
enum Draw {
    Clear,
    Stroke { colour: u8, points: Vec<[u32; 4]> },
}

impl Game for Board {
    const NAME: &'static str = "board";
    type Config = ();
    type Entity = Stone<NO_SLIP>;
    type Input = Draw;
    type Event = ();

    fn new((): (), _ctx: &mut Ctx<'_, Self>) -> Self {
        Self
    }

    fn join(&mut self, _player: PlayerId, _ctx: &mut Ctx<'_, Self>) {}

    fn leave(&mut self, _player: PlayerId, _why: Leave, _ctx: &mut Ctx<'_, Self>) {}

    fn tick(&mut self, _inputs: &Inputs<Draw>, _ctx: &mut Ctx<'_, Self>) {}
}

#[test]
fn an_input_that_no_server_takes_is_named_with_its_size() {
    let failure = Check::default().run::<Board>().unwrap_err();
    assert_eq!(
        failure.what,
        "an input may have 5125 bytes, most of them in `Stroke.points`: 4096 is the most; bound it by `#[wire(max_len = …)]`"
    );
}
