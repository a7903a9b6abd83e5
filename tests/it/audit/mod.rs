//! The audit trail: what is recorded, by whom, and what is not.

use axum::http::Method;
use serde_json::json;
use vestibule::testing::{Application, Browser, TestIdp, Tokens};

use crate::account::{PORTAL, SESSIONS};
use crate::login::{DOMAIN, HOUSE, PASSWORD, enter, house, open, sign_in};
use vestibule::{Placed, SupportAction};

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
    assert_eq!(entry.issuer.as_ref().map(vestibule::IssuerId::as_str), Some("root"));
    assert_eq!((entry.network.as_deref(), entry.at), (Some("192.0.2.7"), idp.idp().now()));
    assert!(entry.tenant.is_some() && !entry.refusal && entry.reference.is_none());
    assert_eq!(idp.events().all().len(), before.1 + 1, "the observer is told once");
}

/// The entries of this event.
async fn named(idp: &TestIdp, event: &str) -> Vec<Placed> {
    let mut entries = idp.audit().await;
    entries.retain(|entry| entry.event == event);
    entries
}

#[tokio::test]
async fn the_end_of_a_login_is_recorded_with_its_decisions() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser().from_address(([192, 0, 2, 9], 4711).into());
    let tokens = shop.redeem(&enter(&mut browser, &shop, "bert").await).await;
    let now = idp.idp().now();
    let entries = named(&idp, "login_completed").await;
    let [entry] = &entries[..] else { panic!("{entries:?}") };
    let user = tokens.id_token["sub"].as_str().unwrap();
    assert_eq!(entry.actor, ("user".to_owned(), Some(user.to_owned())));
    assert_eq!(entry.subject, Some(("user".to_owned(), user.to_owned())));
    assert_eq!(
        (entry.details["client"].as_str(), entry.network.as_deref()),
        (Some("shop"), Some("192.0.2.9"))
    );
    assert!(entry.grant.is_some() && entry.tenant.is_some() && !entry.refusal);
    let decisions = json!([
        { "about": "session", "outcome": "none" },
        { "about": "fact", "outcome": "password", "at": now },
    ]);
    assert_eq!(entry.decisions.as_ref(), Some(&decisions));

    // The same browser again: the session answers.
    let again = open(&mut browser, &shop, &[]).await;
    assert!(again.parameter("code").is_some());
    let entries = named(&idp, "login_completed").await;
    assert_eq!(entries[1].decisions.as_ref().unwrap()[0], json!({ "about": "session", "outcome": "used" }));
}

#[tokio::test]
async fn a_login_that_ends_without_a_code_is_recorded() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let silent = open(&mut browser, &shop, &[("prompt", "none")]).await;
    assert_eq!(silent.parameter("error").as_deref(), Some("login_required"));
    let entries = named(&idp, "login_refused").await;
    let [entry] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!(entry.details, json!({ "client": "shop", "error": "login_required" }));
    assert!(entry.refusal && entry.subject.is_none(), "nobody had proved anything");
    assert_eq!(entry.decisions.as_ref(), Some(&json!([{ "about": "session", "outcome": "none" }])));
}

