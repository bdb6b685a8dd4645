//! Sequences of frames, and what a replica holds after each.

use serde_json::{Value, json};
use tiltyard_shared::{
    frame::Settled,
    protocol::{Code, PIECE, Resync},
    replica::{Applied, Replica},
    replicate::Replicate as _,
    world::{EntityId, GroupId},
};

use crate::{
    json::hex,
    odd, pieces, refusals,
    replay::{self, error_name},
    server::{PLAYER, Plan, Server},
    things::{Sign, Thing},
};

#[test]
fn frames() {
    let sequences: Vec<Value> = sequences().into_iter().map(Script::into_json).collect();
    crate::check("frames.json", &json!({ "schema": Thing::schema(), "sequences": sequences }));
}

pub(crate) fn sequences() -> Vec<Script> {
    vec![
        basics(),
        views(),
        behind(),
        own_group(),
        events(),
        resyncs(),
        counters(),
        refusals::refusals(),
        lines(),
        moves(),
        refusals::entering(),
        pieces::pieces(),
        pieces::start_in_mid_epoch(),
        odd::taken(),
        odd::refused(),
    ]
}

/// So many zeros at the end are told by their number.
const LONG: usize = 1000;

/// What happens to one replica, step by step.
pub(crate) struct Script {
    pub(crate) name: &'static str,
    pub(crate) steps: Vec<Value>,
    pub(crate) frames: Vec<Vec<u8>>,
    replica: Replica,
}

impl Script {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, steps: Vec::new(), frames: Vec::new(), replica: Replica::new(&Thing::schema(), 1) }
    }

    pub(crate) fn frame(&mut self, about: &str, bytes: &[u8]) {
        let result = self.replica.apply(bytes);
        let zeros = bytes.iter().rev().take_while(|byte| **byte == 0).count();
        let mut step = match zeros {
            LONG.. => json!({ "about": about, "frame": hex(&bytes[..bytes.len() - zeros]), "zeros": zeros }),
            _ => json!({ "about": about, "frame": hex(bytes) }),
        };
        match &result {
            Ok(Applied::Frame(head)) => {
                step["result"] = json!("applied");
                step["head"] = replay::head(head);
                step["state"] = replay::state(&mut self.replica, &Thing::schema());
            }
            Ok(Applied::Stale | Applied::Piece) if bytes[0] == PIECE => step["result"] = json!("piece"),
            Ok(Applied::Stale | Applied::Piece) => step["result"] = json!("stale"),
            Err(error) => step["result"] = json!(error_name(error)),
        }
        self.steps.push(step);
        self.frames.push(bytes.to_vec());
    }

    pub(crate) fn applied(&mut self, about: &str, bytes: &[u8]) {
        self.frame(about, bytes);
        assert_eq!(self.last_result(), "applied", "{}: {about}", self.name);
    }

    pub(crate) fn gives(&mut self, about: &str, bytes: &[u8], result: &str) {
        self.frame(about, bytes);
        assert_eq!(self.last_result(), result, "{}: {about}", self.name);
    }

    fn last_result(&self) -> &str {
        self.steps.last().and_then(|step| step["result"].as_str()).unwrap_or_default()
    }

    pub(crate) fn resync(&mut self, anew: bool) -> Resync {
        let resync = self.replica.resync(anew);
        self.steps.push(json!({ "resync": replay::resync(resync), "anew": anew }));
        self.frames.push(Vec::new());
        resync
    }

    /// The epoch that the replica is in.
    pub(crate) fn epoch(&self) -> u32 {
        self.replica.epoch()
    }

    fn sent(&mut self, number: u32) {
        self.replica.sent_input(number);
        self.steps.push(json!({ "sent": number }));
        self.frames.push(Vec::new());
    }

    fn into_json(self) -> Value {
        json!({ "name": self.name, "steps": self.steps })
    }
}

fn basics() -> Script {
    let (mut script, mut server) = (Script::new("start, deltas and frames of nothing"), Server::<Thing>::new(1));
    let see = Plan { view: &[0], ..Plan::default() };
    script.applied("an empty world: version 0, no chunk", &server.frame(5, &see));
    let ball = server.world.spawn(Thing::ball([1.0, 2.0]));
    server.world.spawn(Thing::sign("here"));
    script.applied("the first entities come as a snapshot", &server.frame(6, &see));
    push(&mut server, ball);
    script.applied("a change", &server.frame(7, &see));
    script.applied("nothing", &server.frame(8, &see));
    push(&mut server, ball);
    script.applied("a delta from the version before the silence", &server.frame(12, &see));
    script.applied("no hash", &server.frame(13, &Plan { no_hash: true, ..see.clone() }));
    server.world.despawn(ball);
    script.applied("a departure", &server.frame(14, &see));
    script
}

