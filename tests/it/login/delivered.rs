//! Codes by SMS and by mail: their enrolment inside a login, and the logins after it (reference path 3 is a story of
//! them).

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use vestibule::domain::message::Channel;
use vestibule::testing::{Answer, Application, Browser, Sent, TestIdp};

use super::{HOUSE, PASSWORD, enter, shown_codes, sign_in};

/// A tenant that wants a second factor of everybody, by these methods.
async fn house(methods: &str) -> (TestIdp, Application) {
    let idp = TestIdp::with(&world(methods, "")).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    (idp, shop)
}

fn world(methods: &str, more: &str) -> String {
    let named = "name = \"Example Works\"\n";
    let policy = format!("[tenants.policy]\nmfa = \"required\"\nmethods = [{methods}]\n{more}");
    HOUSE.replacen(named, &format!("{named}{policy}"), 1)
}

const NUMBER: [(&str, &str); 2] = [("country", "DE"), ("phone_number", "0151 12345678")];

async fn last(idp: &TestIdp) -> Sent {
    idp.mailbox().await.pop().expect("a message was sent")
}

async fn last_code(idp: &TestIdp) -> String {
    last(idp).await.code().expect("a code").to_owned()
}

/// Enrols Bert's telephone, and forgets the browser.
async fn enrolled(idp: &TestIdp, shop: &Application) {
    let mut browser = idp.browser();
    let page = enter(&mut browser, shop, "bert").await;
    let page = browser.submit(&page, &NUMBER).await;
    let page = browser.submit(&page, &[("code", &last_code(idp).await)]).await;
    let back = browser.submit(&page, &[("stored", "yes")]).await;
    assert!(back.parameter("code").is_some(), "{}", back.body);
    idp.clock().advance(Duration::from_hours(24));
}

/// Any other code.
fn wrong(code: &str) -> &'static str {
    if code == "000000" { "111111" } else { "000000" }
}

#[tokio::test]
async fn a_telephone_is_enrolled_and_asked_for_at_the_next_login() {
    let (idp, shop) = house("\"totp\", \"sms\", \"mail\"").await;
    let mut browser = idp.browser();
    let choose = enter(&mut browser, &shop, "bert").await;
    assert_eq!(choose.step(), Some("choose_method"), "{}", choose.body);
    let phone = browser.submit(&choose, &[("method", "sms")]).await;
    assert_eq!(phone.step(), Some("phone"));
    assert!(phone.body.contains("<option value=\"DE\" selected>Germany (+49)</option>"), "{}", phone.body);
    assert!(idp.mailbox().await.is_empty());
    let confirm = browser.submit(&phone, &NUMBER).await;
    assert_eq!(confirm.step(), Some("confirm_code"), "{}", confirm.body);
    assert!(confirm.body.contains("+49 •••78") && !confirm.body.contains("12345678"), "{}", confirm.body);
    let text = last(&idp).await;
    let code = text.code().unwrap().to_owned();
    assert_eq!((text.channel, text.to.as_str()), (Channel::Sms, "+4915112345678"));
    assert!(text.text.ends_with(&format!("\n@id.test #{code}")), "{}", text.text);
    assert!(!confirm.body.contains(&code), "attack 132");

    let again = browser.submit(&confirm, &[("code", wrong(&code))]).await;
    assert_eq!(again.step(), Some("confirm_code"));
    assert!(again.body.contains("The code was not accepted."));
    let spaced = format!(" {} {} ", &code[..3], &code[3..]);
    let codes = browser.submit(&again, &[("code", &spaced)]).await;
    assert_eq!(codes.step(), Some("recovery_codes"), "{}", codes.body);
    let back = browser.submit(&codes, &[("stored", "yes")]).await;
    let token = shop.redeem(&back).await.id_token;
    assert_eq!(token["amr"], json!(["pwd", "sms", "mfa", "mca"]));
    assert_eq!(token["acr"], "urn:vestibule:acr:2fa");

    idp.clock().advance(Duration::from_hours(24));
    let sent = idp.mailbox().await.len();
    let mut browser = idp.browser();
    let otp = enter(&mut browser, &shop, "bert").await;
    assert_eq!(otp.step(), Some("second_factor"), "{}", otp.body);
    assert!(otp.body.contains("+49 •••78"), "{}", otp.body);
    let otp = browser.get(otp.url.as_str()).await;
    assert_eq!(idp.mailbox().await.len(), sent + 1, "once in a login, however often the page is opened");
    let back = browser.submit(&otp, &[("code", &last_code(&idp).await)]).await;
    assert_eq!(shop.redeem(&back).await.id_token["amr"], json!(["pwd", "sms", "mfa", "mca"]));
}

