//! Schema documents from a server that nobody should trust: read or refused, never a panic, and a client goes by what was read.

use tiltyard_shared::{game::Rng, replica::Replica, schema::Schema};
use tiltyard_test_support::sandbox::Sandbox;

use crate::damage::damaged;

#[test]
fn damaged_documents_are_refused_or_can_be_gone_by() {
    let json = Schema::of::<Sandbox>().to_json();
    assert_eq!(Schema::parse(&json).unwrap().to_json(), json);
    let (mut rng, mut read, mut refused) = (Rng::new(1), 0, 0);
    for _ in 0..4_000 {
        let bytes =
            if rng.chance(0.5) { digits_changed(&json, &mut rng) } else { damaged(json.as_bytes(), b"9}", &mut rng) };
        let Ok(schema) = Schema::parse(&String::from_utf8_lossy(&bytes)) else {
            refused += 1;
            continue;
        };
        read += 1;
        for shape in [&schema.input, &schema.event, &schema.config] {
            let value = shape.arbitrary(200, &mut rng);
            assert!(shape.accepts(&value), "{value:02x?}");
        }
        let frame: Vec<u8> = (0..60).map(|_| rng.next_u32() as u8).collect();
        let _ = Replica::new(&schema.entity, 1).apply(&frame);
    }
    assert!(read > 300 && refused > 300, "{read} read, {refused} refused");
}

/// The document with some of its numbers changed.
fn digits_changed(json: &str, rng: &mut Rng) -> Vec<u8> {
    let mut bytes = json.as_bytes().to_vec();
    for byte in bytes.iter_mut().filter(|byte| byte.is_ascii_digit()) {
        if rng.chance(0.001) {
            *byte = b'0' + rng.below(10) as u8;
        }
    }
    bytes
}
