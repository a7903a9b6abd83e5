//! A host application with a login of its own: its pages at `/`, the provider below `/id`.

use std::net::SocketAddr;

use axum::{Router, routing::get};
use vestibule::{Idp, IssuerUrl, Settings};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = IssuerUrl::parse("http://localhost:3000/id")?;
    let idp = Idp::builder(Settings::new(issuer)).database("sqlite://data/embed.db").build().await?;
    tokio::spawn(idp.clone().housekeeping());

    let app = Router::new()
        .route("/", get(|| async { "The host application" }))
        .nest("/id", idp.router())
        .merge(idp.well_known());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}
