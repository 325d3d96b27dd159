//! `POST /v1/scan`: one listing event in, its suspects out, through the same code as the worker; nothing goes to Kafka.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::Request;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::brands;
use super::refusal::{Refusal, answer, body};
use crate::engine::{Engine, Payload, Scanned};
use crate::worker::Shared;

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
    let brands = if shared.config.brands.enabled { brands::router(shared) } else { Router::new() };
    Router::new()
        .merge(brands)
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
