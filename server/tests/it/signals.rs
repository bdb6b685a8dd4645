//! What an operator's signals do to the process: SIGHUP never ends it.

use std::{env, fs, path::PathBuf};

use tiltyard_shared::protocol::Target;
use tiltyard_testing::Server;
use uuid::Uuid;

use crate::{
    client::Client,
    http::page,
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
