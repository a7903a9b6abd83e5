//! Single sign-on, and when it is not enough.

use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::settings::Settings;
use vestibule::testing::{Answer, Application, Browser, TestIdp};

use super::{DOMAIN, HOUSE, PASSWORD, code, enter, error, house, next_code, open, sign_in};
use crate::support::HurriedClock;

async fn id_token(app: &Application, answer: &Answer) -> serde_json::Map<String, Value> {
    app.redeem(answer).await.id_token
}

/// The value of the session cookie.
pub(super) fn session(browser: &mut Browser) -> Option<String> {
    browser.cookies().iter().find(|((_, name), _)| name.contains("session")).map(|(_, value)| value.clone())
}

#[tokio::test]
async fn a_silent_request_gets_a_code_or_the_missing_steps_error() {
    let (idp, shop) = house().await;
    let none = [("prompt", "none")];
    let mut browser = idp.browser();
    assert_eq!(error(&open(&mut browser, &shop, &none).await).as_deref(), Some("login_required"));
    enter(&mut browser, &shop, "bert").await;
    assert!(open(&mut browser, &shop, &none).await.parameter("code").is_some());
    let careful = idp.application("careful", "https://careful.test/callback");
    assert_eq!(error(&open(&mut browser, &careful, &none).await).as_deref(), Some("consent_required"));
    let essential = r#"{"id_token":{"acr":{"essential":true,"value":"urn:vestibule:acr:2fa"}}}"#;
    let stronger = open(&mut browser, &shop, &[none[0], ("claims", essential)]).await;
    assert_eq!(error(&stronger).as_deref(), Some("interaction_required"));
}

#[tokio::test]
async fn prompt_login_asks_again_and_the_new_auth_time_is_later() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let first = enter(&mut browser, &shop, "bert").await;
    let first = id_token(&shop, &first).await;
    // The clock stands still: even within one second.
    let page = open(&mut browser, &shop, &[("prompt", "login")]).await;
    assert_eq!(page.step(), Some("identify"));
    assert!(page.body.contains("value=\"bert\""), "the name is filled in");
    let back = sign_in(&mut browser, &page, "bert", PASSWORD).await;
    let second = id_token(&shop, &back).await;
    assert!(second["auth_time"].as_i64() > first["auth_time"].as_i64());
    assert_eq!(second["sid"], first["sid"]);
}

#[tokio::test]
async fn prompt_login_asks_for_both_factors() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let otp = enter(&mut browser, &shop, "tina").await;
    let back = browser.submit(&otp, &[("code", &code(&idp))]).await;
    assert!(back.parameter("code").is_some());
    assert!(open(&mut browser, &shop, &[]).await.parameter("code").is_some(), "both are remembered");
    for more in [("prompt", "login"), ("max_age", "0")] {
        let page = open(&mut browser, &shop, &[more]).await;
        let otp = sign_in(&mut browser, &page, "tina", PASSWORD).await;
        assert_eq!(otp.step(), Some("second_factor"), "{more:?}");
        let back = browser.submit(&otp, &[("code", &next_code(&idp))]).await;
        assert!(back.parameter("code").is_some(), "{more:?}");
    }
}

#[tokio::test]
async fn max_age_counts_whole_seconds() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    enter(&mut browser, &shop, "bert").await;
    idp.clock().advance(Duration::from_secs(1));
    let young = open(&mut browser, &shop, &[("max_age", "1")]).await;
    let first = id_token(&shop, &young).await;
    idp.clock().advance(Duration::from_secs(1));
    let page = open(&mut browser, &shop, &[("max_age", "1")]).await;
    assert_eq!(page.step(), Some("identify"));
    let back = sign_in(&mut browser, &page, "bert", PASSWORD).await;
    assert!(id_token(&shop, &back).await["auth_time"].as_i64() > first["auth_time"].as_i64());
}

#[tokio::test]
async fn a_session_ends_idle_and_in_any_case() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    enter(&mut browser, &shop, "bert").await;
    idp.clock().advance(Duration::from_mins(29));
    assert!(open(&mut browser, &shop, &[]).await.parameter("code").is_some());
    idp.clock().advance(Duration::from_mins(30));
    assert_eq!(open(&mut browser, &shop, &[]).await.step(), Some("identify"), "idle");
    enter(&mut browser, &shop, "bert").await;
    for _ in 0..(12 * 60 / 29) {
        idp.clock().advance(Duration::from_mins(29));
        assert!(open(&mut browser, &shop, &[]).await.parameter("code").is_some());
    }
    idp.clock().advance(Duration::from_mins(29));
    assert_eq!(open(&mut browser, &shop, &[]).await.step(), Some("identify"), "twelve hours");
}

