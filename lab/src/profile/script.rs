//! The changes of a line in mid-game and their text form: the steps of a profile and the commands of a driver.

use std::{str::FromStr, time::Duration};

use thiserror::Error;

/// A change at a time of the game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The time after the start.
    pub at: Duration,
    /// The change.
    pub change: Change,
}

/// A change of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Sets the delays that are added to those of the profile.
    Delay {
        /// On the way down.
        down: Duration,
        /// On the way up.
        up: Duration,
    },
    /// Nothing passes on these ways, without notice. If it is one way, the line is half open: the other way passes what
    /// TCP sends without answers.
    Silence(Ways),
    /// New connections are not answered; open ones go on.
    Hang,
    /// Everything passes again, including what hangs: TCP's next attempt gets through.
    Resume,
    /// Open connections are reset on both sides. New ones pass.
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
    /// Whether it includes the way down.
    pub fn has_down(self) -> bool {
        self != Self::Up
    }

    /// Whether it includes the way up.
    pub fn has_up(self) -> bool {
        self != Self::Down
    }
}

/// The text is no change.
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
