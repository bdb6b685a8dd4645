//! JSON that people can read and compare: keys in order, one line for what fits in one.

use std::{env, fmt::Write as _, fs, path::Path};

use serde_json::{Value, json};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory as _};

const WIDTH: usize = 120;

/// The text of a vector file.
pub fn format(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out.push('\n');
    out
}

/// Bytes as they stand in the files.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String does not fail");
        text
    })
}

/// The bytes of a text written by [`hex`].
pub fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hex digits")).collect()
}

/// Bytes as hex; hashes, which JavaScript's numbers do not hold, as text.
pub fn plain(value: Value) -> Value {
    let Value::Object(fields) = value else { return value };
    let field = |(name, value): (String, Value)| {
        let value = match (name.as_str(), value) {
            ("payload" | "pass" | "Pass" | "config" | "credential" | "ticket" | "client_key", Value::Array(bytes)) => {
                let bytes: Vec<u8> = bytes.iter().map(|byte| byte.as_u64().expect("a byte") as u8).collect();
                json!(hex(&bytes))
            }
            ("schema" | "schema_hash", Value::Number(hash)) => json!(hash.to_string()),
            (_, Value::Array(items)) => items.into_iter().map(plain).collect(),
            (_, value) => plain(value),
        };
        (name, value)
    };
    Value::Object(fields.into_iter().map(field).collect())
}

/// Compares what was built with the file of that name, or writes the file. `tests` are the arguments of `cargo test` that do so.
pub fn check(folder: &Path, name: &str, built: &Value, tests: &str) {
    let path = folder.join(name);
    let text = format(built);
    if env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(&path, text).expect("the folder of the vectors can be written");
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    if kept == text {
        return;
    }
    let (number, (old, new)) = kept
        .lines()
        .chain(std::iter::repeat("(end)"))
        .zip(text.lines().chain(std::iter::once("(end)")))
        .enumerate()
        .find(|(_, (old, new))| old != new)
        .expect("different texts differ in a line or in length");
    panic!(
        "shared/vectors/{name} differs from what the code does, first in line {}:\n  file: {old}\n  code: {new}\n\
         If the change is meant: UPDATE_VECTORS=1 cargo test {tests}",
        number + 1
    );
}

fn write(value: &Value, indent: usize, out: &mut String) {
    let line = line(value);
    let long = indent + line.len() > WIDTH;
    match value {
        Value::Array(items) if long && !items.is_empty() => {
            block(out, indent, ['[', ']'], items.iter().map(|item| (None, item)));
        }
        Value::Object(fields) if long && !fields.is_empty() => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            block(out, indent, ['{', '}'], fields.into_iter().map(|(key, value)| (Some(key), value)));
        }
        _ => out.push_str(&line),
    }
}

fn block<'a>(
    out: &mut String,
    indent: usize,
    [open, close]: [char; 2],
    items: impl Iterator<Item = (Option<&'a String>, &'a Value)>,
) {
    out.push(open);
    let mut separator = "";
    for (key, value) in items {
        out.push_str(separator);
        separator = ",";
        out.push('\n');
        out.push_str(&" ".repeat(indent + 2));
        if let Some(key) = key {
            write!(out, "{}: ", Value::String(key.clone())).expect("writing to a String does not fail");
        }
        write(value, indent + 2, out);
    }
    out.push('\n');
    out.push_str(&" ".repeat(indent));
    out.push(close);
}

fn line(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(line).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            let fields = fields.into_iter().map(|(key, value)| format!("\"{key}\": {}", line(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => escape(&Value::from(text.as_str()).to_string()),
        other => other.to_string(),
    }
}

/// What cannot be seen, or moves what is beside it, stands in the files by its number.
fn escape(text: &str) -> String {
    use GeneralCategoryGroup as Group;
    let is_clear = |character: char| {
        let group = character.general_category_group();
        character == ' ' || matches!(group, Group::Letter | Group::Number | Group::Punctuation | Group::Symbol)
    };
    let mut units = [0; 2];
    text.chars().fold(String::new(), |mut out, character| {
        if is_clear(character) {
            out.push(character);
        } else {
            for unit in character.encode_utf16(&mut units) {
                write!(out, "\\u{unit:04x}").expect("writing to a String does not fail");
            }
        }
        out
    })
}
