//! Every message of both sides beside frames, and every code.
//!
//! Values stand in serde's JSON form; bytes are hex, 64-bit hashes are decimal text.

use serde_json::{Value, json};
use tiltyard_shared::{
    game::{PlayerId, Tick},
    protocol::{
        ClientMessage, Code, Enter, Entered, Hello, Identity, Input, Report, Resume, Resync, ServerMessage, Target,
        VERSION, capabilities,
        chat::JoinChannel,
        codec,
        lobby::{Browse, RoomEntry, RoomOptions},
        search::{Party, Search, SearchState},
    },
};
use uuid::Uuid;

use crate::json::{hex, plain, unhex};

const ROOM: Uuid = Uuid::from_u128(0x0198_a1b2_c3d4_7e5f_8091_a2b3_c4d5_e6f7);
const TOKEN: Uuid = Uuid::from_u128(0x1122_3344_5566_4788_99aa_bbcc_ddee_ff00);

#[test]
fn messages() {
    let client: Vec<Value> =
        client_messages().into_iter().map(|(name, message)| client_entry(name, &message)).collect();
    let server: Vec<Value> =
        server_messages().into_iter().map(|(name, message)| server_entry(name, &message)).collect();
    let codes =
        Code::ALL.iter().map(|code| json!([code.number(), format!("{code:?}"), code.close_code(), code.to_string()]));
    crate::check(
        "messages.json",
        &json!({ "version": VERSION, "client": client, "server": server, "codes": codes.collect::<Vec<_>>() }),
    );
}

fn client_entry(name: &str, message: &ClientMessage) -> Value {
    let bytes = codec::encode(message);
    assert_eq!(codec::decode_client(&bytes).as_ref(), Ok(message));
    json!({ "name": name, "hex": hex(&bytes), "value": plain(serde_json::to_value(message).expect("it has a JSON form")) })
}

fn server_entry(name: &str, message: &ServerMessage) -> Value {
    let bytes = codec::encode_control(message);
    assert_eq!(codec::decode_server(&bytes[1..]).as_ref(), Ok(message));
    json!({ "name": name, "hex": hex(&bytes), "value": plain(serde_json::to_value(message).expect("it has a JSON form")) })
}

fn enter(target: Target) -> ClientMessage {
    ClientMessage::Enter(Enter {
        request: 1,
        target,
        name: "Ann".to_owned(),
        schema: None,
        verify: false,
        spectate: false,
    })
}

fn resume(resync: Resync, first_input: u32, groups: Vec<u32>) -> ClientMessage {
    enter(Target::Resume(Resume { room: ROOM, token: TOKEN, resync, owner: 1, first_input, groups }))
}

fn search(game: &str, mode: &str, rating: i32, party: Option<Party>) -> ClientMessage {
    ClientMessage::Search { request: 2, search: Search { game: game.to_owned(), mode: mode.to_owned(), rating, party } }
}

fn attend(channel: &str, name: &str, visible: bool) -> ClientMessage {
    ClientMessage::JoinChannel(JoinChannel {
        request: 251,
        channel: channel.to_owned(),
        name: name.to_owned(),
        visible,
    })
}

