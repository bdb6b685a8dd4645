//! The reference trace of PROTOCOL.md: what one client and a room say to each other from hello to goodbye, each message
//! with its bytes, one frame bit by bit. Two ends without sockets; the game is small enough to be followed by hand.

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};
use tiltyard_core::room::{Entered, JoinRequest, Returning, Room, SeatId};
use tiltyard_shared::{
    game::Tick,
    prelude::*,
    protocol::{self, ClientMessage, Code, Enter, Hello, Resume, ServerMessage, Target, VERSION, capabilities, codec},
    replica::{Applied, Replica},
    schema::Schema,
};
use uuid::Uuid;

use crate::{
    json::{self, hex},
    replay,
};

mod worked;

const ROOM: Uuid = Uuid::from_u128(0x0198_a1b2_c3d4_7e5f_8091_a2b3_c4d5_e6f7);
const TOKEN: Uuid = Uuid::from_u128(0x1122_3344_5566_4788_99aa_bbcc_ddee_ff00);
const BOB: Uuid = Uuid::from_u128(2);

/// Carts on a line of 16 places, of which the eastern half is a group of its own; and a purse that only its player sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
enum Piece {
    Cart(Cart),
    Purse(Purse),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
struct Cart {
    #[replicate(range = 0..=15)]
    x: u8,
    #[replicate(max_len = 8)]
    name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Replicate)]
struct Purse {
    #[replicate(range = 0..=99)]
    coins: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
enum Act {
    Go(i8),
    Coin,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Wire)]
enum Happened {
    /// This player has crossed the middle.
    Crossed(u32),
    Coin,
}

#[derive(Debug, Serialize, Deserialize)]
struct Carts {
    east: GroupId,
    pieces: Vec<(PlayerId, EntityId, EntityId)>,
}

impl Game for Carts {
    const NAME: &'static str = "carts";
    type Config = ();
    type Entity = Piece;
    type Input = Act;
    type Event = Happened;

    fn new((): (), ctx: &mut Ctx<'_, Self>) -> Self {
        Self { east: ctx.world.new_group(), pieces: Vec::new() }
    }

    fn join(&mut self, player: PlayerId, ctx: &mut Ctx<'_, Self>) {
        let cart = Cart { x: 2 * player.0 as u8, name: ctx.name(player).to_owned() };
        let cart = ctx.world.spawn(Piece::Cart(cart));
        let own = ctx.own_group(player);
        let purse = ctx.world.spawn_in(own, Piece::Purse(Purse { coins: 0 }));
        self.pieces.push((player, cart, purse));
    }

    fn leave(&mut self, player: PlayerId, _: Leave, ctx: &mut Ctx<'_, Self>) {
        for (_, cart, _) in self.pieces.extract_if(.., |(other, ..)| *other == player) {
            ctx.world.despawn(cart);
        }
    }

    fn tick(&mut self, inputs: &Inputs<Act>, ctx: &mut Ctx<'_, Self>) {
        for (player, act) in inputs.iter() {
            let Some(&(_, cart, purse)) = self.pieces.iter().find(|(other, ..)| *other == player) else { continue };
            match (act, ctx.world.get_mut(if *act == Act::Coin { purse } else { cart })) {
                (Act::Go(steps), Some(Piece::Cart(cart_now))) => {
                    let was_east = cart_now.x >= 8;
                    cart_now.x = cart_now.x.saturating_add_signed(*steps).min(15);
                    let is_east = cart_now.x >= 8;
                    if was_east != is_east {
                        ctx.world.move_to(cart, if is_east { self.east } else { GroupId(0) });
                        ctx.broadcast(GroupId(0), &Happened::Crossed(player.0));
                    }
                }
                (Act::Coin, Some(Piece::Purse(purse))) => {
                    purse.coins += 1;
                    ctx.send(player, &Happened::Coin);
                }
                _ => {}
            }
        }
    }
}

/// Ann's client, whose messages are written down, and Bob, who is there as well.
struct Trace {
    room: Room<Carts>,
    now: Duration,
    schema: Schema,
    replica: Replica,
    ann: SeatId,
    bob: Option<(SeatId, u32)>,
    frame: Vec<u8>,
    messages: Vec<Value>,
    worked: Value,
}

impl Trace {
    fn new() -> Self {
        let schema = Schema::of::<Carts>();
        Self {
            room: Room::open((), 1),
            now: Duration::ZERO,
            replica: Replica::new(&schema.entity, 1),
            schema,
            ann: SeatId(0),
            bob: None,
            frame: Vec::new(),
            messages: Vec::new(),
            worked: Value::Null,
        }
    }

