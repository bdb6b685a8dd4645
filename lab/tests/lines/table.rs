//! What a run leaves behind: one table for people, the same for bench/RESULTS.md, one JSON file, and a picture of each
//! profile.

use std::{fmt::Write as _, fs, path::Path};

use crate::{
    claims::Figures,
    run::{Point, Row},
};

/// Prints all rows, and below them each claim that did not hold.
pub(crate) fn print(rows: &[Row]) {
    println!(
        "\n     {:<19} {:<5} {:>7} {:>8} {:>7} {:>6} {:>7} {:>13} {:>5} {:>12} {:>4} {:>8} {:>8}",
        "profile",
        "from",
        "in ms",
        "frames/s",
        "under %",
        "delay",
        "age ms",
        "resyncs+recon",
        "wrong",
        "events",
        "seat",
        "back ms",
        "lag ms"
    );
    for row in rows {
        let figures = &row.figures;
        let mark = if row.verdicts.iter().all(|one| one.holds) { "ok  " } else { "FAIL" };
        println!(
            "{mark} {:<19} {:<5} {:>7} {:>8} {:>7} {:>6} {:>7} {:>13} {:>5} {:>12} {:>4} {:>8} {:>8.0}",
            row.profile,
            row.client,
            number(figures.entered, 0),
            number(figures.least_second.map(|least| least as f64), 0),
            number(figures.underruns, 1),
            number(figures.delay, 1),
            number(figures.age, 0),
            format!("{}+{}", figures.resyncs, figures.reconnects),
            figures.mismatches + figures.bad_frames,
            format!("{}/{}", figures.events, figures.wrong_events),
            if figures.own_seat { "own" } else { "LOST" },
            number(figures.back.or(figures.noticed), 0),
            figures.lag,
        );
    }
    println!(
        "(frames/s: of the least second; events: told / wrong; back: from the end of a hole, or to the notice of a silence)\n"
    );
    for row in rows {
        for verdict in row.verdicts.iter().filter(|one| !one.holds) {
            println!("FAIL {} {}: {}: {}", row.profile, row.client, verdict.claim, verdict.seen);
        }
    }
    let all = || rows.iter().flat_map(|row| &row.verdicts);
    println!("{} of {} claims held", all().filter(|one| one.holds).count(), all().count());
}

/// A column of the short table: its head, and its cell for a client.
type Column = (&'static str, fn(&Figures) -> String);

const COLUMNS: [Column; 7] = [
    ("in, ms", |one| number(one.entered, 0)),
    ("least frames/s", |one| number(one.least_second.map(|least| least as f64), 0)),
    ("underruns, %", |one| number(one.underruns, 1)),
    ("delay added, ticks", |one| number(one.delay, 1)),
    ("age, ms", |one| number(one.age, 0)),
    ("resyncs + returns", |one| format!("{}+{}", one.resyncs, one.reconnects)),
    ("back or noticed, ms", |one| number(one.back.or(one.noticed), 0)),
];

/// Stands where there is nothing to tell.
const NONE: &str = "–";

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or(NONE.to_owned(), |value| format!("{value:.digits$}"))
}

/// The table in Markdown: a row a profile, in a cell all clients.
fn markdown(rows: &[Row]) -> String {
    let heads = COLUMNS.map(|(head, _)| head).join(" | ");
    let mut table = format!("| line | {heads} | all held |\n|{}\n", " --- |".repeat(COLUMNS.len() + 2));
    for (name, these) in by_profile(rows) {
        let cells = COLUMNS.map(|(_, cell)| {
            let all: Vec<_> = these.iter().map(|row| cell(&row.figures)).collect();
            if all.iter().all(|one| one == NONE) { NONE.to_owned() } else { all.join(" / ") }
        });
        let fail = |row: &&&Row| row.verdicts.iter().any(|one| !one.holds);
        let failed: Vec<_> = these.iter().filter(fail).map(|row| row.client).collect();
        let held = if failed.is_empty() { "yes".to_owned() } else { format!("not {}", failed.join(", ")) };
        let _ = writeln!(table, "| {name} | {} | {held} |", cells.join(" | "));
    }
    table
}

