//! The listener: HTTP/1.1 over plain TCP, a deadline for the head of each request, and an orderly end.
//!
//! Why not `axum::serve`: it waits for ever for a request that is never finished, and so a few slow senders take every
//! connection there is.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
use tower::ServiceExt;

use super::health::Health;
use crate::http::{Idp, secured};

/// How long a client may take for the head of a request, idle time between two requests included.
const HEAD_DEADLINE: Duration = Duration::from_secs(15);
/// How long a server goes on taking requests after a signal: load balancers need a moment to see that `/readyz` is red.
pub(crate) const LINGER: Duration = Duration::from_secs(2);
/// How long requests that are under way may take after that.
const DRAIN: Duration = Duration::from_secs(7);
/// The pause after a connection could not be accepted, for example because no file descriptor is left.
const PAUSE: Duration = Duration::from_millis(100);

/// Everything the binary serves: the provider where its issuer says, the rest at the host's root. What is not there is
/// answered under the same headers as what is.
pub(crate) fn router(idp: &Idp, health: &Health) -> Router {
    let provider = match idp.settings().issuer.path() {
        "" => idp.router(),
        path => Router::new().nest(path, idp.router()),
    };
    // The provider's own answers carry their headers already.
    let rest = health.router().fallback(|| async { StatusCode::NOT_FOUND });
    let rest = rest.layer(middleware::from_fn_with_state(idp.clone(), secure));
    provider.merge(idp.well_known()).merge(rest)
}

async fn secure(idp: State<Idp>, request: axum::extract::Request, next: Next) -> Response {
    secured(&idp, next.run(request).await)
}

/// Serves until it is asked to stop and for `linger` beyond, then lets what is under way come to its end.
pub(crate) async fn serve(listener: TcpListener, app: Router, health: &Health, stop: Stop, linger: Duration) {
    let connections = GracefulShutdown::new();
    accept_until(&listener, &app, &connections, stop.asked()).await;
    health.drain();
    tracing::info!("draining");
    accept_until(&listener, &app, &connections, tokio::time::sleep(linger)).await;
    drop(listener);
    tokio::select! {
        () = connections.shutdown() => tracing::info!("all requests are done"),
        () = tokio::time::sleep(DRAIN) => tracing::warn!("requests were cut off"),
    }
}

/// Serves for as long as it is let, under the same deadlines; nobody waits for what is under way.
pub(crate) async fn serve_aside(listener: TcpListener, app: Router) {
    accept_until(&listener, &app, &GracefulShutdown::new(), std::future::pending()).await;
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

/// The signals that ask to stop. As soon as this exists they no longer end the process by themselves.
pub(crate) struct Stop {
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(unix)]
    interrupt: Signal,
}

impl Stop {
    /// Listens for SIGTERM and SIGINT.
    #[cfg(unix)]
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for either.
    #[cfg(unix)]
    async fn asked(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Only Ctrl-C exists here.
    #[cfg(not(unix))]
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for Ctrl-C; where even that cannot be heard, it ends the process, which is no worse.
    #[cfg(not(unix))]
    async fn asked(self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
