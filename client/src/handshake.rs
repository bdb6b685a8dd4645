//! From a URL to a seat: the client's messages, and the server's possible answers.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use tiltyard_shared::protocol::{ClientMessage, Enter, Entered, Hello, Target, VERSION, capabilities};

use crate::{
    client::Options,
    connection::Told,
    error::Error,
    game::{ClientGame, KnownSchema},
    link::{Heard, Link, Plan},
    session::{Seat, Session},
};

/// The client's name and version.
const CLIENT: &str = concat!("tiltyard-client ", env!("CARGO_PKG_VERSION"));

/// The optional messages that this client understands.
const CAPABILITIES: u64 =
    capabilities::PIECES | capabilities::PACE | capabilities::WAIT | capabilities::ANNOUNCEMENT | capabilities::RESULT;

/// Connects, says hello and takes a seat; follows redirects. Dropping the future withdraws the wish.
///
/// # Errors
///
/// All errors but [`Error::Over`].
pub async fn enter<G: ClientGame>(options: &Options, target: Target) -> Result<(Link, Session<G>), Error> {
    let known = G::schema().map(KnownSchema::from);
    let mut link = Link::start(plan(options, true), options.url.clone());
    let mut asked = target.clone();
    loop {
        let far = Instant::now() + Duration::from_secs(3600);
        match link.next(&mut VecDeque::new(), far).await {
            Heard::Wish(request) => link.send(&wish(options, request, asked.clone(), known.as_ref())),
            Heard::Farewell => link.send(&ClientMessage::Leave),
            // Without a pass the wish is repeated there.
            Heard::Told(Told::Redirect { pass, .. }) if pass.is_empty() => asked = target.clone(),
            Heard::Told(Told::Redirect { pass, .. }) => asked = Target::Pass(pass),
            // A pass is good for one attempt, at the server that it is for.
            Heard::Told(Told::Waiting { .. }) => asked = target.clone(),
            Heard::Told(Told::Ready(Some(entered))) => match seat(*entered, known.clone()) {
                Ok((seat, schema)) => return Ok((link, Session::new(seat, schema, Instant::now()))),
                Err(error) => link.fail(error),
            },
            Heard::Told(Told::Over { why, code, message }) => return Err(link.error(why, code, message)),
            Heard::Told(Told::Message(_) | Told::Ready(None) | Told::Lost) => {}
            Heard::Frame(_) | Heard::Unknown | Heard::Time => {}
        }
    }
}

/// The plan of a link with these options.
pub(crate) fn plan(options: &Options, seat: bool) -> Plan {
    let hello = Hello {
        protocol: VERSION,
        client: CLIENT.to_owned(),
        client_key: options.client_key,
        credential: options.credential.clone(),
        capabilities: CAPABILITIES,
    };
    Plan {
        seat,
        patience: Some(options.patience),
        backoff: options.backoff.clone(),
        seed: options.seed,
        hello: ClientMessage::Hello(hello),
    }
}

/// The message that asks for a seat.
pub(crate) fn wish(options: &Options, request: u32, target: Target, known: Option<&KnownSchema>) -> ClientMessage {
    let (name, verify, schema) = (options.name.clone(), options.verify, known.map(|known| known.hash));
    ClientMessage::Enter(Enter { request, target, name, schema, verify, spectate: false })
}

/// Returns the seat, and the schema of its room.
///
/// # Errors
///
/// [`Error::OtherSchema`] if the game has other types than those known, [`Error::BadSchema`].
pub(crate) fn seat(entered: Entered, known: Option<KnownSchema>) -> Result<(Seat, KnownSchema), Error> {
    let schema = KnownSchema::of_room(known, entered.schema_hash, entered.schema.as_deref())?;
    Ok((Seat::from(entered), schema))
}