    fn note(&mut self, from: &str, bytes: &[u8], says: &str, value: &Value) {
        self.messages.push(json!({ "from": from, "hex": hex(bytes), "says": says, "value": value }));
    }

    /// The client says something; in the room the room hears it.
    fn say(&mut self, says: &str, message: ClientMessage) {
        let value = json::plain(serde_json::to_value(&message).expect("it has a JSON form"));
        self.note("client", &codec::encode(&message), says, &value);
        if let ClientMessage::Inputs { .. } | ClientMessage::Report(_) | ClientMessage::Resync(_) = message {
            self.room.receive(self.ann, message, self.now).expect("the room takes it");
        }
    }

    fn hear(&mut self, says: &str, message: &ServerMessage) {
        let value = json::plain(serde_json::to_value(message).expect("it has a JSON form"));
        self.note("server", &codec::encode_control(message), says, &value);
    }

    /// A tick later Ann gets a frame and applies it. One that is worked is taken apart as well.
    fn tick(&mut self, says: &str, works: bool) {
        self.step();
        let sent = self.room.frame(self.ann, self.now, Duration::ZERO, &mut self.frame);
        assert_eq!(sent, Ok(true), "{says}");
        if works {
            self.worked = worked::frame(&self.frame, &self.replica, &self.schema.entity);
            self.worked["message"] = json!(self.messages.len() + 1);
        }
        let applied = self.replica.apply(&self.frame).expect("it matches its hash");
        let Applied::Frame(head) = applied else { panic!("it is of this epoch") };
        assert_eq!(head.hash, Some(self.replica.hash()), "a verifying client gets a hash in every frame");
        let mut value = replay::state(&mut self.replica, &self.schema.entity);
        value["head"] = replay::head(&head);
        let bytes = std::mem::take(&mut self.frame);
        self.note("server", &bytes, says, &json!({ "Frame": value }));
    }

    /// A tick of which Ann gets no frame.
    fn step(&mut self) {
        self.now += Duration::from_millis(50);
        assert!(self.room.step(self.now));
        if let Some((bob, _)) = self.bob {
            self.room.frame(bob, self.now, Duration::ZERO, &mut self.frame).expect("it is small");
            let applied = self.room.simulation().tick();
            let report = protocol::Report { epoch: 1, applied, event: 0 };
            self.room.receive(bob, ClientMessage::Report(report), self.now).expect("he reports");
        }
    }

    fn inputs(&mut self, says: &str, number: u32, inputs: &[(u32, Vec<u8>)]) {
        let input = |(aim, payload): &(u32, Vec<u8>)| protocol::Input { aim: Tick(*aim), payload: payload.clone() };
        self.replica.sent_input(number + inputs.len() as u32 - 1);
        let report = self.replica.report();
        let inputs = inputs.iter().map(input).collect();
        self.say(says, ClientMessage::Inputs { number, report, inputs });
    }

    fn bob_comes(&mut self) {
        let request =
            JoinRequest { name: "Bertram".to_owned(), token: BOB, verify: false, expected: false, team: None };
        let seat = self.room.enter(request, 0).expect("there is a seat").seat;
        self.bob = Some((seat, 0));
    }

    fn bob_acts(&mut self, act: &Act) {
        let (seat, number) = self.bob.as_mut().expect("he is there");
        *number += 1;
        let (report, aim) = (protocol::Report::default(), Tick(self.room.simulation().tick().0 + 1));
        let inputs = vec![protocol::Input { aim, payload: codec::encode(act) }];
        let message = ClientMessage::Inputs { number: *number, report, inputs };
        self.room.receive(*seat, message, self.now).expect("he may act");
    }

    fn welcome(&mut self) {
        let hello = Hello {
            protocol: VERSION,
            client: "trace".to_owned(),
            client_key: *b"sixteen bytes it",
            credential: None,
            capabilities: capabilities::PIECES | capabilities::RESULT,
        };
        self.say("first of all", ClientMessage::Hello(hello));
        let games = vec!["carts".to_owned()];
        let welcome = ServerMessage::Welcome {
            protocol: VERSION,
            server: "0.1.0".to_owned(),
            games,
            capabilities: 0,
            identity: None,
            credential: None,
        };
        self.hear("the games here", &welcome);
    }

    fn enter(&mut self, says: &str, request: u32, target: Target, schema: Option<u64>) {
        let enter = Enter { request, target, name: "Ann".to_owned(), schema, verify: true, spectate: false };
        self.say(says, ClientMessage::Enter(enter));
    }

