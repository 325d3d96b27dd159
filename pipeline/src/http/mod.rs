//! The two HTTP listeners, in a thread of their own: one for operations, one for the service.

mod brands;
mod operations;
mod refusal;
mod serve;
mod service;

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tracing::info;

use crate::failure::Failure;
use crate::worker::Shared;

/// Threads that requests to scan may hold.
const SCANS: usize = 4;

/// The listeners; they end when this is dropped.
pub(crate) struct Listeners {
    /// The address of operations, where there is one.
    pub(crate) operations: Option<SocketAddr>,
    /// The address of the service, where there is one.
    pub(crate) service: Option<SocketAddr>,
    _ends: oneshot::Sender<()>,
}

/// Opens the listeners. An address in use is told before anything else begins.
pub(crate) fn start(shared: &Shared) -> Result<Listeners, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(SCANS + brands::AT_ONCE)
        .thread_name("http")
        .enable_all()
        .build()
        .map_err(|e| Failure::Run(e.into()))?;
    let http = &shared.config.http;
    let open = |key: &str, address: &str| {
        let opened = (!address.is_empty()).then(|| runtime.block_on(TcpListener::bind(address)));
        opened.transpose().map_err(|e| Failure::Usage(format!("{key} = {address:?}: cannot be listened at: {e}")))
    };
    let operations = open("http.operations", &http.operations)?;
    let service = open("http.service", &http.service)?;
    let address = |listener: &Option<TcpListener>| listener.as_ref().and_then(|l| l.local_addr().ok());
    let (operations_at, service_at) = (address(&operations), address(&service));
    info!(operations = ?operations_at, service = ?service_at, "listening");
    let (ends, ended) = oneshot::channel::<()>();
    let routers = [operations.map(|l| (l, operations::router(shared))), service.map(|l| (l, service::router(shared)))];
    for (listener, router) in routers.into_iter().flatten() {
        runtime.spawn(serve::serve(listener, router));
    }
    std::thread::spawn(move || {
        // Ends with the sender, and the runtime with it.
        let _ = runtime.block_on(ended);
        runtime.shutdown_background();
    });
    Ok(Listeners { operations: operations_at, service: service_at, _ends: ends })
}
