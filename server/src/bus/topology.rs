//! The exchanges, durable queues and bindings of a broker, as constants. rabbitmq/definitions.json has the same, with
//! policies and the server's user; a test keeps them equal.

use super::{Inbox, InstanceId, Topic};

/// An exchange. All are durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Its name.
    pub name: &'static str,
    /// How it chooses queues.
    pub kind: Kind,
}

/// How an exchange chooses queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// By a pattern of the key.
    Topic,
    /// By the key.
    Direct,
    /// All of them.
    Fanout,
}

impl Kind {
    /// Its name in AMQP.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Direct => "direct",
            Self::Fanout => "fanout",
        }
    }
}

/// A durable queue for the operator, and its binding. All are quorum queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: &'static str,
    /// The exchange that fills it.
    pub source: &'static str,
    /// The key of the binding.
    pub key: &'static str,
}

/// Hellos and heartbeats of instances.
pub const CLUSTER: Exchange = Exchange { name: "tiltyard.cluster", kind: Kind::Topic };
/// Rooms, chat, presence.
pub const LOBBY: Exchange = Exchange { name: "tiltyard.lobby", kind: Kind::Topic };
/// Tickets, to the inbox of a game and region.
pub const TICKETS: Exchange = Exchange { name: "tiltyard.tickets", kind: Kind::Direct };
/// Commands to instances, and replies.
pub const COMMAND: Exchange = Exchange { name: "tiltyard.command", kind: Kind::Direct };
/// Match results.
pub const RESULTS: Exchange = Exchange { name: "tiltyard.results", kind: Kind::Topic };
/// Messages that could not be handled, with the reason.
pub const DEAD: Exchange = Exchange { name: "tiltyard.dead", kind: Kind::Fanout };

/// All exchanges.
pub const EXCHANGES: [Exchange; 6] = [CLUSTER, LOBBY, TICKETS, COMMAND, RESULTS, DEAD];

/// The operator's queues. A server fills them and cannot read them.
pub const QUEUES: [Queue; 2] = [
    Queue { name: "tiltyard.dead-letters", source: DEAD.name, key: "" },
    Queue { name: "tiltyard.match-results", source: RESULTS.name, key: "#" },
];

/// The content type of a result.
pub const RESULT_TYPE: &str = "application/json";

/// The header of a dead letter with the reason.
pub const REASON: &str = "x-tiltyard-reason";
/// The header of a dead letter with its original exchange.
pub const REASON_EXCHANGE: &str = "x-tiltyard-exchange";
/// The header of a dead letter with its original key.
pub const REASON_KEY: &str = "x-tiltyard-key";
/// The header of a dead letter with the instance that could not handle it.
pub const REASON_INSTANCE: &str = "x-tiltyard-instance";
/// The header of a command with its deadline, in milliseconds since 1970.
pub const DEADLINE: &str = "x-tiltyard-deadline";

impl Topic {
    /// The exchange of its events.
    pub fn exchange(self) -> Exchange {
        match self {
            Self::Cluster => CLUSTER,
            Self::Lobby => LOBBY,
        }
    }
}

/// The durable queue of an inbox: quorum, with a single active consumer. Its key is the inbox's.
pub fn inbox_queue(inbox: &Inbox) -> String {
    format!("tiltyard.tickets.{}", inbox.as_str())
}

/// An exclusive queue of one connection of an instance. Its name is new in each session: the last session's queue may
/// still exist.
pub fn instance_queue(instance: &InstanceId, session: &str, purpose: &str) -> String {
    format!("tiltyard.instance.{instance}.{session}.{purpose}")
}

/// The key of the replies to an instance. The key of its commands is its name.
pub fn reply_key(instance: &str) -> String {
    format!("{instance}.replies")
}
