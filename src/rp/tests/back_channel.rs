//! Logout tokens: the good ones end sessions once, all others end nothing.

use serde_json::{Value, json};

use super::{party, portal, session, sign_in, world};
use crate::crypto::jwt;
use crate::crypto::keys::SigningKey;
use crate::domain::client::SigningAlgorithm;
use crate::domain::ids::IssuerId;
use crate::ext::Clock;
use crate::rp::{RpError, decoded};
use crate::testing::TestIdp;

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Claims of a good logout token with some changed; `null` takes one away.
fn claims(idp: &TestIdp, changes: &Value) -> Value {
    let now = idp.clock().now().unix();
    let mut claims = json!({
        "iss": TestIdp::ISSUER, "aud": "portal", "iat": now, "exp": now + 120, "jti": "one", "sid": "unknown",
        "events": { EVENT: {} },
    });
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            _ => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

async fn key(idp: &TestIdp) -> SigningKey {
    idp.idp().signing_key(&IssuerId::root(), SigningAlgorithm::Rs256).await.unwrap()
}

async fn token(idp: &TestIdp, changes: &Value) -> String {
    jwt::sign(&key(idp).await, "logout+jwt", &claims(idp, changes)).unwrap()
}

/// The `sid` of the session behind this cookie.
async fn sid(party: &crate::rp::RelyingParty, cookie: &str) -> Value {
    let (_, payload) = decoded(&session(party, cookie).await.unwrap().tokens().id_token).unwrap();
    payload["sid"].clone()
}

#[tokio::test]
async fn one_session_ends_and_the_token_counts_once() {
    let idp = world().await;
    let portal = portal(&idp);
    let one = sign_in(&portal, &mut idp.browser(), "anna").await;
    let two = sign_in(&portal, &mut idp.browser(), "anna").await;
    let logout = token(&idp, &json!({ "sid": sid(&portal, &one).await })).await;
    assert_eq!(portal.back_channel_logout(&logout).await.unwrap(), 1);
    assert!(session(&portal, &one).await.is_none());
    assert!(session(&portal, &two).await.is_some());
    let replayed = portal.back_channel_logout(&logout).await;
    assert!(matches!(&replayed, Err(RpError::Refused(why)) if why.contains("jti")), "{replayed:?}");
    let unknown = token(&idp, &json!({ "jti": "two" })).await;
    assert_eq!(portal.back_channel_logout(&unknown).await.unwrap(), 0);
}

#[tokio::test]
async fn all_sessions_of_a_user_end_and_nobody_elses() {
    let idp = world().await;
    let here = portal(&idp);
    let node = idp.node().await;
    let office = party(&idp, "office", "another-secret-of-at-least-32-characters", &[]);
    let one = sign_in(&here, &mut idp.browser(), "anna").await;
    let two = sign_in(&here, &mut idp.browser(), "anna").await;
    let ben = sign_in(&here, &mut idp.browser(), "ben").await;
    let elsewhere = sign_in(&office, &mut idp.browser(), "anna").await;
    let subject = session(&here, &one).await.unwrap().subject().as_str().to_owned();
    let logout = token(&idp, &json!({ "sid": null, "sub": subject })).await;
    assert_eq!(portal(&node).back_channel_logout(&logout).await.unwrap(), 2);
    assert!(session(&here, &one).await.is_none() && session(&here, &two).await.is_none());
    assert!(session(&here, &ben).await.is_some());
    assert!(session(&office, &elsewhere).await.is_some(), "another relying party's");
}

#[tokio::test]
async fn a_token_that_fails_a_check_ends_nothing() {
    let idp = world().await;
    let portal = portal(&idp);
    let cookie = sign_in(&portal, &mut idp.browser(), "anna").await;
    let sid = sid(&portal, &cookie).await;
    let now = idp.clock().now().unix();
    let mut bad = Vec::new();
    for changes in [
        json!({ "iss": "https://evil.test" }),
        json!({ "aud": "office" }),
        json!({ "aud": null }),
        json!({ "iat": null }),
        json!({ "iat": now + 3600 }),
        json!({ "exp": null }),
        json!({ "exp": now - 60 }),
        json!({ "exp": now + 86_400 }),
        json!({ "jti": null }),
        json!({ "jti": "" }),
        json!({ "sid": null }),
        json!({ "nonce": "n" }),
        json!({ "events": null }),
        json!({ "events": [EVENT] }),
        json!({ "events": { "http://schemas.openid.net/event/other": {} } }),
        json!({ "events": { EVENT: "yes" } }),
    ] {
        let mut all = json!({ "sid": sid });
        all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        bad.push((changes.to_string(), token(&idp, &all).await));
    }
    let good = claims(&idp, &json!({ "sid": sid }));
    for typ in ["JWT", "at+jwt"] {
        bad.push((typ.to_owned(), jwt::sign(&key(&idp).await, typ, &good).unwrap()));
    }
    let stranger = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    bad.push(("another key".to_owned(), jwt::sign(&stranger, "logout+jwt", &good).unwrap()));
    bad.push(("no token".to_owned(), "x.y.z".to_owned()));
    for (what, token) in bad {
        let outcome = portal.back_channel_logout(&token).await;
        assert!(matches!(outcome, Err(RpError::Refused(_))), "{what}: {outcome:?}");
    }
    assert!(session(&portal, &cookie).await.is_some());
    let logout = token(&idp, &json!({ "sid": sid })).await;
    assert_eq!(portal.back_channel_logout(&logout).await.unwrap(), 1, "unused until now");
}
