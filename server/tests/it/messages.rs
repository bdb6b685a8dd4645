//! Golden vectors of what instances say: `server/vectors` keeps, of each schema, a payload of every message. What is sent now
//! is what the newest file says, and all files are read.
//!
//! `UPDATE_VECTORS=1 cargo test -p tiltyard-server --test it messages` writes the file of the schema that is.

use std::{collections::BTreeSet, fs, path::PathBuf, time::Duration};

use serde_json::{Value, json};
use tiltyard_core::{
    chat::messages::{ChatMessage, Presence},
    directory::{
        Listing,
        messages::{Change, Heartbeat, RoomEvent, RoomPage},
    },
    instance::{Incarnation, InstanceId},
    matchmaking::{
        MatchId, PlayerKey, SessionId, TicketId,
        no_shows::NoShow,
        pool,
        proposals::{
            Go, Message, No, Request, Reservation, Reserve as Keep, ToHome, ToHost, ToMatchmaker, outbox::Said,
        },
        ticket::{Distance, Member, Refused, Ticket, Vacancy},
    },
    packed::Packed,
};
use tiltyard_server::{
    bus::{Payload, SCHEMA},
    fleet::messages::{
        Channel, ClusterEvent, Command, Destination, LobbyEvent, MatchNote, MatchResult, RESULT_SCHEMA, Reply,
        RequestPage, Reserve,
    },
};
use tiltyard_shared::protocol::{
    Code, chat,
    lobby::{RoomEntry, RoomOptions},
};
use uuid::Uuid;

use crate::json::{check, hex, unhex};

/// All of these are among the samples: a variant that is new does not compile here, and needs one.
macro_rules! covered {
    ($samples:expr, $($variant:pat),+ $(,)?) => {{
        let mut seen = BTreeSet::new();
        for sample in $samples {
            match sample {
                $($variant => seen.insert(stringify!($variant)),)+
            };
        }
        assert_eq!(seen, BTreeSet::from([$(stringify!($variant)),+]));
    }};
}

fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(0x0192_aaaa_0000_7000_8000_0000_0000_0000 + number)
}

fn instance(name: &str) -> InstanceId {
    InstanceId::new(name).unwrap()
}

fn heartbeat() -> Heartbeat {
    Heartbeat {
        instance: instance("eu-1"),
        incarnation: Incarnation(1_760_000_000_000_000),
        beat: 300,
        number: 70_000,
        rooms: 2,
        players: 3,
        capacity: 4_000,
        region: "eu".to_owned(),
        url: "wss://play.example/eu-1".to_owned(),
        draining: true,
    }
}

fn listing() -> Listing {
    let entry = RoomEntry {
        room: uuid(1),
        code: "K7QX2M".to_owned(),
        game: "arena".to_owned(),
        title: "Tea, später".to_owned(),
        players: 3,
        seats: 300,
        spectators: 1,
        locked: true,
        metadata: "{\"map\":7}".to_owned(),
        flags: 1,
    };
    Listing { entry, private: true }
}

fn cluster() -> Vec<ClusterEvent> {
    let samples = vec![
        ClusterEvent::Hello { from: instance("eu-1") },
        ClusterEvent::Alive(heartbeat()),
        ClusterEvent::Bye { instance: instance("eu-1"), incarnation: Incarnation(5) },
    ];
    covered!(&samples, ClusterEvent::Hello { .. }, ClusterEvent::Alive(_), ClusterEvent::Bye { .. });
    samples
}