#[tokio::test]
async fn a_mailbox_is_worth_what_the_tenant_says() {
    for (more, acr, amr) in [
        ("", "urn:vestibule:acr:1fa", json!(["pwd", "otp", "mca"])),
        ("mail_counts_as_2fa = true\n", "urn:vestibule:acr:2fa", json!(["pwd", "otp", "mfa", "mca"])),
    ] {
        let idp = TestIdp::with(&world("\"mail\"", more)).await;
        let shop = idp.application("shop", "https://shop.test/callback");
        let mut browser = idp.browser();
        let page = enter(&mut browser, &shop, "bert").await;
        assert_eq!(page.step(), Some("email"), "the only method opens directly");
        assert!(page.body.contains("value=\"bert@example.test\""), "the profile's address");
        let wrong = browser.submit(&page, &[("email", "bert@")]).await;
        assert!(
            wrong.body.contains("We cannot send mail to this address")
                && wrong.body.contains("value=\"bert@\"")
        );
        let page = browser.submit(&wrong, &[("email", "bert@Post.test")]).await;
        assert_eq!(page.step(), Some("confirm_code"));
        let mail = last(&idp).await;
        assert_eq!((mail.channel, mail.to.as_str()), (Channel::Mail, "bert@post.test"));
        let page = browser.submit(&page, &[("code", mail.code().unwrap())]).await;
        let back = browser.submit(&page, &[("stored", "yes")]).await;
        let token = shop.redeem(&back).await.id_token;
        assert_eq!((&token["acr"], &token["amr"]), (&json!(acr), &amr));

        idp.clock().advance(Duration::from_hours(24));
        let mut browser = idp.browser();
        let page = enter(&mut browser, &shop, "bert").await;
        assert!(page.body.contains("b•••@post.test"), "{}", page.body);
        let back = browser.submit(&page, &[("code", &last_code(&idp).await)]).await;
        assert_eq!(shop.redeem(&back).await.id_token["acr"], acr);
    }
}

#[tokio::test]
async fn what_is_no_mobile_number_of_a_country_served_gets_no_text() {
    let (idp, shop) = house("\"sms\"").await;
    let mut browser = idp.browser();
    let mut page = enter(&mut browser, &shop, "bert").await;
    for (country, number) in
        [("DE", "110"), ("DE", "030 901820"), ("FR", "0151 12345678"), ("DE", "+1 202 555 0123"), ("DE", "x")]
    {
        page = browser.submit(&page, &[("country", country), ("phone_number", number)]).await;
        assert_eq!(page.step(), Some("phone"), "{number}");
        assert!(page.body.contains("phone_number-error"), "{number}");
        assert!(page.body.contains(&format!("value=\"{number}\"")), "{number} is kept");
        assert!(page.body.contains(&format!("value=\"{country}\" selected")), "{country} is kept");
    }
    let page = browser.submit(&page, &[("country", "US"), ("phone_number", "")]).await;
    assert!(page.body.contains("country-error") && page.body.contains("phone_number-error"));
    assert!(idp.mailbox().await.is_empty());
}

#[tokio::test]
async fn methods_without_a_way_are_not_offered() {
    let world = world("\"sms\", \"mail\", \"totp\"", "");
    let idp = TestIdp::with(&world).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    let page = enter(&mut idp.browser(), &shop, "bert").await;
    for method in ["sms", "mail", "totp"] {
        assert!(page.body.contains(&format!("value=\"{method}\"")), "{method}");
    }
    let bare = TestIdp::without_mailbox(&world).await;
    let shop = bare.application("shop", "https://shop.test/callback");
    let mut browser = bare.browser();
    let page = enter(&mut browser, &shop, "bert").await;
    assert_eq!(page.step(), Some("enrol"), "the application is all there is");
    // Another method cannot be chosen in the middle of an enrolment by opening its page.
    let url = page.url.as_str().replace("/enrol", "/choose_method");
    assert_eq!(browser.post(&url, &[("method", "sms")]).await.step(), Some("enrol"));
}

