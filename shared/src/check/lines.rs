//! A naive model of linear lanes: the triple of a value, a rate and a tick, in integers that do not wrap by themselves.
//! The lines that commit keeps must equal it.

use serde_json::Value;

use super::naive::{Naive, form, lookup, quantize, variant};
use crate::{
    id::Tick,
    replicate::{EntitySchema, LaneSchema, Quantizer, Replicate},
};

/// One linear lane; value and rate in 256ths of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Triple {
    value: i64,
    rate: i64,
    tick: i64,
    /// The number of different values.
    span: i64,
}

impl Triple {
    fn code_at(self, tick: Tick) -> u32 {
        ((self.value + self.rate * (i64::from(tick.0) - self.tick)).rem_euclid(self.span) / 256) as u32
    }
}

/// The linear lanes of one entity at a commit.
#[derive(Clone, Debug, PartialEq)]
pub struct NaiveLines {
    kind: u8,
    tick: Tick,
    steps: Vec<f64>,
    triples: Vec<Triple>,
}

impl NaiveLines {
    /// The lines of an entity at a commit, which continue those of the commit before if it is the same entity. Also
    /// returns the entity with the codes of a group's member: an origin in place of each linear lane, then the rates.
    ///
    /// # Errors
    ///
    /// As [`naive_quantize`](super::naive_quantize).
    pub fn follow<E: Replicate>(
        schema: &EntitySchema,
        entity: &E,
        before: Option<&Self>,
        tick: Tick,
    ) -> Result<(Self, Naive), String> {
        let form = form(entity)?;
        let mut naive = quantize(schema, &form)?;
        let (_, fields) = variant(&schema.kinds, &form)?;
        let kind = &schema.kinds[naive.kind as usize].lanes;
        let before = before.filter(|before| before.kind == naive.kind);
        let mut lines = Self { kind: naive.kind, tick, steps: Vec::new(), triples: Vec::new() };
        let lanes = kind.iter().zip(&naive.lanes);
        for (index, (lane, &code)) in lanes.filter(|(lane, _)| lane.linear).enumerate() {
            let steps = steps(lane, lookup(fields, &lane.name)?, code);
            let triple = match before {
                None => still(lane, code, tick),
                Some(before) if before.triples[index].code_at(tick) == code => before.triples[index],
                Some(before) => {
                    let ticks = f64::from(tick.0 - before.tick.0);
                    moving(lane, [before.steps[index], steps], ticks, tick)
                }
            };
            lines.steps.push(steps);
            lines.triples.push(triple);
        }
        let linear = kind.iter().enumerate().filter(|(_, lane)| lane.linear);
        for ((index, _), Triple { value, rate, tick, span }) in linear.zip(&lines.triples) {
            naive.lanes[index] = (value - rate * tick).rem_euclid(*span) as u32;
            naive.lanes.push(rate.rem_euclid(*span) as u32);
        }
        Ok((lines, naive))
    }
}

fn span(lane: &LaneSchema) -> i64 {
    256 << lane.quantizer.bits()
}

fn still(lane: &LaneSchema, code: u32, tick: Tick) -> Triple {
    Triple { value: i64::from(code) * 256 + 128, rate: 0, tick: i64::from(tick.0), span: span(lane) }
}

fn moving(lane: &LaneSchema, [before, now]: [f64; 2], ticks: f64, tick: Tick) -> Triple {
    let (value, rate) = (((now + 0.5) * 256.0).floor() as i64, (now - before) / ticks * 256.0);
    if rate.abs() < 1.0 {
        return still(lane, (value / 256) as u32, tick);
    }
    let most = span(lane) / 2 - 1;
    Triple { value, rate: (rate.round() as i64).clamp(-most, most), tick: i64::from(tick.0), span: span(lane) }
}

/// The unquantized value in steps above code 0; the code itself where the value was bent.
fn steps(lane: &LaneSchema, value: &Value, code: u32) -> f64 {
    let Quantizer::Fixed { min, step, .. } = lane.quantizer else { return f64::from(code) };
    let steps = (value.as_f64().unwrap_or(0.0) - min) / step;
    if (f64::from(code) - 0.5..f64::from(code) + 0.5).contains(&steps) { steps } else { f64::from(code) }
}
