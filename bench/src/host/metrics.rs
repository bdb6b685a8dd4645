//! What a server counts, as it tells operators: sums and quantiles of one answer of `/metrics`.

/// One answer of `/metrics`.
#[derive(Clone, Debug)]
pub struct Metrics(pub(super) String);

/// How many of the values that a histogram of `/metrics` counts are at most so large: bounds and counts.
type Buckets = Vec<(f64, f64)>;

impl Metrics {
    /// The sum of a metric over all its labels; 0 if nothing has been counted yet.
    pub fn sum(&self, name: &str) -> f64 {
        let values = self.0.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            if rest.starts_with([' ', '{']) { rest.rsplit(' ').next()?.parse::<f64>().ok() } else { None }
        });
        values.sum()
    }

    /// The bucket of a histogram below which this part of what was counted since `before` lies; `None` if nothing was.
    pub fn quantile(&self, name: &str, part: f64, before: &Self) -> Option<f64> {
        let old = before.buckets(name);
        let since = |(bound, count): (f64, f64)| {
            (bound, count - old.iter().find(|(other, _)| *other == bound).map_or(0.0, |(_, count)| *count))
        };
        let buckets: Buckets = self.buckets(name).into_iter().map(since).collect();
        let all = buckets.last().filter(|(_, all)| *all > 0.0)?.1;
        buckets.iter().find(|(_, count)| *count >= part * all).map(|(bound, _)| *bound)
    }

    /// A histogram over all its labels, the bounds rising.
    fn buckets(&self, name: &str) -> Buckets {
        let mut buckets = Buckets::new();
        for line in self.0.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix("_bucket{")) {
            let bound = line.split_once("le=\"").and_then(|(_, rest)| rest.split_once('"')?.0.parse::<f64>().ok());
            let count = line.rsplit(' ').next().and_then(|count| count.parse::<f64>().ok());
            let Some((bound, count)) = bound.zip(count) else { continue };
            match buckets.iter_mut().find(|(other, _)| *other == bound) {
                Some((_, sum)) => *sum += count,
                None => buckets.push((bound, count)),
            }
        }
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        buckets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_counts_from_the_mark_on_and_over_all_labels() {
        let metrics = |first: u32, second: u32| {
            Metrics(format!(
                "late_bucket{{game=\"a\",le=\"0.001\"}} {first}\nlate_bucket{{game=\"b\",le=\"0.001\"}} 5\n\
                 late_bucket{{game=\"a\",le=\"0.01\"}} {second}\nlate_bucket{{game=\"b\",le=\"0.01\"}} 5\n\
                 late_bucket{{game=\"a\",le=\"+Inf\"}} {second}\nlate_sum{{game=\"a\"}} 3\n"
            ))
        };
        let (before, after) = (metrics(10, 20), metrics(30, 60));
        assert_eq!(after.quantile("late", 0.5, &before), Some(0.001));
        assert_eq!(after.quantile("late", 0.99, &before), Some(0.01));
        assert_eq!(after.quantile("late", 0.99, &after), None);
    }
}
