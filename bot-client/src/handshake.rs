//! From a URL to a seat: hello, enter, and what a server may answer.

use std::time::{Duration, Instant};

use tiltyard_shared::{
    game::Game,
    protocol::{CONTROL, ClientMessage, Enter, Hello, ServerMessage, Target, VERSION, capabilities, codec},
    schema::Schema,
};
use tokio::time::timeout;

use crate::{
    client::Options,
    error::{Error, Violation},
    session::{Seat, Session},
    socket::Socket,
};

/// The whole way from the URL to the seat may take so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a client says that it is.
const CLIENT: &str = concat!("tiltyard-bot ", env!("CARGO_PKG_VERSION"));

/// Most redirects that are followed for one wish.
const REDIRECTS: u32 = 3;

/// Connects, says hello and asks for a seat; goes where the server sends it, if that does not happen too often.
///
/// # Errors
///
/// Every [`Error`] but [`Error::Over`].
pub async fn enter<G: Game>(options: &Options, target: Target) -> Result<(Socket, Seat), Error> {
    let (socket, seat, _) = enter_at::<G>(options, options.url.clone(), target).await?;
    Ok((socket, seat))
}

/// As [`enter`], first at this URL. Also says where the seat is.
pub(crate) async fn enter_at<G: Game>(
    options: &Options,
    url: String,
    target: Target,
) -> Result<(Socket, Seat, String), Error> {
    timeout(PATIENCE, enter_patiently::<G>(options, url, target)).await.unwrap_or(Err(Error::Timeout))
}

/// As [`enter`], with the [`Session`] of the seat.
///
/// # Errors
///
/// As [`enter`].
pub async fn open<G: Game>(options: &Options, target: Target) -> Result<(Socket, Session<G>), Error> {
    let (socket, seat) = enter::<G>(options, target).await?;
    Ok((socket, Session::new(seat, Instant::now())))
}

/// Connects and says hello.
pub(crate) async fn hello(url: &str) -> Result<Socket, Error> {
    let mut socket = Socket::open(url).await?;
    let hello = ClientMessage::Hello(Hello {
        protocol: VERSION,
        client: CLIENT.to_owned(),
        capabilities: capabilities::PACE,
        ..Hello::default()
    });
    match read(&socket.ask(&hello).await?)? {
        ServerMessage::Welcome { .. } => Ok(socket),
        other => Err(no(other)),
    }
}

async fn enter_patiently<G: Game>(
    options: &Options,
    mut url: String,
    mut target: Target,
) -> Result<(Socket, Seat, String), Error> {
    let mut left = REDIRECTS;
    loop {
        match enter_once::<G>(&url, options, target.clone()).await {
            Err(Error::Redirected { url: there, pass }) if left > 0 => {
                left -= 1;
                url = there;
                // Without a pass the wish is said there once more.
                target = if pass.is_empty() { target } else { Target::Pass(pass) };
            }
            entered => return entered.map(|(socket, seat)| (socket, seat, url)),
        }
    }
}

async fn enter_once<G: Game>(url: &str, options: &Options, target: Target) -> Result<(Socket, Seat), Error> {
    let mut socket = hello(url).await?;
    let ours = Schema::hash(&Schema::of::<G>().to_json());
    let (name, verify) = (options.name.clone(), options.verify);
    let enter = Enter { request: 1, target, name, schema: Some(ours), verify, spectate: false };
    match read(&socket.ask(&ClientMessage::Enter(enter)).await?)? {
        ServerMessage::Entered(entered) if entered.schema_hash != ours => {
            Err(Error::OtherSchema { ours, theirs: entered.schema_hash })
        }
        ServerMessage::Entered(entered) => Ok((socket, Seat::from(*entered))),
        other => Err(no(other)),
    }
}

/// The control message of these bytes.
pub(crate) fn read(bytes: &[u8]) -> Result<ServerMessage, Error> {
    let rest = bytes.strip_prefix(&[CONTROL]).ok_or(Violation::UnknownKind)?;
    Ok(codec::decode_server(rest).map_err(Violation::Control)?)
}

/// An answer that is not the one hoped for.
pub(crate) fn no(message: ServerMessage) -> Error {
    match message {
        ServerMessage::Refused { code, message, .. } | ServerMessage::Goodbye { code, message, .. } => {
            Error::Refused { code, message }
        }
        ServerMessage::Redirect { url, pass, .. } => Error::Redirected { url, pass },
        ServerMessage::Welcome { .. } => Violation::Unexpected("a second welcome").into(),
        ServerMessage::Entered { .. } => Violation::Unexpected("a seat before the welcome").into(),
        ServerMessage::Search(_) => Violation::Unexpected("a search that nobody began").into(),
        ServerMessage::ChannelMessage { .. } | ServerMessage::Present { .. } => {
            Violation::Unexpected("chat in a channel that nobody attended").into()
        }
        ServerMessage::Rooms { .. } | ServerMessage::RoomsChanged { .. } => {
            Violation::Unexpected("a list of rooms that nobody asked for").into()
        }
        _ => Violation::Unexpected("anything but an answer").into(),
    }
}
