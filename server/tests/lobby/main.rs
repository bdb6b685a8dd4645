//! The lobby under change: many clients watch lists while rooms open, change and close, and in the end every list is the
//! server's. Prints what a client was sent.
//!
//! A short form runs with the other tests; `make lobby` (`LOBBY=full`) is 200 clients, 500 rooms and 20 s.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]
#![expect(clippy::print_stdout, reason = "the figures are what people run it for")]

mod client;
mod shed;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tiltyard_server::{Config, Games, Server};
use tiltyard_shared::{
    game::Rng,
    protocol::{
        ClientMessage, Code, ServerMessage,
        lobby::{Browse, RoomEntry, RoomList},
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::sleep,
};

use client::{Host, Line};
use shed::{Shed, Workshop};

/// How much is going on.
#[derive(Clone, Copy, Debug)]
struct Scale {
    clients: usize,
    rooms: usize,
    length: Duration,
}

const SHORT: Scale = Scale { clients: 60, rooms: 150, length: Duration::from_secs(5) };
const FULL: Scale = Scale { clients: 200, rooms: 500, length: Duration::from_secs(20) };

/// Every list must have come to rest so long after the last change.
const PATIENCE: Duration = Duration::from_secs(20);

/// One client of the lobby, as the test sees it.
#[derive(Debug, Default)]
struct Watcher {
    browse: Browse,
    list: Mutex<RoomList>,
    bytes: AtomicU64,
    messages: AtomicU64,
}

impl Watcher {
    fn rooms(&self) -> (u32, Vec<RoomEntry>) {
        let list = self.list.lock();
        (list.total, list.rooms().cloned().collect())
    }
}

#[tokio::test]
async fn every_list_ends_equal_to_the_servers() {
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let scale = if std::env::var("LOBBY").is_ok_and(|form| form == "full") { FULL } else { SHORT };
    let mut config = Config::default();
    config.listen.set_port(0);
    config.ops_listen.set_port(0);
    let server = Server::start(&config, Games::new().with::<Shed>().with::<Workshop>()).await.unwrap();
    let addr = server.listen_addr();

    let begin = Instant::now();
    let end = begin + scale.length;
    let watchers: Vec<_> = (0..scale.clients).map(|number| Arc::new(watcher(number, scale.rooms))).collect();
    for (number, watcher) in watchers.iter().enumerate() {
        let line = Line::welcome(addr).await;
        // Less long than whoever does not answer pings is waited for.
        let asleep_until = (number % 20 == 19).then_some(end.min(begin + Duration::from_secs(6)));
        tokio::spawn(watch(line, watcher.clone(), asleep_until));
    }
    let hosts: Vec<_> = (0..scale.rooms).map(|number| tokio::spawn(host(addr, number, end))).collect();
    let mut kept = Vec::new();
    let (mut opened, mut changed) = (0, 0);
    for host in hosts {
        let (host, counts) = host.await.unwrap();
        opened += counts.0;
        changed += counts.1;
        kept.extend(host);
    }
    let open = tokio::spawn(async move { futures_util::future::join_all(kept.iter_mut().map(Host::stay)).await });

    let last_change = Instant::now();
    for watcher in &watchers {
        loop {
            let (total, rooms) = page(addr, &watcher.browse).await;
            if watcher.rooms() == (total, rooms.clone()) {
                break;
            }
            assert!(last_change.elapsed() < PATIENCE, "{watcher:?}\nis not\n{rooms:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }
    println!("every list was the server's {:.1} s after the last change", last_change.elapsed().as_secs_f64());
    report(&watchers, scale, begin.elapsed(), opened, changed);
    let total = watchers[0].rooms().0 as usize;
    assert!((scale.rooms / 4..=scale.rooms).contains(&total), "{total} rooms are left");
    open.abort();
}

/// A client's page: half of them look at the newest rooms, as most people do; the others all over the list.
fn watcher(number: usize, rooms: usize) -> Watcher {
    let pages = (rooms / 2).div_ceil(50) as u32;
    let game = [None, Some("shed".to_owned()), Some("workshop".to_owned())][number / 4 % 3].clone();
    let page = if number.is_multiple_of(2) { 0 } else { number as u32 / 2 % pages };
    // The first one sees all.
    let open = number != 0 && number % 8 < 3;
    Watcher { browse: Browse { game, open, page }, ..Watcher::default() }
}

/// Reads the list; some do not for a while, like a page that sleeps.
async fn watch(mut line: Line, watcher: Arc<Watcher>, asleep_until: Option<Instant>) {
    line.say(&ClientMessage::Browse { request: 2, browse: Some(watcher.browse.clone()) }).await;
    if let Some(end) = asleep_until {
        tokio::time::sleep_until(end.into()).await;
    }
    while let Some((message, bytes)) = line.next().await {
        if matches!(message, ServerMessage::Goodbye { code: Code::Stopping, .. }) {
            return;
        }
        watcher.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        watcher.messages.fetch_add(1, Ordering::Relaxed);
        assert!(watcher.list.lock().apply(message));
    }
}

/// Opens rooms, changes them and closes them until the end; every second host keeps its last one open. Returns it, and how
/// many rooms were opened and how many changes made.
async fn host(addr: std::net::SocketAddr, number: usize, end: Instant) -> (Option<Host>, (u64, u64)) {
    let mut rng = Rng::new(number as u64);
    let (mut opened, mut changed) = (0, 0);
    loop {
        // Not all at once.
        let pause = Duration::from_secs_f32(rng.between(0.0, 2.0));
        sleep(pause.min(end.saturating_duration_since(Instant::now()))).await;
        let game = ["shed", "workshop"][number % 2];
        let mut host = Host::open(addr, game, &format!("room {number}.{opened}")).await;
        opened += 1;
        let close = Instant::now() + Duration::from_secs_f32(rng.between(0.5, 8.0));
        while Instant::now() < close.min(end) {
            host.change(&mut rng).await;
            changed += 1;
            host.stay_for(Duration::from_secs_f32(rng.between(0.1, 1.5))).await;
        }
        if Instant::now() >= end && number.is_multiple_of(2) {
            return (Some(host), (opened, changed));
        }
        host.close().await;
        if Instant::now() >= end {
            return (None, (opened, changed));
        }
    }
}

/// The page as the server shows it over HTTP.
async fn page(addr: std::net::SocketAddr, browse: &Browse) -> (u32, Vec<RoomEntry>) {
    let Browse { game, open, page } = browse;
    let path = format!("/api/rooms?game={}&open={open}&page={page}", game.as_deref().unwrap_or_default());
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let list: serde_json::Value = serde_json::from_str(body).unwrap();
    (list["total"].as_u64().unwrap() as u32, serde_json::from_value(list["rooms"].clone()).unwrap())
}

fn report(watchers: &[Arc<Watcher>], scale: Scale, took: Duration, opened: u64, changed: u64) {
    let (Scale { clients, rooms, .. }, seconds) = (scale, took.as_secs_f64());
    let mut bytes: Vec<_> = watchers.iter().map(|watcher| watcher.bytes.load(Ordering::Relaxed)).collect();
    bytes.sort_unstable();
    let (sum, messages): (u64, u64) =
        (bytes.iter().sum(), watchers.iter().map(|watcher| watcher.messages.load(Ordering::Relaxed)).sum());
    println!("lobby: {clients} clients, {rooms} rooms at a time, {seconds:.1} s; {opened} opened, {changed} changes");
    println!(
        "bytes per client: mean {} ({:.1} kB/s), median {}, most {}; messages per client and second: {:.2}",
        sum / clients as u64,
        sum as f64 / clients as f64 / seconds / 1000.0,
        bytes[clients / 2],
        bytes[clients - 1],
        messages as f64 / clients as f64 / seconds,
    );
}
