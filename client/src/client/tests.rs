//! Clients against a server of a few lines, over real sockets.

use std::future::Future;

use futures_util::{SinkExt, StreamExt};
use tiltyard_arena::Arena;
use tiltyard_shared::{
    frame::{Head, part_flags, write_view},
    game::{PlayerId, Tick},
    protocol::{ClientMessage, Code, Entered, Hello, Resync, ServerMessage, VERSION, codec},
    schema::Schema,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, accept_async,
    tungstenite::{Message, protocol::CloseFrame},
};
use uuid::Uuid;

use super::*;

mod entering;

struct Peer {
    socket: WebSocketStream<TcpStream>,
    request: u32,
    /// The hash of the schema that the client says it knows.
    known: Option<u64>,
    grace_ms: u32,
    room: Uuid,
}

impl Peer {
    async fn accept(listener: &TcpListener) -> Self {
        let socket = accept_async(listener.accept().await.unwrap().0).await.unwrap();
        Self { socket, request: 0, known: None, grace_ms: 30_000, room: Uuid::from_u128(1) }
    }

    /// What the client says, but for pings, which are answered.
    async fn read(&mut self) -> ClientMessage {
        loop {
            let Message::Binary(bytes) = self.socket.next().await.unwrap().unwrap() else { continue };
            match codec::decode_client(&bytes).unwrap() {
                ClientMessage::Ping { number } => self.say(ServerMessage::Pong { number, held_ms: 0 }).await,
                message => return message,
            }
        }
    }

    async fn say(&mut self, message: ServerMessage) {
        // Who is gone hears nothing.
        let _ = self.socket.send(Message::Binary(codec::encode_control(&message).into())).await;
    }

    async fn goodbye(&mut self, code: Code, frames: u64) {
        self.say(ServerMessage::Goodbye { code, message: String::new(), frames, retry_within_ms: 0 }).await;
    }

    /// Hears hello and the wish to enter, which it returns.
    async fn greet(&mut self) -> Target {
        let ClientMessage::Hello(Hello { protocol: VERSION, .. }) = self.read().await else { panic!("no hello") };
        self.say(welcome()).await;
        let ClientMessage::Enter(enter) = self.read().await else { panic!("no wish") };
        self.request = enter.request;
        self.known = enter.schema;
        enter.target
    }

    async fn refuse(&mut self, code: Code) {
        self.say(ServerMessage::refused(self.request, code)).await;
    }

    /// Hears all until the line closes.
    async fn rest(mut self) -> Vec<ClientMessage> {
        let mut rest = Vec::new();
        while let Some(Ok(message)) = self.socket.next().await {
            if let Message::Binary(bytes) = message {
                rest.push(codec::decode_client(&bytes).unwrap());
            }
        }
        rest
    }

    async fn seat(&mut self, epoch: u32, input: u32, schema_hash: u64) {
        self.seat_in("arena", epoch, input, schema_hash, None).await;
    }

    async fn seat_in(&mut self, game: &str, epoch: u32, input: u32, schema_hash: u64, schema: Option<String>) {
        let entered = Entered {
            room: self.room,
            game: game.to_owned(),
            player: PlayerId(1),
            token: Uuid::from_u128(2),
            tick_hz: 20,
            send_every: 1,
            input,
            epoch,
            schema_hash,
            request: self.request,
            tick: Tick(0),
            schema,
            code: String::new(),
            spectator: false,
            grace_ms: self.grace_ms,
            owner: 1,
            cut: None,
            protected: false,
        };
        self.say(ServerMessage::Entered(Box::new(entered))).await;
    }

    async fn frame(&mut self, epoch: u32, tick: u32, start: bool) {
        let mut bytes = Vec::new();
        Head { epoch, tick: Tick(tick), start, ..Head::default() }.write(&mut bytes);
        bytes.push(if start { part_flags::VIEW } else { 0 });
        if start {
            write_view(&mut bytes, &[]);
        }
        self.socket.send(Message::Binary(bytes.into())).await.unwrap();
    }
}

fn welcome() -> ServerMessage {
    ServerMessage::Welcome {
        protocol: VERSION,
        server: String::new(),
        games: vec![],
        capabilities: 0,
        identity: None,
        credential: None,
    }
}

fn schema() -> u64 {
    Schema::hash(&Schema::of::<Arena>().to_json())
}

async fn listen() -> (TcpListener, Options) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = Options::new(format!("ws://{}/ws", listener.local_addr().unwrap()));
    (listener, options)
}

