//! The way there and back, and what an application learns of it.

use super::*;

#[tokio::test]
async fn a_linked_user_signs_in_there_and_the_application_learns_how() {
    let world = World::new(NEVER).await;
    let mut browser = network::browser();
    let page = world.open(&mut browser, &[]).await;
    assert!(page.body.contains("Login with North Systems account"), "{}", page.body);
    let there = world.depart(&mut browser, &page).await;
    let asked = there.url.clone();
    assert_eq!(there.step(), Some("identify"), "{asked}");
    let back = world.vouch(&mut browser, &there, "nora").await;
    let token = world.shop.redeem(&back).await.id_token;
    assert_eq!(token["acr"], TWO);
    assert_eq!(token["amr"], json!(["pwd", "otp", "mfa"]));
    assert_eq!(token["auth_time"], world.idp.idp().now().unix());
    assert_eq!(token["sub"], "anna", "found by sub, which is nobody's address or name");
    // The session is ours: it answers without anybody upstream.
    let again = world.open(&mut browser, &[("prompt", "none")]).await;
    assert_eq!(world.shop.redeem(&again).await.id_token["acr"], TWO);
}

#[tokio::test]
async fn one_factor_there_is_one_factor_here() {
    let world = World::new(NEVER).await;
    let mut browser = network::browser();
    let notice = world.enter(&mut browser, "nick").await;
    assert_eq!(notice.step(), Some("notice"), "{}", notice.body);
    assert!(
        notice.body.contains("https://portal.north.test/2fa")
            && !notice.body.contains("value=\"yes\">Enable")
    );
    let back = browser.submit(&notice, &[]).await;
    let token = world.shop.redeem(&back).await.id_token;
    assert_eq!(token["acr"], "urn:vestibule:acr:1fa");
    assert_eq!(token["amr"], json!(["pwd"]));
    let claims = r#"{"id_token":{"acr":{"essential":true,"value":"urn:vestibule:acr:2fa"}}}"#;
    let page = world.open(&mut browser, &[("claims", claims)]).await;
    assert_eq!((page.step(), page.status), (Some("upstream_proof"), StatusCode::FORBIDDEN), "{}", page.body);
    let there = world.depart(&mut browser, &page).await;
    assert_eq!(there.step(), Some("identify"), "signed in there, and asked again: {}", there.url);
    let back = world.vouch(&mut browser, &there, "nick").await;
    assert_eq!(back.parameter("error").as_deref(), Some("unmet_authentication_requirements"), "{}", back.url);
    let silent = world.open(&mut browser, &[("claims", claims), ("prompt", "none")]).await;
    assert_eq!(silent.parameter("error").as_deref(), Some("interaction_required"));
}

#[tokio::test]
async fn what_an_application_asks_for_anew_is_asked_for_anew_there() {
    let world = World::new(NEVER).await;
    let mut browser = network::browser();
    let back = world.enter(&mut browser, "nora").await;
    let first = world.shop.redeem(&back).await.id_token["auth_time"].as_i64().unwrap();
    world.advance(Duration::from_mins(2));
    for more in [[("prompt", "login")], [("max_age", "0")], [("max_age", "60")]] {
        let page = world.open(&mut browser, &more).await;
        assert_eq!(page.step(), Some("identify"), "{more:?}");
        let there = world.depart(&mut browser, &page).await;
        assert_eq!(there.step(), Some("identify"), "{more:?}: {}", there.url);
        world.advance(Duration::from_secs(30));
        let back = world.vouch(&mut browser, &there, "nora").await;
        let token = world.shop.redeem(&back).await.id_token;
        assert_eq!(token["auth_time"], world.idp.idp().now().unix(), "{more:?}");
        assert!(token["auth_time"].as_i64().unwrap() > first);
        world.advance(Duration::from_mins(2));
    }
    let page = world.open(&mut browser, &[("max_age", "600")]).await;
    assert!(page.parameter("code").is_some(), "young enough: {}", page.body);
}

#[tokio::test]
async fn who_is_signed_in_there_need_not_sign_in_again_but_is_no_fresher_for_it() {
    let world = World::new(NEVER).await;
    let mut browser = network::browser();
    let back = world.enter(&mut browser, "nora").await;
    let first = world.shop.redeem(&back).await.id_token["auth_time"].clone();
    world.advance(Duration::from_mins(20));
    // Our session is gone, theirs is not.
    browser.cookies().retain(|(host, _), _| world.north_url.ends_with(host.as_str()));
    let page = world.open(&mut browser, &[]).await;
    let back = world.depart(&mut browser, &page).await;
    let token = world.shop.redeem(&back).await.id_token;
    assert_eq!((&token["auth_time"], token["acr"].as_str()), (&first, Some(TWO)));
}

