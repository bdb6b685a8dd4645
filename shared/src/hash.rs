//! The hash that proves to both ends that they hold the same state: two 32-bit sums, because JavaScript has no cheap 64
//! bits.
//!
//! A sum does not depend on order, so the server keeps it incrementally: subtract the old term, add the new one. Every
//! term is mixed by the finalizer of MurmurHash3 (Appleby, public domain).

use std::ops::{AddAssign, SubAssign};

use serde::{Deserialize, Serialize};

use crate::id::{GroupId, Tick};

/// A wrapping sum of terms in each half.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateHash(pub u32, pub u32);

/// Used in place of a lane's index for the term of the membership itself, whose content is the kind.
const MEMBER: u32 = 0xFFFF;

impl StateHash {
    /// One term: `content` of field `index` of the entity (slot, low 16 bits of its generation).
    #[inline]
    pub fn field(slot: u16, generation: u16, index: u32, content: u32) -> Self {
        let entity = u32::from(generation) << 16 | u32::from(slot);
        Self::mix(mix(entity.wrapping_add(index.wrapping_mul(0x9E37_79B1))), content)
    }

    /// The term for the membership of an entity of this kind.
    pub fn member(slot: u16, generation: u16, kind: u8) -> Self {
        Self::field(slot, generation, MEMBER, u32::from(kind))
    }

    /// The content of a blob: FNV-1a, 32 bits, over its bytes.
    pub fn blob_content(bytes: &[u8]) -> u32 {
        bytes.iter().fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
    }

    /// The contribution of a group to the hash of a view.
    pub fn in_view(self, group: GroupId, version: Tick) -> Self {
        let key = mix(group.0.wrapping_mul(0x9E37_79B1).wrapping_add(version.0));
        let (first, second) = (Self::mix(key, self.0), Self::mix(!key, self.1));
        Self(first.0.wrapping_add(second.1), first.1.wrapping_add(second.0))
    }

    #[inline]
    fn mix(key: u32, content: u32) -> Self {
        Self(mix(key ^ content), mix(key.rotate_left(16).wrapping_add(content ^ 0x5BD1_E995)))
    }
}

/// MurmurHash3's 32-bit finalizer.
#[inline]
fn mix(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x85EB_CA6B);
    x ^= x >> 13;
    x = x.wrapping_mul(0xC2B2_AE35);
    x ^ x >> 16
}

impl AddAssign for StateHash {
    #[inline]
    fn add_assign(&mut self, term: Self) {
        self.0 = self.0.wrapping_add(term.0);
        self.1 = self.1.wrapping_add(term.1);
    }
}

impl SubAssign for StateHash {
    #[inline]
    fn sub_assign(&mut self, term: Self) {
        self.0 = self.0.wrapping_sub(term.0);
        self.1 = self.1.wrapping_sub(term.1);
    }
}