/// Both limits end a session in their very second, for a silent request too (attack catalogue 117).
#[tokio::test]
async fn the_limits_of_a_session_hold_to_the_second() {
    let (idp, shop) = house().await;
    let policy = "[[tenants]]\ndomain = \"123456.sms\"\n[tenants.policy]\nsession_idle = \"100s\"\nsession_max = \"250s\"\n";
    idp.idp().apply(policy).await.unwrap();
    for (waits, alive) in [(&[99][..], true), (&[100], false), (&[99, 99, 51], true), (&[99, 99, 52], false)]
    {
        for more in [&[("prompt", "none")][..], &[]] {
            let mut browser = idp.browser();
            enter(&mut browser, &shop, "bert").await;
            let mut answer = None;
            for seconds in waits {
                idp.clock().advance(Duration::from_secs(*seconds));
                answer = Some(open(&mut browser, &shop, more).await);
            }
            let answer = answer.unwrap();
            assert_eq!(answer.parameter("code").is_some(), alive, "{waits:?} {more:?}");
            let refused = error(&answer).is_some_and(|error| error == "login_required");
            assert_eq!(refused, !alive && !more.is_empty(), "{waits:?} {more:?}");
        }
    }
}

/// A user who had signed in meanwhile is not signed out, and no token expires before it begins. The age of the factors
/// is unknown then, so they meet no `max_age`.
#[tokio::test]
async fn a_clock_that_was_a_day_ahead_and_is_set_right_ends_nothing() {
    const DAY: Duration = Duration::from_hours(24);
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    enter(&mut browser, &shop, "bert").await;
    idp.clock().advance(DAY);
    assert_eq!(open(&mut browser, &shop, &[]).await.step(), Some("identify"), "its time was over");
    let ahead = shop.redeem(&enter(&mut browser, &shop, "bert").await).await;
    let waiting = open(&mut idp.browser(), &shop, &[]).await;
    idp.clock().set_back(DAY);
    for more in [&[][..], &[("prompt", "none")]] {
        let back = open(&mut browser, &shop, more).await;
        let token = id_token(&shop, &back).await;
        assert!(token["exp"].as_i64() > token["iat"].as_i64(), "{token:?}");
    }
    let aged = [("max_age", "60")];
    let silent = open(&mut browser, &shop, &[aged[0], ("prompt", "none")]).await;
    assert_eq!(error(&silent).as_deref(), Some("login_required"));
    let page = open(&mut browser, &shop, &aged).await;
    assert_eq!(page.step(), Some("identify"));
    let back = sign_in(&mut browser, &page, "bert", PASSWORD).await;
    let token = id_token(&shop, &back).await;
    assert!(token["auth_time"].as_i64() <= token["iat"].as_i64(), "{token:?}");
    let back = open(&mut browser, &shop, &aged).await;
    assert_eq!(id_token(&shop, &back).await["auth_time"], token["auth_time"], "it is known again");
    let early = shop.userinfo(&ahead.access_token).await;
    assert_eq!(early.status, 401, "a token of a time that is not yet is none, and no fault");
    let mut new = idp.browser();
    let token = shop.redeem(&enter(&mut new, &shop, "bert").await).await.id_token;
    assert!(token["auth_time"].as_i64() <= token["iat"].as_i64(), "{token:?}");
    assert_eq!(idp.browser().get(waiting.url.as_str()).await.step(), Some("expired"), "another's, as ever");
}

#[tokio::test]
async fn the_cookie_changes_with_what_is_proved_and_the_old_one_is_dead() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    assert_eq!(session(&mut browser), None, "nobody is signed in by opening a page");
    sign_in(&mut browser, &page, "bert", PASSWORD).await;
    let mut before = browser.clone();
    let first = session(&mut browser).unwrap();
    let page = open(&mut browser, &shop, &[("prompt", "login")]).await;
    sign_in(&mut browser, &page, "bert", PASSWORD).await;
    assert_ne!(session(&mut browser).unwrap(), first);
    assert_eq!(open(&mut before, &shop, &[]).await.step(), Some("identify"), "the old cookie is dead");
}

