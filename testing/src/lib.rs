//! Tests of a game from its players' side, without sockets and clocks.
//!
//! [`Play`] is a room with players. Each has a [`Line`] to the room and holds what a client holds: the state received
//! over the line, frame by frame, each checked by its hash. Time passes when the test says so. With the game of the
//! project's front page:
//!
//! ```
//! # use std::collections::BTreeMap;
//! # use tiltyard_shared::prelude::*;
//! #
//! # #[derive(Clone, Serialize, Deserialize, Replicate)]
//! # struct Dot {
//! #     #[replicate(range = 0.0..=640.0, step = 0.25)]
//! #     at: [f32; 2],
//! #     owner: PlayerId,
//! # }
//! #
//! # #[derive(Clone, Debug, Serialize, Deserialize, Wire)]
//! # struct Push { x: i8, y: i8 }
//! #
//! # #[derive(Default, Serialize, Deserialize)]
//! # struct Dots(BTreeMap<PlayerId, (EntityId, [f32; 2])>);
//! #
//! # impl Game for Dots {
//! #     const NAME: &'static str = "dots";
//! #     type Config = ();
//! #     type Entity = Dot;
//! #     type Input = Push;
//! #     type Event = ();
//! #
//! #     fn new(_: (), _: &mut Ctx<'_, Self>) -> Self { Self::default() }
//! #     fn join(&mut self, player: PlayerId, ctx: &mut Ctx<'_, Self>) {
//! #         let dot = ctx.world.spawn(Dot { at: [320.0, 320.0], owner: player });
//! #         self.0.insert(player, (dot, [0.0, 0.0]));
//! #     }
//! #     fn leave(&mut self, player: PlayerId, _: Leave, ctx: &mut Ctx<'_, Self>) {
//! #         self.0.remove(&player).map(|(dot, _)| ctx.world.despawn(dot));
//! #     }
//! #     fn tick(&mut self, inputs: &Inputs<Push>, ctx: &mut Ctx<'_, Self>) {
//! #         for (player, push) in inputs.iter() {
//! #             let speed = [f32::from(push.x.signum()), f32::from(push.y.signum())].map(|way| way * 120.0 * ctx.dt);
//! #             self.0.entry(player).and_modify(|(_, held)| *held = speed);
//! #         }
//! #         for (dot, speed) in self.0.values() {
//! #             let Some(dot) = ctx.world.get_mut(*dot) else { continue };
//! #             dot.at = [0, 1].map(|axis| (dot.at[axis] + speed[axis]).clamp(0.0, 640.0));
//! #         }
//! #     }
//! # }
//! use std::time::Duration;
//! use tiltyard_testing::Play;
//!
//! let mut play = Play::<Dots>::new(());
//! let [ann, bob, cyd] = ["Ann", "Bob", "Cyd"].map(|name| play.join(name));
//! play.line(bob).delay = Duration::from_millis(300); // Bob lags
//! play.send(ann, &Push { x: 1, y: 0 });
//! play.run(Duration::from_secs(1));
//!
//! let dot_of = |play: &Play<Dots>, owner, seen_by| {
//!     play.sees(seen_by).into_iter().find(|(_, dot)| dot.owner == owner).map(|(_, dot)| dot.at)
//! };
//! assert_eq!(dot_of(&play, ann, cyd), dot_of(&play, ann, ann));
//! assert!(dot_of(&play, ann, bob) < dot_of(&play, ann, ann), "he sees where she was");
//!
//! play.leave(cyd);
//! play.run(Duration::from_secs(1));
//! assert_eq!(dot_of(&play, cyd, bob), None);
//! ```
//!
//! [`Server`] is a server in a process of its own, for tests of everything around the game; [`http`] makes requests to
//! it. A [`Network`] carries the messages of a simulation. [`check_game`](tiltyard_shared::check::check_game) checks
//! what every game must keep to.

pub mod http;
mod line;
mod network;
mod play;
mod server;

pub use line::Line;
pub use network::{Faulted, Faults, Network};
pub use play::Play;
pub use server::{Server, binary};
