//! What instances say to one another over the bus: closed enums. What may be changed in them is said where their
//! [`Payload`] is made: fields and variants are added, each field with a default, and
//! [`SCHEMA`](crate::bus::SCHEMA) rises.
//!
//! | channel | what |
//! | --- | --- |
//! | [`Topic::Cluster`](crate::bus::Topic::Cluster) | [`ClusterEvent`] |
//! | [`Topic::Lobby`](crate::bus::Topic::Lobby) | [`LobbyEvent`] |
//! | commands to an instance | [`Command`], answered by a [`Reply`] |
//! | results | [`MatchResult`], as JSON |
//! | the inbox of a game's matchmaker | [`RequestPage`] |
//!
//! [`json`] turns any of them into what people read.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tiltyard_core::{
    chat::messages::{ChatMessage, Presence},
    directory::messages::{Heartbeat, RoomEvent, RoomPage},
    instance::{Incarnation, InstanceId},
    matchmaking::proposals::{
        Request,
        outbox::{BATCH, Said},
    },
    packed::Packed,
};
use tiltyard_shared::protocol::{Code, lobby::RoomOptions};
use uuid::Uuid;

use crate::bus::{Payload, Unreadable};

/// What all instances hear of one another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClusterEvent {
    /// Somebody new, or back again, who wants to know who is there. Everybody answers with [`Command::Here`].
    Hello {
        /// Where the answers go.
        from: InstanceId,
    },
    /// An instance as it is.
    Alive(Heartbeat),
    /// An instance has stopped in good order: its rooms are gone.
    Bye {
        /// Which.
        instance: InstanceId,
        /// In which of its lives.
        incarnation: Incarnation,
    },
}

/// What all lobbies hear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LobbyEvent {
    /// Something has happened to a room. Under `room.<event>.<game>.<region>`.
    Room(RoomEvent),
    /// Something was said in a channel. Under `chat.<channel>`. Its name on the bus is `Words`.
    #[serde(rename = "Words")]
    Chat(ChatMessage),
    /// Who of an instance is visible in a channel. Under `presence.<channel>`.
    Presence(Presence),
}

/// What an instance is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// The answer to a hello. Answered by [`Reply::Done`].
    Here(Heartbeat),
    /// Which rooms are there? Answered by [`Reply::Rooms`].
    Rooms {
        /// Those after this one, in the order of their ids; `None` for the first page.
        after: Option<Uuid>,
    },
    /// Keep a seat. Answered by [`Reply::Seat`] or [`Reply::Refused`].
    Reserve(Reserve),
    /// Take no new rooms and players, and stop when rooms and searches have ended or the instance's `--drain-timeout` is
    /// over. Answered by [`Reply::Done`].
    Drain,
    /// For the matchmaking service of a game: answered by [`Reply::Done`] once it is taken, which proves nothing else.
    Match(Box<MatchNote>),
}

/// What the machines of matchmaking say to those of another instance, in its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchNote {
    /// The game.
    pub game: String,
    /// When it was sent, in milliseconds since 1970.
    pub sent_ms: u64,
    /// What is said: at most [`BATCH`] messages, each [`Packed`], so that one of a kind that the receiver does not know keeps no
    /// other from being heard.
    pub said: Vec<Packed<Said>>,
}

impl MatchNote {
    /// The messages in it that are known here; `None` if there are too many, or one is not within its limits.
    pub fn known(&self) -> Option<Vec<Said>> {
        let known: Vec<_> = self.said.iter().take(BATCH + 1).filter_map(|said| said.read().ok()).collect();
        let bounded = self.said.len() <= BATCH && known.iter().all(|said| said.message.is_bounded());
        bounded.then_some(known)
    }
}

/// A request to whoever is the matchmaker of a game, through its inbox; or a page of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestPage {
    /// When it was sent, in milliseconds since 1970.
    pub sent_ms: u64,
    /// Of a request in pages: which this is, from 0.
    pub page: u16,
    /// And how many there are.
    pub pages: u16,
    /// What is asked, or what of it is on this page.
    pub request: Request,
}

/// A seat that somebody on another instance wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserve {
    /// Of two with the same id the second changes nothing and gets the same answer.
    pub id: Uuid,
    /// Where.
    #[serde(rename = "place")]
    pub destination: Destination,
}

