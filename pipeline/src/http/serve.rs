//! Connections of a listener: so many at once, and none that keeps its place without asking for anything.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower_service::Service;
use tracing::{debug, warn};

/// Connections of one listener at once; more are closed as they come.
const MOST: usize = 1_024;
/// How long the head of a request may take, and a connection may rest between two.
const HEAD: Duration = Duration::from_secs(10);
/// How long a connection may last: who never reads what is answered must not keep a place.
const LONGEST: Duration = Duration::from_secs(600);
/// Bytes that are read ahead of a connection.
const AHEAD: usize = 64 << 10;
/// Rest after a failure to accept: there may be no more file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves a listener until its task ends.
pub(super) async fn serve(listener: TcpListener, router: Router) {
    let room = Arc::new(Semaphore::new(MOST));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(e) => {
                warn!("http: a connection cannot be taken: {e}");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        // Without a place the stream is dropped, and so closed.
        if let Ok(place) = room.clone().try_acquire_owned() {
            let router = router.clone();
            tokio::spawn(async move {
                let _ = tokio::time::timeout(LONGEST, connection(stream, router)).await;
                drop(place);
            });
        }
    }
}

async fn connection(stream: TcpStream, router: Router) {
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let mut router = router.clone();
        async move { Ok::<_, Infallible>(router.call(request.map(Body::new)).await.unwrap_or_else(|never| match never {})) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(AHEAD)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(e) = served {
        debug!("http: {e}");
    }
}
