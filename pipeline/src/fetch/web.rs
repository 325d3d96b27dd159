//! One fetch, over HTTP or from a store: its redirects and retries, each in line before its host.

use std::error::Error;
use std::iter::successors;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::header::LOCATION;
use reqwest::{Client, ClientBuilder, Url};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::address::Addresses;
use super::body::{self, Memory, Source};
use super::breaker::Breakers;
use super::line::Lines;
use super::link::Link;
use super::resolver::{Forbidden, Resolver};
use super::store::{Object, Stores};
use super::{FetchFault, Key, Limits, Outcome, Settings, link, lock, retry};

/// Redirects that are followed.
const REDIRECTS: usize = 3;
/// How long a connection that nobody uses stays open: hostile names could leave many.
pub(super) const KEPT: Duration = Duration::from_secs(2);

pub(super) struct Web {
    client: Client,
    addresses: Arc<Addresses>,
    stores: Stores,
    lines: Lines,
    at_once: Semaphore,
    memory: Memory,
    breakers: Mutex<Breakers>,
    limits: Limits,
}

/// What a server answered.
enum Answer {
    Bytes(Arc<[u8]>),
    Elsewhere(Url),
}

/// A client that goes nowhere by itself, and tells nobody where it was led from.
pub(super) fn client(connect: Duration, kept: Duration) -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("touchstone/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .connect_timeout(connect)
        .pool_idle_timeout(kept)
}

impl Web {
    pub(super) fn new(settings: Settings) -> Result<Self, anyhow::Error> {
        let Settings { allow, stores, s3, gs, per_host, at_once, limits } = settings;
        let stores = Stores::new(stores, &s3, &gs, &limits)?;
        let addresses = Arc::new(Addresses::new(allow));
        // Nothing may connect but to what `addresses` permit: no proxy, and redirects are followed here.
        let client =
            client(limits.connect, KEPT).dns_resolver(Resolver::new(addresses.clone())).pool_max_idle_per_host(per_host).build()?;
        Ok(Self {
            client,
            addresses,
            stores,
            lines: Lines::new(per_host, limits.waiting),
            at_once: Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS)),
            memory: Memory::new(limits.memory),
            breakers: Mutex::new(Breakers::new()),
            limits,
        })
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What a link leads to, where that may be asked for.
    pub(super) fn parse(&self, text: &str) -> Result<Link, FetchFault> {
        self.stores.find(text).map_or_else(|| link::parse(text).map(Link::Web), |object| Ok(Link::Stored(object)))
    }

    /// The time in line counts, so that nothing is under way for longer than the whole may take.
    pub(super) async fn fetch(&self, mut link: Link, key: &Key) -> Outcome {
        let deadline = Instant::now() + self.limits.total;
        let (mut redirects, mut retries) = (0, 0);
        loop {
            match self.in_line(&link, deadline).await {
                Ok(Answer::Bytes(bytes)) => return Ok(bytes),
                Ok(Answer::Elsewhere(_)) if redirects == REDIRECTS => return Err(FetchFault::TooManyRedirects),
                Ok(Answer::Elsewhere(next)) => {
                    redirects += 1;
                    link = Link::Web(next);
                }
                Err(fault) => {
                    let pause = retry::pause(fault, retries, key, self.limits.pause);
                    let pause = pause.filter(|pause| Instant::now() + *pause < deadline).ok_or(fault)?;
                    retries += 1;
                    sleep(pause).await;
                }
            }
        }
    }

    /// Asks once, when it is its turn. Nothing is held from one host while it waits for another.
    async fn in_line(&self, link: &Link, deadline: Instant) -> Result<Answer, FetchFault> {
        if let Link::Web(url) = link
            && link::literal(url).is_some_and(|ip| !self.addresses.permit(ip))
        {
            return Err(FetchFault::ForbiddenAddress);
        }
        let ticket = self.lines.enter(link.host())?;
        let turn = async {
            let place = ticket.turn().await?;
            let room = self.at_once.acquire().await.map_err(|_| FetchFault::Busy)?;
            Ok::<_, FetchFault>((place, room))
        };
        let _turn = timeout_at(deadline, turn).await.map_err(|_| FetchFault::Busy)??;
        let origin = link.origin();
        let admitted = lock(&self.breakers).admits(&origin, Instant::now());
        if !admitted {
            return Err(FetchFault::CircuitOpen);
        }
        let asked = async {
            match link {
                Link::Web(url) => self.ask(url).await,
                Link::Stored(object) => self.read(object).await,
            }
        };
        let answer = timeout_at(deadline, asked).await.unwrap_or(Err(FetchFault::TimedOut));
        lock(&self.breakers).note(&origin, answer.as_ref().err().copied(), Instant::now());
        answer
    }

    async fn ask(&self, url: &Url) -> Result<Answer, FetchFault> {
        let asked = timeout(self.limits.head, self.client.get(url.clone()).send()).await;
        let response = asked.map_err(|_| FetchFault::TimedOut)?.map_err(|e| fault(&e))?;
        // The resolver has seen to this; should there ever be another way to connect, it is noticed.
        if response.remote_addr().is_some_and(|address| !self.addresses.permit(address.ip())) {
            return Err(FetchFault::ForbiddenAddress);
        }
        let status = response.status().as_u16();
        if status == 200 {
            return body::read(Source::Web(response), &self.limits, &self.memory).await.map(Answer::Bytes);
        }
        let location = response.headers().get(LOCATION).filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308));
        link::redirected(url, location.ok_or(FetchFault::Status(status))?.as_bytes()).map(Answer::Elsewhere)
    }

    async fn read(&self, object: &Object) -> Result<Answer, FetchFault> {
        let source = timeout(self.limits.head, object.open()).await.map_err(|_| FetchFault::TimedOut)??;
        body::read(source, &self.limits, &self.memory).await.map(Answer::Bytes)
    }
}

/// Why there is no answer.
pub(super) fn fault(error: &reqwest::Error) -> FetchFault {
    let mut causes = successors(error.source(), |&cause| cause.source());
    if causes.any(|cause| cause.is::<Forbidden>()) {
        FetchFault::ForbiddenAddress
    } else if error.is_timeout() {
        FetchFault::TimedOut
    } else if error.is_connect() {
        FetchFault::Unreachable
    } else if error.is_builder() {
        FetchFault::NotALink
    } else {
        FetchFault::CutOff
    }
}