fn views() -> Script {
    let (mut script, mut server) = (Script::new("a view that changes"), Server::<Thing>::new(12));
    let ids: Vec<EntityId> =
        (0..12).map(|group| server.world.spawn_in(GroupId(group), Thing::ball([group as f32, 0.0]))).collect();
    let see = |view| Plan { view, ..Plan::default() };
    script.applied("three groups", &server.frame(20, &see(&[1, 2, 5])));
    script.applied("one leaves, two enter", &server.frame(21, &see(&[0, 2, 5, 11])));
    server.world.move_to(ids[5], GroupId(2));
    script.applied("an entity moves from group to group", &server.frame(22, &see(&[0, 2, 5, 11])));
    server.world.move_to(ids[0], GroupId(7));
    push(&mut server, ids[11]);
    script.applied("an entity follows the view", &server.frame(23, &see(&[2, 5, 7, 11])));
    script.applied("nine groups: two bytes of bits", &server.frame(24, &see(&[1, 2, 3, 4, 5, 6, 7, 8, 11])));
    push(&mut server, ids[11]);
    script.applied("only the last of nine has a chunk", &server.frame(25, &see(&[1, 2, 3, 4, 5, 6, 7, 8, 11])));
    script.applied("a group leaves and enters again", &server.frame(26, &see(&[1])));
    script.applied("and is known as nothing", &server.frame(27, &see(&[1, 11])));
    script.applied("an empty view", &server.frame(28, &see(&[])));
    script
}

fn behind() -> Script {
    let (mut script, mut server) = (Script::new("groups that are behind"), Server::<Thing>::new(3));
    let ball = server.world.spawn_in(GroupId(1), Thing::ball([1.0, 1.0]));
    let other = server.world.spawn_in(GroupId(2), Thing::ball([2.0, 2.0]));
    let see = Plan { view: &[1, 2], ..Plan::default() };
    script
        .applied("a new group is behind: its table is empty", &server.frame(30, &Plan { behind: &[2], ..see.clone() }));
    script.applied("it comes as a snapshot", &server.frame(31, &see));
    push(&mut server, other);
    script.applied("behind with a change of its own", &server.frame(32, &Plan { behind: &[2], ..see.clone() }));
    server.world.move_to(other, GroupId(1));
    let moved = Plan { behind: &[2], ..see.clone() };
    script.applied("its entity is in two tables: the newer shows it", &server.frame(33, &moved));
    push(&mut server, ball);
    script.applied("still behind, the other goes on", &server.frame(34, &moved));
    script.applied("a catch-up since it was handed over", &server.frame(35, &see));
    server.world.move_to(ball, GroupId(2));
    script.applied("behind by an arrival: nobody shows it", &server.frame(36, &Plan { behind: &[2], ..see.clone() }));
    script.applied("a catch-up that brings it", &server.frame(37, &see));
    push(&mut server, ball);
    script.applied("both behind", &server.frame(38, &Plan { behind: &[1, 2], ..see.clone() }));
    script.applied("nothing was missed in one of them", &server.frame(39, &see));
    script
}

fn lines() -> Script {
    let (mut script, mut server) = (Script::new("linear lanes"), Server::<Thing>::new(3));
    let see = Plan { view: &[1, 2], ..Plan::default() };
    let shot = server.world.spawn_in(GroupId(1), Thing::shot([10.0, 20.0]));
    server.world.spawn_in(GroupId(2), Thing::ball([2.0, 2.0]));
    script.applied("it comes and stands still", &server.frame(100, &see));
    push(&mut server, shot);
    script.applied("it begins to move", &server.frame(101, &see));
    push(&mut server, shot);
    script.applied("nothing is said, and it is shown farther on", &server.frame(102, &see));
    push(&mut server, shot);
    server.world.move_to(shot, GroupId(2));
    script.applied("its line goes on in another group", &server.frame(103, &see));
    push(&mut server, shot);
    script.applied("and is still followed", &server.frame(104, &see));
    let behind = Plan { behind: &[2], ..see.clone() };
    script.applied("it stops, and its group is behind: it is shown where it was last", &server.frame(105, &behind));
    script.applied("a catch-up says that it stands", &server.frame(106, &see));
    push(&mut server, shot);
    script.applied("it moves again", &server.frame(107, &see));
    let resync = script.resync(true);
    server.resync(resync);
    push(&mut server, shot);
    script.applied("a snapshot of a line that moves", &server.frame(108, &see));
    push(&mut server, shot);
    script.applied("goes on as well", &server.frame(109, &see));
    script
}

