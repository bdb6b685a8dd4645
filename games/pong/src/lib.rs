//! Pong for two: who has seven points first wins, and so does who stays when the other leaves.
//!
//! The guide in docs/pong.md builds this file from nothing. The table is 1 wide and 1 high, (0, 0) is its upper left
//! corner, and the paddles move along its left and right edge. A page may stretch it as it likes.

#[cfg(test)]
mod tests;

use serde_json::json;
use tiltyard_shared::prelude::*;

/// Who has so many points wins.
pub const POINTS: u8 = 7;
/// Half the height of a paddle.
pub const REACH: f32 = 0.1;
/// How far a paddle moves in a second, and how far a ball flies to the side before its first hit.
pub const SPEED: f32 = 0.7;
/// Every hit makes the ball so much faster.
const FASTER: f32 = 1.05;
/// Before it is served, the ball lies still for a second.
const PAUSE_TICKS: u32 = 30;
/// No player: the first is 1.
const NOBODY: PlayerId = PlayerId(0);

/// What both players see. Of each pair the first is the left side's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
pub struct Table {
    /// Who plays; 0 until both are there.
    pub players: [PlayerId; 2],
    /// The middle of each paddle, downwards.
    #[replicate(range = 0.0..=1.0, step = 0.001)]
    pub paddles: [f32; 2],
    /// Where the ball is: to the right, downwards.
    #[replicate(range = 0.0..=1.0, step = 0.001)]
    pub ball: [f32; 2],
    /// The points. When they change, the ball is back in the middle, and clients do not draw it gliding there.
    #[replicate(teleport)]
    pub score: [u8; 2],
}

/// What a player's hand does. It stays so until the next input: send one when something changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub struct Input {
    /// Which way to push the paddle: up below 0, down above 0.
    pub push: i8,
}

/// What happens once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub enum Event {
    /// A paddle hit the ball.
    Bounce,
    /// A paddle missed the ball.
    Point {
        /// Who got the point.
        by: PlayerId,
    },
}

/// A match: the table, and what nobody needs to see.
#[derive(Debug, Serialize, Deserialize)]
pub struct Pong {
    table: EntityId,
    players: Vec<PlayerId>,
    push: [i8; 2],
    velocity: [f32; 2],
    serve_at: Tick,
}

impl Game for Pong {
    const NAME: &'static str = "pong";
    type Config = ();
    type Entity = Table;
    type Input = Input;
    type Event = Event;

    fn settings(_config: &()) -> Settings {
        Settings { tick_hz: 30, max_players: 2, ..Settings::default() }
    }

    fn modes() -> Vec<(Mode, ())> {
        vec![(Mode::new("duel", 2, 1), ())]
    }

    fn new(_config: (), ctx: &mut Ctx<'_, Self>) -> Self {
        let table = Table { players: [NOBODY; 2], paddles: [0.5; 2], ball: [0.5; 2], score: [0; 2] };
        Self { table: ctx.world.spawn(table), players: vec![], push: [0; 2], velocity: [SPEED, 0.0], serve_at: Tick(0) }
    }

    fn join(&mut self, player: PlayerId, ctx: &mut Ctx<'_, Self>) {
        self.players.push(player);
        self.serve_at = Tick(ctx.tick.0 + PAUSE_TICKS);
    }

    fn leave(&mut self, player: PlayerId, _why: Leave, ctx: &mut Ctx<'_, Self>) {
        self.players.retain(|other| *other != player);
        if let [winner] = self.players[..] {
            ctx.finish(json!({ "winner": winner, "name": ctx.name(winner) }));
        }
    }

    fn tick(&mut self, inputs: &Inputs<Input>, ctx: &mut Ctx<'_, Self>) {
        let [left, right, ..] = self.players[..] else { return };
        let Some(table) = ctx.world.get_mut(self.table) else { return };
        table.players = [left, right];
        for (side, player) in [left, right].into_iter().enumerate() {
            self.push[side] = inputs.of(player).last().map_or(self.push[side], |input| input.push.signum());
            table.paddles[side] = (table.paddles[side] + f32::from(self.push[side]) * SPEED * ctx.dt).clamp(0.0, 1.0);
        }
        if ctx.tick < self.serve_at {
            return;
        }

        // The ball flies on. The upper and the lower edge throw it back.
        let [x, y] = [0, 1].map(|axis| table.ball[axis] + self.velocity[axis] * ctx.dt);
        table.ball = [x, y].map(|at| at.clamp(0.0, 1.0));
        self.velocity[1] *= if y == table.ball[1] { 1.0 } else { -1.0 };
        if x == table.ball[0] {
            return;
        }

        // It has come to the left or right edge. Where it hits the paddle decides where it flies.
        let side = usize::from(x > 0.5);
        let off_middle = (y - table.paddles[side]) / REACH;
        if off_middle.abs() <= 1.0 {
            self.velocity = [-self.velocity[0] * FASTER, off_middle];
            return ctx.broadcast(GroupId(0), &Event::Bounce);
        }

        // A miss. The next serve goes the same way.
        table.score[1 - side] += 1;
        table.ball = [0.5; 2];
        self.velocity = [SPEED.copysign(self.velocity[0]), ctx.rng.between(-0.5, 0.5)];
        self.serve_at = Tick(ctx.tick.0 + PAUSE_TICKS);
        let (by, points) = (table.players[1 - side], table.score[1 - side]);
        ctx.broadcast(GroupId(0), &Event::Point { by });
        if points == POINTS {
            ctx.finish(json!({ "winner": by, "name": ctx.name(by) }));
        }
    }
}
