//! Text that people choose and others see: names of players, titles of rooms.

/// The plain form of a text: without space at its ends, every run of space inside one blank. `None` if that is longer
/// than `max_bytes`, or has characters that are not seen or change how others are: control and format characters.
pub fn plain(text: &str, max_bytes: usize) -> Option<String> {
    let mut plain = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let gap = usize::from(!plain.is_empty());
        if plain.len() + gap + word.len() > max_bytes || word.chars().any(is_unseen) {
            return None;
        }
        plain.extend((gap > 0).then_some(' '));
        plain.push_str(word);
    }
    Some(plain)
}

/// Control characters, other space than the blank, marks of direction, joiners, fillers.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || character.is_whitespace()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn text_is_trimmed_and_its_gaps_are_single_blanks() {
        for (text, expected) in [("", ""), ("  ", ""), ("Ann", "Ann"), (" Ann   Lee ", "Ann Lee"), ("äöü 猫", "äöü 猫")]
        {
            assert_eq!(plain(text, 32).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_is_too_long_or_not_seen_is_none() {
        assert_eq!(plain(&"a".repeat(32), 32).map(|text| text.len()), Some(32));
        for text in ["A\nB", "\tA", "A\u{7f}", "A\u{202e}B", "A\u{200b}", "A\u{a0}B", "A\u{feff}"] {
            assert_eq!(plain(text, 32), None, "{text:?}");
        }
        assert_eq!(plain(&"a".repeat(33), 32), None);
        assert_eq!(plain("ääää", 7), None);
    }
}
