//! Names on the bus: inboxes, keys of events and the patterns that select them. They are checked on creation, so that
//! each fits a broker's routing key and queue name, and a pattern cannot be smuggled in as a key.

use tiltyard_core::instance::{NameError, is_word};

/// The maximum number of words in a key or pattern; with their dots they stay within AMQP's 255 bytes.
const KEY_WORDS: usize = 5;

fn word(text: &str) -> Result<&str, NameError> {
    if is_word(text) { Ok(text) } else { Err(NameError) }
}

/// The inbox for tickets of a game and region.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Inbox(Key);

impl Inbox {
    /// The inbox of a game and region.
    ///
    /// # Errors
    ///
    /// [`NameError`] if one of them is not a word.
    pub fn new(game: &str, region: &str) -> Result<Self, NameError> {
        Key::new([game, region]).map(Self)
    }

    /// `game.region`.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// The subject of an event: up to five words, as in `room.opened.arena.eu`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// The key of these words.
    ///
    /// # Errors
    ///
    /// [`NameError`] if one of them is not a word, or there are none or too many.
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, NameError> {
        joined(words, word).map(Self)
    }

    /// The words with dots between them.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A pattern that selects keys: a word matches itself, `*` any one word, `#` any number of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// The pattern of these words.
    ///
    /// # Errors
    ///
    /// [`NameError`] if one of them is neither a word nor `*` nor `#`, or there are none or too many.
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, NameError> {
        joined(words, |text| if matches!(text, "*" | "#") { Ok(text) } else { word(text) }).map(Self)
    }

    /// The words with dots between them.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it matches the key, by the rules of a topic exchange.
    pub fn fits(&self, key: &Key) -> bool {
        let pattern: Vec<_> = self.0.split('.').collect();
        let key: Vec<_> = key.0.split('.').collect();
        fits(&pattern, &key)
    }
}

fn fits(pattern: &[&str], key: &[&str]) -> bool {
    match (pattern, key) {
        ([], []) => true,
        (["#", rest @ ..], _) => (0..=key.len()).any(|skipped| fits(rest, &key[skipped..])),
        (["*", rest @ ..], [_, others @ ..]) => fits(rest, others),
        ([word, rest @ ..], [other, others @ ..]) => word == other && fits(rest, others),
        ([], _) | (_, []) => false,
    }
}

fn joined<'a>(
    words: impl IntoIterator<Item = &'a str>,
    check: impl Fn(&'a str) -> Result<&'a str, NameError>,
) -> Result<String, NameError> {
    let words = words.into_iter().take(KEY_WORDS + 1).map(check).collect::<Result<Vec<_>, _>>()?;
    if (1..=KEY_WORDS).contains(&words.len()) { Ok(words.join(".")) } else { Err(NameError) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_nothing_that_a_routing_key_does_not() {
        for bad in ["", "a.b", "*", "#", "a b", "ä", &"x".repeat(49)] {
            assert_eq!(Key::new(["room", bad]), Err(NameError), "{bad}");
        }
        assert_eq!(Key::new([]), Err(NameError));
        assert_eq!(Key::new(["a"; 6]), Err(NameError));
        let longest = "x".repeat(48);
        assert!(Key::new([longest.as_str(); 5]).expect("five words").as_str().len() <= 255);
    }

    #[test]
    fn patterns_select_as_a_topic_exchange_does() {
        let key = Key::new(["room", "opened", "arena", "eu"]).unwrap();
        for (pattern, expected) in [
            (vec!["#"], true),
            (vec!["room", "#"], true),
            (vec!["room", "*", "arena", "eu"], true),
            (vec!["#", "eu"], true),
            (vec!["room", "#", "arena", "#", "eu"], true),
            (vec!["*", "*", "*"], false),
            (vec!["room", "closed", "#"], false),
            (vec!["*", "*", "*", "*", "*"], false),
        ] {
            assert_eq!(Pattern::new(pattern.iter().copied()).unwrap().fits(&key), expected, "{pattern:?}");
        }
    }
}
