//! Clients against a server of a few lines, over real sockets.

use futures_util::{SinkExt, StreamExt};
use tiltyard_arena::Arena;
use tiltyard_shared::{
    frame::{Head, part_flags, write_view},
    game::{PlayerId, Tick},
    protocol::{ClientMessage, Entered, Hello, Resync, ServerMessage, VERSION, codec},
    schema::Schema,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};
use uuid::Uuid;

use super::*;

struct Peer(WebSocketStream<TcpStream>);

impl Peer {
    async fn accept(listener: &TcpListener) -> Self {
        Self(accept_async(listener.accept().await.unwrap().0).await.unwrap())
    }

    /// What the client says beside its pings.
    async fn read(&mut self) -> ClientMessage {
        loop {
            let Message::Binary(bytes) = self.0.next().await.unwrap().unwrap() else { continue };
            let message = codec::decode_client(&bytes).unwrap();
            if !matches!(message, ClientMessage::Ping { .. }) {
                return message;
            }
        }
    }

    async fn say(&mut self, message: ServerMessage) {
        self.0.send(Message::Binary(codec::encode_control(&message).into())).await.unwrap();
    }

    /// Hears hello and the wish to enter, which it returns.
    async fn greet(&mut self) -> Target {
        let ClientMessage::Hello(Hello { protocol: VERSION, .. }) = self.read().await else { panic!("no hello") };
        self.say(welcome()).await;
        let ClientMessage::Enter(enter) = self.read().await else { panic!("no wish") };
        enter.target
    }

    async fn seat(&mut self, epoch: u32, input: u32, schema_hash: u64) {
        let entered = Entered {
            room: Uuid::from_u128(1),
            game: "arena".to_owned(),
            player: PlayerId(1),
            token: Uuid::from_u128(2),
            tick_hz: 20,
            send_every: 1,
            input,
            epoch,
            schema_hash,
            request: 1,
            tick: Tick(0),
            schema: None,
            code: String::new(),
            spectator: false,
            grace_ms: 30_000,
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
        self.0.send(Message::Binary(bytes.into())).await.unwrap();
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
        peer.say(ServerMessage::Goodbye { code: Code::Left, message: String::new(), frames: 2, retry_within_ms: 0 })
            .await;
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
        peer.say(ServerMessage::refused(1, Code::RoomFull)).await;
        peer
    });
    let refused = Client::<Arena>::enter(options, Target::Room(Uuid::nil())).await;
    assert!(matches!(refused, Err(Error::Refused { code: Code::RoomFull, .. })));
}

/// With a pass the client shows it there; without one it says its wish there once more.
#[tokio::test]
async fn a_client_goes_where_it_is_sent() {
    let ((first, options), (second, there)) = (listen().await, listen().await);
    let server = tokio::spawn(async move {
        let redirect =
            |pass: &[u8]| ServerMessage::Redirect { request: 1, url: there.url.clone(), pass: pass.to_vec() };
        let mut peer = Peer::accept(&first).await;
        assert!(matches!(peer.greet().await, Target::Game(_)));
        peer.say(redirect(b"")).await;
        let mut peer = Peer::accept(&second).await;
        assert!(matches!(peer.greet().await, Target::Game(_)));
        peer.say(redirect(b"pass")).await;
        let mut peer = Peer::accept(&second).await;
        assert_eq!(peer.greet().await, Target::Pass(b"pass".to_vec()));
        peer.seat(1, 0, schema()).await;
        peer
    });
    Client::<Arena>::enter(options, Target::Game("arena".to_owned())).await.unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn a_seat_elsewhere_is_resumed_there_and_then_where_the_client_came_in() {
    let ((first, mut options), (second, there)) = (listen().await, listen().await);
    options.backoff = Backoff { first: Duration::from_millis(1), ..Backoff::default() };
    let server = tokio::spawn(async move {
        let mut peer = Peer::accept(&first).await;
        assert!(matches!(peer.greet().await, Target::Game(_)));
        peer.say(ServerMessage::Redirect { request: 1, url: there.url, pass: vec![1] }).await;
        let mut peer = Peer::accept(&second).await;
        assert_eq!(peer.greet().await, Target::Pass(vec![1]));
        peer.seat(1, 0, schema()).await;
        drop(peer);
        let mut peer = Peer::accept(&second).await;
        assert!(matches!(peer.greet().await, Target::Resume { .. }), "there, without asking at the first");
        peer.seat(2, 0, schema()).await;
        drop((peer, second));
        let mut peer = Peer::accept(&first).await;
        assert!(matches!(peer.greet().await, Target::Resume { .. }), "nobody is there any more");
        peer.seat(3, 0, schema()).await;
        peer
    });
    let mut client = Client::<Arena>::enter(options, Target::Game("arena".to_owned())).await.unwrap();
    let mut reconnected = 0;
    while reconnected < 2 {
        reconnected += usize::from(client.next().await.unwrap() == Event::Reconnected);
    }
    server.await.unwrap();
}

#[tokio::test]
async fn a_game_with_other_types_is_told_apart() {
    let (listener, options) = listen().await;
    tokio::spawn(async move {
        let mut peer = Peer::accept(&listener).await;
        peer.greet().await;
        peer.seat(1, 0, 7).await;
        peer
    });
    let refused = Client::<Arena>::enter(options, Target::Game("arena".to_owned())).await;
    assert!(matches!(refused, Err(Error::OtherSchema { theirs: 7, .. })));
}

#[tokio::test]
async fn a_client_gives_up_when_nobody_is_there() {
    let (listener, mut options) = listen().await;
    options.backoff = Backoff { first: Duration::from_millis(1), attempts: 3, ..Backoff::default() };
    let accepted = async {
        let mut peer = Peer::accept(&listener).await;
        peer.greet().await;
        peer.seat(1, 0, schema()).await;
        peer
    };
    let (client, peer) = tokio::join!(Client::<Arena>::enter(options, Target::Game("arena".to_owned())), accepted);
    let mut client = client.unwrap();
    drop((peer, listener));
    for attempt in 1..=3 {
        assert!(matches!(client.next().await.unwrap(), Event::Reconnecting { attempt: n, .. } if n == attempt));
    }
    assert!(matches!(client.next().await, Err(Error::Line(_))));
    let bad = Client::<Arena>::enter(Options::new("http://nowhere"), Target::Game("arena".to_owned())).await;
    assert!(matches!(bad, Err(Error::Address(_))), "{bad:?}");
}
