//! Searches against a server of a few lines, over real sockets.

use futures_util::{SinkExt, StreamExt};
use tiltyard_shared::protocol::{VERSION, codec};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};

use super::*;

struct Home {
    listener: TcpListener,
    options: Options,
}

struct Peer(WebSocketStream<TcpStream>);

impl Home {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let options = Options::new(format!("ws://{}/ws", listener.local_addr().unwrap()));
        Self { listener, options }
    }

    /// Somebody comes and says hello.
    async fn welcome(&self) -> Peer {
        let mut peer = Peer(accept_async(self.listener.accept().await.unwrap().0).await.unwrap());
        let ClientMessage::Hello(_) = peer.read().await.unwrap() else { panic!("no hello") };
        let (server, games) = (String::new(), vec![]);
        let welcome = ServerMessage::Welcome {
            protocol: VERSION,
            server,
            games,
            capabilities: 0,
            identity: None,
            credential: None,
        };
        peer.say(welcome).await;
        peer
    }

    /// Somebody comes and searches.
    async fn search(&self) -> Peer {
        let mut peer = self.welcome().await;
        let said = peer.read().await;
        assert!(matches!(&said, Some(ClientMessage::Search { search, .. }) if *search == wish()), "{said:?}");
        peer
    }
}

impl Peer {
    /// What the client says, but for pings; `None` when the line has closed.
    async fn read(&mut self) -> Option<ClientMessage> {
        while let Some(Ok(message)) = self.0.next().await {
            let Message::Binary(bytes) = message else { continue };
            match codec::decode_client(&bytes).unwrap() {
                ClientMessage::Ping { number } => self.say(ServerMessage::Pong { number, held_ms: 0 }).await,
                message => return Some(message),
            }
        }
        None
    }

    async fn say(&mut self, message: ServerMessage) {
        // Who is gone hears nothing.
        let _ = self.0.send(Message::Binary(codec::encode_control(&message).into())).await;
    }

    async fn state(&mut self, state: SearchState) {
        self.say(ServerMessage::Search(state)).await;
    }
}

fn wish() -> Search {
    Search { game: "pong".to_owned(), mode: "duel".to_owned(), rating: 1500, party: None }
}

const SEARCHING: SearchState = SearchState::Searching { waited_ms: 0 };

fn joining() -> SearchState {
    SearchState::Joining { id: Uuid::from_u128(7), url: String::new(), pass: vec![1] }
}

#[tokio::test]
async fn a_search_that_is_cut_is_told_and_begins_anew_by_itself() {
    let home = Home::new().await;
    let mut searching = Searching::start(&home.options, wish());
    let server = async {
        let mut peer = home.search().await;
        peer.state(SEARCHING).await;
        drop(peer);
        let mut peer = home.search().await;
        peer.state(SearchState::Searching { waited_ms: 3 }).await;
        peer
    };
    let client = async {
        assert_eq!(searching.next().await.unwrap(), Progress::State(SEARCHING));
        let cut = searching.next().await.unwrap();
        assert!(matches!(cut, Progress::Reconnecting { attempt: 1, code: None, .. }), "{cut:?}");
        searching.next().await.unwrap()
    };
    let (_peer, found) = tokio::join!(server, client);
    assert_eq!(found, Progress::State(SearchState::Searching { waited_ms: 3 }));
}

