//! `POST /v1/scan`: one listing event in, its suspects out, through the same code as the worker; nothing goes to Kafka.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http_body_util::LengthLimitError;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use touchstone_schemas::Fault;

use crate::engine::{Engine, MAX_PAYLOAD, Payload, Scanned};
use crate::worker::Shared;

/// How long a request may take to send its body.
const SENDING: Duration = Duration::from_secs(10);
/// Threads that scan for requests.
const THREADS: u16 = 2;

/// A request's body.
struct Posted(Vec<u8>);

impl Payload for Posted {
    fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn folder(&self) -> Option<&Path> {
        None
    }
}

/// A refusal, as the contract writes it.
struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    path: String,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: &str) -> Self {
        Self { status, code, message: message.to_owned(), path: String::new() }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        if fault.reason == touchstone_schemas::FaultReason::Panic {
            return Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the scan failed");
        }
        Self { status: StatusCode::BAD_REQUEST, code: fault.reason.as_str(), message: fault.detail, path: fault.path }
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

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

struct Service {
    shared: Shared,
    /// Digests of the tokens: comparing digests tells nothing about a token by the time it takes.
    tokens: Vec<[u8; 32]>,
    room: Semaphore,
    engine: Mutex<Option<Engine>>,
}

pub(super) fn router(shared: &Shared) -> Router {
    let http = &shared.config.http;
    let service = Arc::new(Service {
        shared: shared.clone(),
        tokens: http.tokens.iter().map(|t| Sha256::digest(t.reveal()).into()).collect(),
        room: Semaphore::new(usize::try_from(http.most_requests).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS)),
        engine: Mutex::new(None),
    });
    let unknown = async || Refusal::new(StatusCode::NOT_FOUND, "not_found", "POST a listing event to /v1/scan");
    let other = async || Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "POST a listing event to /v1/scan");
    Router::new()
        .route("/v1/scan", post(async move |request: Request| service.scan(request).await.unwrap_or_else(Refusal::into_response)))
        .fallback(unknown)
        .method_not_allowed_fallback(other)
}

impl Service {
    async fn scan(self: Arc<Self>, request: Request) -> Result<Response, Refusal> {
        if !self.admits(request.headers()) {
            return Err(Refusal::new(StatusCode::UNAUTHORIZED, "unauthorized", "send a token as: Authorization: Bearer TOKEN"));
        }
        if self.shared.health.is_stopping() || self.shared.live.scanner().is_none() {
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", "the catalog is not loaded, or the worker is stopping"));
        }
        let busy = || Refusal::new(StatusCode::TOO_MANY_REQUESTS, "busy", "too many requests at once: come again in a second");
        let _permit = self.room.try_acquire().map_err(|_| busy())?;
        let body = body(request.into_body()).await?;
        let this = self.clone();
        let scanned = tokio::task::spawn_blocking(move || this.scan_body(body)).await;
        scanned.unwrap_or_else(|_| Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the scan failed")))
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(AUTHORIZATION).and_then(|v| v.as_bytes().strip_prefix(b"Bearer "));
        let digest = given.map(|token| <[u8; 32]>::from(Sha256::digest(token)));
        self.tokens.is_empty() || digest.is_some_and(|digest| self.tokens.contains(&digest))
    }

    fn scan_body(&self, body: Vec<u8>) -> Result<Response, Refusal> {
        let internal = || Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the scan failed");
        let scanner = self.shared.live.scanner().ok_or_else(internal)?;
        let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        if engine.is_none() {
            let new = Engine::new(scanner.clone(), Some(THREADS)).map_err(|_| internal())?;
            *engine = Some(new.with_remote(self.shared.remote.clone()));
        }
        let engine = engine.as_mut().ok_or_else(internal)?;
        engine.scanner = scanner.clone();
        // A request is no revision: it asks about a listing, and changes nothing.
        let scan = |listing: &_, pictures: &[_], now: &_| scanner.scan(listing, pictures, now);
        let read = engine.scan(&[Posted(body)], |_, _| true, scan).pop().ok_or_else(internal)??;
        let suspects = match read.scanned {
            Scanned::Done(suspects) => suspects,
            Scanned::Stale | Scanned::Removed => Vec::new(),
        };
        Ok(answer(StatusCode::OK, &json!({"suspects": suspects})))
    }
}

async fn body(body: Body) -> Result<Vec<u8>, Refusal> {
    let refused = |e: axum::Error| match e.into_inner().downcast::<LengthLimitError>() {
        Ok(_) => Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "a listing event is at most 1 MiB"),
        Err(_) => Refusal::new(StatusCode::BAD_REQUEST, "broken", "the body could not be read to its end"),
    };
    match tokio::time::timeout(SENDING, to_bytes(body, MAX_PAYLOAD)).await {
        Ok(bytes) => bytes.map(|b| b.to_vec()).map_err(refused),
        Err(_) => Err(Refusal::new(StatusCode::BAD_REQUEST, "timeout", "the body took too long")),
    }
}
