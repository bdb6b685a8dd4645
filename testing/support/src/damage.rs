//! Good bytes made bad, as a hostile peer would.

use tiltyard_shared::game::Rng;

/// Bytes with a few bits flipped, cut, joined with others, or with some put in.
pub fn damaged(bytes: &[u8], others: &[u8], random: &mut Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(3) {
        let index = random.below(bytes.len() as u32 + 1) as usize;
        match (random.below(6), bytes.get_mut(index)) {
            (0 | 1, Some(byte)) => *byte ^= 1 << random.below(8),
            (2, Some(byte)) => *byte = [0, 0x7F, 0x80, 0xFF][random.below(4) as usize],
            (3, _) => bytes.truncate(index),
            (4, _) => {
                bytes.truncate(index);
                bytes.extend_from_slice(&others[random.below(others.len() as u32 + 1) as usize..]);
            }
            _ => {
                let more: Vec<u8> = (0..random.below(12)).map(|_| random.next_u32() as u8).collect();
                bytes.splice(index..index, more);
            }
        }
    }
    bytes
}
