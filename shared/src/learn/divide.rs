//! Divides the values of a lane into the cells of a [prefix code](crate::prefix): halves them again and again where
//! that pays, then gives each cell a codeword by its frequency.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::prefix::{MAX_CELLS, MAX_LENGTH};

/// A cell must pay for its place in the schema: at least this many bits over everything recorded,
const PRICE: f64 = 16.0;

/// and at least one part in this many of a bit a value, so that no chance is learned.
const SHARE: f64 = 400.0;

/// The cells for values below 2^width with these counts, in ascending order: lengths of codewords and raw bits.
pub(super) fn cells(values: &[(u32, u64)], width: u32) -> Vec<[u32; 2]> {
    let total = values.iter().map(|(_, times)| times).sum::<u64>().max(1) as f64;
    let mut price = PRICE + total / SHARE;
    let cells = loop {
        let (_, cells) = divide(values, 0, width, &|times| -(times / total).log2(), price);
        if cells.len() <= MAX_CELLS {
            break cells;
        }
        price *= 2.0;
    };
    let lengths = lengths(&cells.iter().map(|(_, times)| *times).collect::<Vec<_>>());
    cells.iter().zip(lengths).map(|((raw, _), length)| [length, *raw]).collect()
}

/// A cell: its raw bits, and the count of its values.
type Cell = (u32, u64);

/// The cheapest cells for the 2^raw values from `start` on, and their cost in bits.
fn divide(values: &[(u32, u64)], start: u64, raw: u32, bits: &dyn Fn(f64) -> f64, price: f64) -> (f64, Vec<Cell>) {
    let times: u64 = values.iter().map(|(_, times)| times).sum();
    let own = if times == 0 { 0.0 } else { times as f64 * (f64::from(raw) + bits(times as f64)) };
    let whole = (price + own, vec![(raw, times)]);
    if raw == 0 || own < price {
        return whole;
    }
    let middle = start + (1 << (raw - 1));
    let (low, high) = values.split_at(values.partition_point(|(value, _)| u64::from(*value) < middle));
    let (low_cost, mut cells) = divide(low, start, raw - 1, bits, price);
    let (high_cost, mut high) = divide(high, middle, raw - 1, bits, price);
    if low_cost + high_cost >= whole.0 {
        return whole;
    }
    cells.append(&mut high);
    (low_cost + high_cost, cells)
}

/// The lengths of a Huffman code, none above [`MAX_LENGTH`]: very rare values are counted as more frequent.
fn lengths(times: &[u64]) -> Vec<u32> {
    let mut least = (times.iter().sum::<u64>() >> MAX_LENGTH).max(1);
    loop {
        let lengths = huffman(times.iter().map(|times| (*times).max(least)));
        if lengths.iter().all(|length| *length <= MAX_LENGTH) {
            return lengths;
        }
        least *= 2;
    }
}

fn huffman(times: impl Iterator<Item = u64>) -> Vec<u32> {
    let mut heap: BinaryHeap<Reverse<(u64, usize)>> =
        times.enumerate().map(|(cell, times)| Reverse((times, cell))).collect();
    let count = heap.len();
    // Cells first, then their unions; a union's parent comes behind it.
    let mut parents = vec![0; 2 * count - 1];
    for union in count..parents.len() {
        let mut sum = 0;
        for Reverse((times, part)) in [heap.pop(), heap.pop()].into_iter().flatten() {
            parents[part] = union;
            sum += times;
        }
        heap.push(Reverse((sum, union)));
    }
    let mut depths = vec![0; parents.len()];
    for part in (0..parents.len() - 1).rev() {
        depths[part] = depths[parents[part]] + 1;
    }
    depths.truncate(count);
    depths
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::prefix::{self, Prefix};

    proptest! {
        #[test]
        fn whatever_was_counted_gives_a_code(width in 0u32..=32, counts in prop::collection::btree_map(any::<u32>(), 1u64..1_000_000, 0..600)) {
            let mask = crate::bits::low_mask(width);
            let counts: std::collections::BTreeMap<u32, u64> =
                counts.into_iter().map(|(value, times)| (value & mask, times)).collect();
            let text = prefix::text(cells(&counts.into_iter().collect::<Vec<_>>(), width).into_iter());
            prop_assert_eq!(prefix::check(&text, width), Ok(()));
        }
    }

    #[test]
    fn common_values_take_few_bits_and_rare_ones_are_not_lost() {
        let counts = [(0, 9_000), (1, 4_000), (2, 2_000), (77, 500), (1_000, 3), (60_000, 1)];
        let text = prefix::text(cells(&counts, 16).into_iter());
        let code = Prefix::parse(&text, 16).expect("it is one");
        assert_eq!([0, 1, 2].map(|value| code.bits_of(value)), [1, 2, 3]);
        assert!(code.bits_of(60_000) < 30, "{text}");
    }
}
