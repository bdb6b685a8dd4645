//! The hello phase: a client says which protocol it speaks, may look around in the lobby, and says where it wants to
//! be, until a room takes the connection.

use tiltyard_core::admission::Bucket;
use tiltyard_shared::protocol::{
    ClientMessage, Code, Enter, Hello, ServerMessage, Target, VERSION, limits,
    search::SearchState,
    text::{self, Flaw},
};
use tokio::{sync::oneshot, time::timeout};
use tracing::{debug, error, field::display};
use uuid::Uuid;

use super::{
    Gateway,
    visitor::{Visitor, redirect},
};
use crate::{
    log::SessionName,
    metrics,
    net::socket::{self, Gone, Socket},
    placement::{Elsewhere, Found},
    room::door::{PendingJoin, RoomRequest},
    rooms::{DOOR_TIMEOUT, Way},
};

/// The number of wishes in a row that may be refused; one more closes the connection. Another is allowed after every
/// [`Timing::hello`](crate::config::Timing::hello).
const REFUSALS: u32 = 7;

/// The number of rooms to try for a wish for any room of a game: a room that fills up or closes while the client is on
/// its way there is no reason to refuse it.
const ATTEMPTS: u32 = 4;

/// A connection that did not get into a room.
struct Turned {
    /// `None` if a room failed while it had the socket.
    socket: Option<Socket>,
    gone: Gone,
}

/// Serves a new connection until it is in a room or closed.
pub(crate) async fn serve(mut socket: Socket, gateway: &Gateway) {
    let client = socket.line().peer();
    let mut visitor = Visitor::new(gateway);
    let turned = match hello(&mut socket, &mut visitor, gateway).await {
        Ok(()) => match find_seat(socket, visitor, gateway).await {
            Ok(()) => return,
            Err(turned) => turned,
        },
        Err(gone) => Turned { socket: Some(socket), gone },
    };
    debug!(%client, reason = %turned.gone, "connection closed before a room");
    if let Some(socket) = turned.socket {
        socket::close_handshake(socket, turned.gone, 0, gateway.timing.close_handshake).await;
    }
}

/// Handles the hello and answers with a welcome.
async fn hello(socket: &mut Socket, visitor: &mut Visitor<'_>, gateway: &Gateway) -> Result<(), Gone> {
    match visitor.next(socket).await? {
        ClientMessage::Hello(Hello { protocol, client, client_key, credential, capabilities }) => {
            if protocol != VERSION {
                return Err(Code::WrongVersion.into());
            }
            if client.len() > limits::NAME_BYTES
                || credential.is_some_and(|credential| credential.len() > limits::CREDENTIAL_BYTES)
            {
                return Err(Code::TooLarge.into());
            }
            (visitor.capabilities, visitor.client_key) = (capabilities, client_key);
            debug!(client = %socket.line().peer(), software = client, "hello");
        }
        _ => return Err(Code::TooEarly.into()),
    }
    let games = gateway.games.names().into_iter().map(str::to_owned).collect();
    visitor.start_waiting();
    visitor.start_pings();
    socket::say(
        socket,
        &ServerMessage::Welcome {
            protocol: VERSION,
            server: env!("CARGO_PKG_VERSION").to_owned(),
            games,
            capabilities: 0,
            identity: None,
            credential: None,
        },
    )
}

