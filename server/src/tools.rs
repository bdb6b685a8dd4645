//! The subcommands of a server's binary. For authors of games: show a game's schema, learn codings, begin a new
//! project. For operators: ask a server for its health, look at a fleet, listen to it, run one on this machine.
//! [`crate::cli`] has their syntax.

use std::io::{self, Write as _};

use anyhow::Context as _;
use comfy_table::{Table, presets};

pub(crate) mod cluster;
pub(crate) mod fleet;
pub(crate) mod health;
pub(crate) mod project;
pub(crate) mod tap;
pub(crate) mod types;

/// Writes to standard output.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).context("cannot write to standard output")
}

/// Aligns rows in columns, each as wide as its widest field.
fn columns<const N: usize>(rows: Vec<[String; N]>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_have_to_be() {
        let rows = [["A", "LONG", "C"], ["wide", "漢", ""]];
        assert_eq!(columns(rows.map(|row| row.map(str::to_owned)).to_vec()), "A     LONG  C\nwide  漢\n");
    }
}
