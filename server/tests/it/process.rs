//! The binary: its exit status, its two lines, its one line when something is wrong.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
};

use tiltyard_shared::protocol::{Code, Target};

use crate::client::Client;

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
    let mut process = Process::start(&["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--log-json"]);
    let (listen, _) = process.addresses();
    let (mut client, _) = Client::seated(listen, Target::Game("arena".to_owned())).await;
    let kill = Command::new("kill").args(["-TERM", &process.0.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(client.goodbye().await, (Code::Stopping, client.frames));
    let (status, said) = process.end();
    assert_eq!(status, Some(0), "{said}");
    assert!(said.lines().all(|line| line.starts_with('{')), "{said}");
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
