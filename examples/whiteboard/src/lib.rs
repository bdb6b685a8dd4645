//! A whiteboard: people draw on it together.
//!
//! What it shows: a board larger than any screen has a grid, and a player is sent the cells around the own cursor, not
//! the whole. What a player sends is bounded by its type: a point is at most 127 units from where its stroke begins, so
//! the stroke stays near the cell that it stands in; and a list longer than its `max_len` is refused as `BadInput`
//! before the rules hear of it (a page's SDK throws instead of sending it). [`check_game`] fails if an input could be
//! larger than `INPUT_BYTES`. A blob travels whole whenever it changes, and one beyond its own `max_len` is cut and
//! counted, in debug builds a panic. So strokes are short: a long line is several of them, and only the last one grows.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use tiltyard_shared::{prelude::*, protocol::limits::NAME_BYTES};

/// The board is so many units wide and high; a unit is about a pixel. (0, 0) is its upper left corner.
pub const SIZE: u16 = 8192;
/// The side of a cell.
pub const CELL: u16 = 512;
/// How many cells a player sees in each direction beyond that of the cursor: at least 1,500 units.
pub const DEPTH: u32 = 3;
/// Most points of a stroke.
pub const POINTS: usize = 48;
/// So many strokes stay; the oldest make room for new ones. All in one cell they still fit a chunk.
pub const STROKES: usize = 2_000;

/// Anything in the world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
pub enum Thing {
    /// Something drawn. It stands in the cell where it begins.
    Stroke(Stroke),
    /// Where somebody's hand is.
    Cursor(Cursor),
}

/// Something drawn, without letting go of the pen, or a part of that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
pub struct Stroke {
    /// Where it begins, to the right.
    #[replicate(range = 0..=SIZE)]
    pub x: u16,
    /// And downwards.
    #[replicate(range = 0..=SIZE)]
    pub y: u16,
    /// Its colour.
    pub ink: Ink,
    /// In units.
    #[replicate(range = 1..=32)]
    pub width: u8,
    /// Later ones lie above earlier ones.
    pub begun: Tick,
    /// Who drew it.
    pub owner: PlayerId,
    /// The points that it goes through: of each two signed bytes, how far to the right of the begin and below it.
    #[replicate(max_len = 2 * POINTS as u32)]
    pub points: Vec<u8>,
    /// Whether it is the same line as the owner's stroke before it.
    #[replicate(skip)]
    pub goes_on: bool,
}

/// Where somebody's hand is. Its lanes are not `linear`: a hand turns all the time, and stops.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
pub struct Cursor {
    /// To the right.
    #[replicate(range = 0.0..=SIZE, step = 1.0)]
    pub x: f32,
    /// Downwards.
    #[replicate(range = 0.0..=SIZE, step = 1.0)]
    pub y: f32,
    /// Whose.
    pub owner: PlayerId,
    /// The name that the player chose.
    #[replicate(max_len = NAME_BYTES as u32)]
    pub name: String,
}

/// Colours. Pages say what they look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Replicate, Wire)]
#[expect(missing_docs, reason = "they say it")]
pub enum Ink {
    Black,
    Red,
    Orange,
    Green,
    Blue,
    Violet,
}

/// What a hand does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
pub enum Input {
    /// It is here, with or without a pen on the board.
    Move {
        /// To the right; beyond the edge counts as at it.
        x: u16,
        /// Downwards.
        y: u16,
    },
    /// Begins a stroke.
    Begin {
        /// Where, to the right.
        x: u16,
        /// Downwards.
        y: u16,
        /// In which colour.
        ink: Ink,
        /// How wide, 1 to 32 units.
        width: u8,
        /// Whether it goes on with the line of the last one, which is full, or whose begin is too far away.
        goes_on: bool,
    },
    /// Draws the stroke that was begun last through more points, seen from its begin.
    Draw {
        /// To the right, downwards. What is beyond [`POINTS`] in all is dropped.
        #[wire(max_len = POINTS as u32)]
        points: Vec<[i8; 2]>,
    },
    /// Takes the own last line back.
    Undo,
}

impl Thing {
    fn position(&self) -> [f32; 2] {
        match self {
            Self::Stroke(stroke) => [stroke.x, stroke.y].map(f32::from),
            Self::Cursor(cursor) => [cursor.x, cursor.y],
        }
    }
}