/// Where a seat is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Destination {
    /// In this room.
    Room(Uuid),
    /// In any open room of a game that is not private; in a new one if there is none.
    Game(String),
    /// In a new room.
    New {
        /// The game.
        game: String,
        /// The bincode bytes of its config; `None` for the default.
        config: Option<Vec<u8>>,
        /// How the room is found.
        options: RoomOptions,
    },
}

/// The answer to a [`Command`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// It is done.
    Done,
    /// A page of rooms.
    Rooms(RoomPage),
    /// A seat is kept, as long as passes live.
    Seat {
        /// The room.
        room: Uuid,
        /// What to show for it.
        pass: Vec<u8>,
    },
    /// It cannot be done.
    Refused(Code),
}

/// The [`MatchResult::schema`] that we write.
pub const RESULT_SCHEMA: u16 = 1;

/// What became of a match, as a game said by `finish`. It goes as JSON to programs of others: its fields stay, and others may
/// come to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchResult {
    /// [`RESULT_SCHEMA`]: rises only when a field changes its meaning.
    pub schema: u16,
    /// Of two with the same id the second is the first once more. A v7 uuid.
    pub id: Uuid,
    /// Where it was played.
    pub instance: InstanceId,
    /// The room.
    pub room: Uuid,
    /// The game.
    pub game: String,
    /// When it was over, in milliseconds since 1970.
    pub at_ms: u64,
    /// The game's words.
    pub result: Value,
}

/// Where a payload was seen, which says what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Cluster events.
    Cluster,
    /// Lobby events.
    Lobby,
    /// Commands.
    Commands,
    /// Replies.
    Replies,
    /// Results of matches.
    Results,
    /// The inboxes of matchmakers.
    Tickets,
}

/// What a payload says, for people.
///
/// # Errors
///
/// Why it says nothing.
pub fn json(channel: Channel, payload: &Payload) -> Result<Value, Unreadable> {
    match channel {
        Channel::Cluster => value(&payload.read::<ClusterEvent>()?),
        Channel::Lobby => value(&payload.read::<LobbyEvent>()?),
        Channel::Commands => value(&payload.read::<Command>()?),
        Channel::Replies => value(&payload.read::<Reply>()?),
        Channel::Results => payload.read_json(),
        Channel::Tickets => value(&payload.read::<RequestPage>()?),
    }
}

fn value<T: Serialize>(said: &T) -> Result<Value, Unreadable> {
    serde_json::to_value(said).map_err(|_| Unreadable::Malformed)
}

#[cfg(test)]
mod tests {
    use tiltyard_shared::protocol::chat;

    use super::*;

    #[test]
    fn every_channel_is_shown_as_json_and_no_other_is_mistaken_for_it() {
        let from = InstanceId::new("eu-1").unwrap();
        let hello = Payload::of(&ClusterEvent::Hello { from });
        assert_eq!(json(Channel::Cluster, &hello).unwrap()["Hello"]["from"], "eu-1");
        assert_eq!(json(Channel::Results, &hello), Err(Unreadable::Malformed));
        let result = MatchResult {
            schema: RESULT_SCHEMA,
            id: Uuid::nil(),
            instance: from,
            room: Uuid::nil(),
            game: "arena".to_owned(),
            at_ms: 7,
            result: serde_json::json!({ "won": 3 }),
        };
        let shown = json(Channel::Results, &Payload::json(&result)).unwrap();
        assert_eq!((&shown["schema"], &shown["result"]["won"]), (&1.into(), &3.into()));
        let channel = chat::Channel::new("lobby").unwrap();
        let message = ChatMessage { instance: from, channel, name: "Ann".to_owned(), text: "hello".to_owned() };
        let said = json(Channel::Lobby, &Payload::of(&LobbyEvent::Chat(message))).unwrap();
        assert_eq!((&said["Words"]["channel"], &said["Words"]["text"]), (&"lobby".into(), &"hello".into()));
        let command = Payload::of(&Command::Rooms { after: Some(Uuid::nil()) });
        assert_eq!(json(Channel::Commands, &command).unwrap()["Rooms"]["after"], Uuid::nil().to_string());
        let reply = Payload::of(&Reply::Refused(Code::RoomFull));
        assert_eq!(json(Channel::Replies, &reply).unwrap()["Refused"], "RoomFull");
    }
}
