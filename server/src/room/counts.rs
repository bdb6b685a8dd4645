//! Exports a room's counters to the metrics, as differences, once a second.

use std::time::Duration;

use tiltyard_core::{room::Stats, schedule::Lateness};
use tiltyard_shared::protocol::limits;

use crate::metrics::RoomMetrics;

/// The values of a room that were exported. Dropping it takes back those that describe the present.
pub(crate) struct Counts {
    metrics: RoomMetrics,
    told: Stats,
    players: u32,
    spectators: u32,
}

impl Counts {
    /// Counters of which nothing was exported yet.
    pub(crate) fn new(metrics: RoomMetrics) -> Self {
        Self { metrics, told: Stats::default(), players: 0, spectators: 0 }
    }

    /// Counts a tick that was computed and whose frames were written.
    pub(crate) fn tick(&self, lateness: Lateness, duration: Duration) {
        self.metrics.tick(lateness.late, duration);
        if lateness.moved > 0 {
            self.metrics.schedule_moved.increment(lateness.moved.into());
        }
    }

    /// Counts a frame of this size.
    pub(crate) fn frame(&self, bytes: usize) {
        if bytes > limits::FRAME_BYTES {
            self.metrics.large_buffers.increment(1);
        }
    }

    /// Sets the number of taken seats and of spectators.
    pub(crate) fn people(&mut self, players: u32, spectators: u32) {
        self.metrics.players.increment(f64::from(players) - f64::from(self.players));
        self.metrics.spectators.increment(f64::from(spectators) - f64::from(self.spectators));
        (self.players, self.spectators) = (players, spectators);
    }

    /// The number of taken seats that was last set.
    pub(crate) fn current_players(&self) -> u32 {
        self.players
    }

    /// Counts a panic of the room's game.
    pub(crate) fn panicked(&self) {
        self.metrics.panics.increment(1);
    }

    /// Exports what has been counted since the last call.
    pub(crate) fn export(&mut self, stats: &Stats) {
        let (metrics, told) = (&self.metrics, &self.told);
        let (edge, edge_told) = (&stats.edge, &told.edge);
        metrics.frames.increment(edge.frames - edge_told.frames);
        metrics.frame_bytes.increment(edge.bytes - edge_told.bytes);
        metrics.resyncs.increment(edge.resyncs - edge_told.resyncs);
        metrics.throttles.increment(edge.throttles - edge_told.throttles);
        metrics.shared_bodies.increment(edge.shared_bodies - edge_told.shared_bodies);
        metrics.gathered_bodies.increment(edge.gathered_bodies - edge_told.gathered_bodies);
        metrics.deferred_groups.increment(edge.deferred - edge_told.deferred);
        metrics.pieces.increment(edge.pieces - edge_told.pieces);
        metrics.paces.increment(edge.paces - edge_told.paces);
        metrics.lost_events.increment(edge.events_lost - edge_told.events_lost);
        for (form, counter) in metrics.chunks.iter().enumerate() {
            counter.increment(edge.chunks[form] - edge_told.chunks[form]);
        }
        let (inputs, inputs_told) = (&stats.inputs, &told.inputs);
        metrics.inputs[0].increment(inputs.accepted - inputs_told.accepted);
        metrics.inputs[1].increment(inputs.late - inputs_told.late);
        metrics.inputs[2].increment(inputs.repeated - inputs_told.repeated);
        metrics.inputs[3].increment(inputs.refused - inputs_told.refused);
        metrics.stale_resyncs.increment(edge.stale_resyncs - told.edge.stale_resyncs);
        metrics.large_events.increment(stats.events_too_large - told.events_too_large);
        metrics.refused_metadata.increment(stats.metadata_refused - told.metadata_refused);
        let (bent, bent_told) = (&stats.bent, &told.bent);
        metrics.bent_values[0].increment(bent.fields - bent_told.fields);
        metrics.bent_values[1].increment(bent.outside - bent_told.outside);
        metrics.bent_values[2].increment(bent.full - bent_told.full);
        metrics.throttled.increment(stats.throttled as f64 - told.throttled as f64);
        metrics.largest_group.record(stats.largest_group as f64);
        self.told = *stats;
    }
}

impl Drop for Counts {
    fn drop(&mut self) {
        self.metrics.players.decrement(f64::from(self.players));
        self.metrics.spectators.decrement(f64::from(self.spectators));
        self.metrics.throttled.decrement(self.told.throttled as f64);
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn an_operator_sees_who_watches_and_how_far_the_schedule_was_moved() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let shows = |line: &str| recorder.handle().render().lines().any(|other| other == line);
        metrics::with_local_recorder(&recorder, || {
            let mut counts = Counts::new(RoomMetrics::new("g"));
            counts.people(5, 3);
            counts.people(4, 2);
            counts.tick(Lateness { late: Duration::from_secs(1), moved: 20 }, Duration::ZERO);
            counts.tick(Lateness { late: Duration::from_secs(1), moved: 7 }, Duration::ZERO);
            assert!(shows("tiltyard_players{game=\"g\"} 4") && shows("tiltyard_spectators{game=\"g\"} 2"));
            assert!(shows("tiltyard_schedule_moved_ticks_total{game=\"g\"} 27"), "{}", recorder.handle().render());
            drop(counts);
            assert!(shows("tiltyard_players{game=\"g\"} 0") && shows("tiltyard_spectators{game=\"g\"} 0"));
        });
    }
}
