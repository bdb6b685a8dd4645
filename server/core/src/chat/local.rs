//! A channel on this instance: its members, and when they and the other instances were last told of it.

use std::{collections::BTreeMap, time::Duration};

use tiltyard_shared::protocol::limits::PRESENT_NAMES;

use super::{CHANNEL_MESSAGES, MemberId};
use crate::admission::Bucket;

/// A channel with members here, or of which other instances still hold names.
#[derive(Debug)]
pub(super) struct Local {
    pub(super) members: BTreeMap<MemberId, Attendance>,
    /// Limits on messages from members here, and from other instances.
    pub(super) said: Bucket,
    pub(super) heard: Bucket,
    /// When its members were last told who is visible.
    pub(super) shown: Option<Duration>,
    /// When other instances were last told who is visible here.
    pub(super) told: Option<Duration>,
    /// Whether other instances hold names of ours.
    pub(super) is_held: bool,
    /// Whether other instances are about to be told.
    pub(super) is_waiting: bool,
}

/// How a member is in a channel.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Attendance {
    pub(super) name: String,
    pub(super) visible: bool,
}

impl Local {
    /// A channel with no members.
    pub(super) fn new(now: Duration) -> Self {
        Self {
            members: BTreeMap::new(),
            said: Bucket::per_second(CHANNEL_MESSAGES, now),
            heard: Bucket::per_second(2 * CHANNEL_MESSAGES, now),
            shown: None,
            told: None,
            is_held: false,
            is_waiting: false,
        }
    }

    /// Whether other instances must know of it.
    pub(super) fn is_seen(&self) -> bool {
        self.is_held || self.members.values().any(|member| member.visible)
    }

    /// The number of visible members, and the first of their names.
    pub(super) fn visible(&self) -> (u32, Vec<String>) {
        let visible = self.members.values().filter(|member| member.visible);
        let mut names: Vec<_> = visible.map(|member| member.name.clone()).collect();
        let count = names.len() as u32;
        names.sort_unstable();
        names.truncate(PRESENT_NAMES);
        (count, names)
    }
}