#[tokio::test]
async fn a_client_comes_back_by_its_token_and_goes_on() {
    let (listener, options) = listen().await;
    let server = tokio::spawn(async move {
        let mut peer = Peer::accept(&listener).await;
        assert!(matches!(peer.greet().await, Target::Game(_)));
        peer.seat(1, 0, schema()).await;
        peer.frame(1, 5, true).await;
        let ClientMessage::Inputs { number: 1, .. } = peer.read().await else { panic!("no input") };
        drop(peer);
        let mut peer = Peer::accept(&listener).await;
        let Target::Resume(resume) = peer.greet().await else { panic!("no resume") };
        assert_eq!((resume.token, resume.first_input), (Uuid::from_u128(2), 1));
        assert_eq!(resume.resync, Resync { epoch: 2, applied: Some(Tick(5)), event: 0 });
        peer.seat(2, 0, schema()).await;
        peer.frame(2, 9, true).await;
        let ClientMessage::Inputs { number: 1, .. } = peer.read().await else { panic!("not sent again") };
        let ClientMessage::Report(_) = peer.read().await else { panic!("no report") };
        let ClientMessage::Leave = peer.read().await else { panic!("no leave") };
        peer.goodbye(Code::Left, 2).await;
        peer
    });
    let mut client = Client::<Arena>::enter(options, Target::Game("arena".to_owned())).await.unwrap();
    assert!(matches!(client.next().await.unwrap(), Event::Frame(_)));
    client.send(&Default::default()).unwrap();
    assert!(matches!(client.next().await.unwrap(), Event::Reconnecting { attempt: 1, .. }));
    assert_eq!(client.next().await.unwrap(), Event::Reconnected);
    let Event::Frame(frame) = client.next().await.unwrap() else { panic!() };
    assert_eq!((frame.tick, frame.start), (Tick(9), true));
    let soon = Instant::now() + Duration::from_millis(150);
    assert_eq!(client.next_before(soon).await.unwrap(), None);
    client.leave();
    assert!(matches!(client.next().await.unwrap(), Event::Goodbye { frames: 2, .. }));
    assert!(matches!(client.next().await, Err(Error::Over)));
    server.await.unwrap();
}

#[tokio::test]
async fn a_refusal_is_typed() {
    let (listener, options) = listen().await;
    tokio::spawn(async move {
        let mut peer = Peer::accept(&listener).await;
        peer.greet().await;
        peer.refuse(Code::RoomFull).await;
        peer
    });
    let refused = Client::<Arena>::enter(options, Target::Room(Uuid::nil())).await;
    assert!(matches!(refused, Err(Error::Refused { code: Code::RoomFull, .. })));
}

/// A server that gives a seat, shows a frame, and then does `then`; on the next line it gives the seat again.
async fn come_back<F: Future<Output = Peer>>(then: impl FnOnce(Peer) -> F) -> Client<Arena> {
    let (listener, options) = listen().await;
    let server = async {
        let mut peer = Peer::accept(&listener).await;
        peer.greet().await;
        peer.seat(1, 0, schema()).await;
        peer.frame(1, 5, true).await;
        let _gone = then(peer).await;
        let mut peer = Peer::accept(&listener).await;
        assert!(matches!(peer.greet().await, Target::Resume(_)));
        peer.seat(2, 0, schema()).await;
        peer
    };
    let play = async {
        let mut client = Client::<Arena>::enter(options, Target::Game("arena".to_owned())).await.unwrap();
        while client.next().await.unwrap() != Event::Reconnected {}
        client
    };
    tokio::join!(server, play).1
}

#[tokio::test]
async fn who_was_called_unresponsive_for_a_moment_or_thrown_out_by_a_server_that_stops_plays_on() {
    for code in [Code::Unresponsive, Code::Stopping, Code::Internal, Code::TooFast, Code::Unknown(300)] {
        let said = come_back(|mut peer| async move {
            peer.goodbye(code, 1).await;
            peer
        });
        assert_eq!(said.await.session().counts().reconnects, 1, "{code:?} said");
        let closed = come_back(|mut peer| async move {
            let frame = CloseFrame { code: code.close_code().into(), reason: "".into() };
            peer.socket.close(Some(frame)).await.unwrap();
            peer
        });
        assert_eq!(closed.await.session().counts().reconnects, 1, "{code:?} as close code");
    }
}

#[tokio::test]
async fn a_line_that_is_dead_but_open_is_left_within_six_seconds() {
    let start = Instant::now();
    // It neither reads nor closes.
    let client = come_back(|peer| async { peer }).await;
    assert_eq!(client.session().counts().reconnects, 1);
    let took = start.elapsed();
    assert!(took >= Duration::from_secs(3) && took <= Duration::from_millis(6500), "{took:?}");
}

#[tokio::test]
async fn whose_seat_was_taken_over_elsewhere_stays_out() {
    let (listener, options) = listen().await;
    let server = async {
        let mut peer = Peer::accept(&listener).await;
        peer.greet().await;
        peer.seat(1, 0, schema()).await;
        let frame = CloseFrame { code: Code::TakenOver.close_code().into(), reason: "".into() };
        peer.socket.close(Some(frame)).await.unwrap();
    };
    let (client, ()) = tokio::join!(Client::<Arena>::enter(options, Target::Game("arena".to_owned())), server);
    let mut client = client.unwrap();
    let refused = client.next().await;
    assert!(matches!(refused, Err(Error::Refused { code: Code::TakenOver, .. })), "{refused:?}");
    client.retry();
    assert!(matches!(client.next().await, Err(Error::Over)));
}

