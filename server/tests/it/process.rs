//! The binary: its exit status, its two lines, its one line when something is wrong.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
};

use tiltyard_shared::protocol::{Code, Target};

use crate::{client::Client, http::page};

/// A `tiltyard` that is killed with its test.
struct Process(Child);

impl Process {
    fn start(args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tiltyard"));
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command.spawn().unwrap())
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
    let lines: Vec<String> =
        BufReader::new(process.0.stdout.take().unwrap()).lines().take(2).map(Result::unwrap).collect();
    let listen: SocketAddr = lines[0].strip_prefix("listening ").unwrap().parse().unwrap();
    assert!(lines[1].strip_prefix("ops ").unwrap().parse::<SocketAddr>().is_ok());
    let (mut client, _) = Client::seated(listen, Target::Game("arena".to_owned())).await;
    process.signal("-TERM");
    assert_eq!(client.goodbye().await, (Code::Stopping, client.frames));
    let (status, said) = process.end();
    assert_eq!(status, Some(0), "{said}");
    assert!(said.lines().all(|line| line.starts_with('{')), "{said}");
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
    let lines: Vec<String> =
        BufReader::new(process.0.stdout.take().unwrap()).lines().take(2).map(Result::unwrap).collect();
    let listen: SocketAddr = lines[0].strip_prefix("listening ").unwrap().parse().unwrap();
    let ops: SocketAddr = lines[1].strip_prefix("ops ").unwrap().parse().unwrap();
    let (_client, _) = Client::seated(listen, Target::Game("arena".to_owned())).await;
    while !page(ops, "/readyz").await.1.starts_with("ready, alone: no broker answers at 127.0.0.1:9") {}
    process.signal("-INT");
    let (status, said) = process.end();
    assert_eq!(status, Some(0), "{said}");
    assert!(!said.contains("secret") && said.matches("the bus is away").count() == 1, "{said}");
}