fn moves() -> Script {
    let (mut script, mut server) = (Script::new("moves between groups"), Server::<Thing>::new(4));
    let see = |view| Plan { view, ..Plan::default() };
    let balls: Vec<EntityId> =
        (0..6).map(|n| server.world.spawn_in(GroupId(1 + n % 2), Thing::ball([n as f32, 0.0]))).collect();
    let shot = server.world.spawn_in(GroupId(1), Thing::shot([10.0, 20.0]));
    let hidden = server.world.spawn_in(GroupId(0), Thing::sign("hidden"));
    server.world.spawn_in(GroupId(3), Thing::Mark);
    script.applied("three of four groups", &server.frame(120, &see(&[1, 2, 3])));
    server.world.move_to(balls[0], GroupId(2));
    script.applied("to a later group: it has left the other already", &server.frame(121, &see(&[1, 2, 3])));
    server.world.move_to(balls[1], GroupId(1));
    push(&mut server, shot);
    script.applied("to an earlier group: it has not left the other yet", &server.frame(122, &see(&[1, 2, 3])));
    for id in [balls[0], balls[3], balls[5]] {
        server.world.move_to(id, GroupId(3));
    }
    push(&mut server, balls[3]);
    server.world.move_to(shot, GroupId(3));
    push(&mut server, shot);
    script.applied("from two groups to one, some of them changed", &server.frame(124, &see(&[1, 2, 3])));
    server.world.move_to(hidden, GroupId(2));
    server.world.move_to(balls[5], GroupId(2));
    script.applied("one from a group that is not seen: it comes whole", &server.frame(125, &see(&[1, 2, 3])));
    server.world.move_to(balls[5], GroupId(1));
    server.world.move_to(hidden, GroupId(3));
    script.applied("from a group that leaves the view with the same frame", &server.frame(126, &see(&[1, 3])));
    server.world.move_to(hidden, GroupId(1));
    let behind = Plan { behind: &[3], ..see(&[1, 3]) };
    script.applied("from a group that is behind: it stands in two tables", &server.frame(127, &behind));
    server.world.move_to(balls[0], GroupId(1));
    script.applied("from one that has been behind: it comes whole", &server.frame(128, &behind));
    script.applied("a catch-up without those who left", &server.frame(129, &see(&[1, 3])));
    let group = server.world.own_group(PLAYER);
    server.world.move_to(balls[1], group);
    script.applied("into the own group: whole", &server.frame(130, &see(&[1, 3])));
    server.world.move_to(balls[1], GroupId(3));
    script.applied("and out of it: whole", &server.frame(131, &see(&[1, 3])));
    script
}

fn own_group() -> Script {
    let (mut script, mut server) = (Script::new("an own group"), Server::<Thing>::new(2));
    let see = Plan { view: &[0], ..Plan::default() };
    server.world.spawn(Thing::ball([0.0, 0.0]));
    script.applied("not yet there", &server.frame(40, &see));
    let group = server.world.own_group(PLAYER);
    script.applied("its id, and nothing in it", &server.frame(41, &see));
    let hand = server.world.spawn_in(group, Thing::sign("secret"));
    script.applied("a first entity", &server.frame(42, &see));
    let say = |server: &mut Server<Thing>, text: &str| {
        *server.world.get_mut(hand).expect("it is there") =
            Thing::Sign(Sign { text: text.to_owned(), always: 7, stain: vec![1, 2, 3] });
    };
    say(&mut server, "other");
    script.applied("a change", &server.frame(43, &see));
    say(&mut server, "third");
    script.applied("behind", &server.frame(44, &Plan { behind: &[group.0], ..see.clone() }));
    script.applied("and caught up", &server.frame(45, &see));
    server.world.move_to(hand, GroupId(0));
    script.applied("what leaves it arrives elsewhere as new", &server.frame(46, &see));
    let resync = script.resync(false);
    server.resync(resync);
    script.applied("a new epoch states it again", &server.frame(47, &see));
    let resync = script.resync(true);
    server.resync(resync);
    script.applied("also anew", &server.frame(48, &see));
    script
}

