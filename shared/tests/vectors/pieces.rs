//! Sequences that a small room says only when it goes badly: frames in pieces, and an epoch that states its view again.

use tiltyard_shared::{
    frame,
    protocol::{FRAME, limits},
    world::{EntityId, GroupId},
};

use crate::{
    frames::{Script, push},
    server::{PLAYER, Plan, Server},
    things::Thing,
};

/// A frame message cut into so many pieces.
fn cut(epoch: u32, frame: &[u8], count: usize) -> Vec<Vec<u8>> {
    let parts: Vec<&[u8]> = frame.chunks(frame.len().div_ceil(count)).collect();
    let number = |number: usize| piece(epoch, number as u32, number + 1 == parts.len(), parts[number]);
    (0..parts.len()).map(number).collect()
}

fn piece(epoch: u32, number: u32, last: bool, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    frame::write_piece(&mut out, epoch, number, last, bytes);
    out
}

pub(crate) fn pieces() -> Script {
    let (mut script, mut server) = (Script::new("frames in pieces"), Server::<Thing>::new(1));
    let see = Plan { view: &[0], ..Plan::default() };
    let ball = server.world.spawn(Thing::ball([1.0, 2.0]));
    server.world.spawn(Thing::sign("a sign"));
    let parts = cut(1, &server.frame(200, &see), 3);
    script.gives("the first of three", &parts[0], "piece");
    script.gives("the second", &parts[1], "piece");
    script.applied("with the last one the frame is whole", &parts[2]);
    push(&mut server, ball);
    script.applied("one that is not cut", &server.frame(201, &see));
    push(&mut server, ball);
    script.applied("one piece alone", &cut(1, &server.frame(202, &see), 1)[0]);

    push(&mut server, ball);
    let old = cut(1, &server.frame(203, &see), 3);
    script.gives("a frame begins", &old[0], "piece");
    let resync = script.resync(false);
    server.resync(resync);
    script.gives("the resync abandons it: what still comes of it is dropped", &old[1], "piece");
    push(&mut server, ball);
    let new = cut(2, &server.frame(204, &see), 2);
    script.gives("the new epoch begins, in pieces as well", &new[0], "piece");
    script.gives("one of the old epoch in between is dropped", &old[2], "piece");
    script.gives("unread, what is wrong with it included", &[2, 1], "piece");
    script.gives("a frame of the old epoch, too", &server.old_frame(1), "stale");
    script.applied("the new one is whole", &new[1]);
    bad_pieces(&mut script, &mut server, ball);
    script
}

/// What pieces must not be. Each error is followed by a resync anew.
fn bad_pieces(script: &mut Script, server: &mut Server<Thing>, ball: EntityId) {
    let see = Plan { view: &[0], ..Plan::default() };
    let mut tick = 210;
    let mut again = |script: &mut Script| {
        let resync = script.resync(true);
        server.resync(resync);
        script.applied("anew", &server.frame(tick, &see));
        push(server, ball);
        tick += 2;
        (resync.epoch, server.frame(tick - 1, &see))
    };
    let error = "frame out of range";
    let (epoch, frame) = again(script);
    script.gives("the first is missing", &cut(epoch, &frame, 3)[1], error);
    let (epoch, frame) = again(script);
    script.gives("the first", &cut(epoch, &frame, 3)[0], "piece");
    script.gives("the second is missing", &cut(epoch, &frame, 3)[2], error);
    let (epoch, frame) = again(script);
    script.gives("the first", &cut(epoch, &frame, 3)[0], "piece");
    script.gives("it comes again", &cut(epoch, &frame, 3)[0], error);
    let (epoch, frame) = again(script);
    script.gives("the first", &cut(epoch, &frame, 3)[0], "piece");
    script.gives("a frame in between", &frame, error);
    let (epoch, frame) = again(script);
    script.gives("of an epoch that nobody has asked for", &cut(epoch + 1, &frame, 3)[0], error);
    let (epoch, frame) = again(script);
    let mut odd = cut(epoch, &frame, 3).swap_remove(0);
    odd[3] = 2;
    script.gives("neither the last nor another", &odd, error);
    let (epoch, _) = again(script);
    script.gives("nothing in it", &piece(epoch, 0, false, &[]), error);
    let (epoch, _) = again(script);
    script.gives("cut off in its head", &piece(epoch, 0, false, &[])[..2], "frame truncated");
    let (epoch, frame) = again(script);
    script.gives("what is joined is no frame", &piece(epoch, 0, true, &cut(epoch, &frame, 1)[0]), error);
    let (epoch, frame) = again(script);
    script.gives("what is joined ends early", &piece(epoch, 0, true, &frame[..frame.len() - 1]), "chunk truncated");
    let (epoch, _) = again(script);
    let mut most = vec![0; limits::CHUNK_BYTES + limits::FRAME_BYTES];
    most[0] = FRAME;
    script.gives("as many bytes as a frame may have", &piece(epoch, 0, false, &most), "piece");
    script.gives("and one more", &piece(epoch, 1, false, &[1]), error);
    let (epoch, _) = again(script);
    most.push(0);
    script.gives("too many at once", &piece(epoch, 0, false, &most), error);
    again(script);
}

/// After a long silence the server states the view anew, in the same epoch: what is held goes on.
pub(crate) fn start_in_mid_epoch() -> Script {
    let (mut script, mut server) = (Script::new("a start in the middle of an epoch"), Server::<Thing>::new(5));
    let ids: Vec<EntityId> =
        (0..5).map(|group| server.world.spawn_in(GroupId(group), Thing::ball([group as f32, 5.0]))).collect();
    let shot = server.world.spawn_in(GroupId(1), Thing::shot([10.0, 20.0]));
    let group = server.world.own_group(PLAYER);
    let hand = server.world.spawn_in(group, Thing::ball([9.0, 9.0]));
    let see = |view| Plan { view, ..Plan::default() };
    script.applied("the first epoch", &server.frame(300, &see(&[0, 1, 2, 3])));
    push(&mut server, shot);
    push(&mut server, ids[3]);
    script.applied("one group is behind", &server.frame(301, &Plan { behind: &[3], ..see(&[0, 1, 2, 3]) }));
    server.restart();
    push(&mut server, ids[1]);
    server.world.move_to(ids[2], GroupId(1));
    push(&mut server, hand);
    script.applied(
        "100,000 ticks later: a table as it was, a delta without moves, a catch-up; group 2 is not named, 4 is new",
        &server.frame(100_301, &Plan { events: &[(7, b"new")], ..see(&[0, 1, 3, 4]) }),
    );
    push(&mut server, ids[0]);
    server.world.move_to(ids[4], GroupId(0));
    script.applied("deltas and moves again", &server.frame(100_302, &see(&[0, 1, 3, 4])));
    server.restart();
    let behind = Plan { behind: &[1, 4], ..see(&[0, 1, 3, 4]) };
    push(&mut server, ids[1]);
    script.applied("once more, and a group that it kept is behind", &server.frame(165_838, &behind));
    push(&mut server, shot);
    script.applied("a catch-up from before that", &server.frame(165_839, &see(&[0, 1, 3, 4])));
    script
}
