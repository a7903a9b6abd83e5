//! Sign-in names in every script, and when two are the same.

use vestibule::testing::{Answer, Application, TestIdp};

use crate::login::{HOUSE, PASSWORD, enter, open, sign_in};

const PEOPLE: &str = r#"
    [[users]]
    tenant = "123456.sms"
    username = "ต่อพัฒน์"
    password = "correct horse battery staple"
    [[users]]
    tenant = "123456.sms"
    username = "श्रीमती"
    password = "correct horse battery staple"
    [[users]]
    tenant = "123456.sms"
    username = "கிருஷ்ணன்"
    password = "correct horse battery staple"
    [[users]]
    tenant = "123456.sms"
    username = "Ọlọ́runtọ́bi"
    password = "correct horse battery staple"
    [[users]]
    tenant = "123456.sms"
    username = "Straße"
    password = "correct horse battery staple"
    email = "strasse@Bücher.example"
"#;

async fn house() -> (TestIdp, Application) {
    let idp = TestIdp::with(&format!("{HOUSE}{PEOPLE}")).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    (idp, shop)
}

async fn signs_in(idp: &TestIdp, shop: &Application, name: &str) -> Answer {
    let mut browser = idp.browser();
    enter(&mut browser, shop, name).await
}

#[tokio::test]
async fn people_sign_in_by_names_of_their_script_in_any_spelling() {
    let (idp, shop) = house().await;
    for (typed, name) in [
        ("ต่อพัฒน์", "ต่อพัฒน์"),
        (" श्रीमती ", "श्रीमती"),
        ("கிருஷ்ணன்", "கிருஷ்ணன்"),
        ("O\u{323}LO\u{323}\u{301}RUNTO\u{323}\u{301}BI", "Ọlọ́runtọ́bi"),
        ("STRASSE", "Straße"),
        ("straße", "Straße"),
        ("ＳＴＲＡＳＳＥ", "Straße"),
    ] {
        let back = signs_in(&idp, &shop, typed).await;
        assert!(back.parameter("code").is_some(), "{typed}: {}", back.body);
        let claims = shop.userinfo(&shop.redeem(&back).await.access_token).await.json();
        assert_eq!(claims["preferred_username"], name);
    }
    let unmarked = signs_in(&idp, &shop, "ตอพฒน").await;
    assert_eq!(unmarked.step(), Some("identify"), "tones and vowels are part of a name");
}

#[tokio::test]
async fn another_spelling_is_the_same_user_for_documents_and_for_the_help_desk() {
    let (idp, shop) = house().await;
    let sub =
        async |name: &str| shop.redeem(&signs_in(&idp, &shop, name).await).await.id_token["sub"].clone();
    let before = sub("Straße").await;
    let respelled = "[[users]]\ntenant = \"123456.sms\"\nusername = \"STRASSE\"\n";
    assert_eq!(idp.idp().apply(respelled).await.unwrap().changed, ["user 123456.sms/STRASSE"]);
    assert_eq!(sub("straße").await, before);
    let twice = format!("{respelled}[[users]]\ntenant = \"123456.sms\"\nusername = \"straße\"\n");
    let told = idp.idp().apply(&twice).await.unwrap_err().to_string();
    assert!(told.contains("user 123456.sms/strasse stands in the document twice"), "{told}");
    let export = idp.idp().export().await.unwrap();
    assert!(idp.idp().apply(&export).await.unwrap().is_nothing());
    assert!(TestIdp::with(&export).await.idp().apply(&export).await.unwrap().is_nothing());
}

/// A guess counts for the name, however it is spelled; and so does the user's own success.
#[tokio::test]
async fn guesses_at_one_name_draw_on_one_budget() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let mut page = open(&mut browser, &shop, &[]).await;
    for name in ["STRASSE", "straße", "Strasse", "STRAẞE", "ｓｔｒａｓｓｅ"] {
        page = sign_in(&mut browser, &page, name, "wrong").await;
    }
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    let locked = sign_in(&mut browser, &page, "Straße", PASSWORD).await;
    assert!(locked.body.contains("Too many attempts"), "{}", locked.body);
}

#[tokio::test]
async fn a_hint_of_such_a_name_fills_the_field() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[("login_hint", "ต่อพัฒน์@123456.sms")]).await;
    assert!(page.body.contains("value=\"ต่อพัฒน์\""), "{}", page.body);
    let back = browser.submit(&page, &[("password", PASSWORD)]).await;
    assert!(back.parameter("code").is_some(), "{}", back.body);
}

#[tokio::test]
async fn names_that_cannot_be_told_apart_by_eye_are_refused() {
    let (idp, _) = house().await;
    for name in ["an\u{200b}na", "an\u{202e}na", "an\u{ad}na", "\u{3164}", "an na", "a\u{200d}b"] {
        let document = serde_json::json!({ "users": [{ "tenant": "123456.sms", "username": name }] });
        let path = idp.folder().join("names.json");
        std::fs::write(&path, document.to_string()).unwrap();
        let told = idp.idp().apply_file(&path).await.unwrap_err().to_string();
        assert!(told.starts_with("users[0].username: is not a user name"), "{name:?}: {told}");
    }
}
