//! The schema document of a game, which a client needs to decode its entities, inputs, events and config.
//!
//! It is sent as JSON text in [`Entered`](crate::protocol::ServerMessage::Entered) unless the client already knows its
//! hash.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    game::Game,
    prefix::BadPrefix,
    replicate::{EntitySchema, MAX_FIELDS, Replicate},
    wire::{MAX_DEPTH, Wire, WireSchema},
};

mod value;

/// Most parts of a value with empty lists.
const MAX_PARTS: u64 = 65_536;

/// The shapes of everything that a game sends and takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// The game's name.
    pub game: String,
    /// Its entities.
    pub entity: EntitySchema,
    /// The shape of inputs.
    pub input: WireSchema,
    /// The shape of events.
    pub event: WireSchema,
    /// The shape of configs.
    pub config: WireSchema,
}

/// The reason why a document is no schema that a client can use.
#[derive(Debug, Error)]
pub enum BadSchema {
    /// It is not the JSON of a schema.
    #[error("no schema: {0}")]
    Json(#[from] serde_json::Error),
    /// There are more kinds of entities than numbers for them.
    #[error("{0} kinds of entities: 256 are the most")]
    Kinds(usize),
    /// A kind has more fields than a change mask has bits.
    #[error("{fields} fields in {kind}: {MAX_FIELDS} are the most")]
    Fields {
        /// The kind.
        kind: String,
        /// The number of its fields.
        fields: u32,
    },
    /// A learned coding cannot be used.
    #[error("a learned coding: {0}")]
    Coding(#[from] BadPrefix),
    /// The shape of inputs, events or configs is too deep, has too many parts, or an enum without variants.
    #[error("the shape of {0} is too deep or too large")]
    Shape(&'static str),
}

impl Schema {
    /// Parses the schema in a document from elsewhere.
    ///
    /// # Errors
    ///
    /// [`BadSchema`] if a client could not use it.
    pub fn parse(json: &str) -> Result<Self, BadSchema> {
        let schema: Self = serde_json::from_str(json)?;
        let kinds = &schema.entity.kinds;
        if kinds.len() > 256 {
            return Err(BadSchema::Kinds(kinds.len()));
        }
        if let Some(kind) = kinds.iter().find(|kind| kind.fields() as usize > MAX_FIELDS) {
            return Err(BadSchema::Fields { kind: kind.name.clone(), fields: kind.fields() });
        }
        schema.entity.check()?;
        for (of, shape) in [("inputs", &schema.input), ("events", &schema.event), ("configs", &schema.config)] {
            if shape.parts(MAX_DEPTH) > MAX_PARTS {
                return Err(BadSchema::Shape(of));
            }
        }
        Ok(schema)
    }

    /// The schema of a game.
    pub fn of<G: Game>() -> Self {
        Self {
            game: G::NAME.to_owned(),
            entity: G::Entity::schema(),
            input: G::Input::schema(),
            event: G::Event::schema(),
            config: G::Config::schema(),
        }
    }

    /// The document as it is sent.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a schema has string keys and finite numbers only")
    }

    /// FNV-1a (64 bits) of the document's bytes.
    pub fn hash(json: &str) -> u64 {
        json.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(entity: &str, input: &str) -> Result<Schema, BadSchema> {
        let unit = r#"{"type":"unit"}"#;
        Schema::parse(&format!(r#"{{"game":"x","entity":{entity},"input":{input},"event":{unit},"config":{unit}}}"#))
    }

    const NONE: &str = r#"{"kinds":[]}"#;

    #[test]
    fn documents_that_nobody_can_go_by_are_refused() {
        assert!(parse(NONE, r#"{"type":"bool"}"#).is_ok());
        assert!(matches!(parse(NONE, r#"{"type":"soup"}"#), Err(BadSchema::Json(_))));
        assert!(matches!(Schema::parse("[".repeat(1_000).as_str()), Err(BadSchema::Json(_))));

        let kind = |lanes: usize, mask: &str| {
            let lane = r#"{"name":"a","quantizer":{"type":"bool"},"coding":{"golomb":{"k":0}}}"#;
            format!(r#"{{"name":"k","lanes":[{}],"blobs":[]{mask}}}"#, vec![lane; lanes].join(","))
        };
        let kinds = |count: usize, kind: String| format!(r#"{{"kinds":[{}]}}"#, vec![kind; count].join(","));
        let unit = r#"{"type":"unit"}"#;
        assert!(parse(&kinds(256, kind(1, "")), unit).is_ok());
        assert!(matches!(parse(&kinds(257, kind(1, "")), unit), Err(BadSchema::Kinds(257))));
        assert!(parse(&kinds(1, kind(64, "")), unit).is_ok());
        assert!(matches!(parse(&kinds(1, kind(65, "")), unit), Err(BadSchema::Fields { fields: 65, .. })));
        assert!(matches!(parse(&kinds(1, kind(1, r#","mask":"00""#)), unit), Err(BadSchema::Coding(_))));
    }

    #[test]
    fn shapes_that_would_not_end_are_refused() {
        let array = |len: u64, item: &str| format!(r#"{{"type":"array","len":{len},"item":{item}}}"#);
        let unit = r#"{"type":"unit"}"#;
        assert!(parse(NONE, &array(60_000, unit)).is_ok());
        let many = parse(NONE, &array(60_000, &array(60_000, unit)));
        assert_eq!(many.unwrap_err().to_string(), "the shape of inputs is too deep or too large");
        let deep = (0..40).fold(unit.to_owned(), |item, _| format!(r#"{{"type":"option","item":{item}}}"#));
        assert!(matches!(parse(NONE, &deep), Err(BadSchema::Shape("inputs"))));
        let nothing = r#"{"type":"enum","name":"Never","variants":[]}"#;
        assert!(matches!(parse(NONE, nothing), Err(BadSchema::Shape("inputs"))));
    }
}
