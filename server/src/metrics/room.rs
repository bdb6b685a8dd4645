//! The metrics of the rooms of one game. [`crate::room`] feeds a room's own counters into them.

use std::time::Duration;

use ::metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use super::{
    BENT_VALUES, CHUNKS, DEFERRED_GROUPS, FRAME_BYTES, FRAMES, GATHERED_BODIES, INPUTS, LARGE_BUFFERS, LARGE_EVENTS,
    LARGEST_GROUP, LOST_EVENTS, PACES, PIECES, PLAYERS, REFUSED_METADATA, RESYNCS, ROOM_PANICS, ROOMS, SCHEDULE_MOVED,
    SHARED_BODIES, SPECTATORS, STALE_RESYNCS, THROTTLED_PLAYERS, THROTTLES, TICK_DURATION, TICK_LATENESS,
};

/// The metrics of the rooms of one game. Handles are looked up once per room, so that counting takes no lock.
pub(crate) struct RoomMetrics {
    /// The duration and the lateness of ticks.
    tick_duration: Histogram,
    tick_lateness: Histogram,
    rooms: Gauge,
    /// Changed by differences, because several rooms share it.
    pub(crate) players: Gauge,
    /// Likewise.
    pub(crate) spectators: Gauge,
    /// Likewise.
    pub(crate) throttled: Gauge,
    pub(crate) panics: Counter,
    pub(crate) schedule_moved: Counter,
    pub(crate) frames: Counter,
    pub(crate) frame_bytes: Counter,
    pub(crate) throttles: Counter,
    pub(crate) resyncs: Counter,
    /// Deltas, catch-ups, snapshots.
    pub(crate) chunks: [Counter; 3],
    pub(crate) shared_bodies: Counter,
    pub(crate) gathered_bodies: Counter,
    pub(crate) deferred_groups: Counter,
    pub(crate) pieces: Counter,
    pub(crate) paces: Counter,
    pub(crate) lost_events: Counter,
    pub(crate) largest_group: Histogram,
    /// Accepted, late, repeated, refused.
    pub(crate) inputs: [Counter; 4],
    pub(crate) large_buffers: Counter,
    pub(crate) stale_resyncs: Counter,
    pub(crate) large_events: Counter,
    pub(crate) refused_metadata: Counter,
    /// Fields, positions outside the grid, entities too many.
    pub(crate) bent_values: [Counter; 3],
}

impl RoomMetrics {
    /// The metrics of a game. Counts one more open room until dropped.
    pub(crate) fn new(game: &'static str) -> Self {
        let metrics = Self {
            tick_duration: histogram!(TICK_DURATION, "game" => game),
            tick_lateness: histogram!(TICK_LATENESS, "game" => game),
            rooms: gauge!(ROOMS, "game" => game),
            players: gauge!(PLAYERS, "game" => game),
            spectators: gauge!(SPECTATORS, "game" => game),
            throttled: gauge!(THROTTLED_PLAYERS, "game" => game),
            panics: counter!(ROOM_PANICS, "game" => game),
            schedule_moved: counter!(SCHEDULE_MOVED, "game" => game),
            frames: counter!(FRAMES, "game" => game),
            frame_bytes: counter!(FRAME_BYTES, "game" => game),
            throttles: counter!(THROTTLES, "game" => game),
            resyncs: counter!(RESYNCS, "game" => game),
            chunks: ["delta", "catch_up", "snapshot"].map(|form| counter!(CHUNKS, "game" => game, "form" => form)),
            shared_bodies: counter!(SHARED_BODIES, "game" => game),
            gathered_bodies: counter!(GATHERED_BODIES, "game" => game),
            deferred_groups: counter!(DEFERRED_GROUPS, "game" => game),
            pieces: counter!(PIECES, "game" => game),
            paces: counter!(PACES, "game" => game),
            lost_events: counter!(LOST_EVENTS, "game" => game),
            largest_group: histogram!(LARGEST_GROUP, "game" => game),
            inputs: ["accepted", "late", "repeated", "refused"]
                .map(|outcome| counter!(INPUTS, "game" => game, "outcome" => outcome)),
            large_buffers: counter!(LARGE_BUFFERS, "game" => game),
            stale_resyncs: counter!(STALE_RESYNCS, "game" => game),
            large_events: counter!(LARGE_EVENTS, "game" => game),
            refused_metadata: counter!(REFUSED_METADATA, "game" => game),
            bent_values: ["field", "outside", "full"].map(|kind| counter!(BENT_VALUES, "game" => game, "kind" => kind)),
        };
        metrics.rooms.increment(1.0);
        metrics
    }

    /// Counts a tick that was computed and whose frames were written.
    pub(crate) fn tick(&self, lateness: Duration, duration: Duration) {
        self.tick_lateness.record(lateness);
        self.tick_duration.record(duration);
    }
}

impl Drop for RoomMetrics {
    fn drop(&mut self) {
        self.rooms.decrement(1.0);
    }
}
