//! A game's inputs, as bytes: every shape that a `Wire` value may have.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tiltyard_shared::{prelude::*, protocol::codec};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
enum Order {
    Stop,
    Numbers(u8, u16, u32, u64, i8, i16, i32, i64, bool),
    Say {
        #[wire(max_len = 40)]
        text: String,
        to: Option<PlayerId>,
    },
    March {
        path: Vec<EntityId>,
        keys: [[bool; 2]; 3],
    },
    All(Vec<Vec<Vec<u8>>>, Vec<()>),
    /// Bits, because NaN is not itself.
    Aim(Angle),
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Wire)]
struct Angle(f32, f64);

impl PartialEq for Angle {
    fn eq(&self, other: &Self) -> bool {
        (self.0.to_bits(), self.1.to_bits()) == (other.0.to_bits(), other.1.to_bits())
    }
}

fuzz_target!(|data: &[u8]| {
    if let Ok(order) = codec::decode::<Order>(data) {
        let _ = order.is_bounded();
        assert_eq!(codec::decode(&codec::encode(&order)), Ok(order));
    }
});
