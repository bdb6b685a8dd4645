//! The binary: its exit status, its two lines, its one line when something is wrong.

use std::{
    net::TcpListener,
    process::{Command, Output},
    time::Duration,
};

use tiltyard_arena::Arena;
use tiltyard_shared::{
    game::Game,
    protocol::{Code, Target},
    replicate::Replicate as _,
};
use tiltyard_testing::Server;

use crate::{client::Client, http::page};

/// Longer than any server takes to end.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn tiltyard(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tiltyard"));
    command.args(args);
    command
}

/// The exit status of a run, and what it said on standard error.
pub(crate) fn run(args: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = tiltyard(args).output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

pub(crate) fn serve(args: &[&str]) -> Server {
    Server::start(tiltyard(args)).unwrap()
}

/// The same of a server that ends.
pub(crate) fn end(server: Server) -> (Option<i32>, String) {
    let (status, said) = server.end(PATIENCE).unwrap();
    (status.code(), said)
}

#[test]
fn a_bad_value_is_one_line_and_status_2() {
    let (status, said) = run(&["--max-rooms", "many"]);
    assert_eq!(status, Some(2));
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("'many'") && said.contains("--max-rooms"), "{said}");
}

#[test]
fn an_address_in_use_is_one_line_and_status_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let (status, said) = run(&["--listen", &addr, "--ops-listen", "127.0.0.1:0"]);
    assert_eq!(status, Some(1));
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(&addr) && said.contains("--listen"), "{said}");
    assert_eq!(said.matches("in use").count(), 1, "{said}");
}

#[tokio::test]
async fn sigterm_tells_players_and_exits_with_status_0() {
    for args in [&["--drain-timeout", "0s"][..], &["--drain-timeout", "200ms"]] {
        sigterm(args).await;
    }
}

async fn sigterm(args: &[&str]) {
    let server = serve(&[&["--log-json"], args].concat());
    let (mut client, _) = Client::seated(server.listen(), Target::Game("arena".to_owned())).await;
    server.signal("TERM").unwrap();
    assert_eq!(client.goodbye().await, (Code::Stopping, client.frames));
    let (status, said) = end(server);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.lines().all(|line| line.starts_with('{')), "{said}");
}

#[test]
fn learn_prints_codings_that_fit_the_game() {
    let learn = || {
        let args = ["learn", "arena", "--rooms", "2", "--players", "20", "--ticks", "300"];
        let Output { status, stdout, stderr } = tiltyard(&args).output().unwrap();
        assert_eq!((status.code(), stderr), (Some(0), Vec::new()));
        String::from_utf8(stdout).unwrap()
    };
    let file = learn();
    assert_eq!(file, learn());
    let line = file.lines().find(|line| line.starts_with("Fighter x ")).expect("walkers move");
    let change = line.split_whitespace().find_map(|word| word.strip_prefix("change="));
    let fighter = &<Arena as Game>::Entity::schema().with_codings(&file).kinds[0];
    assert_eq!(fighter.lanes[0].learned.change.as_deref(), change, "{line}");

    let (status, said) = run(&["learn", "chess"]);
    assert_eq!(status, Some(1));
    assert!(said.contains("\"chess\"") && said.contains("arena") && said.lines().count() == 1, "{said}");
}

#[test]
fn health_asks_the_server_of_this_machine() {
    let server = serve(&[]);
    // A server in a container listens on every address.
    let everywhere = format!("0.0.0.0:{}", server.ops().port());
    for args in [&["--ops-listen", &everywhere, "health"][..], &["--ops-listen", &everywhere, "health", "--ready"]] {
        assert_eq!(run(args), (Some(0), String::new()));
    }
    drop(server);
    let (status, said) = run(&["--ops-listen", &everywhere, "health"]);
    assert_eq!(status, Some(1));
    assert!(said.starts_with("error: no answer from 127.0.0.1:") && said.lines().count() == 1, "{said}");
}

/// A mistake is no reason to serve alone for good.
#[test]
fn a_broker_url_that_is_none_is_one_line_and_status_2() {
    for more in [&[][..], &["--bus-required"]] {
        let line = ["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--amqp-url", "amqp:ann:secret@host"];
        let (status, said) = run(&[&line[..], more].concat());
        assert_eq!((status, said.lines().count()), (Some(2), 1), "{said}");
        assert!(said.starts_with("error: AMQP_URL is not a URL") && !said.contains("secret"), "{said}");
    }
}

/// A room that its players never leave does not end by itself.
#[tokio::test]
async fn a_second_sigterm_ends_the_drain() {
    let server = serve(&[]);
    let (mut client, _) = Client::seated(server.listen(), Target::Game("arena".to_owned())).await;
    server.signal("TERM").unwrap();
    while page(server.ops(), "/readyz").await.1 != "draining\n" {}
    let mut late = Client::welcome(server.listen()).await;
    late.wish(Target::Game("arena".to_owned())).await;
    assert_eq!(late.goodbye().await.0, Code::Stopping);
    server.signal("TERM").unwrap();
    assert_eq!(client.goodbye().await.0, Code::Stopping);
    assert_eq!(end(server).0, Some(0));
}

#[tokio::test]
async fn without_a_broker_it_serves_alone_or_exits_with_status_3() {
    let free = ["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"];
    // Nothing listens on the discard port.
    let nowhere = ["--amqp-url", "amqp://ann:secret@127.0.0.1:9/vhost"];
    let (status, said) = run(&[&free[..], &nowhere, &["--bus-required", "--log", "off"]].concat());
    assert_eq!(status, Some(3), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("127.0.0.1:9") && said.contains("--bus-required") && !said.contains("secret"), "{said}");
    let server = serve(&nowhere);
    let (_client, _) = Client::seated(server.listen(), Target::Game("arena".to_owned())).await;
    while !page(server.ops(), "/readyz").await.1.starts_with("ready, alone: no broker answers at 127.0.0.1:9") {}
    server.signal("INT").unwrap();
    let (status, said) = end(server);
    assert_eq!(status, Some(0), "{said}");
    assert!(!said.contains("secret") && said.matches("the bus is away").count() == 1, "{said}");
}
