//! Values whose shape is only known from a document: makes random ones, and checks bytes. For bots, and for clients
//! that were not built with the game.

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    protocol::codec,
    rng::Rng,
    wire::{Bounded as _, Wire, WireField, WireSchema, random_length},
};

impl WireSchema {
    /// The bytes of a random value within the bounds, like those of [`Wire::arbitrary`]. Texts and lists become short
    /// and empty once about `most` bytes are written.
    pub fn arbitrary(&self, most: usize, rng: &mut Rng) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(most, rng, &mut bytes);
        bytes
    }

    /// Checks that the bytes are exactly one value within the bounds.
    pub fn accepts(&self, bytes: &[u8]) -> bool {
        self.skip(bytes).is_some_and(<[u8]>::is_empty)
    }

    /// The number of parts of a value with empty lists; `u64::MAX` if it is deeper than `depth` levels, or cannot
    /// exist.
    pub(super) fn parts(&self, depth: u32) -> u64 {
        let Some(depth) = depth.checked_sub(1) else { return u64::MAX };
        let all = |fields: &[WireField]| {
            fields.iter().fold(1, |sum: u64, field| sum.saturating_add(field.schema.parts(depth)))
        };
        match self {
            Self::Unit | Self::Bool | Self::Uint { .. } | Self::Int { .. } | Self::Float { .. } | Self::Text { .. } => {
                1
            }
            Self::List { item, .. } | Self::Option { item } => item.parts(depth).saturating_add(1),
            Self::Array { len, item } => u64::from(*len).saturating_mul(item.parts(depth)).saturating_add(1),
            Self::Struct { fields, .. } => all(fields),
            Self::Enum { variants, .. } => {
                variants.iter().map(|variant| all(&variant.fields)).max().unwrap_or(u64::MAX)
            }
        }
    }

    fn write(&self, most: usize, rng: &mut Rng, out: &mut Vec<u8>) {
        let left = most.saturating_sub(out.len()) as u32;
        match self {
            Self::Unit => {}
            Self::Bool => put(out, &bool::arbitrary(rng)),
            Self::Uint { bits: 8 } => put(out, &u8::arbitrary(rng)),
            Self::Uint { bits: 16 } => put(out, &u16::arbitrary(rng)),
            Self::Uint { bits: 32 } => put(out, &u32::arbitrary(rng)),
            Self::Uint { .. } => put(out, &u64::arbitrary(rng)),
            Self::Int { bits: 8 } => put(out, &i8::arbitrary(rng)),
            Self::Int { bits: 16 } => put(out, &i16::arbitrary(rng)),
            Self::Int { bits: 32 } => put(out, &i32::arbitrary(rng)),
            Self::Int { .. } => put(out, &i64::arbitrary(rng)),
            Self::Float { bits: 32 } => put(out, &f32::arbitrary(rng)),
            Self::Float { .. } => put(out, &f64::arbitrary(rng)),
            Self::Text { max_len } => put(out, &String::arbitrary_within(rng, left.min(*max_len))),
            Self::List { max_len, item } => {
                let length = random_length(rng, left.min(*max_len));
                put(out, &(length as u64));
                (0..length).for_each(|_| item.write(most, rng, out));
            }
            Self::Array { len, item } => (0..*len).for_each(|_| item.write(most, rng, out)),
            Self::Option { item } => {
                let some = bool::arbitrary(rng);
                put(out, &some);
                if some {
                    item.write(most, rng, out);
                }
            }
            Self::Struct { fields, .. } => fields.iter().for_each(|field| field.schema.write(most, rng, out)),
            Self::Enum { variants, .. } => {
                let index = rng.below(variants.len() as u32);
                put(out, &index);
                let fields = variants.get(index as usize).map_or(&[][..], |variant| &variant.fields);
                fields.iter().for_each(|field| field.schema.write(most, rng, out));
            }
        }
    }

    /// The bytes after a value at the start; `None` if there is no value.
    fn skip<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Self::Unit => Some(bytes),
            Self::Bool => take::<bool>(bytes, |_| true),
            Self::Uint { bits: 8 } => take::<u8>(bytes, |_| true),
            Self::Uint { bits: 16 } => take::<u16>(bytes, |_| true),
            Self::Uint { bits: 32 } => take::<u32>(bytes, |_| true),
            Self::Uint { .. } => take::<u64>(bytes, |_| true),
            Self::Int { bits: 8 } => take::<i8>(bytes, |_| true),
            Self::Int { bits: 16 } => take::<i16>(bytes, |_| true),
            Self::Int { bits: 32 } => take::<i32>(bytes, |_| true),
            Self::Int { .. } => take::<i64>(bytes, |_| true),
            Self::Float { bits: 32 } => take::<f32>(bytes, |value| value.is_finite()),
            Self::Float { .. } => take::<f64>(bytes, |value| value.is_finite()),
            Self::Text { max_len } => take::<String>(bytes, |text| text.is_within(*max_len)),
            Self::List { max_len, item } => {
                let (length, rest) = codec::decode_first::<u64>(bytes).ok()?;
                if length <= u64::from(*max_len) { item.skip_several(length, rest) } else { None }
            }
            Self::Array { len, item } => item.skip_several(u64::from(*len), bytes),
            Self::Option { item } => match codec::decode_first::<bool>(bytes).ok()? {
                (true, rest) => item.skip(rest),
                (false, rest) => Some(rest),
            },
            Self::Struct { fields, .. } => skip_all(fields, bytes),
            Self::Enum { variants, .. } => {
                let (index, rest) = codec::decode_first::<u32>(bytes).ok()?;
                skip_all(&variants.get(index as usize)?.fields, rest)
            }
        }
    }

    /// Skips several values. Items without bytes are all alike, however many a length claims.
    fn skip_several<'a>(&self, count: u64, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let count = if self.most_bytes() == 0 { count.min(1) } else { count };
        (0..count).try_fold(bytes, |rest, _| self.skip(rest))
    }
}

