//! `vestibule serve`

use tokio::net::TcpListener;

use super::{Failure, Flags, build, configure};
use crate::http::Idp;
use crate::server::health::Health;
use crate::server::listen::{self, Stop};
use crate::storage::tenants;

/// Runs the provider until a signal.
pub(super) async fn run(flags: &Flags) -> Result<(), Failure> {
    let config = configure(flags)?;
    let stop = Stop::listen().map_err(Failure::new)?;
    let listener = TcpListener::bind(config.listen).await;
    let listener = listener.map_err(|error| format!("listen: {}: {error}", config.listen));
    let (listener, idp) = match (listener, build(&config).await) {
        (Ok(listener), Ok(idp)) => (listener, idp),
        (listener, idp) => {
            let problems = idp.err().map(|failure| failure.0).unwrap_or_default();
            return Err(Failure(listener.err().into_iter().chain(problems).collect()));
        }
    };
    advise(&idp).await?;
    let health = Health::new(idp.clone());
    let app = listen::router(&idp, &health);
    let housekeeping = tokio::spawn(idp.clone().housekeeping());
    let listen = listener.local_addr().map_err(Failure::new)?;
    tracing::info!(issuer = %config.settings.issuer, %listen, "ready");
    listen::serve(listener, app, &health, stop, listen::LINGER).await;
    housekeeping.abort();
    idp.db().close().await;
    Ok(())
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
