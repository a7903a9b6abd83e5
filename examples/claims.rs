//! A host application that knows more about its users than the standard profile says: their department and teams.
//!
//! Applications that were granted the scope `company` find both at UserInfo and in the ID token.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::Router;
use serde_json::{Map, Value, json};
use vestibule::ext::{BoxFuture, ClaimSource, OwnClaims, Unavailable};
use vestibule::{ClientId, Idp, IssuerUrl, Scope, Settings, User};

/// Departments and teams by user name; a real host would ask its own database.
pub struct Company(pub BTreeMap<String, (String, Vec<String>)>);

impl ClaimSource for Company {
    fn declared(&self) -> Vec<OwnClaims> {
        let names = ["department", "teams"].map(str::to_owned).into();
        vec![OwnClaims { scope: "company".to_owned(), names, in_id_token: true }]
    }

    fn claims<'a>(
        &'a self,
        user: &'a User,
        _: &'a ClientId,
        _: &'a Scope,
    ) -> BoxFuture<'a, Result<Map<String, Value>, Unavailable>> {
        Box::pin(async {
            let mut claims = Map::new();
            if let Some((department, teams)) = self.0.get(user.username.as_str()) {
                claims.insert("department".to_owned(), json!(department));
                claims.insert("teams".to_owned(), json!(teams));
            }
            Ok(claims)
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let anna = ("Sales".to_owned(), vec!["North".to_owned()]);
    let company = Company(BTreeMap::from([("anna".to_owned(), anna)]));
    let issuer = IssuerUrl::parse("http://localhost:3000/id")?;
    let idp = Idp::builder(Settings::new(issuer)).claims(company).build().await?;
    tokio::spawn(idp.clone().housekeeping());

    let app = Router::new().nest("/id", idp.router()).merge(idp.well_known());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}