fn put<T: Serialize>(out: &mut Vec<u8>, value: &T) {
    out.extend(codec::encode(value));
}

fn take<T: DeserializeOwned>(bytes: &[u8], is_bounded: impl Fn(&T) -> bool) -> Option<&[u8]> {
    let (value, rest) = codec::decode_first::<T>(bytes).ok()?;
    is_bounded(&value).then_some(rest)
}

fn skip_all<'a>(fields: &[WireField], bytes: &'a [u8]) -> Option<&'a [u8]> {
    fields.iter().try_fold(bytes, |rest, field| field.schema.skip(rest))
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;
    use crate::{id::EntityId, prelude::*};

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
    enum Everything {
        Nothing,
        Numbers(u8, u16, u32, u64, i8, i16, i32, i64),
        Floats { narrow: f32, wide: f64 },
        Texts(#[wire(max_len = 9)] String, Vec<String>),
        Lists { units: Vec<()>, ids: Vec<EntityId>, grid: [[bool; 3]; 2] },
        Inner(Option<Inner>),
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
    struct Inner {
        #[wire(max_len = 3)]
        players: Vec<PlayerId>,
        nested: Option<Vec<Option<i64>>>,
    }

    #[test]
    fn random_bytes_are_values_of_the_type() {
        let (schema, mut rng) = (Everything::schema(), Rng::new(1));
        let mut variants = std::collections::BTreeSet::new();
        for _ in 0..5_000 {
            let bytes = schema.arbitrary(1_000, &mut rng);
            let value: Everything = codec::decode(&bytes).unwrap();
            assert!(value.is_bounded(), "{value:?}");
            assert!(bytes.len() < 2_000 && schema.accepts(&bytes));
            variants.insert(bytes[0]);
        }
        assert_eq!(variants.len(), 6);
        let lengths: Vec<_> = (0..500).map(|_| schema.arbitrary(0, &mut rng).len()).collect();
        assert!(lengths.into_iter().all(|length| length < 64), "nothing is left for lists");
    }

    #[test]
    fn bytes_are_accepted_exactly_if_they_decode_within_the_bounds() {
        let (schema, mut rng) = (Everything::schema(), Rng::new(2));
        let mut accepted = 0;
        for round in 0..20_000 {
            let mut bytes = codec::encode(&Everything::arbitrary(&mut rng));
            if round % 2 == 0 {
                let at = rng.below(bytes.len() as u32) as usize;
                bytes[at] = rng.next_u32() as u8;
            }
            if round % 5 == 0 {
                bytes.truncate(rng.below(bytes.len() as u32 + 1) as usize);
            }
            let typed = codec::decode::<Everything>(&bytes).is_ok_and(|value| value.is_bounded());
            assert_eq!(schema.accepts(&bytes), typed, "{bytes:02x?}");
            accepted += u32::from(typed);
        }
        assert!((5_000..18_000).contains(&accepted), "{accepted}");
    }

    #[test]
    fn what_has_no_bytes_takes_no_time_however_long_it_says_it_is() {
        fn list<T: Debug + Wire>(max_len: u32) -> WireSchema {
            Vec::<T>::schema_within(max_len)
        }
        assert!(list::<()>(u32::MAX).accepts(&codec::encode(&u64::from(u32::MAX))));
        assert!(list::<[(); 4]>(u32::MAX).accepts(&codec::encode(&u64::from(u32::MAX))));
        assert!(!list::<bool>(u32::MAX).accepts(&codec::encode(&u64::from(u32::MAX))));
    }
}
