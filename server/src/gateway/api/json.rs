//! A JSON request body: bounded in size and time, of the right media type, without unknown fields.

use std::time::Duration;

use axum::{
    body::to_bytes,
    extract::{FromRequest, Request},
    http::header::CONTENT_TYPE,
};
use serde::de::DeserializeOwned;
use tiltyard_shared::protocol::Code;
use tokio::time::timeout;

use super::Failure;

/// The maximum size of a body in bytes: a config as JSON is a few times larger than its binary form.
const MAX_BYTES: usize = 16 * 1024;

/// The maximum time for a body to arrive.
const PATIENCE: Duration = Duration::from_secs(5);

/// The decoded body.
pub(super) struct Json<T>(pub(super) T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Failure> {
        // Forms on other sites cannot send this type without a preflight request.
        let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !media_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
            return Err(Failure::media_type());
        }
        let read = timeout(PATIENCE, to_bytes(request.into_body(), MAX_BYTES)).await;
        let bytes = read.map_err(|_| Code::HelloTimeout)?.map_err(|_| Code::TooLarge)?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| Failure::new(Code::Malformed, error))
    }
}
