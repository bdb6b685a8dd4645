//! Deliberate faults: a copy of the committed state with one error, so that tests can prove that clients notice.

use std::str::FromStr;

use super::Committed;
use crate::id::GroupId;

/// The error of a faulty encoder in one delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Sends one lane with its lowest bit flipped.
    FlipLane,
    /// Omits that one member has left.
    DropDeparture,
    /// Sends an empty delta.
    SkipDelta,
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "flip-lane" => Ok(Self::FlipLane),
            "drop-departure" => Ok(Self::DropDeparture),
            "skip-delta" => Ok(Self::SkipDelta),
            _ => Err(format!("{name:?} is no fault: flip-lane, drop-departure or skip-delta")),
        }
    }
}

impl Committed {
    /// A copy with an error in a group that the last commit changed; `None` if the group has no place for this fault.
    pub fn with_fault(&self, group: GroupId, fault: Fault) -> Option<Self> {
        let mut copy = self.clone();
        match fault {
            Fault::FlipLane => {
                let slot = *self.group(group).changed.iter().find(|slot| self.member(**slot).mask & 1 == 1)?;
                let first = slot as usize * self.layout.lane_stride;
                let lane = self.kind(self.member(slot)).lanes.first().filter(|lane| lane.bits > 1)?;
                // Never back to the old value: a changed lane with the same value has no code.
                let flipped = (0..lane.bits)
                    .map(|bit| self.lanes[first] ^ 1 << bit)
                    .find(|code| *code != self.lanes_before[first]);
                copy.lanes[first] = flipped?;
            }
            Fault::DropDeparture => {
                let faulty = &mut copy.groups[group.0 as usize];
                let index = faulty.departed.iter().position(|slot| faulty.arrived.binary_search(slot).is_err())?;
                let slot = faulty.departed.remove(index);
                let index = faulty.members.partition_point(|other| *other < slot);
                faulty.members.insert(index, slot);
            }
            Fault::SkipDelta => {
                let faulty = &mut copy.groups[group.0 as usize];
                if faulty.changed.is_empty() {
                    return None;
                }
                faulty.changed.clear();
            }
        }
        Some(copy)
    }
}