/// An attacker who planted a session in the victim's browser does not get the victim's login (session fixation).
#[tokio::test]
async fn a_session_that_was_planted_is_not_the_one_that_signs_in() {
    let (idp, shop) = house().await;
    let mut attacker = idp.browser();
    enter(&mut attacker, &shop, "bert").await;
    let planted = session(&mut attacker).unwrap();
    let mut victim = attacker.clone();
    let page = open(&mut victim, &shop, &[("prompt", "login")]).await;
    let otp = sign_in(&mut victim, &page, "tina", PASSWORD).await;
    assert_eq!(session(&mut victim), Some(planted.clone()), "half a login changes nothing");
    let back = victim.submit(&otp, &[("code", &code(&idp))]).await;
    let tinas = id_token(&shop, &back).await;
    assert_ne!(session(&mut victim), Some(planted));
    assert_eq!(open(&mut attacker, &shop, &[]).await.step(), Some("identify"), "what was planted is dead");
    let again = open(&mut victim, &shop, &[]).await;
    assert_eq!(id_token(&shop, &again).await["sub"], tinas["sub"]);
}

#[tokio::test]
async fn half_a_login_is_no_session() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let otp = enter(&mut browser, &shop, "tina").await;
    assert_eq!(otp.step(), Some("second_factor"));
    assert_eq!(session(&mut browser), None);
    let silent = open(&mut browser, &shop, &[("prompt", "none")]).await;
    assert_eq!(error(&silent).as_deref(), Some("login_required"));
}

#[tokio::test]
async fn sign_on_stays_inside_one_issuer() {
    let (idp, shop) = house().await;
    let issuer = format!("{}/t/{DOMAIN}", TestIdp::ISSUER);
    let desk = Application::new(&idp, &issuer, "desk", "https://desk.test/callback");
    let mut browser = idp.browser();
    enter(&mut browser, &shop, "bert").await;
    assert_eq!(open(&mut browser, &desk, &[]).await.step(), Some("identify"));
}

#[tokio::test]
async fn the_account_can_be_chosen() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let choose = [("prompt", "select_account")];
    assert_eq!(open(&mut browser, &shop, &choose).await.step(), Some("identify"), "nobody to choose");
    let bert = enter(&mut browser, &shop, "bert").await;
    let bert = id_token(&shop, &bert).await;
    let page = open(&mut browser, &shop, &choose).await;
    assert_eq!(page.step(), Some("choose_account"));
    let same = browser.submit(&page, &[("account", "this")]).await;
    assert_eq!(id_token(&shop, &same).await["sub"], bert["sub"]);
    let page = open(&mut browser, &shop, &choose).await;
    let identify = browser.submit(&page, &[("account", "other")]).await;
    assert_eq!(identify.step(), Some("identify"));
    let fields = [("tenant", "other.sms"), ("username", "bert"), ("password", "another horse")];
    let other = browser.submit(&identify, &fields).await;
    let other = id_token(&shop, &other).await;
    assert_ne!((&other["sub"], &other["sid"]), (&bert["sub"], &bert["sid"]));
}

#[tokio::test]
async fn somebody_else_than_the_hint_means_is_sent_back() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let back = enter(&mut browser, &shop, "bert").await;
    let tokens = shop.redeem(&back).await;
    let hint = tokens.response["id_token"].as_str().unwrap().to_owned();
    let hinted = [("id_token_hint", hint.as_str())];
    assert!(open(&mut browser, &shop, &hinted).await.parameter("code").is_some());
    let mut other = idp.browser();
    let page = open(&mut other, &shop, &hinted).await;
    let fields = [("tenant", "other.sms"), ("username", "bert"), ("password", "another horse")];
    let refused = other.submit(&page, &fields).await;
    assert_eq!(error(&refused).as_deref(), Some("login_required"));
    assert_eq!(session(&mut other), None, "and not signed in either");
}

#[tokio::test]
async fn who_is_disabled_is_nobody_at_once() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    enter(&mut browser, &shop, "bert").await;
    let disabled = "[[users]]\ntenant = \"123456.sms\"\nusername = \"bert\"\ndisabled = true\n";
    idp.idp().apply(disabled).await.unwrap();
    let silent = open(&mut browser, &shop, &[("prompt", "none")]).await;
    assert_eq!(error(&silent).as_deref(), Some("login_required"));
}

