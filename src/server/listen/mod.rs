//! The listener: HTTP/1.1 over TCP or TLS, with a limit of connections, a deadline for every phase that depends on the
//! client, and graceful shutdown.
//!
//! Why not `axum::serve`: it waits forever for a request that is never finished, so a few slow senders could take every
//! connection.

mod connection;
mod deadlines;
mod limits;
mod seats;
mod stop;
#[cfg(test)]
mod tests;
mod tls;

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONNECTION, RETRY_AFTER};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use hyper_util::server::graceful::GracefulShutdown;
use ipnet::IpNet;
use tokio::net::TcpListener;

use self::connection::Guests;
pub(crate) use self::limits::ListenerLimits;
pub(crate) use self::seats::{ConnectionLimit, SeatFigures};
use self::stop::Hangup;
pub(crate) use self::stop::Stop;
pub(crate) use self::tls::Tls;
use super::health::Health;
use crate::http::secured;
use crate::provider::Idp;

/// How long the server accepts requests after a signal: load balancers need a moment to see that `/readyz` fails.
pub(crate) const LINGER: Duration = Duration::from_secs(2);
/// Time limit for requests in progress after that.
const DRAIN: Duration = Duration::from_secs(7);
/// Pause after a failed accept, for example because no file descriptor is free.
const PAUSE: Duration = Duration::from_millis(100);
/// Interval of checking the certificate's files.
const RENEWAL: Duration = Duration::from_secs(10);

/// Everything the binary serves: the provider at its issuer's path, and the health checks at the host's root. Unknown
/// paths get the same security headers.
pub(crate) fn router(idp: &Idp, health: &Health) -> Router {
    let provider = match idp.settings().issuer.path() {
        "" => idp.router(),
        path => Router::new().nest(path, idp.router()),
    };
    // The provider's own responses have these headers already.
    let rest = health.router().fallback(|| async { StatusCode::NOT_FOUND });
    let rest = rest.layer(middleware::from_fn_with_state(idp.clone(), secure));
    provider.merge(idp.well_known()).merge(rest)
}

async fn secure(idp: State<Idp>, request: axum::extract::Request, next: Next) -> Response {
    secured(idp.settings(), next.run(request).await)
}

/// The response if all connections but the spare ones are taken.
async fn full() -> impl IntoResponse {
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5"), (CONNECTION, "close")], "too many connections")
}

/// A socket with its limits and TLS.
pub(crate) struct Listener {
    socket: TcpListener,
    limits: ListenerLimits,
    seats: ConnectionLimit,
    tls: Option<Tls>,
}

impl Listener {
    /// A listener for plain HTTP with these limits; the proxies' networks have no limit of their own.
    pub(crate) fn new(socket: TcpListener, limits: ListenerLimits, proxies: &[IpNet]) -> Self {
        Self { socket, limits, seats: ConnectionLimit::new(&limits, proxies), tls: None }
    }

    /// Adds TLS, if there is a certificate.
    pub(crate) fn with_tls(self, tls: Option<Tls>) -> Self {
        Self { tls, ..self }
    }

    /// The local address; empty if the system does not provide it.
    pub(crate) fn address(&self) -> String {
        self.socket.local_addr().map(|address| address.to_string()).unwrap_or_default()
    }

    /// The connection limit, for metrics.
    pub(crate) fn seats(&self) -> &ConnectionLimit {
        &self.seats
    }

    /// Serves until it is asked to stop and for `linger` beyond, then waits for requests in progress.
    pub(crate) async fn serve(self, app: Router, health: &Health, stop: Stop, linger: Duration) {
        let guests = Guests { app, turned_away: health.router().fallback(full) };
        let connections = GracefulShutdown::new();
        let asked = async {
            tokio::select! {
                () = stop.asked() => {}
                () = self.renew_tls() => {}
            }
        };
        self.accept_until(&guests, &connections, asked).await;
        health.drain();
        tracing::info!("draining");
        self.accept_until(&guests, &connections, tokio::time::sleep(linger)).await;
        drop(self);
        tokio::select! {
            () = connections.shutdown() => tracing::info!("all requests are finished"),
            () = tokio::time::sleep(DRAIN) => tracing::warn!("unfinished requests were aborted"),
        }
    }

    /// Serves until it is dropped, with the same deadlines; requests in progress are aborted.
    pub(crate) async fn serve_aside(self, app: Router) {
        let guests = Guests { app, turned_away: Router::new().fallback(full) };
        self.accept_until(&guests, &GracefulShutdown::new(), std::future::pending()).await;
    }

    async fn accept_until(
        &self,
        guests: &Guests,
        connections: &GracefulShutdown,
        end: impl Future<Output = ()>,
    ) {
        let mut end = std::pin::pin!(end);
        loop {
            tokio::select! {
                () = &mut end => return,
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, peer)) => self.welcome(stream, peer, guests, connections),
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
            }
        }
    }

    /// Checks the certificate's files periodically, and at once after a SIGHUP. Without a certificate SIGHUP ends the
    /// process as usual, because a closing terminal sends it.
    async fn renew_tls(&self) {
        let Some(tls) = &self.tls else { return std::future::pending().await };
        let mut hangup = Hangup::listen();
        loop {
            let look = tokio::select! {
                () = hangup.heard() => Tls::renew_now,
                () = tokio::time::sleep(RENEWAL) => Tls::renew,
            };
            let tls = tls.clone();
            // On a blocking thread, because a network file system may hang.
            drop(tokio::task::spawn_blocking(move || look(&tls)).await);
        }
    }
}
