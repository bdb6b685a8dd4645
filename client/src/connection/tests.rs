//! The life of a connection: the table of docs/connection.md, and what goes wrong on the way back (each its own test).

use tiltyard_shared::{
    game::{PlayerId, Tick},
    protocol::VERSION,
};
use uuid::Uuid;

use super::*;

mod returns;
mod silence;
mod table;

const MS: Duration = Duration::from_millis(1);
const HERE: &str = "ws://test/ws";

/// A connection with a clock of its own.
struct Bench {
    connection: Connection,
    now: Instant,
    random: f64,
    /// Pings that are not answered.
    asked: Vec<u32>,
}

impl Bench {
    fn new(seat: bool, patience: Option<Duration>) -> Self {
        let now = Instant::now();
        let connection = Connection::new(seat, patience, Backoff::default(), now);
        Self { connection, now, random: 0.5, asked: Vec::new() }
    }

    /// One that wants a seat, as clients do.
    fn room() -> Self {
        Self::new(true, Some(PATIENCE))
    }

    fn state(&self) -> State {
        self.connection.state()
    }

    /// Something happens so much later; returns the effects.
    fn happen(&mut self, event: Event, after: Duration) -> Vec<Effect> {
        self.now += after;
        let effects = self.connection.handle(event, self.now, self.random);
        for effect in &effects {
            if let Effect::Send(ClientMessage::Ping { number }) = effect {
                self.asked.push(*number);
            }
        }
        effects
    }

    fn start(&mut self) -> Vec<Effect> {
        self.happen(Event::Start(HERE.to_owned()), Duration::ZERO)
    }

    fn opened(&mut self) -> Vec<Effect> {
        self.happen(Event::Opened, Duration::ZERO)
    }

    /// The server says something.
    fn hear(&mut self, message: ServerMessage) -> Vec<Effect> {
        self.happen(Event::Message(Box::new(message)), Duration::ZERO)
    }

    fn welcome(&mut self) -> Vec<Effect> {
        self.hear(ServerMessage::Welcome {
            protocol: VERSION,
            server: "test".to_owned(),
            games: vec![],
            capabilities: 0,
            identity: None,
            credential: None,
        })
    }

    fn enter(&mut self) -> Vec<Effect> {
        let entered = Entered {
            request: self.connection.request,
            room: Uuid::from_u128(1),
            game: "arena".to_owned(),
            player: PlayerId(1),
            token: Uuid::from_u128(2),
            tick_hz: 20,
            send_every: 1,
            tick: Tick(99),
            input: 0,
            epoch: 1,
            schema_hash: 0,
            schema: None,
            code: "ABCDEF".to_owned(),
            spectator: false,
            grace_ms: 30_000,
            owner: 1,
            cut: None,
            protected: false,
        };
        self.hear(ServerMessage::Entered(Box::new(entered)))
    }

    fn pong(&mut self, number: u32) -> Vec<Effect> {
        self.hear(ServerMessage::Pong { number, held_ms: 0 })
    }

    /// The server answers all pings.
    fn answer(&mut self) {
        for number in std::mem::take(&mut self.asked) {
            self.pong(number);
        }
    }

    /// From the start, or from an attempt, to where it is in.
    fn ready(mut self) -> Self {
        self.come_in();
        self
    }

    fn come_in(&mut self) {
        if matches!(self.state(), State::Idle | State::Over) {
            self.start();
        }
        self.opened();
        self.welcome();
        if self.connection.seat {
            self.enter();
        }
        assert_eq!(self.state(), State::Ready);
    }

    /// Has been in for so long, with frames and answers all the time.
    fn live(mut self, time: Duration) -> Self {
        self.live_on(time);
        self
    }

    fn live_on(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.happen(Event::Sign, (50 * MS).min(end - self.now));
            self.answer();
            self.tick_after(Duration::ZERO);
        }
    }

    fn tick_after(&mut self, time: Duration) -> Vec<Effect> {
        self.happen(Event::Tick, time)
    }

    /// Passes the time to when there is something to do, and does it. Time passes also if that is now, or was long ago.
    fn tick(&mut self) -> Vec<Effect> {
        let due = self.connection.deadline().expect("there is something to do");
        self.tick_after(if due <= self.now { MS } else { due - self.now })
    }

    /// The line breaks.
    fn cut(&mut self) -> Vec<Effect> {
        self.happen(Event::Closed(None), Duration::ZERO)
    }

    /// Tries in vain until it gives up; returns how often it did.
    fn fail(&mut self) -> usize {
        let mut tries = 0;
        while self.state() == State::Waiting {
            self.tick();
            tries += 1;
            self.cut();
        }
        tries
    }

    fn goodbye(&mut self, code: Code, retry_within_ms: u32) -> Vec<Effect> {
        self.hear(ServerMessage::Goodbye { code, message: String::new(), frames: 0, retry_within_ms })
    }

    fn refuse(&mut self, code: Code, retry_after_ms: Option<u32>) -> Vec<Effect> {
        let request = self.connection.request;
        self.hear(ServerMessage::Refused { request, code, message: String::new(), retry_after_ms })
    }

    fn redirect(&mut self, url: &str) -> Vec<Effect> {
        self.hear(ServerMessage::Redirect { request: 1, url: url.to_owned(), pass: vec![] })
    }
}

/// A room that has been played in for six seconds.
fn played() -> Bench {
    Bench::room().ready().live(6000 * MS)
}

/// What effects are, in words.
fn in_words(effects: &[Effect]) -> Vec<&'static str> {
    let word = |effect: &Effect| match effect {
        Effect::Open => "open",
        Effect::Shut => "shut",
        Effect::Greet => "greet",
        Effect::Wish(_) => "wish",
        Effect::Farewell => "farewell",
        Effect::Send(ClientMessage::Ping { .. }) => "Ping",
        Effect::Send(ClientMessage::Pong { .. }) => "Pong",
        Effect::Send(_) => "another message",
        Effect::Tell(Told::Message(_)) => "tell message",
        Effect::Tell(Told::Redirect { .. }) => "tell redirect",
        Effect::Tell(Told::Ready(_)) => "tell ready",
        Effect::Tell(Told::Lost) => "tell lost",
        Effect::Tell(Told::Waiting { .. }) => "tell waiting",
        Effect::Tell(Told::Over { .. }) => "tell over",
    };
    effects.iter().map(word).collect()
}

#[test]
fn without_a_seat_one_is_in_with_the_welcome() {
    let mut bench = Bench::new(false, None);
    bench.start();
    bench.opened();
    assert_eq!(in_words(&bench.welcome()), ["tell message", "tell ready", "Ping", "wish"]);
    assert_eq!(bench.state(), State::Ready);
}

#[test]
fn a_redirect_round_and_round_ends() {
    let mut bench = Bench::room();
    bench.start();
    for host in ["a", "b", "c", "d"] {
        bench.opened();
        bench.welcome();
        bench.redirect(&format!("ws://{host}/ws"));
    }
    assert_eq!(bench.state(), State::Over);
    assert_eq!(bench.connection.address(), "ws://c/ws");
}

#[test]
fn a_seat_that_is_being_moved_is_waited_for_as_long_as_the_server_says() {
    let mut bench = Bench::room();
    bench.start();
    bench.opened();
    bench.welcome();
    bench.hear(ServerMessage::Wait { request: 1, for_ms: 20_000 });
    for _ in 0..20 {
        bench.happen(Event::Sign, 1000 * MS);
        bench.tick_after(Duration::ZERO);
    }
    assert_eq!(bench.state(), State::Entering);
}