#[tokio::test]
async fn a_server_that_is_full_for_now_is_asked_again() {
    let (listener, options) = listen().await;
    let server = async {
        for _ in 0..2 {
            let mut peer = Peer::accept(&listener).await;
            peer.greet().await;
            peer.refuse(Code::ServerFull).await;
        }
        let mut peer = Peer::accept(&listener).await;
        peer.greet().await;
        peer.seat(1, 0, schema()).await;
        peer
    };
    let (client, _peer) = tokio::join!(Client::<Arena>::enter(options, Target::Game("arena".to_owned())), server);
    client.unwrap();

    let (listener, mut options) = listen().await;
    options.patience = Duration::ZERO;
    let full = async {
        let mut peer = Peer::accept(&listener).await;
        peer.greet().await;
        peer.refuse(Code::ServerFull).await;
        peer
    };
    let (refused, _peer) = tokio::join!(Client::<Arena>::enter(options, Target::Game("arena".to_owned())), full);
    assert!(matches!(refused, Err(Error::Refused { code: Code::ServerFull, .. })), "who has no patience is told why");
}

#[tokio::test]
async fn who_stops_waiting_for_a_seat_gives_it_up() {
    let (listener, options) = listen().await;
    let mut enter = Box::pin(Client::<Arena>::enter(options, Target::Game("arena".to_owned())));
    let server = async {
        let mut peer = Peer::accept(&listener).await;
        peer.greet().await;
        peer
    };
    let peer = tokio::select! {
        peer = server => peer,
        _ = &mut enter => panic!("nobody gave a seat"),
    };
    drop(enter);
    assert_eq!(peer.rest().await.last(), Some(&ClientMessage::Leave), "or a ghost would stand there");
}

#[tokio::test]
async fn a_hello_says_what_the_client_understands_and_who_it_is_each_time() {
    let (listener, options) = listen().await;
    let mut keys = Vec::new();
    let server = async {
        for epoch in 1..=2 {
            let mut peer = Peer::accept(&listener).await;
            let ClientMessage::Hello(hello) = peer.read().await else { panic!("no hello") };
            assert_eq!(hello.capabilities, 1 | 2 | 4 | 8 | 16);
            assert_eq!(hello.credential.as_deref(), Some(&b"ticket"[..]));
            keys.push(hello.client_key);
            peer.say(welcome()).await;
            let ClientMessage::Enter(enter) = peer.read().await else { panic!("no wish") };
            peer.request = enter.request;
            peer.seat(epoch, 0, schema()).await;
        }
    };
    let options = Options { credential: Some(b"ticket".to_vec()), ..options };
    let play = async {
        let mut client = Client::<Arena>::enter(options, Target::Game("arena".to_owned())).await.unwrap();
        while client.next().await.unwrap() != Event::Reconnected {}
    };
    tokio::join!(server, play);
    assert!(keys[0] == keys[1] && keys[0] != [0; 16], "{keys:?}");
    assert_ne!(Options::new("").client_key, Options::new("").client_key);
}

#[tokio::test]
async fn a_client_gives_up_when_nobody_is_there_for_as_long_as_the_seat_is_kept() {
    let (listener, options) = listen().await;
    let accepted = async {
        let mut peer = Peer::accept(&listener).await;
        peer.greet().await;
        peer.grace_ms = 500;
        peer.seat(1, 0, schema()).await;
        peer
    };
    let (client, peer) = tokio::join!(Client::<Arena>::enter(options, Target::Game("arena".to_owned())), accepted);
    let mut client = client.unwrap();
    drop((peer, listener));
    let start = Instant::now();
    let mut attempts = 0;
    let gone = loop {
        match client.next().await {
            Ok(Event::Reconnecting { attempt, .. }) => {
                assert_eq!(attempt, attempts + 1);
                attempts = attempt;
            }
            other => break other,
        }
    };
    assert!(matches!(gone, Err(Error::Line(_))), "{gone:?}");
    assert!(attempts >= 2 && start.elapsed() >= Duration::from_millis(450), "{attempts} in {:?}", start.elapsed());
    assert!(matches!(client.next().await, Err(Error::Over)));
    client.retry();
    assert!(matches!(client.next().await, Ok(Event::Reconnecting { .. })), "by hand it is tried again");
}

#[tokio::test]
async fn a_bad_address_is_not_tried_twice() {
    let bad = Client::<Arena>::enter(Options::new("http://nowhere"), Target::Game("arena".to_owned())).await;
    assert!(matches!(bad, Err(Error::Address(_))), "{bad:?}");
}
