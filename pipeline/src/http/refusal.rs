//! What a request is refused with, and how answers and bodies are written and read.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use serde_json::{Value, json};
use touchstone_schemas::{Fault, FaultReason};

use crate::engine::MAX_PAYLOAD;

/// How long a request may take to send its body.
const SENDING: Duration = Duration::from_secs(10);

/// A refusal, as the contract writes it.
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    path: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, message: &str) -> Self {
        Self { status, code, message: message.to_owned(), path: String::new() }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        if fault.reason == FaultReason::Panic {
            return Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the scan failed");
        }
        let status = match fault.reason {
            FaultReason::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        };
        Self { status, code: fault.reason.as_str(), message: fault.detail, path: fault.path }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({"error": {"code": self.code, "message": self.message, "path": self.path}});
        let mut response = answer(self.status, &body);
        if self.status == StatusCode::TOO_MANY_REQUESTS || self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, axum::http::HeaderValue::from_static("1"));
        }
        response
    }
}

/// An answer in JSON.
pub(super) fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// The body of a request: at most 1 MiB, within its time.
pub(super) async fn body(body: Body) -> Result<Vec<u8>, Refusal> {
    let refused = |e: axum::Error| match e.into_inner().downcast::<LengthLimitError>() {
        Ok(_) => Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "a body is at most 1 MiB"),
        Err(_) => Refusal::new(StatusCode::BAD_REQUEST, "broken", "the body could not be read to its end"),
    };
    match tokio::time::timeout(SENDING, to_bytes(body, MAX_PAYLOAD)).await {
        Ok(bytes) => bytes.map(|b| b.to_vec()).map_err(refused),
        Err(_) => Err(Refusal::new(StatusCode::BAD_REQUEST, "timeout", "the body took too long")),
    }
}