/// Handles wishes until one is granted.
async fn find_seat(mut socket: Socket, mut visitor: Visitor<'_>, gateway: &Gateway) -> Result<(), Turned> {
    let mut refusals = Bucket::new(REFUSALS, gateway.timing.hello, visitor.now());
    loop {
        let (request, Refusal { code, message, concerns }) = match next_wish(&mut socket, &mut visitor).await {
            Ok(Wish::Enter(wish)) => {
                let (request, concerns) = (wish.request, Concerns::of(&wish.target));
                match enter(socket, wish, visitor.capabilities, gateway).await {
                    Entered::Seated => return Ok(()),
                    Entered::Elsewhere(back, place) => {
                        socket = back;
                        if let Err(gone) = redirect(&mut socket, request, place) {
                            return Err(Turned { socket: Some(socket), gone });
                        }
                        visitor.start_waiting();
                        continue;
                    }
                    Entered::Refused(Some(back), code) => {
                        socket = back;
                        (request, Refusal { concerns, ..Refusal::at_door(code) })
                    }
                    Entered::Refused(None, code) => return Err(Turned { socket: None, gone: code.into() }),
                }
            }
            Ok(Wish::Refused(request, refusal)) => (request, refusal),
            Err(gone) => return Err(Turned { socket: Some(socket), gone }),
        };
        if code == Code::Stopping || !refusals.take(visitor.now()) {
            return Err(Turned { socket: Some(socket), gone: code.into() });
        }
        metrics::refusal(code);
        let Concerns { room, session } = concerns;
        let (client, room, session) = (socket.line().peer(), room.map(display), session.map(display));
        debug!(%client, room, session, %code, "wish refused");
        let refused = ServerMessage::refused_because(request, code, message);
        if let Err(gone) = socket::say(&mut socket, &refused) {
            return Err(Turned { socket: Some(socket), gone });
        }
        visitor.start_waiting();
    }
}

/// A client's wish.
enum Wish {
    /// A seat.
    Enter(Enter),
    /// A wish that is refused at once: its request and the reason.
    Refused(u32, Refusal),
}

/// The reason for a refusal, and the text for the client.
struct Refusal {
    code: Code,
    message: String,
    concerns: Concerns,
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self { code, message: code.to_string(), concerns: Concerns::default() }
    }
}

/// What a wish is about, for the log.
#[derive(Default)]
struct Concerns {
    room: Option<Uuid>,
    session: Option<SessionName>,
}

impl Concerns {
    fn of(target: &Target) -> Self {
        match target {
            Target::Room(room) => Self { room: Some(*room), session: None },
            Target::Resume(resume) => Self { room: Some(resume.room), session: Some(SessionName::of(resume.token)) },
            Target::Game(_) | Target::Create { .. } | Target::Code(_) | Target::Pass(_) => Self::default(),
        }
    }
}

impl Refusal {
    /// For a name without a plain form.
    fn of_name(flaw: Flaw) -> Self {
        Self { message: format!("{}: {flaw}", Code::BadName), ..Code::BadName.into() }
    }

    /// For a refusal by a room, which sees only plain names.
    fn at_door(code: Code) -> Self {
        match code {
            Code::BadName => {
                Self { message: format!("{code}: it looks like that of somebody in the room"), ..code.into() }
            }
            _ => code.into(),
        }
    }
}

/// Waits for the next wish of a client. It may browse the list of rooms until then.
async fn next_wish(socket: &mut Socket, visitor: &mut Visitor<'_>) -> Result<Wish, Gone> {
    loop {
        match visitor.next(socket).await? {
            ClientMessage::Browse { request, browse } => {
                if let Err(code) = visitor.browse(browse) {
                    return Ok(Wish::Refused(request, code.into()));
                }
            }
            ClientMessage::Search { request, search } => match visitor.search(search) {
                Ok(None) => {}
                Ok(Some(url)) => socket::say(socket, &ServerMessage::Redirect { request, url, pass: Vec::new() })?,
                Err(code) => return Ok(Wish::Refused(request, code.into())),
            },
            ClientMessage::CancelSearch { .. } => {
                if visitor.cancel_search() {
                    socket::say(socket, &ServerMessage::Search(SearchState::ended(Code::Cancelled)))?;
                }
            }
            ClientMessage::SearchAgain { id, .. } => visitor.search_again(id)?,
            ClientMessage::JoinChannel(wish) => visitor.chat(wish.request, |attending| attending.attend(&wish)),
            ClientMessage::LeaveChannel { request, channel } => {
                visitor.chat(request, |attending| attending.depart(&channel));
            }
            ClientMessage::SendMessage { request, channel, text } => {
                visitor.chat(request, |attending| attending.say(&channel, &text));
            }
            ClientMessage::Renew { request, .. } | ClientMessage::StandBy { request, .. } => {
                return Ok(Wish::Refused(request, Code::Unsupported.into()));
            }
            ClientMessage::Enter(Enter { request, target: Target::Resume(resume), .. })
                if resume.groups.len() > limits::RESUME_GROUPS =>
            {
                return Ok(Wish::Refused(request, Code::TooLarge.into()));
            }
            ClientMessage::Enter(mut enter) => match text::plain(&enter.name, limits::NAME_BYTES) {
                Ok(name) => {
                    enter.name = name;
                    return Ok(Wish::Enter(enter));
                }
                Err(flaw) => return Ok(Wish::Refused(enter.request, Refusal::of_name(flaw))),
            },
            ClientMessage::Hello(_) => return Err(Code::Malformed.into()),
            // They have been answered or taken where they are read.
            ClientMessage::Ping { .. } | ClientMessage::Pong { .. } => {}
            ClientMessage::Leave => return Err(Code::Left.into()),
            ClientMessage::Inputs { .. } | ClientMessage::Report(_) | ClientMessage::Resync(_) => {
                return Err(Code::TooEarly.into());
            }
        }
    }
}

