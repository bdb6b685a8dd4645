//! A connection that speaks the protocol, and a host who keeps a room busy over one.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use tiltyard_shared::{
    game::{Rng, Tick},
    protocol::{
        CONTROL, ClientMessage, Enter, Hello, Report, ServerMessage, Target, VERSION, codec, lobby::RoomOptions,
    },
};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};
use uuid::Uuid;

use crate::shed::Work;

/// A connection.
pub(crate) struct Line(WebSocketStream<TcpStream>);

impl Line {
    /// One that has been welcomed.
    pub(crate) async fn welcome(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        let (stream, _) = client_async(format!("ws://{addr}/ws"), stream).await.unwrap();
        let mut line = Self(stream);
        line.say(&ClientMessage::Hello(Hello {
            protocol: VERSION,
            client: "lobby test".to_owned(),
            ..Hello::default()
        }))
        .await;
        assert!(matches!(line.next().await, Some((ServerMessage::Welcome { .. }, _))));
        line
    }

    pub(crate) async fn say(&mut self, message: &ClientMessage) {
        self.0.send(Message::Binary(codec::encode(message).into())).await.unwrap();
    }

    /// The next control message and its size; frames are passed over. `None` after the end.
    pub(crate) async fn next(&mut self) -> Option<(ServerMessage, usize)> {
        while let Some(Ok(message)) = self.0.next().await {
            if let Message::Binary(bytes) = message
                && bytes.first() == Some(&CONTROL)
            {
                match codec::decode(&bytes[1..]).unwrap() {
                    ServerMessage::Ping { number } => self.say(&ClientMessage::Pong { number, held_ms: 0 }).await,
                    message => return Some((message, bytes.len())),
                }
            }
        }
        None
    }

    async fn enter(&mut self, target: Target) -> Result<Uuid, ServerMessage> {
        let (name, verify, spectate) = (String::new(), false, false);
        self.say(&ClientMessage::Enter(Enter { request: 1, target, name, schema: None, verify, spectate })).await;
        match self.next().await.unwrap().0 {
            ServerMessage::Entered(entered) => Ok(entered.room),
            other => Err(other),
        }
    }
}

/// Who has opened a room and keeps it busy.
pub(crate) struct Host {
    addr: SocketAddr,
    line: Line,
    room: Uuid,
    inputs: u32,
    locked: bool,
    guest: Option<Line>,
}

impl Host {
    pub(crate) async fn open(addr: SocketAddr, game: &str, title: &str) -> Self {
        let mut line = Line::welcome(addr).await;
        let options = RoomOptions { title: title.to_owned(), private: false };
        let room = line.enter(Target::Create { game: game.to_owned(), config: None, options }).await.unwrap();
        Self { addr, line, room, inputs: 0, locked: false, guest: None }
    }

    /// Changes something that the lobby shows.
    pub(crate) async fn change(&mut self, rng: &mut Rng) {
        match rng.below(4) {
            0 => {
                self.locked = !self.locked;
                self.work(&Work::Lock(self.locked)).await;
            }
            1 if self.guest.is_none() => {
                let mut guest = Line::welcome(self.addr).await;
                // It may be locked.
                self.guest = guest.enter(Target::Room(self.room)).await.is_ok().then_some(guest);
            }
            1 => {
                let mut guest = self.guest.take().unwrap();
                guest.say(&ClientMessage::Leave).await;
                while guest.next().await.is_some() {}
            }
            _ => {
                let told = format!("{{\"map\":\"map {}\",\"round\":{}}}", rng.below(12), rng.below(1000));
                self.work(&Work::Tell(told)).await;
            }
        }
    }

    async fn work(&mut self, work: &Work) {
        self.inputs += 1;
        let (number, report, payload) = (self.inputs, Report::default(), codec::encode(work));
        self.line.say(&ClientMessage::input(number, report, Tick(0), payload)).await;
    }

    /// Answers pings for so long.
    pub(crate) async fn stay_for(&mut self, length: Duration) {
        let _ = timeout(length, self.stay()).await;
    }

    /// Answers pings for ever.
    pub(crate) async fn stay(&mut self) {
        let guest = async {
            match &mut self.guest {
                Some(guest) => drop(guest.next().await),
                None => std::future::pending().await,
            }
        };
        let (said, ()) = tokio::join!(self.line.next(), guest);
        panic!("the room has closed: {said:?}");
    }

    /// Closes the room.
    pub(crate) async fn close(mut self) {
        self.work(&Work::End).await;
        while self.line.next().await.is_some() {}
    }
}
