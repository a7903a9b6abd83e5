//! The logout token (OpenID Connect Back-Channel Logout 1.0 §2.4): tells one client that one session has ended.

use std::time::Duration;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{Method, Request};
use serde::Serialize;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use crate::crypto::random;
use crate::domain::client::Client;
use crate::domain::ids::{ClientId, SessionId, UserId};
use crate::domain::issuer::Issuer;
use crate::domain::time::Time;
use crate::protocol::response_jwt::ResponseJwt;
use crate::protocol::subject;
use crate::provider::{Idp, Internal};

/// The event that the token tells of.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Lifetime of a token; every try sends a new one.
const LIFETIME: Duration = Duration::from_mins(2);

/// It has no `nonce`, so that it passes for no ID token (§2.4).
#[derive(Serialize)]
struct LogoutToken<'a> {
    iss: &'a str,
    aud: &'a ClientId,
    iat: Time,
    exp: Time,
    jti: String,
    sub: String,
    sid: String,
    events: Value,
}

/// Signs a logout token and puts it into the request for the client's `backchannel_logout_uri` (§2.5).
pub(crate) async fn logout_request(
    idp: &Idp,
    issuer: &Issuer,
    client: &Client,
    uri: &str,
    user: &UserId,
    session: &SessionId,
) -> Result<Request<Vec<u8>>, Internal> {
    let now = idp.now();
    let claims = LogoutToken {
        iss: issuer.url.as_str(),
        aud: &client.id,
        iat: now,
        exp: now.plus(LIFETIME),
        jti: random::uuid(),
        sub: subject::of(idp, client, user).await?,
        sid: subject::of_session(idp, client, session).await?,
        events: json!({ EVENT: {} }),
    };
    let token = ResponseJwt::LogoutToken.sign(idp, issuer, client, &claims).await?;
    let body = Serializer::new(String::new()).append_pair("logout_token", &token).finish();
    let request = Request::builder()
        .method(Method::POST)
        .uri(uri)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(CACHE_CONTROL, "no-store");
    request.body(body.into_bytes()).map_err(|error| Internal::fault(&error))
}
