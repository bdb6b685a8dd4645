//! What is printed and what is kept: tables of plain text, and one JSON file a scene.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde_json::Value;

/// Says a line on standard output.
pub fn say(line: &str) {
    // Whoever closed the pipe does not want to read on.
    let _ = writeln!(io::stdout(), "{line}");
}

/// Says what has just been done of a scene, so that nobody thinks that it stands still.
pub fn progress(line: &str) {
    say(&format!("  … {line}"));
}

/// A table of Markdown whose columns are aligned.
#[derive(Clone, Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With these headings.
    pub fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|&heading| heading.to_owned()).collect()] }
    }

    /// One more row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Its lines.
    pub fn text(&self) -> String {
        let columns = self.rows[0].len();
        let width = |column: usize| self.rows.iter().filter_map(|row| Some(row.get(column)?.chars().count())).max();
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        let line = |cells: &[String]| {
            let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            format!("| {} |", padded.collect::<Vec<_>>().join(" | "))
        };
        let rule = format!("| {} |", widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join(" | "));
        let mut lines = vec![line(&self.rows[0]), rule];
        lines.extend(self.rows[1..].iter().map(|row| line(row)));
        lines.join("\n")
    }
}

/// The folder of the results.
#[derive(Clone, Debug)]
pub struct Results(PathBuf);

impl Results {
    /// Results go into this folder, which is made if need be.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self(folder.to_owned()))
    }

    /// Keeps what a scene has measured.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn keep(&self, scene: &str, value: &Value) -> io::Result<()> {
        fs::write(self.0.join(format!("{scene}.json")), format!("{value:#}\n"))
    }

    /// Keeps a picture.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn draw(&self, name: &str, svg: &str) -> io::Result<()> {
        fs::write(self.0.join(format!("{name}.svg")), svg)
    }
}

/// Median, minimum and maximum of some figures.
pub fn spread(figures: &[f64]) -> (f64, f64, f64) {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    match sorted.as_slice() {
        [] => (f64::NAN, f64::NAN, f64::NAN),
        [least, .., most] => {
            let middle = sorted.len() / 2;
            let median =
                if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 };
            (median, *least, *most)
        }
        [only] => (*only, *only, *only),
    }
}

/// The median, and from where to where if there was more than one run.
pub fn shown(figures: &[f64], digits: usize) -> String {
    let (median, least, most) = spread(figures);
    match figures.len() {
        0 => "-".to_owned(),
        1 => format!("{median:.digits$}"),
        _ => format!("{median:.digits$} ({least:.digits$} to {most:.digits$})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_told_in_order() {
        assert_eq!(spread(&[3.0, 1.0, 2.0]), (2.0, 1.0, 3.0));
        assert_eq!(spread(&[4.0, 1.0]), (2.5, 1.0, 4.0));
        assert_eq!(shown(&[1.25], 2), "1.25");
        assert_eq!(shown(&[1.0, 3.0, 2.0], 1), "2.0 (1.0 to 3.0)");
    }

    #[test]
    fn a_table_is_aligned() {
        let mut table = Table::new(&["a", "long"]);
        table.row(["wide".to_owned(), "1".to_owned()]);
        assert_eq!(table.text(), "| a    | long |\n| ---- | ---- |\n| wide | 1    |");
    }
}
