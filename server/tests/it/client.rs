//! A client by the letter of the protocol, with nothing that helps it.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use tiltyard_shared::{
    game::{PlayerId, Tick},
    protocol::{
        CONTROL, ClientMessage, Code, Enter, Entered, FRAME, Hello, Report, Resume, Resync, ServerMessage, Target,
        VERSION, capabilities, codec,
        lobby::{Browse, RoomCode, RoomEntry, RoomList},
    },
    replica::{Applied, Replica},
    schema::Schema,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};
use uuid::Uuid;

use crate::game::{Figure, Pull};

/// Everything that a test waits for comes long before; it only keeps a failing test from hanging.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection whose writes can be made to vanish, as those of a peer whose line is cut.
pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
    pub(crate) mute: bool,
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.mute { Poll::Ready(Ok(bytes.len())) } else { Pin::new(&mut self.stream).poll_write(cx, bytes) }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// What a client was told of its seat.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seat {
    pub(crate) room: Uuid,
    pub(crate) token: Uuid,
    pub(crate) player: PlayerId,
    pub(crate) input: u32,
    pub(crate) epoch: u32,
    pub(crate) spectator: bool,
    pub(crate) code: RoomCode,
}

impl Seat {
    /// How to take it over from there.
    pub(crate) fn resume(&self, resync: Resync) -> Target {
        let (room, token) = (self.room, self.token);
        Target::Resume(Resume { room, token, resync, owner: 1, first_input: 1, groups: Vec::new() })
    }
}

pub(crate) struct Client {
    pub(crate) stream: WebSocketStream<Wire>,
    /// What the lobby said.
    pub(crate) list: RoomList,
    /// Who is visible in the channel of which it was told last.
    pub(crate) present: Vec<String>,
    /// What the frames said, once in a room.
    pub(crate) replica: Option<Replica>,
    /// Frames received on this connection.
    pub(crate) frames: u64,
    /// Pings answered.
    pub(crate) pings: u32,
    /// Inputs refused.
    refused: Vec<(u32, Code)>,
    /// The result of the match, once it is told.
    pub(crate) result: Option<String>,
    inputs: u32,
}

