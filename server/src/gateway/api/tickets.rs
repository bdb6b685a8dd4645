//! Tickets over REST: searches for a match that are polled instead of pushed.
//!
//! A ticket lives on the instance where it was made, as long as somebody polls it. Its id is a secret, because its
//! bearer may cancel it and take the seat. The seat itself is taken over WebSocket with the pass, as always.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header::LOCATION},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use parking_lot::{Mutex, MutexGuard};
use serde::Deserialize;
use serde_json::{Value, json};
use tiltyard_shared::protocol::{
    Code, limits,
    search::{Party, Search, SearchState},
};
use tokio::time::timeout;
use uuid::Uuid;

use super::{Answer, Failure, Json, hex};
use crate::{gateway::Gateway, matchmaking::Searching};

/// The maximum number of tickets of an instance that were made by REST. Further ones are refused.
const MAX_TICKETS: usize = 4096;

/// How long an answer waits for the first state of a search.
const FIRST_STATE: Duration = Duration::from_secs(1);

/// All tickets that were made by REST on this instance.
#[derive(Debug, Default)]
pub(crate) struct Tickets(Mutex<BTreeMap<Uuid, Ticket>>);

#[derive(Debug)]
struct Ticket {
    searching: Searching,
    state: SearchState,
    /// When the state last changed.
    since: Duration,
    /// When it was last polled.
    asked: Duration,
}

impl Tickets {
    /// Cancels tickets that were not polled for `patience`. Called about four times a second, which is the precision of
    /// waiting times.
    pub(in crate::gateway) fn expire(&self, now: Duration, patience: Duration) {
        self.lock().retain(|_, ticket| {
            ticket.listen(now);
            let kept = now.saturating_sub(ticket.asked) < patience;
            kept || !ticket.searching.cancel()
        });
    }

    fn keep(&self, now: Duration, mut searching: Searching) -> Result<(Uuid, Value), Code> {
        let mut tickets = self.lock();
        if tickets.len() >= MAX_TICKETS {
            return Err(Code::ServerFull);
        }
        let (id, state) = (Uuid::new_v4(), searching.state());
        let ticket = tickets.entry(id).or_insert(Ticket { searching, state, since: now, asked: now });
        Ok((id, ticket.show(now, "")))
    }

    fn with<T>(&self, now: Duration, id: &str, work: impl FnOnce(&mut Ticket) -> T) -> Result<T, Failure> {
        let mut tickets = self.lock();
        let ticket = id.parse().ok().and_then(|id: Uuid| tickets.get_mut(&id)).ok_or_else(Failure::no_ticket)?;
        ticket.asked = now;
        ticket.listen(now);
        Ok(work(ticket))
    }

