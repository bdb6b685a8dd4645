//! Every metric with its name, unit and help text. [`count`] has the functions by which the server counts, `room` the
//! handles for a game's rooms; only these files name the metrics facade.
//!
//! Names follow Prometheus' conventions: base units, `_total` on counters. Labels are bounded: `game` by the games of
//! the server, `code` by [`Code`](tiltyard_shared::protocol::Code), the others by the lists below.

use std::sync::OnceLock;

use ::metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

mod count;
mod room;

pub(crate) use count::*;
pub(crate) use room::RoomMetrics;

/// A metric as `/metrics` shows it.
#[derive(Clone, Copy, Debug)]
struct Metric {
    name: &'static str,
    kind: Kind,
    unit: Unit,
    help: &'static str,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Counter,
    Gauge,
    Histogram(&'static [f64]),
}

const BUILD_INFO: &str = "tiltyard_build_info";
const TASKS: &str = "tiltyard_tasks";
const CONNECTIONS: &str = "tiltyard_connections";
const HANDSHAKES: &str = "tiltyard_handshakes_total";
const RECEIVED_BYTES: &str = "tiltyard_received_bytes_total";
const SENT_BYTES: &str = "tiltyard_sent_bytes_total";
const UNSENT_BYTES: &str = "tiltyard_unsent_bytes";
const REFUSALS: &str = "tiltyard_refusals_total";
const GOODBYES: &str = "tiltyard_goodbyes_total";
const ROOMS: &str = "tiltyard_rooms";
const PLAYERS: &str = "tiltyard_players";
const SPECTATORS: &str = "tiltyard_spectators";
const ROOM_PANICS: &str = "tiltyard_room_panics_total";
const TICK_DURATION: &str = "tiltyard_tick_duration_seconds";
const TICK_LATENESS: &str = "tiltyard_tick_lateness_seconds";
const SCHEDULE_MOVED: &str = "tiltyard_schedule_moved_ticks_total";
const FRAMES: &str = "tiltyard_frames_total";
const FRAME_BYTES: &str = "tiltyard_frame_bytes_total";
const THROTTLED_PLAYERS: &str = "tiltyard_throttled_players";
const THROTTLES: &str = "tiltyard_throttles_total";
const RESYNCS: &str = "tiltyard_resyncs_total";
const CHUNKS: &str = "tiltyard_chunks_encoded_total";
const SHARED_BODIES: &str = "tiltyard_shared_bodies_total";
const GATHERED_BODIES: &str = "tiltyard_gathered_bodies_total";
const DEFERRED_GROUPS: &str = "tiltyard_deferred_groups_total";
const PIECES: &str = "tiltyard_frame_pieces_total";
const PACES: &str = "tiltyard_pace_changes_total";
const LOST_EVENTS: &str = "tiltyard_lost_event_frames_total";
const LARGEST_GROUP: &str = "tiltyard_largest_group_entities";
const INPUTS: &str = "tiltyard_inputs_total";
const LARGE_BUFFERS: &str = "tiltyard_large_write_buffers_total";
const STALE_RESYNCS: &str = "tiltyard_stale_resyncs_total";
const LARGE_EVENTS: &str = "tiltyard_large_events_total";
const REFUSED_METADATA: &str = "tiltyard_refused_metadata_total";
const BENT_VALUES: &str = "tiltyard_bent_values_total";
const LOBBY_CLIENTS: &str = "tiltyard_lobby_clients";
const LISTS: &str = "tiltyard_lobby_lists_total";
const LIST_BYTES: &str = "tiltyard_lobby_list_bytes_total";
const CHAT_CLIENTS: &str = "tiltyard_chat_clients";
const CHAT_WORDS: &str = "tiltyard_chat_words_total";
const REQUESTS: &str = "tiltyard_api_requests_total";
const TICKETS: &str = "tiltyard_tickets_total";
const TICKET_WAITING: &str = "tiltyard_ticket_waiting_seconds";
const TICKETS_WAITING: &str = "tiltyard_tickets_waiting";
const MATCHES: &str = "tiltyard_matches_total";
const MATCH_COMMANDS: &str = "tiltyard_match_commands_total";
const ROUND_DURATION: &str = "tiltyard_match_round_duration_seconds";
const CAPACITY: &str = "tiltyard_instance_capacity_players";
const LOAD: &str = "tiltyard_instance_load_players";
const DRAINING: &str = "tiltyard_instance_draining";
const INSTANCES: &str = "tiltyard_instances";
const REDIRECTS: &str = "tiltyard_redirects_total";
const RESULTS: &str = "tiltyard_results_total";
const RESULTS_WAITING: &str = "tiltyard_results_waiting";
const BUS_UP: &str = "tiltyard_bus_up";
const BUS_MESSAGES: &str = "tiltyard_bus_messages_total";
const BUS_DELIVERIES: &str = "tiltyard_bus_deliveries_total";
const ACCEPT_ERRORS: &str = "tiltyard_accept_errors_total";
const RELOADS: &str = "tiltyard_reloads_total";
const BUS_CONNECTIONS: &str = "tiltyard_bus_connections_total";

/// From a tick that costs nothing to one that costs several at 20 Hz.
const TICK_BUCKETS: &[f64] =
    &[0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];

/// From an instant match to a wait that nobody likes.
const WAITING_BUCKETS: &[f64] = &[0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 120.0, 300.0];

/// From one entity to a room without interest management.
const GROUP_BUCKETS: &[f64] = &[1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 5000.0];

const METRICS: &[Metric] = &[
    gauge_of(BUILD_INFO, Unit::Count, "1, with the server's version as a label."),
    gauge_of(
        TASKS,
        Unit::Count,
        "Tasks beside those of rooms: connections outside of them, the bus, the server's own.",
    ),
    gauge_of(CONNECTIONS, Unit::Count, "WebSocket connections that are open."),
    counter_of(HANDSHAKES, Unit::Count, "WebSocket handshakes by outcome (accepted, refused)."),
    counter_of(RECEIVED_BYTES, Unit::Bytes, "Bytes read from WebSocket connections."),
    counter_of(SENT_BYTES, Unit::Bytes, "Bytes written to WebSocket connections."),
    gauge_of(UNSENT_BYTES, Unit::Bytes, "Bytes that wait in write buffers because the kernel does not take them."),
    counter_of(REFUSALS, Unit::Count, "Wishes to enter that were refused, by code."),
    counter_of(GOODBYES, Unit::Count, "Connections closed by the server, by code."),
    gauge_of(ROOMS, Unit::Count, "Rooms that are open, by game."),
    gauge_of(
        PLAYERS,
        Unit::Count,
        "Seats that are taken, by game; also by players whose connection is gone for a while.",
    ),
    gauge_of(SPECTATORS, Unit::Count, "Who watches without a seat, by game."),
    counter_of(ROOM_PANICS, Unit::Count, "Rooms closed because their game panicked, by game."),
    Metric {
        name: TICK_DURATION,
        kind: Kind::Histogram(TICK_BUCKETS),
        unit: Unit::Seconds,
        help: "Time spent computing a tick and writing its frames, by game.",
    },
    Metric {
        name: TICK_LATENESS,
        kind: Kind::Histogram(TICK_BUCKETS),
        unit: Unit::Seconds,
        help: "How long after its deadline a tick began, by game.",
    },
    counter_of(
        SCHEDULE_MOVED,
        Unit::Count,
        "Ticks by which schedules were moved because rooms were too late, by game.",
    ),
    counter_of(FRAMES, Unit::Count, "Frames handed to connections, by game."),
    counter_of(FRAME_BYTES, Unit::Bytes, "Bytes of the frames handed to connections, by game."),
    gauge_of(THROTTLED_PLAYERS, Unit::Count, "Players who get no frames now because they are behind, by game."),
    counter_of(THROTTLES, Unit::Count, "How often a player began to be throttled, by game."),
    counter_of(RESYNCS, Unit::Count, "Resyncs and resumes of clients, by game."),
    counter_of(CHUNKS, Unit::Count, "Chunks encoded, by game and form (delta, catch_up, snapshot)."),
    counter_of(SHARED_BODIES, Unit::Count, "Frame bodies assembled to be shared by all who see the same, by game."),
    counter_of(GATHERED_BODIES, Unit::Count, "Frame bodies assembled for one player, by game."),
    counter_of(DEFERRED_GROUPS, Unit::Count, "Groups that did not fit a frame and waited for the next, by game."),
    counter_of(PIECES, Unit::Count, "Pieces of frames that were too large for their line, by game."),
    counter_of(PACES, Unit::Count, "How often a player was given another pace of frames, by game."),
    counter_of(LOST_EVENTS, Unit::Count, "Frames that said that events owed had been dropped, by game."),
    Metric {
        name: LARGEST_GROUP,
        kind: Kind::Histogram(GROUP_BUCKETS),
        unit: Unit::Count,
        help: "Entities in the fullest group of a room, told by each room once a second, by game.",
    },
    counter_of(INPUTS, Unit::Count, "Inputs by game and outcome (accepted, late, repeated, refused)."),
    counter_of(LARGE_BUFFERS, Unit::Count, "Frames so large that their connection keeps the buffer, by game."),
    counter_of(STALE_RESYNCS, Unit::Count, "Resyncs ignored: their epoch was not above the current one, by game."),
    counter_of(LARGE_EVENTS, Unit::Count, "Events of games dropped because they were too large, by game."),
    counter_of(REFUSED_METADATA, Unit::Count, "Metadata of games refused as too long or no JSON, by game."),
    counter_of(
        BENT_VALUES,
        Unit::Count,
        "What games did that a world had to bend, by game and kind (field: out of range; outside: off the grid; full: not \
         spawned).",
    ),
    gauge_of(LOBBY_CLIENTS, Unit::Count, "Connections that watch the list of rooms."),
    counter_of(LISTS, Unit::Count, "Messages about the list of rooms, by kind (snapshot, difference)."),
    counter_of(LIST_BYTES, Unit::Bytes, "Bytes of the messages about the list of rooms."),
    gauge_of(CHAT_CLIENTS, Unit::Count, "Connections that are in a channel."),
    counter_of(
        CHAT_WORDS,
        Unit::Count,
        "What was said in channels, by outcome (said: here; heard: from other instances; refused; dropped: not told to all).",
    ),
    counter_of(REQUESTS, Unit::Count, "Requests to the HTTP API, by outcome (ok, or the error's code)."),
    counter_of(
        TICKETS,
        Unit::Count,
        "Searches of players here that have ended, by game and outcome (matched; cancelled; refused; no_show: a player did \
         not come to a match, or searches before the penalty is over; expired: no match was found in the mode's time).",
    ),
    Metric {
        name: TICKET_WAITING,
        kind: Kind::Histogram(WAITING_BUCKETS),
        unit: Unit::Seconds,
        help: "How long parties here had searched when they were sent to their match, by game.",
    },
    gauge_of(
        TICKETS_WAITING,
        Unit::Count,
        "Tickets in the pool of this instance's matchmaker, by game; 0 unless it is the active one.",
    ),
    counter_of(MATCHES, Unit::Count, "Matches that began here, by game."),
    counter_of(
        MATCH_COMMANDS,
        Unit::Count,
        "Commands to the matchmaking of other instances, by game and outcome (taken; again: not taken, to be repeated; nobody).",
    ),
    Metric {
        name: ROUND_DURATION,
        kind: Kind::Histogram(TICK_BUCKETS),
        unit: Unit::Seconds,
        help: "Time spent on a round of matchmaking, by game.",
    },
    gauge_of(CAPACITY, Unit::Count, "Players that this instance takes."),
    gauge_of(LOAD, Unit::Count, "Players in its rooms, and those on the way."),
    gauge_of(DRAINING, Unit::Count, "1 while it takes no new rooms and players."),
    gauge_of(INSTANCES, Unit::Count, "Instances of the fleet that this one knows, itself included."),
    counter_of(REDIRECTS, Unit::Count, "Clients that were sent to another instance."),
    counter_of(
        RESULTS,
        Unit::Count,
        "Results of matches, by outcome (published; logged; waiting: not published at once, but later or never; dropped: lost).",
    ),
    gauge_of(
        RESULTS_WAITING,
        Unit::Count,
        "Results of matches that wait in memory, by reason (broker: it is away; queue: none takes them), 4,096 at most.",
    ),
    gauge_of(BUS_UP, Unit::Count, "1 while the bus works; without a broker always."),
    counter_of(BUS_MESSAGES, Unit::Count, "Messages to the bus, by outcome."),
    counter_of(BUS_DELIVERIES, Unit::Count, "Messages from the bus, by outcome."),
    counter_of(
        BUS_CONNECTIONS,
        Unit::Count,
        "Connections to the broker, by outcome (made; lost; unreached: an address was passed over).",
    ),
    counter_of(
        ACCEPT_ERRORS,
        Unit::Count,
        "Connections that could not be accepted: the system had no files or memory for them.",
    ),
    counter_of(RELOADS, Unit::Count, "SIGHUPs, by outcome (done; failed: what is logged stayed as it was)."),
];

const fn counter_of(name: &'static str, unit: Unit, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, unit, help }
}

const fn gauge_of(name: &'static str, unit: Unit, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, unit, help }
}

/// Starts to count in this process, and returns the handle that renders the counts as text. Only the first call
/// installs a recorder. If the process already has another one, that stays, and `/metrics` is empty.
pub(crate) fn install() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let recorder = recorder();
        let handle = recorder.handle();
        if ::metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another metrics recorder is in use: /metrics stays empty");
        }
        METRICS.iter().for_each(describe);
        gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        gauge!(CONNECTIONS).set(0.0);
        gauge!(UNSENT_BYTES).set(0.0);
        handle
    })
}

