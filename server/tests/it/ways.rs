//! One input, followed from socket to simulation to chunk to socket; ARCHITECTURE.md prints its way.

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

#[test]
fn the_way_of_one_input_is_where_architecture_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let (_, section) = text.split_once("## The way of one input").expect("there is such a section");
    let section = section.split("\n## ").next().unwrap();
    let mut files = Vec::new();
    for row in section.lines().filter(|line| line.contains(".rs`")) {
        let cells: Vec<&str> = row.split('`').collect();
        let (file, function) = (cells[1], cells[3]);
        let source = fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(
            source.contains(&format!("fn {function}(")) || source.contains(&format!("fn {function}<")),
            "{file} has no {function}"
        );
        files.push(file);
    }
    assert_eq!(files.len(), 12, "six in, six out");
}