pub(crate) fn client_messages() -> Vec<(&'static str, ClientMessage)> {
    let report = Report { epoch: 2, applied: Tick(70_000), event: 5_000_000_000 };
    let resync = Resync { epoch: 3, applied: Some(Tick(300)), event: 251 };
    vec![
        (
            "hello",
            ClientMessage::Hello(Hello {
                protocol: VERSION,
                client: "tiltyard-web 0.1.0".to_owned(),
                client_key: *b"a key of a guest",
                credential: None,
                capabilities: capabilities::PIECES | capabilities::PACE | capabilities::OPTIONAL,
            }),
        ),
        (
            "hello with a credential",
            ClientMessage::Hello(Hello {
                protocol: VERSION,
                client: String::new(),
                credential: Some(vec![0x65, 0x79, 0x4A]),
                ..Hello::default()
            }),
        ),
        ("enter any room of a game", enter(Target::Game("arena".to_owned()))),
        ("enter a room", enter(Target::Room(ROOM))),
        (
            "create a room",
            enter(Target::Create { game: "arena".to_owned(), config: None, options: RoomOptions::default() }),
        ),
        (
            "watch a new private room of a config and a title, as somebody who knows the schema and verifies",
            ClientMessage::Enter(Enter {
                request: 65_536,
                target: Target::Create {
                    game: "pong".to_owned(),
                    config: Some(vec![250, 251, 0]),
                    options: RoomOptions { title: "Zoë's".to_owned(), private: true },
                },
                name: "Zoë".to_owned(),
                schema: Some(0xFEDC_BA98_7654_3210),
                verify: true,
                spectate: true,
            }),
        ),
        ("resume", resume(resync, 7, vec![0, 3, 70_000])),
        ("enter by a room's code", enter(Target::Code("K7MX2P".to_owned()))),
        ("enter by a pass", enter(Target::Pass(vec![0xDE, 0xAD, 0xBE, 0xEF]))),
        ("resume with nothing", resume(Resync { applied: None, event: 0, ..resync }, 1, Vec::new())),
        (
            "one input",
            ClientMessage::Inputs {
                number: 1,
                report,
                inputs: vec![Input { aim: Tick(250), payload: vec![1, 2, 255] }],
            },
        ),
        (
            "inputs of large numbers",
            ClientMessage::Inputs {
                number: 65_536,
                report: Report { epoch: 251, applied: Tick(65_535), event: 0 },
                inputs: vec![
                    Input { aim: Tick(65_537), payload: Vec::new() },
                    Input { aim: Tick(u32::MAX), payload: vec![0] },
                ],
            },
        ),
        ("report", ClientMessage::Report(report)),
        ("report of nothing yet", ClientMessage::Report(Report { epoch: 1, applied: Tick(0), event: 0 })),
        ("resync", ClientMessage::Resync(resync)),
        ("resync to be told everything anew", ClientMessage::Resync(Resync { epoch: 4, applied: None, event: 252 })),
        ("leave", ClientMessage::Leave),
        ("browse all rooms", ClientMessage::Browse { request: 3, browse: Some(Browse::default()) }),
        (
            "browse open rooms of a game",
            ClientMessage::Browse {
                request: 4,
                browse: Some(Browse { game: Some("pong".to_owned()), open: true, page: 300 }),
            },
        ),
        ("browse no more", ClientMessage::Browse { request: 5, browse: None }),
        ("search alone", search("connect4", "duel", 1_500, None)),
        ("search as one of three", search("arena", "teams", -20, Some(Party { code: "k7-the_3".to_owned(), size: 3 }))),
        ("search no more", ClientMessage::CancelSearch { request: 6 }),
        ("search again", ClientMessage::SearchAgain { request: 7, id: ROOM }),
        ("join a channel, unseen", attend("lobby", "Ann", false)),
        ("join a channel, seen", attend("connect-4_b", "Zoë", true)),
        ("leave a channel", ClientMessage::LeaveChannel { request: 8, channel: "lobby".to_owned() }),
        (
            "send a message",
            ClientMessage::SendMessage { request: 9, channel: "lobby".to_owned(), text: "Hi, Zoë".to_owned() },
        ),
        ("ping", ClientMessage::Ping { number: 300 }),
        ("pong", ClientMessage::Pong { number: 2, held_ms: 17 }),
        ("renew", ClientMessage::Renew { request: 10, credential: vec![0x65, 0x79, 0x4A] }),
        ("stand by", ClientMessage::StandBy { request: 11, room: ROOM, token: TOKEN, ticket: vec![1, 2] }),
    ]
}

fn joining(url: &str) -> ServerMessage {
    let pass = vec![0xDE, 0xAD, 0xBE, 0xEF];
    ServerMessage::Search(SearchState::Joining { id: ROOM, url: url.to_owned(), pass })
}

fn said(channel: &str, name: &str, text: &str) -> ServerMessage {
    ServerMessage::ChannelMessage { channel: channel.to_owned(), name: name.to_owned(), text: text.to_owned() }
}

fn present(visible: u32, names: &[&str]) -> ServerMessage {
    let names = names.iter().copied().map(str::to_owned).collect();
    ServerMessage::Present { channel: "lobby".to_owned(), visible, names }
}