fn lobby() -> Vec<LobbyEvent> {
    let changes = [
        Change::Opened(listing()),
        Change::Updated(listing()),
        Change::Closed { room: uuid(1), game: "arena".to_owned() },
    ];
    covered!(&changes, Change::Opened(_), Change::Updated(_), Change::Closed { .. });
    let room = |change| RoomEvent { instance: instance("eu-1"), incarnation: Incarnation(5), number: 7, change };
    let channel = chat::Channel::new("lobby").unwrap();
    let message = ChatMessage {
        instance: instance("eu-1"),
        channel: channel.clone(),
        name: "Ann".to_owned(),
        text: "hello".to_owned(),
    };
    let presence = Presence {
        instance: instance("eu-1"),
        incarnation: Incarnation(5),
        number: 9,
        channel,
        visible: 2,
        names: vec!["Ann".to_owned(), "Bob".to_owned()],
    };
    let rooms = changes.map(room).map(LobbyEvent::Room);
    let samples: Vec<_> =
        rooms.into_iter().chain([LobbyEvent::Chat(message), LobbyEvent::Presence(presence)]).collect();
    covered!(&samples, LobbyEvent::Room(_), LobbyEvent::Chat(_), LobbyEvent::Presence(_));
    samples
}

fn commands() -> Vec<Command> {
    let destinations = [
        Destination::Room(uuid(1)),
        Destination::Game("arena".to_owned()),
        Destination::New {
            game: "arena".to_owned(),
            config: Some(vec![1, 200]),
            options: RoomOptions { title: "Tea".to_owned(), private: true },
        },
    ];
    covered!(&destinations, Destination::Room(_), Destination::Game(_), Destination::New { .. });
    let reserve = |destination| Command::Reserve(Reserve { id: uuid(2), destination });
    let said = messages().into_iter().map(|message| Said { age: Duration::from_millis(1_250), message });
    let note =
        |said| Command::Match(Box::new(MatchNote { game: "arena".to_owned(), sent_ms: 1_760_000_000_123, said }));
    let rest = [
        Command::Here(heartbeat()),
        Command::Rooms { after: None },
        Command::Rooms { after: Some(uuid(1)) },
        Command::Drain,
        note(Vec::new()),
    ];
    // A note for each message, so that each can be read by itself.
    let notes = said.map(|said| note(vec![Packed::of(&said)]));
    let samples: Vec<_> = rest.into_iter().chain(destinations.map(reserve)).chain(notes).collect();
    covered!(&samples, Command::Here(_), Command::Rooms { .. }, Command::Reserve(_), Command::Drain, Command::Match(_));
    samples
}

fn ticket() -> Ticket {
    Ticket {
        id: TicketId(uuid(3)),
        home: instance("eu-1"),
        mode: "duel".to_owned(),
        party: vec![Member { player: SessionId(uuid(4)), key: PlayerKey(uuid(8)), rating: -1_500 }],
        regions: vec![Distance { region: "eu".to_owned(), ms: 40 }],
        avoid: vec![PlayerKey(uuid(9))],
        waited: Duration::from_millis(2_500),
    }
}

