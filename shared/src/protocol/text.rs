//! Text that people choose and others see: names of players, titles of rooms, messages in a chat.
//!
//! A profile in the spirit of UAX #31: people write in any script and with emoji, but nobody writes invisible text. The
//! JavaScript SDK has the same rules (`web/sdk/text.js`), and `shared/vectors/texts.json` tests both against them.
//! Names that look alike are checked by the room in which they meet.

use std::{iter, ops::RangeInclusive, str::Chars};

use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeEmoji as _, UnicodeGeneralCategory as _};

/// The reason why a text has no plain form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Flaw {
    /// Its plain form exceeds the limit in bytes.
    #[error("it is too long")]
    TooLong,
    /// A character is invisible, or changes how others look where nothing asks for it; or nothing at all is visible.
    #[error("it has a character that is not seen")]
    Unseen,
    /// A character is not assigned by Unicode, or is for private use.
    #[error("it has a character that is not in Unicode")]
    Unknown,
    /// A mark has no base, or too many are on one character.
    #[error("it has a mark on nothing, or too many on one character")]
    Stacked,
}

const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';
const EMOJI_SELECTOR: char = '\u{fe0f}';
const BLACK_FLAG: char = '\u{1f3f4}';
const CANCEL_TAG: char = '\u{e007f}';

/// Number of tags that turn a black flag into another, without the last one, which ends them.
const FLAG_TAGS: RangeInclusive<usize> = 3..=6;

/// Most nonspacing marks on one character, and on one of a [joined script](JOINED): Burmese writes four.
const MARKS: [usize; 2] = [3, 4];

/// Scripts whose letters join or stack, so that they use joiners: Arabic to Sinhala, Tibetan, Burmese, Khmer, Mongolian
/// and the like.
const JOINED: [RangeInclusive<char>; 10] = [
    '\u{600}'..='\u{dff}',
    '\u{f00}'..='\u{109f}',
    '\u{1700}'..='\u{18af}',
    '\u{1900}'..='\u{1aaf}',
    '\u{1b00}'..='\u{1bff}',
    '\u{a800}'..='\u{a95f}',
    '\u{a980}'..='\u{aaff}',
    '\u{abc0}'..='\u{abff}',
    '\u{10a00}'..='\u{11fff}',
    '\u{1e900}'..='\u{1e95f}',
];

/// The plain form of a text: in NFC, without space at its ends, with every run of space inside as one blank, and
/// without hints where a line may break.
///
/// # Errors
///
/// The [`Flaw`] that makes a plain form of at most `max_bytes` impossible.
pub fn plain(text: &str, max_bytes: usize) -> Result<String, Flaw> {
    let plain = fold(text);
    if plain.len() > max_bytes {
        return Err(Flaw::TooLong);
    }
    if plain.is_empty() && !text.chars().all(is_blank) {
        return Err(Flaw::Unseen);
    }
    let mut cluster = Cluster::default();
    let mut rest = plain.chars();
    while let Some(character) = rest.next() {
        cluster.add(character, rest.clone().next())?;
        if character == BLACK_FLAG {
            skip_tags(&mut rest);
        }
    }
    Ok(plain)
}

