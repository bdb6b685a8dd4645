//! The little of Colyseus 0.18's protocol that the load needs: a seat over HTTP, the kinds of messages.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

use serde_json::Value;

/// The server has given the seat; the client answers with the same byte.
pub(super) const JOIN_ROOM: u8 = 10;
/// A message of the room's own protocol.
const ROOM_DATA: u8 = 13;
/// The changes of the state since the last patch.
pub(super) const ROOM_STATE_PATCH: u8 = 15;

/// Reserves a seat in any room of a game; where to connect for it.
pub(super) fn reserve(addr: SocketAddr, game: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(addr)?;
    write!(
        stream,
        "POST /matchmake/joinOrCreate/{game} HTTP/1.1\r\nHost: {addr}\r\nContent-Type: application/json\r\n\
         Content-Length: 2\r\nConnection: close\r\n\r\n{{}}"
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let json = text.find('{').zip(text.rfind('}')).and_then(|(start, end)| text.get(start..=end));
    let seat: Value = serde_json::from_str(json.unwrap_or_default())?;
    // 0.18 answers flat, releases before it had the room's fields inside `room`.
    let field = |name: &str| seat[name].as_str().or_else(|| seat["room"][name].as_str()).unwrap_or_default().to_owned();
    let (process, room, session) = (field("processId"), field("roomId"), field("sessionId"));
    if room.is_empty() || session.is_empty() {
        return Err(io::Error::other(format!("no seat: {text}")));
    }
    Ok(format!("/{process}/{room}?sessionId={session}"))
}

/// A message of type `turn` with a small integer, as its SDK writes it: the type and the value in MessagePack.
pub(super) fn message(payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![ROOM_DATA, 0xA4];
    bytes.extend(b"turn");
    bytes.extend([0xD0, payload.first().copied().unwrap_or(0)]);
    bytes
}
