//! From a URL to a seat: what a client says, and what a server may answer.

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

/// What a client says that it is.
const CLIENT: &str = concat!("tiltyard-client ", env!("CARGO_PKG_VERSION"));

/// What a client understands beside what all must.
const CAPABILITIES: u64 =
    capabilities::PIECES | capabilities::PACE | capabilities::WAIT | capabilities::ANNOUNCEMENT | capabilities::RESULT;

/// Connects, says hello and takes a seat; goes where the server sends it. Who drops the future takes the wish back.
///
/// # Errors
///
/// Every [`Error`] but [`Error::Over`].
pub async fn enter<G: ClientGame>(options: &Options, target: Target) -> Result<(Link, Session<G>), Error> {
    let known = G::schema().map(KnownSchema::from);
    let mut link = Link::start(plan(options, true), options.url.clone());
    let mut asked = target.clone();
    loop {
        let far = Instant::now() + Duration::from_secs(3600);
        match link.next(&mut VecDeque::new(), far).await {
            Heard::Wish(request) => link.send(&wish(options, request, asked.clone(), known.as_ref())),
            Heard::Farewell => link.send(&ClientMessage::Leave),
            // Without a pass the wish is said there once more.
            Heard::Told(Told::Redirect { pass, .. }) if pass.is_empty() => asked = target.clone(),
            Heard::Told(Told::Redirect { pass, .. }) => asked = Target::Pass(pass),
            // A pass is good for one attempt, where it was given for.
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

/// How a link with these options connects.
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

/// What asks for a seat.
pub(crate) fn wish(options: &Options, request: u32, target: Target, known: Option<&KnownSchema>) -> ClientMessage {
    let (name, verify, schema) = (options.name.clone(), options.verify, known.map(|known| known.hash));
    ClientMessage::Enter(Enter { request, target, name, schema, verify, spectate: false })
}

/// The seat that was given, and the schema of its room.
///
/// # Errors
///
/// [`Error::OtherSchema`] if it is one in a game of other types than are known, [`Error::BadSchema`].
pub(crate) fn seat(entered: Entered, known: Option<KnownSchema>) -> Result<(Seat, KnownSchema), Error> {
    let schema = KnownSchema::of_room(known, entered.schema_hash, entered.schema.as_deref())?;
    Ok((Seat::from(entered), schema))
}
