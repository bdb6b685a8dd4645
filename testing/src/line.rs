//! The line between a player and the room.

use std::{collections::VecDeque, time::Duration};

/// A player's line. Whatever its settings, messages stay in order and none is lost, as with TCP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The delay of a message in either direction. Default zero.
    pub delay: Duration,
    /// Whether nothing passes, in either direction. When it is reset, everything arrives at once. A server would not
    /// wait for ever for a silent client; here the test gives the connection up by
    /// [`Play::disconnect`](crate::Play::disconnect).
    pub stalled: bool,
}

/// The messages under way in one direction.
#[derive(Debug)]
pub(crate) struct Way<T>(VecDeque<(Duration, T)>);

impl<T> Default for Way<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Way<T> {
    /// Sends a message now.
    pub(crate) fn send(&mut self, line: Line, now: Duration, what: T) {
        let last = self.0.back().map_or(Duration::ZERO, |(at, _)| *at);
        self.0.push_back(((now + line.delay).max(last), what));
    }

    /// Takes a message that has arrived by now, with its time of arrival.
    pub(crate) fn next(&mut self, line: Line, now: Duration) -> Option<(Duration, T)> {
        if line.stalled { None } else { self.0.pop_front_if(|(at, _)| *at <= now) }
    }

    /// The number of messages under way.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