    fn remove(&self, id: &str) {
        if let Ok(id) = id.parse::<Uuid>() {
            self.lock().remove(&id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Uuid, Ticket>> {
        self.0.lock()
    }
}

impl Ticket {
    /// Updates the state from the search.
    fn listen(&mut self, now: Duration) {
        let state = self.searching.state();
        if state != self.state {
            (self.state, self.since) = (state, now);
        }
    }

    /// The ticket as JSON. `own_url` is the URL of this instance for the client.
    fn show(&self, now: Duration, own_url: &str) -> Value {
        let ago = now.saturating_sub(self.since);
        match &self.state {
            SearchState::Gathering { here, size } => json!({ "state": "gathering", "here": here, "size": size }),
            SearchState::Searching { waited_ms } => {
                json!({ "state": "searching", "waited_ms": u64::from(*waited_ms) + ago.as_millis() as u64 })
            }
            SearchState::Agreed => json!({ "state": "agreed" }),
            SearchState::Joining { id, url, pass } => {
                let url = if url.is_empty() { own_url } else { url };
                let left = limits::PASS_LIFETIME.saturating_sub(ago).as_millis() as u64;
                json!({ "state": "joining", "match": id, "url": url, "pass": hex(pass), "expires_in_ms": left })
            }
            SearchState::Matched { id } => json!({ "state": "matched", "match": id }),
            SearchState::Ended { code, retry_after_ms } => {
                let mut ended = json!({ "state": "ended", "code": code.label() });
                if let Some(after) = retry_after_ms {
                    ended["retry_after_ms"] = json!(after);
                }
                ended
            }
        }
    }
}

/// The routes under `/api/tickets`.
pub(super) fn router() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/api/tickets", post(create))
        .route("/api/tickets/{ticket}", get(show).delete(cancel))
        .route("/api/tickets/{ticket}/again", post(again))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTicket {
    game: String,
    mode: String,
    #[serde(default)]
    rating: i32,
    party: Option<NewParty>,
    /// The key by which the player is known, as 32 hexadecimal digits; none if it is missing.
    client_key: Option<Uuid>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewParty {
    code: String,
    size: u8,
}

/// `POST /api/tickets`: starts a search. `Location` and `ticket_url` say where to poll it; a party may be redirected.
async fn create(State(gateway): State<Arc<Gateway>>, headers: HeaderMap, Json(new): Json<NewTicket>) -> Answer {
    let NewTicket { game, mode, rating, party, client_key } = new;
    let party = party.map(|NewParty { code, size }| Party { code, size });
    let search = Search { game, mode, rating, party };
    search.check()?;
    gateway.game(&search.game)?;
    if let Some(url) = gateway.matchmaking.elsewhere(&search) {
        let url = tickets_at(&url);
        return Ok(located(StatusCode::TEMPORARY_REDIRECT, &url, json!({ "tickets_url": url })));
    }
    let key = client_key.unwrap_or_default().into_bytes();
    let mut searching = gateway.matchmaking.search(search, key, None)?;
    // The first state is known as soon as the service has the search.
    let _known = timeout(FIRST_STATE, searching.changed()).await;
    let (id, mut shown) = gateway.tickets.keep(gateway.now(), searching)?;
    let url = format!("{}/{id}", tickets_at(&gateway.socket_url(&headers)));
    (shown["ticket"], shown["ticket_url"]) = (json!(id), json!(url));
    Ok(located(StatusCode::CREATED, &url, shown))
}

/// `GET /api/tickets/{id}`: the state of the search.
async fn show(State(gateway): State<Arc<Gateway>>, headers: HeaderMap, Path(id): Path<String>) -> Answer {
    let (now, url) = (gateway.now(), gateway.socket_url(&headers));
    Ok(axum::Json(gateway.tickets.with(now, &id, |ticket| ticket.show(now, &url))?).into_response())
}

/// `DELETE /api/tickets/{id}`: ends the search, and declines a match that has not begun. The answer is the last state.
async fn cancel(State(gateway): State<Arc<Gateway>>, Path(id): Path<String>) -> Answer {
    let now = gateway.now();
    let last = gateway.tickets.with(now, &id, |ticket| {
        if ticket.state.is_over() {
            return Ok(ticket.show(now, ""));
        }
        if !ticket.searching.cancel() {
            return Err(Code::ServerFull);
        }
        ticket.state = SearchState::ended(Code::Cancelled);
        Ok(ticket.show(now, ""))
    })??;
    gateway.tickets.remove(&id);
    Ok(axum::Json(last).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Again {
    #[serde(rename = "match")]
    id: Uuid,
}

/// `POST /api/tickets/{id}/again`: the seat in this match could not be taken; the search goes on.
async fn again(State(gateway): State<Arc<Gateway>>, Path(id): Path<String>, Json(again): Json<Again>) -> Answer {
    let now = gateway.now();
    let told = gateway.tickets.with(now, &id, |ticket| ticket.searching.again(again.id))?;
    if told { Ok(StatusCode::ACCEPTED.into_response()) } else { Err(Code::ServerFull.into()) }
}

fn located(status: StatusCode, url: &str, body: Value) -> Response {
    (status, [(LOCATION, url.to_owned())], axum::Json(body)).into_response()
}

/// The URL of the tickets on the instance with this WebSocket URL.
fn tickets_at(socket_url: &str) -> String {
    let base = socket_url.strip_suffix("/ws").unwrap_or(socket_url);
    let base = base.strip_prefix("ws").map_or_else(|| base.to_owned(), |rest| format!("http{rest}"));
    format!("{base}/api/tickets")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_are_where_the_socket_is() {
        assert_eq!(tickets_at("ws://127.0.0.1:8080/ws"), "http://127.0.0.1:8080/api/tickets");
        assert_eq!(tickets_at("wss://play.example/i/eu-1/ws"), "https://play.example/i/eu-1/api/tickets");
    }
}
