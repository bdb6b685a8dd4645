//! The HTTP API for pages, scripts and other servers: it tells what can be played and where, makes rooms, reserves
//! seats and searches for matches. JSON in, JSON out, every error typed. The seat itself is taken over WebSocket with
//! the pass.
//!
//! It sends no headers for other origins, so that browsers let only the server's own pages use it.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header::CACHE_CONTROL},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tiltyard_shared::{
    game::Mode,
    protocol::{
        Code, ServerMessage, Target, VERSION, limits,
        lobby::{Browse, RoomCode, RoomEntry, RoomOptions},
    },
};
use uuid::Uuid;

use super::{Gateway, hello::is_elsewhere};
use crate::{
    metrics,
    net::http::ConnectionPermit,
    placement::{Elsewhere, Found},
    room::door::Arrival,
};

mod failure;
mod json;
mod tickets;

use failure::Failure;
use json::Json;
pub(crate) use tickets::Tickets;

/// The number of rooms that a quick join asks for a seat before it gives up.
const ATTEMPTS: u32 = 4;

type Answer = Result<Response, Failure>;

/// All routes under `/api`.
pub(super) fn router() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/api/version", get(version))
        .route("/api/games", get(games))
        .route("/api/rooms", get(list).post(create))
        .route("/api/rooms/{room}", get(show))
        .route("/api/rooms/{room}/seats", post(keep_seat))
        .route("/api/quick-join", post(quick_join))
        .merge(tickets::router())
        .route("/api/{*rest}", get(nothing).post(nothing))
        .method_not_allowed_fallback(async || Failure::method())
        .layer(from_fn(watch))
}

