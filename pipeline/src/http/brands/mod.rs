//! `/v1/brands/{id}/suspects` and `/v1/brands/{id}/verdicts`: a brand reads its suspects and answers them, by a token of its own.

mod cursor;
mod read;
mod verdicts;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use reqwest::Url;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use touchstone_detectors::Scanner;

use super::refusal::{Refusal, answer, body};
use crate::engine;
use crate::worker::Shared;
use cursor::Cursor;
use read::{Asked, Page, Trouble};
use verdicts::{Judged, Writer};

/// Requests that ask brokers at once.
pub(super) const AT_ONCE: usize = 8;
/// The same of one brand, so that none keeps the others out.
const AT_ONCE_OF_A_BRAND: usize = 2;
/// Suspects of a page, where it is not said, and at most.
const LIMIT: usize = 100;
const MOST: usize = 500;
/// How far the clock of a brand may be ahead.
const AHEAD: Duration = Duration::from_secs(300);

/// What speaks for a brand.
struct Token {
    /// Comparing digests tells nothing about a token by the time it takes.
    digest: [u8; 32],
    brand: String,
}

struct Brands {
    shared: Shared,
    tokens: Vec<Token>,
    room: Arc<Semaphore>,
    /// Room of each brand.
    rooms: BTreeMap<String, Arc<Semaphore>>,
    writer: Writer,
}

pub(super) fn router(shared: &Shared) -> Router {
    let tokens = &shared.config.brands.tokens;
    let token =
        |(brand, token): (&String, &crate::config::Secret)| Token { digest: Sha256::digest(token.reveal()).into(), brand: brand.clone() };
    let brands = Arc::new(Brands {
        shared: shared.clone(),
        tokens: tokens.iter().map(token).collect(),
        room: Arc::new(Semaphore::new(AT_ONCE)),
        rooms: tokens.keys().map(|brand| (brand.clone(), Arc::new(Semaphore::new(AT_ONCE_OF_A_BRAND)))).collect(),
        writer: Writer::new(&shared.config),
    });
    let reads = brands.clone();
    let suspects =
        async move |Path(id): Path<String>, request: Request| reads.suspects(id, request).await.unwrap_or_else(Refusal::into_response);
    let verdicts =
        async move |Path(id): Path<String>, request: Request| brands.verdicts(id, request).await.unwrap_or_else(Refusal::into_response);
    let other = async || Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "GET suspects, and POST verdicts");
    Router::new()
        .route("/v1/brands/{id}/suspects", get(suspects))
        .route("/v1/brands/{id}/verdicts", post(verdicts))
        .method_not_allowed_fallback(other)
}

impl Brands {
    async fn suspects(self: Arc<Self>, brand: String, request: Request) -> Result<Response, Refusal> {
        // A body, which nothing reads, could not be held while brokers are asked.
        let (head, _) = request.into_parts();
        let scanner = self.admit(&head.headers, &brand)?;
        let (cursor, limit) = query(head.uri.query().unwrap_or_default())?;
        let room = self.room(&brand)?;
        let own = scanner.catalog().has_own_topic(&brand);
        let asked = Asked { brand, own, cursor, limit };
        let this = self.clone();
        let read = move || {
            // Held to the end of the work, which goes on when nobody waits for it any more.
            let _room = room;
            read::read(&this.shared.config, scanner.policy(), &asked)
        };
        let page = tokio::task::spawn_blocking(read);
        match page.await {
            Ok(Ok(Page { suspects, cursor, more })) => {
                // Written at once, since a suspect's text is kept as it is.
                let suspects = suspects.iter().map(|s| s.get()).collect::<Vec<_>>().join(",");
                let body = format!("{{\"suspects\":[{suspects}],\"cursor\":\"{}\",\"more\":{more}}}", cursor.write());
                Ok(([(axum::http::header::CONTENT_TYPE, "application/json")], body).into_response())
            }
            Ok(Err(Trouble::Cursor)) => Err(bad_cursor()),
            Ok(Err(Trouble::Brokers(why))) => Err(no_brokers("suspects cannot be read", &why)),
            Err(_) => Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the suspects could not be read")),
        }
    }