#[tokio::test]
async fn a_server_that_ends_a_search_for_now_is_asked_again_and_a_final_end_is_one() {
    let home = Home::new().await;
    let mut searching = Searching::start(&home.options, wish());
    let server = async {
        let mut peer = home.search().await;
        peer.state(SearchState::Ended { code: Code::ServerFull, retry_after_ms: Some(300) }).await;
        let mut peer = home.search().await;
        peer.state(SearchState::ended(Code::Cancelled)).await;
        peer
    };
    let client = async {
        let full = searching.next().await.unwrap();
        let Progress::Reconnecting { wait, code: Some(Code::ServerFull), .. } = full else { panic!("{full:?}") };
        assert!(wait >= Duration::from_millis(299), "{wait:?}");
        assert_eq!(searching.next().await.unwrap(), Progress::State(SearchState::ended(Code::Cancelled)));
        assert!(matches!(searching.next().await, Err(Error::Over)));
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn nothing_is_searched_for_while_a_seat_is_taken_until_that_has_failed() {
    let home = Home::new().await;
    let mut searching = Searching::start(&home.options, wish());
    let (heard, hears) = tokio::sync::oneshot::channel();
    let server = async {
        let mut peer = home.search().await;
        peer.state(joining()).await;
        drop(peer);
        let mut peer = home.welcome().await;
        heard.send(()).unwrap();
        let said = peer.read().await;
        assert!(matches!(said, Some(ClientMessage::Search { .. })), "{said:?}");
        peer.state(SEARCHING).await;
        peer
    };
    let client = async {
        assert_eq!(searching.next().await.unwrap(), Progress::State(joining()));
        assert!(matches!(searching.next().await.unwrap(), Progress::Reconnecting { .. }));
        tokio::select! {
            progress = searching.next() => panic!("{progress:?}"),
            back = hears => back.unwrap(),
        }
        // It is in again, but has not said so: another turn, in which nothing must be asked for.
        let soon = tokio::time::timeout(Duration::from_millis(100), searching.next()).await;
        assert!(soon.is_err(), "{soon:?}");
        searching.again(Uuid::from_u128(7));
        searching.next().await.unwrap()
    };
    let (_peer, found) = tokio::join!(server, client);
    assert_eq!(found, Progress::State(SEARCHING));
}

#[tokio::test]
async fn a_match_that_could_not_be_joined_on_the_same_line_is_given_back() {
    let home = Home::new().await;
    let mut searching = Searching::start(&home.options, wish());
    let server = async {
        let mut peer = home.search().await;
        peer.state(joining()).await;
        let said = peer.read().await;
        assert!(matches!(said, Some(ClientMessage::SearchAgain { id, .. }) if id == Uuid::from_u128(7)), "{said:?}");
        peer.state(SEARCHING).await;
        peer
    };
    let client = async {
        assert_eq!(searching.next().await.unwrap(), Progress::State(joining()));
        searching.again(Uuid::from_u128(7));
        searching.next().await.unwrap()
    };
    let (_peer, found) = tokio::join!(server, client);
    assert_eq!(found, Progress::State(SEARCHING));
}

#[tokio::test]
async fn who_goes_says_so_that_nobody_waits_for_them() {
    let home = Home::new().await;
    let mut searching = Searching::start(&home.options, wish());
    let server = async {
        let mut peer = home.search().await;
        peer.state(SEARCHING).await;
        let said = peer.read().await;
        assert!(matches!(said, Some(ClientMessage::CancelSearch { .. })), "{said:?}");
        peer.state(SearchState::ended(Code::Cancelled)).await;
        let mut peer = home.search().await;
        peer.state(SEARCHING).await;
        let said = peer.read().await;
        assert!(matches!(said, Some(ClientMessage::CancelSearch { .. })), "{said:?}");
        assert_eq!(peer.read().await, None);
    };
    let client = async {
        searching.next().await.unwrap();
        searching.cancel();
        assert_eq!(searching.next().await.unwrap(), Progress::State(SearchState::ended(Code::Cancelled)));
        let mut other = Searching::start(&home.options, wish());
        other.next().await.unwrap();
        drop(other);
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_party_that_meets_elsewhere_is_searched_for_there() {
    let (home, there) = (Home::new().await, Home::new().await);
    let mut searching = Searching::start(&home.options, wish());
    let server = async {
        let mut peer = home.search().await;
        peer.say(ServerMessage::Redirect { request: 1, url: there.options.url.clone(), pass: vec![] }).await;
        let mut peer = there.search().await;
        peer.state(SEARCHING).await;
        peer
    };
    let (_peer, found) = tokio::join!(server, searching.next());
    assert_eq!(found.unwrap(), Progress::State(SEARCHING));
    assert_eq!(searching.url_of(""), there.options.url);
}
