//! Error answers of the API: a status, and JSON with a code for programs and a text for people.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;
use tiltyard_shared::protocol::Code;

/// Why a request failed.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    /// `None` for errors of HTTP itself.
    code: Option<Code>,
    name: String,
    message: String,
}

/// The code of a failed answer, attached to it for the metrics.
#[derive(Clone, Debug)]
pub(super) struct Name(pub(super) String);

impl Failure {
    /// An error with more detail than its code's text.
    pub(super) fn new(code: Code, why: impl std::fmt::Display) -> Self {
        Self { message: format!("{code}: {why}"), ..Self::from(code) }
    }

    /// For an unknown route.
    pub(super) fn not_found() -> Self {
        Self::http(StatusCode::NOT_FOUND, "not_found", "there is nothing here")
    }

    /// For a ticket that is not here, or not any more.
    pub(super) fn no_ticket() -> Self {
        Self::http(StatusCode::NOT_FOUND, "unknown_ticket", "there is no such ticket, or nobody has asked after it")
    }

    /// For a route with other methods.
    pub(super) fn method() -> Self {
        Self::http(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "not by this method")
    }

    /// For a body that is not declared as JSON.
    pub(super) fn media_type() -> Self {
        Self::http(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", "the body must be application/json")
    }

    fn http(status: StatusCode, name: &'static str, message: &str) -> Self {
        Self { status, code: None, name: name.to_owned(), message: message.to_owned() }
    }

    /// The protocol's code, if it has one.
    pub(super) fn code(&self) -> Option<Code> {
        self.code
    }
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Self { status: status(code), code: Some(code), name: code.label(), message: code.to_string() }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = json!({ "code": self.name, "message": self.message });
        let mut response = (self.status, axum::Json(body)).into_response();
        response.extensions_mut().insert(Name(self.name));
        response
    }
}

/// The HTTP status for a code. Codes of connections and inputs do not occur here.
fn status(code: Code) -> StatusCode {
    match code {
        Code::UnknownGame | Code::UnknownMode | Code::UnknownRoom | Code::UnknownSession => StatusCode::NOT_FOUND,
        Code::RoomFull | Code::Locked | Code::Finished | Code::RoomClosed | Code::TakenOver | Code::Left => {
            StatusCode::CONFLICT
        }
        Code::AlreadySearching | Code::Cancelled | Code::TooFew | Code::NotInChannel | Code::TooManyChannels => {
            StatusCode::CONFLICT
        }
        Code::NoShow | Code::Expired => StatusCode::CONFLICT,
        Code::ServerFull | Code::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        Code::TooLarge | Code::ViewTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::TooFast | Code::Flooding => StatusCode::TOO_MANY_REQUESTS,
        Code::HelloTimeout | Code::Unresponsive => StatusCode::REQUEST_TIMEOUT,
        Code::BadPass | Code::NotAllowed => StatusCode::FORBIDDEN,
        Code::GameFailed | Code::Internal | Code::Unknown(_) => StatusCode::INTERNAL_SERVER_ERROR,
        Code::Unsupported => StatusCode::NOT_IMPLEMENTED,
        Code::Malformed
        | Code::TooEarly
        | Code::WrongVersion
        | Code::BadConfig
        | Code::BadName
        | Code::OutOfOrder
        | Code::TooManyEarly
        | Code::TooLate
        | Code::BadInput
        | Code::StaleEpoch
        | Code::BadCode
        | Code::BadFilter
        | Code::BadTitle
        | Code::BadParty
        | Code::BadRating
        | Code::BadChannel
        | Code::BadText => StatusCode::BAD_REQUEST,
    }
}
