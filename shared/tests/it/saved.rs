//! A room that an earlier version of a game has saved is made again by the next one: what was added has its default, and all is
//! committed anew, because the lanes are others.

use tiltyard_shared::{game::Simulation, prelude::*, world::BadSave};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
struct Sheep {
    #[replicate(range = 0..=1000)]
    wool: u16,
}

/// The same a version later: with another field, and less wool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
struct Shorn {
    #[replicate(range = 0..=5)]
    wool: u16,
    #[serde(default = "young")]
    age: u8,
}

fn young() -> u8 {
    1
}

#[derive(Debug, Serialize, Deserialize)]
struct Flock<const LATER: bool> {
    counted: u32,
    #[serde(default)]
    sold: u32,
}

/// The rules are the same in both; only what stands in the world is another.
macro_rules! flock {
    ($later:literal, $entity:ty, $new:expr) => {
        impl Game for Flock<$later> {
            const NAME: &'static str = "flock";
            type Config = ();
            type Entity = $entity;
            type Input = ();
            type Event = ();

            fn new((): (), ctx: &mut Ctx<'_, Self>) -> Self {
                ctx.world.set_strict(true);
                for wool in 0..10u16 {
                    ctx.world.spawn($new(wool));
                }
                Self { counted: 0, sold: 0 }
            }

            fn join(&mut self, _: PlayerId, _: &mut Ctx<'_, Self>) {}

            fn leave(&mut self, _: PlayerId, _: Leave, _: &mut Ctx<'_, Self>) {}

            fn tick(&mut self, _: &Inputs<()>, ctx: &mut Ctx<'_, Self>) {
                self.counted += ctx.world.len() as u32;
            }
        }
    };
}

flock!(false, Sheep, |wool: u16| Sheep { wool: 100 * wool });
flock!(true, Shorn, |wool: u16| Shorn { wool: wool % 6, age: 7 });

#[test]
fn what_was_added_has_its_default_and_all_is_committed_anew() {
    let mut before = Simulation::<Flock<false>>::new((), 1);
    for _ in 0..5 {
        before.step([]);
        before.commit();
    }
    let saved = before.save().expect("a flock can be saved");
    let mut after = Simulation::<Flock<true>>::restore(&saved).expect("it is the same game");
    assert_eq!((after.tick(), after.game().counted, after.game().sold), (Tick(5), 50, 0));
    let wool: Vec<_> = after.world().iter().map(|(_, sheep)| (sheep.wool, sheep.age)).collect();
    assert_eq!((wool.len(), wool[9]), (10, (900, 1)));
    // More wool than there may be now is bent, not a panic, in the world of strict authors as well.
    let committed = after.world().committed();
    assert_eq!((committed.tick(), committed.group(GroupId(0)).members.len()), (Tick(5), 10));
    assert_eq!(committed.group(GroupId(0)).version, Tick(5));
    assert_eq!(after.world().bent().fields, 9);
    after.step([]);
    after.commit();
    assert_eq!(after.world().committed().tick(), Tick(6));
}

#[test]
fn a_later_version_of_the_bytes_is_refused_in_words() {
    let mut world = Simulation::<Flock<false>>::new((), 1);
    world.step([]);
    world.commit();
    let mut saved = world.save().expect("a flock can be saved");
    saved[0] = 2;
    let error = Simulation::<Flock<false>>::restore(&saved).unwrap_err();
    assert_eq!(
        (error.clone(), error.to_string().as_str()),
        (BadSave::Version(2), "version 2 of saved states is unknown")
    );
}
