//! Name and password.

use std::time::Duration;

use axum::http::StatusCode;
use vestibule::domain::event::{Event, LoginFailure};
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::settings::Settings;
use vestibule::testing::TestIdp;

use super::{DOMAIN, PASSWORD, bare, house, open, sign_in};

#[tokio::test]
async fn a_user_signs_in_and_the_application_gets_a_code() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let page = browser.get(&shop.authorization_url("openid profile")).await;
    assert_eq!(page.step(), Some("identify"), "{} {}", page.status, page.body);
    let back = sign_in(&mut browser, &page, "bert", PASSWORD).await;
    let tokens = shop.redeem(&back).await;
    assert_eq!(tokens.id_token["acr"], "urn:vestibule:acr:1fa");
    assert_eq!(tokens.id_token["amr"], serde_json::json!(["pwd"]));
    let again = open(&mut browser, &shop, &[]).await;
    assert_eq!(shop.redeem(&again).await.id_token["sub"], tokens.id_token["sub"], "single sign-on");
}

#[tokio::test]
async fn who_cannot_sign_in_learns_nothing_about_why() {
    let world = format!(
        "{}{}",
        super::HOUSE,
        r#"
        [[users]]
        tenant = "123456.sms"
        username = "dora"
        password = "correct horse battery staple"
        disabled = true
        [[users]]
        tenant = "123456.sms"
        username = "nopw"
    "#
    );
    let idp = TestIdp::with(&world).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    let cases = [
        ("nowhere.sms", "bert", PASSWORD, LoginFailure::TenantUnknown),
        (DOMAIN, "nobody", PASSWORD, LoginFailure::UserUnknown),
        (DOMAIN, "bert", "wrong", LoginFailure::WrongPassword),
        (DOMAIN, "dora", PASSWORD, LoginFailure::UserDisabled),
        (DOMAIN, "nopw", PASSWORD, LoginFailure::NoPassword),
    ];
    let mut seen = Vec::new();
    for (tenant, username, password, reason) in cases {
        let mut browser = idp.browser();
        let page = open(&mut browser, &shop, &[]).await;
        let fields = [("tenant", tenant), ("username", username), ("password", password)];
        let answer = browser.submit(&page, &fields).await;
        assert_eq!(answer.step(), Some("identify"));
        assert!(answer.body.contains(&format!("value=\"{username}\"")), "the name is kept");
        assert!(!answer.body.contains(password), "the password is not");
        let Some(Event::LoginFailed { reason: told, reference, .. }) = idp.events().all().pop() else {
            panic!("the observer was not told");
        };
        assert_eq!(told, reason);
        assert!(answer.body.contains(reference.as_str()), "the page names what the observer was told");
        let page = bare(&answer)
            .replace(&format!("value=\"{username}\""), "")
            .replace(&format!("value=\"{tenant}\""), "");
        seen.push((answer.status, page));
    }
    for other in &seen {
        assert_eq!(other, &seen[0]);
    }
}

#[tokio::test]
async fn what_is_left_empty_is_named() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    let answer = browser.submit(&page, &[("username", "bert"), ("password", "")]).await;
    assert_eq!(answer.step(), Some("identify"));
    assert!(answer.body.contains("id=\"tenant-error\"") && answer.body.contains("id=\"password-error\""));
    assert!(!answer.body.contains("id=\"username-error\""));
    assert!(answer.body.contains("value=\"bert\""));
    assert!(idp.events().all().is_empty(), "nothing was tried");
}

#[tokio::test]
async fn five_failures_lock_whether_or_not_the_user_exists() {
    let (idp, shop) = house().await;
    for username in ["bert", "nobody"] {
        let mut browser = idp.browser();
        let mut page = open(&mut browser, &shop, &[]).await;
        for _ in 0..5 {
            page = sign_in(&mut browser, &page, username, "wrong").await;
            assert_eq!(page.step(), Some("identify"), "{username}");
        }
        let locked = sign_in(&mut browser, &page, username, PASSWORD).await;
        assert_eq!(
            (locked.step(), locked.status),
            (Some("wait"), StatusCode::TOO_MANY_REQUESTS),
            "{username}"
        );
        let told = idp.events().all().pop();
        assert!(matches!(told, Some(Event::LoginFailed { reason: LoginFailure::Locked, .. })), "{told:?}");
    }
    idp.clock().advance(Duration::from_mins(5));
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    let back = sign_in(&mut browser, &page, "bert", PASSWORD).await;
    assert!(back.parameter("code").is_some(), "{}", back.body);
}