pub(crate) fn server_messages() -> Vec<(&'static str, ServerMessage)> {
    let entered = |schema: Option<&str>, epoch| {
        ServerMessage::Entered(Box::new(Entered {
            request: epoch,
            room: ROOM,
            game: "arena".to_owned(),
            player: PlayerId(7),
            token: TOKEN,
            tick_hz: 20,
            send_every: 1,
            tick: Tick(1_000),
            input: 12,
            epoch,
            schema_hash: 0x0123_4567_89AB_CDEF,
            schema: schema.map(str::to_owned),
            code: "F7K2XQ".to_owned(),
            spectator: epoch > 1,
            grace_ms: 30_000,
            owner: epoch,
            cut: (epoch > 1).then_some(Tick(990)),
            protected: epoch > 1,
        }))
    };
    let room = |players| RoomEntry {
        room: ROOM,
        code: "F7K2XQ".to_owned(),
        game: "pong".to_owned(),
        title: "Zoë's".to_owned(),
        players,
        seats: 2,
        spectators: 300,
        locked: players > 1,
        metadata: "{\"score\":[1,2]}".to_owned(),
        flags: players - 1,
    };
    let identity = || Identity {
        key: "g:7f".to_owned(),
        name: "Zoë".to_owned(),
        guest: true,
        roles: vec!["host".to_owned()],
        expires_in_ms: Some(3_600_000),
    };
    vec![
        (
            "welcome",
            ServerMessage::Welcome {
                protocol: VERSION,
                server: "0.1.0".to_owned(),
                games: vec!["arena".to_owned(), "pong".to_owned()],
                capabilities: 0,
                identity: None,
                credential: None,
            },
        ),
        (
            "welcome, somebody",
            ServerMessage::Welcome {
                protocol: VERSION,
                server: "0.2.0".to_owned(),
                games: Vec::new(),
                capabilities: capabilities::RENEW | capabilities::STAND_BY,
                identity: Some(identity()),
                credential: Some(vec![0xCA, 0xFE]),
            },
        ),
        ("entered, the schema is known", entered(None, 1)),
        ("entered, with the schema", entered(Some("{\"game\":\"arena\"}"), 4)),
        (
            "redirect",
            ServerMessage::Redirect {
                request: 1,
                url: "wss://b.example/ws".to_owned(),
                pass: vec![0xDE, 0xAD, 0xBE, 0xEF],
            },
        ),
        ("refused", ServerMessage::refused(1, Code::RoomFull)),
        (
            "refused for now, for a reason of a later version",
            ServerMessage::Refused {
                request: 300,
                code: Code::Unknown(300),
                message: "try later".to_owned(),
                retry_after_ms: Some(5_000),
            },
        ),
        (
            "goodbye",
            ServerMessage::Goodbye {
                code: Code::RoomClosed,
                message: Code::RoomClosed.to_string(),
                frames: 100_000,
                retry_within_ms: 0,
            },
        ),
        (
            "goodbye, come back",
            ServerMessage::Goodbye {
                code: Code::Stopping,
                message: Code::Stopping.to_string(),
                frames: 7,
                retry_within_ms: 3_000,
            },
        ),
        ("rooms", ServerMessage::Rooms { revision: 5_000_000_000, total: 1, rooms: vec![room(1)] }),
        ("no rooms", ServerMessage::Rooms { revision: 0, total: 0, rooms: Vec::new() }),
        (
            "rooms changed",
            ServerMessage::RoomsChanged { revision: 251, total: 51, changed: vec![room(2)], removed: vec![TOKEN] },
        ),
        ("gathering", ServerMessage::Search(SearchState::Gathering { here: 1, size: 3 })),
        ("searching", ServerMessage::Search(SearchState::Searching { waited_ms: 90_000 })),
        ("agreed", ServerMessage::Search(SearchState::Agreed)),
        ("joining", joining("wss://b.example/ws")),
        ("joining here", joining("")),
        ("matched", ServerMessage::Search(SearchState::Matched { id: ROOM })),
        ("ended", ServerMessage::Search(SearchState::Ended { code: Code::Cancelled, retry_after_ms: None })),
        (
            "ended, try later",
            ServerMessage::Search(SearchState::Ended { code: Code::ServerFull, retry_after_ms: Some(2_000) }),
        ),
        ("a message in a channel", said("lobby", "Ann", "Hi, Zoë")),
        ("present", present(2, &["Ann", "Zoë"])),
        ("nobody is present", present(0, &[])),
        ("ping", ServerMessage::Ping { number: 1 }),
        ("pong", ServerMessage::Pong { number: 300, held_ms: 50 }),
        ("pace", ServerMessage::Pace { every: 2 }),
        ("wait", ServerMessage::Wait { request: 1, for_ms: 5_000 }),
        ("announcement", ServerMessage::Announcement { text: "Back in a minute".to_owned() }),
        ("result", ServerMessage::Result { result: "{\"winner\":7}".to_owned() }),
        ("renewed", ServerMessage::Renewed { request: 10, identity: identity(), credential: None }),
        (
            "prepare",
            ServerMessage::Prepare { url: "wss://b.example/ws".to_owned(), ticket: vec![1, 2], within_ms: 1_000 },
        ),
        ("moved", ServerMessage::Moved { owner: 2, tick: Tick(1_000), url: "wss://b.example/ws".to_owned() }),
    ]
}

/// The bytes that a message of the document is shown with.
pub(crate) fn examples() -> Vec<String> {
    let client = client_messages().into_iter().map(|(_, message)| hex(&codec::encode(&message)));
    client.chain(server_messages().into_iter().map(|(_, message)| hex(&codec::encode_control(&message)))).collect()
}

#[test]
fn hex_is_undone() {
    assert_eq!(unhex(&hex(&[0, 1, 0xAB, 0xFF])), [0, 1, 0xAB, 0xFF]);
}
