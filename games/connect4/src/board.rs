//! The board, its rules as pure functions, and the clock that everyone sees. It knows colours, not players.
//!
//! A cell has a number: row x 7 + column, both from 0; row 0 is the lowest.

use tiltyard_shared::prelude::*;

use crate::messages::Refusal;

/// Cells side by side.
pub const COLUMNS: usize = 7;
/// Cells one above the other.
pub const ROWS: usize = 6;
/// Cells in all. As the number of a cell it means none.
pub const CELLS: u8 = (COLUMNS * ROWS) as u8;

/// Rows, from the lowest up, each from left to right.
pub type Cells = [[Color; COLUMNS]; ROWS];

/// To the right, up, and along both diagonals. The opposite directions give the same lines.
const DIRECTIONS: [[i32; 2]; 4] = [[0, 1], [1, 0], [1, 1], [1, -1]];

/// The colour of a disc, and of the player who drops it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Replicate, Wire)]
pub enum Color {
    /// An empty cell; a spectator; no turn; no winner.
    #[default]
    None,
    /// The colour with the first move of the first match.
    Red,
    /// The other colour.
    Yellow,
}

impl Color {
    /// The opponent's colour.
    pub fn other(self) -> Self {
        match self {
            Self::None => Self::None,
            Self::Red => Self::Yellow,
            Self::Yellow => Self::Red,
        }
    }
}

/// The progress of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Replicate)]
pub enum Phase {
    /// Waiting for a second player.
    Waiting,
    /// The match is on.
    Playing,
    /// The last match is still on the board, until both players ask for the next one.
    Over,
}

/// A match, as everybody sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
pub struct Board {
    /// The discs.
    pub cells: Cells,
    /// The numbers of the four winning cells; each is [`CELLS`] if there are none.
    #[replicate(range = 0..=CELLS)]
    pub four: [u8; 4],
    /// The progress of the match.
    pub phase: Phase,
    /// The colour whose turn it is; `None` unless the match is on.
    pub turn: Color,
    /// The colour that won; `None` for a draw, and until the match is over.
    pub winner: Color,
    /// The last tick for the next move, or after a match for both players to ask for another one.
    pub deadline: Tick,
}

impl Board {
    /// An empty board that waits for players.
    pub fn waiting() -> Self {
        Self {
            cells: [[Color::None; COLUMNS]; ROWS],
            four: [CELLS; 4],
            phase: Phase::Waiting,
            turn: Color::None,
            winner: Color::None,
            deadline: Tick(0),
        }
    }

    /// An empty board on which this colour has the first move, until the deadline.
    pub fn playing(first: Color, deadline: Tick) -> Self {
        Self { phase: Phase::Playing, turn: first, deadline, ..Self::waiting() }
    }

    /// Whether no disc is on it.
    pub fn is_empty(&self) -> bool {
        self.cells.iter().flatten().all(|color| *color == Color::None)
    }

    /// Whether no further disc fits.
    pub fn is_full(&self) -> bool {
        self.cells[ROWS - 1].iter().all(|color| *color != Color::None)
    }

    /// Lets a disc fall into a column, and passes the turn to the other colour. Returns the cell where it comes to
    /// rest.
    ///
    /// # Errors
    ///
    /// The reason why this colour may not do that now. The board stays as it was.
    pub fn drop(&mut self, color: Color, column: u8) -> Result<u8, Refusal> {
        if self.phase != Phase::Playing {
            return Err(Refusal::NoMatch);
        }
        if self.turn != color {
            return Err(Refusal::NotYourTurn);
        }
        if usize::from(column) >= COLUMNS {
            return Err(Refusal::NoSuchColumn);
        }
        let is_free = |row: &[Color; COLUMNS]| row[usize::from(column)] == Color::None;
        let row = self.cells.iter().position(is_free).ok_or(Refusal::ColumnFull)?;
        self.cells[row][usize::from(column)] = color;
        self.turn = color.other();
        Ok((row * COLUMNS) as u8 + column)
    }
}

/// Finds four discs of one colour in a line through this cell.
pub fn four_through(cells: &Cells, cell: u8) -> Option<[u8; 4]> {
    let [row, column] = [usize::from(cell) / COLUMNS, usize::from(cell) % COLUMNS].map(|part| part as i32);
    let color = color_at(cells, [row, column]).filter(|color| *color != Color::None)?;
    let lines = DIRECTIONS.iter().flat_map(|[up, right]| {
        (-3..=0).map(move |start| [0, 1, 2, 3].map(|step| [row + (start + step) * up, column + (start + step) * right]))
    });
    let mut fours = lines.filter(|line| line.iter().all(|at| color_at(cells, *at) == Some(color)));
    fours.next().map(|line| line.map(|[row, column]| (row * COLUMNS as i32 + column) as u8))
}

