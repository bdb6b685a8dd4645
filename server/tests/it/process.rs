//! The binary: its exit status, its two lines, its one line when something is wrong.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
};

use tiltyard_arena::Arena;
use tiltyard_shared::{
    game::Game,
    protocol::{Code, Target},
    replicate::Replicate as _,
};

use crate::{client::Client, http::page};

/// A `tiltyard` that is killed with its test.
struct Process(Child);

impl Process {
    fn start(args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tiltyard"));
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// Where players and operators find it.
    fn addresses(&mut self) -> (SocketAddr, SocketAddr) {
        let lines: Vec<_> = BufReader::new(self.0.stdout.take().unwrap()).lines().take(2).map(Result::unwrap).collect();
        let address = |line: usize, name: &str| lines[line].strip_prefix(name).unwrap().parse().unwrap();
        (address(0, "listening "), address(1, "ops "))
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.0.id().to_string()]).status().unwrap().success());
    }

    /// Its exit status and what it said on standard error.
    fn end(&mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.0.wait().unwrap().code(), said)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_bad_value_is_one_line_and_status_2() {
    let (status, said) = Process::start(&["--max-rooms", "many"]).end();
    assert_eq!(status, Some(2));
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("'many'") && said.contains("--max-rooms"), "{said}");
}

#[test]
fn an_address_in_use_is_one_line_and_status_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let (status, said) = Process::start(&["--listen", &addr, "--ops-listen", "127.0.0.1:0"]).end();
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
    let free = ["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--log-json"];
    let mut process = Process::start(&[&free, args].concat());
    let (listen, _) = process.addresses();
    let (mut client, _) = Client::seated(listen, Target::Game("arena".to_owned())).await;
    process.signal("-TERM");
    assert_eq!(client.goodbye().await, (Code::Stopping, client.frames));
    let (status, said) = process.end();
    assert_eq!(status, Some(0), "{said}");
    assert!(said.lines().all(|line| line.starts_with('{')), "{said}");
}

#[test]
fn learn_prints_codings_that_fit_the_game() {
    let learn = || {
        let mut process = Process::start(&["learn", "arena", "--rooms", "2", "--players", "20", "--ticks", "300"]);
        let mut file = String::new();
        process.0.stdout.take().unwrap().read_to_string(&mut file).unwrap();
        assert_eq!(process.end(), (Some(0), String::new()));
        file
    };
    let file = learn();
    assert_eq!(file, learn());
    let line = file.lines().find(|line| line.starts_with("Fighter x ")).expect("walkers move");
    let change = line.split_whitespace().find_map(|word| word.strip_prefix("change="));
    let fighter = &<Arena as Game>::Entity::schema().with_codings(&file).kinds[0];
    assert_eq!(fighter.lanes[0].learned.change.as_deref(), change, "{line}");

    let (status, said) = Process::start(&["learn", "chess"]).end();
    assert_eq!(status, Some(1));
    assert!(said.contains("\"chess\"") && said.contains("arena") && said.lines().count() == 1, "{said}");
}

#[test]
fn health_asks_the_server_of_this_machine() {
    let mut server = Process::start(&["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"]);
    let (_, ops) = server.addresses();
    // A server in a container listens on every address.
    let everywhere = format!("0.0.0.0:{}", ops.port());
    for args in [&["--ops-listen", &everywhere, "health"][..], &["--ops-listen", &everywhere, "health", "--ready"]] {
        assert_eq!(Process::start(args).end(), (Some(0), String::new()));
    }
    drop(server);
    let (status, said) = Process::start(&["--ops-listen", &everywhere, "health"]).end();
    assert_eq!(status, Some(1));
    assert!(said.starts_with("error: no answer from 127.0.0.1:") && said.lines().count() == 1, "{said}");
}

/// A mistake is no reason to serve alone for good.
#[test]
fn a_broker_url_that_is_none_is_one_line_and_status_2() {
    for more in [&[][..], &["--bus-required"]] {
        let line = ["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--amqp-url", "amqp:ann:secret@host"];
        let (status, said) = Process::start(&[&line[..], more].concat()).end();
        assert_eq!((status, said.lines().count()), (Some(2), 1), "{said}");
        assert!(said.starts_with("error: AMQP_URL is not a URL") && !said.contains("secret"), "{said}");
    }
}

/// A room that its players never leave does not end by itself.
#[tokio::test]
async fn a_second_sigterm_ends_the_drain() {
    let mut process = Process::start(&["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"]);
    let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let listen: SocketAddr = lines.next().unwrap().strip_prefix("listening ").unwrap().parse().unwrap();
    let ops: SocketAddr = lines.next().unwrap().strip_prefix("ops ").unwrap().parse().unwrap();
    let (mut client, _) = Client::seated(listen, Target::Game("arena".to_owned())).await;
    process.signal("-TERM");
    while page(ops, "/readyz").await.1 != "draining\n" {}
    let mut late = Client::welcome(listen).await;
    late.wish(Target::Game("arena".to_owned())).await;
    assert_eq!(late.goodbye().await.0, Code::Stopping);
    process.signal("-TERM");
    assert_eq!(client.goodbye().await.0, Code::Stopping);
    assert_eq!(process.end().0, Some(0));
}

#[tokio::test]
async fn without_a_broker_it_serves_alone_or_exits_with_status_3() {
    let free = ["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"];
    // Nothing listens on the discard port.
    let nowhere = ["--amqp-url", "amqp://ann:secret@127.0.0.1:9/vhost"];
    let (status, said) = Process::start(&[&free[..], &nowhere, &["--bus-required", "--log", "off"]].concat()).end();
    assert_eq!(status, Some(3), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("127.0.0.1:9") && said.contains("--bus-required") && !said.contains("secret"), "{said}");
    let mut process = Process::start(&[&free[..], &nowhere].concat());
    let (listen, ops) = process.addresses();
    let (_client, _) = Client::seated(listen, Target::Game("arena".to_owned())).await;
    while !page(ops, "/readyz").await.1.starts_with("ready, alone: no broker answers at 127.0.0.1:9") {}
    process.signal("-INT");
    let (status, said) = process.end();
    assert_eq!(status, Some(0), "{said}");
    assert!(!said.contains("secret") && said.matches("the bus is away").count() == 1, "{said}");
}
