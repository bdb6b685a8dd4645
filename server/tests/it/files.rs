//! A server that may open few files: it says so, takes the players that fit, and answers its operators whatever happens.

use std::{fs, io::Read as _, net::TcpStream, process::Command, time::Duration};

use rlimit::{Resource, getrlimit, prlimit};
use tiltyard_shared::protocol::{ClientMessage, Code, Target};
use tiltyard_testing::Server;

use crate::{
    client::Client,
    http::page,
    process::{end, tiltyard},
};

/// Of so many files 60 are for players' sockets, half of those for seats.
const FILES: u64 = 128;
const SEATS: usize = 30;
const SOCKETS: usize = 60;

/// A server with one shard that may open [`FILES`] files.
fn limited() -> Server {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {FILES} && exec \"$0\" \"$@\"")]);
    command.arg(tiltyard(&[]).get_program()).args(["--shards", "1"]);
    Server::start(command).unwrap()
}

fn arena() -> Target {
    Target::Game("arena".to_owned())
}

/// The time that a process has spent on the CPU.
fn cpu(server: &Server) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.id())).unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |field: usize| fields[field].parse::<u64>().unwrap();
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}

#[tokio::test]
async fn a_server_with_few_files_takes_fewer_players_and_always_answers_its_operators() {
    let server = limited();
    let mut players = Vec::new();
    for _ in 0..SEATS {
        players.push(Client::seated(server.listen(), arena()).await);
    }
    assert_eq!(Client::welcome(server.listen()).await.enter(arena()).await.unwrap_err(), Code::ServerFull);
    // Further connections take what is left, and then wait.
    let mut idle: Vec<_> = (0..2 * SOCKETS).map(|_| TcpStream::connect(server.listen()).unwrap()).collect();
    for path in ["/healthz", "/readyz", "/metrics"] {
        let (head, body) = page(server.ops(), path).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        assert!(
            path != "/metrics" || body.contains(&format!("tiltyard_instance_capacity_players {SEATS}\n")),
            "{body}"
        );
    }
    assert!(fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap().count() < FILES as usize);
    idle.clear();
    let (mut leaving, _) = players.pop().unwrap();
    leaving.say(&ClientMessage::Leave).await;
    assert_eq!(leaving.goodbye().await.0, Code::Left);
    while Client::welcome(server.listen()).await.enter(arena()).await.is_err() {}
    server.signal("INT").unwrap();
    let (status, said) = end(server);
    assert_eq!(status, Some(0), "{said}");
    let told = said.matches("too few open files for --max-players").count();
    assert!(told == 1 && said.contains("takes=30") && !said.contains("cannot accept"), "{said}");
}

/// As when the whole system is out of files: the budget of a process cannot help then.
#[tokio::test]
async fn a_server_that_cannot_accept_waits_says_so_once_and_goes_on() {
    let server = limited();
    page(server.listen(), "/api/games").await;
    let limit_to = |soft| prlimit(server.id() as i32, Resource::NOFILE, Some((soft, FILES)), None).unwrap();
    limit_to(1);
    let mut waiting = TcpStream::connect(server.listen()).unwrap();
    let before = cpu(&server);
    waiting.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    assert!(waiting.read(&mut [0]).is_err(), "nobody answers");
    let spent = cpu(&server) - before;
    assert!(spent < Duration::from_millis(300), "{spent:?} of a second");
    limit_to(FILES);
    assert!(page(server.listen(), "/api/games").await.0.starts_with("HTTP/1.1 200"));
    assert!(server.metric("tiltyard_accept_errors_total").unwrap() >= 2.0);
    server.signal("INT").unwrap();
    let (_, said) = end(server);
    assert_eq!(said.matches("cannot accept connections").count(), 1, "{said}");
    assert!(getrlimit(Resource::NOFILE).unwrap().0 > FILES, "it was the server's limit");
}
