//! What must hold: a figure that was measured, the bound that it must keep, and whether it does.

use serde::Serialize;

use crate::report::Table;

/// The side on which a figure must stay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Not above.
    AtMost(f64),
    /// Not below.
    AtLeast(f64),
}

/// Something that must hold.
#[derive(Clone, Debug, Serialize)]
pub struct Claim {
    what: String,
    measured: f64,
    bound: Bound,
    held: bool,
}

impl Claim {
    /// A figure that must not be above `most`. One that could not be measured (NaN) does not hold.
    pub fn at_most(what: impl Into<String>, measured: f64, most: f64) -> Self {
        Self { what: what.into(), measured, bound: Bound::AtMost(most), held: measured <= most }
    }

    /// A figure that must not be below `least`. One that could not be measured (NaN) does not hold.
    pub fn at_least(what: impl Into<String>, measured: f64, least: f64) -> Self {
        Self { what: what.into(), measured, bound: Bound::AtLeast(least), held: measured >= least }
    }

    /// Whether it holds.
    pub fn holds(&self) -> bool {
        self.held
    }
}

/// The claims beside what was measured.
pub fn table(claims: &[Claim]) -> String {
    let mut table = Table::new(&["what must hold", "bound", "measured", "held"]);
    for Claim { what, measured, bound, held } in claims {
        let (side, bound) = match bound {
            Bound::AtMost(most) => ("≤", most),
            Bound::AtLeast(least) => ("≥", least),
        };
        let verdict = if *held { "yes" } else { "NO" };
        table.row([what.clone(), format!("{side} {}", short(*bound)), short(*measured), verdict.to_owned()]);
    }
    table.text()
}

/// A figure with as many digits as say something.
fn short(figure: f64) -> String {
    match figure.abs() {
        _ if figure.fract() == 0.0 => format!("{figure:.0}"),
        size if size < 10.0 => format!("{figure:.2}"),
        size if size < 1000.0 => format!("{figure:.1}"),
        _ => format!("{figure:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_measured_does_not_hold() {
        assert!(Claim::at_most("a", 1.5, 1.5).holds() && Claim::at_least("a", 1.5, 1.5).holds());
        assert!(!Claim::at_most("a", f64::NAN, 1.5).holds() && !Claim::at_least("a", f64::NAN, 1.5).holds());
    }

    #[test]
    fn a_table_says_bound_figure_and_verdict() {
        let text = table(&[Claim::at_most("ratio", 1.618, 1.5), Claim::at_least("Hz", 20.0, 19.8)]);
        assert!(text.contains("| ratio          | ≤ 1.50 | 1.62     | NO   |"), "{text}");
        assert!(text.contains("| Hz             | ≥ 19.8 | 20       | yes  |"), "{text}");
    }
}
