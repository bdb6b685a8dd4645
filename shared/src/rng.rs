//! The randomness of a room.

use rand_core::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

/// A small deterministic generator (PCG, O'Neill 2014): the same numbers on every platform for the same seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rng(rand_pcg::Pcg32);

impl Rng {
    /// The generator with this seed.
    pub fn new(seed: u64) -> Self {
        Self(rand_pcg::Pcg32::seed_from_u64(seed))
    }

    /// Any 32 bits.
    pub fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// Any 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// An integer from 0 to `bound - 1`; 0 if `bound` is 0. (Lemire's multiplication; its bias is below 2^-32 x bound.)
    pub fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.next_u32()) * u64::from(bound)) >> 32) as u32
    }

    /// A number from 0 up to, not including, 1, in steps of 2^-24.
    pub fn unit(&mut self) -> f32 {
        (self.next_u32() >> 8) as f32 / 16_777_216.0
    }

    /// A number from `low` up to `high`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }
}
