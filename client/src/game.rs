//! A client's knowledge of its game: the author's types, or only the server's schema.

use std::sync::Arc;

use tiltyard_shared::{
    game::Game,
    protocol::{
        codec::{self, CodecError},
        limits,
    },
    schema::Schema,
};

use crate::{
    error::Error,
    inputs::{self, NotSent},
};

/// A game as its clients use it. Every [`Game`] is one; [`AnyGame`] is any game that a server has.
pub trait ClientGame: Send + 'static {
    /// The inputs that players send.
    type Input;
    /// The events that they get.
    type Event;

    /// The schema that the client was built with; `None` to use the server's.
    fn schema() -> Option<Schema>;

    /// Encodes an input.
    ///
    /// # Errors
    ///
    /// [`NotSent`] if no server takes it.
    fn encode(schema: &Schema, input: &Self::Input) -> Result<Vec<u8>, NotSent>;

    /// Decodes an event.
    ///
    /// # Errors
    ///
    /// [`CodecError`] if the bytes are no event of the game.
    fn decode(schema: &Schema, event: &[u8]) -> Result<Self::Event, CodecError>;
}

impl<G: Game> ClientGame for G {
    type Input = G::Input;
    type Event = G::Event;

    fn schema() -> Option<Schema> {
        Some(Schema::of::<G>())
    }

    fn encode(_schema: &Schema, input: &G::Input) -> Result<Vec<u8>, NotSent> {
        inputs::encode(input)
    }

    fn decode(_schema: &Schema, event: &[u8]) -> Result<G::Event, CodecError> {
        codec::decode(event)
    }
}

/// Any game that a server has. Inputs and events are bytes of the shapes in its [`Schema`].
#[derive(Debug)]
pub enum AnyGame {}

impl ClientGame for AnyGame {
    type Input = Vec<u8>;
    type Event = Vec<u8>;

    fn schema() -> Option<Schema> {
        None
    }

    fn encode(schema: &Schema, input: &Vec<u8>) -> Result<Vec<u8>, NotSent> {
        match input.len() {
            bytes if bytes > limits::INPUT_BYTES => Err(NotSent::TooLarge { field: schema.input.heaviest(), bytes }),
            _ if schema.input.accepts(input) => Ok(input.clone()),
            _ => Err(NotSent::NoInput),
        }
    }

    fn decode(schema: &Schema, event: &[u8]) -> Result<Vec<u8>, CodecError> {
        if schema.event.accepts(event) { Ok(event.to_owned()) } else { Err(CodecError::Malformed) }
    }
}

/// A schema and its hash. The hash tells a server which schema a client knows.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownSchema {
    /// The schema.
    pub schema: Arc<Schema>,
    /// The hash of its document.
    pub hash: u64,
}

impl From<Schema> for KnownSchema {
    fn from(schema: Schema) -> Self {
        let hash = Schema::hash(&schema.to_json());
        Self { schema: Arc::new(schema), hash }
    }
}

impl KnownSchema {
    /// The schema to use in a room: the client's own, or the one that the server sent.
    ///
    /// # Errors
    ///
    /// [`Error::OtherSchema`] if the room has another schema than the client's, or the document has another hash than
    /// announced; [`Error::BadSchema`] if it is invalid.
    pub(crate) fn of_room(known: Option<Self>, hash: u64, told: Option<&str>) -> Result<Self, Error> {
        let ours = match (known, told) {
            (Some(known), _) => known,
            (None, told) => {
                let json = told.unwrap_or_default();
                Self { schema: Arc::new(Schema::parse(json)?), hash: Schema::hash(json) }
            }
        };
        if ours.hash == hash { Ok(ours) } else { Err(Error::OtherSchema { ours: ours.hash, theirs: hash }) }
    }
}

#[cfg(test)]
mod tests {
    use tiltyard_arena::{Arena, messages::Input};
    use tiltyard_shared::schema::BadSchema;

    use super::*;

    #[test]
    fn who_was_built_with_the_game_takes_no_other_schema() {
        let known = || <Arena as ClientGame>::schema().map(KnownSchema::from);
        let hash = known().unwrap().hash;
        assert_eq!(KnownSchema::of_room(known(), hash, None).unwrap(), known().unwrap());
        let other = KnownSchema::of_room(known(), 7, Some("{}"));
        assert!(matches!(other, Err(Error::OtherSchema { ours, theirs: 7 }) if ours == hash));
    }

    #[test]
    fn who_was_not_goes_by_what_the_server_tells() {
        let json = Schema::of::<Arena>().to_json();
        let hash = Schema::hash(&json);
        let told = KnownSchema::of_room(None, hash, Some(&json)).unwrap();
        assert_eq!((told.hash, told.schema.to_json()), (hash, json.clone()));
        assert!(matches!(KnownSchema::of_room(None, 7, Some(&json)), Err(Error::OtherSchema { theirs: 7, .. })));
        for nothing in [None, Some(""), Some("{}")] {
            let error = KnownSchema::of_room(None, hash, nothing);
            assert!(matches!(error, Err(Error::BadSchema(BadSchema::Json(_)))));
        }
    }

    #[test]
    fn bytes_of_another_shape_are_neither_sent_nor_believed() {
        let schema = Schema::of::<Arena>();
        let input = codec::encode(&Input::default());
        assert_eq!(AnyGame::encode(&schema, &input), Ok(input.clone()));
        assert_eq!(AnyGame::encode(&schema, &input[1..].to_vec()), Err(NotSent::NoInput));
        let large = vec![0; limits::INPUT_BYTES + 1];
        assert!(
            matches!(AnyGame::encode(&schema, &large), Err(NotSent::TooLarge { bytes, .. }) if bytes == large.len())
        );
        let event = codec::encode(&tiltyard_arena::messages::Event::Empty);
        assert_eq!(AnyGame::decode(&schema, &event), Ok(event));
        assert_eq!(AnyGame::decode(&schema, &[99]), Err(CodecError::Malformed));
    }
}
