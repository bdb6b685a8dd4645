//! Sequences of frames that end in errors, from a server that says them all the same.

use tiltyard_shared::frame::{head_flags, part_flags};

use crate::{
    frames::{Script, push},
    server::{Plan, Server},
    things::Thing,
};

/// What a replica must not take. Each error is followed by a resync anew.
pub(crate) fn refusals() -> Script {
    let (mut script, mut server) = (Script::new("what is refused"), Server::<Thing>::new(3));
    let see = Plan { view: &[0, 2], ..Plan::default() };
    let ball = server.world.spawn(Thing::ball([3.0, 3.0]));
    let start = server.frame(80, &see);
    push(&mut server, ball);
    let second = server.frame(81, &see);
    push(&mut server, ball);
    let third = server.frame(82, &see);
    script.gives("no start", &second, "no start");
    script.applied("a start", &start);
    script.gives("a delta from a version that is not held", &third, "chunk wrong base");
    let mut again = |script: &mut Script, tick| {
        let resync = script.resync(true);
        server.resync(resync);
        script.applied("anew", &server.frame(tick, &see));
        push(&mut server, ball);
        server.frame(tick + 1, &see)
    };
    let frame = again(&mut script, 90);
    script.gives("a byte too many", &[&frame[..], &[0]].concat(), "frame trailing");
    let frame = again(&mut script, 92);
    script.gives("a byte too few", &frame[..frame.len() - 1], "chunk truncated");
    let mut frame = again(&mut script, 94);
    frame[5] ^= 1;
    script.gives("another hash", &frame, "hash mismatch");
    // The head is 13 bytes: these are flags of the head, of the body, and of an own part that is put behind it.
    let mut frame = again(&mut script, 96);
    frame[1] |= 64;
    script.gives("an unknown flag in the head", &frame, "frame out of range");
    let mut frame = again(&mut script, 98);
    frame[13] |= part_flags::GROUP;
    script.gives("a flag of own parts in the body", &frame, "frame out of range");
    let mut frame = again(&mut script, 100);
    frame[1] |= head_flags::OWN;
    frame.push(part_flags::VIEW);
    script.gives("a flag of bodies in an own part", &frame, "frame out of range");
    let mut frame = again(&mut script, 102);
    frame[0] = 2;
    script.gives("no frame", &frame, "frame out of range");
    script.gives("nothing at all", &[], "frame truncated");
    script
}

/// A catch-up for a group that has only just entered the view, from a server that believes otherwise.
pub(crate) fn entering() -> Script {
    let mut script = Script::new("a group that enters is known as nothing");
    let server = || {
        let mut server = Server::<Thing>::new(2);
        let ball = server.world.spawn(Thing::ball([3.0, 3.0]));
        (server, ball)
    };
    let ((mut server, _), (mut other, ball)) = (server(), server());
    let see = |view| Plan { view, ..Plan::default() };
    script.applied("two groups", &server.frame(110, &see(&[0, 1])));
    script.applied("one leaves", &server.frame(111, &see(&[1])));
    let resync = script.resync(false);
    other.frame(110, &see(&[0, 1]));
    other.resync(resync);
    push(&mut other, ball);
    script.gives("it is back with a catch-up", &other.frame(112, &see(&[0, 1])), "chunk wrong base");
    script
}
