//! A fleet on this machine by `tiltyard cluster`, and what `tiltyard tap` hears of it.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpStream,
    process::{Child, ChildStderr, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// A tool, told to stop when dropped: what it has started must go with it.
struct Tool(Child);

impl Tool {
    fn start(args: &[&str]) -> (Self, BufReader<ChildStdout>, BufReader<ChildStderr>) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tiltyard"));
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (said, complained) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        (Self(child), BufReader::new(said), BufReader::new(complained))
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args(["-s", name, &self.0.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        if self.0.try_wait().unwrap().is_none() {
            self.signal("INT");
            self.0.wait().unwrap();
        }
    }
}

#[test]
#[ignore = "needs a broker: make test-broker"]
fn a_cluster_runs_until_ctrl_c_and_a_tap_hears_it() {
    let (mut cluster, mut table, logs) = Tool::start(&["cluster", "--instances", "2", "--base-port", "0"]);
    let mut rows = [String::new(), String::new()];
    for (row, name) in rows.iter_mut().zip(["local-1 ", "local-2 "]) {
        table.read_line(row).unwrap();
        assert!(row.starts_with(name) && row.contains("http://127.0.0.1:"), "{row}");
    }
    let (tap, heard, _) = Tool::start(&["tap", "#"]);
    let mut both = ["local-1", "local-2"].to_vec();
    let began = Instant::now();
    for line in heard.lines().map_while(Result::ok) {
        let line: Value = serde_json::from_str(&line).unwrap();
        assert!(line["at_ms"].is_u64(), "{line}");
        both.retain(|name| line["event"]["Alive"]["instance"] != **name);
        if both.is_empty() {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "not heard of: {both:?}; last: {line}");
    }
    assert!(both.is_empty(), "the tap ended before it heard of {both:?}");
    drop(tap);
    cluster.signal("INT");
    assert_eq!(cluster.0.wait().unwrap().code(), Some(0));
    let logs: Vec<_> = logs.lines().map(Result::unwrap).collect();
    assert!(["local-1", "local-2"].iter().all(|name| logs.iter().any(|line| line.starts_with(name))), "{logs:?}");
}

#[test]
#[ignore = "needs a broker: make test-broker"]
fn a_cluster_that_is_killed_takes_its_instances_with_it() {
    let (mut cluster, table, logs) = Tool::start(&["cluster", "--instances", "2", "--base-port", "0"]);
    let rows: Vec<_> = table.lines().take(2).map(Result::unwrap).collect();
    let ready = logs.lines().map_while(Result::ok).filter(|line| line.contains("serving")).take(2).count();
    assert_eq!(ready, 2, "{rows:?}");
    cluster.0.kill().unwrap();
    cluster.0.wait().unwrap();
    for row in rows {
        let address = row.split("http://").nth(1).and_then(|rest| rest.split('/').next()).unwrap();
        let began = Instant::now();
        while TcpStream::connect(address).is_ok() {
            assert!(began.elapsed() < Duration::from_secs(20), "{address} still answers");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

#[test]
fn a_tap_without_a_broker_says_why() {
    for (url, said) in [(None, "error: which broker?"), (Some("amqp://u:p@127.0.0.1:1/v"), "error: no broker")] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tiltyard"));
        command.arg("tap").env_remove("AMQP_URL").envs(url.map(|url| ("AMQP_URL", url)));
        let output = command.output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{complaint}");
        assert!(
            complaint.starts_with(said) && complaint.lines().count() == 1 && !complaint.contains("u:p"),
            "{complaint}"
        );
    }
}
