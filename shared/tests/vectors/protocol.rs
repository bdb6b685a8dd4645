//! The protocol as tables for programs: messages with the shapes of their fields, codes, limits, bits. Everything is asked
//! of the types; only where a code appears is said here.

use serde_json::{Value, json};
use tiltyard_shared::{
    frame::{head_flags, part_flags},
    protocol::{
        CONTROL, ClientMessage, Code, FRAME, Identity, PIECE, Report, Resync, ServerMessage, Target, VERSION,
        capabilities, limits, lobby::RoomEntry, search::SearchState,
    },
};

use crate::shapes::{fields, variants};

#[test]
fn protocol() {
    let codes = Code::ALL.iter().map(|code| {
        json!({
            "number": code.number(),
            "name": format!("{code:?}"),
            "close_code": code.close_code(),
            "final": code.is_final(),
            "in": places(*code),
            "closes": places(*code).contains(&"Goodbye"),
            "words": code.to_string(),
        })
    });
    let limits: Value = limits().into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    crate::check(
        "protocol.json",
        &json!({
            "version": VERSION,
            "first_byte": { "frame": FRAME, "control": CONTROL, "piece": PIECE },
            "client": variants::<ClientMessage>(),
            "server": variants::<ServerMessage>().into_iter().map(with_capability).collect::<Vec<_>>(),
            "enums": { "Target": variants::<Target>(), "SearchState": variants::<SearchState>() },
            "structs": {
                "Report": fields::<Report>(),
                "Resync": fields::<Resync>(),
                "RoomEntry": fields::<RoomEntry>(),
                "Identity": fields::<Identity>(),
            },
            "codes": codes.collect::<Vec<_>>(),
            "limits": limits,
            "capabilities": capabilities(),
            "flags": flags(),
        }),
    );
}

/// A message of the server, with the capability that a client must have named.
fn with_capability(mut message: Value) -> Value {
    let needs = match message["name"].as_str() {
        Some("Pace") => "PACE",
        Some("Wait") => "WAIT",
        Some("Announcement") => "ANNOUNCEMENT",
        Some("Result") => "RESULT",
        Some("Prepare" | "Moved") => "MOVE",
        _ => return message,
    };
    message["needs"] = json!(needs);
    message
}

fn capabilities() -> Value {
    json!({
        "client": {
            "PIECES": capabilities::PIECES,
            "PACE": capabilities::PACE,
            "WAIT": capabilities::WAIT,
            "ANNOUNCEMENT": capabilities::ANNOUNCEMENT,
            "RESULT": capabilities::RESULT,
            "MOVE": capabilities::MOVE,
            "APPEND": capabilities::APPEND,
            "OPTIONAL": capabilities::OPTIONAL,
        },
        "server": { "RENEW": capabilities::RENEW, "STAND_BY": capabilities::STAND_BY },
    })
}

fn flags() -> Value {
    json!({
        "head": {
            "START": head_flags::START,
            "INPUTS": head_flags::INPUTS,
            "MOVED": head_flags::MOVED,
            "REFUSED": head_flags::REFUSED,
            "HASH": head_flags::HASH,
            "OWN": head_flags::OWN,
        },
        "part": {
            "VIEW": part_flags::VIEW,
            "BEHIND": part_flags::BEHIND,
            "CHUNKS": part_flags::CHUNKS,
            "EVENTS": part_flags::EVENTS,
            "LOST": part_flags::LOST,
            "GROUP": part_flags::GROUP,
        },
    })
}

/// Where this server says a code. One that is refused eight times in a row closes as well, see PROTOCOL.md.
pub(crate) fn places(code: Code) -> &'static [&'static str] {
    match code {
        Code::Malformed
        | Code::TooEarly
        | Code::TooFast
        | Code::HelloTimeout
        | Code::WrongVersion
        | Code::OutOfOrder
        | Code::ViewTooLarge
        | Code::Unresponsive
        | Code::TakenOver
        | Code::Left
        | Code::TooFew => &["Goodbye"],
        Code::TooLarge | Code::Finished | Code::GameFailed | Code::RoomClosed => &["Refused", "Goodbye"],
        Code::ServerFull => &["Refused", "Ended", "Goodbye"],
        Code::Stopping | Code::Internal => &["Ended", "Goodbye"],
        Code::UnknownGame
        | Code::UnknownRoom
        | Code::RoomFull
        | Code::UnknownSession
        | Code::BadConfig
        | Code::BadName
        | Code::StaleEpoch
        | Code::Locked
        | Code::BadPass
        | Code::BadCode
        | Code::BadFilter
        | Code::BadTitle
        | Code::BadChannel
        | Code::NotInChannel
        | Code::TooManyChannels
        | Code::BadText
        | Code::Flooding
        | Code::Unsupported => &["Refused"],
        Code::UnknownMode | Code::BadParty | Code::BadRating | Code::AlreadySearching => &["Refused", "Ended"],
        Code::Cancelled | Code::NoShow | Code::Expired => &["Ended"],
        Code::TooManyEarly | Code::TooLate | Code::BadInput | Code::NotAllowed => &["head"],
        Code::Unknown(_) => &[],
    }
}

/// Sizes in bytes, times in milliseconds.
pub(crate) fn limits() -> Vec<(&'static str, usize)> {
    vec![
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
        ("RETRY_AFTER", limits::RETRY_AFTER.as_millis() as usize),
        ("RETURN_WITHIN", limits::RETURN_WITHIN.as_millis() as usize),
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
    ]
}