#[tokio::test]
async fn a_code_expires_and_another_can_be_had_after_a_minute() {
    let (idp, shop) = house("\"sms\"").await;
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "bert").await;
    let page = browser.submit(&page, &NUMBER).await;
    let first = last_code(&idp).await;
    assert!(page.body.contains("You can request a new code in 60 s."), "{}", page.body);
    idp.clock().advance(Duration::from_secs(13));
    let early = browser.submit(&page, &[("resend", "yes")]).await;
    assert!(early.body.contains("You can request a new code in 47 s."), "{}", early.body);
    assert_eq!(idp.mailbox().await.len(), 1);
    idp.clock().advance(Duration::from_mins(5));
    let again = browser.submit(&early, &[("code", &first)]).await;
    assert_eq!(again.step(), Some("identify"), "the password was proved too long ago for an enrolment");
    let early = sign_in(&mut browser, &again, "bert", PASSWORD).await;
    assert_eq!(early.step(), Some("confirm_code"), "{}", early.body);
    let late = browser.submit(&early, &[("code", &first)]).await;
    assert!(late.body.contains("This code has expired. Request a new one."), "{}", late.body);
    let page = browser.submit(&late, &[("resend", "yes")]).await;
    assert!(!page.body.contains("has expired"), "{}", page.body);
    let second = last_code(&idp).await;
    assert_eq!(idp.mailbox().await.len(), 2);
    let codes = browser.submit(&page, &[("code", &second)]).await;
    assert_eq!(codes.step(), Some("recovery_codes"));
}

/// An older code, and a code of another login, are void.
#[tokio::test]
async fn only_the_newest_code_counts_and_only_in_its_own_login() {
    let (idp, shop) = house("\"sms\"").await;
    enrolled(&idp, &shop).await;
    let (mut one, mut two) = (idp.browser(), idp.browser());
    let page = enter(&mut one, &shop, "bert").await;
    let first = last_code(&idp).await;
    idp.clock().advance(Duration::from_mins(1));
    let page = one.submit(&page, &[("resend", "yes")]).await;
    let second = last_code(&idp).await;
    assert_ne!(first, second, "may be equal once in a million runs");
    let page = one.submit(&page, &[("code", &first)]).await;
    assert!(page.body.contains("The code was not accepted."), "{}", page.body);
    idp.clock().advance(Duration::from_mins(1));
    let other = enter(&mut two, &shop, "bert").await;
    let third = last_code(&idp).await;
    let page = one.submit(&page, &[("code", &third)]).await;
    assert_eq!(page.step(), Some("second_factor"), "another login's");
    assert!(two.submit(&other, &[("code", &third)]).await.parameter("code").is_some());
    assert!(one.submit(&page, &[("code", &second)]).await.parameter("code").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_posts_of_one_code_one_gets_in_and_nobody_pays_twice() {
    let (idp, shop) = house("\"sms\"").await;
    enrolled(&idp, &shop).await;
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "bert").await;
    let code = last_code(&idp).await;
    let posts: Vec<_> = (0..8)
        .map(|_| {
            let (mut browser, page, code) = (browser.clone(), page.clone(), code.clone());
            tokio::spawn(async move { browser.submit(&page, &[("code", &code)]).await })
        })
        .collect();
    let mut winners = 0;
    for post in posts {
        let answer = post.await.unwrap();
        assert!(!answer.status.is_server_error(), "{}", answer.body);
        winners += usize::from(answer.parameter("code").is_some());
    }
    assert_eq!(winners, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_opened_at_once_send_one_code() {
    let (idp, shop) = house("\"mail\"").await;
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "bert").await;
    let page = browser.submit(&page, &[("email", "bert@example.test")]).await;
    let page = browser.submit(&page, &[("code", &last_code(&idp).await)]).await;
    browser.submit(&page, &[("stored", "yes")]).await;
    idp.clock().advance(Duration::from_hours(24));
    let mut browser = idp.browser();
    let page = super::open(&mut browser, &shop, &[]).await;
    let fields = [("tenant", super::DOMAIN), ("username", "bert"), ("password", PASSWORD)];
    let csrf = page.body.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let fields: Vec<_> = fields.into_iter().chain([("csrf", csrf)]).collect();
    let next = browser.post_once(page.url.as_str(), &fields).await.redirect().unwrap();
    let tabs: Vec<_> = (0..6)
        .map(|_| {
            let (mut browser, next) = (browser.clone(), next.clone());
            tokio::spawn(async move { browser.get(next.as_str()).await })
        })
        .collect();
    for tab in tabs {
        let shown = tab.await.unwrap();
        assert_eq!(shown.step(), Some("second_factor"));
        assert!(shown.body.contains("We have sent a code to b•••@example.test"), "{}", shown.body);
    }
    let sent = idp.mailbox().await;
    assert_eq!(sent.iter().filter(|mail| mail.code().is_some()).count(), 2, "one at the enrolment, one here");
}

#[tokio::test]
async fn five_wrong_codes_make_a_code_void_and_ten_the_enrolment() {
    let (idp, shop) = house("\"sms\"").await;
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "bert").await;
    let mut page = browser.submit(&page, &NUMBER).await;
    let code = last_code(&idp).await;
    page = guess(&mut browser, page, wrong(&code), 5).await;
    let void = browser.submit(&page, &[("code", &code)]).await;
    assert!(void.body.contains("This code has expired."), "the right one comes too late: {}", void.body);
    idp.clock().advance(Duration::from_mins(1));
    page = browser.submit(&void, &[("resend", "yes")]).await;
    let code = last_code(&idp).await;
    page = guess(&mut browser, page, wrong(&code), 4).await;
    let again = browser.submit(&page, &[("code", wrong(&code))]).await;
    assert_eq!(again.step(), Some("phone"));
    assert!(again.body.contains("Too many wrong codes") && again.body.contains("value=\"0151 12345678\""));
}

async fn guess(browser: &mut Browser, mut page: Answer, code: &str, times: usize) -> Answer {
    for _ in 0..times {
        page = browser.submit(&page, &[("code", code)]).await;
        assert_eq!(page.step(), Some("confirm_code"));
        assert!(page.body.contains("The code was not accepted."), "{}", page.body);
    }
    page
}

#[tokio::test]
async fn another_number_makes_the_code_for_the_first_void() {
    let (idp, shop) = house("\"sms\", \"mail\"").await;
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "bert").await;
    let phone = browser.submit(&page, &[("method", "sms")]).await;
    let page = browser.submit(&phone, &NUMBER).await;
    let first = last_code(&idp).await;
    let phone = browser.submit(&page, &[("change", "yes")]).await;
    assert_eq!(phone.step(), Some("phone"));
    assert!(phone.body.contains("value=\"0151 12345678\""), "what was typed is kept");
    let page = browser.submit(&phone, &[("country", "FR"), ("phone_number", "06 12 34 56 78")]).await;
    assert!(page.body.contains("+33 •••78"), "{}", page.body);
    let second = last(&idp).await;
    assert_eq!(second.to, "+33612345678");
    let page = browser.submit(&page, &[("code", &first)]).await;
    assert!(page.body.contains("The code was not accepted."));
    let choose = browser.submit(&page, &[("another", "yes")]).await;
    assert_eq!(choose.step(), Some("choose_method"));
    let late = browser.post(page.url.as_str(), &[("code", second.code().unwrap())]).await;
    assert_eq!(late.step(), Some("choose_method"), "the abandoned number is no way any more");
    let page = browser.submit(&choose, &[("method", "mail")]).await;
    assert_eq!(page.step(), Some("email"));
}

