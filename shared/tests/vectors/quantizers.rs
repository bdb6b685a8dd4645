//! What codes mean: values of codes, and the codes that values get.

use serde_json::{Value, json};
use tiltyard_shared::replicate::{Angle, Fixed, Int, Quantizer};

use crate::replay::value;

#[test]
fn quantizers() {
    let all = [
        Quantizer::from(Fixed::inclusive(0.0, 2048.0, 0.0625)),
        Fixed::inclusive(-64.0, 64.0, 0.1).into(),
        Fixed::exclusive(0.0, 4_294_967_296.0, 1.0).into(),
        Fixed::inclusive(5.0, 5.0, 1.0).into(),
        Angle::new(1).into(),
        Angle::new(8).into(),
        Angle::new(24).into(),
        Int::inclusive(-5, 100).into(),
        Int::inclusive(-40_000_000_000, -39_999_999_000).into(),
        Int::inclusive(7, 7).into(),
        Int::inclusive(i64::from(i32::MIN), i64::from(i32::MAX)).into(),
        Quantizer::Bool,
        Quantizer::Choice { names: ["Red", "Green", "Blue"].map(str::to_owned).to_vec() },
        Quantizer::Entity,
    ];
    crate::check("quantizers.json", &all.iter().map(entry).collect());
}

fn entry(quantizer: &Quantizer) -> Value {
    let max = quantizer.max();
    let mut codes = vec![0, 1, 2, max / 3, max / 2, max.saturating_sub(1), max];
    codes.retain(|code| *code <= max);
    codes.sort_unstable();
    codes.dedup();
    let values = codes.iter().map(|code| json!([code, value(quantizer, *code)]));
    json!({
        "quantizer": quantizer,
        "bits": quantizer.bits(),
        "values": values.collect::<Vec<_>>(),
        "codes": match quantizer {
            Quantizer::Fixed { .. } | Quantizer::Angle { .. } | Quantizer::Int { .. } => encoded(quantizer),
            Quantizer::Bool | Quantizer::Choice { .. } | Quantizer::Entity => json!([]),
        },
    })
}

/// Codes of numbers in, at and beyond the range.
fn encoded(quantizer: &Quantizer) -> Value {
    let (low, high) = (quantizer.value(0), quantizer.value(quantizer.max()));
    let numbers = [low, high, low - 1.0, high + 1.0, (low + high) / 2.0, 0.0, -0.0, 1.2345, -7.5, 1e12, -1e12];
    let code = |number: f64| {
        let (code, in_range) = quantizer.encode(number);
        json!([number, code, in_range])
    };
    numbers.into_iter().map(code).collect()
}