    fn entered(&mut self, says: &str, request: u32, entered: Entered, known: bool) {
        let json = self.schema.to_json();
        let settings = self.room.settings();
        let message = ServerMessage::Entered(Box::new(protocol::Entered {
            request,
            room: ROOM,
            game: Carts::NAME.to_owned(),
            player: entered.player,
            token: TOKEN,
            tick_hz: settings.tick_hz,
            send_every: settings.send_every,
            tick: entered.tick,
            input: entered.input,
            epoch: entered.epoch,
            schema_hash: Schema::hash(&json),
            schema: (!known).then_some(json),
            code: "F7K2XQ".to_owned(),
            spectator: false,
            grace_ms: settings.grace.as_millis() as u32,
            owner: 1,
            cut: None,
            protected: false,
        }));
        self.hear(says, &message);
    }
}

#[test]
fn the_reference_trace_is_what_a_room_says() {
    let mut trace = Trace::new();
    trace.welcome();
    trace.enter("any room of carts, with a hash in every frame", 1, Target::Game("carts".to_owned()), None);
    let request = JoinRequest { name: "Ann".to_owned(), token: TOKEN, verify: true, expected: false, team: None };
    let entered = trace.room.enter(request, 0).expect("there is a seat");
    trace.ann = entered.seat;
    trace.entered("player 1, with the schema", 1, entered, false);
    trace.tick("epoch 1 begins: groups 0 and 1, own group 2; snapshots of what is not empty", false);

    let report = trace.replica.report();
    trace.say("tick 1 is applied", ClientMessage::Report(report));
    trace.say("how long is the way?", ClientMessage::Ping { number: 1 });
    trace.hear("the answer, 3 ms after the ping was read", &ServerMessage::Pong { number: 1, held_ms: 3 });

    trace.bob_comes();
    trace.inputs(
        "two inputs for tick 3: two steps east, a coin",
        1,
        &[(3, codec::encode(&Act::Go(2))), (3, codec::encode(&Act::Coin))],
    );
    trace.tick("Bertram's cart arrives in group 0", false);
    trace.tick(
        "both inputs are settled, one tick early: the cart moves, the purse changes, event 1 in the own part",
        true,
    );

    trace.inputs("a step for tick 5, and bytes that are no input", 3, &[(5, codec::encode(&Act::Go(1))), (5, vec![9])]);
    trace.bob_acts(&Act::Go(5));
    trace.tick(
        "input 4 is refused, nothing is settled behind 3 that waits; Bertram's cart moves to group 1, event 2",
        false,
    );
    trace.tick("3 and 4 are settled", false);

    let resync = trace.replica.resync(false);
    trace.say("say that frames were late: go on from tick 5 in epoch 2", ClientMessage::Resync(resync));
    trace.bob_acts(&Act::Go(1));
    trace.tick("epoch 2 begins: a catch-up of group 1, nothing of the others", false);

    trace.room.disconnect(trace.ann, trace.now);
    trace.bob_acts(&Act::Go(-4));
    trace.step();
    trace.welcome();
    let resync = trace.replica.resync(false);
    let groups = trace.replica.current_groups();
    let target = Target::Resume(Resume { room: ROOM, token: TOKEN, resync, owner: 1, first_input: 1, groups });
    let hash = Schema::hash(&trace.schema.to_json());
    trace.enter("the connection broke: the same seat, from tick 6", 1, target, Some(hash));
    let entered = trace
        .room
        .resume(Returning { token: TOKEN, resync, first_input: 2, groups: Vec::new(), verify: true }, trace.now)
        .expect("the seat is kept");
    trace.entered("inputs up to 4 are taken in, epoch 3 follows", 1, entered, true);
    trace.tick("epoch 3 begins: group 0 and group 1 without Bertram's cart, which came back, and event 3", false);

    let report = trace.replica.report();
    trace.say("tick 8 is applied", ClientMessage::Report(report));
    trace.say("gives the seat up", ClientMessage::Leave);
    let frames = trace.room.frames_handed(trace.ann);
    let goodbye =
        ServerMessage::Goodbye { code: Code::Left, message: Code::Left.to_string(), frames, retry_within_ms: 0 };
    trace.hear("so many frames were handed over; close code 4021", &goodbye);
    let received = trace.messages.iter().filter(|message| message["value"]["Frame"].is_object()).count();
    assert_eq!(frames, received as u64);

    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    let built = json!({ "messages": trace.messages, "worked": trace.worked });
    json::check(&folder, "trace.json", &built, "-p tiltyard-core --test it trace");
}