/// The outcome of a wish for a seat.
enum Entered {
    /// A room has taken the connection.
    Seated,
    /// The seat is on another instance.
    Elsewhere(Socket, Elsewhere),
    /// It was refused. Without the socket if a room failed while it had it.
    Refused(Option<Socket>, Code),
}

/// Brings a connection into the room of its wish, or returns it with the reason.
async fn enter(mut socket: Socket, wish: Enter, capabilities: u64, gateway: &Gateway) -> Entered {
    let any_room = matches!(wish.target, Target::Game(_));
    let mut attempt = 1;
    loop {
        let claimed = match &wish.target {
            Target::Pass(pass) => gateway.matchmaking.claim(pass).await,
            _ => None,
        };
        let found = match claimed {
            Some(claimed) => claimed.map(Found::Here),
            None => gateway.placement.find(&wish.target, wish.spectate).await,
        };
        let way = match found {
            Ok(Found::Here(way)) => way,
            Ok(Found::There(place)) => return Entered::Elsewhere(socket, place),
            Err(code) => return Entered::Refused(Some(socket), code),
        };
        let (back, code) = match join(socket, &wish, capabilities, way).await {
            Ok(()) => return Entered::Seated,
            Err((Some(back), code)) => (back, code),
            Err((None, code)) => return Entered::Refused(None, code),
        };
        if !(any_room && is_elsewhere(code)) || attempt == ATTEMPTS {
            return Entered::Refused(Some(back), code);
        }
        socket = back;
        attempt += 1;
    }
}

/// Whether a wish for any room should try another one.
pub(super) fn is_elsewhere(code: Code) -> bool {
    matches!(code, Code::RoomFull | Code::Locked | Code::RoomClosed | Code::Finished)
}

/// Sends a connection to a room's door and waits for the answer.
async fn join(mut socket: Socket, wish: &Enter, capabilities: u64, way: Way) -> Result<(), (Option<Socket>, Code)> {
    let Way { arrival, reservation, seat } = way;
    let permit = match timeout(DOOR_TIMEOUT, arrival.door().reserve()).await {
        Ok(Ok(permit)) => permit,
        // Only its game can close a room that was just made.
        Ok(Err(_)) if matches!(wish.target, Target::Create { .. }) => return Err((Some(socket), Code::GameFailed)),
        Ok(Err(_)) => return Err((Some(socket), Code::RoomClosed)),
        Err(_) => return Err((Some(socket), Code::ServerFull)),
    };
    if socket.line_mut().detach().is_err() {
        return Err((None, Code::Internal));
    }
    let (reply, answer) = oneshot::channel();
    let join = PendingJoin { socket, wish: wish.clone(), capabilities, reservation, seat, reply };
    permit.send(RoomRequest::Join(Box::new(join)));
    match answer.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(mut refused)) => {
            let attached = refused.socket.line_mut().attach().is_ok();
            Err((attached.then_some(refused.socket), if attached { refused.code } else { Code::Internal }))
        }
        Err(_) => {
            error!("a room has lost a connection");
            Err((None, Code::Internal))
        }
    }
}