fn messages() -> Vec<Message> {
    let (id, ticket_id) = (MatchId(uuid(5)), TicketId(uuid(3)));
    let (home, player, matchmaker) = (instance("eu-1"), SessionId(uuid(4)), instance("eu-2"));
    let reservation = Reservation(70_000);
    let nos = vec![(ticket_id, No::NotOpen), (ticket_id, No::Bound(Duration::from_secs(3)))];
    covered!(nos.iter().map(|(_, no)| no), No::NotOpen, No::Bound(_));
    let to_matchmaker = [
        ToMatchmaker::Reserved { id, reservation },
        ToMatchmaker::Refused { id },
        ToMatchmaker::Yes { id, home },
        ToMatchmaker::No { id, home, tickets: nos },
    ];
    covered!(
        &to_matchmaker,
        ToMatchmaker::Reserved { .. },
        ToMatchmaker::Refused { .. },
        ToMatchmaker::Yes { .. },
        ToMatchmaker::No { .. }
    );
    let mut to_home = vec![
        ToHome::Agree { id, matchmaker, tickets: vec![ticket_id] },
        ToHome::Go(Go { id, host: matchmaker, reservation, tickets: vec![ticket_id] }),
        ToHome::Release { id },
        ToHome::Seated { id, ticket: ticket_id },
        ToHome::Returned {
            id,
            ticket: ticket_id,
            absent: vec![PlayerKey(uuid(9))],
            late: true,
            ago: Duration::from_secs(1),
        },
    ];
    let whys = [
        Refused::UnknownMode,
        Refused::BadParty,
        Refused::OutOfRange,
        Refused::NotItsHome,
        Refused::Changed,
        Refused::Superseded,
        Refused::AlreadySearching,
        Refused::NoShow(Duration::from_secs(9)),
        Refused::Full,
        Refused::Draining,
    ];
    covered!(
        &whys,
        Refused::UnknownMode,
        Refused::BadParty,
        Refused::OutOfRange,
        Refused::NotItsHome,
        Refused::Changed,
        Refused::Superseded,
        Refused::AlreadySearching,
        Refused::NoShow(_),
        Refused::Full,
        Refused::Draining
    );
    to_home.extend(whys.map(|why| ToHome::NotTaken { ticket: ticket_id, why }));
    covered!(
        &to_home,
        ToHome::Agree { .. },
        ToHome::Go(_),
        ToHome::Release { .. },
        ToHome::NotTaken { .. },
        ToHome::Seated { .. },
        ToHome::Returned { .. }
    );
    let places = [pool::Venue::New, pool::Venue::Running { room: MatchId(uuid(6)), host: matchmaker, team: 1 }];
    covered!(&places, pool::Venue::New, pool::Venue::Running { .. });
    let teams = vec![vec![ticket()], vec![]];
    let keep = |place| Keep { id, matchmaker, mode: "duel".to_owned(), place, teams: teams.clone() };
    let mut to_host: Vec<_> = places.into_iter().map(keep).map(ToHost::Reserve).collect();
    to_host.extend([
        ToHost::Release { id },
        ToHost::Decline { id, ticket: ticket_id },
        ToHost::CutOff { id, ticket: ticket_id, player },
        ToHost::Ask { id, ticket: ticket_id, home },
    ]);
    covered!(
        &to_host,
        ToHost::Reserve(_),
        ToHost::Release { .. },
        ToHost::Decline { .. },
        ToHost::CutOff { .. },
        ToHost::Ask { .. }
    );
    let samples: Vec<_> = to_matchmaker
        .into_iter()
        .map(Message::Matchmaker)
        .chain(to_home.into_iter().map(Message::Home))
        .chain(to_host.into_iter().map(Message::Host))
        .collect();
    covered!(&samples, Message::Matchmaker(_), Message::Home(_), Message::Host(_));
    samples
}

fn replies() -> Vec<Reply> {
    let page = RoomPage {
        incarnation: Incarnation(5),
        number: 9,
        rooms: vec![(7, listing())],
        next: Some(listing().entry.room),
    };
    let samples = vec![
        Reply::Done,
        Reply::Rooms(page),
        Reply::Seat { room: uuid(1), pass: vec![1, 2, 200] },
        Reply::Refused(Code::RoomFull),
        Reply::Refused(Code::Unknown(999)),
    ];
    covered!(&samples, Reply::Done, Reply::Rooms(_), Reply::Seat { .. }, Reply::Refused(_));
    samples
}

fn requests() -> Vec<RequestPage> {
    let (home, number) = (instance("eu-1"), 70_000);
    let vacancy = Vacancy {
        room: MatchId(uuid(6)),
        host: home,
        mode: "duel".to_owned(),
        region: "eu".to_owned(),
        team: 1,
        seats: 2,
        rating: 1_500,
        waited: Duration::from_secs(1),
    };
    let requests = [
        Request::Submit { number, ticket: ticket() },
        Request::Renew(pool::Renewal { home, number, tickets: vec![ticket()] }),
        Request::Cancel { home, ticket: TicketId(uuid(3)) },
        Request::Offer(pool::Offer { host: home, number, vacancies: vec![vacancy] }),
        Request::NoShows(vec![NoShow { key: PlayerKey(uuid(9)), id: MatchId(uuid(5)), ago: Duration::from_secs(2) }]),
    ];
    covered!(
        &requests,
        Request::Submit { .. },
        Request::Renew(_),
        Request::Cancel { .. },
        Request::Offer(_),
        Request::NoShows(_)
    );
    let page = |requests| RequestPage { sent_ms: 1_760_000_000_123, page: 1, pages: 2, requests };
    requests.map(|request| page(vec![Packed::of(&request)])).into()
}

