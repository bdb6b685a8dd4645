//! What an operator's signals do to the process: it leaves late enough for balancers, and SIGHUP never ends it.

use std::{
    env, fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use tiltyard_shared::protocol::{ClientMessage, Code, Target};
use tiltyard_testing::Server;
use uuid::Uuid;

use crate::{
    client::Client,
    http::{get, page},
    process::{end, run, serve},
};

/// A file of this test, removed at its end.
struct File(PathBuf);

impl File {
    fn new(content: &str) -> Self {
        let file = Self(env::temp_dir().join(format!("tiltyard-{}", Uuid::new_v4())));
        file.write(content);
        file
    }

    fn write(&self, content: &str) {
        fs::write(&self.0, content).unwrap();
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        fs::remove_file(&self.0).unwrap();
    }
}

#[tokio::test]
async fn an_idle_server_says_that_it_goes_and_answers_until_balancers_know() {
    let delay = Duration::from_secs(1);
    let server = serve(&["--drain-delay", "1s"]);
    let began = Instant::now();
    server.signal("TERM").unwrap();
    while page(server.ops(), "/readyz").await.1 != "draining\n" {}
    assert!(began.elapsed() < delay / 2, "it is told at once");
    let mut answered = 0;
    // Short of the end, so that no request is under way then.
    while began.elapsed() < delay * 9 / 10 {
        assert_eq!(get(server.listen(), "/api/games").await.0, 200);
        assert!(page(server.ops(), "/readyz").await.0.starts_with("HTTP/1.1 503"));
        answered += 1;
    }
    assert!(answered > 1);
    assert_eq!(end(server).0, Some(0));
    assert!(began.elapsed() >= delay);
}

#[tokio::test]
async fn sigint_ends_the_wait_for_balancers() {
    let server = serve(&["--drain-delay", "1h"]);
    server.signal("TERM").unwrap();
    while page(server.ops(), "/readyz").await.1 != "draining\n" {}
    server.signal("INT").unwrap();
    assert_eq!(end(server).0, Some(0));
}

/// A room of the arena stays for 10 s after its last player.
#[tokio::test]
async fn a_room_without_players_does_not_hold_a_drain() {
    let server = serve(&[]);
    let (mut client, _) = Client::seated(server.listen(), Target::Game("arena".to_owned())).await;
    client.say(&ClientMessage::Leave).await;
    assert_eq!(client.goodbye().await.0, Code::Left);
    let began = Instant::now();
    server.signal("TERM").unwrap();
    assert_eq!(end(server).0, Some(0));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

/// Waits until the server has counted so many SIGHUPs of this outcome.
async fn until_reloads(server: &Server, outcome: &str, count: u32) {
    let sample = format!("tiltyard_reloads_total{{outcome=\"{outcome}\"}} {count}\n");
    while !page(server.ops(), "/metrics").await.1.contains(&sample) {}
}

#[tokio::test]
async fn sighup_reads_the_filter_of_the_log_again_and_ends_nothing() {
    let file = File::new("info\n");
    let server = serve(&["--log-from", file.path()]);
    let arena = || Target::Game("arena".to_owned());
    let (_first, _) = Client::seated(server.listen(), arena()).await;
    file.write("info,tiltyard_server=debug");
    server.signal("HUP").unwrap();
    until_reloads(&server, "done", 1).await;
    let (_second, _) = Client::seated(server.listen(), arena()).await;
    for (failed, broken) in (1..).zip(["info,x=loud", " \n"]) {
        file.write(broken);
        server.signal("HUP").unwrap();
        until_reloads(&server, "failed", failed).await;
    }
    server.signal("INT").unwrap();
    let (status, said) = end(server);
    assert_eq!(status, Some(0), "{said}");
    assert_eq!(said.matches("player entered").count(), 1, "the second one, since the filter is another");
    assert_eq!(said.matches("--log-from was read again; all other options change with a restart").count(), 1, "{said}");
    assert_eq!(said.matches("what is logged stays as it was").count(), 2, "{said}");
}

#[tokio::test]
async fn sighup_says_that_there_is_nothing_to_read_again() {
    let server = serve(&[]);
    server.signal("HUP").unwrap();
    until_reloads(&server, "done", 1).await;
    server.signal("INT").unwrap();
    let (status, said) = end(server);
    assert_eq!((status, said.matches("nothing is read again without --log-from").count()), (Some(0), 1), "{said}");
}

#[test]
fn a_file_that_has_no_filter_is_one_line_and_status_2() {
    let file = File::new("info,x=loud");
    for (path, told) in [(file.path(), "no filter in"), ("/nowhere/filter", "cannot read /nowhere/filter")] {
        let (status, said) = run(&["--log-from", path]);
        assert_eq!((status, said.lines().count()), (Some(2), 1), "{said}");
        assert!(said.contains(told) && said.contains("--log-from"), "{said}");
    }
}