/// The rows of each profile, in the order in which they come first.
fn by_profile(rows: &[Row]) -> Vec<(&str, Vec<&Row>)> {
    let mut profiles: Vec<(&str, Vec<&Row>)> = Vec::new();
    for row in rows {
        match profiles.iter_mut().find(|(name, _)| *name == row.profile) {
            Some((_, rows)) => rows.push(row),
            None => profiles.push((&row.profile, vec![row])),
        }
    }
    profiles
}

/// Writes the Markdown, the JSON and the pictures.
pub(crate) fn write(rows: &[Row], folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("lines.json"), serde_json::to_string_pretty(rows)?)?;
    fs::write(folder.join("lines.md"), markdown(rows))?;
    for (name, these) in by_profile(rows) {
        fs::write(folder.join(format!("{name}.svg")), picture(name, &these))?;
    }
    println!("{}: lines.json, lines.md, and a picture of each profile", folder.display());
    Ok(())
}

const WIDTH: f64 = 760.0;
const PANEL: f64 = 150.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 70.0;

/// A panel's name and what it shows of a second.
type Panel = (&'static str, fn(&Point) -> Option<f64>);

const PANELS: [Panel; 3] = [
    ("frames a second", |point| Some(point.frames as f64)),
    ("age of the picture, ms", |point| point.age),
    ("underruns, %", |point| point.underruns),
];

fn colour(client: &str) -> &'static str {
    match client {
        "rust" => "#b7410e",
        "node" => "#3c873a",
        _ => "#0a62c4",
    }
}

/// Rate, age and underruns over time, a line a client.
fn picture(name: &str, rows: &[&Row]) -> String {
    let height = 40.0 + PANEL * PANELS.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"20\" y=\"20\" font-size=\"14\">{name}</text>\n"
    );
    for (index, row) in rows.iter().enumerate() {
        let x = 220.0 + 60.0 * index as f64;
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"20\" fill=\"{}\">{}</text>", colour(row.client), row.client);
    }
    for (index, panel) in PANELS.iter().enumerate() {
        svg.push_str(&draw(40.0 + PANEL * index as f64, panel, rows));
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw(top: f64, (title, value): &Panel, rows: &[&Row]) -> String {
    let points = || rows.iter().flat_map(|row| &row.course);
    let most_x = points().map(|point| point.at).fold(1.0, f64::max);
    let most_y = points().filter_map(value).fold(1.0, f64::max);
    let x = |at: f64| LEFT + at / most_x * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| top + PANEL - 30.0 - value / most_y * (PANEL - 55.0);
    let mut svg = format!("<text x=\"{LEFT}\" y=\"{:.0}\" fill=\"#555\">{title}</text>\n", top + 14.0);
    for value in [0.0, most_y / 2.0, most_y] {
        let (at, end, text) = (y(value), x(most_x), LEFT - 6.0);
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{end:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\n\
             <text x=\"{text}\" y=\"{:.1}\" text-anchor=\"end\">{value:.0}</text>",
            at + 4.0
        );
    }
    for second in (0..=most_x as u32).step_by(10) {
        let at = x(f64::from(second));
        let _ = writeln!(svg, "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{second}</text>", y(0.0) + 15.0);
    }
    for row in rows {
        // A second without a value is a gap in the line.
        for part in row.course.split(|point| value(point).is_none()).filter(|part| !part.is_empty()) {
            let path = part.iter().fold(String::new(), |mut path, point| {
                let _ = write!(path, "{:.1},{:.1} ", x(point.at), y(value(point).unwrap_or_default()));
                path
            });
            let colour = colour(row.client);
            let _ =
                writeln!(svg, "<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>");
        }
    }
    svg
}