/// If a code cannot be sent, the page says so and offers another way, and no try is counted.
#[tokio::test]
async fn a_code_that_cannot_be_sent_is_said_and_counts_as_no_guess() {
    let (idp, shop) = house("\"sms\"").await;
    enrolled(&idp, &shop).await;
    let mut logins = Vec::new();
    for _ in 0..3 {
        let mut browser = idp.browser();
        let page = enter(&mut browser, &shop, "bert").await;
        assert!(page.body.contains("We have sent a code"), "{}", page.body);
        logins.push((browser, page));
        // Delivered one by one: what waits together arrives in any order.
        idp.mailbox().await;
        idp.clock().advance(Duration::from_mins(1));
    }
    let sent = idp.mailbox().await.len();
    let mut browser = idp.browser();
    let mut page = enter(&mut browser, &shop, "bert").await;
    assert!(page.body.contains("Too many codes were requested."), "{}", page.body);
    assert!(page.body.contains("No code was sent to +49 •••78."), "{}", page.body);
    assert!(page.body.contains("/recovery?"), "another way is offered");
    assert_eq!(idp.mailbox().await.len(), sent);
    for _ in 0..12 {
        page = browser.submit(&page, &[("code", "000000")]).await;
        assert_eq!((page.step(), page.status), (Some("second_factor"), StatusCode::OK));
    }
    let (mut browser, page) = logins.pop().unwrap();
    let code = last_code(&idp).await;
    assert!(browser.submit(&page, &[("code", &code)]).await.parameter("code").is_some());
}

