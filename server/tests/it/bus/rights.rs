//! definitions.json: it says what the server declares, and its user can do what the server needs and no more.

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde_json::{Value, json};
use tiltyard_server::bus::{
    Bounds, InstanceId, rabbitmq,
    topology::{EXCHANGES, QUEUES},
};

use crate::bus::{
    ground::*,
    raw::{Attempt, Raw, ctl},
};

fn definitions() -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../rabbitmq/definitions.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// A list of definitions.json, without the vhost that all of it is in.
fn list(of: &Value, name: &str) -> Vec<Value> {
    let mut items = of[name].as_array().unwrap().clone();
    for item in &mut items {
        assert_eq!(item.as_object_mut().unwrap().remove("vhost"), Some(json!("tiltyard")));
    }
    items
}

#[test]
fn definitions_json_is_the_topology_of_the_server() {
    let written = definitions();
    let exchange = |one: &tiltyard_server::bus::topology::Exchange| {
        json!({
            "name": one.name, "type": one.kind.as_str(), "durable": true, "auto_delete": false, "internal": false,
            "arguments": {},
        })
    };
    let queue = |one: &tiltyard_server::bus::topology::Queue| json!({"name": one.name, "durable": true, "auto_delete": false, "arguments": {"x-queue-type": "quorum"}});
    let binding = |one: &tiltyard_server::bus::topology::Queue| {
        json!({
            "source": one.source, "destination": one.name, "destination_type": "queue", "routing_key": one.key,
            "arguments": {},
        })
    };
    assert_eq!(list(&written, "exchanges"), EXCHANGES.iter().map(exchange).collect::<Vec<_>>());
    assert_eq!(list(&written, "queues"), QUEUES.iter().map(queue).collect::<Vec<_>>());
    assert_eq!(list(&written, "bindings"), QUEUES.iter().map(binding).collect::<Vec<_>>());
}

/// The words of each line that rabbitmqctl prints about what is ours.
fn listed(arguments: &[&str]) -> BTreeSet<Vec<String>> {
    let words = |line: &str| line.split('\t').map(str::to_owned).collect::<Vec<_>>();
    ctl(arguments).lines().map(words).filter(|words| words[0].starts_with("tiltyard.")).collect()
}

#[tokio::test]
#[ignore = "needs a broker: make test-broker"]
async fn a_bare_broker_gets_the_topology_from_the_server() {
    let url = broker("AMQP_ADMIN_URL");
    let vhost = new_name("bare");
    ctl(&["add_vhost", &vhost]);
    ctl(&["set_permissions", "-p", &vhost, "admin", ".*", ".*", ".*"]);
    let url = url.replace("/tiltyard", &format!("/{vhost}"));
    let config = rabbitmq::Config { url, instance: InstanceId::new("bare").unwrap(), bounds: Bounds::default() };
    rabbitmq::open(config).unwrap().first_attempt().await.unwrap();
    for query in [
        vec!["list_exchanges", "name", "type", "durable", "auto_delete", "internal", "arguments"],
        vec!["list_bindings", "source_name", "destination_name", "routing_key", "arguments"],
    ] {
        let of = |vhost| listed(&[&query[..1], &["-p", vhost], &query[1..]].concat());
        let durable = |rows: BTreeSet<Vec<String>>| -> BTreeSet<Vec<String>> {
            let lasting = |row: &Vec<String>| {
                !row.iter().any(|word| word.starts_with("tiltyard.instance.") || word.starts_with("tiltyard.tickets."))
            };
            rows.into_iter().filter(lasting).collect()
        };
        assert_eq!(durable(of(&vhost)), durable(of("tiltyard")), "{query:?}");
    }
    let queues = |vhost| -> BTreeSet<Vec<String>> {
        let ours = |row: &Vec<String>| QUEUES.iter().any(|queue| queue.name == row[0]);
        listed(&["list_queues", "-p", vhost, "name", "durable", "auto_delete", "type"])
            .into_iter()
            .filter(ours)
            .collect()
    };
    assert_eq!(queues(&vhost).len(), QUEUES.len());
    assert_eq!(queues(&vhost), queues("tiltyard"));
    ctl(&["delete_vhost", &vhost]);
}

/// The other half of least privilege: all tests of this binary that use AMQP_URL run as this user.
#[tokio::test]
#[ignore = "needs a broker: make test-broker"]
async fn the_servers_user_is_refused_what_it_does_not_need() {
    let url = broker("AMQP_URL");
    let raw = Raw::connect(&url).await;
    for attempt in [
        Attempt::DeleteExchange("tiltyard.cluster"),
        Attempt::DeclareExchange("other"),
        Attempt::DeclareQueue("other"),
        Attempt::Consume("tiltyard.dead-letters"),
        Attempt::Consume("tiltyard.match-results"),
        Attempt::Purge("tiltyard.match-results"),
        Attempt::DeleteQueue("tiltyard.dead-letters"),
        Attempt::Bind { queue: "tiltyard.dead-letters", exchange: "tiltyard.lobby" },
        Attempt::Publish { exchange: "", key: "tiltyard.match-results" },
    ] {
        let refused = raw.attempt(&attempt).await.unwrap_err();
        assert!(refused.contains("ACCESS_REFUSED") || refused.contains("403"), "{attempt:?}: {refused}");
    }
    let elsewhere = rabbitmq::Config {
        url: url.replace("/tiltyard", "/%2f"),
        instance: InstanceId::new("elsewhere").unwrap(),
        bounds: Bounds::default(),
    };
    assert!(rabbitmq::open(elsewhere).unwrap().first_attempt().await.unwrap_err().is_configuration());
}
