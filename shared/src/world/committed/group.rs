//! A committed group: its members, and their changes in the last commit.

use crate::{
    hash::StateHash,
    id::{GroupId, Tick},
};

/// A committed entity.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The group in which it is; `None` for an empty slot.
    pub group: Option<GroupId>,
    /// The low 16 bits of its generation.
    pub generation: u16,
    /// Its kind.
    pub kind: u8,
    /// The tick at which it arrived in its group.
    pub arrived: Tick,
    /// The fields that the last commit changed; only valid for slots listed in [`Group::changed`] or [`Group::moved`].
    pub mask: u64,
    /// The group from which it came unchanged, if views may list both; then it is listed in [`Group::moved`].
    pub from: Option<GroupId>,
}

/// An arrival from another group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Move {
    /// The group in which it was before.
    pub from: GroupId,
    /// Its index in the member list that `from` had.
    pub index: u32,
    /// The slot of the entity.
    pub slot: u16,
}

/// A committed group. Lists are slots in ascending order.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// The slots of its members.
    pub members: Vec<u16>,
    /// The tick of its last change, arrival or departure; 0 for never.
    pub version: Tick,
    /// The hash of its members and their fields.
    pub hash: StateHash,
    /// Members whose fields the last commit changed. Only valid while `version` is the tick of the last commit.
    pub changed: Vec<u16>,
    /// Slots that the last commit gave a new member.
    pub arrived: Vec<u16>,
    /// Slots whose member the last commit took away; a slot whose member was replaced is in both lists.
    pub departed: Vec<u16>,
    /// The arrivals that came from another group, by that group and their indexes in it.
    pub moved: Vec<Move>,
    /// Whether views may list it.
    pub(super) shared: bool,
    pub(super) before: Tick,
}
