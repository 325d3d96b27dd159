//! HTTP for the stores. It goes where the operator's environment says, to what gives credentials too, and so to addresses inside:
//! nothing of a listing's chooses the host. No proxy, no redirects; nothing is tried again here.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::{BodyExt, Limited};
use object_store::client::{HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService};
use object_store::{ClientConfigKey, ClientOptions};
use reqwest::{Body, Client, Request, Url};

use crate::fetch::web::client;

/// How the client of a store is made.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    /// Until there is a connection.
    pub(super) connect: Duration,
    /// How long a connection that nobody uses stays open.
    pub(super) kept: Duration,
    /// Bytes of one answer.
    pub(super) bytes: usize,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let plain = options.get_config_value(&ClientConfigKey::AllowHttp).unwrap_or_default().to_ascii_lowercase();
        let https_only = !["true", "1", "on", "yes", "y"].contains(&plain.as_str());
        let client = client(self.connect, self.kept).https_only(https_only).build();
        let client = client.map_err(|e| object_store::Error::Generic { store: "HTTP", source: Box::new(e) })?;
        Ok(HttpClient::new(Service { client, bytes: self.bytes }))
    }
}

#[derive(Debug)]
struct Service {
    client: Client,
    bytes: usize,
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string()).map_err(|e| HttpError::new(HttpErrorKind::Request, e))?;
        let mut asked = Request::new(parts.method, url);
        *asked.headers_mut() = parts.headers;
        *asked.body_mut() = body.as_bytes().cloned().map(Body::from);
        let answer = self.client.execute(asked).await.map_err(lost)?;
        let status = answer.status();
        let (parts, body) = hyper::Response::<Body>::from(answer).into_parts();
        // What a refusal says besides its status is not read. Those three have errors of their own.
        let body = match status.as_u16() {
            200..=299 => HttpResponseBody::new(Limited::new(body, self.bytes).map_err(|e| HttpError::new_boxed(HttpErrorKind::Unknown, e))),
            401 | 403 | 404 => HttpResponseBody::from(Vec::<u8>::new()),
            other => return Err(HttpError::new(HttpErrorKind::Unknown, Answered(other))),
        };
        Ok(HttpResponse::from_parts(parts, body))
    }
}

/// There is no answer.
fn lost(error: reqwest::Error) -> HttpError {
    let kind = if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_connect() || error.is_builder() {
        // The latter is http where only https is allowed.
        HttpErrorKind::Connect
    } else {
        HttpErrorKind::Unknown
    };
    HttpError::new(kind, error.without_url())
}

/// An answer's status where there is nothing to read.
#[derive(Debug)]
pub(super) struct Answered(pub(super) u16);

impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.0)
    }
}

impl std::error::Error for Answered {}
