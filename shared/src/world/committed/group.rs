//! A group as it was committed: its members, and what the last commit changed of them.

use crate::{
    hash::StateHash,
    id::{GroupId, Tick},
};

/// An entity as it was committed.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The group in which it stands; `None` for an empty slot.
    pub group: Option<GroupId>,
    /// The low 16 bits of its generation.
    pub generation: u16,
    /// Its kind.
    pub kind: u8,
    /// When it arrived in its group.
    pub arrived: Tick,
    /// The fields that the last commit changed; only valid for slots listed in [`Group::changed`] or [`Group::moved`].
    pub mask: u64,
    /// The group from which it came as it was, if both may stand in views; then it is listed in [`Group::moved`].
    pub from: Option<GroupId>,
}

/// An arrival from another group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Move {
    /// Where it stood before.
    pub from: GroupId,
    /// Its index in the member list that `from` had.
    pub index: u32,
    /// Who.
    pub slot: u16,
}

/// A group as it was committed. Lists are slots in rising order.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Who stands in it.
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
    /// Those of the arrived that came from another group, by that group and their indexes in it.
    pub moved: Vec<Move>,
    /// Whether views may list it.
    pub(super) shared: bool,
    pub(super) before: Tick,
}
