//! The listener: HTTP/1.1 over TCP or TLS, so many seats, a deadline for everything that a client may take its time for,
//! and an orderly end.
//!
//! Why not `axum::serve`: it waits for ever for a request that is never finished, and so a few slow senders take every
//! connection there is.

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
pub(crate) use self::limits::Limits;
pub(crate) use self::seats::{ConnectionLimit, SeatFigures};
use self::stop::Hangup;
pub(crate) use self::stop::Stop;
pub(crate) use self::tls::Tls;
use super::health::Health;
use crate::http::secured;
use crate::provider::Idp;

/// How long a server goes on taking requests after a signal: load balancers need a moment to see that `/readyz` is red.
pub(crate) const LINGER: Duration = Duration::from_secs(2);
/// How long requests that are under way may take after that.
const DRAIN: Duration = Duration::from_secs(7);
/// The pause after a connection could not be accepted, for example because no file descriptor is left.
const PAUSE: Duration = Duration::from_millis(100);
/// How often the files of the certificate are looked at.
const RENEWAL: Duration = Duration::from_secs(10);

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
    secured(idp.settings(), next.run(request).await)
}

/// What is said when all seats but the spare ones are taken.
async fn full() -> impl IntoResponse {
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5"), (CONNECTION, "close")], "too many connections")
}

/// A socket, and on which terms connections are taken there.
pub(crate) struct Listener {
    socket: TcpListener,
    limits: Limits,
    seats: ConnectionLimit,
    tls: Option<Tls>,
}

impl Listener {
    /// Plain HTTP, under these limits; the proxies' networks are not counted.
    pub(crate) fn new(socket: TcpListener, limits: Limits, proxies: &[IpNet]) -> Self {
        Self { socket, limits, seats: ConnectionLimit::new(&limits, proxies), tls: None }
    }

    /// TLS, if there is a certificate.
    pub(crate) fn with_tls(self, tls: Option<Tls>) -> Self {
        Self { tls, ..self }
    }

    /// Where it listens; empty if the system does not say.
    pub(crate) fn address(&self) -> String {
        self.socket.local_addr().map(|address| address.to_string()).unwrap_or_default()
    }

    /// Who is there.
    pub(crate) fn seats(&self) -> &ConnectionLimit {
        &self.seats
    }

    /// Serves until it is asked to stop and for `linger` beyond, then lets what is under way come to its end.
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
            () = connections.shutdown() => tracing::info!("all requests are done"),
            () = tokio::time::sleep(DRAIN) => tracing::warn!("requests were cut off"),
        }
    }

    /// Serves for as long as it is let, under the same deadlines; nobody waits for what is under way.
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
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
            }
        }
    }

    /// Looks at the certificate's files for ever; a SIGHUP says that they are whole. Without a certificate that signal ends
    /// the process as usual: a terminal that closes sends it.
    async fn renew_tls(&self) {
        let Some(tls) = &self.tls else { return std::future::pending().await };
        let mut hangup = Hangup::listen();
        loop {
            let look = tokio::select! {
                () = hangup.heard() => Tls::renew_now,
                () = tokio::time::sleep(RENEWAL) => Tls::renew,
            };
            let tls = tls.clone();
            // A folder may hang; the thread that serves must not.
            drop(tokio::task::spawn_blocking(move || look(&tls)).await);
        }
    }
}
