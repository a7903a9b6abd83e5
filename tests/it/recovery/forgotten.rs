//! Requests for a reset mail do not reveal whether the user exists.

use std::time::Duration;

use vestibule::domain::event::{Event, ResetOutcome};
use vestibule::testing::{Browser, TestIdp};

use super::{forget, links};
use crate::login::{DOMAIN, HOUSE, bare, house, open};

/// Beside those of [`HOUSE`].
const MORE: &str = r#"
    [[users]]
    tenant = "123456.sms"
    username = "dora"
    password = "correct horse battery staple"
    email = "dora@example.test"
    disabled = true
    [[users]]
    tenant = "123456.sms"
    username = "twin"
    password = "correct horse battery staple"
    email = "Bert@example.test"
    [[users]]
    tenant = "123456.sms"
    username = "fred"
    password = "correct horse battery staple"
    email = "fred@example.test"
    locale = "fr"
"#;

async fn full_house() -> TestIdp {
    let idp = TestIdp::with(HOUSE).await;
    idp.idp().apply(MORE).await.unwrap();
    idp
}

fn outcomes(idp: &TestIdp) -> Vec<ResetOutcome> {
    let told = idp.events().all().into_iter();
    told.filter_map(|event| match event {
        Event::ResetRequested { outcome, .. } => Some(outcome),
        _ => None,
    })
    .collect()
}

