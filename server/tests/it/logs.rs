//! What a log tells of players, and what it never tells.

use serde_json::Value;
use tiltyard_shared::protocol::{ClientMessage, Code, Target};
use uuid::Uuid;

use crate::{
    client::Client,
    http::post,
    process::{end, serve},
};

/// The lines with this message.
fn told<'a>(lines: &'a [Value], message: &str) -> Vec<&'a Value> {
    lines.iter().map(|line| &line["fields"]).filter(|fields| fields["message"] == message).collect()
}

#[tokio::test]
async fn lines_of_json_name_instance_room_player_session_and_client_and_no_secret() {
    let server = serve(&["--log-json", "--log", "debug", "--instance", "eu-1"]);
    let addr = server.listen();
    let (mut ann, seat) = Client::seated(addr, Target::Game("arena".to_owned())).await;
    let (_, reserved) = post(addr, &format!("/api/rooms/{}/seats", seat.room), "").await;
    let pass = reserved["pass"].as_str().unwrap().to_owned();
    let bytes = (0..pass.len()).step_by(2).map(|at| u8::from_str_radix(&pass[at..at + 2], 16).unwrap()).collect();
    let (_bob, bobs) = Client::seated(addr, Target::Pass(bytes)).await;
    let nowhere = Uuid::new_v4();
    let mut carl = Client::welcome(addr).await;
    assert_eq!(carl.enter(Target::Room(nowhere)).await.unwrap_err(), Code::UnknownRoom);
    ann.say(&ClientMessage::Leave).await;
    assert_eq!(ann.goodbye().await.0, Code::Left);
    assert_eq!(Client::resumed(addr, &seat).await.err(), Some(Code::UnknownSession));
    server.signal("INT").unwrap();
    let (_, said) = end(server);

    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line["instance"] == "eu-1"), "{said}");
    let address = |fields: &Value| fields["client"].as_str().is_some_and(|text| text.starts_with("127.0.0.1:"));
    let entered = told(&lines, "player entered");
    assert_eq!(entered.len(), 2, "{said}");
    for (fields, seat) in entered.iter().zip([&seat, &bobs]) {
        assert_eq!(fields["room"], seat.room.to_string());
        assert_eq!(fields["player"], seat.player.0);
        assert!(fields["session"].as_str().is_some_and(|text| text.len() == 8) && address(fields), "{fields}");
    }
    assert_ne!(entered[0]["session"], entered[1]["session"]);
    let left = &told(&lines, "player's connection closed")[0];
    for field in ["room", "player", "session", "client"] {
        assert_eq!(left[field], entered[0][field], "{field}");
    }
    let refused = told(&lines, "wish refused");
    assert!(refused[0]["room"] == nowhere.to_string() && address(refused[0]), "{said}");
    assert_eq!(refused[1]["session"], entered[0]["session"]);
    for token in [seat.token, bobs.token] {
        for secret in [token.to_string(), token.simple().to_string()] {
            assert!(!said.contains(&secret), "{said}");
        }
    }
    assert!(!said.contains(&pass), "{said}");
}
