//! Frames that come in pieces.

use super::*;

/// A frame message cut after every so many bytes.
fn pieces(epoch: u32, frame: &[u8], size: usize) -> Vec<Vec<u8>> {
    let count = frame.chunks(size).count();
    let piece = |(number, bytes): (usize, &[u8])| {
        let mut piece = vec![PIECE];
        frame::write_varint(&mut piece, u64::from(epoch));
        frame::write_varint(&mut piece, number as u64);
        piece.push(u8::from(number + 1 == count));
        [&piece, bytes].concat()
    };
    frame.chunks(size).enumerate().map(piece).collect()
}

#[test]
fn a_frame_in_pieces_shows_the_same_as_whole_however_it_is_cut() {
    let mut pair = Pair::new();
    pair.tick(|world, [ball, _]| set_team(world, ball, 7));
    let whole =
        frame_of(&pair.world, 1, false, None, Says { view: &[A, B], chunks: &[(A, Form::Delta)], ..Says::default() });
    for size in 1..=whole.len() {
        let mut replica = pair.replica.clone();
        let pieces = pieces(1, &whole, size);
        let (last, others) = pieces.split_last().unwrap();
        for piece in others {
            assert_eq!(replica.apply(piece), Ok(Applied::Piece));
            assert_eq!(replica.report(), pair.replica.report(), "nothing is shown of it yet");
        }
        assert!(matches!(replica.apply(last), Ok(Applied::Frame(Head { tick: Tick(2), .. }))));
        assert_eq!(replica.tick(), Some(Tick(2)));
    }
}

#[test]
fn a_resync_abandons_the_pieces_and_drops_what_still_comes_of_them() {
    let mut pair = Pair::new();
    let says = Says { view: &[A, B], ..Says::default() };
    let old = pieces(1, &frame_of(&pair.world, 1, false, None, says), 1);
    pair.replica.apply(&old[0]).unwrap();
    pair.replica.resync(false);
    assert_eq!(pair.replica.apply(&old[1]), Ok(Applied::Piece));
    let start = frame_of(&pair.world, 2, true, None, says);
    assert_eq!(pair.replica.apply(old.last().unwrap()), Ok(Applied::Stale), "one frame, as if it had come whole");
    let new = pieces(2, &start, start.len() / 2 + 1);
    assert_eq!(pair.replica.apply(&new[0]), Ok(Applied::Piece));
    assert_eq!(pair.replica.apply(&old[2]), Ok(Applied::Piece), "in between, but of no account");
    assert!(matches!(pair.replica.apply(&new[1]), Ok(Applied::Frame(_))));
}

#[test]
fn pieces_that_do_not_follow_each_other_or_grow_without_end_are_refused() {
    let pair = Pair::new();
    let whole = frame_of(&pair.world, 1, false, None, Says { view: &[A, B], ..Says::default() });
    let parts = pieces(1, &whole, 2);
    let apply = |messages: &[&[u8]]| {
        let mut replica = pair.replica.clone();
        messages.iter().map(|message| replica.apply(message)).last().unwrap()
    };
    let refused = Err(BadFrame::OutOfRange.into());
    assert_eq!(apply(&[&parts[1]]), refused, "the first is missing");
    assert_eq!(apply(&[&parts[0], &parts[2]]), refused, "one is missing");
    assert_eq!(apply(&[&parts[0], &parts[0]]), refused, "another frame begins");
    assert_eq!(apply(&[&parts[0], &whole]), refused, "a frame in between");
    assert_eq!(apply(&[&[PIECE, 2, 0, 0, FRAME]]), refused, "an epoch that nobody asked for");
    assert_eq!(apply(&[&[PIECE, 1, 0, 2, FRAME]]), refused, "neither last nor not");
    assert_eq!(apply(&[&[PIECE, 1, 0, 0]]), refused, "nothing in it");
    assert_eq!(apply(&[&[PIECE, 1]]), Err(BadFrame::Truncated.into()));

    let most = limits::CHUNK_BYTES + limits::FRAME_BYTES;
    let huge = pieces(1, &vec![FRAME; most + 1], most);
    assert_eq!(apply(&[&huge[0]]), Ok(Applied::Piece));
    assert_eq!(apply(&[&huge[0], &huge[1]]), refused);
}
