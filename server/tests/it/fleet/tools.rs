//! The operator's sub-commands, as processes.

use std::process::Command;

use serde_json::Value;
use tiltyard_server::Server;

use crate::{
    client::Client,
    fleet::ground::{Ground, room, until},
    http::page,
};

/// The status of `tiltyard` with these arguments, and what it says on standard output and standard error.
async fn tool(url: Option<&str>, args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tiltyard"));
    command.args(args).env_remove("AMQP_URL");
    if let Some(url) = url {
        command.env("AMQP_URL", url);
    }
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
#[ignore = "needs a broker: make test-broker"]
async fn operators_see_and_drain_instances() {
    let ground = Ground::rabbitmq().await;
    let servers = ground.start_all(["a", "b"]).await;
    let name = |server: &Server| server.id().to_string();
    let (_ann, seat) = Client::seated(servers[0].listen_addr(), room("Secret tea", true)).await;
    let url = Some(ground.url());

    let (status, said, _) = tool(url, &["instances"]).await;
    assert_eq!(status, Some(0));
    let lines: Vec<_> = said.lines().collect();
    assert!(lines[0].starts_with("INSTANCE") && lines.len() == 3, "{said}");
    assert!(lines[1].starts_with(&name(&servers[0])) && lines[2].starts_with(&name(&servers[1])), "{said}");
    let (_, said, _) = tool(None, &["instances", "--json", "--amqp-url", ground.url()]).await;
    let instances: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(instances[0]["instance"], name(&servers[0]));
    assert_eq!((&instances[0]["rooms"], &instances[1]["rooms"]), (&1.into(), &0.into()));

    let (_, said, _) = tool(url, &["rooms"]).await;
    assert!(said.contains(&seat.room.to_string()) && said.contains("private") && said.contains("Secret tea"), "{said}");
    let (_, said, _) = tool(url, &["rooms", "--json", "--of", &name(&servers[1])]).await;
    assert_eq!(said, "[]\n");

    let (status, _, said) = tool(url, &["drain", "nobody"]).await;
    assert_eq!(
        (status, said.as_str()),
        (Some(1), "error: nobody is not there: nobody takes commands under this name\n")
    );
    let (status, said, _) = tool(url, &["drain", &name(&servers[1])]).await;
    assert_eq!((status, said), (Some(0), format!("{} drains\n", name(&servers[1]))));
    until("it drains", async || page(servers[1].ops_addr(), "/readyz").await.1 == "draining\n").await;
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test]
async fn a_tool_without_its_broker_says_so_in_one_line() {
    let (status, _, said) = tool(None, &["instances"]).await;
    assert_eq!((status, said.as_str()), (Some(1), "error: which broker? --amqp-url or AMQP_URL names it\n"));
    let (status, _, said) = tool(Some("amqp://ann:secret@127.0.0.1:9"), &["rooms"]).await;
    assert_eq!((status, said.lines().count(), said.contains("secret")), (Some(1), 1, false), "{said}");
    assert!(said.starts_with("error: no broker answers at 127.0.0.1:9"), "{said}");
}
