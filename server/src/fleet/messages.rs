//! The messages between instances on the bus: closed enums. The rules for changing them are in the module of
//! [`Payload`]: fields and variants are added, each field with a default, and [`SCHEMA`](crate::bus::SCHEMA) rises.
//!
//! | channel | what |
//! | --- | --- |
//! | [`Topic::Cluster`](crate::bus::Topic::Cluster) | [`ClusterEvent`] |
//! | [`Topic::Lobby`](crate::bus::Topic::Lobby) | [`LobbyEvent`] |
//! | commands to an instance | [`Command`], answered by a [`Reply`] |
//! | results | [`MatchResult`], as JSON |
//! | the inbox of a game's matchmaker | [`RequestPage`] |
//!
//! [`json`] turns any of them into a readable form.

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

/// Events for all instances about one another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClusterEvent {
    /// An instance that is new, or back again, asks who is there. All others answer with [`Command::Here`].
    Hello {
        /// Where to send the answers.
        from: InstanceId,
    },
    /// The current state of an instance.
    Alive(Heartbeat),
    /// An instance has stopped cleanly: its rooms are gone.
    Bye {
        /// The instance.
        instance: InstanceId,
        /// Its incarnation.
        incarnation: Incarnation,
    },
}

/// Events for all lobbies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LobbyEvent {
    /// A change of a room. Under `room.<event>.<game>.<region>`.
    Room(RoomEvent),
    /// A chat message. Under `chat.<channel>`. Its name on the bus is `Words`.
    #[serde(rename = "Words")]
    Chat(ChatMessage),
    /// The visible members of an instance in a channel. Under `presence.<channel>`.
    Presence(Presence),
}

/// A command to an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// The answer to a hello. Answered by [`Reply::Done`].
    Here(Heartbeat),
    /// Requests a page of the instance's rooms. Answered by [`Reply::Rooms`].
    Rooms {
        /// Only rooms after this one, in the order of their ids; `None` for the first page.
        after: Option<Uuid>,
    },
    /// Requests a reserved seat. Answered by [`Reply::Seat`] or [`Reply::Refused`].
    Reserve(Reserve),
    /// Asks it to drain: to take no new rooms and players, and to stop when rooms and searches have ended or the
    /// instance's `--drain-timeout` is over. Answered by [`Reply::Done`].
    Drain,
    /// For the matchmaking service of a game. Answered by [`Reply::Done`] once it is taken, which proves nothing else.
    Match(Box<MatchNote>),
}

/// Messages between the matchmaking machines of two instances, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchNote {
    /// The game.
    pub game: String,
    /// When it was sent, in milliseconds since 1970.
    pub sent_ms: u64,
    /// At most [`BATCH`] messages, each [`Packed`], so that one of an unknown kind does not hide the others.
    pub said: Vec<Packed<Said>>,
}

impl MatchNote {
    /// Its messages that are known here; `None` if there are too many, or one exceeds its limits.
    pub fn known(&self) -> Option<Vec<Said>> {
        let known: Vec<_> = self.said.iter().take(BATCH + 1).filter_map(|said| said.read().ok()).collect();
        let bounded = self.said.len() <= BATCH && known.iter().all(|said| said.message.is_bounded());
        bounded.then_some(known)
    }
}

/// Requests to the matchmaker of a game through its inbox: several in their order, or a page of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestPage {
    /// When it was sent, in milliseconds since 1970.
    pub sent_ms: u64,
    /// The number of this page, from 0.
    pub page: u16,
    /// The number of pages.
    pub pages: u16,
    /// At most [`BATCH`] requests, each [`Packed`], so that one of an unknown kind does not hide the others; or the part of
    /// one on this page.
    pub requests: Vec<Packed<Request>>,
}

impl RequestPage {
    /// Its requests that are known here; `None` if there are too many, or one exceeds its limits.
    pub fn known(&self) -> Option<Vec<Request>> {
        let known: Vec<_> = self.requests.iter().take(BATCH + 1).filter_map(|request| request.read().ok()).collect();
        let bounded = self.requests.len() <= BATCH && known.iter().all(Request::is_bounded);
        bounded.then_some(known)
    }
}

/// A request for a seat by a player on another instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserve {
    /// A second request with the same id changes nothing and gets the same answer.
    pub id: Uuid,
    /// Where the seat is wanted.
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
        /// How the room can be found.
        options: RoomOptions,
    },
}

/// The answer to a [`Command`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// It was done.
    Done,
    /// A page of rooms.
    Rooms(RoomPage),
    /// A seat is reserved for as long as a pass lives.
    Seat {
        /// The room.
        room: Uuid,
        /// The pass to show for it.
        pass: Vec<u8>,
    },
    /// It cannot be done.
    Refused(Code),
}

/// The [`MatchResult::schema`] that this version writes.
pub const RESULT_SCHEMA: u16 = 1;

/// The result of a match, as the game passed it to `finish`. It goes as JSON to other programs: its fields stay, and
/// others may be added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchResult {
    /// [`RESULT_SCHEMA`]: rises only when a field changes its meaning.
    pub schema: u16,
    /// A v7 uuid. A second result with the same id is a copy of the first.
    pub id: Uuid,
    /// The instance where it was played.
    pub instance: InstanceId,
    /// The room.
    pub room: Uuid,
    /// The game.
    pub game: String,
    /// When it ended, in milliseconds since 1970.
    pub at_ms: u64,
    /// The game's result.
    pub result: Value,
}

/// Where a payload was seen, which determines its type.
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

/// Decodes a payload to JSON, for people.
///
/// # Errors
///
/// [`Unreadable`].
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
