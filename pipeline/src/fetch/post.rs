//! Posts to links that the operator names: addresses are judged as for pictures, and redirects are not followed.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Url};
use tokio::time::timeout;

use super::address::{Addresses, Net};
use super::resolver::Resolver;
use super::{FetchFault, link, web};

/// How long a connection that nobody uses stays open.
const KEPT: Duration = Duration::from_secs(30);

/// Sends posts, each within its time.
pub(crate) struct Poster {
    client: Client,
    addresses: Arc<Addresses>,
    limit: Duration,
}

impl Poster {
    /// Reaches public addresses and the nets given; `limit` is the time of one post, its connection included.
    pub(crate) fn new(allow: Vec<Net>, limit: Duration) -> Result<Self, reqwest::Error> {
        let addresses = Arc::new(Addresses::new(allow));
        let client = web::client(limit, KEPT).dns_resolver(Resolver::new(addresses.clone())).build()?;
        Ok(Self { client, addresses, limit })
    }

    /// Posts once; done is what is answered with 2xx.
    ///
    /// # Errors
    /// Why it is not done; the status of another answer.
    pub(crate) async fn post(&self, url: &Url, headers: HeaderMap, body: Vec<u8>) -> Result<(), FetchFault> {
        if link::literal(url).is_some_and(|ip| !self.addresses.permit(ip)) {
            return Err(FetchFault::ForbiddenAddress);
        }
        let posted = timeout(self.limit, self.client.post(url.clone()).headers(headers).body(body).send()).await;
        let status = posted.map_err(|_| FetchFault::TimedOut)?.map_err(|e| web::fault(&e))?.status();
        if status.is_success() { Ok(()) } else { Err(FetchFault::Status(status.as_u16())) }
    }
}

/// A link that may be posted to: of https, or of http to an address of the nets given.
///
/// # Errors
/// What to write instead.
pub(crate) fn target(text: &str, allow: &[Net]) -> Result<Url, String> {
    let url = link::parse(text).map_err(|_| "is no link like https://brand.example/hook".to_owned())?;
    let inside = link::literal(&url).is_some_and(|ip| allow.iter().any(|net| net.holds(ip.to_canonical())));
    match url.scheme() == "https" || inside {
        true => Ok(url),
        false => Err("is not of https: what is posted could be read on its way".to_owned()),
    }
}
