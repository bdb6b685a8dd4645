//! Texts that people choose: their plain forms, or why there are none.

use serde_json::{Value, json};
use tiltyard_shared::protocol::{
    limits::{NAME_BYTES, SAID_BYTES},
    text::{Flaw, plain},
};

/// What is plain as it stands.
const PLAIN: [(&str, &str); 37] = [
    ("nothing", ""),
    ("ASCII", "Ann_99 [x]"),
    ("composed", "Zoë Ångström"),
    ("Vietnamese", "Nguyễn Thị Ý"),
    ("Japanese", "ねこ 猫"),
    ("Hebrew with points", "שָׁלוֹם"),
    ("Thai", "น้ำผึ้ง"),
    ("Arabic with points", "مُحَمَّد"),
    ("Persian with a non-joiner between letters", "می\u{200c}روم"),
    ("Arabic with a joiner behind its last letter", "ه\u{200d}"),
    ("Malayalam with a joiner at its end", "അനിവര്\u{200d}"),
    ("Sinhala with a joiner between letters", "ශ්\u{200d}රී"),
    ("Bengali with a joiner before a mark", "র\u{200d}্যাব"),
    ("Hindi with a non-joiner behind a virama", "क्\u{200c}ष"),
    ("Burmese with four marks on a letter", "လျှို့ဝှက်"),
    ("Tibetan", "བསྒྲུབས"),
    ("Khmer with a non-joiner between marks", "ប៊\u{200c}ី"),
    ("Tai Tham with a joiner", "ᨠ\u{1a60}\u{200d}ᨠ"),
    ("Balinese with a non-joiner", "ᬓ\u{1b44}\u{200c}ᬓ"),
    ("Syloti Nagri with a joiner", "ꠇ\u{a806}\u{200d}ꠇ"),
    ("Javanese with a non-joiner", "ꦏ\u{a9c0}\u{200c}ꦏ"),
    ("Meetei Mayek with a joiner", "ꯀ\u{abed}\u{200d}ꯀ"),
    ("Brahmi with a joiner", "𑀓\u{11046}\u{200d}𑀓"),
    ("Adlam with a joiner", "𞤀\u{200d}𞤀"),
    ("Mongolian with a variant of a letter", "ᠠ\u{180b}"),
    ("three marks on a letter", "q\u{301}\u{302}\u{303}"),
    ("three marks in a letter", "ᾧ"),
    ("an emoji", "😀 Ann"),
    ("an emoji by a selector", "❤\u{fe0f}"),
    ("an emoji with a skin", "👋🏽"),
    ("a family", "👨\u{200d}👩\u{200d}👧\u{200d}👦"),
    ("a pilot", "Ann 👩\u{200d}✈\u{fe0f}"),
    ("a pilot with a skin", "👩🏽\u{200d}✈\u{fe0f}"),
    ("a heart on fire", "❤\u{fe0f}\u{200d}🔥"),
    ("a keycap", "1\u{fe0f}\u{20e3}"),
    ("the flags of two countries", "🇩🇪🇮🇷"),
    ("the flag of Wales", "🏴\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}"),
];

/// What has another plain form.
const FOLDED: [(&str, &str, &str); 11] = [
    ("only blanks", "  ", ""),
    ("blanks at the ends and between", "  Ann   Lee ", "Ann Lee"),
    ("a no-break space", "Ann\u{a0}Lee", "Ann Lee"),
    ("a Japanese space", "猫\u{3000}\u{3000}犬", "猫 犬"),
    ("a soft hyphen", "Ann\u{ad}Lee", "AnnLee"),
    ("a soft hyphen before a mark", "e\u{ad}\u{301}", "é"),
    ("Khmer with space of no width between words", "សុខ\u{200b}ជា", "សុខជា"),
    ("decomposed", "Zoe\u{308}", "Zoë"),
    ("a sign for a letter", "10 \u{212b}", "10 Å"),
    ("Hindi that has no composed form", "\u{958}", "क\u{93c}"),
    ("Persian with a non-joiner at the end of a word", "می\u{200c} خانه\u{200c}", "می خانه"),
];

