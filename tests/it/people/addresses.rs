//! Mail addresses and telephone numbers, wherever they are written.

use vestibule::ApplyError;
use vestibule::domain::contact::Country;
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::settings::{Settings, SmsLimits};
use vestibule::testing::TestIdp;

use crate::login::{HOUSE, enter};

/// Bert with this member.
fn bert(member: &str) -> String {
    format!("[[users]]\ntenant = \"123456.sms\"\nusername = \"bert\"\n{member}\n")
}

#[tokio::test]
async fn one_rule_for_every_address_of_a_document() {
    let idp = TestIdp::with(HOUSE).await;
    let smtputf8 =
        "must be ASCII before the @: mail to other letters there needs SMTPUTF8, which is not supported yet";
    let malformed = "must be an email address, for example anna@example.com";
    for (address, problem) in [
        ("jürgen@example.com", smtputf8),
        ("a..b@example.com", malformed),
        ("bert@example.com, eve@example.com", malformed),
        ("bert", malformed),
    ] {
        for (member, place) in [
            (format!("email = \"{address}\""), "users[0].email"),
            (
                format!("authenticators = [{{ kind = \"mail\", email = \"{address}\" }}]"),
                "users[0].authenticators[0].email",
            ),
        ] {
            let refused = idp.idp().apply(&bert(&member)).await.unwrap_err();
            let ApplyError::Mistakes(mistakes) = refused else { panic!("{refused}") };
            assert_eq!(mistakes, [format!("{place}: {problem}")], "{member}");
        }
    }
    for (written, stored) in [
        ("Bert@Bücher.example", "Bert@xn--bcher-kva.example"),
        ("bert@[192.0.2.1]", "bert@[192.0.2.1]"),
        ("bert@[IPv6:2001:db8::1]", "bert@[IPv6:2001:db8::1]"),
    ] {
        let document = bert(&format!(
            "email = \"{written}\"\nauthenticators = [{{ kind = \"mail\", email = \"{written}\" }}]"
        ));
        idp.idp().apply(&document).await.unwrap();
        assert!(idp.idp().apply(&document).await.unwrap().is_nothing(), "{written}");
        let export = idp.idp().export().await.unwrap();
        assert_eq!(export.matches(&format!("email = \"{stored}\"")).count(), 2, "{export}");
    }
}

#[tokio::test]
async fn a_page_takes_the_same_addresses_and_shows_them_as_people_write_them() {
    let idp = TestIdp::with(HOUSE).await;
    let tenant =
        "[[tenants]]\ndomain = \"123456.sms\"\npolicy = { mfa = \"required\", methods = [\"mail\"] }\n";
    idp.idp().apply(&format!("{tenant}{}", bert("email = \"bert@bücher.example\""))).await.unwrap();
    let shop = idp.application("shop", "https://shop.test/callback");
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "bert").await;
    assert_eq!(page.step(), Some("email"), "{}", page.body);
    assert!(page.body.contains("value=\"bert@bücher.example\""), "{}", page.body);
    let wrong = browser.submit(&page, &[("email", "jürgen@bücher.example")]).await;
    assert!(wrong.body.contains("Accented letters before the @ are not supported yet"), "{}", wrong.body);
    let sent = browser.submit(&wrong, &[("email", "\u{200e}bert@Bücher.example\u{200b}")]).await;
    assert_eq!(sent.step(), Some("confirm_code"), "{}", sent.body);
    assert!(sent.body.contains("b•••@bücher.example"), "{}", sent.body);
    let mail = idp.mailbox().await.pop().unwrap();
    assert_eq!(mail.to, "bert@xn--bcher-kva.example");
    let done = browser.submit(&sent, &[("code", mail.code().unwrap())]).await;
    assert_eq!(done.step(), Some("recovery_codes"), "{}", done.body);
}

#[tokio::test]
async fn numbers_are_taken_as_they_are_pasted() {
    let mut settings = Settings::new(IssuerUrl::parse(TestIdp::ISSUER).unwrap());
    let countries = ["DE", "CI", "CG", "MX"].map(|country| Country::parse(country).unwrap()).to_vec();
    settings.sms = SmsLimits { countries, ..settings.sms };
    let tenant =
        "[[tenants]]\ndomain = \"123456.sms\"\npolicy = { mfa = \"required\", methods = [\"sms\"] }\n";
    for (country, typed, stored) in [
        ("CI", "07 01 23 45 67", "+2250701234567"),
        ("DE", "+225 07 01 23 45 67", "+2250701234567"),
        ("CG", "+242 06 612 3456", "+242066123456"),
        ("MX", "+52 1 55 1234 5678", "+525512345678"),
        ("DE", "\u{202a}+49\u{a0}151\u{2011}12345678\u{202c}", "+4915112345678"),
        ("DE", "＋４９　１５１　１２３４５６７８", "+4915112345678"),
    ] {
        let idp = TestIdp::with_settings(settings.clone(), HOUSE).await;
        idp.idp().apply(tenant).await.unwrap();
        let shop = idp.application("shop", "https://shop.test/callback");
        let mut browser = idp.browser();
        let page = enter(&mut browser, &shop, "bert").await;
        assert_eq!(page.step(), Some("phone"), "{}", page.body);
        let sent = browser.submit(&page, &[("country", country), ("phone_number", typed)]).await;
        assert_eq!(sent.step(), Some("confirm_code"), "{typed}: {}", sent.body);
        assert_eq!(idp.mailbox().await.pop().unwrap().to, stored, "{typed}");
    }
}

/// OpenID Connect Core §5.1.
#[tokio::test]
async fn the_claim_takes_the_forms_of_the_standard() {
    let idp = TestIdp::with(HOUSE).await;
    for (written, kept) in [
        ("+1 (425) 555-1212", "+1 (425) 555-1212"),
        ("+56 (2) 687 2400", "+56 (2) 687 2400"),
        ("+1 (604) 555-1234;ext=5678", "+1 (604) 555-1234;ext=5678"),
        ("\u{202a}+49\u{a0}30\u{2011}901820\u{202c}", "+49 30-901820"),
    ] {
        let document = bert(&format!("phone_number = \"{written}\""));
        idp.idp().apply(&document).await.unwrap();
        assert!(idp.idp().apply(&document).await.unwrap().is_nothing(), "{written}");
        let export = idp.idp().export().await.unwrap();
        assert!(export.contains(&format!("phone_number = \"{kept}\"")), "{export}");
    }
    let landline = bert("authenticators = [{ kind = \"sms\", phone_number = \"+56 (2) 687 2400\" }]");
    let told = idp.idp().apply(&landline).await.unwrap_err().to_string();
    assert!(told.contains("must be the number of a mobile telephone"), "{told}");
}
