//! Inside the room: what breaks a rule ends the connection with a typed code, frees the seat, and nobody else notices.

use futures_util::SinkExt as _;
use tiltyard_shared::{
    game::Tick,
    protocol::{ClientMessage, Code, Hello, Input, Report, Target, VERSION, codec, limits},
};
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    client::Client,
    game::{Pull, Strings, config, create, serve},
};

/// Sends what breaks a rule; the room must say so and free the seat, while another player in it plays on.
async fn breaks(messages: impl IntoIterator<Item = Message>, code: Code) {
    let server = serve(&config()).await;
    let (mut witness, seat) =
        Client::seated(server.listen_addr(), create(&Strings { seats: 2, ..Strings::default() })).await;
    let (mut client, lost) = Client::seated(server.listen_addr(), Target::Room(seat.room)).await;
    for message in messages {
        // The goodbye may come before the last of them.
        if client.stream.send(message).await.is_err() {
            break;
        }
    }
    assert_eq!(client.goodbye().await, (code, client.frames));
    witness.pull(&Pull::Step(5)).await;
    witness.until_place(seat.player, 5).await;
    // The seat is free for another; or it is kept, if a further try makes sense.
    if code.is_final() {
        Client::seated(server.listen_addr(), Target::Room(seat.room)).await;
    } else {
        assert_eq!(Client::resumed(server.listen_addr(), &lost).await.unwrap().1.player, lost.player);
    }
}

fn said(message: &ClientMessage) -> Message {
    Message::Binary(codec::encode(message).into())
}

fn input(number: u32, payload: Vec<u8>) -> Message {
    said(&ClientMessage::input(number, Report::default(), Tick(0), payload))
}

#[tokio::test]
async fn malformed() {
    breaks([Message::Binary(vec![2].into())], Code::Malformed).await;
    breaks([Message::Text("{}".into())], Code::Malformed).await;
    breaks(
        [said(&ClientMessage::Hello(Hello { protocol: VERSION, client: String::new(), ..Hello::default() }))],
        Code::Malformed,
    )
    .await;
}

#[tokio::test]
async fn too_large() {
    breaks([Message::Binary(vec![0; limits::MESSAGE_BYTES + 1].into())], Code::TooLarge).await;
    breaks([input(1, vec![0; limits::INPUT_BYTES + 1])], Code::TooLarge).await;
}

#[tokio::test]
async fn too_fast() {
    let report = said(&ClientMessage::Report(Report::default()));
    breaks(std::iter::repeat_n(report, 2000), Code::TooFast).await;
    breaks(std::iter::repeat_n(Message::Ping(vec![].into()), 2000), Code::TooFast).await;
}

#[tokio::test]
async fn too_many_inputs_in_few_messages() {
    let inputs = |first: u32| {
        let input = || Input { aim: Tick(0), payload: codec::encode(&Pull::Step(1)) };
        said(&ClientMessage::Inputs {
            number: first,
            report: Report::default(),
            inputs: (0..64).map(|_| input()).collect(),
        })
    };
    breaks((0..20).map(|message| inputs(message * 64 + 1)), Code::TooFast).await;
}

#[tokio::test]
async fn out_of_order() {
    breaks([input(7, codec::encode(&Pull::Step(1)))], Code::OutOfOrder).await;
}

#[tokio::test]
async fn leaving_is_granted() {
    breaks([said(&ClientMessage::Leave)], Code::Left).await;
}

#[tokio::test]
async fn what_is_no_input_is_refused_and_nothing_else() {
    let server = serve(&config()).await;
    let (mut client, seat) = Client::seated(server.listen_addr(), Target::Game("puppet".to_owned())).await;
    client.send(input(1, vec![99])).await;
    client.send(input(2, codec::encode(&Pull::Step(3)))).await;
    client.until_place(seat.player, 3).await;
}

#[tokio::test]
async fn endless_fragments_do_not_keep_the_room() {
    let server = serve(&config()).await;
    let target = create(&Strings { seats: 2, ..Strings::default() });
    let (mut witness, seat) = Client::seated(server.listen_addr(), target).await;
    let (mut client, _) = Client::seated(server.listen_addr(), Target::Room(seat.room)).await;
    // The first of a message that never ends, and 100,000 empty continuations of it.
    let mut bytes = vec![0x02, 0x80, 0, 0, 0, 0];
    bytes.extend([0x00, 0x80, 0, 0, 0, 0].repeat(100_000));
    let wire = &mut client.stream.get_mut().stream;
    let (_, ()) = tokio::join!(wire.write_all(&bytes), async {
        witness.pull(&Pull::Step(5)).await;
        witness.until_place(seat.player, 5).await;
    });
}