/// What has none.
const REFUSED: [(&str, &str, Flaw); 36] = [
    ("a line feed", "A\nB", Flaw::Unseen),
    ("a tab", "\tA", Flaw::Unseen),
    ("delete", "A\u{7f}", Flaw::Unseen),
    ("a line separator", "A\u{2028}B", Flaw::Unseen),
    ("only a soft hyphen", "\u{ad}", Flaw::Unseen),
    ("only space of no width", " \u{200b} ", Flaw::Unseen),
    ("only a non-joiner", "\u{200c}", Flaw::Unseen),
    ("only a joiner", "\u{200d}", Flaw::Unseen),
    ("only a selector", "\u{fe0f}", Flaw::Unseen),
    ("a byte order mark", "A\u{feff}", Flaw::Unseen),
    ("a word joiner", "A\u{2060}B", Flaw::Unseen),
    ("a mark of direction", "A\u{200f}", Flaw::Unseen),
    ("an override of direction", "A\u{202e}B", Flaw::Unseen),
    ("an isolate of direction", "A\u{2066}B\u{2069}", Flaw::Unseen),
    ("a filler for a letter", "\u{3164}", Flaw::Unseen),
    ("an empty pattern of Braille", "\u{2800}", Flaw::Unseen),
    ("a joiner between Latin letters", "A\u{200d}B", Flaw::Unseen),
    ("a non-joiner between Latin letters", "A\u{200c}B", Flaw::Unseen),
    ("a non-joiner before a Latin letter", "م\u{200c}B", Flaw::Unseen),
    ("two non-joiners", "می\u{200c}\u{200c}روم", Flaw::Unseen),
    ("a joiner between an emoji and a letter", "👩\u{200d}A", Flaw::Unseen),
    ("a joiner behind an emoji", "👩\u{200d}", Flaw::Unseen),
    ("a joiner between letters of a flag", "🇩\u{200d}🇪", Flaw::Unseen),
    ("two selectors", "❤\u{fe0f}\u{fe0f}", Flaw::Unseen),
    ("a selector behind a blank", "A \u{fe0f}", Flaw::Unseen),
    ("a joiner between Thai letters", "ก\u{200d}ก", Flaw::Unseen),
    ("tags behind no flag", "A\u{e0067}\u{e0062}\u{e0077}\u{e007f}", Flaw::Unseen),
    ("a flag with two tags", "🏴\u{e0067}\u{e0062}\u{e007f}", Flaw::Unseen),
    ("a flag with tags that do not end", "🏴\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}", Flaw::Unseen),
    ("for private use", "A\u{e000}", Flaw::Unknown),
    ("not assigned", "A\u{378}", Flaw::Unknown),
    ("never assigned", "A\u{fdd0}", Flaw::Unknown),
    ("a mark on nothing", "\u{301}A", Flaw::Stacked),
    ("a mark on a blank", "A \u{301}", Flaw::Stacked),
    ("four marks on a letter", "q\u{301}\u{302}\u{303}\u{304}", Flaw::Stacked),
    ("four marks on a letter, one of them in it", "e\u{301}\u{301}\u{301}\u{301}", Flaw::Stacked),
];

#[test]
fn texts() {
    let case = |what: &str, text: &str, expected: Result<&str, Flaw>, max_bytes: usize| {
        assert_eq!(plain(text, max_bytes), expected.map(str::to_owned), "{what}");
        let (key, value) = match expected {
            Ok(plain) => ("plain", plain.to_owned()),
            Err(flaw) => ("flaw", format!("{flaw:?}")),
        };
        json!({ "what": what, "text": text, "max_bytes": max_bytes, key: value })
    };
    let plain = PLAIN.map(|(what, text)| case(what, text, Ok(text), NAME_BYTES));
    let folded = FOLDED.map(|(what, text, plain)| case(what, text, Ok(plain), NAME_BYTES));
    let refused = REFUSED.map(|(what, text, flaw)| case(what, text, Err(flaw), NAME_BYTES));
    let full = "ä".repeat(NAME_BYTES / 2);
    let seven = format!("🏴{}\u{e007f}", "\u{e0061}".repeat(7));
    let long = [
        case("a flag with seven tags", &seven, Err(Flaw::Unseen), SAID_BYTES),
        case("as many bytes as there may be", &full, Ok(&full), NAME_BYTES),
        case("the same with blanks at its ends", &format!("  {full}  "), Ok(&full), NAME_BYTES),
        case("one byte more", &format!("{full}a"), Err(Flaw::TooLong), NAME_BYTES),
        case("too long once it is in its plain form", &"\u{958}".repeat(6), Err(Flaw::TooLong), NAME_BYTES),
        case("words of a chat", &full.repeat(8), Ok(&full.repeat(8)), SAID_BYTES),
    ];
    let all: Vec<Value> = plain.into_iter().chain(folded).chain(refused).chain(long).collect();
    crate::check("texts.json", &json!({ "texts": all }));
}