    async fn verdicts(self: Arc<Self>, brand: String, request: Request) -> Result<Response, Refusal> {
        self.admit(request.headers(), &brand)?;
        let room = self.room(&brand)?;
        let body = body(request.into_body()).await?;
        let Judged { accepted, refused, dropped } = verdicts::judge(&body, &brand, &engine::from_now(AHEAD))?;
        let count = accepted.len();
        if count > 0 {
            let this = self.clone();
            let write = move || {
                let _room = room;
                this.writer.write(&this.shared.config, &accepted)
            };
            let written = tokio::task::spawn_blocking(write).await;
            let internal = |_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the verdicts could not be written");
            let again = "verdicts are not all written: send them again, the same verdict_id counts once";
            written.map_err(internal)?.map_err(|e| no_brokers(again, &e.to_string()))?;
        }
        Ok(answer(StatusCode::ACCEPTED, &json!({"accepted": count, "refused": refused, "dropped": dropped})))
    }

    /// What a brand is judged by, where the token speaks for it. A token of another brand learns nothing of who is there.
    fn admit(&self, headers: &HeaderMap, brand: &str) -> Result<Arc<Scanner>, Refusal> {
        let given = headers.get(AUTHORIZATION).and_then(|v| v.as_bytes().strip_prefix(b"Bearer "));
        let digest = given.map(|token| <[u8; 32]>::from(Sha256::digest(token)));
        let token = digest.and_then(|digest| self.tokens.iter().find(|t| t.digest == digest));
        let token = token.ok_or_else(|| {
            Refusal::new(StatusCode::UNAUTHORIZED, "unauthorized", "send the brand's token as: Authorization: Bearer TOKEN")
        })?;
        if token.brand != brand {
            return Err(Refusal::new(StatusCode::FORBIDDEN, "forbidden", "the token speaks for another brand"));
        }
        let scanner = self.shared.live.scanner().filter(|_| !self.shared.health.is_stopping());
        let not_ready = "the catalog is not loaded, or the worker is stopping";
        let scanner = scanner.ok_or_else(|| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", not_ready))?;
        match scanner.catalog().brand(brand).is_some() {
            true => Ok(scanner),
            false => Err(Refusal::new(StatusCode::NOT_FOUND, "unknown_brand", "the catalog has no such brand")),
        }
    }

    fn room(&self, brand: &str) -> Result<[Option<OwnedSemaphorePermit>; 2], Refusal> {
        let busy = |_| Refusal::new(StatusCode::TOO_MANY_REQUESTS, "busy", "too many requests at once: come again in a second");
        let of_brand = self.rooms.get(brand).map(|room| room.clone().try_acquire_owned()).transpose().map_err(busy)?;
        Ok([of_brand, Some(self.room.clone().try_acquire_owned().map_err(busy)?)])
    }
}

/// From where on, and how many.
fn query(text: &str) -> Result<(Option<Cursor>, usize), Refusal> {
    let (mut cursor, mut limit) = (None, LIMIT);
    // The parser of links takes whatever stands behind a question mark.
    let url = Url::parse(&format!("http://brands/?{text}")).ok();
    for (name, value) in url.iter().flat_map(Url::query_pairs) {
        match &*name {
            "cursor" => cursor = Some(Cursor::read(&value).ok_or_else(bad_cursor)?),
            "limit" => {
                let bad = || Refusal::new(StatusCode::BAD_REQUEST, "bad_limit", &format!("limit is a number from 1 to {MOST}"));
                limit = value.parse().ok().filter(|n| (1..=MOST).contains(n)).ok_or_else(bad)?;
            }
            _ => {}
        }
    }
    Ok((cursor, limit))
}

fn bad_cursor() -> Refusal {
    let message = "it is none of those that were given out for these suspects: begin again without a cursor";
    Refusal::new(StatusCode::BAD_REQUEST, "bad_cursor", message)
}

/// What brokers say is for the operator.
fn no_brokers(what: &str, why: &str) -> Refusal {
    tracing::warn!("brands: {what}: {why}");
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "brokers_unavailable", what)
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use serde_json::Value;
    use tower_service::Service;

    use super::*;
    use crate::commands::{configured, run::share};
    use crate::config::Config;

    const TOKENS: [&str; 3] = ["token-of-kessra-rowe", "token-of-somebody-else", "token-of-nobody-here"];

    fn shared(catalog: bool) -> Shared {
        let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/catalog");
        let [own, other, gone] = TOKENS;
        let text = format!(
            "[kafka]\nbrokers = \"127.0.0.1:1\"\n[catalog]\npath = {examples:?}\n[pictures]\nfetch = false\n[brands]\nenabled = true\n\
             tokens = {{kessra-rowe = {own:?}, velmora = {other:?}, gone = {gone:?}}}"
        );
        let config: Config = toml::from_str(&text).expect("a configuration");
        let shared = share(config).expect("what is shared");
        if catalog {
            let (catalog, policy) = configured(&shared.config).expect("the examples");
            shared.live.put(catalog, policy);
        }
        shared
    }

