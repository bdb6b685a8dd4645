//! Plots of results as SVG: lines over a number of players, and bars.

use std::fmt::Write as _;

/// The colour of ours.
pub const OURS: &str = "#0a62c4";

/// The colour of the machine's floor.
pub const FLOOR: &str = "#8a8f98";

/// The colour of a peer.
pub const PEER: &str = "#d9822b";

/// A line of a plot.
#[derive(Clone, Debug)]
pub struct Line {
    /// What stands beside it.
    pub name: &'static str,
    /// Its colour, as CSS has it.
    pub colour: &'static str,
    /// Its points, from left to right.
    pub points: Vec<(f64, f64)>,
}

/// A bar of a plot.
#[derive(Clone, Debug)]
pub struct Bar {
    /// What stands before it.
    pub name: String,
    /// How long it is.
    pub value: f64,
    /// Its colour, as CSS has it.
    pub colour: &'static str,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
/// Room for the figures at the left and below.
const LEFT: f64 = 52.0;
const BELOW: f64 = 44.0;
/// Room for names at the right and for the title above.
const RIGHT: f64 = 110.0;
const ABOVE: f64 = 34.0;
/// Figures on the axis at the left.
const STEPS: u32 = 5;

/// A picture of lines, both axes from 0.
pub fn lines(title: &str, below: &str, lines: &[Line]) -> String {
    let points = || lines.iter().flat_map(|line| &line.points);
    let most_x = points().map(|point| point.0).fold(1.0, f64::max);
    let most_y = round_up(points().map(|point| point.1).fold(0.0, f64::max));
    let x = |value: f64| LEFT + value / most_x * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BELOW - value / most_y * (HEIGHT - ABOVE - BELOW);
    let mut svg = head(title, HEIGHT);
    let _ = writeln!(
        svg,
        "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{below}</text>",
        x(most_x / 2.0),
        HEIGHT - 8.0
    );
    let mut add = |text: String| svg.push_str(&text);
    for step in 0..=STEPS {
        let value = most_y * f64::from(step) / f64::from(STEPS);
        let (at, end, text) = (y(value), x(most_x), LEFT - 6.0);
        add(format!("<line x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{end:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\n"));
        add(format!("<text x=\"{text}\" y=\"{:.1}\" text-anchor=\"end\">{value:.0}</text>\n", at + 4.0));
    }
    for (value, _) in lines.iter().take(1).flat_map(|line| &line.points) {
        add(format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
            x(*value),
            y(0.0) + 16.0,
            grouped(*value)
        ));
    }
    for Line { name, colour, points } in lines {
        let path = points.iter().fold(String::new(), |mut path, point| {
            let _ = write!(path, "{:.1},{:.1} ", x(point.0), y(point.1));
            path
        });
        add(format!("<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\n"));
        for point in points {
            add(format!("<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>\n", x(point.0), y(point.1)));
        }
        if let Some(last) = points.last() {
            add(format!(
                "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{name}</text>\n",
                x(last.0) + 8.0,
                y(last.1) + 4.0
            ));
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Height of a bar with the room around it, and its thickness.
const ROW: f64 = 30.0;
const THICK: f64 = 18.0;
/// Room for the names before the bars and for the figures behind them.
const NAMES: f64 = 170.0;
const FIGURES: f64 = 80.0;

/// A picture of bars from 0, with their figures: each group has a heading and a scale of its own.
pub fn bars(title: &str, groups: &[(String, Vec<Bar>)]) -> String {
    let rows: usize = groups.iter().map(|(_, bars)| bars.len() + 1).sum();
    let mut svg = head(title, ABOVE + ROW * rows as f64 + 10.0);
    let mut top = ABOVE + 6.0;
    for (heading, bars) in groups {
        let _ = writeln!(svg, "<text x=\"20\" y=\"{:.1}\" fill=\"#555\">{heading}</text>", top + 14.0);
        let most = bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
        for Bar { name, value, colour } in bars {
            top += ROW;
            let (long, text) = (value / most * (WIDTH - NAMES - FIGURES), top + 13.0);
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{text:.1}\" text-anchor=\"end\">{name}</text>\n\
                 <rect x=\"{NAMES}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{THICK}\" fill=\"{colour}\"/>\n\
                 <text x=\"{:.1}\" y=\"{text:.1}\">{}</text>",
                NAMES - 8.0,
                long.max(1.0),
                NAMES + long + 8.0,
                grouped(*value),
            );
        }
        top += ROW;
    }
    svg.push_str("</svg>\n");
    svg
}

/// A figure as people write it: one decimal below 100, thousands apart from 1,000 on.
fn grouped(value: f64) -> String {
    match value.round() as u64 {
        0..100 => format!("{value:.1}"),
        whole @ 100..1_000 => whole.to_string(),
        whole => format!("{},{:03}", whole / 1_000, whole % 1_000),
    }
}

/// The beginning of a picture: its size, its ground, its title.
fn head(title: &str, height: f64) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"20\" y=\"20\" font-size=\"14\">{title}</text>\n"
    )
}

/// The next number that divides well by [`STEPS`].
fn round_up(value: f64) -> f64 {
    let unit = f64::from(STEPS) * 10_f64.powf((value.max(1.0) / f64::from(STEPS)).log10().floor());
    (value.max(1.0) / unit).ceil() * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_ends_above_the_highest_point() {
        assert_eq!([0.3, 4.9, 8.5, 48.0, 51.0].map(round_up), [1.0, 5.0, 10.0, 50.0, 100.0]);
    }

    #[test]
    fn every_point_is_drawn() {
        let line = Line { name: "ours", colour: "#06c", points: vec![(500.0, 7.0), (4_000.0, 8.0)] };
        let svg = lines("title", "players", &[line.clone(), Line { name: "floor", ..line }]);
        assert_eq!(svg.matches("<circle").count(), 4);
        assert!(svg.contains(">4,000<") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn the_longest_bar_ends_before_its_figure() {
        let bar = |value| Bar { name: "b".to_owned(), value, colour: "#06c" };
        let svg = bars("title", &[("a".to_owned(), vec![bar(10.0), bar(20.0)]), ("b".to_owned(), vec![bar(1_234.0)])]);
        assert!(svg.contains("width=\"195.0\"") && svg.contains(">20.0<") && svg.contains(">1,234<"), "{svg}");
        assert_eq!(svg.matches("width=\"390.0\"").count(), 2, "each group has its own scale");
    }
}
