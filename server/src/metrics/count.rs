//! The functions that count everything outside of rooms, one for each event. The names are in [`super`].

use std::time::Duration;

use ::metrics::{counter, gauge, histogram};
use tiltyard_shared::protocol::Code;

use super::{
    ACCEPT_ERRORS, BUS_CONNECTIONS, BUS_DELIVERIES, BUS_MESSAGES, BUS_UP, CAPACITY, CHAT_CLIENTS, CHAT_WORDS,
    CONNECTIONS, DRAINING, GOODBYES, HANDSHAKES, INSTANCES, LIST_BYTES, LISTS, LOAD, LOBBY_CLIENTS, MATCH_COMMANDS,
    MATCHES, RECEIVED_BYTES, REDIRECTS, REFUSALS, RELOADS, REQUESTS, RESULTS, RESULTS_WAITING, ROUND_DURATION,
    SENT_BYTES, TASKS, TICKET_WAITING, TICKETS, TICKETS_WAITING, UNSENT_BYTES,
};
use crate::bus::Counts;

/// Sets the number of tasks beside those of rooms.
pub(crate) fn tasks(count: usize) {
    gauge!(TASKS).set(count as f64);
}

/// Counts a new WebSocket connection.
pub(crate) fn connection_opened() {
    gauge!(CONNECTIONS).increment(1.0);
}

/// Counts the end of a WebSocket connection.
pub(crate) fn connection_closed() {
    gauge!(CONNECTIONS).decrement(1.0);
}

/// Counts an answered WebSocket handshake.
pub(crate) fn handshake(accepted: bool) {
    counter!(HANDSHAKES, "outcome" => if accepted { "accepted" } else { "refused" }).increment(1);
}

/// Counts a connection that could not be accepted.
pub(crate) fn accept_error() {
    counter!(ACCEPT_ERRORS).increment(1);
}

/// Counts a SIGHUP.
pub(crate) fn reload(done: bool) {
    counter!(RELOADS, "outcome" => if done { "done" } else { "failed" }).increment(1);
}

/// Counts bytes over connections.
pub(crate) fn traffic(received: u64, sent: u64) {
    counter!(RECEIVED_BYTES).increment(received);
    counter!(SENT_BYTES).increment(sent);
}

/// Notes a change of the bytes in the write buffer of a connection.
pub(crate) fn unsent(before: usize, now: usize) {
    gauge!(UNSENT_BYTES).increment(now as f64 - before as f64);
}

/// Counts a refused wish.
pub(crate) fn refusal(code: Code) {
    counter!(REFUSALS, "code" => code.label()).increment(1);
}

/// Counts a connection that we close.
pub(crate) fn goodbye(code: Code) {
    counter!(GOODBYES, "code" => code.label()).increment(1);
}

/// Counts a connection that watches the list of rooms, until it is dropped.
#[derive(Debug)]
pub(crate) struct LobbyClient(());

impl LobbyClient {
    /// Adds one.
    pub(crate) fn new() -> Self {
        gauge!(LOBBY_CLIENTS).increment(1.0);
        Self(())
    }
}

impl Drop for LobbyClient {
    fn drop(&mut self) {
        gauge!(LOBBY_CLIENTS).decrement(1.0);
    }
}

/// Counts a message about the list of rooms.
pub(crate) fn list(whole: bool, bytes: usize) {
    counter!(LISTS, "kind" => if whole { "snapshot" } else { "difference" }).increment(1);
    counter!(LIST_BYTES).increment(bytes as u64);
}

/// Counts a connection that is in a channel, until it is dropped.
#[derive(Debug)]
pub(crate) struct ChatClient(());

impl ChatClient {
    /// Adds one.
    pub(crate) fn new() -> Self {
        gauge!(CHAT_CLIENTS).increment(1.0);
        Self(())
    }
}

impl Drop for ChatClient {
    fn drop(&mut self) {
        gauge!(CHAT_CLIENTS).decrement(1.0);
    }
}

/// Counts a chat message that was `said` here, `heard` from another instance, `refused`, or `dropped` on its way.
pub(crate) fn chat_words(outcome: &'static str) {
    counter!(CHAT_WORDS, "outcome" => outcome).increment(1);
}

