//! An upstream provider under the test's control, which says whatever it is told to.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{KeyPair, PublicKeyData as _};
use serde_json::{Value, json};

use crate::support::{listen, serve};

/// How the provider fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mood {
    #[default]
    Well,
    /// Every request is answered 500.
    Broken,
    /// Metadata of another issuer.
    Imposter,
    /// A document without an end.
    Endless,
    /// No request is ever answered.
    Silent,
    /// The authorization endpoint is no web address that may be asked.
    Scripted,
}

/// What it says.
#[derive(Clone, Default)]
pub(super) struct Say {
    pub(super) mood: Mood,
    /// The claims of the next ID token.
    pub(super) claims: Value,
    /// How it is signed; `None`: `alg` none.
    pub(super) signed: Option<Signed>,
    pub(super) token_error: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signed {
    /// With the key that it publishes.
    Well,
    /// With a key of its own making, under the name of the one that it publishes.
    Forged,
    /// With the published key as an HMAC secret.
    Hmac,
    /// With the client's secret as an HMAC secret.
    ClientSecret,
    /// With a key that it has published since.
    Renewed,
}

pub(super) struct Evil {
    pub(super) url: String,
    inner: Arc<Inner>,
}

struct Inner {
    url: String,
    say: Mutex<Say>,
    keys: [Key; 3],
    /// How often metadata and keys were asked for, and which of the keys are published.
    asked: Mutex<(u32, u32)>,
    published: Mutex<usize>,
}

struct Key {
    pem: String,
    point: Vec<u8>,
}

impl Key {
    fn new() -> Self {
        let pair = KeyPair::generate().unwrap();
        Self { pem: pair.serialize_pem(), point: pair.der_bytes().to_vec() }
    }

    fn jwk(&self, kid: &str) -> Value {
        let (x, y) = (&self.point[1..33], &self.point[33..65]);
        let text = |bytes| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid, "x": text(x), "y": text(y) })
    }
}

impl Evil {
    pub(super) async fn start() -> Self {
        let (listener, url) = listen().await;
        let inner = Arc::new(Inner {
            url: url.clone(),
            say: Mutex::default(),
            keys: [Key::new(), Key::new(), Key::new()],
            asked: Mutex::default(),
            published: Mutex::new(1),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(jwks))
            .route("/token", post(token))
            .with_state(inner.clone());
        serve(listener, router);
        Self { url, inner }
    }

    pub(super) fn say(&self, say: Say) {
        *self.inner.say.lock().unwrap() = say;
    }

    /// Publishes a second key.
    pub(super) fn rotate(&self) {
        *self.inner.published.lock().unwrap() = 2;
    }

    /// How often metadata was asked for.
    pub(super) fn asked(&self) -> u32 {
        self.inner.asked.lock().unwrap().0
    }
}

async fn mood(inner: &Inner) -> Option<Response> {
    let mood = inner.say.lock().unwrap().mood;
    match mood {
        Mood::Well | Mood::Imposter | Mood::Scripted => None,
        Mood::Broken => Some(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        Mood::Endless => Some(vec![b' '; 1 << 20].into_response()),
        Mood::Silent => std::future::pending().await,
    }
}

async fn metadata(State(inner): State<Arc<Inner>>) -> Response {
    inner.asked.lock().unwrap().0 += 1;
    if let Some(answer) = mood(&inner).await {
        return answer;
    }
    let mood = inner.say.lock().unwrap().mood;
    let url = &inner.url;
    let issuer = if mood == Mood::Imposter { "https://login.north.test" } else { url };
    let endpoint = if mood == Mood::Scripted { "javascript:alert(1)" } else { &format!("{url}/authorize") };
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": endpoint,
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["none", "HS256", "ES256"],
        "authorization_response_iss_parameter_supported": true,
    }))
    .into_response()
}

async fn jwks(State(inner): State<Arc<Inner>>) -> Response {
    inner.asked.lock().unwrap().1 += 1;
    let published = *inner.published.lock().unwrap();
    let keys: Vec<_> =
        inner.keys.iter().take(published).enumerate().map(|(at, key)| key.jwk(&format!("k{at}"))).collect();
    Json(json!({ "keys": keys })).into_response()
}

async fn token(State(inner): State<Arc<Inner>>) -> Response {
    if let Some(answer) = mood(&inner).await {
        return answer;
    }
    let say = inner.say.lock().unwrap().clone();
    if say.token_error {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    }
    let [published, forged, _] = &inner.keys;
    let renewed = forged;
    let id_token = match say.signed {
        None => {
            let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            format!("{}.{}.", part(&json!({ "alg": "none" })), part(&say.claims))
        }
        Some(Signed::Well) => ec(published, "k0", &say.claims),
        Some(Signed::Forged) => ec(forged, "k0", &say.claims),
        Some(Signed::Renewed) => ec(renewed, "k1", &say.claims),
        Some(Signed::Hmac) => hmac(&published.point, &say.claims),
        Some(Signed::ClientSecret) => hmac(super::CLIENT_SECRET.as_bytes(), &say.claims),
    };
    let answer =
        json!({ "access_token": "opaque", "token_type": "Bearer", "expires_in": 60, "id_token": id_token });
    Json(answer).into_response()
}

fn ec(key: &Key, kid: &str, claims: &Value) -> String {
    let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::ES256) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_ec_pem(key.pem.as_bytes()).unwrap()).unwrap()
}

fn hmac(secret: &[u8], claims: &Value) -> String {
    let header = Header { kid: Some("k0".to_owned()), ..Header::new(Algorithm::HS256) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret)).unwrap()
}
