//! Frames for a replica, each behind its length.

#![no_main]

#[path = "../../server/core/tests/it/sandbox.rs"]
#[expect(dead_code, reason = "the harness of the core's tests; only its entities are needed")]
mod sandbox;

use libfuzzer_sys::fuzz_target;
use tiltyard_shared::{replica::Replica, replicate::Replicate};

use sandbox::Thing;

fuzz_target!(|data: &[u8]| {
    let (mut rest, mut replica) = (data, Replica::new(&Thing::schema(), 1));
    while let Some((len, more)) = rest.split_first() {
        let (frame, more) = more.split_at(more.len().min(usize::from(*len)));
        rest = more;
        let failed = replica.apply(frame).is_err();
        for shown in replica.shown() {
            let _ = shown.restore::<Thing>();
        }
        let _ = (replica.hash(), replica.report(), replica.drain_events().count());
        if failed {
            replica.jump(true);
            assert_eq!(replica.tables().count(), 0);
        }
    }
});