/// Counts an answered request to the HTTP API.
pub(crate) fn request(outcome: String) {
    counter!(REQUESTS, "outcome" => outcome).increment(1);
}

/// Counts the end of a search.
pub(crate) fn ticket(game: &'static str, outcome: &'static str) {
    counter!(TICKETS, "game" => game, "outcome" => outcome).increment(1);
}

/// Records a party's wait for its match.
pub(crate) fn waited(game: &'static str, waited: Duration) {
    histogram!(TICKET_WAITING, "game" => game).record(waited);
}

/// Counts a match that has started.
pub(crate) fn match_started(game: &'static str) {
    counter!(MATCHES, "game" => game).increment(1);
}

/// Counts a command to another instance's matchmaking: it was `taken`, must be sent `again`, or `nobody` takes any
/// there.
pub(crate) fn match_command(game: &'static str, outcome: &'static str) {
    counter!(MATCH_COMMANDS, "game" => game, "outcome" => outcome).increment(1);
}

/// Counts a round of matchmaking, its duration, and the tickets that wait.
pub(crate) fn round(game: &'static str, duration: Duration, waiting: usize) {
    histogram!(ROUND_DURATION, "game" => game).record(duration);
    gauge!(TICKETS_WAITING, "game" => game).set(waiting as f64);
}

/// Counts a client that was redirected to another instance.
pub(crate) fn redirect() {
    counter!(REDIRECTS).increment(1);
}

/// Counts the result of a match: `published`, `logged` or `dropped`.
pub(crate) fn result(outcome: &'static str) {
    counter!(RESULTS, "outcome" => outcome).increment(1);
}

/// Counts results of matches that could not be published at once.
pub(crate) fn results_begin_to_wait(count: u64) {
    counter!(RESULTS, "outcome" => "waiting").increment(count);
}

/// Sets the number of results that wait for this reason: `broker` or `queue`.
pub(crate) fn results_waiting(reason: &'static str, count: usize) {
    gauge!(RESULTS_WAITING, "reason" => reason).set(count as f64);
}

/// Sets the maximum number of players of the instance.
pub(crate) fn capacity(players: u32) {
    gauge!(CAPACITY).set(players);
}

/// Sets the load of the instance, and the number of instances.
pub(crate) fn instance(players: u32, draining: bool, instances: usize) {
    gauge!(LOAD).set(players);
    gauge!(DRAINING).set(if draining { 1.0 } else { 0.0 });
    gauge!(INSTANCES).set(instances as f64);
}

/// Sets the state of the bus and its counters.
pub(crate) fn bus(up: bool, counts: &Counts) {
    gauge!(BUS_UP).set(if up { 1.0 } else { 0.0 });
    let messages = [
        ("confirmed", &counts.confirmed),
        ("returned", &counts.returned),
        ("full", &counts.full),
        ("unconfirmed", &counts.unconfirmed),
        ("away", &counts.away),
        ("late", &counts.late),
        ("not_understood", &counts.not_understood),
    ];
    let deliveries = [
        ("taken", &counts.delivered),
        ("redelivered", &counts.redelivered),
        ("expired", &counts.expired),
        ("dropped", &counts.dropped),
        ("unexpected", &counts.unexpected),
        ("newer", &counts.newer),
        ("passed_over", &counts.passed_over),
        ("oversized", &counts.oversized),
        ("unknown_version", &counts.unknown_version),
        ("malformed", &counts.malformed),
        ("rejected", &counts.rejected),
        ("unburied", &counts.unburied),
    ];
    for (outcome, count) in messages {
        counter!(BUS_MESSAGES, "outcome" => outcome).absolute(count.get());
    }
    for (outcome, count) in deliveries {
        counter!(BUS_DELIVERIES, "outcome" => outcome).absolute(count.get());
    }
    let connections = [("made", &counts.connected), ("lost", &counts.disconnected), ("unreached", &counts.unreached)];
    for (outcome, count) in connections {
        counter!(BUS_CONNECTIONS, "outcome" => outcome).absolute(count.get());
    }
}
