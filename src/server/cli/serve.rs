//! `vestibule serve`

use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::{Failure, Flags, build, configure};
use crate::http::Idp;
use crate::server::health::Health;
use crate::server::listen::{self, Stop};
use crate::server::metrics;
use crate::storage::tenants;

/// Runs the provider until a signal.
pub(super) async fn run(flags: &Flags) -> Result<(), Failure> {
    let config = configure(flags)?;
    let stop = Stop::listen().map_err(Failure::new)?;
    let listener = bind("listen", config.listen).await;
    let scraped = match config.metrics_listen {
        Some(address) => bind("metrics_listen", address).await.map(Some),
        None => Ok(None),
    };
    let (listener, scraped, idp) = match (listener, scraped, build(&config).await) {
        (Ok(listener), Ok(scraped), Ok(idp)) => (listener, scraped, idp),
        (listener, scraped, idp) => {
            let problems = idp.err().map(|failure| failure.0).unwrap_or_default();
            return Err(Failure(listener.err().into_iter().chain(scraped.err()).chain(problems).collect()));
        }
    };
    advise(&idp).await?;
    let health = Health::new(idp.clone());
    let app = listen::router(&idp, &health);
    let housekeeping = tokio::spawn(idp.clone().housekeeping());
    let scraping = scraped.map(|listener| {
        let at = listener.local_addr().map(|address| address.to_string()).unwrap_or_default();
        tracing::info!(metrics_listen = at, "metrics");
        tokio::spawn(listen::serve_aside(listener, metrics::router(&idp)))
    });
    let listen = listener.local_addr().map_err(Failure::new)?;
    tracing::info!(issuer = %config.settings.issuer, %listen, "ready");
    listen::serve(listener, app, &health, stop, listen::LINGER).await;
    housekeeping.abort();
    scraping.inspect(tokio::task::JoinHandle::abort);
    idp.db().close().await;
    Ok(())
}

async fn bind(setting: &str, address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| format!("{setting}: {address}: {error}"))
}

/// Tells whoever starts an empty provider what to do next.
async fn advise(idp: &Idp) -> Result<(), Failure> {
    let mut reader = idp.db().read().await.map_err(Failure::new)?;
    if !tenants::any(&mut reader.tx()).await.map_err(Failure::new)? {
        println!(
            "The database is empty: nobody can sign in yet. Describe tenants, users and clients in a file, then run\n\n    \
             vestibule apply FILE\n\nwith the same settings; the README has an example. To look around first: vestibule demo"
        );
    }
    Ok(())
}
