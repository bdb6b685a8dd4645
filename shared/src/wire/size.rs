//! The largest size of a value in bytes, by its schema alone, and the part that makes it so large.

use super::{WireField, WireSchema};

impl WireSchema {
    /// Most bytes of a value within the bounds.
    pub fn most_bytes(&self) -> u64 {
        match self {
            Self::Unit => 0,
            Self::Bool => 1,
            Self::Uint { bits } | Self::Int { bits } => integer(*bits),
            Self::Float { bits } => u64::from(bits / 8),
            Self::Text { max_len } => length(*max_len) + u64::from(*max_len),
            Self::List { max_len, item } => {
                length(*max_len).saturating_add(u64::from(*max_len).saturating_mul(item.most_bytes()))
            }
            Self::Array { len, item } => u64::from(*len).saturating_mul(item.most_bytes()),
            Self::Option { item } => 1 + item.most_bytes(),
            Self::Struct { fields, .. } => all(fields),
            Self::Enum { variants, .. } => {
                let index = length(variants.len() as u32);
                index.saturating_add(variants.iter().map(|variant| all(&variant.fields)).max().unwrap_or(0))
            }
        }
    }

    /// The path to the innermost named part that may take most of a value: `Draw.stroke.points`. Empty if there is
    /// none.
    pub fn heaviest(&self) -> String {
        let mut path: Vec<&str> = Vec::new();
        let mut at = self;
        loop {
            let fields = match at {
                Self::Option { item } => {
                    at = item;
                    continue;
                }
                Self::Struct { fields, .. } => fields,
                Self::Enum { variants, .. } => {
                    let Some(variant) = variants.iter().max_by_key(|variant| all(&variant.fields)) else { break };
                    path.push(&variant.name);
                    &variant.fields
                }
                _ => break,
            };
            let size = |field: &&WireField| field.schema.most_bytes();
            let Some(field) = fields.iter().max_by_key(size) else { break };
            if size(&field) < all(fields).div_ceil(2) {
                break;
            }
            path.push(&field.name);
            at = &field.schema;
        }
        path.join(".")
    }
}

fn all(fields: &[WireField]) -> u64 {
    fields.iter().fold(0, |sum, field| sum.saturating_add(field.schema.most_bytes()))
}

/// bincode's variable-length integers: a byte that says how many follow, except for a single byte.
fn integer(bits: u8) -> u64 {
    if bits == 8 { 1 } else { u64::from(bits / 8) + 1 }
}

/// Most bytes of a length or index up to this number.
fn length(most: u32) -> u64 {
    match most {
        0..=250 => 1,
        251..=0xffff => 3,
        _ => 5,
    }
}
