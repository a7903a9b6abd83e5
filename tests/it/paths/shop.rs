//! The application that sends its users to a provider: a page of its own, beside the provider, that real browsers can
//! open.

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Html;
use serde_json::{Map, Value};
use url::Url;
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::settings::Settings;
use vestibule::testing::{Answer, Application, TestIdp};

use super::PageRequest;
use crate::login::{DOMAIN, PASSWORD};
use crate::support::{listen, serve};

const ARRIVED: &str = "<!doctype html><html lang=en><link rel=icon href=data:,><title>Shop</title><main data-step=shop>Arrived</main>";
pub(crate) const ONE: &str = "urn:vestibule:acr:1fa";
pub(crate) const TWO: &str = "urn:vestibule:acr:2fa";
/// Will do with no less than two factors (OpenID Connect Core §5.5.1.1).
pub(crate) const ESSENTIAL: (&str, &str) =
    ("claims", r#"{"id_token":{"acr":{"essential":true,"value":"urn:vestibule:acr:2fa"}}}"#);

/// A provider at an address of its own.
pub(crate) async fn provider(document: &str) -> TestIdp {
    let (listener, address) = listen().await;
    let settings = Settings::new(IssuerUrl::parse(&address).unwrap());
    let idp = TestIdp::with_settings(settings, document).await;
    serve(listener, idp.router());
    idp
}

/// The client `shop` of a provider.
pub(crate) struct Shop {
    application: Application,
    callback: String,
}

impl Shop {
    /// Opens it, and registers its address.
    pub(crate) async fn of(idp: &TestIdp) -> Self {
        let (listener, address) = listen().await;
        serve(listener, Router::new().fallback(async || Html(ARRIVED)));
        let callback = format!("{address}/callback");
        let client = format!("[[clients]]\nclient_id = \"shop\"\nredirect_uris = [\"{callback}\"]");
        idp.idp().apply(&client).await.unwrap();
        Self { application: idp.application("shop", &callback), callback }
    }

    /// Sends the user to the provider.
    pub(crate) async fn send(&self, visitor: &mut impl PageRequest, more: &[(&str, &str)]) {
        visitor.open(&self.application.authorization_url_with("openid profile", more)).await;
    }

    /// The user signs in with name and password, up to whatever comes after that.
    pub(crate) async fn sign_in(&self, visitor: &mut impl PageRequest, username: &str) {
        self.send(visitor, &[]).await;
        identify(visitor, username, PASSWORD).await;
    }

    /// What the user came back with.
    pub(crate) async fn answer(&self, visitor: &mut impl PageRequest) -> Answer {
        let address = visitor.address().await;
        assert!(address.starts_with(&self.callback), "{address}: {}", visitor.text().await);
        let url = Url::parse(&address).unwrap();
        Answer { url, status: StatusCode::OK, headers: HeaderMap::new(), body: String::new() }
    }

    /// The error that the user came back with.
    pub(crate) async fn error(&self, visitor: &mut impl PageRequest) -> Option<String> {
        self.answer(visitor).await.parameter("error")
    }

    /// The claims of the ID token for the code that the user came back with.
    pub(crate) async fn id_token(&self, visitor: &mut impl PageRequest) -> Map<String, Value> {
        let answer = self.answer(visitor).await;
        self.application.redeem(&answer).await.id_token
    }
}

/// Types name and password into the first page.
pub(crate) async fn identify(visitor: &mut impl PageRequest, username: &str, password: &str) {
    assert_eq!(visitor.step().await, "identify", "{}", visitor.text().await);
    visitor.submit(&[("tenant", DOMAIN), ("username", username), ("password", password)]).await;
}