#[tokio::test]
async fn the_choice_is_remembered_until_somebody_signs_in_here() {
    let world = World::new(NEVER).await;
    let mut browser = network::browser();
    let page = world.open(&mut browser, &[]).await;
    let order =
        |page: &Answer| page.body.find("/with/").unwrap() < page.body.find("name=\"username\"").unwrap();
    assert!(!order(&page), "the local form first");
    world.depart(&mut browser, &page).await;
    let page = world.open(&mut browser, &[]).await;
    assert!(order(&page), "{}", page.body);
    assert!(page.body.contains("autofocus"));
    let fields = [("tenant", DOMAIN), ("username", "bert"), ("password", PASSWORD)];
    let back = browser.submit(&page, &fields).await;
    assert!(back.parameter("code").is_some(), "{}", back.body);
    let page = world.open(&mut browser, &[("prompt", "login")]).await;
    assert!(!order(&page), "{}", page.body);
}

#[tokio::test]
async fn a_provider_is_offered_where_its_people_may_sign_in() {
    let world = World::new(NEVER).await;
    let page_of = async |tenant: &str| {
        let issuer = format!("{}/t/{tenant}", world.url);
        let client = format!(
            "[[clients]]\ntenant = \"{tenant}\"\nclient_id = \"desk\"\ntoken_endpoint_auth_method = \"none\"\n\
             redirect_uris = [\"https://desk.test/callback\"]"
        );
        world.idp.idp().apply(&client).await.unwrap();
        let desk = Application::new(&world.idp, &issuer, "desk", "https://desk.test/callback");
        let mut browser = network::browser();
        let page = open(&mut browser, &desk, &[]).await;
        (browser, desk, page)
    };
    let (_, _, other) = page_of("other.sms").await;
    assert!(other.step() == Some("identify") && !other.body.contains("/with/"), "no reseller, no choice");
    let guessed = format!("{}/with/north-login?", other.url.as_str().split("/identify?").next().unwrap());
    let (mut browser, desk, page) = page_of(DOMAIN).await;
    assert_eq!(browser.get(&guessed).await.step(), Some("expired"), "another browser's login");
    let there = world.depart(&mut browser, &page).await;
    let back = world.vouch(&mut browser, &there, "nora").await;
    assert_eq!(desk.redeem(&back).await.id_token["tenant"], DOMAIN);
}

#[tokio::test]
async fn whoever_may_not_sign_in_is_a_stranger() {
    let world = World::new(NEVER).await;
    let disabled = format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"anna\"\ndisabled = true");
    world.idp.idp().apply(&disabled).await.unwrap();
    let page = world.enter(&mut network::browser(), "nora").await;
    assert_eq!((page.step(), page.status), (Some("link"), StatusCode::OK), "{}", page.body);
    let unknown =
        "[[users]]\ntenant = \"north.sms\"\nusername = \"nemo\"\npassword = \"correct horse battery staple\"";
    world.north.idp().apply(unknown).await.unwrap();
    let nobody = world.enter(&mut network::browser(), "nemo").await;
    assert_eq!(crate::login::bare(&nobody), crate::login::bare(&page), "one page for both");
    assert!(page.body.contains("Reference") || page.body.contains("reference"), "{}", page.body);
}

/// At the root issuer the providers of all resellers are offered, and each tenant's users sign in at its own and its
/// reseller's only: also those who were linked before it left.
#[tokio::test]
async fn a_tenant_that_left_its_reseller_is_not_entered_through_it() {
    let world = World::new(NEVER).await;
    let invitation = world.idp.idp().invite(DOMAIN, "bert", None).await;
    let code = invitation.map_err(|error| error.to_string()).unwrap().code();
    let tenant = format!("[[tenants]]\ndomain = \"{DOMAIN}\"\nreseller = ");
    world.idp.idp().apply(&format!("{tenant}\"\"\n")).await.unwrap();
    let mut browser = network::browser();
    let page = world.enter(&mut browser, "nora").await;
    assert_eq!(
        page.step(),
        Some("link"),
        "a stranger, as whoever is linked nowhere: {} {}",
        page.url,
        page.body
    );
    assert_eq!(browser.submit(&page, &[("code", &code)]).await.step(), Some("link"));
    world.idp.idp().apply(&format!("{tenant}\"north\"\n")).await.unwrap();
    world.advance(Duration::from_secs(30));
    let back = world.enter(&mut network::browser(), "nora").await;
    assert_eq!(world.shop.redeem(&back).await.id_token["sub"], "anna");
}