fn fold(text: &str) -> String {
    let composed = text.chars().filter(|character| !is_break_hint(*character)).nfc();
    let spaced: String = composed.map(|character| if is_blank(character) { ' ' } else { character }).collect();
    // A non-joiner at the end of a word does nothing: it only matters before the next letter that is typed.
    let words = spaced.split(' ').map(|word| word.trim_end_matches(NON_JOINER));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A character with the marks on it and the characters joined to it, as far as they have been read.
#[derive(Default)]
struct Cluster {
    base: Option<char>,
    last: Option<char>,
    marks: usize,
}

impl Cluster {
    /// Reads the next character; `next` is the one after it.
    fn add(&mut self, character: char, next: Option<char>) -> Result<(), Flaw> {
        use GeneralCategory as Category;
        if character == ' ' {
            *self = Self::default();
            return Ok(());
        }
        let fits = match character.general_category() {
            _ if matches!(character, JOINER | NON_JOINER) => {
                self.check(self.takes_joiner(character, next), Flaw::Unseen)
            }
            _ if is_selector(character) => self.check(self.last == self.base, Flaw::Unseen),
            Category::Unassigned | Category::PrivateUse | Category::Surrogate => Err(Flaw::Unknown),
            Category::Control | Category::Format | Category::LineSeparator | Category::ParagraphSeparator => {
                Err(Flaw::Unseen)
            }
            _ if is_filler(character) => Err(Flaw::Unseen),
            Category::NonspacingMark | Category::EnclosingMark => {
                self.marks += 1;
                let most = MARKS[usize::from(self.base.is_some_and(is_joined))];
                self.check(self.marks <= most, Flaw::Stacked)
            }
            Category::SpacingMark => self.check(true, Flaw::Stacked),
            _ => {
                (self.base, self.marks) = (Some(character), marks_in(character));
                Ok(())
            }
        };
        self.last = Some(character);
        fits
    }

    /// Requires a base for everything that is not one, and that it `fits`.
    fn check(&self, fits: bool, flaw: Flaw) -> Result<(), Flaw> {
        if fits && self.base.is_some() { Ok(()) } else { Err(flaw) }
    }

    /// Whether a joiner is allowed here. Both joiners may stand between letters of scripts that use them; the
    /// zero-width joiner also after the last letter, to give it another form, and between emoji, to make one of
    /// several.
    fn takes_joiner(&self, joiner: char, next: Option<char>) -> bool {
        let is_letter = |character: char| {
            let group = character.general_category_group();
            is_joined(character) && matches!(group, GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark)
        };
        let in_word = self.last.is_some_and(is_letter) && (joiner == JOINER || next.is_some_and(is_letter));
        let is_whole = self.last == self.base || self.last == Some(EMOJI_SELECTOR);
        let in_emoji = is_whole && self.base.is_some_and(is_picture) && next.is_some_and(is_picture);
        in_word || (joiner == JOINER && in_emoji)
    }
}

/// After a black flag: skips the tags that make it that of a nation.
fn skip_tags(rest: &mut Chars<'_>) {
    let is_tag = |character: &char| matches!(character, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    let tags = rest.clone().take_while(is_tag).count();
    if FLAG_TAGS.contains(&tags) && rest.clone().nth(tags) == Some(CANCEL_TAG) {
        rest.nth(tags);
    }
}

fn is_blank(character: char) -> bool {
    character.general_category() == GeneralCategory::SpaceSeparator
}

/// Whether a character is a soft hyphen, or the space of no width that some scripts have between words.
fn is_break_hint(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}')
}

fn is_selector(character: char) -> bool {
    matches!(character, '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// The number of marks that are part of a letter.
fn marks_in(character: char) -> usize {
    iter::once(character).nfd().filter(|part| part.general_category() == GeneralCategory::NonspacingMark).count()
}

/// Whether a character is an invisible letter, mark or symbol.
fn is_filler(character: char) -> bool {
    matches!(
        character,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
    )
}

fn is_joined(character: char) -> bool {
    JOINED.iter().any(|scripts| scripts.contains(&character))
}

/// Whether a character is an emoji, or makes one of another; false for a digit and for a letter of a flag.
fn is_picture(character: char) -> bool {
    character.is_emoji_char() && !character.is_ascii() && !matches!(character, '\u{1f1e6}'..='\u{1f1ff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The characters that the rules are about, beside letters, so that they meet.
    fn character() -> impl Strategy<Value = char> {
        let special = "A1é\u{301}\u{302} \u{a0}\u{3000}\u{ad}\u{200b}\u{200c}\u{200d}\u{202e}م\u{64b}ര\u{d4d}\u{1102f}\
            \u{fe0f}\u{fe00}\u{20e3}👨👩✈\u{1f3fd}🏴\u{e0067}\u{e0062}\u{e007f}\u{1f1e9}각ᄀ\u{1161}\u{11a8}क\u{93c}\u{958}\
            \u{e000}\u{378}\u{3164}\n";
        prop_oneof![prop::sample::select(special.chars().collect::<Vec<_>>()), any::<char>()]
    }

    fn text() -> impl Strategy<Value = String> {
        prop::collection::vec(character(), 0..12).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn what_is_plain_stays_as_it_is_within_its_limit(text in text(), max_bytes in 0_usize..40) {
            if let Ok(kept) = plain(&text, max_bytes) {
                prop_assert!(kept.len() <= max_bytes);
                prop_assert_eq!(plain(&kept, max_bytes), Ok(kept.clone()));
                prop_assert!(kept.nfc().eq(kept.chars()));
            }
        }

        #[test]
        fn who_sees_it_sees_something_of_every_word(text in text()) {
            if let Ok(kept) = plain(&text, usize::MAX) {
                let is_seen = |character: char| {
                    !matches!(character.general_category_group(), GeneralCategoryGroup::Mark | GeneralCategoryGroup::Other)
                };
                for word in kept.split(' ').filter(|_| !kept.is_empty()) {
                    prop_assert!(word.starts_with(is_seen), "{:?}", word);
                }
            }
        }

        #[test]
        fn space_and_hints_change_nothing_but_gaps(words in prop::collection::vec("[a-z]{1,5}", 1..4)) {
            let wide = words.join("\u{a0}\u{3000} ");
            prop_assert_eq!(plain(&format!(" {wide}\u{2003}"), 32), Ok(words.join(" ")));
            prop_assert_eq!(plain(&words.join("\u{ad}"), 32), Ok(words.concat()));
        }
    }

    #[test]
    fn limits_count_bytes_of_the_plain_form() {
        assert_eq!(plain(&format!("  {}  ", "a".repeat(32)), 32).map(|text| text.len()), Ok(32));
        assert_eq!(plain(&"a".repeat(33), 32), Err(Flaw::TooLong));
        assert_eq!(plain("ääää", 7), Err(Flaw::TooLong));
        assert_eq!(plain("a\u{308}".repeat(4).as_str(), 8).as_deref(), Ok("ääää"));
    }
}
