//! What a test of a fleet stands on: instances that share a bus of either kind.

use std::{
    env,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tiltyard_server::{
    Config, Games, Server,
    bus::{InstanceId, memory::Hub},
};
use tiltyard_shared::protocol::{ClientMessage, Enter, ServerMessage, Target, lobby::RoomOptions};
use tokio::{
    sync::{Mutex, MutexGuard},
    time::{sleep, timeout},
};
use uuid::Uuid;

use crate::{
    client::Client,
    fleet::later::later,
    game::{Puppet, config},
    http::get,
};

/// Longer than anything takes that is to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A fleet. Over RabbitMQ there is one at a time, for all instances of a broker are one fleet.
pub(crate) struct Ground {
    kind: Kind,
    _turn: MutexGuard<'static, ()>,
}

enum Kind {
    Memory(Hub),
    /// In memory too; every second instance is of the next version.
    TwoVersions(Hub, AtomicU32),
    RabbitMq(String),
}

impl Ground {
    pub(crate) async fn memory() -> Self {
        Self { kind: Kind::Memory(Hub::default()), _turn: turn().await }
    }

    pub(crate) async fn two_versions() -> Self {
        Self { kind: Kind::TwoVersions(Hub::default(), AtomicU32::new(0)), _turn: turn().await }
    }

    pub(crate) async fn rabbitmq() -> Self {
        Self { kind: Kind::RabbitMq(broker("AMQP_URL")), _turn: turn().await }
    }

    /// The bus inside the process.
    pub(crate) fn hub(&self) -> &Hub {
        match &self.kind {
            Kind::Memory(hub) | Kind::TwoVersions(hub, _) => hub,
            Kind::RabbitMq(_) => panic!("this is not in memory"),
        }
    }

    /// The broker's URL.
    pub(crate) fn url(&self) -> &str {
        match &self.kind {
            Kind::Memory(_) | Kind::TwoVersions(..) => panic!("this is in memory"),
            Kind::RabbitMq(url) => url,
        }
    }

    /// An instance that offers the puppet.
    pub(crate) async fn start(&self, name: &str, change: impl FnOnce(&mut Config)) -> Server {
        let mut config = config();
        let id = InstanceId::new(&format!("{name}-{}", &Uuid::new_v4().simple().to_string()[..6])).unwrap();
        config.instance = Some(id);
        change(&mut config);
        let games = Games::new().with::<Puppet>();
        match &self.kind {
            Kind::Memory(hub) => Server::start_on(&config, games, id, hub.join(id)).await.unwrap(),
            Kind::TwoVersions(hub, started) => {
                let is_later = started.fetch_add(1, Ordering::Relaxed) % 2 == 1;
                let link = if is_later { later(hub.join(id)) } else { hub.join(id) };
                Server::start_on(&config, games, id, link).await.unwrap()
            }
            Kind::RabbitMq(url) => {
                config.amqp_url = Some(url.clone().into());
                config.bus_required = true;
                Server::start(&config, games).await.unwrap()
            }
        }
    }

    /// Instances that know one another.
    pub(crate) async fn start_all<const N: usize>(&self, names: [&str; N]) -> Vec<Server> {
        let mut servers = Vec::new();
        for name in names {
            servers.push(self.start(name, |_| {}).await);
        }
        for server in &servers {
            until_fleet_of(server, N).await;
        }
        servers
    }
}

pub(crate) async fn turn() -> MutexGuard<'static, ()> {
    static TURN: OnceLock<Mutex<()>> = OnceLock::new();
    TURN.get_or_init(Mutex::default).lock().await
}

/// What the environment of a test that needs a broker says of it.
pub(crate) fn broker(variable: &str) -> String {
    let value = env::var(variable).ok().filter(|value| !value.is_empty());
    value.unwrap_or_else(|| panic!("{variable} is not set: rabbitmq/with-broker sets it, with a broker of its own"))
}

/// Waits for something, but not for ever.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it should have happened by now")
}

/// Waits until something is so.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let waiting = async {
        while !is_so().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("it takes too long until {what}"));
}

/// Waits until a server knows of so many instances.
pub(crate) async fn until_fleet_of(server: &Server, count: usize) {
    until(&format!("{count} instances"), async || server.instances() == count).await;
}

/// How many rooms a server lists.
pub(crate) async fn listed(server: &Server) -> usize {
    let (_, list) = get(server.listen_addr(), "/api/rooms").await;
    list["total"].as_u64().unwrap() as usize
}

/// Waits until a server lists so many rooms.
pub(crate) async fn until_listed(server: &Server, count: usize) {
    until(&format!("{count} rooms"), async || listed(server).await == count).await;
}

/// A new room of the puppet.
pub(crate) fn room(title: &str, private: bool) -> Target {
    let options = RoomOptions { title: title.to_owned(), private };
    Target::Create { game: "puppet".to_owned(), config: None, options }
}

/// What a server says to a wish.
pub(crate) async fn wish(client: &mut Client, target: Target, spectate: bool) -> ServerMessage {
    let name = "Ann".to_owned();
    client.say(&ClientMessage::Enter(Enter { request: 1, target, name, schema: None, verify: true, spectate })).await;
    client.control().await
}

/// The redirect that a server answers a wish with.
pub(crate) async fn redirected(server: &Server, target: Target, spectate: bool) -> (String, Vec<u8>) {
    let mut client = Client::welcome(server.listen_addr()).await;
    match wish(&mut client, target, spectate).await {
        ServerMessage::Redirect { url, pass, .. } => (url, pass),
        other => panic!("{other:?}"),
    }
}

/// Where a server's WebSocket is.
pub(crate) fn url(server: &Server) -> String {
    format!("ws://{}/ws", server.listen_addr())
}

/// Runs a test on both kinds of bus, and in a fleet of two versions.
#[macro_export]
macro_rules! on_both {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {
        mod in_memory {
            use $crate::fleet::ground::Ground;
            $(#[tokio::test] $(#[$meta])* async fn $name() {
                super::$name(&Ground::memory().await).await;
            })+
        }
        mod of_two_versions {
            use $crate::fleet::ground::Ground;
            $(#[tokio::test] $(#[$meta])* async fn $name() {
                let ground = Ground::two_versions().await;
                super::$name(&ground).await;
                assert_eq!(ground.hub().dead_letters(), []);
            })+
        }
        mod over_rabbitmq {
            use $crate::fleet::ground::Ground;
            $(#[tokio::test] $(#[$meta])*
            #[ignore = "needs a broker: make test-broker"]
            async fn $name() {
                super::$name(&Ground::rabbitmq().await).await;
            })+
        }
    };
}
