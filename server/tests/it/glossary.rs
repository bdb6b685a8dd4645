//! docs/GLOSSARY.md has every term that the docs of modules set in italics, and every module of ARCHITECTURE.md's map; and none
//! that nobody uses.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Where terms are used.
const SOURCES: [&str; 6] =
    ["shared/src", "server/core/src", "server/src", "client/src", "testing/src", "bot-client/src"];

/// Words in italics that are stressed, and no terms.
const STRESSED: [&str; 3] = ["decides", "no", "runs"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(file: impl AsRef<Path>) -> String {
    let file = root().join(file);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The lines of doc comments in all files under a folder.
fn docs(folder: &Path, out: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            docs(&path, out);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let lines =
                text.lines().map(str::trim_start).filter(|line| line.starts_with("//!") || line.starts_with("///"));
            out.extend(lines.map(|line| line[3..].to_owned()));
        }
    }
}

/// The terms that a line has in italics.
fn italics(line: &str) -> Vec<&str> {
    let parts: Vec<&str> = line.split('*').collect();
    let begins = |before: &str| before.is_empty() || before.ends_with([' ', '(']);
    let is_term = |part: &str| {
        let plain = part.chars().all(|c| c.is_ascii_lowercase() || c == ' ' || c == '-');
        plain && !part.is_empty() && part.trim() == part
    };
    let framed = parts.windows(3).filter(|around| begins(around[0]) && is_term(around[1]));
    framed.map(|around| around[1]).collect()
}

/// The names of modules in the map: the first column of its lines that are indented.
fn modules(map: &str) -> BTreeSet<String> {
    let lines = map.lines().filter(|line| line.starts_with("  "));
    let names = lines.filter_map(|line| line.trim_start().split("  ").next());
    names
        .flat_map(|names| names.split([',', ' ']).map(|name| name.trim_end_matches('/').to_owned()))
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn the_glossary_has_every_term_that_the_docs_use_and_no_other() {
    let page = read("docs/GLOSSARY.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let rows: Vec<&str> = rows.filter(|term| !["term", "---"].contains(term)).collect();
    let terms: BTreeSet<&str> = rows.iter().copied().collect();
    assert_eq!(terms.len(), rows.len(), "a term stands there twice");
    assert!(terms.len() > 100);

    let known = |word: &str| {
        let single = word.strip_suffix('s').unwrap_or(word);
        terms.contains(word) || terms.contains(single)
    };
    let mut lines = Vec::new();
    SOURCES.iter().for_each(|folder| docs(&root().join(folder), &mut lines));
    let used: BTreeSet<&str> = lines.iter().flat_map(|line| italics(line)).collect();
    assert!(used.len() > 15, "{used:?}");
    let missing: Vec<_> = used.iter().filter(|word| !STRESSED.contains(word) && !known(word)).collect();
    assert!(missing.is_empty(), "in italics, and not in docs/GLOSSARY.md: {missing:?}");

    let architecture = read("ARCHITECTURE.md");
    let map = architecture.split("```").nth(1).unwrap();
    let missing: Vec<_> = modules(map).into_iter().filter(|name| !known(name)).collect();
    assert!(missing.is_empty(), "modules that are not in docs/GLOSSARY.md: {missing:?}");

    let text = (lines.join("\n") + &read("PROTOCOL.md") + &architecture).to_lowercase();
    let unused: Vec<_> = terms.iter().filter(|term| !text.contains(&term.to_lowercase())).collect();
    assert!(unused.is_empty(), "in docs/GLOSSARY.md, and nowhere else: {unused:?}");
}