#[tokio::test]
async fn who_is_disabled_in_the_middle_of_a_login_is_nobody() {
    for disabled in [
        "[[users]]\ntenant = \"123456.sms\"\nusername = \"bert\"\ndisabled = true\n",
        "[[tenants]]\ndomain = \"123456.sms\"\ndisabled = true\n",
    ] {
        let (idp, _) = house().await;
        let careful = idp.application("careful", "https://careful.test/callback");
        let mut browser = idp.browser();
        let page = enter(&mut browser, &careful, "bert").await;
        assert_eq!(page.step(), Some("consent"));
        idp.idp().apply(disabled).await.unwrap();
        assert_eq!(browser.get(page.url.as_str()).await.step(), Some("identify"), "{disabled}");
        let allowed = browser.submit(&page, &[("allow", "1")]).await;
        assert_eq!(allowed.step(), Some("identify"), "{disabled}");
        let again = sign_in(&mut browser, &allowed, "bert", PASSWORD).await;
        assert_eq!((again.step(), again.parameter("code")), (Some("identify"), None), "{disabled}");
    }
}

#[tokio::test]
async fn a_new_password_ends_what_the_old_one_opened() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let tokens = shop.redeem(&enter(&mut browser, &shop, "bert").await).await;
    let pending = open(&mut browser, &shop, &[]).await.parameter("code").unwrap();
    let user = |password: &str| {
        format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"bert\"\npassword = \"{password}\"\n")
    };
    idp.idp().apply(&user(PASSWORD)).await.unwrap();
    assert_eq!(shop.userinfo(&tokens.access_token).await.status, 200, "the same password changes nothing");
    idp.idp().apply(&user("a password that nobody knows yet")).await.unwrap();
    assert_eq!(shop.userinfo(&tokens.access_token).await.status, 401);
    assert_eq!(shop.token(&pending).await.json()["error"], "invalid_grant");
    let silent = open(&mut browser, &shop, &[("prompt", "none")]).await;
    assert_eq!(error(&silent).as_deref(), Some("login_required"));
}

#[tokio::test]
async fn sixteen_ways_to_say_nothing_in_a_cookie() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    enter(&mut browser, &shop, "bert").await;
    let real = session(&mut browser).unwrap();
    for odd in ["", "x", &real[1..], &real.to_lowercase(), "..", "%00", &"a".repeat(4000)] {
        for ((_, name), value) in browser.cookies().iter_mut() {
            if name.contains("session") {
                odd.clone_into(value);
            }
        }
        assert_eq!(open(&mut browser, &shop, &[]).await.step(), Some("identify"), "{odd}");
    }
}

/// A sibling subdomain may set such a cookie for the whole domain: without its prefix browsers let it.
#[tokio::test]
async fn a_cookie_with_white_space_of_unicode_before_its_name_is_another_one() {
    let (idp, shop) = house().await;
    let mut attacker = idp.browser();
    assert!(enter(&mut attacker, &shop, "bert").await.parameter("code").is_some());
    for space in ['\u{85}', '\u{a0}', '\u{2000}', '\u{2028}', '\u{3000}'] {
        let mut victim = idp.browser();
        for ((host, name), value) in attacker.cookies().clone() {
            victim.cookies().insert((host, format!("{space}{name}")), value);
        }
        let back = open(&mut victim, &shop, &[("prompt", "none")]).await;
        assert_eq!(error(&back).as_deref(), Some("login_required"), "{space:?}");
    }
}

/// Many more than there are connections come back at once, and each of them finds that a look at the catalogue is due.
/// Before, those who held a connection waited for the look, and the look for a connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_come_back_at_once_and_each_gets_a_code() {
    let settings = Settings::new(IssuerUrl::parse(TestIdp::ISSUER).unwrap());
    let idp = TestIdp::with_parts(settings, HOUSE, |parts| parts.clock(HurriedClock::default())).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    let mut browsers = Vec::new();
    for _ in 0..48 {
        let mut browser = idp.browser();
        assert!(enter(&mut browser, &shop, "bert").await.parameter("code").is_some());
        browsers.push(browser);
    }
    let url = shop.authorization_url("openid profile");
    let mut under_way = JoinSet::new();
    for mut browser in browsers {
        let url = url.clone();
        under_way.spawn(async move { browser.get(&url).await });
    }
    while let Some(answer) = under_way.join_next().await {
        let answer = answer.unwrap();
        assert!(answer.parameter("code").is_some(), "{}: {}", answer.status, answer.url);
    }
    assert_eq!(idp.idp().figures().store.pool.refused, 0);
}