fn recorder() -> metrics_exporter_prometheus::PrometheusRecorder {
    METRICS
        .iter()
        .fold(PrometheusBuilder::new(), |builder, metric| match metric.kind {
            Kind::Histogram(buckets) => builder
                .set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), buckets)
                .expect("the lists of buckets are not empty"),
            Kind::Counter | Kind::Gauge => builder,
        })
        .build_recorder()
}

fn describe(metric: &Metric) {
    match metric.kind {
        Kind::Counter => describe_counter!(metric.name, metric.unit, metric.help),
        Kind::Gauge => describe_gauge!(metric.name, metric.unit, metric.help),
        Kind::Histogram(_) => describe_histogram!(metric.name, metric.unit, metric.help),
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    use super::*;

    /// `UPDATE_DOCS=1 cargo test -p tiltyard-server --lib metrics` writes the table anew.
    #[test]
    fn docs_metrics_md_lists_every_metric() {
        let row = |metric: &Metric| {
            let kind = match metric.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram(_) => "histogram",
            };
            format!("| `{}` | {kind} | {} |\n", metric.name, metric.help)
        };
        let rows: String = METRICS.iter().map(row).collect();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
        let page = fs::read_to_string(&path).unwrap();
        let (before, rest) = page.split_once("| --- | --- | --- |\n").unwrap();
        let after = &rest[rest.split('\n').take_while(|line| line.starts_with('|')).map(|line| line.len() + 1).sum()..];
        let now = format!("{before}| --- | --- | --- |\n{rows}{after}");
        if env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, &now).unwrap();
        } else {
            assert_eq!(page, now, "UPDATE_DOCS=1 writes it anew");
        }
    }

    #[test]
    fn every_metric_keeps_the_conventions() {
        for metric in METRICS {
            assert!(metric.name.starts_with("tiltyard_"), "{}", metric.name);
            assert!(metric.help.ends_with('.'), "{}", metric.name);
            assert_eq!(metric.name.ends_with("_total"), matches!(metric.kind, Kind::Counter), "{}", metric.name);
            assert_eq!(metric.name.contains("_bytes"), metric.unit == Unit::Bytes, "{}", metric.name);
            assert_eq!(metric.name.contains("_seconds"), metric.unit == Unit::Seconds, "{}", metric.name);
        }
        assert_eq!(
            METRICS.iter().filter(|one| METRICS.iter().filter(|other| one.name == other.name).count() > 1).count(),
            0
        );
    }
}
