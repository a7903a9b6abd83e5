//! Devices that administrators hand out: with a button or a clock, with a PIN, and found again when they have run away
//! (reference path 15 is the story of one with a clock).

use std::time::Duration;

use axum::http::StatusCode;
use vestibule::ext::Clock;
use vestibule::testing::{Application, TestIdp, totp};

use super::{DOMAIN, HOUSE, PASSWORD, SECRET, enter, sign_in};
use crate::recovery::{NEW, choose, link};

/// The secret of RFC 4226, appendix D, and the codes that stand there.
const RFC_SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const RFC_CODES: [&str; 10] =
    ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];

/// Bert has this authenticator, in a tenant with this rule.
async fn house(policy: &str, authenticator: &str) -> (TestIdp, Application) {
    let named = "name = \"Example Works\"\n";
    let world = HOUSE.replacen(named, &format!("{named}[tenants.policy]\n{policy}\n"), 1);
    let idp = TestIdp::with(&world).await;
    idp.idp().apply(&bert(authenticator)).await.unwrap();
    let shop = idp.application("shop", "https://shop.test/callback");
    (idp, shop)
}

fn bert(authenticator: &str) -> String {
    format!(
        "[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"bert\"\n[[users.authenticators]]\n{authenticator}"
    )
}

fn hotp(more: &str) -> String {
    format!("kind = \"hotp\"\nsecret = \"{RFC_SECRET}\"\nserial = \"C200-0815\"\n{more}")
}

/// What comes of this code in a new login.
async fn tried(idp: &TestIdp, shop: &Application, code: &str) -> bool {
    let mut browser = idp.browser();
    let page = enter(&mut browser, shop, "bert").await;
    assert_eq!(page.step(), Some("second_factor"), "{}", page.body);
    browser.submit(&page, &[("code", code)]).await.parameter("code").is_some()
}

#[tokio::test]
async fn a_counter_only_goes_forward_and_not_far() {
    let (idp, shop) = house("", &hotp("")).await;
    let page = enter(&mut idp.browser(), &shop, "bert").await;
    assert!(page.body.contains("Enter the code from your device."), "{}", page.body);
    assert!(tried(&idp, &shop, RFC_CODES[0]).await);
    assert!(!tried(&idp, &shop, RFC_CODES[0]).await, "used");
    assert!(tried(&idp, &shop, RFC_CODES[9]).await, "the button was pressed in a pocket");
    assert!(!tried(&idp, &shop, RFC_CODES[5]).await, "never back");
    let export = idp.idp().export().await.unwrap();
    assert!(export.contains("counter = 10") && export.contains("serial = \"C200-0815\""), "{export}");
    let (idp, shop) = house("", &hotp("counter = 5")).await;
    assert!(!tried(&idp, &shop, RFC_CODES[4]).await);
    assert!(tried(&idp, &shop, RFC_CODES[6]).await);
    assert!(idp.idp().apply(&bert(&hotp(""))).await.unwrap().is_nothing(), "its counter is its own matter");
}

/// What is held in the hand is called so on the way back in too.
#[tokio::test]
async fn a_reset_calls_a_device_a_device() {
    for (authenticator, words) in [
        (clock(""), "The 6 digits that the device shows now"),
        (format!("kind = \"totp\"\nsecret = \"{SECRET}\""), "The 6 digits that the application shows now"),
    ] {
        let (idp, _) = house("", &authenticator).await;
        let link = link(&idp, "bert").await;
        let mut browser = idp.browser();
        let page = browser.get(&link).await;
        let asked = choose(&mut browser, &page, NEW).await;
        assert_eq!(asked.step(), Some("second_factor"));
        assert!(asked.body.contains(words), "{}", asked.body);
    }
}

/// The PIN may be before or behind the code.
#[tokio::test]
async fn a_pin_stands_before_or_behind_the_code_and_both_count() {
    for (position, right, mirrored) in
        [("before", "9753755224", "7552249753"), ("after", "287082 9753", "9753287082")]
    {
        let pin = format!("pin = \"9753\"\npin_position = \"{position}\"");
        let (idp, shop) = house("", &hotp(&pin)).await;
        let page = enter(&mut idp.browser(), &shop, "bert").await;
        let first = if position == "before" { "Type your PIN first" } else { "Type the code first" };
        assert!(page.body.contains(first), "{}", page.body);
        assert!(!tried(&idp, &shop, mirrored).await, "{position}");
        assert!(!tried(&idp, &shop, "").await);
        assert!(tried(&idp, &shop, right).await, "{position}");
        assert!(!tried(&idp, &shop, RFC_CODES[2]).await, "without the PIN");
        assert!(idp.idp().apply(&bert(&hotp(&pin))).await.unwrap().is_nothing());
        let export = idp.idp().export().await.unwrap();
        assert!(!export.contains("9753") && export.contains("pin_hash = \"$argon2id$"), "{export}");
        assert!(idp.idp().apply(&export).await.unwrap().is_nothing());
    }
}

#[tokio::test]
async fn a_right_code_with_a_wrong_pin_is_used_up_and_five_wrong_pins_are_enough() {
    let (idp, shop) = house("", &hotp("pin = \"9753\"")).await;
    assert!(!tried(&idp, &shop, "0000755224").await);
    assert!(!tried(&idp, &shop, "9753755224").await, "the code is used up");
    for code in RFC_CODES.into_iter().skip(1).take(3) {
        assert!(!tried(&idp, &shop, &format!("0000{code}")).await);
    }
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "bert").await;
    let page = browser.submit(&page, &[("code", "9753338314")]).await;
    assert_eq!((page.step(), page.status), (Some("wait"), StatusCode::TOO_MANY_REQUESTS));
    idp.clock().advance(Duration::from_mins(5));
    assert!(tried(&idp, &shop, "9753254676").await);
}