/// The colour at a place; `None` outside the board.
fn color_at(cells: &Cells, [row, column]: [i32; 2]) -> Option<Color> {
    let row = cells.get(usize::try_from(row).ok()?)?;
    row.get(usize::try_from(column).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Discs dropped into these columns in turn, red first, until one wins; columns that cannot be are passed over.
    fn play(columns: &[u8]) -> (Board, Option<[u8; 4]>) {
        let mut board = Board::playing(Color::Red, Tick(0));
        for column in columns {
            let Ok(cell) = board.drop(board.turn, *column) else { continue };
            let four = four_through(&board.cells, cell);
            assert_eq!(four.is_some(), !naive_fours(&board.cells).is_empty());
            if four.is_some() {
                return (board, four);
            }
        }
        (board, None)
    }

    /// All fours on the board, by trying each of its 69 lines.
    fn naive_fours(cells: &Cells) -> Vec<[u8; 4]> {
        let mut fours = Vec::new();
        let mut lines = 0;
        for row in 0..6i32 {
            for column in 0..7i32 {
                for (up, right) in [(0, 1), (1, 0), (1, 1), (1, -1)] {
                    let (last_row, last_column) = (row + 3 * up, column + 3 * right);
                    if last_row > 5 || !(0..7).contains(&last_column) {
                        continue;
                    }
                    lines += 1;
                    let line = [0, 1, 2, 3].map(|step| ((row + step * up) * 7 + column + step * right) as usize);
                    let colors = line.map(|cell| cells[cell / 7][cell % 7]);
                    if colors[0] != Color::None && colors.iter().all(|color| *color == colors[0]) {
                        fours.push(line.map(|cell| cell as u8));
                    }
                }
            }
        }
        assert_eq!(lines, 69);
        fours
    }

    proptest! {
        #[test]
        fn a_four_is_found_exactly_when_the_last_disc_made_one(columns in prop::collection::vec(0..8u8, 0..80)) {
            let (board, found) = play(&columns);
            if let Some(four) = found {
                prop_assert!(naive_fours(&board.cells).contains(&four));
            }
        }

        #[test]
        fn any_cells_and_any_cell_number_give_the_answer_of_a_naive_search(
            colors in prop::collection::vec(0..3u8, 42), cell in 0..=u8::MAX,
        ) {
            let mut cells = Board::waiting().cells;
            for (index, color) in colors.iter().enumerate() {
                cells[index / 7][index % 7] = [Color::None, Color::Red, Color::Yellow][usize::from(*color)];
            }
            let through: Vec<_> = naive_fours(&cells).into_iter().filter(|four| four.contains(&cell)).collect();
            match four_through(&cells, cell) {
                Some(four) => prop_assert!(through.contains(&four)),
                None => prop_assert!(through.is_empty()),
            }
        }
    }

    #[test]
    fn a_disc_in_the_gap_of_a_line_wins_too() {
        let (_, four) = play(&[0, 0, 1, 1, 3, 3, 2]);
        assert_eq!(four, Some([0, 1, 2, 3]));
    }

    #[test]
    fn discs_pile_up_until_a_column_is_full() {
        let (mut board, four) = play(&[4, 4, 4, 4, 4, 4]);
        assert_eq!((four, board.drop(Color::Red, 4)), (None, Err(Refusal::ColumnFull)));
        assert_eq!(board.turn, Color::Red, "a refused disc does not pass the turn");
        assert_eq!((0..ROWS).map(|row| board.cells[row][4]).filter(|color| *color == Color::Red).count(), 3);
    }

    #[test]
    fn only_who_has_the_turn_drops_and_only_into_a_column() {
        let mut board = Board::playing(Color::Yellow, Tick(9));
        let before = board.clone();
        assert_eq!(board.drop(Color::Red, 0), Err(Refusal::NotYourTurn));
        assert_eq!(board.drop(Color::Yellow, 7), Err(Refusal::NoSuchColumn));
        assert_eq!(board.drop(Color::Yellow, u8::MAX), Err(Refusal::NoSuchColumn));
        assert_eq!(Board::waiting().drop(Color::None, 0), Err(Refusal::NoMatch));
        assert_eq!(board, before);
        assert_eq!(board.drop(Color::Yellow, 6), Ok(6));
    }
}
