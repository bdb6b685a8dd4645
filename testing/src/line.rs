//! The line between a player and the room.

use std::{collections::VecDeque, time::Duration};

/// How a player is connected. Whatever it is set to, the order is kept and nothing is lost, as with TCP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// How long a message takes, in either direction. Nothing by default.
    pub delay: Duration,
    /// Nothing gets through, in either direction, until this is false again: then all comes at once. A server would not wait
    /// for ever for who is silent; here the test says when the connection is given up, by
    /// [`Play::disconnect`](crate::Play::disconnect).
    pub stalled: bool,
}

/// What is under way in one direction.
#[derive(Debug)]
pub(crate) struct Way<T>(VecDeque<(Duration, T)>);

impl<T> Default for Way<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Way<T> {
    /// Sends something now.
    pub(crate) fn send(&mut self, line: Line, now: Duration, what: T) {
        let last = self.0.back().map_or(Duration::ZERO, |(at, _)| *at);
        self.0.push_back(((now + line.delay).max(last), what));
    }

    /// What has come by now, and when.
    pub(crate) fn next(&mut self, line: Line, now: Duration) -> Option<(Duration, T)> {
        if line.stalled { None } else { self.0.pop_front_if(|(at, _)| *at <= now) }
    }

    /// How much is under way.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
