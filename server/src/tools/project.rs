//! A project for an author's own game: the game of the guide under another name, with its page.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};

/// The game of the guide: a link to games/pong, so that the package of this crate has it, too.
const RULES: &str = include_str!("project/pong.rs");

/// The repository of the libraries, unless they are taken from a clone.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// Names that are reserved by Rust or by the project itself.
const RESERVED: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "build",
    "const",
    "continue",
    "core",
    "crate",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "loop",
    "macro",
    "main",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "serde",
    "serde-json",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "tests",
    "tiltyard-server",
    "tiltyard-shared",
    "tiltyard-testing",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

/// The tests of a new project.
const TESTS: &str = r#"//! The rules, played at random and by hand.

use std::time::Duration;

use tiltyard_shared::check::check_game;
use tiltyard_testing::Play;

use crate::{Input, Pong};

#[test]
fn the_game_passes_its_check() {
    check_game::<Pong>();
}

#[test]
fn who_pushes_up_is_seen_to_go_up() {
    let mut play = Play::<Pong>::new(());
    let [ann, bob] = ["Ann", "Bob"].map(|name| play.join(name));
    play.line(bob).delay = Duration::from_millis(100);
    play.run(Duration::from_secs(1));
    let paddle = |play: &Play<Pong>, seen_by| play.sees(seen_by)[0].1.paddles[0];
    let before = paddle(&play, bob);
    play.send(ann, &Input { push: -1 });
    play.run(Duration::from_millis(400));
    assert!(paddle(&play, ann) < paddle(&play, bob), "Bob sees it later");
    assert!(paddle(&play, bob) < before);
}
"#;

/// Writes the project, and returns instructions for the next steps.
///
/// # Errors
///
/// If the name cannot be a game's, the folder is in use, or the files cannot be written.
pub(crate) fn create(folder: &Path, clone: Option<&Path>) -> anyhow::Result<String> {
    let name = folder.file_name().and_then(|name| name.to_str()).context("the folder needs a name")?;
    check_name(name)?;
    ensure!(!folder.exists(), "{} exists already", folder.display());
    for (path, text) in files(name, clone)? {
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(format!(
        "{name} is ready to be played and changed:\n\n  cd {}\n  cargo test\n  cargo run --release -- --web web\n",
        folder.display()
    ))
}

fn check_name(name: &str) -> anyhow::Result<()> {
    let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let framed = name.starts_with(|first: char| first.is_ascii_lowercase()) && !name.ends_with('-');
    if !plain || !framed || name.len() > 32 || name.contains("--") {
        bail!("{name:?} is no name for a game: a letter, then at most 31 lower-case letters, digits and single dashes");
    }
    ensure!(!RESERVED.contains(&name), "{name:?} has another meaning in Rust or in the project");
    Ok(())
}

fn files(name: &str, clone: Option<&Path>) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let (module, type_name) = (name.replace('-', "_"), type_name(name));
    let rules = RULES
        .replace(
            "The guide in docs/pong.md builds this file from nothing.",
            "Tiltyard's guide docs/pong.md explains it.",
        )
        .replace("\"pong\"", &format!("{name:?}"))
        .replace("struct Pong ", &format!("struct {type_name} "))
        .replace("Game for Pong ", &format!("Game for {type_name} "));
    let tests = TESTS.replace("Pong", &type_name);
    let page = tiltyard_web::text("games/pong/index.js").context("the guide's page is not in this binary")?;
    let page = page.replacen("Pong's page", "The game's page", 1);
    let files = [
        ("Cargo.toml", manifest(name, clone)?),
        (".gitignore", "/target\n".to_owned()),
        ("README.md", readme(name)),
        ("src/lib.rs", rules),
        ("src/main.rs", format!("tiltyard_server::main!({module}::{type_name});\n")),
        ("src/tests.rs", tests),
    ];
    let page = (PathBuf::from(format!("web/games/{name}/index.js")), page);
    Ok(files.into_iter().map(|(path, text)| (path.into(), text)).chain([page]).collect())
}

/// The name of a type for `my-game`: `MyGame`.
fn type_name(name: &str) -> String {
    let upper = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('-').map(upper).collect()
}

fn manifest(name: &str, clone: Option<&Path>) -> anyhow::Result<String> {
    let library = |part: &str| match clone {
        None => Ok(format!("{{ git = {REPOSITORY:?} }}")),
        Some(clone) => {
            let path = clone.join(part);
            let path = path.canonicalize().with_context(|| format!("{} is no clone of Tiltyard", clone.display()))?;
            Ok::<_, anyhow::Error>(format!("{{ path = {path:?} }}"))
        }
    };
    let (server, shared, testing) = (library("server")?, library("shared")?, library("testing")?);
    Ok(format!(
        "[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\nserde = {{ version = \"1\", \
         features = [\"derive\"] }}\nserde_json = \"1\"\ntiltyard-server = {server}\ntiltyard-shared = {shared}\n\n\
         [dev-dependencies]\ntiltyard-testing = {testing}\n\n\
         # Fast enough to play, and still with the checks of a debug build.\n[profile.dev]\nopt-level = 1\n\
         debug = \"line-tables-only\"\n"
    ))
}

fn readme(name: &str) -> String {
    format!(
        "# {name}\n\nA game on [Tiltyard]({REPOSITORY}). It begins as pong.\n\n```sh\ncargo test                              # do \
         the rules hold?\ncargo run --release -- --web web        # then open http://127.0.0.1:8080 in two tabs\n```\n\n\
         | file | what |\n| --- | --- |\n| `src/lib.rs` | the rules |\n| `src/main.rs` | the server |\n\
         | `src/tests.rs` | `check_game`: random matches, each played twice and compared; two players, one of whom lags |\n\
         | `web/games/{name}/index.js` | the page's part: drawing and input |\n\n\
         `cargo run -- schema {name} --types` prints types for the page. `tiltyard-bot --game {name} --bots 2` plays it by its \
         schema (`cargo install --git {REPOSITORY} tiltyard-bot`).\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_games_are_names_of_crates_too() {
        for good in ["pong", "my-game", "a", "game2"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "My-Game", "2game", "my_game", "my--game", "game-", "-game", "match", "serde", &"a".repeat(33)]
        {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_new_name_is_in_every_place() {
        let files = files("my-game", None).expect("no clone is needed");
        let text = |path: &str| &files.iter().find(|(one, _)| one == Path::new(path)).expect("it is written").1;
        assert!(text("src/lib.rs").contains("impl Game for MyGame {"));
        assert!(text("src/lib.rs").contains("const NAME: &'static str = \"my-game\";"));
        assert!(!text("src/lib.rs").contains("docs/pong.md builds"));
        assert_eq!(text("src/main.rs"), "tiltyard_server::main!(my_game::MyGame);\n");
        assert!(text("Cargo.toml").contains("name = \"my-game\""));
        assert!(text("src/tests.rs").contains("use crate::{Input, MyGame};"));
        assert!(files.iter().any(|(path, _)| path == Path::new("web/games/my-game/index.js")));
    }
}
