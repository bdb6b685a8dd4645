//! The ways that ARCHITECTURE.md prints: one input, followed from socket to simulation to chunk to socket; and that every
//! step of every way is where its table says.

use std::{fs, path::Path};

use futures_util::StreamExt as _;
use tiltyard_shared::{
    game::Tick,
    protocol::{ClientMessage, FRAME, codec},
    replica::Applied,
};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    client::{Client, Seat},
    game::{Pull, Strings, config, create, serve},
};

/// The next frame: its tick, up to where inputs are settled if it says so, and where the player's figure then stands.
async fn next_frame(client: &mut Client, seat: &Seat) -> (Tick, Option<u32>, Option<i32>) {
    loop {
        let Some(Ok(message)) = client.stream.next().await else { panic!("the connection ended") };
        let Message::Binary(bytes) = message else { continue };
        if bytes[0] != FRAME {
            continue;
        }
        let replica = client.replica.as_mut().expect("there is a seat");
        let Applied::Frame(head) = replica.apply(&bytes).expect("the frame is good") else { continue };
        let report = ClientMessage::Report(replica.report());
        client.say(&report).await;
        let place = client.figure(seat.player).map(|figure| figure.place);
        return (head.tick, head.inputs.map(|inputs| inputs.number), place);
    }
}

#[tokio::test]
async fn one_input() {
    let server = serve(&config()).await;
    let (mut ann, seat) = Client::seated(server.listen_addr(), create(&Strings::default())).await;
    let (now, settled, place) = next_frame(&mut ann, &seat).await;
    assert_eq!((settled, place), (Some(0), Some(0)), "the first frame states everything");

    // Aimed so far ahead that it is early, whatever else this machine does.
    let aim = Tick(now.0 + 50);
    let replica = ann.replica.as_mut().expect("there is a seat");
    replica.sent_input(1);
    let (report, payload) = (replica.report(), codec::encode(&Pull::Step(7)));
    ann.say(&ClientMessage::input(1, report, aim, payload)).await;

    loop {
        let (tick, settled, place) = next_frame(&mut ann, &seat).await;
        if tick < aim {
            assert_eq!((settled, place), (None, Some(0)), "it waits for the tick that it aims at");
        } else {
            assert_eq!(
                (tick, settled, place),
                (aim, Some(1), Some(7)),
                "it is executed there, and the same frame shows it"
            );
            break;
        }
    }
}

/// A step of a way: the file, and the function in it.
fn steps(section: &str) -> Vec<(&str, &str)> {
    let rows = section.lines().filter(|line| line.starts_with('|') && line.contains(".rs`"));
    rows.map(|row| row.split('`').collect::<Vec<_>>()).map(|cells| (cells[1], cells[3])).collect()
}

#[test]
fn every_way_is_where_architecture_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |file: &str| fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let has = |file: &str, function: &str| {
        let source = read(file);
        source.contains(&format!("fn {function}(")) || source.contains(&format!("fn {function}<"))
    };
    let text = read("ARCHITECTURE.md");
    let mut lengths = Vec::new();
    for section in text.split("\n## ").filter(|section| section.starts_with("The way of ")) {
        let steps = steps(section);
        for (file, function) in &steps {
            assert!(has(file, function), "{file} has no {function}");
        }
        // The test that follows it: `name` (file).
        let (name, file) = section.split_once("` (").expect("a test follows it");
        let (name, file) = (name.rsplit('`').next().unwrap(), file.split(')').next().unwrap());
        assert!(has(file, name), "{file} has no test {name}");
        lengths.push(steps.len());
    }
    assert_eq!(lengths, [12, 17, 8, 15]);
}