/// A board. It stays for ten minutes after the last one has gone.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Whiteboard {
    hands: BTreeMap<PlayerId, Hand>,
    /// The oldest first.
    strokes: VecDeque<(PlayerId, EntityId)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Hand {
    cursor: EntityId,
    /// The last one begun.
    stroke: EntityId,
}

impl Game for Whiteboard {
    const NAME: &'static str = "whiteboard";
    type Config = ();
    type Entity = Thing;
    type Input = Input;
    type Event = ();

    fn settings(_config: &()) -> Settings {
        Settings { max_players: 100, linger: Duration::from_secs(600), ..Settings::default() }
    }

    fn grid(_config: &()) -> Option<(Grid, Position<Thing>)> {
        let [size, cell] = [SIZE, CELL].map(f32::from);
        Some((Grid::new(size, size, cell), Thing::position))
    }

    fn new(_config: (), _ctx: &mut Ctx<'_, Self>) -> Self {
        Self::default()
    }

    fn join(&mut self, player: PlayerId, ctx: &mut Ctx<'_, Self>) {
        let (middle, name) = (f32::from(SIZE / 2), ctx.name(player).to_owned());
        let cursor = ctx.world.spawn(Thing::Cursor(Cursor { x: middle, y: middle, owner: player, name }));
        self.hands.insert(player, Hand { cursor, stroke: EntityId::NONE });
    }

    /// What was drawn stays.
    fn leave(&mut self, player: PlayerId, _why: Leave, ctx: &mut Ctx<'_, Self>) {
        self.hands.remove(&player).map(|hand| ctx.world.despawn(hand.cursor));
    }

    fn tick(&mut self, inputs: &Inputs<Input>, ctx: &mut Ctx<'_, Self>) {
        for (player, input) in inputs.iter() {
            match input {
                Input::Move { x, y } => self.put_cursor(player, [*x, *y], ctx),
                Input::Begin { x, y, ink, width, goes_on } => {
                    let (x, y, width) = (*x.min(&SIZE), *y.min(&SIZE), *width.clamp(&1, &32));
                    let (ink, begun, points) = (*ink, ctx.tick, Vec::new());
                    let stroke = Stroke { x, y, ink, width, begun, owner: player, points, goes_on: *goes_on };
                    self.begin(player, stroke, ctx);
                }
                Input::Draw { points } => self.draw(player, points, ctx),
                Input::Undo => self.undo(player, ctx),
            }
        }
    }

    fn view(&self, player: PlayerId, view: &mut View<'_, Thing>) {
        if let Some(hand) = self.hands.get(&player) {
            view.around(hand.cursor, DEPTH);
        }
    }
}

impl Whiteboard {
    fn put_cursor(&self, player: PlayerId, at: [u16; 2], ctx: &mut Ctx<'_, Self>) {
        let cursor = self.hands.get(&player).and_then(|hand| ctx.world.get_mut(hand.cursor));
        if let Some(Thing::Cursor(cursor)) = cursor {
            [cursor.x, cursor.y] = at.map(|at| f32::from(at.min(SIZE)));
        }
    }

    fn begin(&mut self, player: PlayerId, stroke: Stroke, ctx: &mut Ctx<'_, Self>) {
        let Some(hand) = self.hands.get_mut(&player) else { return };
        if self.strokes.len() == STROKES {
            self.strokes.pop_front().map(|(_, oldest)| ctx.world.despawn(oldest));
        }
        hand.stroke = ctx.world.spawn(Thing::Stroke(stroke));
        self.strokes.push_back((player, hand.stroke));
    }

    fn draw(&self, player: PlayerId, points: &[[i8; 2]], ctx: &mut Ctx<'_, Self>) {
        let stroke = self.hands.get(&player).and_then(|hand| ctx.world.get_mut(hand.stroke));
        if let Some(Thing::Stroke(stroke)) = stroke {
            let bytes = points.iter().flatten().map(|distance| distance.cast_unsigned());
            stroke.points.extend(bytes.take(2 * POINTS - stroke.points.len()));
        }
    }

    fn undo(&mut self, player: PlayerId, ctx: &mut Ctx<'_, Self>) {
        while let Some(last) = self.strokes.iter().rposition(|(owner, _)| *owner == player) {
            let undone = self.strokes.remove(last).and_then(|(_, stroke)| ctx.world.despawn(stroke));
            if !matches!(undone, Some(Thing::Stroke(Stroke { goes_on: true, .. }))) {
                return;
            }
        }
    }
}