#[tokio::test]
async fn mistakes_in_a_device_are_named() {
    let (idp, _) = house("", &hotp("")).await;
    for (authenticator, mistake) in [
        (hotp("period = 30"), "period: has no use with the kind hotp"),
        (hotp("digits = 7"), "digits: must be 6 or 8"),
        (hotp("pin = \"1234\""), "pin: must be 4 to 8 digits"),
        (hotp("pin = \"0000\""), "pin: must be 4 to 8 digits"),
        ("kind = \"sms\"".to_owned(), "phone_number: is missing"),
        (
            "kind = \"sms\"\nphone_number = \"+4930901820\"".to_owned(),
            "phone_number: must be the number of a mobile",
        ),
        (
            "kind = \"mail\"\nemail = \"a@b.test\"\nsecret = \"x\"".to_owned(),
            "secret: has no use with the kind mail",
        ),
    ] {
        let error = idp.idp().apply(&bert(&authenticator)).await.unwrap_err().to_string();
        assert!(error.contains(&format!("users[0].authenticators[0].{mistake}")), "{error}");
    }
    let other = bert(&hotp("")).replace("bert", "tina");
    let error = idp.idp().apply(&other).await.unwrap_err().to_string();
    assert!(error.contains("authenticators[0].serial: is another user's"), "{error}");
}

fn clock(more: &str) -> String {
    format!("kind = \"totp\"\nsecret = \"{SECRET}\"\nserial = \"T-1\"\n{more}")
}

#[tokio::test]
async fn a_counter_is_found_again_and_where_it_is_not_allowed_nothing_is() {
    let (idp, shop) = house("resync = true", &hotp("")).await;
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "bert").await;
    let page = browser.submit(&page, &[("code", "000000")]).await;
    let page = browser.get(&page.url.as_str().replace("second_factor", "resync")).await;
    let back = browser.submit(&page, &[("code", RFC_CODES[7]), ("next_code", RFC_CODES[8])]).await;
    assert!(back.parameter("code").is_some(), "{}", back.body);
    assert!(tried(&idp, &shop, RFC_CODES[9]).await);

    let (idp, shop) = house("", &hotp("")).await;
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "bert").await;
    let page = browser.submit(&page, &[("code", "000000")]).await;
    assert!(!page.body.contains("/resync?"));
    let url = page.url.as_str().replace("second_factor", "resync");
    let codes = [("code", RFC_CODES[7]), ("next_code", RFC_CODES[8])];
    assert_eq!(browser.post(&url, &codes).await.step(), Some("second_factor"));
}

/// Five tries, then a day.
#[tokio::test]
async fn synchronisation_is_no_way_to_guess() {
    let (idp, shop) = house("resync = true", &clock("")).await;
    let slow = |seconds: u64| totp(SECRET, idp.clock().now().minus(Duration::from_secs(6 * 3600 + seconds)));
    for round in 1..=7 {
        let mut browser = idp.browser();
        let page = enter(&mut browser, &shop, "bert").await;
        let page = browser.submit(&page, &[("code", "000000")]).await;
        // Wrong codes have locks of their own; this is longer.
        idp.clock().advance(Duration::from_mins(11));
        let page = browser.get(&page.url.as_str().replace("second_factor", "resync")).await;
        assert_eq!(page.step(), Some("identify"), "the password was proved too long ago");
        let page = sign_in(&mut browser, &page, "bert", PASSWORD).await;
        assert_eq!(page.step(), Some("resync"), "round {round}");
        let right = [("code", slow(30)), ("next_code", slow(0))];
        let right = right.each_ref().map(|(name, code)| (*name, code.as_str()));
        let codes = if round < 6 { [("code", "000000"), ("next_code", "111111")] } else { right };
        let answer = browser.submit(&page, &codes).await;
        match round {
            1..=5 => assert!(answer.body.contains("The codes were not accepted."), "{}", answer.body),
            6 => assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "even the right ones"),
            _ => assert!(answer.parameter("code").is_some(), "a day later: {}", answer.body),
        }
        idp.clock().advance(Duration::from_hours(if round == 6 { 24 } else { 1 }));
    }
}

/// Codes made by another implementation.
#[tokio::test]
async fn oathtool_signs_in() {
    let Some(program) = crate::support::optional("oathtool", "VESTIBULE_TEST_OATHTOOL") else { return };
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(&program).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    for (algorithm, word, digits, period) in
        [("SHA1", "sha1", "6", "30"), ("SHA256", "sha256", "8", "60"), ("SHA512", "sha512", "6", "120")]
    {
        let more = format!("algorithm = \"{algorithm}\"\ndigits = {digits}\nperiod = {period}");
        let (idp, shop) = house("", &clock(&more)).await;
        let now = format!("@{}", idp.clock().now().unix());
        let (kind, period) = (format!("--totp={word}"), format!("{period}s"));
        let code = run(&[&kind, "-d", digits, "-s", &period, "--now", &now, "-b", SECRET]);
        assert!(tried(&idp, &shop, &code).await, "{algorithm}");
    }
    let (idp, shop) = house("", &hotp("counter = 1000000")).await;
    assert!(tried(&idp, &shop, &run(&["--hotp", "-c", "1000003", "-b", RFC_SECRET])).await);
}
