//! The pass that a matched player shows at the door of the host.
//!
//! It contains the match, the reservation, the ticket and the player. The player's session is 122 random bits that only
//! home, matchmaker and host know, so a pass cannot be guessed and needs no signature.

use serde::{Deserialize, Serialize};
use tiltyard_core::matchmaking::proposals::Claim;
use tiltyard_shared::protocol::{codec, limits};

/// The first byte of a pass of a match.
const MARK: u8 = b'M';

/// The pass of a matched player.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MatchPass {
    /// The game.
    pub(super) game: String,
    /// The claim it makes.
    pub(super) claim: Claim,
}

impl MatchPass {
    /// Its bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![MARK];
        bytes.extend(codec::encode(self));
        bytes
    }

    /// Decodes a pass; `None` if the bytes are no pass of a match.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let [MARK, rest @ ..] = bytes else { return None };
        if bytes.len() > limits::PASS_BYTES { None } else { codec::decode(rest).ok() }
    }
}

#[cfg(test)]
mod tests {
    use tiltyard_core::matchmaking::{MatchId, SessionId, TicketId, proposals::Reservation};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_pass_is_read_as_it_was_written_and_nothing_else_is_one() {
        let [id, ticket, player] = [1, 2, 3].map(Uuid::from_u128);
        let (id, ticket, player) = (MatchId(id), TicketId(ticket), SessionId(player));
        let claim = Claim { id, reservation: Reservation(u64::MAX), ticket, player };
        let pass = MatchPass { game: "x".repeat(limits::NAME_BYTES), claim };
        let bytes = pass.encode();
        assert!(bytes.len() <= limits::PASS_BYTES);
        assert_eq!(MatchPass::decode(&bytes), Some(pass));
        assert_eq!(MatchPass::decode(&bytes[..bytes.len() - 1]), None);
        assert_eq!(MatchPass::decode(&bytes[1..]), None);
        assert_eq!(MatchPass::decode(&[]), None);
    }
}