#[tokio::test]
async fn a_refused_login_names_nobody_and_keeps_nothing_that_was_typed() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser().from_address(([192, 0, 2, 9], 4711).into());
    let page = open(&mut browser, &shop, &[]).await;
    let page = sign_in(&mut browser, &page, "CanaryName", "canary password").await;
    let page = sign_in(&mut browser, &page, "canaryname", "canary password").await;
    sign_in(&mut browser, &page, "bert", "canary password").await;
    let entries = named(&idp, "login_failed").await;
    let reasons: Vec<_> = entries.iter().map(|entry| entry.details["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["user_unknown", "user_unknown", "wrong_password"]);
    let names: Vec<_> = entries.iter().map(|entry| entry.subject.clone().unwrap()).collect();
    assert!(names.iter().all(|(kind, _)| kind == "name"));
    assert!(names[0] == names[1] && names[0] != names[2], "the same name has the same hash");
    assert!(
        page.body.contains(entries[1].reference.as_ref().unwrap().as_str()),
        "the reference that was shown"
    );
    for entry in &entries {
        assert_eq!(entry.actor, ("anonymous".to_owned(), None));
        assert!(entry.refusal && entry.network.as_deref() == Some("192.0.2.9"));
    }
    let told = format!("{entries:?}").to_lowercase();
    assert!(!told.contains("canary") && !told.contains(DOMAIN) && !told.contains("bert"), "{told}");
}

#[tokio::test]
async fn refusals_of_one_network_are_limited_and_the_rest_is_counted() {
    let (idp, shop) = house().await;
    let bad = format!("{}/authorize?client_id=nobody", TestIdp::ISSUER);
    let mut flood = idp.browser().from_address(([192, 0, 2, 66], 4711).into());
    for _ in 0..100 {
        assert_eq!(flood.get(&bad).await.status, 400);
    }
    let before = idp.cost();
    idp.browser().from_address(([192, 0, 2, 1], 4711).into()).get(&bad).await;
    assert_eq!((idp.cost() - before).writes, 0, "a refusal waits for no write");
    let entries = named(&idp, "refused").await;
    let of = |network: &str| entries.iter().filter(|entry| entry.network.as_deref() == Some(network)).count();
    assert_eq!((of("192.0.2.66"), of("192.0.2.1")), (60, 1));
    let omitted = named(&idp, "refusals_omitted").await;
    let [entry] = &omitted[..] else { panic!("{omitted:?}") };
    assert_eq!((&entry.details, entry.refusal), (&json!({ "count": 40 }), true));
    shop.redeem(&enter(&mut idp.browser(), &shop, "bert").await).await;
}

#[tokio::test]
async fn a_code_that_comes_twice_is_recorded_in_the_write_that_revokes() {
    let (idp, shop) = house().await;
    let code = enter(&mut idp.browser(), &shop, "bert").await.parameter("code").unwrap();
    shop.token(&code).await;
    shop.token(&code).await;
    let entries = named(&idp, "code_reused").await;
    let [entry] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!(entry.actor, ("client".to_owned(), Some("shop".to_owned())));
    assert_eq!(entry.grant, named(&idp, "login_completed").await[0].grant, "the login that it belongs to");
}

#[tokio::test]
async fn a_client_that_fails_to_prove_itself_is_recorded_only_if_there_is_one() {
    let idp = TestIdp::with(HOUSE).await;
    let client = r#"
        [[clients]]
        client_id = "api"
        client_secret = "a secret of at least 32 characters"
        grant_types = ["client_credentials"]
    "#;
    idp.idp().apply(client).await.unwrap();
    for name in ["api", "a-canary-that-is-no-client"] {
        let body = format!("grant_type=client_credentials&client_id={name}&client_secret=canary");
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let url = format!("{}/token", TestIdp::ISSUER);
        let answer = idp.browser().send(Method::POST, &url, &form, Some(body)).await;
        assert_eq!(answer.status, 401, "{}", answer.body);
    }
    let entries = named(&idp, "client_refused").await;
    let subjects: Vec<_> = entries.iter().map(|entry| entry.subject.clone()).collect();
    assert_eq!(subjects, [Some(("client".to_owned(), "api".to_owned())), None]);
    assert!(entries.iter().all(|entry| entry.refusal));
    assert!(!format!("{entries:?}").contains("canary"));
}

#[tokio::test]
async fn what_the_operator_does_is_recorded() {
    let idp = TestIdp::with(HOUSE).await;
    let before = idp.audit().await.len();
    assert!(before > 0, "the document itself");
    let document = format!(
        "[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"carl\"\npassword = \"canary of battery staples\"\n"
    );
    idp.idp().apply(&document).await.unwrap();
    idp.idp().apply(&document).await.unwrap();
    idp.idp().help(DOMAIN, "carl", SupportAction::Unlock).await.unwrap();
    let entries = idp.audit().await;
    let [created, unlocked] = &entries[before..] else { panic!("{:?}", &entries[before..]) };
    assert_eq!(created.subject, Some(("user".to_owned(), format!("{DOMAIN}/carl"))));
    assert_eq!((created.event.as_str(), &created.details["change"]), ("managed", &json!("created")));
    assert!(created.details["members"].as_array().unwrap().contains(&json!("password")));
    assert_eq!(unlocked.event, "unlocked");
    assert!([created, unlocked].iter().all(|entry| entry.actor == ("console".to_owned(), None)));
    assert!(!format!("{entries:?}").contains("canary"));
}
