//! The schema document of a room's game.

/// The schema of a game, which clients need to decode it.
#[derive(Debug)]
pub(crate) struct SchemaDocument {
    /// The document as JSON text.
    pub(crate) json: String,
    /// Its hash.
    pub(crate) hash: u64,
}
