//! The elementary values: numbers, text, sequences, ids.

use serde::{Serialize, de::DeserializeOwned};

use super::{Bounded, DEFAULT_MAX_LEN, Wire, WireField, WireSchema, depth};
use crate::{
    id::{EntityId, PlayerId},
    rng::Rng,
};

impl Wire for () {
    fn schema() -> WireSchema {
        WireSchema::Unit
    }

    fn arbitrary(_rng: &mut Rng) -> Self {}
}

impl Wire for bool {
    fn schema() -> WireSchema {
        WireSchema::Bool
    }

    fn arbitrary(rng: &mut Rng) -> Self {
        rng.below(2) == 1
    }
}

/// Unsigned integers. In random values every magnitude is equally likely, and the largest value comes up now and then.
macro_rules! uint {
    ($($int:ty),*) => {$(
        impl Wire for $int {
            fn schema() -> WireSchema {
                WireSchema::Uint { bits: <$int>::BITS as u8 }
            }

            fn arbitrary(rng: &mut Rng) -> Self {
                let bits = rng.below(<$int>::BITS + 1);
                let ones = <$int>::MAX.checked_shr(<$int>::BITS - bits).unwrap_or(0);
                if rng.below(8) == 0 { ones } else { rng.next_u64() as Self & ones }
            }
        }
    )*};
}

uint!(u8, u16, u32, u64);

/// Signed integers: unsigned ones, zigzagged.
macro_rules! int {
    ($($int:ty: $uint:ty),*) => {$(
        impl Wire for $int {
            fn schema() -> WireSchema {
                WireSchema::Int { bits: <$int>::BITS as u8 }
            }

            fn arbitrary(rng: &mut Rng) -> Self {
                let zigzag = <$uint>::arbitrary(rng);
                (zigzag >> 1) as Self ^ -((zigzag & 1) as Self)
            }
        }
    )*};
}

int!(i8: u8, i16: u16, i32: u32, i64: u64);

/// Floats: mostly of everyday size, now and then any finite one.
macro_rules! float {
    ($($float:ty: $bits:expr, $any:ident),*) => {$(
        impl Wire for $float {
            fn schema() -> WireSchema {
                WireSchema::Float { bits: $bits }
            }

            fn arbitrary(rng: &mut Rng) -> Self {
                let any = Self::from_bits(rng.$any());
                if rng.below(8) == 0 && any.is_finite() {
                    return any;
                }
                let size = f64::from(1_u32 << rng.below(16));
                (f64::from(rng.between(-1.0, 1.0)) * size) as Self
            }

            fn is_bounded(&self) -> bool {
                self.is_finite()
            }
        }
    )*};
}

float!(f32: 32, next_u32, f64: 64, next_u64);

impl Wire for String {
    fn schema() -> WireSchema {
        Self::schema_within(DEFAULT_MAX_LEN)
    }

    fn arbitrary(rng: &mut Rng) -> Self {
        Self::arbitrary_within(rng, DEFAULT_MAX_LEN)
    }

    fn is_bounded(&self) -> bool {
        self.is_within(DEFAULT_MAX_LEN)
    }
}

impl Bounded for String {
    fn schema_within(max_len: u32) -> WireSchema {
        WireSchema::Text { max_len }
    }

    fn arbitrary_within(rng: &mut Rng, max_len: u32) -> Self {
        const CHARS: [char; 8] = ['a', 'Z', '0', ' ', '\n', 'é', '漢', '🦀'];
        let len = random_length(rng, max_len);
        let mut text = Self::new();
        loop {
            let next = CHARS[rng.below(CHARS.len() as u32) as usize];
            if text.len() + next.len_utf8() > len {
                return text;
            }
            text.push(next);
        }
    }

    fn is_within(&self, max_len: u32) -> bool {
        self.len() <= max_len as usize
    }
}

impl<T: Wire> Wire for Vec<T> {
    const DEPTH: u32 = depth(&[T::DEPTH]);

    fn schema() -> WireSchema {
        Self::schema_within(DEFAULT_MAX_LEN)
    }

    fn arbitrary(rng: &mut Rng) -> Self {
        Self::arbitrary_within(rng, DEFAULT_MAX_LEN)
    }

    fn is_bounded(&self) -> bool {
        self.is_within(DEFAULT_MAX_LEN)
    }
}

impl<T: Wire> Bounded for Vec<T> {
    fn schema_within(max_len: u32) -> WireSchema {
        WireSchema::List { max_len, item: Box::new(T::schema()) }
    }

    fn arbitrary_within(rng: &mut Rng, max_len: u32) -> Self {
        (0..random_length(rng, max_len)).map(|_| T::arbitrary(rng)).collect()
    }

    fn is_within(&self, max_len: u32) -> bool {
        self.len() <= max_len as usize && self.iter().all(T::is_bounded)
    }
}

/// A random length up to `max_len`: mostly a small one, now and then any, and the largest.
pub(crate) fn random_length(rng: &mut Rng, max_len: u32) -> usize {
    let len = match rng.below(32) {
        0 => max_len,
        1 => rng.below(max_len.saturating_add(1)),
        _ => rng.below(max_len.min(8) + 1),
    };
    len as usize
}

impl<T: Wire> Wire for Option<T> {
    const DEPTH: u32 = depth(&[T::DEPTH]);

    fn schema() -> WireSchema {
        WireSchema::Option { item: Box::new(T::schema()) }
    }

    fn arbitrary(rng: &mut Rng) -> Self {
        bool::arbitrary(rng).then(|| T::arbitrary(rng))
    }

    fn is_bounded(&self) -> bool {
        self.as_ref().is_none_or(T::is_bounded)
    }
}

impl<T: Bounded> Bounded for Option<T> {
    fn schema_within(max_len: u32) -> WireSchema {
        WireSchema::Option { item: Box::new(T::schema_within(max_len)) }
    }

    fn arbitrary_within(rng: &mut Rng, max_len: u32) -> Self {
        bool::arbitrary(rng).then(|| T::arbitrary_within(rng, max_len))
    }

    fn is_within(&self, max_len: u32) -> bool {
        self.as_ref().is_none_or(|value| value.is_within(max_len))
    }
}

impl<T: Wire, const N: usize> Wire for [T; N]
where
    Self: Serialize + DeserializeOwned,
{
    const DEPTH: u32 = depth(&[T::DEPTH]);

    fn schema() -> WireSchema {
        WireSchema::Array { len: N as u32, item: Box::new(T::schema()) }
    }

    fn arbitrary(rng: &mut Rng) -> Self {
        std::array::from_fn(|_| T::arbitrary(rng))
    }

    fn is_bounded(&self) -> bool {
        self.iter().all(T::is_bounded)
    }
}

impl Wire for PlayerId {
    fn schema() -> WireSchema {
        u32::schema()
    }

    fn arbitrary(rng: &mut Rng) -> Self {
        Self(u32::arbitrary(rng))
    }
}

impl Wire for EntityId {
    const DEPTH: u32 = 2;

    fn schema() -> WireSchema {
        let field = |name: &str| WireField { name: name.to_owned(), schema: u32::schema() };
        WireSchema::Struct { name: "EntityId".to_owned(), fields: vec![field("slot"), field("generation")] }
    }

    fn arbitrary(rng: &mut Rng) -> Self {
        Self { slot: u32::arbitrary(rng), generation: u32::arbitrary(rng) }
    }
}
