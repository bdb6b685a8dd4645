//! Frames for a replica, each behind its length. The first byte says of which entities: with the default codings, or with
//! learned ones.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tiltyard_scenes::walkers::Walker;
use tiltyard_shared::{replica::Replica, replicate::Replicate};

use tiltyard_test_support::sandbox::Thing;

fuzz_target!(|data: &[u8]| match data.split_first() {
    Some((which, frames)) if which % 2 == 0 => apply_all::<Thing>(frames),
    Some((_, frames)) => apply_all::<Walker>(frames),
    None => {}
});

fn apply_all<E: Replicate>(frames: &[u8]) {
    let (mut rest, mut replica) = (frames, Replica::new(&E::schema(), 1));
    while let Some((len, more)) = rest.split_first() {
        let (frame, more) = more.split_at(more.len().min(usize::from(*len)));
        rest = more;
        let failed = replica.apply(frame).is_err();
        for shown in replica.shown() {
            let _ = shown.restore::<E>();
        }
        let _ = (replica.hash(), replica.report(), replica.drain_events().count());
        if failed {
            replica.resync(true);
            assert_eq!(replica.tables().count(), 0);
        }
    }
}
