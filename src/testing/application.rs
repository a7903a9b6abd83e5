//! A relying party controlled by the test.

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

use super::{Answer, Browser, TestIdp};
use crate::crypto::secret;

/// An application that signs its users in with the code flow and PKCE.
#[derive(Clone, Debug)]
pub struct Application {
    browser: Browser,
    issuer: String,
    client_id: String,
    client_secret: Option<String>,
    redirect_uri: String,
}

/// The response of the token endpoint.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The whole response.
    pub response: Value,
    /// The claims of the ID token; its signature is not verified.
    pub id_token: Map<String, Value>,
    /// The access token.
    pub access_token: String,
}

impl TestIdp {
    /// A public client of the root issuer; see [`Application`] for others.
    pub fn application(&self, client_id: &str, redirect_uri: &str) -> Application {
        Application::new(self, self.idp().settings().issuer.as_str(), client_id, redirect_uri)
    }
}

impl Application {
    /// The constant PKCE verifier.
    pub const VERIFIER: &'static str = "a-verifier-of-forty-three-characters-or-more";
    /// The constant `state`.
    pub const STATE: &'static str = "a-state";
    /// The constant `nonce`.
    pub const NONCE: &'static str = "a-nonce";

    /// An application of this issuer, which may be a tenant's.
    pub fn new(idp: &TestIdp, issuer: &str, client_id: &str, redirect_uri: &str) -> Self {
        Self {
            browser: idp.browser(),
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            client_secret: None,
            redirect_uri: redirect_uri.to_owned(),
        }
    }

    /// Authenticates with this secret (`client_secret_basic`).
    #[must_use]
    pub fn secret(mut self, client_secret: &str) -> Self {
        self.client_secret = Some(client_secret.to_owned());
        self
    }

    /// The URL of an authorization request.
    pub fn authorization_url(&self, scope: &str) -> String {
        self.authorization_url_with(scope, &[])
    }

    /// The same with additional parameters.
    pub fn authorization_url_with(&self, scope: &str, more: &[(&str, &str)]) -> String {
        let challenge = secret::hash(Self::VERIFIER);
        let parameters = [
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", &self.redirect_uri),
            ("response_type", "code"),
            ("scope", scope),
            ("state", Self::STATE),
            ("nonce", Self::NONCE),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        let endpoint = format!("{}/authorize", self.issuer);
        let url = Url::parse_with_params(&endpoint, parameters.iter().chain(more));
        url.unwrap_or_else(|error| panic!("{endpoint}: {error}")).into()
    }

    /// Pushes the request (RFC 9126) and returns the URL with its `request_uri`.
    pub async fn pushed_url(&self, scope: &str, more: &[(&str, &str)]) -> String {
        let plain = self.authorization_url_with(scope, more);
        let plain = Url::parse(&plain).unwrap_or_else(|error| panic!("{plain}: {error}"));
        let parameters: Vec<_> = plain
            .query_pairs()
            .filter(|(name, _)| name != "client_id" || self.client_secret.is_some())
            .collect();
        let parameters: Vec<_> =
            parameters.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
        let answer = self.post("/par", &parameters).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        let uri =
            answer.json().get("request_uri").and_then(Value::as_str).map(str::to_owned).unwrap_or_default();
        let parameters = [("client_id", self.client_id.as_str()), ("request_uri", &uri)];
        let endpoint = format!("{}/authorize", self.issuer);
        let url = Url::parse_with_params(&endpoint, parameters);
        url.unwrap_or_else(|error| panic!("{endpoint}: {error}")).into()
    }

    /// Redeems the code of an authorization response after the checks of RFC 9207 and RFC 6749.
    pub async fn redeem(&self, answer: &Answer) -> Tokens {
        assert_eq!(answer.parameter("error"), None, "{}", answer.url);
        assert_eq!(answer.parameter("iss").as_deref(), Some(self.issuer.as_str()), "{}", answer.url);
        assert_eq!(answer.parameter("state").as_deref(), Some(Self::STATE), "{}", answer.url);
        let code =
            answer.parameter("code").unwrap_or_else(|| panic!("no code: {} {}", answer.url, answer.body));
        let answer = self.token(&code).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let response = answer.json();
        let text = |name: &str| response.get(name).and_then(Value::as_str).map(str::to_owned);
        let id_token = text("id_token").map(|jwt| claims(&jwt)).unwrap_or_default();
        let access_token = text("access_token").unwrap_or_else(|| panic!("no access token: {response}"));
        Tokens { response, id_token, access_token }
    }

    /// Sends a code to the token endpoint.
    pub async fn token(&self, code: &str) -> Answer {
        self.token_with(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", Self::VERIFIER),
        ])
        .await
    }

    /// A token request with exactly these parameters and the application's authentication.
    pub async fn token_with(&self, parameters: &[(&str, &str)]) -> Answer {
        self.post("/token", parameters).await
    }

    /// Revokes a token (RFC 7009).
    pub async fn revoke(&self, token: &str) -> Answer {
        self.post("/revoke", &[("token", token)]).await
    }

    /// Introspects a token (RFC 7662).
    pub async fn introspect(&self, token: &str) -> Answer {
        self.post("/introspect", &[("token", token)]).await
    }

    /// Posts a form to an endpoint that authenticates clients.
    async fn post(&self, path: &str, parameters: &[(&str, &str)]) -> Answer {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(parameters);
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        match &self.client_secret {
            Some(secret) => headers.push(("authorization", basic(&self.client_id, secret))),
            None => drop(body.append_pair("client_id", &self.client_id)),
        }
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let url = format!("{}{path}", self.issuer);
        self.browser.clone().send(axum::http::Method::POST, &url, &headers, Some(body.finish())).await
    }

    /// Calls UserInfo with an access token.
    pub async fn userinfo(&self, access_token: &str) -> Answer {
        let url = format!("{}/userinfo", self.issuer);
        let bearer = format!("Bearer {access_token}");
        self.browser.clone().send(axum::http::Method::GET, &url, &[("authorization", &bearer)], None).await
    }
}

/// RFC 6749 §2.3.1: both parts are form-encoded, then base64.
fn basic(id: &str, secret: &str) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret))))
}

/// The payload of a JWT.
fn claims(jwt: &str) -> Map<String, Value> {
    let payload = jwt.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims = payload.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    claims.unwrap_or_else(|| panic!("not a JWT: {jwt}"))
}
