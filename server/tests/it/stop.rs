//! How a server stops: everybody is told, wherever they are.

use tiltyard_shared::protocol::{Code, Target};

use crate::{
    client::Client,
    game::{Pull, Strings, config, create, serve},
};

#[tokio::test]
async fn players_and_whoever_is_on_the_way_are_told() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let (mut player, seat) = Client::seated(addr, create(&Strings::default())).await;
    player.until_place(seat.player, 0).await;
    let mut welcomed = Client::welcome(addr).await;
    let mut fresh = Client::connect(addr).await;
    let told = async {
        let (player_told, welcomed_told, fresh_told) =
            tokio::join!(player.goodbye(), welcomed.goodbye(), fresh.goodbye());
        assert_eq!(player_told.0, Code::Stopping);
        assert_eq!((welcomed_told, fresh_told), ((Code::Stopping, 0), (Code::Stopping, 0)));
    };
    tokio::join!(server.stop(), told);
    assert!(player.frames > 0);
    assert!(tokio::net::TcpStream::connect(addr).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_peer_that_never_closes_does_not_keep_the_server() {
    let mut config = config();
    config.timing.close_handshake = std::time::Duration::from_millis(50);
    let server = serve(&config).await;
    let (_deaf, _) = Client::seated(server.listen_addr(), create(&Strings::default())).await;
    let _silent = Client::connect(server.listen_addr()).await;
    server.stop().await;
}

#[tokio::test]
async fn who_has_a_seat_comes_back_to_a_server_that_drains_and_nobody_else_comes_in() {
    let server = serve(&config()).await;
    let addr = server.listen_addr();
    let (player, seat) = Client::seated(addr, create(&Strings::default())).await;
    server.drain();
    drop(player);
    let (_player, back) = Client::resumed(addr, &seat).await.expect("the seat is kept");
    assert_eq!(back.player, seat.player);
    let mut late = Client::welcome(addr).await;
    late.wish(Target::Room(seat.room)).await;
    assert_eq!(late.goodbye().await.0, Code::Stopping);
}

#[tokio::test]
async fn where_no_other_instance_is_players_stay_until_the_server_stops() {
    let server = serve(&config()).await;
    let (mut player, seat) = Client::seated(server.listen_addr(), create(&Strings::default())).await;
    server.drain();
    server.send_players_on().await;
    player.pull(&Pull::Step(2)).await;
    player.until_place(seat.player, 2).await;
    tokio::join!(server.stop(), async { assert_eq!(player.goodbye().await.0, Code::Stopping) });
}
