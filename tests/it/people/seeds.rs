//! Seeds of authenticators as other systems export them.

use vestibule::ApplyError;
use vestibule::ext::Clock;
use vestibule::testing::{TestIdp, totp};

use crate::login::{HOUSE, enter};

const LONG: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const SHORT: &str = "GEZDGNBVGY3TQOJQ";

/// Bert with this authenticator.
fn bert(authenticator: &str) -> String {
    format!(
        "[[users]]\ntenant = \"123456.sms\"\nusername = \"bert\"\n[[users.authenticators]]\n{authenticator}\n"
    )
}

async fn refused(idp: &TestIdp, authenticator: &str) -> Vec<String> {
    match idp.idp().apply(&bert(authenticator)).await {
        Err(ApplyError::Mistakes(mistakes)) => mistakes,
        other => panic!("{authenticator} gave {other:?}"),
    }
}

#[tokio::test]
async fn a_seed_in_any_encoding_signs_in_and_comes_back_in_base32() {
    for (secret, seed, exported_short) in [
        ("secret = \"gezd gnbv gy3t qojq gezd gnbv gy3t qojq\"", LONG, false),
        ("secret = \"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ====\"\nsecret_encoding = \"base32\"", LONG, false),
        (
            "secret = \"3132333435363738393031323334353637383930\"\nsecret_encoding = \"hex\"\nalgorithm = \"sha1\"",
            LONG,
            false,
        ),
        (
            "secret = \"MTIzNDU2Nzg5MDEyMzQ1Njc4OTA\"\nsecret_encoding = \"base64\"\nalgorithm = \"HmacSHA1\"",
            LONG,
            false,
        ),
        ("secret = \"GEZDGNBVGY3TQOJQ\"\nallow_short_secret = true", SHORT, true),
        (
            "secret = \"31323334353637383930\"\nsecret_encoding = \"hex\"\nallow_short_secret = true",
            SHORT,
            true,
        ),
    ] {
        let idp = TestIdp::with(HOUSE).await;
        let authenticator = format!("kind = \"totp\"\n{secret}");
        idp.idp().apply(&bert(&authenticator)).await.unwrap();
        assert!(idp.idp().apply(&bert(&authenticator)).await.unwrap().is_nothing(), "{secret}");

        let export = idp.idp().export().await.unwrap();
        assert!(export.contains(&format!("secret = \"{seed}\"")), "{export}");
        assert_eq!(export.contains("allow_short_secret = true"), exported_short, "{secret}");
        assert!(!export.contains("secret_encoding"), "{export}");
        assert!(idp.idp().apply(&export).await.unwrap().is_nothing(), "{export}");

        let shop = idp.application("shop", "https://shop.test/callback");
        let mut browser = idp.browser();
        let page = enter(&mut browser, &shop, "bert").await;
        assert_eq!(page.step(), Some("second_factor"), "{}", page.body);
        let done = browser.submit(&page, &[("code", &totp(seed, idp.clock().now()))]).await;
        assert!(done.parameter("code").is_some(), "{secret}");
    }
}

#[tokio::test]
async fn names_of_algorithms_are_read_as_exports_write_them() {
    let idp = TestIdp::with(HOUSE).await;
    for (name, stored) in [("HmacSHA256", "SHA256"), ("HMAC-SHA-512", "SHA512"), ("sha256", "SHA256")] {
        let named = format!("kind = \"totp\"\nsecret = \"{LONG}\"\nalgorithm = \"{name}\"");
        idp.idp().apply(&bert(&named)).await.unwrap();
        let export = idp.idp().export().await.unwrap();
        assert!(export.contains(&format!("algorithm = \"{stored}\"")), "{name}: {export}");
    }
    let wrong =
        refused(&idp, &format!("kind = \"totp\"\nsecret = \"{LONG}\"\nalgorithm = \"HmacMD5\"")).await;
    assert_eq!(wrong, ["users[0].authenticators[0].algorithm: must be one of: SHA1, SHA256, SHA512"]);
}

#[tokio::test]
async fn a_seed_that_is_refused_is_told_why_and_not_repeated() {
    let idp = TestIdp::with(HOUSE).await;
    let place = "users[0].authenticators[0].secret";
    for (authenticator, problem) in [
        (
            "secret = \"GEZDGNBVGY3TQOJQ\"",
            "is an OTP secret of 80 bits and must have 128; allow_short_secret = true takes 80 and more",
        ),
        (
            "secret = \"GEZDGNBVGY3TQ\"\nallow_short_secret = true",
            "is an OTP secret of 64 bits and must have 80",
        ),
        ("secret = \"GEZDGNBVGY3TQOJ1\"\nallow_short_secret = true", "is not an OTP secret in base32"),
        ("secret = \"GEZDGNBVGY3TQOJQ\"\nsecret_encoding = \"hex\"", "is not an OTP secret in hex"),
    ] {
        for kind in ["totp", "hotp"] {
            let mistakes = refused(&idp, &format!("kind = \"{kind}\"\n{authenticator}")).await;
            assert_eq!(mistakes, [format!("{place}: {problem}")], "{authenticator}");
        }
    }
    let unknown = format!("kind = \"totp\"\nsecret = \"{LONG}\"\nsecret_encoding = \"hexadecimal\"");
    assert_eq!(
        refused(&idp, &unknown).await,
        ["users[0].authenticators[0].secret_encoding: must be one of: base32, hex, base64"]
    );
    let useless =
        refused(&idp, "kind = \"mail\"\nemail = \"bert@example.test\"\nallow_short_secret = true").await;
    assert_eq!(useless, ["users[0].authenticators[0].allow_short_secret: has no use with the kind mail"]);
}

#[tokio::test]
async fn the_seed_of_the_documentation_is_recognised_in_every_encoding() {
    use vestibule::domain::{issuer::IssuerUrl, settings::Settings};
    let issuer = IssuerUrl::parse("https://login.company.com").unwrap();
    let idp = TestIdp::with_settings(Settings::new(issuer), "").await;
    let tenant = "[[tenants]]\ndomain = \"123456.sms\"\nname = \"Works\"\n";
    for secret in [
        "secret = \"jbsw y3dp ehpk 3pxp jbsw y3dp ehpk 3pxp\"",
        "secret = \"48656c6c6f21deadbeef48656c6c6f21deadbeef\"\nsecret_encoding = \"hex\"",
    ] {
        let document = format!("{tenant}{}", bert(&format!("kind = \"totp\"\n{secret}")));
        let refused = idp.idp().apply(&document).await.unwrap_err().to_string();
        assert!(refused.contains("stands in the documentation"), "{secret}: {refused}");
    }
}
