//! An operator's actions for a user who cannot sign in.

use std::time::Duration;

use vestibule::domain::event::Event;
use vestibule::ext::Clock;
use vestibule::testing::{Browser, TestIdp, totp};
use vestibule::{SupportAction, SupportError, SupportOutcome};

use super::{NEW, choose, links, subjects};
use crate::login::{DOMAIN, PASSWORD, code, enter, house, open, shown_codes, shown_secret, sign_in};
use crate::serve::{Folder, Served};
use crate::support::network;
use crate::support::process::run;
use crate::support::smtp::SmtpServer;

const ADDRESSES: &str = r#"
    [[users]]
    tenant = "123456.sms"
    username = "tina"
    email = "tina@example.test"
    [[users]]
    tenant = "123456.sms"
    username = "anna"
    email = "anna@example.test"
"#;

async fn full_house() -> TestIdp {
    let (idp, _) = house().await;
    idp.idp().apply(ADDRESSES).await.unwrap();
    idp
}

#[tokio::test]
async fn a_reset_mail_is_sent_and_its_refusals_have_reasons() {
    let (idp, _) = house().await;
    let help =
        async |tenant: &str, user: &str| idp.idp().help(tenant, user, SupportAction::ResetPassword).await;
    assert_eq!(help(DOMAIN, "BERT").await, Ok(SupportOutcome::Mailed("bert@example.test".to_owned())));
    assert_eq!(links(&idp).await.len(), 1);
    assert!(matches!(help(DOMAIN, "bert").await, Err(SupportError::TooMany(_))));
    assert_eq!(help(DOMAIN, "tina").await, Err(SupportError::NoAddress));
    assert_eq!(help(DOMAIN, "nobody").await, Err(SupportError::NoUser));
    assert_eq!(help("nowhere.sms", "bert").await, Err(SupportError::NoTenant));
    let off = format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"bert\"\ndisabled = true\n");
    idp.idp().apply(&off).await.unwrap();
    idp.clock().advance(Duration::from_hours(1));
    assert_eq!(help(DOMAIN, "bert").await, Err(SupportError::UserDisabled));
}

#[tokio::test]
async fn unlocking_ends_every_lock() {
    let (idp, shop) = house().await;
    for _ in 0..5 {
        let mut browser = idp.browser();
        let page = open(&mut browser, &shop, &[]).await;
        sign_in(&mut browser, &page, "tina", "wrong").await;
    }
    assert_eq!(enter(&mut idp.browser(), &shop, "tina").await.step(), Some("wait"));
    assert_eq!(idp.idp().help(DOMAIN, "tina", SupportAction::Unlock).await, Ok(SupportOutcome::Done));
    let mut browser = idp.browser();
    let mut otp = enter(&mut browser, &shop, "tina").await;
    for _ in 0..5 {
        otp = browser.submit(&otp, &[("code", "000000")]).await;
    }
    let mut browser = idp.browser();
    let otp = enter(&mut browser, &shop, "tina").await;
    assert_eq!(browser.submit(&otp, &[("code", &code(&idp))]).await.step(), Some("wait"));
    idp.idp().help(DOMAIN, "tina", SupportAction::Unlock).await.unwrap();
    let mut browser = idp.browser();
    let otp = enter(&mut browser, &shop, "tina").await;
    assert!(browser.submit(&otp, &[("code", &code(&idp))]).await.parameter("code").is_some());
    let unlocked = idp.events().all().into_iter().filter(|event| matches!(event, Event::Unlocked { .. }));
    assert_eq!(unlocked.count(), 2);
}

