//! PROTOCOL.md states what the code does: its tables and examples are looked up here.

use std::{fs, path::PathBuf};

use tiltyard_shared::protocol::{Code, VERSION, limits};

use crate::{messages, numbers::golomb_bits};

#[test]
fn the_document_says_what_the_code_does() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../PROTOCOL.md");
    let document = fs::read_to_string(path).expect("PROTOCOL.md stands beside the workspace");
    let mut missing = Vec::new();
    let mut expect = |line: String| {
        if !document.contains(&line) {
            missing.push(line);
        }
    };
    expect(format!("protocol version {VERSION}"));
    for code in Code::ALL {
        let fate = if code.is_final() { "final" } else { "again" };
        expect(format!("| {} | `{code:?}` | {} | {fate} | {code} |", code.number(), code.close_code()));
    }
    for (name, value) in [
        ("HELLO_BYTES", limits::HELLO_BYTES),
        ("MESSAGE_BYTES", limits::MESSAGE_BYTES),
        ("INPUT_BYTES", limits::INPUT_BYTES),
        ("CONFIG_BYTES", limits::CONFIG_BYTES),
        ("NAME_BYTES", limits::NAME_BYTES),
        ("TITLE_BYTES", limits::TITLE_BYTES),
        ("METADATA_BYTES", limits::METADATA_BYTES),
        ("PAGE_ROOMS", limits::PAGE_ROOMS),
        ("LAST_PAGE", limits::LAST_PAGE as usize),
        ("PASS_BYTES", limits::PASS_BYTES),
        ("CREDENTIAL_BYTES", limits::CREDENTIAL_BYTES),
        ("RESUME_GROUPS", limits::RESUME_GROUPS),
        ("RESULT_BYTES", limits::RESULT_BYTES),
        ("RATING", limits::RATING as usize),
        ("PARTY", usize::from(limits::PARTY)),
        ("CHANNEL_BYTES", limits::CHANNEL_BYTES),
        ("CHANNELS", limits::CHANNELS),
        ("SAID_BYTES", limits::SAID_BYTES),
        ("SAID_BURST", limits::SAID_BURST as usize),
        ("ATTEND_BURST", limits::ATTEND_BURST as usize),
        ("PRESENT_NAMES", limits::PRESENT_NAMES),
        ("EARLY_INPUTS", limits::EARLY_INPUTS),
        ("FRAME_BYTES", limits::FRAME_BYTES),
        ("FRAME_EVENT_BYTES", limits::FRAME_EVENT_BYTES),
        ("CHUNK_BYTES", limits::CHUNK_BYTES),
        ("UNAPPLIED_BYTES", limits::UNAPPLIED_BYTES),
        ("MESSAGES_PER_SECOND", limits::MESSAGES_PER_SECOND as usize),
        ("INPUTS_PER_SECOND", limits::INPUTS_PER_SECOND as usize),
        ("KEPT_INPUTS", limits::KEPT_INPUTS),
        ("KEPT_FOR", limits::KEPT_FOR.as_millis() as usize),
        ("HELLO_TIMEOUT", limits::HELLO_TIMEOUT.as_millis() as usize),
        ("LIST_SPACING", limits::LIST_SPACING.as_millis() as usize),
        ("SAID_SPACING", limits::SAID_SPACING.as_millis() as usize),
        ("PRESENT_SPACING", limits::PRESENT_SPACING.as_millis() as usize),
        ("PASS_LIFETIME", limits::PASS_LIFETIME.as_millis() as usize),
        ("CUT_OFF", limits::CUT_OFF.as_millis() as usize),
        ("GATHERING", limits::GATHERING.as_millis() as usize),
        ("IDLE_FRAME", limits::IDLE_FRAME.as_millis() as usize),
        ("REPORT", limits::REPORT.as_millis() as usize),
        ("RESYNC_SPACING", limits::RESYNC_SPACING.as_millis() as usize),
        ("LAG", limits::LAG.as_millis() as usize),
    ] {
        expect(format!("| `{name}` | {value} |"));
    }
    for value in [0, 1, 2, 4] {
        expect(format!("| {value} | `{}` | `{}` |", golomb_bits(value, 0), golomb_bits(value, 2)));
    }
    messages::examples().into_iter().for_each(|example| expect(format!("`{example}`")));
    assert!(missing.is_empty(), "PROTOCOL.md lacks:\n{}", missing.join("\n"));
}