fn events() -> Script {
    let (mut script, mut server) = (Script::new("events"), Server::<Thing>::new(2));
    let see = Plan { view: &[0, 1], ..Plan::default() };
    let both = Plan { events: &[(3, b"a"), (5, b"b")], own_events: &[(4, b"mine"), (300, b"")], ..see.clone() };
    script.applied("shared and own ones, in the order of their numbers", &server.frame(50, &both));
    script.applied("none", &server.frame(51, &see));
    let lost = Plan { events: &[(1 << 40, &[7; 200])], lost: true, ..see.clone() };
    script.applied("a large number and length; some were lost", &server.frame(52, &lost));
    script.applied("lost ones alone", &server.frame(53, &Plan { lost: true, ..see.clone() }));
    let resync = script.resync(false);
    server.resync(resync);
    let again = Plan { events: &[(5, b"b"), (1 << 40, b"x"), ((1 << 40) + 1, b"new")], ..see.clone() };
    script.applied("what comes again is not told again", &server.frame(54, &again));
    let own = Plan { own_events: &[((1 << 40) + 2, b"own")], ..see };
    script.applied("own ones alone, without an own group", &server.frame(55, &own));
    script
}

fn resyncs() -> Script {
    let (mut script, mut server) = (Script::new("resyncs"), Server::<Thing>::new(4));
    let ids: Vec<EntityId> =
        (0..4).map(|group| server.world.spawn_in(GroupId(group), Thing::ball([group as f32, 5.0]))).collect();
    let see = |view| Plan { view, ..Plan::default() };
    script.applied("the first epoch", &server.frame(60, &see(&[0, 1, 2])));
    push(&mut server, ids[0]);
    script.applied("goes on", &server.frame(61, &see(&[0, 1, 2])));
    let resync = script.resync(false);
    push(&mut server, ids[0]);
    script.gives("frames of the old epoch are dropped", &server.frame(62, &see(&[0, 1, 2])), "stale");
    server.resync(resync);
    push(&mut server, ids[1]);
    script.applied(
        "the view is stated whole: a catch-up, a table as it was, a snapshot",
        &server.frame(64, &see(&[0, 1, 2, 3])),
    );
    push(&mut server, ids[3]);
    script.applied("deltas again", &server.frame(65, &see(&[0, 1, 2, 3])));
    let resync = script.resync(false);
    server.resync(resync);
    script.applied("groups that are not named are dropped", &server.frame(66, &see(&[1, 3])));
    let resync = script.resync(true);
    server.resync(resync);
    script.applied("anew: snapshots only", &server.frame(67, &see(&[1, 3])));
    let resync = script.resync(false);
    server.resync(resync);
    script.applied("a group is behind after a resync", &server.frame(68, &Plan { behind: &[2], ..see(&[1, 2, 3]) }));
    script.applied("and comes later", &server.frame(69, &see(&[1, 2, 3])));
    script
}

fn counters() -> Script {
    let (mut script, mut server) = (Script::new("counters that are shortened"), Server::<Thing>::new(1));
    let see = Plan { view: &[0], ..Plan::default() };
    let settled = |number, margin| Some(Settled { number, margin });
    script.sent(65_534);
    let first = Plan { inputs: settled(65_530, -2), moved: Some(0), ..see.clone() };
    script.applied("whole in the first frame", &server.frame(65_530, &first));
    script.sent(65_537);
    script.applied("inputs", &server.frame(65_535, &Plan { inputs: settled(65_535, 3), ..see.clone() }));
    script.applied("both across a wrap", &server.frame(65_536, &Plan { inputs: settled(65_536, 127), ..see.clone() }));
    let refused = &[(65_535, Code::TooLate), (65_537, Code::BadInput)][..];
    let plan = Plan { refused, moved: Some(300), inputs: settled(65_537, -128), ..see.clone() };
    script.applied("refused ones, a moved schedule", &server.frame(65_540, &plan));
    script.applied("ticks apart by most that 16 bits tell", &server.frame(65_540 + 65_536, &see));
    script
}

pub(crate) fn push(server: &mut Server<Thing>, id: EntityId) {
    server.world.get_mut(id).expect("it is there").push(0.25, -1.0);
}