#[tokio::test]
async fn a_reset_enrolment_is_told_and_voids_links() {
    let idp = full_house().await;
    let link = super::link(&idp, "tina").await;
    idp.idp().help(DOMAIN, "tina", SupportAction::ResetEnrolment).await.unwrap();
    assert_eq!(idp.browser().get(&link).await.step(), Some("reset_void"));
    assert_eq!(subjects(&idp).await.last().unwrap(), "Example Works: your second factor was reset");
    assert!(idp.events().all().iter().any(|event| matches!(event, Event::EnrolmentReset { .. })));
    let shop = idp.application("shop", "https://shop.test/callback");
    let back = enter(&mut idp.browser(), &shop, "tina").await;
    assert!(back.parameter("code").is_some(), "the password stays, and nothing else is asked for");
}

/// An administrator who has lost password, authenticator and recovery codes gets in by the console alone.
#[tokio::test]
async fn glass_is_broken_once_and_for_ten_minutes() {
    let idp = full_house().await;
    let shop = idp.application("shop", "https://shop.test/callback");
    let mut browser = idp.browser();
    let qr = enter(&mut browser, &shop, "anna").await;
    let lost = shown_secret(&qr);
    let page = browser.submit(&qr, &[("code", &totp(&lost, idp.clock().now()))]).await;
    let lost_codes = shown_codes(&page);
    browser.submit(&page, &[("stored", "yes")]).await;

    let break_glass = async || match idp.idp().help(DOMAIN, "anna", SupportAction::BreakGlass).await {
        Ok(SupportOutcome::Link(link)) => link,
        other => panic!("{other:?}"),
    };
    let expired = break_glass().await;
    assert!(expired.starts_with("https://id.test/reset/link/"));
    idp.clock().advance(Duration::from_mins(10));
    assert_eq!(idp.browser().get(&expired).await.step(), Some("reset_void"));
    let (first, link) = (break_glass().await, break_glass().await);
    assert_eq!(idp.browser().get(&first).await.step(), Some("reset_void"), "a newer one voids it");
    assert_eq!(
        idp.events().all().iter().filter(|event| matches!(event, Event::EmergencyLinkIssued { .. })).count(),
        3
    );

    let mut console = idp.browser();
    let page = console.get(&link).await;
    assert_eq!(page.step(), Some("new_password"));
    let otp = enter(&mut idp.browser(), &shop, "anna").await;
    assert_eq!(otp.step(), Some("second_factor"), "nothing has changed by opening it");
    let qr = choose(&mut console, &page, NEW).await;
    assert_eq!(qr.step(), Some("enrol"), "{}", qr.body);
    let secret = shown_secret(&qr);
    assert_ne!(secret, lost);
    let codes = console.submit(&qr, &[("code", &totp(&secret, idp.clock().now()))]).await;
    let done = console.submit(&codes, &[("stored", "yes")]).await;
    assert_eq!(done.step(), Some("reset_done"), "{}", done.body);
    idp.clock().advance(Duration::from_secs(30));
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    let otp = sign_in(&mut browser, &page, "anna", NEW).await;
    let refused = browser.submit(&otp, &[("code", &totp(&lost, idp.clock().now()))]).await;
    assert_eq!(refused.step(), Some("second_factor"));
    let recovery = browser.get(&otp.url.as_str().replace("second_factor", "recovery")).await;
    assert_eq!(browser.submit(&recovery, &[("code", &lost_codes[0])]).await.step(), Some("recovery"));
    let otp = browser.get(otp.url.as_str()).await;
    let back = browser.submit(&otp, &[("code", &totp(&secret, idp.clock().now()))]).await;
    assert!(back.parameter("code").is_some(), "{}", back.body);
    let told = subjects(&idp).await;
    for subject in ["your second factor was reset", "your password was changed"] {
        assert!(told.iter().any(|told| told.contains(subject)), "{subject}: {told:?}");
    }
}

