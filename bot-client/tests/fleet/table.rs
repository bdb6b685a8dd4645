//! The table at the end of a run: each invariant with the parts in which it was looked at, how often it held, and what was
//! seen, or what was seen where it did not hold.

use crate::checks::{Checks, Seen};

/// What is seen is cut off here: the run's output above has all of it.
const SEEN_WIDTH: usize = 48;

/// One invariant.
struct Row<'a> {
    claim: &'a str,
    all: Vec<&'a Seen>,
}

impl<'a> Row<'a> {
    fn failed(&self) -> impl Iterator<Item = &'a Seen> {
        self.all.iter().copied().filter(|one| !one.holds)
    }

    fn holds(&self) -> bool {
        self.failed().next().is_none()
    }

    fn parts(&self) -> String {
        let mut parts: Vec<_> = self.all.iter().map(|one| one.part).collect();
        parts.dedup();
        parts.join(", ")
    }

    fn seen(&self) -> String {
        let seen = merged(&self.all.iter().map(|one| one.seen.as_str()).collect::<Vec<_>>());
        if seen.chars().count() <= SEEN_WIDTH {
            seen
        } else {
            seen.chars().take(SEEN_WIDTH - 1).chain(['…']).collect()
        }
    }
}

/// Prints all invariants in the order in which they were first looked at, and how many held.
pub(crate) fn print(checks: &Checks) {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for seen in &checks.all {
        match rows.iter_mut().find(|row| row.claim == seen.claim) {
            Some(row) => row.all.push(seen),
            None => rows.push(Row { claim: &seen.claim, all: vec![seen] }),
        }
    }
    println!("\n     {:<62} {:>7}  {:<SEEN_WIDTH$}  parts", "invariant", "held", "seen");
    for row in &rows {
        let mark = if row.holds() { "ok  " } else { "FAIL" };
        let held = format!("{}/{}", row.all.len() - row.failed().count(), row.all.len());
        println!("{mark} {:<62} {held:>7}  {:<SEEN_WIDTH$}  {}", row.claim, row.seen(), row.parts());
        for Seen { part, seen, .. } in row.failed() {
            println!("       {part}: {seen}");
        }
    }
    let held = rows.iter().filter(|row| row.holds()).count();
    println!("{held} of {} invariants held\n", rows.len());
}

/// What was seen in several parts as one: counts are summed, and of seconds there are the least and the most. Where it
/// differs in more than its numbers, there is what was seen last.
fn merged(seen: &[&str]) -> String {
    let Some(last) = seen.last() else { return String::new() };
    if seen.len() == 1 {
        return (*last).to_owned();
    }
    if !seen.iter().all(|one| is_like(one, last)) {
        return format!("{last} (the last of {})", seen.len());
    }
    let all: Vec<_> = seen.iter().map(|one| pieces(one)).collect();
    let mut whole = String::new();
    for (index, piece) in pieces(last).into_iter().enumerate() {
        let unit = all[0].get(index + 1).map_or("", |piece| piece.text);
        let numbers = || all.iter().filter_map(|pieces| pieces[index].number);
        match piece.number {
            None => whole += piece.text,
            Some(_) if unit == " s" || unit.starts_with(" s ") => {
                let (least, most) =
                    numbers().fold((f64::MAX, 0.0f64), |(least, most), one| (least.min(one), most.max(one)));
                whole += &if least < most { format!("{least} to {most}") } else { most.to_string() };
            }
            Some(_) => whole += &numbers().sum::<f64>().to_string(),
        }
    }
    whole
}

/// A number, or what stands between two.
struct Piece<'a> {
    text: &'a str,
    number: Option<f64>,
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let kind = |letter: char| letter.is_ascii_digit() || letter == '.';
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|letter| kind(letter) != kind(first)).unwrap_or(rest.len());
        let (text, after) = rest.split_at(end);
        pieces.push(Piece { text, number: text.parse().ok() });
        rest = after;
    }
    pieces
}

/// Whether two texts differ in nothing but numbers. Lists are like nothing else: their sums would say nothing.
fn is_like(one: &str, other: &str) -> bool {
    let shape = |text| -> Vec<_> {
        let pieces: Vec<Piece<'_>> = pieces(text);
        pieces.into_iter().map(|piece| piece.number.map_or(piece.text.to_owned(), |_| String::new())).collect()
    };
    !one.contains('[') && shape(one) == shape(other)
}
