//! The hello phase: a client says which protocol it speaks, then where it wants to be, until a room has it.

use std::time::Duration;

use tiltyard_shared::protocol::{ClientMessage, Code, Enter, ServerMessage, Target, VERSION, limits};
use tokio::{sync::oneshot, time::timeout};
use tracing::{debug, error};

use super::Gateway;
use crate::{
    ops::metrics,
    room::guest::Guest,
    rooms::Arrival,
    socket::{self, Gone, Socket},
};

/// Most wishes of one connection; after the last refusal it is closed.
const MAX_WISHES: u32 = 8;

/// Most bytes of one connection before it is in a room.
const MAX_BYTES: usize = 64 * 1024;

/// A room that fills up or closes while a guest is on the way is no reason to refuse who wants any room of a game: so
/// often another is tried.
const ATTEMPTS: u32 = 4;

/// A room has so long to make room at its door.
const DOOR_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection whose wish was not granted.
struct Turned {
    /// `None` if a room failed while it had the socket.
    socket: Option<Socket>,
    gone: Gone,
}

/// Serves a new connection until it is in a room or closed.
pub(crate) async fn serve(mut socket: Socket, gateway: &Gateway) {
    let peer = socket.get_ref().peer();
    socket.get_mut().allow(MAX_BYTES);
    let turned = match in_time(gateway, hello(&mut socket, gateway)).await {
        Ok(()) => match find_seat(socket, gateway).await {
            Ok(()) => return,
            Err(turned) => turned,
        },
        Err(gone) => Turned { socket: Some(socket), gone },
    };
    debug!(%peer, reason = %turned.gone, "connection closed before a room");
    if let Some(socket) = turned.socket {
        socket::farewell(socket, turned.gone.code(), 0, gateway.timing.farewell).await;
    }
}

/// Hello and welcome.
async fn hello(socket: &mut Socket, gateway: &Gateway) -> Result<(), Gone> {
    match socket::read(socket).await? {
        ClientMessage::Hello { protocol, client } => {
            if protocol != VERSION {
                return Err(Code::WrongVersion.into());
            }
            if client.len() > limits::NAME_BYTES {
                return Err(Code::TooLarge.into());
            }
            debug!(peer = %socket.get_ref().peer(), client, "hello");
        }
        _ => return Err(Code::TooEarly.into()),
    }
    let games = gateway.rooms.games().names().into_iter().map(str::to_owned).collect();
    socket::say(
        socket,
        &ServerMessage::Welcome { protocol: VERSION, server: env!("CARGO_PKG_VERSION").to_owned(), games },
    )
}

/// Wishes, until one is granted.
async fn find_seat(mut socket: Socket, gateway: &Gateway) -> Result<(), Turned> {
    for number in 1..=MAX_WISHES {
        let wish = match in_time(gateway, wish(&mut socket)).await {
            Ok(wish) => wish,
            Err(gone) => return Err(Turned { socket: Some(socket), gone }),
        };
        let (back, code) = match enter(socket, wish, gateway).await {
            Ok(()) => return Ok(()),
            Err((Some(back), code)) => (back, code),
            Err((None, code)) => return Err(Turned { socket: None, gone: code.into() }),
        };
        socket = back;
        if number == MAX_WISHES || code == Code::Stopping {
            return Err(Turned { socket: Some(socket), gone: code.into() });
        }
        metrics::refusal(code);
        debug!(peer = %socket.get_ref().peer(), %code, "wish refused");
        let refused = ServerMessage::Refused { code, message: code.to_string() };
        if let Err(gone) = in_time(gateway, socket::tell(&mut socket, &refused)).await {
            return Err(Turned { socket: Some(socket), gone });
        }
    }
    unreachable!("the last wish returns")
}

/// The next wish of a client.
async fn wish(socket: &mut Socket) -> Result<Enter, Gone> {
    match socket::read(socket).await? {
        ClientMessage::Enter(enter) => Ok(enter),
        ClientMessage::Hello { .. } => Err(Code::Malformed.into()),
        ClientMessage::Leave => Err(Code::Left.into()),
        ClientMessage::Input { .. } | ClientMessage::Report(_) | ClientMessage::Jump(_) => Err(Code::TooEarly.into()),
    }
}

/// Brings a connection into the room of its wish; otherwise gives it back with the reason.
async fn enter(mut socket: Socket, wish: Enter, gateway: &Gateway) -> Result<(), (Option<Socket>, Code)> {
    if !is_name(&wish.name) {
        return Err((Some(socket), Code::BadName));
    }
    let any_room = matches!(wish.target, Target::Game(_));
    let mut attempt = 1;
    loop {
        let arrival = match gateway.rooms.arrive(&wish.target).await {
            Ok(arrival) => arrival,
            Err(code) => return Err((Some(socket), code)),
        };
        let (back, code) = match visit(socket, &wish, &arrival).await {
            Ok(()) => return Ok(()),
            Err((Some(back), code)) => (back, code),
            Err(lost) => return Err(lost),
        };
        let elsewhere = any_room && matches!(code, Code::RoomFull | Code::RoomClosed | Code::Finished);
        if !elsewhere || attempt == ATTEMPTS {
            return Err((Some(back), code));
        }
        socket = back;
        attempt += 1;
    }
}

/// Sends a connection to a room's door and waits for the answer.
async fn visit(mut socket: Socket, wish: &Enter, arrival: &Arrival) -> Result<(), (Option<Socket>, Code)> {
    let permit = match timeout(DOOR_TIMEOUT, arrival.door().reserve()).await {
        Ok(Ok(permit)) => permit,
        // Nobody but its game closes a room that has just been made.
        Ok(Err(_)) if matches!(wish.target, Target::Create { .. }) => return Err((Some(socket), Code::GameFailed)),
        Ok(Err(_)) => return Err((Some(socket), Code::RoomClosed)),
        Err(_) => return Err((Some(socket), Code::ServerFull)),
    };
    if socket.get_mut().detach().is_err() {
        return Err((None, Code::Internal));
    }
    let (reply, answer) = oneshot::channel();
    permit.send(Guest { socket, wish: wish.clone(), reply });
    match answer.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(mut refused)) => {
            let attached = refused.socket.get_mut().attach().is_ok();
            Err((attached.then_some(refused.socket), if attached { refused.code } else { Code::Internal }))
        }
        Err(_) => {
            error!("a room has lost a guest");
            Err((None, Code::Internal))
        }
    }
}

/// At most [`limits::NAME_BYTES`], trimmed, no control characters; may be empty.
fn is_name(name: &str) -> bool {
    name.len() <= limits::NAME_BYTES && name.trim() == name && !name.chars().any(char::is_control)
}

/// The outcome of one step of the hello phase; [`Code::HelloTimeout`] if it takes too long, [`Code::Stopping`] if the
/// server stops first.
async fn in_time<T>(gateway: &Gateway, step: impl Future<Output = Result<T, Gone>>) -> Result<T, Gone> {
    let mut stop = gateway.stop.clone();
    tokio::select! {
        outcome = timeout(gateway.timing.hello, step) => outcome.map_err(|_| Code::HelloTimeout)?,
        () = stop.requested() => Err(Code::Stopping.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_are_short_trimmed_and_without_control_characters() {
        for good in ["", "Ann", "Ann Lee", "äöü", "0123456789abcdef0123456789abcdef"] {
            assert!(is_name(good), "{good:?}");
        }
        for bad in [" ", " Ann", "Ann\t", "A\nB", "A\u{7f}", "0123456789abcdef0123456789abcdef0"] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }
}