/// The commands, on the database of a provider that is not running.
#[test]
fn the_commands_say_what_they_did() {
    let folder = Folder::new("user");
    folder.write("house.toml", crate::login::HOUSE);
    let said = |arguments: &[&str]| {
        let output = run(folder.path(), arguments);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.success(), text)
    };
    assert!(said(&["apply", "house.toml"]).0);
    let (done, text) = said(&["user", "unlock", DOMAIN, "bert"]);
    assert!(done && text.contains("bert of 123456.sms: no failure counts any more"), "{text}");
    let (done, text) = said(&["user", "reset-enrolment", DOMAIN, "tina"]);
    assert!(done && text.contains("second factor and recovery codes are revoked"), "{text}");
    let (done, text) = said(&["user", "break-glass", DOMAIN, "anna"]);
    assert!(done && text.contains("\nhttp://localhost:8080/reset/link/"), "{text}");
    let (done, text) = said(&["user", "reset-password", DOMAIN, "bert"]);
    assert!(!done && text.contains("mail.smtp"), "{text}");
    folder.write("vestibule.toml", "[mail]\nsmtp = \"smtp://127.0.0.1:9\"\nfrom = \"id@example.test\"\n");
    let (done, text) = said(&["user", "reset-password", DOMAIN, "tina"]);
    assert!(!done && text.contains("has no email address"), "{text}");
    let (done, text) = said(&["user", "unlock", DOMAIN, "nobody"]);
    assert!(!done && text.contains("no such user"), "{text}");
}

/// The same beside a running server, which knows at its next request, and sends the mail.
#[tokio::test(flavor = "multi_thread")]
async fn the_commands_work_beside_a_running_server() {
    let smtp = SmtpServer::start(false, &[]).await;
    let folder = Folder::new("user-beside");
    folder.write("house.toml", crate::login::HOUSE);
    let mail = format!("[mail]\nsmtp = \"smtp://127.0.0.1:{}\"\nfrom = \"id@example.test\"\n", smtp.port);
    folder.write("vestibule.toml", &mail);
    assert!(run(folder.path(), &["apply", "house.toml"]).status.success());
    let served = Served::start(&folder);
    let help = |command: &str, username: &str| {
        let output = run(folder.path(), &["user", command, DOMAIN, username]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let login = "http://localhost:8080/authorize?client_id=shop&redirect_uri=https://shop.test/callback&response_type=code&scope=openid&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    let enter = async |browser: &mut Browser, username: &str, password: &str| {
        let page = browser.get(login).await;
        sign_in(browser, &page, username, password).await
    };

    for _ in 0..5 {
        enter(&mut network::browser_at(&served.address), "bert", "wrong").await;
    }
    let mut browser = network::browser_at(&served.address);
    assert_eq!(enter(&mut browser, "bert", PASSWORD).await.step(), Some("wait"));
    help("unlock", "bert");
    assert!(enter(&mut browser, "bert", PASSWORD).await.parameter("code").is_some(), "at once");

    let otp = enter(&mut network::browser_at(&served.address), "tina", PASSWORD).await;
    assert_eq!(otp.step(), Some("second_factor"));
    help("reset-enrolment", "tina");
    let back = enter(&mut network::browser_at(&served.address), "tina", PASSWORD).await;
    assert!(back.parameter("code").is_some(), "there is none to ask for: {}", back.body);

    help("reset-enrolment", "bert");
    let silent = browser.get(&format!("{login}&prompt=none")).await;
    assert_eq!(silent.parameter("error").as_deref(), Some("login_required"), "the session has ended");

    help("reset-password", "bert");
    let link = async || loop {
        let mails = smtp.received();
        let texts = mails.iter().map(|mail| mail.data.replace("=\r\n", ""));
        let mut link = texts.filter_map(|text| {
            let (_, rest) = text.split_once("http://localhost:8080/reset/link/")?;
            Some(
                rest.chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
                    .collect::<String>(),
            )
        });
        if let Some(link) = link.next_back() {
            return link;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let mut reader = network::browser_at(&served.address);
    let page = reader.get(&format!("http://localhost:8080/reset/link/{}", link().await)).await;
    assert_eq!(choose(&mut reader, &page, NEW).await.step(), Some("reset_done"));
    let back = enter(&mut network::browser_at(&served.address), "bert", NEW).await;
    assert!(back.parameter("code").is_some(), "{}", back.body);
}