impl Client {
    /// A connection after its handshake.
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let wire = Wire { stream, mute: false };
        let (stream, _) = patiently(client_async(format!("ws://{addr}/ws"), wire)).await.unwrap();
        Self {
            stream,
            list: RoomList::default(),
            present: Vec::new(),
            replica: None,
            frames: 0,
            pings: 0,
            refused: Vec::new(),
            result: None,
            inputs: 0,
        }
    }

    /// A connection that has been welcomed.
    pub(crate) async fn welcome(addr: SocketAddr) -> Self {
        let mut client = Self::connect(addr).await;
        client
            .say(&ClientMessage::Hello(Hello {
                protocol: VERSION,
                client: "test".to_owned(),
                capabilities: capabilities::RESULT,
                ..Hello::default()
            }))
            .await;
        assert!(matches!(client.control().await, ServerMessage::Welcome { protocol: VERSION, .. }));
        client
    }

    /// A connection that has a seat.
    pub(crate) async fn seated(addr: SocketAddr, target: Target) -> (Self, Seat) {
        let mut client = Self::welcome(addr).await;
        let seat = client.enter(target).await.unwrap();
        (client, seat)
    }

    pub(crate) async fn say(&mut self, message: &ClientMessage) {
        self.send(Message::Binary(codec::encode(message).into())).await;
    }

    pub(crate) async fn send(&mut self, message: Message) {
        patiently(self.stream.send(message)).await.unwrap();
    }

    /// Begins to look at a page of the list, and waits for it.
    pub(crate) async fn browse(&mut self, browse: Browse) -> Result<(), Code> {
        self.say(&ClientMessage::Browse { request: 2, browse: Some(browse) }).await;
        loop {
            match self.control().await {
                ServerMessage::Refused { code, .. } => return Err(code),
                message => {
                    let whole = matches!(message, ServerMessage::Rooms { .. });
                    assert!(self.list.apply(message));
                    if whole {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Takes what the lobby says until its list is so.
    pub(crate) async fn until_list(&mut self, mut is_so: impl FnMut(&[RoomEntry]) -> bool) {
        while !is_so(&self.list.rooms().cloned().collect::<Vec<_>>()) {
            let message = self.control().await;
            assert!(self.list.apply(message));
        }
    }

    /// Wishes for a seat.
    pub(crate) async fn enter(&mut self, target: Target) -> Result<Seat, Code> {
        self.enter_as(target, false).await
    }

    /// Wishes to watch.
    pub(crate) async fn watch(&mut self, target: Target) -> Result<Seat, Code> {
        self.enter_as(target, true).await
    }

    /// Wishes for a seat, and leaves the answer for later.
    pub(crate) async fn wish(&mut self, target: Target) {
        self.wish_as(target, false).await;
    }

    async fn wish_as(&mut self, target: Target, spectate: bool) {
        let name = "Ann".to_owned();
        self.say(&ClientMessage::Enter(Enter { request: 1, target, name, schema: None, verify: true, spectate })).await;
    }

    async fn enter_as(&mut self, target: Target, spectate: bool) -> Result<Seat, Code> {
        self.wish_as(target, spectate).await;
        let mut answer = self.control().await;
        // Who browses may be told of rooms until the seat is there.
        while matches!(answer, ServerMessage::Rooms { .. } | ServerMessage::RoomsChanged { .. }) {
            answer = self.control().await;
        }
        match answer {
            ServerMessage::Entered(entered) => {
                let Entered { room, token, player, input, epoch, schema, schema_hash, code, spectator, .. } = *entered;
                let json = schema.expect("it was not known");
                assert_eq!(Schema::hash(&json), schema_hash);
                let schema: Schema = serde_json::from_str(&json).unwrap();
                self.replica = Some(Replica::new(&schema.entity, epoch));
                self.inputs = input;
                Ok(Seat { room, token, player, input, epoch, spectator, code: code.parse().unwrap() })
            }
            ServerMessage::Refused { code, message, .. } => {
                assert_eq!(message, code.to_string());
                Err(code)
            }
            other => panic!("{other:?}"),
        }
    }

    /// Comes back with a token.
    pub(crate) async fn resumed(addr: SocketAddr, seat: &Seat) -> Result<(Self, Seat), Code> {
        let mut client = Self::welcome(addr).await;
        let resync = Resync { epoch: seat.epoch + 1, applied: None, event: 0 };
        let seat = client.enter(seat.resume(resync)).await?;
        Ok((client, seat))
    }

    /// Pulls as soon as may be.
    pub(crate) async fn pull(&mut self, pull: &Pull) {
        self.inputs += 1;
        let (number, report) = (self.inputs, Report::default());
        if let Some(replica) = &mut self.replica {
            replica.sent_input(number);
        }
        self.say(&ClientMessage::input(number, report, self.tick(), codec::encode(pull))).await;
    }

    /// The tick of the last frame.
    fn tick(&self) -> Tick {
        self.replica.as_ref().and_then(Replica::tick).unwrap_or(Tick(0))
    }

    /// The next control message; frames before it are applied.
    pub(crate) async fn control(&mut self) -> ServerMessage {
        loop {
            if let Some(message) = self.read().await {
                return message;
            }
        }
    }

    /// Reads frames until one refuses an input.
    pub(crate) async fn until_refusal(&mut self) -> (u32, Code) {
        while self.refused.is_empty() {
            assert_eq!(self.read().await, None);
        }
        self.refused.remove(0)
    }

    /// Reads until so many pings have been answered.
    pub(crate) async fn until_pings(&mut self, pings: u32) {
        while self.pings < pings {
            assert_eq!(self.read().await, None);
        }
    }

    /// Reads frames until the player's figure stands so.
    pub(crate) async fn until_place(&mut self, player: PlayerId, place: i32) {
        while self.figure(player).is_none_or(|figure| figure.place != place) {
            assert_eq!(self.read().await, None);
        }
    }

    /// Reads frames until the player's figure is there.
    pub(crate) async fn until_figure(&mut self, player: PlayerId) -> Figure {
        loop {
            if let Some(figure) = self.figure(player) {
                return figure;
            }
            assert_eq!(self.read().await, None);
        }
    }

    pub(crate) fn figure(&self, player: PlayerId) -> Option<Figure> {
        let mut shown = self.replica.as_ref()?.shown();
        shown.find_map(|shown| shown.restore::<Figure>().filter(|figure| figure.owner == player))
    }

    /// Reads to the end: the goodbye's code and frames. The close code must be the same, and so many frames have come.
    pub(crate) async fn goodbye(&mut self) -> (Code, u64) {
        let mut last = self.control().await;
        if let ServerMessage::Result { result } = last {
            self.result = Some(result);
            last = self.control().await;
        }
        let (code, frames) = match last {
            ServerMessage::Goodbye { code, message, frames, .. } => {
                assert_eq!(message, code.to_string());
                (code, frames)
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(self.close_code().await, Some(code.close_code()));
        (code, frames)
    }

    /// The close code of a connection of which only its end is to come.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        let mut close_code = None;
        while let Some(message) = patiently(self.stream.next()).await {
            match message {
                Ok(Message::Close(frame)) => close_code = frame.map(|frame| frame.code.into()),
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                other => panic!("{other:?}"),
            }
        }
        close_code
    }

    /// Reads one message: a control message is returned, a frame applied and reported, a ping answered.
    async fn read(&mut self) -> Option<ServerMessage> {
        loop {
            let bytes = match patiently(self.stream.next()).await {
                Some(Ok(Message::Binary(bytes))) => bytes,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                other => panic!("{other:?}"),
            };
            match bytes[0] {
                CONTROL => match codec::decode(&bytes[1..]).unwrap() {
                    ServerMessage::Ping { number } => {
                        self.pings += 1;
                        let pong = ClientMessage::Pong { number, held_ms: 0 };
                        let _ = self.stream.send(Message::Binary(codec::encode(&pong).into())).await;
                        return None;
                    }
                    message => return Some(message),
                },
                FRAME => {
                    let replica = self.replica.as_mut().expect("frames come after the seat");
                    if let Applied::Frame(head) = replica.apply(&bytes).unwrap() {
                        self.refused.extend(head.refused);
                    }
                    self.frames += 1;
                    let report = ClientMessage::Report(replica.report());
                    // A server that has said goodbye reads no reports.
                    let _ = self.stream.send(Message::Binary(codec::encode(&report).into())).await;
                    return None;
                }
                other => panic!("message of kind {other}"),
            }
        }
    }
}

async fn patiently<T>(work: impl Future<Output = T>) -> T {
    timeout(PATIENCE, work).await.expect("it takes too long")
}