#[tokio::test]
async fn a_success_gives_all_tries_back() {
    let (idp, shop) = house().await;
    for _ in 0..3 {
        let mut browser = idp.browser();
        let mut page = open(&mut browser, &shop, &[]).await;
        for _ in 0..4 {
            page = sign_in(&mut browser, &page, "bert", "wrong").await;
        }
        assert!(sign_in(&mut browser, &page, "BERT", PASSWORD).await.parameter("code").is_some());
    }
}

#[tokio::test]
async fn a_tenants_issuer_asks_for_no_tenant_and_ignores_one() {
    let (idp, _) = house().await;
    let issuer = format!("{}/t/{DOMAIN}", TestIdp::ISSUER);
    let desk = vestibule::testing::Application::new(&idp, &issuer, "desk", "https://desk.test/callback");
    let mut browser = idp.browser();
    let page = open(&mut browser, &desk, &[]).await;
    assert!(!page.body.contains("name=\"tenant\""), "{}", page.body);
    let fields = [("tenant", "other.sms"), ("username", "bert"), ("password", "another horse")];
    let refused = browser.submit(&page, &fields).await;
    assert_eq!(refused.step(), Some("identify"));
    let back = browser
        .submit(&refused, &[("tenant", "other.sms"), ("username", "bert"), ("password", PASSWORD)])
        .await;
    assert_eq!(desk.redeem(&back).await.id_token["tenant"], DOMAIN);
}

#[tokio::test]
async fn a_hint_fills_the_fields_in() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[("login_hint", "bert@123456.SMS")]).await;
    assert!(page.body.contains("value=\"bert\"") && page.body.contains("value=\"123456.sms\""));
    let hostile = open(&mut browser, &shop, &[("login_hint", "\"><script>alert(1)</script>")]).await;
    assert!(!hostile.body.contains("<script>alert"));
}

#[tokio::test]
async fn an_outdated_hash_is_renewed_at_the_next_login() {
    let hash = hash_of(PASSWORD, 16);
    let world = format!(
        "{}\n[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"olga\"\npassword_hash = \"{hash}\"\n",
        super::HOUSE
    );
    let idp = TestIdp::with(&world).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    assert!(idp.idp().export().await.unwrap().contains("m=16,t=1"));
    for _ in 0..2 {
        let mut browser = idp.browser();
        let page = open(&mut browser, &shop, &[]).await;
        assert!(sign_in(&mut browser, &page, "olga", PASSWORD).await.parameter("code").is_some());
        assert!(!idp.idp().export().await.unwrap().contains("m=16,t=1"));
    }
}

/// A hash at this much memory; the test's provider asks for 8 KiB.
fn hash_of(password: &str, kib: u32) -> String {
    use argon2::{Algorithm, Argon2, Params, Version};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    let mut output = [0; 32];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(kib, 1, 1, Some(32)).unwrap());
    argon2.hash_password_into(password.as_bytes(), b"1234567890123456", &mut output).unwrap();
    let (salt, output) = (STANDARD_NO_PAD.encode(b"1234567890123456"), STANDARD_NO_PAD.encode(output));
    format!("$argon2id$v=19$m={kib},t=1,p=1${salt}${output}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_made_at_once_find_one_budget() {
    let (idp, shop) = house().await;
    let mut ready = Vec::new();
    for _ in 0..20 {
        let mut browser = idp.browser();
        let page = open(&mut browser, &shop, &[]).await;
        ready.push((browser, page));
    }
    let posts = ready.into_iter().map(|(mut browser, page)| {
        tokio::spawn(async move { sign_in(&mut browser, &page, "bert", "wrong").await })
    });
    for post in posts.collect::<Vec<_>>() {
        assert!(!post.await.unwrap().status.is_server_error());
    }
    let checked =
        |event: &Event| matches!(event, Event::LoginFailed { reason: LoginFailure::WrongPassword, .. });
    assert_eq!(idp.events().all().iter().filter(|event| checked(event)).count(), 5);
}

