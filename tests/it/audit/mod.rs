//! The audit trail: what is recorded, by whom, and what is not.

use axum::http::Method;
use serde_json::json;
use vestibule::testing::{Application, Browser, TestIdp, Tokens};

use crate::account::{PORTAL, SESSIONS};
use crate::login::{HOUSE, PASSWORD, sign_in};

/// A user who is signed in at a portal, by a network.
async fn at_portal(idp: &TestIdp, portal: &Application) -> (Browser, Tokens) {
    let mut browser = idp.browser().from_address(([192, 0, 2, 7], 4711).into());
    let page = browser.get(&portal.authorization_url("openid profile account:sessions")).await;
    let back = sign_in(&mut browser, &page, "bert", PASSWORD).await;
    (browser, portal.redeem(&back).await)
}

#[tokio::test]
async fn ended_sessions_are_recorded_with_who_ended_them_and_where() {
    let idp = TestIdp::with(HOUSE).await;
    idp.idp().apply(PORTAL).await.unwrap();
    let portal = idp.application("portal", "https://portal.test/callback");
    let (mut browser, tokens) = at_portal(&idp, &portal).await;
    let before = (idp.audit().await.len(), idp.events().all().len());
    let bearer = format!("Bearer {}", tokens.access_token);
    let url = format!("{}{SESSIONS}", TestIdp::ISSUER);
    let answer = browser.send(Method::DELETE, &url, &[("authorization", &bearer)], None).await;
    assert_eq!(answer.json(), json!({ "ended": 1 }));
    let entries = idp.audit().await;
    let [entry] = &entries[before.0..] else { panic!("{entries:?}") };
    let user = tokens.id_token["sub"].as_str().map(str::to_owned);
    assert_eq!(
        (entry.event.as_str(), &entry.details),
        ("sessions_ended", &json!({"user": user, "sessions": 1}))
    );
    assert_eq!(entry.actor, ("user".to_owned(), user.clone()));
    assert_eq!(entry.subject, user.map(|user| ("user".to_owned(), user)));
    assert_eq!(entry.issuer.as_ref().map(|issuer| issuer.as_str()), Some("root"));
    assert_eq!((entry.network.as_deref(), entry.at), (Some("192.0.2.7"), idp.idp().now()));
    assert!(entry.tenant.is_some() && !entry.refusal && entry.reference.is_none());
    assert_eq!(idp.events().all().len(), before.1 + 1, "the observer is told once");
}