/// The same bytes, headers and statements for every name.
#[tokio::test]
async fn every_answer_is_the_same_and_costs_the_same() {
    let idp = full_house().await;
    let asked = [
        (DOMAIN, "bert", ResetOutcome::Mailed),
        (DOMAIN, "nobody", ResetOutcome::UserUnknown),
        ("nowhere.sms", "bert", ResetOutcome::TenantUnknown),
        (DOMAIN, "dora", ResetOutcome::UserDisabled),
        (DOMAIN, "anna", ResetOutcome::NoAddress),
        (DOMAIN, "bert", ResetOutcome::TooMany),
        (DOMAIN, "bert@example.test", ResetOutcome::Ambiguous),
        (DOMAIN, "FRED@example.test", ResetOutcome::Mailed),
        (DOMAIN, "\"><script>", ResetOutcome::UserUnknown),
    ];
    let mut browser = idp.browser();
    let mut answers = Vec::new();
    for (tenant, username, _) in asked {
        let page = browser.get(&format!("{}/reset", TestIdp::ISSUER)).await;
        let before = idp.cost();
        let sent = browser.submit(&page, &[("tenant", tenant), ("username", username)]).await;
        let work = idp.cost() - before;
        assert_eq!(sent.step(), Some("reset_sent"), "{username}: {}", sent.body);
        answers.push((sent.status, sent.headers, sent.body, work));
        idp.clock().advance(Duration::from_secs(1));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(links(&idp).await.len(), 2);
    assert_eq!(outcomes(&idp), asked.map(|(.., outcome)| outcome));
}

#[tokio::test]
async fn what_is_missing_is_said_at_its_field() {
    let idp = full_house().await;
    let mut browser = idp.browser();
    let page = browser.get(&format!("{}/reset", TestIdp::ISSUER)).await;
    let answer = browser.submit(&page, &[("tenant", DOMAIN), ("username", " ")]).await;
    assert_eq!(answer.step(), Some("forgotten"));
    assert!(
        answer.body.contains("id=\"username-error\"") && answer.body.contains(&format!("value=\"{DOMAIN}\""))
    );
    assert!(!answer.body.contains("id=\"tenant-error\""));
    assert!(links(&idp).await.is_empty() && outcomes(&idp).is_empty());
}

/// The message says the field's own label.
#[tokio::test]
async fn what_is_missing_is_called_as_the_label_calls_it() {
    let idp = full_house().await;
    for (language, message) in [
        ("en", "Please fill in: User name or email address."),
        ("de", "Bitte ausfüllen: Benutzername oder E-Mail-Adresse."),
        ("fr", "Veuillez renseigner\u{a0}: Nom d’utilisateur ou adresse e-mail."),
    ] {
        let mut browser = idp.browser().speaking(language);
        let page = browser.get(&format!("{}/reset", TestIdp::ISSUER)).await;
        let answer = browser.submit(&page, &[("tenant", DOMAIN), ("username", "")]).await;
        assert!(answer.body.contains(message), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_form_from_elsewhere_sends_nothing() {
    let idp = full_house().await;
    let url = format!("{}/reset", TestIdp::ISSUER);
    let fields = [("tenant", DOMAIN), ("username", "bert")];
    let without = idp.browser().post(&url, &fields).await;
    assert_eq!((without.status.as_u16(), without.step()), (403, Some("forgotten")));
    let foreign = [("sec-fetch-site", "cross-site"), ("content-type", "application/x-www-form-urlencoded")];
    let body = format!("tenant={DOMAIN}&username=bert");
    let answer = idp.browser().send(axum::http::Method::POST, &url, &foreign, Some(body)).await;
    assert_eq!((answer.status.as_u16(), answer.step()), (403, Some("refused")));
    assert!(links(&idp).await.is_empty());
}

/// Three at once, then one an hour, with the same response for all.
#[tokio::test]
async fn a_mailbox_is_not_flooded() {
    let idp = full_house().await;
    for _ in 0..20 {
        forget(&mut idp.browser(), DOMAIN, "fred").await;
        idp.mailbox().await;
        idp.clock().advance(Duration::from_secs(61));
    }
    assert_eq!(links(&idp).await.len(), 3);
}

/// [`HOUSE`] with as many users more, each with an address.
async fn crowded_house(users: u32) -> TestIdp {
    let user = |n: u32| {
        format!(
            "[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"user{n}\"\npassword = \"correct horse battery staple\"\n\
             email = \"user{n}@example.test\"\n"
        )
    };
    let idp = TestIdp::with(HOUSE).await;
    idp.idp().apply(&(0..users).map(user).collect::<String>()).await.unwrap();
    idp
}

/// A browser behind this address.
fn behind(idp: &TestIdp, address: &str) -> Browser {
    idp.browser().from_address(address.parse().unwrap())
}

/// Thirty people of one office may all have forgotten their passwords.
#[tokio::test]
async fn one_network_gets_a_first_link_for_each_user() {
    let idp = crowded_house(30).await;
    for n in 0..30 {
        forget(&mut behind(&idp, "192.0.2.7:1"), DOMAIN, &format!("user{n}")).await;
    }
    assert_eq!(links(&idp).await.len(), 30, "{:?}", outcomes(&idp));
}

/// A network's requests that fail or are repeated are counted; above the limit only first links are sent.
#[tokio::test]
async fn one_network_asks_in_vain_or_again_twenty_times_an_hour() {
    let idp = crowded_house(12).await;
    let ask = async |address: &str, username: &str| {
        forget(&mut behind(&idp, address), DOMAIN, username).await;
        idp.mailbox().await;
        outcomes(&idp).pop().unwrap()
    };
    for n in 0..12 {
        assert_eq!(ask("192.0.2.7:1", &format!("user{n}")).await, ResetOutcome::Mailed);
    }
    idp.clock().advance(Duration::from_secs(61));
    for n in 0..10 {
        assert_eq!(ask("192.0.2.7:1", &format!("user{n}")).await, ResetOutcome::Mailed, "{n}: again");
        assert_eq!(ask("192.0.2.7:1", &format!("nobody{n}")).await, ResetOutcome::UserUnknown);
    }
    assert_eq!(ask("192.0.2.7:1", "user10").await, ResetOutcome::TooMany, "the twenty-first");
    assert_eq!(ask("192.0.2.7:1", "nobody").await, ResetOutcome::TooMany);
    assert_eq!(ask("192.0.2.7:1", "bert").await, ResetOutcome::Mailed, "a first link");
    assert_eq!(ask("192.0.2.8:1", "user10").await, ResetOutcome::Mailed, "another network");
    assert_eq!(links(&idp).await.len(), 12 + 10 + 2);
    idp.clock().advance(Duration::from_mins(4));
    assert_eq!(ask("192.0.2.7:1", "user11").await, ResetOutcome::Mailed, "one has drained");
    assert_eq!(ask("192.0.2.7:1", "user10").await, ResetOutcome::TooMany);
    idp.clock().advance(Duration::from_hours(1));
    assert_eq!(ask("192.0.2.7:1", "user10").await, ResetOutcome::Mailed, "a first link of another hour");
}

/// Links lead to the configured issuer, whatever host a request names.
#[tokio::test]
async fn a_link_leads_to_the_configured_address() {
    let idp = full_house().await;
    let mut browser = idp.browser();
    let page = browser.get(&format!("{}/reset", TestIdp::ISSUER)).await;
    let csrf = page.body.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let poisoned = [
        ("x-forwarded-host", "evil.test"),
        ("forwarded", "host=evil.test"),
        ("x-forwarded-proto", "http"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let body = format!("tenant={DOMAIN}&username=bert&csrf={csrf}");
    let url = format!("{}/reset", TestIdp::ISSUER);
    browser.send(axum::http::Method::POST, &url, &poisoned, Some(body)).await;
    let links = links(&idp).await;
    assert!(links[0].starts_with("https://id.test/reset/link/"), "{links:?}");
    let mail = idp.mailbox().await.remove(0);
    assert!(!format!("{mail:?}").contains("evil"));
}

#[tokio::test]
async fn the_way_begins_at_the_login_and_leads_back_to_it() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let login = open(&mut browser, &shop, &[]).await;
    let href = login.body.split("href=\"/reset").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let page = browser.get(&format!("{}/reset{}", TestIdp::ISSUER, href.replace("&#38;", "&"))).await;
    assert_eq!(page.step(), Some("forgotten"));
    let cancelled = browser.submit(&page, &[("cancel", "yes")]).await;
    assert_eq!(bare(&cancelled), bare(&login));
    let sent = browser.submit(&page, &[("tenant", DOMAIN), ("username", "bert")]).await;
    let back =
        sent.body.split("class=\"ways\"><a href=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let back = browser.get(&format!("{}{}", TestIdp::ISSUER, back.replace("&#38;", "&"))).await;
    assert_eq!(back.step(), Some("identify"));
    let mut other = idp.browser();
    let page = other.get(page.url.as_str()).await;
    let sent = other.submit(&page, &[("tenant", DOMAIN), ("username", "bert")]).await;
    assert!(!sent.body.contains("/login/"), "another browser's login is not told of");
}

/// The tenant's issuer asks for no tenant, and what is posted for it does not count.
#[tokio::test]
async fn a_tenants_issuer_means_its_own_users() {
    let idp = full_house().await;
    let url = format!("{}/t/other.sms/reset", TestIdp::ISSUER);
    let mut browser = idp.browser();
    let page = browser.get(&url).await;
    assert!(!page.body.contains("name=\"tenant\""));
    browser.submit(&page, &[("tenant", DOMAIN), ("username", "fred")]).await;
    assert!(links(&idp).await.is_empty());
    assert_eq!(outcomes(&idp), [ResetOutcome::UserUnknown]);
}

/// A request that was not processed for half an hour is dropped, because its mail would be useless.
#[tokio::test]
async fn a_wish_that_waited_too_long_is_dropped() {
    let idp = full_house().await;
    forget(&mut idp.browser(), DOMAIN, "bert").await;
    idp.clock().advance(Duration::from_mins(30));
    assert!(links(&idp).await.is_empty());
    assert_eq!(outcomes(&idp), [ResetOutcome::TooLate]);
}