fn result() -> MatchResult {
    MatchResult {
        schema: RESULT_SCHEMA,
        id: uuid(7),
        instance: instance("eu-1"),
        room: uuid(1),
        game: "arena".to_owned(),
        at_ms: 1_760_000_000_123,
        result: json!({ "won": "Ann", "points": [3, 2] }),
    }
}

const CHANNELS: [(&str, Channel); 6] = [
    ("cluster", Channel::Cluster),
    ("lobby", Channel::Lobby),
    ("commands", Channel::Commands),
    ("replies", Channel::Replies),
    ("tickets", Channel::Tickets),
    ("results", Channel::Results),
];

/// Every message that is sent, by channel.
fn samples() -> Vec<(Channel, Payload)> {
    let mut samples = Vec::new();
    samples.extend(cluster().iter().map(|said| (Channel::Cluster, Payload::of(said))));
    samples.extend(lobby().iter().map(|said| (Channel::Lobby, Payload::of(said))));
    samples.extend(commands().iter().map(|said| (Channel::Commands, Payload::of(said))));
    samples.extend(replies().iter().map(|said| (Channel::Replies, Payload::of(said))));
    samples.extend(requests().iter().map(|said| (Channel::Tickets, Payload::of(said))));
    samples.push((Channel::Results, Payload::json(&result())));
    samples
}

fn name(channel: Channel) -> &'static str {
    CHANNELS.iter().find(|(_, other)| *other == channel).unwrap().0
}

fn meaning(channel: Channel, payload: &Payload) -> Value {
    tiltyard_server::fleet::messages::json(channel, payload).unwrap()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

#[test]
fn what_is_said_is_what_the_file_of_this_schema_says() {
    let vector = |(channel, payload): (Channel, Payload)| json!({ "channel": name(channel), "bytes": hex(payload.as_bytes()), "means": meaning(channel, &payload) });
    let vectors: Vec<_> = samples().into_iter().map(vector).collect();
    let tests = "-p tiltyard-server --test it messages";
    check(&folder(), &format!("bus-{SCHEMA}.json"), &json!({ "schema": SCHEMA, "vectors": vectors }), tests);
}

/// What older instances send is understood: all that it meant to them it means now.
#[test]
fn what_every_schema_has_said_is_read() {
    let mut schemas = BTreeSet::new();
    for file in fs::read_dir(folder()).unwrap() {
        let file: Value = serde_json::from_slice(&fs::read(file.unwrap().path()).unwrap()).unwrap();
        assert!(schemas.insert(file["schema"].as_u64().unwrap()));
        for vector in file["vectors"].as_array().unwrap() {
            let channel = CHANNELS.iter().find(|(name, _)| vector["channel"] == *name).unwrap().1;
            let payload = Payload::from_bytes(unhex(vector["bytes"].as_str().unwrap()));
            let (then, now) = (&vector["means"], meaning(channel, &payload));
            assert!(is_within(then, &now), "{then}\nis now\n{now}");
        }
    }
    assert_eq!(schemas, (1..=u64::from(SCHEMA)).collect(), "the file of each schema is kept");
}

/// Whether all that is in the one is in the other, which may have more fields.
fn is_within(then: &Value, now: &Value) -> bool {
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => {
            then.iter().all(|(field, value)| now.get(field).is_some_and(|now| is_within(value, now)))
        }
        (Value::Array(then), Value::Array(now)) => {
            then.len() == now.len() && then.iter().zip(now).all(|(then, now)| is_within(then, now))
        }
        _ => then == now,
    }
}
