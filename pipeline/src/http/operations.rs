//! `/metrics`, `/health/live`, `/health/ready`, `/config`, `/shadow`.

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::shadow::Shadow;
use crate::worker::Shared;

const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) fn router(shared: &Shared) -> Router {
    let metrics = shared.metrics.clone();
    let (live, ready) = (shared.health.clone(), shared.health.clone());
    let config = shared.config.masked().to_string();
    let shadow = shared.shadow.clone();
    Router::new()
        .route("/metrics", get(async move || ([(CONTENT_TYPE, PROMETHEUS)], metrics.text())))
        .route("/health/live", get(async move || told(if live.is_live() { None } else { Some("the poll loop stands still") })))
        .route("/health/ready", get(async move || told(ready.missing())))
        .route("/config", get(async move || ([(CONTENT_TYPE, "application/json")], config)))
        .route("/shadow", get(async move || tried(shadow.as_deref())))
}

fn told(missing: Option<&'static str>) -> impl IntoResponse {
    match missing {
        None => (StatusCode::OK, "ok\n".to_owned()),
        Some(missing) => (StatusCode::SERVICE_UNAVAILABLE, format!("{missing}\n")),
    }
}

fn tried(shadow: Option<&Shadow>) -> Response {
    match shadow {
        Some(shadow) => ([(CONTENT_TYPE, "application/json")], shadow.shown().to_string()).into_response(),
        None => (StatusCode::NOT_FOUND, "nothing is tried: set shadow.policy or shadow.catalog\n").into_response(),
    }
}
