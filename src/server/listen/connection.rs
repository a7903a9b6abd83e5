//! Serves one connection.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower::ServiceExt;

use super::Listener;
use super::deadlines::{InTime, ResponsesDue, Timed};
use super::limits::ListenerLimits;

/// The two routers that a connection may get.
pub(super) struct Guests {
    /// For connections within the limit.
    pub(super) app: Router,
    /// For connections beyond the limit that got a spare slot.
    pub(super) turned_away: Router,
}

/// A connection with everything it needs.
struct Visit {
    app: Router,
    peer: SocketAddr,
    limits: ListenerLimits,
    watcher: Watcher,
}

impl Listener {
    /// Serves a connection if the limit allows it, otherwise closes it at once.
    pub(super) fn welcome(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        guests: &Guests,
        connections: &GracefulShutdown,
    ) {
        let Some(seat) = self.seats.seat(peer.ip()) else {
            tracing::debug!(%peer, "no seat");
            return;
        };
        let app = if seat.is_spare() { &guests.turned_away } else { &guests.app };
        let visit = Visit { app: app.clone(), peer, limits: self.limits, watcher: connections.watcher() };
        let tls = self.tls.clone();
        tokio::spawn(async move {
            let _seat = seat;
            // A response is written at once and whole, so Nagle's algorithm would only delay it.
            drop(stream.set_nodelay(true));
            let Some(tls) = tls else { return visit.serve(stream).await };
            match timeout(visit.limits.handshake, tls.accept(stream)).await {
                Ok(Ok(stream)) => visit.serve(stream).await,
                Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS"),
                Err(_) => tracing::debug!(%peer, "no TLS in time"),
            }
        });
    }
}

impl Visit {
    async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S) {
        let Self { app, peer, limits, watcher } = self;
        let turn = ResponsesDue::default();
        let stream = Timed::new(stream, turn.clone(), &limits);
        let service = service_fn(move |mut request: Request<Incoming>| {
            let turn = turn.servers();
            request.extensions_mut().insert(ConnectInfo(peer));
            let request = request.map(|body| InTime::new(body, limits.body));
            let answer = app.clone().oneshot(request);
            async move { answer.await.map(|answer| answer.map(|body| turn.with(body))) }
        });
        let mut http = http1::Builder::new();
        http.header_read_timeout(None).max_buf_size(limits.head_bytes).max_header_size(limits.head_bytes);
        // Clients close connections all the time, so this is not a warning.
        if let Err(error) = watcher.watch(http.serve_connection(TokioIo::new(stream), service)).await {
            tracing::debug!(%peer, %error, "a connection ended");
        }
    }
}