    /// Status and code of an answer.
    fn asked(shared: &Shared, method: &str, path: &str, token: Option<&str>, body: Vec<u8>) -> (u16, String) {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Body::from(body)).expect("a request");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (status, body) = runtime.block_on(async {
            let response = router(shared).call(request).await.unwrap_or_else(|never| match never {});
            let status = response.status().as_u16();
            (status, to_bytes(response.into_body(), 1 << 20).await.expect("a body"))
        });
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        (status, body["error"]["code"].as_str().unwrap_or_default().to_owned())
    }

    #[test]
    fn who_may_ask_what() {
        let shared = shared(true);
        let [own, other, gone] = TOKENS.map(Some);
        let (suspects, verdicts) = ("/v1/brands/kessra-rowe/suspects", "/v1/brands/kessra-rowe/verdicts");
        let table = [
            ("GET", suspects, None, 401, "unauthorized"),
            ("GET", suspects, Some("token-of-kessra-row"), 401, "unauthorized"),
            ("GET", suspects, Some(""), 401, "unauthorized"),
            ("GET", suspects, other, 403, "forbidden"),
            ("GET", "/v1/brands/nowhere/suspects", other, 403, "forbidden"),
            ("GET", "/v1/brands/..%2Fx/suspects", other, 403, "forbidden"),
            ("GET", "/v1/brands/gone/suspects", gone, 404, "unknown_brand"),
            ("POST", verdicts, None, 401, "unauthorized"),
            ("POST", verdicts, other, 403, "forbidden"),
            ("POST", "/v1/brands/gone/verdicts", gone, 404, "unknown_brand"),
            ("POST", suspects, own, 405, "method_not_allowed"),
            ("GET", verdicts, own, 405, "method_not_allowed"),
            ("GET", "/v1/brands/kessra-rowe/suspects?cursor=x", own, 400, "bad_cursor"),
            ("GET", "/v1/brands/kessra-rowe/suspects?cursor=e30", own, 400, "bad_cursor"),
            ("GET", "/v1/brands/kessra-rowe/suspects?limit=0", own, 400, "bad_limit"),
            ("GET", "/v1/brands/kessra-rowe/suspects?limit=501", own, 400, "bad_limit"),
            ("GET", "/v1/brands/kessra-rowe/suspects?limit=%201", own, 400, "bad_limit"),
            // Nobody listens where the brokers should be.
            ("GET", "/v1/brands/kessra-rowe/suspects?limit=500&other=1", own, 503, "brokers_unavailable"),
        ];
        for (method, path, token, status, code) in table {
            assert_eq!(asked(&shared, method, path, token, b"[".to_vec()), (status, code.to_owned()), "{method} {path} {token:?}");
        }
    }

    #[test]
    fn what_may_be_posted() {
        let shared = shared(true);
        let many = format!("[{}]", vec!["0"; verdicts::MOST + 1].join(","));
        for (body, status, code) in [
            (b"[]".to_vec(), 202, ""),
            (b"{}".to_vec(), 202, ""),
            (b"[".to_vec(), 400, "not_json"),
            (many.into_bytes(), 413, "too_large"),
            (vec![b' '; (1 << 20) + 1], 413, "too_large"),
        ] {
            assert_eq!(asked(&shared, "POST", "/v1/brands/kessra-rowe/verdicts", Some(TOKENS[0]), body), (status, code.to_owned()));
        }
    }

    #[test]
    fn without_a_catalog_nobody_is_answered() {
        let told = asked(&shared(false), "GET", "/v1/brands/kessra-rowe/suspects", Some(TOKENS[0]), Vec::new());
        assert_eq!(told, (503, "not_ready".to_owned()));
    }

    #[test]
    fn one_brand_leaves_room_for_the_others() {
        let shared = shared(false);
        let room = || Arc::new(Semaphore::new(AT_ONCE_OF_A_BRAND));
        let rooms = ["a", "b"].map(|brand| (brand.to_owned(), room())).into();
        let brands = Brands { writer: Writer::new(&shared.config), shared, tokens: Vec::new(), room: Arc::new(Semaphore::new(3)), rooms };
        let held = [brands.room("a").ok(), brands.room("a").ok()];
        assert!(held.iter().all(Option::is_some));
        assert!(brands.room("a").is_err() && brands.room("b").is_ok());
    }
}
