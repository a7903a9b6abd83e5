//! `vestibule serve`

use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::setup::{build, start_log};
use crate::provider::Idp;
use crate::server::config::{Config, Flags};
use crate::server::failure::Failure;
use crate::server::health::Health;
use crate::server::listen::{self, Listener, ListenerLimits, Stop, Tls};
use crate::server::metrics;
use crate::server::telemetry::Telemetry;
use crate::storage::tenants;

/// Runs the provider until a signal arrives.
pub(super) async fn run(flags: &Flags) -> Result<(), Failure> {
    let config = Config::load(flags).map_err(Failure)?;
    let telemetry =
        Telemetry::start(config.otlp.as_ref(), &config.settings.outbound.ca).map_err(Failure::new)?;
    start_log(&config, telemetry.layer())?;
    let stop = Stop::listen().map_err(Failure::new)?;
    let (listener, scraped, idp) = open(&config).await?;
    advise(&idp).await?;
    let health = Health::new(idp.clone());
    let app = listen::router(&idp, &health);
    let housekeeping = tokio::spawn(idp.clone().housekeeping());
    let scraping = scraped.map(|scraped| {
        tracing::info!(metrics_listen = scraped.address(), "metrics");
        tokio::spawn(scraped.serve_aside(metrics::router(&idp, listener.seats())))
    });
    tracing::info!(issuer = %config.settings.issuer, listen = listener.address(), tls = config.tls.is_some(), "ready");
    listener.serve(app, &health, stop, listen::LINGER).await;
    housekeeping.abort();
    scraping.inspect(tokio::task::JoinHandle::abort);
    if let Err(error) = idp.write_refusals(true).await {
        tracing::warn!(%error, "cannot write the last refusals to the audit trail");
    }
    idp.db().close().await;
    telemetry.end().await;
    Ok(())
}

/// Opens the listener, the one for `/metrics` if configured, and the provider; reports all problems at once.
async fn open(config: &Config) -> Result<(Listener, Option<Listener>, Idp), Failure> {
    let limits = ListenerLimits::of_this_process();
    let tls = config.tls.as_ref().map(|pair| Tls::load(&pair.cert, &pair.key)).transpose();
    let listener = bind("listen", config.listen).await;
    let scraped = match config.metrics_listen {
        Some(address) => bind("metrics_listen", address).await.map(Some),
        None => Ok(None),
    };
    match (tls, listener, scraped, build(config).await) {
        (Ok(tls), Ok(listener), Ok(scraped), Ok(idp)) => {
            let listener = Listener::new(listener, limits, &config.settings.trusted_proxies).with_tls(tls);
            Ok((listener, scraped.map(|socket| Listener::new(socket, limits, &[])), idp))
        }
        (tls, listener, scraped, idp) => {
            let problems = [tls.err(), listener.err(), scraped.err()].into_iter().flatten();
            Err(Failure(problems.chain(idp.err().map(|failure| failure.0).unwrap_or_default()).collect()))
        }
    }
}

async fn bind(setting: &str, address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| format!("{setting}: {address}: {error}"))
}

/// Prints the next step for an empty provider.
async fn advise(idp: &Idp) -> Result<(), Failure> {
    let mut reader = idp.db().read();
    if !tenants::any(&mut reader.tx()).await.map_err(Failure::new)? {
        println!(
            "The database is empty: nobody can sign in yet. Describe tenants, users and clients in a file, then run\n\n    \
             vestibule apply FILE\n\nwith the same settings; the README has an example. To look around first: vestibule demo"
        );
    }
    Ok(())
}
