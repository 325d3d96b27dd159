//! Names to addresses: only to those that may be reached. The connection goes to an address that was checked here, so that a
//! name which points elsewhere a moment later gains nothing.

use std::error::Error;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::address::Addresses;

/// Look-ups at once. The system's cannot be called off: more than these wait in line, where they can be.
pub(super) const LOOK_UPS: usize = 64;

/// A name none of whose addresses is permitted.
#[derive(Debug)]
pub(super) struct Forbidden;

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no address of the public internet")
    }
}

impl Error for Forbidden {}

pub(super) struct Resolver {
    addresses: Arc<Addresses>,
    look_ups: Arc<Semaphore>,
}

impl Resolver {
    pub(super) fn new(addresses: Arc<Addresses>) -> Self {
        Self { addresses, look_ups: Arc::new(Semaphore::new(LOOK_UPS)) }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(look_up(name, self.addresses.clone(), self.look_ups.clone()))
    }
}

async fn look_up(name: Name, addresses: Arc<Addresses>, look_ups: Arc<Semaphore>) -> Result<Addrs, Box<dyn Error + Send + Sync>> {
    let permit = look_ups.acquire_owned().await?;
    let look_up = move || {
        let _permit = permit;
        (name.as_str(), 0).to_socket_addrs().map(|found| found.collect::<Vec<SocketAddr>>())
    };
    let mut found = spawn_blocking(look_up).await??;
    found.retain(|address| addresses.permit(address.ip()));
    match found.is_empty() {
        true => Err(Box::new(Forbidden)),
        false => Ok(Box::new(found.into_iter())),
    }
}
