//! Frames that are dropped or refused.

use super::*;

#[test]
fn flags_that_a_part_cannot_have_are_refused() {
    let frame = |head: u8, parts: &[u8]| [&[FRAME, head, 1, 1, 0, 0, 0], parts].concat();
    let apply = |bytes: Vec<u8>| Replica::new(&Thing::schema(), 1).apply(&bytes).map(drop);
    let (start, own) = (head_flags::START, head_flags::START | head_flags::OWN);
    assert_eq!(apply(frame(own, &[part_flags::VIEW, 0, 0])), Ok(()));
    for unknown in [64, 128] {
        assert_eq!(apply(frame(start | unknown, &[part_flags::VIEW, 0])), Err(BadFrame::OutOfRange.into()));
        assert_eq!(apply(frame(start, &[part_flags::VIEW | unknown, 0])), Err(BadFrame::OutOfRange.into()));
        assert_eq!(apply(frame(own, &[part_flags::VIEW, 0, unknown])), Err(BadFrame::OutOfRange.into()));
    }
    assert_eq!(apply(frame(start, &[part_flags::VIEW | part_flags::GROUP, 0, 0])), Err(BadFrame::OutOfRange.into()));
    assert_eq!(apply(frame(own, &[part_flags::VIEW, 0, part_flags::VIEW])), Err(BadFrame::OutOfRange.into()));
}

#[test]
fn frames_of_an_older_epoch_are_dropped_undecoded() {
    let mut pair = Pair::new();
    let mut old = frame_of(&pair.world, 1, false, None, Says::default());
    old.extend([0xFF; 9]);
    assert_eq!(pair.replica.resync(false), Resync { epoch: 2, applied: Some(Tick(1)), event: 0 });
    assert_eq!(pair.replica.apply(&old), Ok(Applied::Stale));
    assert_eq!(pair.apply(false, Says::default()), Err(ReplicaError::NoStart), "an epoch begins by stating the view");
    assert!(matches!(pair.apply(true, Says::default()), Ok(Applied::Frame(_))));
    assert_eq!(pair.shown().len(), 2, "what is held stays after a resync from a tick");
}

#[test]
fn a_frame_of_a_later_epoch_than_asked_for_is_refused() {
    let mut pair = Pair::new();
    let later = frame_of(&pair.world, u32::MAX, true, None, Says::default());
    assert_eq!(pair.replica.apply(&later), Err(BadFrame::OutOfRange.into()));
    assert_eq!(pair.replica.resync(true), Resync { epoch: 2, applied: None, event: 0 });
}
