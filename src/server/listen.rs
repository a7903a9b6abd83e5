//! The listener: HTTP/1.1 over plain TCP, a deadline for the head of each request, and an orderly end.
//!
//! Why not `axum::serve`: it waits for ever for a request that is never finished, and so a few slow senders take every
//! connection there is.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use super::health::Health;
use crate::http::Idp;

/// How long a client may take for the head of a request, idle time between two requests included.
const HEAD_DEADLINE: Duration = Duration::from_secs(15);
/// How long a server goes on taking requests after a signal: load balancers need a moment to see that `/readyz` is red.
pub(crate) const LINGER: Duration = Duration::from_secs(2);
/// How long requests that are under way may take after that.
const DRAIN: Duration = Duration::from_secs(7);
/// The pause after a connection could not be accepted, for example because no file descriptor is left.
const PAUSE: Duration = Duration::from_millis(100);

/// Everything the binary serves: the provider where its issuer says, the rest at the host's root.
pub(crate) fn router(idp: &Idp, health: &Health) -> Router {
    let provider = match idp.settings().issuer.path() {
        "" => idp.router(),
        path => Router::new().nest(path, idp.router()),
    };
    provider.merge(idp.well_known()).merge(health.router())
}

/// Serves until a signal asks to stop and for `linger` beyond, then lets what is under way come to its end.
pub(crate) async fn serve(listener: TcpListener, app: Router, health: &Health, linger: Duration) {
    let connections = GracefulShutdown::new();
    accept_until(&listener, &app, &connections, signalled()).await;
    health.drain();
    tracing::info!("draining");
    accept_until(&listener, &app, &connections, tokio::time::sleep(linger)).await;
    drop(listener);
    tokio::select! {
        () = connections.shutdown() => tracing::info!("all requests are done"),
        () = tokio::time::sleep(DRAIN) => tracing::warn!("requests were cut off"),
    }
}

async fn accept_until(
    listener: &TcpListener,
    app: &Router,
    connections: &GracefulShutdown,
    end: impl Future<Output = ()>,
) {
    let mut end = std::pin::pin!(end);
    loop {
        tokio::select! {
            () = &mut end => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => connect(stream, peer, app.clone(), connections),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
}

fn connect(stream: TcpStream, peer: SocketAddr, app: Router, connections: &GracefulShutdown) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        app.clone().oneshot(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_DEADLINE);
    let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service));
    tokio::spawn(async move {
        // Clients go away all the time.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended");
        }
    });
}

/// Waits for SIGTERM or SIGINT.
pub(crate) async fn signalled() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    // Without a handler for signals the process ends by them, which is no worse.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