/// Limits and counts requests. Answers describe the moment and must not be cached.
async fn watch(request: Request, next: Next) -> Response {
    let allowed = request.extensions().get::<ConnectionPermit>().is_none_or(ConnectionPermit::take_request);
    let mut response = if allowed { next.run(request).await } else { Failure::from(Code::TooFast).into_response() };
    let failed = response.extensions_mut().remove::<failure::Name>();
    metrics::request(failed.map_or_else(|| "ok".to_owned(), |name| name.0));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn nothing() -> Answer {
    Err(Failure::not_found())
}

/// `GET /api/version`: the version of what is served; a page that was loaded with another stamp is outdated.
async fn version(State(gateway): State<Arc<Gateway>>) -> Response {
    let stamp = gateway.pages.stamp();
    axum::Json(json!({ "version": env!("CARGO_PKG_VERSION"), "protocol": VERSION, "stamp": stamp })).into_response()
}

#[derive(Serialize)]
struct GameEntry {
    name: &'static str,
    seats: u32,
    rooms: u32,
    players: u32,
    config: Value,
    schema_hash: String,
    /// The modes that can be searched for.
    modes: Vec<ModeEntry>,
}

#[derive(Serialize)]
struct ModeEntry {
    name: String,
    teams: usize,
    team_size: usize,
    /// When a search that has found no match ends.
    give_up_ms: u64,
}

/// `GET /api/games`: seats and config are those of a room with the default config.
async fn games(State(gateway): State<Arc<Gateway>>) -> Response {
    let games = gateway.games.iter().map(|game| {
        let (rooms, players) = gateway.here.lobby().look(|directory| {
            let rooms = directory.rooms().filter(|listing| listing.entry.game == game.name());
            rooms.fold((0, 0), |(rooms, players), listing| (rooms + 1, players + listing.entry.players))
        });
        let seats = game.prepare(None).map_or(0, |prepared| prepared.seats);
        let (config, schema_hash) = (game.default_config(), format!("{:016x}", game.schema().hash));
        let mode = |(mode, _): (Mode, _)| ModeEntry {
            name: mode.name,
            teams: mode.teams,
            team_size: mode.team_size,
            give_up_ms: u64::try_from(mode.give_up.as_millis()).unwrap_or(u64::MAX),
        };
        let modes = game.modes().into_iter().map(mode).collect();
        GameEntry { name: game.name(), seats, rooms, players, config, schema_hash, modes }
    });
    axum::Json(json!({ "games": games.collect::<Vec<_>>() })).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    game: Option<String>,
    #[serde(default)]
    open: bool,
    #[serde(default)]
    page: u32,
}

/// `GET /api/rooms?game=&open=&page=`: the same page as over WebSocket.
async fn list(State(gateway): State<Arc<Gateway>>, filter: Result<Query<Filter>, QueryRejection>) -> Answer {
    let Query(Filter { game, open, page }) =
        filter.map_err(|error| Failure::new(Code::BadFilter, error.body_text()))?;
    let browse = Browse { game: game.filter(|game| !game.is_empty()), open, page };
    browse.check()?;
    browse.game.as_ref().map(|game| gateway.game(game)).transpose()?;
    let (_, message) = gateway.here.lobby().look(|directory| directory.snapshot(&browse));
    let ServerMessage::Rooms { revision, total, rooms } = message else { return Err(Code::Internal.into()) };
    let pages = u64::from(total).div_ceil(limits::PAGE_ROOMS as u64);
    let list = json!({ "revision": revision, "total": total, "page": page, "pages": pages, "rooms": rooms });
    Ok(axum::Json(list).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRoom {
    game: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    private: bool,
    config: Option<Value>,
}

/// `POST /api/rooms`: a new room, which waits for its first player as long as an empty room lives.
async fn create(State(gateway): State<Arc<Gateway>>, Json(new): Json<NewRoom>) -> Answer {
    let game = gateway.game(&new.game)?;
    if gateway.here.is_draining() {
        return Err(Code::Stopping.into());
    }
    let config = new.config.map(|config| game.encode_config(config)).transpose();
    let config = config.map_err(|why| Failure::new(Code::BadConfig, why))?;
    let options = RoomOptions { title: new.title, private: new.private };
    let arrival = gateway.rooms.create(&new.game, config.as_deref(), &options).await?;
    gateway.rooms.ask(&arrival).await.map_err(|code| if code == Code::RoomClosed { Code::GameFailed } else { code })?;
    Ok((StatusCode::CREATED, axum::Json(entry(&gateway, &Which::Id(arrival.room()))?)).into_response())
}

/// `GET /api/rooms/{id or code}`: also for a private room.
async fn show(State(gateway): State<Arc<Gateway>>, Path(room): Path<String>) -> Answer {
    Ok(axum::Json(entry(&gateway, &Which::parse(&room)?)?).into_response())
}

/// `POST /api/rooms/{id or code}/seats`: reserves a seat in this room for the bearer of the returned pass.
async fn keep_seat(State(gateway): State<Arc<Gateway>>, Path(room): Path<String>, headers: HeaderMap) -> Answer {
    let target = match Which::parse(&room)? {
        Which::Id(id) => Target::Room(id),
        Which::Code(code) => Target::Code(code.to_string()),
    };
    match gateway.placement.find(&target, false).await? {
        Found::Here(way) => seat(&gateway, &headers, &way.arrival).await,
        Found::There(place) => seat_elsewhere(place),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuickJoin {
    game: String,
}

/// `POST /api/quick-join`: reserves a seat in any room of a game.
async fn quick_join(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    Json(QuickJoin { game }): Json<QuickJoin>,
) -> Answer {
    let mut attempt = 1;
    loop {
        let way = match gateway.placement.find(&Target::Game(game.clone()), false).await? {
            Found::Here(way) => way,
            Found::There(place) => return seat_elsewhere(place),
        };
        match seat(&gateway, &headers, &way.arrival).await {
            Err(failure) if failure.code().is_some_and(is_elsewhere) && attempt < ATTEMPTS => attempt += 1,
            answer => return answer,
        }
    }
}

#[derive(Serialize)]
struct Seat {
    room: Uuid,
    /// Hex.
    pass: String,
    /// The WebSocket URL to show it at.
    url: String,
    expires_in_ms: u64,
}

async fn seat(gateway: &Gateway, headers: &HeaderMap, arrival: &Arrival) -> Answer {
    let pass = gateway.rooms.keep_seat(arrival).await?;
    Ok(kept(arrival.room(), &pass, gateway.socket_url(headers)))
}

/// The answer for a seat on another instance. Without a pass that instance did not answer, and there is no seat.
fn seat_elsewhere(place: Elsewhere) -> Answer {
    match place {
        Elsewhere { url, pass, room: Some(room) } if !pass.is_empty() => Ok(kept(room, &pass, url)),
        Elsewhere { .. } => Err(Code::ServerFull.into()),
    }
}

fn kept(room: Uuid, pass: &[u8], url: String) -> Response {
    let seat = Seat { room, pass: hex(pass), url, expires_in_ms: limits::PASS_LIFETIME.as_millis() as u64 };
    (StatusCode::CREATED, axum::Json(seat)).into_response()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A room as named in a path.
enum Which {
    Id(Uuid),
    Code(RoomCode),
}

impl Which {
    fn parse(text: &str) -> Result<Self, Code> {
        match text.len() {
            36 => text.parse().map(Self::Id).map_err(|_| Code::BadCode),
            _ => text.parse().map(Self::Code),
        }
    }
}

fn entry(gateway: &Gateway, which: &Which) -> Result<RoomEntry, Code> {
    let found = gateway.here.lobby().look(|directory| {
        let listing = match which {
            Which::Id(id) => directory.find(*id),
            Which::Code(code) => directory.find_code(*code),
        };
        listing.map(|listing| listing.entry.clone())
    });
    found.ok_or(Code::UnknownRoom)
}
