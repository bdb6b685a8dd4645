//! What changes on a line in mid-game, and the words for it: the steps of a profile and the commands of a driver.

use std::{str::FromStr, time::Duration};

use thiserror::Error;

/// Something that changes at a time of the game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// So long after the beginning.
    pub at: Duration,
    /// What.
    pub change: Change,
}

/// A change of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// From now on so much is added to the delays of the profile.
    Delay {
        /// On the way down.
        down: Duration,
        /// On the way up.
        up: Duration,
    },
    /// Nothing passes on these ways, and nobody is told. If it is one, the line is half open: the other way passes what
    /// TCP sends without being answered.
    Silence(Ways),
    /// What is opened from now on is not answered; what is open goes on.
    Hang,
    /// Everything passes again, what hangs too: TCP's next attempt gets through.
    Resume,
    /// What is open is reset on both sides. What is opened after it passes.
    Cut,
}

/// One way of a line, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ways {
    /// From the server to the player.
    Down,
    /// From the player to the server.
    Up,
    /// Both.
    Both,
}

impl Ways {
    /// Whether the way down is meant, too.
    pub fn has_down(self) -> bool {
        self != Self::Up
    }

    /// Whether the way up is meant, too.
    pub fn has_up(self) -> bool {
        self != Self::Down
    }
}

/// What was said is no change.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not a change: {0:?}; say cut, silence [down|up|both], hang, resume, or delay DOWN_MS UP_MS")]
pub struct ParseChangeError(String);

impl FromStr for Change {
    type Err = ParseChangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || ParseChangeError(text.to_owned());
        let words: Vec<_> = text.split_whitespace().collect();
        let ms = |word: &str| word.parse().map(Duration::from_millis).map_err(|_| fault());
        match words[..] {
            ["cut"] => Ok(Self::Cut),
            ["silence"] | ["silence", "both"] => Ok(Self::Silence(Ways::Both)),
            ["silence", "down"] => Ok(Self::Silence(Ways::Down)),
            ["silence", "up"] => Ok(Self::Silence(Ways::Up)),
            ["hang"] => Ok(Self::Hang),
            ["resume"] => Ok(Self::Resume),
            ["delay", down, up] => Ok(Self::Delay { down: ms(down)?, up: ms(up)? }),
            _ => Err(fault()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_said_in_words() {
        let ms = Duration::from_millis;
        assert_eq!("silence".parse(), Ok(Change::Silence(Ways::Both)));
        assert_eq!(" silence  up ".parse(), Ok(Change::Silence(Ways::Up)));
        assert_eq!("delay 600 0".parse(), Ok(Change::Delay { down: ms(600), up: ms(0) }));
        assert!("delay 600".parse::<Change>().is_err());
        assert!("silence now".parse::<Change>().is_err());
    }
}
