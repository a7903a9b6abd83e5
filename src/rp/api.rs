//! Typed calls of the provider's API for accounts, with the access token of the session.

use axum::http::header::{ACCEPT, AUTHORIZATION};
use axum::http::{HeaderValue, Method, StatusCode};
use openidconnect::HttpRequest;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{RpError, Session};
use crate::domain::time::Time;

/// A session of the user at the provider.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct AccountSession {
    /// The value of `sid` in the ID tokens that it gave.
    pub id: String,
    /// Whether the relying party's own session came from it.
    pub current: bool,
    /// The issuer at which the user is signed in; `None` if it was removed since.
    pub issuer: Option<String>,
    /// The time of the sign-in.
    pub created_at: Time,
    /// The last time that an application was signed in with it.
    pub last_used_at: Time,
    /// Its end in any case.
    pub expires_at: Time,
    /// The browser's family, as far as it is known.
    pub browser: Option<String>,
    /// The network that the user signed in from.
    pub address: Option<String>,
    /// The applications that were signed in with it.
    pub applications: Vec<SessionApplication>,
}

/// An application that was signed in with a session.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct SessionApplication {
    /// Its `client_id`.
    pub client_id: String,
    /// Its name for users.
    pub client_name: String,
}

#[derive(Deserialize)]
struct SessionList {
    sessions: Vec<AccountSession>,
}

#[derive(Deserialize)]
struct EndedCount {
    ended: u64,
}

/// Problem details (RFC 9457 §3.1).
#[derive(Default, Deserialize)]
#[serde(default)]
struct ProblemBody {
    r#type: String,
}

impl Session<'_> {
    /// The user's sessions at the provider, the one used last first.
    pub async fn account_sessions(&self) -> Result<Vec<AccountSession>, RpError> {
        let list: SessionList = self.call_json(Method::GET, "/api/account/sessions").await?;
        Ok(list.sessions)
    }

    /// Ends one of them.
    pub async fn end_account_session(&self, id: &str) -> Result<(), RpError> {
        let id = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
        self.call(Method::DELETE, &format!("/api/account/sessions/{id}")).await.map(drop)
    }

    /// Ends all of them but the one that this session came from; returns how many.
    pub async fn end_other_account_sessions(&self) -> Result<u64, RpError> {
        let ended: EndedCount = self.call_json(Method::DELETE, "/api/account/sessions?keep=current").await?;
        Ok(ended.ended)
    }

    async fn call_json<T: DeserializeOwned>(&self, method: Method, path: &str) -> Result<T, RpError> {
        let body = self.call(method, path).await?;
        serde_json::from_slice(&body).map_err(|error| RpError::Unavailable(format!("{path}: {error}")))
    }

    /// The body of a successful response.
    async fn call(&self, method: Method, path: &str) -> Result<Vec<u8>, RpError> {
        let mut request = HttpRequest::new(Vec::new());
        *request.method_mut() = method;
        *request.uri_mut() = format!("{}{path}", self.party.issuer()).parse().map_err(RpError::setup)?;
        let bearer = HeaderValue::from_str(&format!("Bearer {}", self.access_token().await?));
        let mut bearer = bearer.map_err(|_| RpError::refused("the access token is malformed"))?;
        bearer.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, bearer);
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        let answer = self.party.handle.http.send(request).await;
        let answer = answer.map_err(|error| RpError::Unavailable(format!("{path}: {error}")))?;
        match answer.status() {
            StatusCode::OK | StatusCode::NO_CONTENT => Ok(answer.into_body()),
            status => {
                let problem: ProblemBody = serde_json::from_slice(answer.body()).unwrap_or_default();
                Err(RpError::Api { status: status.as_u16(), kind: problem.r#type })
            }
        }
    }
}
