//! A host application that hears what happens at its doors: it counts sign-ins, and failures by their reason.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::{Router, routing::get};
use vestibule::ext::{LogObserver, Observer};
use vestibule::{Event, Idp, IssuerUrl, Settings};

/// How often what happened; every clone counts together.
#[derive(Clone, Default)]
pub struct Tally(Arc<Mutex<BTreeMap<String, u64>>>);

impl Tally {
    /// One line per kind of event.
    pub fn report(&self) -> String {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(what, count)| format!("{what}: {count}")).collect::<Vec<_>>().join("\n")
    }
}

impl Observer for Tally {
    /// Called while a request waits: count here, do slow things elsewhere.
    fn observe(&self, event: &Event) {
        let what = match event {
            Event::LoginCompleted { .. } => "signed in".to_owned(),
            Event::LoginFailed { reason, .. } => format!("refused, {reason:?}"),
            Event::SecondFactorFailed { .. } => "wrong code".to_owned(),
            // The rest only into the log. There will be more kinds of event.
            other => return LogObserver.observe(other),
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += 1;
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tally = Tally::default();
    let issuer = IssuerUrl::parse("http://localhost:3000/id")?;
    let idp = Idp::builder(Settings::new(issuer)).observer(tally.clone()).build().await?;
    tokio::spawn(idp.clone().housekeeping());

    let app = Router::new()
        .route("/tally", get(async move || tally.report()))
        .nest("/id", idp.router())
        .merge(idp.well_known());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}
