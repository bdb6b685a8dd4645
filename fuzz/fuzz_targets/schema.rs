//! A schema document from elsewhere, then a frame of its game: neither panics, and random values are of their shape.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tiltyard_shared::{game::Rng, replica::Replica, schema::Schema};

fuzz_target!(|data: &[u8]| {
    let (json, frame) = data.split_at(data.iter().position(|byte| *byte == 0).unwrap_or(data.len()));
    let Ok(json) = std::str::from_utf8(json) else { return };
    let Ok(schema) = Schema::parse(json) else { return };
    let mut rng = Rng::new(1);
    for shape in [&schema.input, &schema.event, &schema.config] {
        let bytes = shape.arbitrary(100, &mut rng);
        assert!(shape.accepts(&bytes), "{bytes:02x?}");
        shape.accepts(frame);
    }
    let _ = Replica::new(&schema.entity, 1).apply(frame.get(1..).unwrap_or_default());
});
