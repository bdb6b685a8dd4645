//! PROTOCOL.md states what the code does: its tables and examples are looked up here.

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde_json::Value;
use tiltyard_shared::protocol::{ClientMessage, Code, ServerMessage, Target, VERSION, search::SearchState};

use crate::{messages, numbers::golomb_bits, protocol, shapes::variants};

/// Bytes in hex of which the document shows no more than a beginning.
const LONG: usize = 500;

#[test]
fn the_document_says_what_the_code_does() {
    let document = document();
    let mut missing = Vec::new();
    let mut expect = |line: String| {
        if !document.contains(&line) {
            missing.push(line);
        }
    };
    expect(format!("protocol version {VERSION}"));
    for code in Code::ALL {
        let fate = if code.is_final() { "final" } else { "again" };
        let places: Vec<String> = protocol::places(*code).iter().map(|place| format!("`{place}`")).collect();
        let (number, close, places) = (code.number(), code.close_code(), places.join(", ").replace("`head`", "head"));
        expect(format!("| {number} | `{code:?}` | {close} | {fate} | {code} | {places} |"));
    }
    for (name, value) in protocol::limits() {
        expect(format!("| `{name}` | {value} |"));
    }
    for value in [0, 1, 2, 4] {
        expect(format!("| {value} | `{}` | `{}` |", golomb_bits(value, 0), golomb_bits(value, 2)));
    }
    messages::examples().into_iter().for_each(|example| expect(format!("`{example}`")));
    assert!(missing.is_empty(), "PROTOCOL.md lacks:\n{}", missing.join("\n"));
}

#[test]
fn the_document_lists_messages_with_their_fields() {
    let document = document();
    let enums =
        [variants::<ClientMessage>(), variants::<ServerMessage>(), variants::<Target>(), variants::<SearchState>()];
    for message in enums.iter().flatten() {
        let start = format!("| {} | `{}` | ", message["index"], message["name"].as_str().expect("a name"));
        let fields = message["fields"].as_array().expect("a list");
        let shown: Vec<String> = fields.iter().filter_map(|field| shown(&field[0], &field[1])).collect();
        let mut rows = document.lines().filter(|line| line.starts_with(&start));
        assert!(rows.any(|row| in_order(row, &shown)), "PROTOCOL.md lacks {start}{}", shown.join(", "));
    }
}

#[test]
fn the_document_explains_every_result_of_the_vectors() {
    let document = document();
    let mut results = BTreeSet::new();
    let mut note = |result: &Value| match result {
        Value::String(name) => drop(results.insert(name.clone())),
        other => drop(results.insert(other[0].as_str().expect("a list begins with a name").to_owned())),
    };
    let items = |value: &Value| value.as_array().expect("a list").clone();
    for sequence in items(&read("frames.json")["sequences"]) {
        items(&sequence["steps"]).iter().filter_map(|step| step.get("result")).for_each(&mut note);
    }
    let hostile = read("hostile.json");
    for cases in [&hostile["frames"], &hostile["client"], &hostile["server"], &hostile["inputs"]["cases"]] {
        for case in items(cases) {
            [&case["truncated"], &case["mutated"]].into_iter().flat_map(items).for_each(|entry| note(&entry[1]));
        }
    }
    note(&Value::from("unbounded"));
    let missing: Vec<_> = results.iter().filter(|name| !document.contains(&format!("\n| `{name}` | "))).collect();
    assert!(missing.is_empty(), "PROTOCOL.md lacks results {missing:?}");
    assert!(results.len() > 12, "most of them occur: {results:?}");
}

/// How the document shows a field; `None` for one that it takes apart.
fn shown(name: &Value, shape: &Value) -> Option<String> {
    let name = name.as_str().expect("a name");
    let shape = match (shape["option"].as_str(), shape.as_str()) {
        (Some(inner), _) => format!("option {inner}"),
        (_, Some("Code")) => "enum".to_owned(),
        (_, Some("Report" | "Resync" | "SearchState")) | (_, None) => return None,
        (_, Some(shape)) => shape.to_owned(),
    };
    Some(if name == "0" { format!("`{shape}`") } else { format!("`{name}: {shape}`") })
}

fn in_order(row: &str, words: &[String]) -> bool {
    let mut rest = row;
    words.iter().all(|word| match rest.find(word.as_str()) {
        Some(index) => {
            rest = &rest[index + word.len()..];
            true
        }
        None => false,
    })
}

#[test]
fn the_document_shows_the_trace() {
    let trace = read("trace.json");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let mut shown = String::new();
    for (index, message) in list(&trace["messages"]).iter().enumerate() {
        let (hex, arrow) = (text(&message["hex"]), if message["from"] == "client" { "►" } else { "◄" });
        let hex = if hex.len() > LONG { format!("`{}` …", &hex[..64]) } else { format!("`{hex}`") };
        shown += &format!("| {} | {arrow} | {} | {hex} |\n", index + 1, text(&message["says"]));
    }
    let mut parts = vec![shown];
    let rows =
        |rows: &Value| list(rows).iter().map(|row| list(row).iter().map(text).collect()).collect::<Vec<Vec<_>>>();
    parts.push(
        rows(&trace["worked"]["frame"])
            .iter()
            .map(|row| format!("| `{}` | {} | {} |\n", row[0], row[1], row[2]))
            .collect(),
    );
    parts.push(rows(&trace["worked"]["hash"]).iter().map(|row| format!("| {} | `{}` |\n", row[0], row[1])).collect());
    let document = document();
    let missing: Vec<String> = parts.into_iter().filter(|part| !document.contains(part)).collect();
    assert!(missing.is_empty(), "PROTOCOL.md lacks:\n{}", missing.join("\n"));
}

/// A file of vectors.
fn read(name: &str) -> Value {
    let file = fs::read(crate::folder().join(name)).expect("the file is kept");
    serde_json::from_slice(&file).expect("it is JSON")
}

fn document() -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../PROTOCOL.md");
    fs::read_to_string(path).expect("PROTOCOL.md stands beside the workspace")
}