/// A flood that fills the hashing queue does not use up the tries of users who sign in meanwhile.
#[tokio::test]
async fn what_the_full_pool_turned_away_counts_for_nothing() {
    let mut settings = Settings::new(IssuerUrl::parse(TestIdp::ISSUER).unwrap());
    (settings.hash_permits, settings.hash_queue) = (1, 0);
    let hash = hash_of(PASSWORD, 4096);
    let names: Vec<_> = (0..8).map(|n| format!("user{n}")).collect();
    let user = |name: &String| {
        format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"{name}\"\npassword_hash = \"{hash}\"\n")
    };
    let users: Vec<_> = names.iter().map(user).collect();
    let world = format!("{}\n{}", super::HOUSE, users.join("\n"));
    let idp = TestIdp::with_settings(settings, &world).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    let mut ready = Vec::new();
    for name in &names {
        let mut browser = idp.browser().from_address("192.0.2.7:1".parse().unwrap());
        let page = open(&mut browser, &shop, &[]).await;
        ready.push((browser, page, name, 0));
    }
    for _ in 0..5 {
        let posts = ready.iter_mut().map(async |(browser, page, name, checked)| {
            let status = sign_in(browser, page, name, "wrong").await.status;
            *checked += usize::from(status != StatusCode::SERVICE_UNAVAILABLE);
        });
        futures_util::future::join_all(posts).await;
    }
    let turned_away: usize = ready.iter().map(|(.., checked)| 5 - checked).sum();
    assert!(turned_away > 0, "nobody was turned away");
    assert_eq!(idp.idp().figures().hashes.refused, turned_away as u64, "whatever turned them away");
    for (browser, page, name, checked) in &mut ready {
        let answer = sign_in(browser, page, name, PASSWORD).await;
        assert_eq!(answer.parameter("code").is_some(), *checked < 5, "{name}: {checked}");
    }
}

#[tokio::test]
async fn one_address_may_fail_a_hundred_times_and_others_go_on() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser().from_address("192.0.2.7:1".parse().unwrap());
    let mut page = open(&mut browser, &shop, &[]).await;
    for n in 0..100 {
        page = sign_in(&mut browser, &page, &format!("user{n}"), "wrong").await;
        assert_eq!(page.step(), Some("identify"), "{n}");
    }
    let stopped = sign_in(&mut browser, &page, "user100", "wrong").await;
    assert_eq!(stopped.step(), Some("wait"));
    let mut other = idp.browser().from_address("192.0.2.8:1".parse().unwrap());
    let page = open(&mut other, &shop, &[]).await;
    assert!(sign_in(&mut other, &page, "bert", PASSWORD).await.parameter("code").is_some());
    idp.clock().advance(Duration::from_mins(1));
    let page = browser.get(stopped.url.as_str()).await;
    assert!(sign_in(&mut browser, &page, "bert", PASSWORD).await.parameter("code").is_some());
}

#[tokio::test]
async fn a_hundred_failures_stop_everything_for_a_day_and_not_for_ever() {
    let (idp, shop) = house().await;
    for round in 0..20 {
        let mut browser = idp.browser();
        let mut page = open(&mut browser, &shop, &[]).await;
        for _ in 0..5 {
            page = sign_in(&mut browser, &page, "bert", "wrong").await;
            assert_eq!(page.step(), Some("identify"), "{round}");
        }
        idp.clock().advance(Duration::from_hours(1));
    }
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    assert_eq!(sign_in(&mut browser, &page, "bert", PASSWORD).await.step(), Some("wait"));
    idp.clock().advance(Duration::from_hours(23));
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    assert!(sign_in(&mut browser, &page, "bert", PASSWORD).await.parameter("code").is_some());
}

#[tokio::test]
async fn what_is_no_user_name_is_not_looked_up_as_one() {
    let long = "ffi".repeat(20);
    let user = format!(
        "[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"{}\"\npassword = \"{PASSWORD}\"",
        "\u{fb03}".repeat(20)
    );
    let idp = TestIdp::with(&format!("{}\n{user}", super::HOUSE)).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    let refused = sign_in(&mut browser, &page, &long, PASSWORD).await;
    assert_eq!(refused.step(), Some("identify"), "60 letters are no user name, whatever folds to them");
    let back = sign_in(&mut browser, &refused, &"\u{fb03}".repeat(20), PASSWORD).await;
    assert!(back.parameter("code").is_some(), "{}", back.body);
}