#[tokio::test]
async fn a_recovery_code_is_the_other_way() {
    let (idp, shop) = house("\"sms\"").await;
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "bert").await;
    let page = browser.submit(&page, &NUMBER).await;
    let page = browser.submit(&page, &[("code", &last_code(&idp).await)]).await;
    let codes = shown_codes(&page);
    browser.submit(&page, &[("stored", "yes")]).await;
    idp.clock().advance(Duration::from_hours(24));
    let mut browser = idp.browser();
    let otp = enter(&mut browser, &shop, "bert").await;
    let page = browser.get(&otp.url.as_str().replace("second_factor", "recovery")).await;
    let phone = browser.submit(&page, &[("code", &codes[0])]).await;
    assert_eq!(phone.step(), Some("phone"), "a new second factor follows: {}", phone.body);
    let number = [("country", "DE"), ("phone_number", "0151 12345699")];
    let page = browser.submit(&phone, &number).await;
    let page = browser.submit(&page, &[("code", &last_code(&idp).await)]).await;
    assert_eq!(page.step(), Some("recovery_codes"), "{}", page.body);
    let export = idp.idp().export().await.unwrap();
    assert!(export.contains("+4915112345699") && !export.contains("+4915112345678"), "{export}");
}

/// Codes that are sent never satisfy the administrators' duty.
#[tokio::test]
async fn an_administrator_with_a_telephone_enrols_a_device() {
    let (idp, shop) = house("\"sms\", \"mail\", \"totp\"").await;
    let page = enter(&mut idp.browser(), &shop, "anna").await;
    assert_eq!(page.step(), Some("enrol"), "neither SMS nor mail is offered");
    let user = "[[users]]\ntenant = \"123456.sms\"\nusername = \"anna\"\n[[users.authenticators]]\n";
    for (kind, masked) in [
        ("kind = \"sms\"\nphone_number = \"+4915112345678\"\n", "+49 •••78"),
        ("kind = \"mail\"\nemail = \"anna@example.test\"\n", "a•••@example.test"),
    ] {
        let document = format!("{user}{kind}");
        idp.idp().apply(&document).await.unwrap();
        assert!(idp.idp().apply(&document).await.unwrap().is_nothing());
        let export = idp.idp().export().await.unwrap();
        assert!(idp.idp().apply(&export).await.unwrap().is_nothing(), "{export}");
        let mut browser = idp.browser();
        let page = enter(&mut browser, &shop, "anna").await;
        assert!(page.body.contains(masked), "{}", page.body);
        let page = browser.submit(&page, &[("code", &last_code(&idp).await)]).await;
        assert_eq!(page.step(), Some("enrol"), "{}", page.body);
    }
}

/// Limits apply per user, destination, block and tenant: users who have typed the right password do not share a limit
/// with others behind the same address.
#[tokio::test]
async fn thirty_people_behind_one_address_get_their_codes() {
    let user = |n: u32| {
        format!(
            "[[users]]\ntenant = \"123456.sms\"\nusername = \"user{n}\"\npassword = \"{PASSWORD}\"\n\
             [[users.authenticators]]\nkind = \"mail\"\nemail = \"user{n}@example.test\"\n"
        )
    };
    let users: String = (0..30).map(user).collect();
    let idp = TestIdp::with(&format!("{}\n{users}", world("\"mail\"", ""))).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    for n in 0..30 {
        let mut browser = idp.browser().from_address("192.0.2.7:1".parse().unwrap());
        let page = enter(&mut browser, &shop, &format!("user{n}")).await;
        assert!(page.body.contains("We have sent a code"), "{n}: {}", page.body);
        let back = browser.submit(&page, &[("code", &last_code(&idp).await)]).await;
        assert!(back.parameter("code").is_some(), "{n}: {}", back.body);
    }
}

/// Also where none is sent in its place, because the last one has only just been.
#[tokio::test]
async fn a_code_of_before_an_ending_is_void() {
    let (idp, shop) = house("\"sms\"").await;
    enrolled(&idp, &shop).await;
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "bert").await;
    assert_eq!(page.step(), Some("second_factor"));
    let before = last_code(&idp).await;
    let bert = "[[users]]\ntenant = \"123456.sms\"\nusername = \"bert\"\ndisabled = ";
    idp.idp().apply(&format!("{bert}true\n")).await.unwrap();
    idp.idp().apply(&format!("{bert}false\n")).await.unwrap();
    let again = browser.get(page.url.as_str()).await;
    assert_eq!(again.step(), Some("identify"), "{}", again.body);
    let page = sign_in(&mut browser, &again, "bert", PASSWORD).await;
    assert_eq!(page.step(), Some("second_factor"), "{}", page.body);
    let refused = browser.submit(&page, &[("code", &before)]).await;
    assert_eq!(refused.step(), Some("second_factor"), "{}", refused.url);
}
