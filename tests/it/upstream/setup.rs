//! Resellers and upstream providers as an operator writes them down.

use vestibule::ApplyError;

use super::*;

async fn mistakes(idp: &TestIdp, document: &str) -> Vec<String> {
    match idp.idp().apply(document).await {
        Err(ApplyError::Mistakes(mistakes)) => mistakes,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_exported_can_be_applied_but_for_the_secret() {
    let idp = TestIdp::with(&house("https://login.north.test", ALWAYS)).await;
    let document = house("https://login.north.test", ALWAYS);
    assert!(idp.idp().apply(&document).await.unwrap().is_nothing(), "applied twice");
    let exported = idp.idp().export().await.unwrap();
    for line in [
        "[[resellers]]\nname = \"north\"\ntitle = \"North Systems\"",
        "reseller = \"north\"",
        "[[upstreams]]\nname = \"north-login\"\nreseller = \"north\"\ntitle = \"North Systems account\"",
        "mfa_acr = [\"urn:vestibule:acr:2fa\"]",
        "upstream = \"north-login\"\nupstream_subject = \"nora-of-north\"",
    ] {
        assert!(exported.contains(line), "{line} is not in\n{exported}");
    }
    assert!(!exported.contains(CLIENT_SECRET), "{exported}");
    assert!(idp.idp().apply(&exported).await.unwrap().is_nothing(), "where the secret is known already");

    let fresh = TestIdp::with("").await;
    let missing = mistakes(&fresh, &exported).await;
    assert_eq!(missing, ["upstreams[0].client_secret: is missing (an export never holds it)"]);
    let secret = format!("client_id = \"vestibule\"\nclient_secret = \"{CLIENT_SECRET}\"\n");
    let whole = exported.replacen("client_id = \"vestibule\"\n", &secret, 1);
    fresh.idp().apply(&whole).await.unwrap();
    assert_eq!(fresh.idp().export().await.unwrap(), exported);
}

#[tokio::test]
async fn what_is_malformed_names_its_place() {
    let idp = TestIdp::with(&house("https://login.north.test", ALWAYS)).await;
    let found = mistakes(
        &idp,
        r#"
        [[resellers]]
        name = "North Systems"
        [[upstreams]]
        name = "a"
        issuer = "login.north.test"
        id_token_signed_response_alg = "none"
        "#,
    )
    .await;
    for part in [
        "resellers[0].name: must be 1 to 63 lower-case letters",
        "upstreams[0].issuer: ",
        "upstreams[0].id_token_signed_response_alg: must be one of",
    ] {
        assert!(found.iter().any(|mistake| mistake.starts_with(part)), "{part} is not in {found:#?}");
    }
}

#[tokio::test]
async fn what_does_not_fit_together_names_its_place() {
    let idp = TestIdp::with(&house("https://login.north.test", ALWAYS)).await;
    let found = mistakes(
        &idp,
        r#"
        [[upstreams]]
        name = "nobodys"
        title = "A"
        issuer = "https://a.test"
        client_id = "a"
        [[upstreams]]
        name = "south"
        reseller = "south"
        [[upstreams]]
        name = "bare"
        tenant = "other.sms"
        token_endpoint_auth_method = "none"
        client_secret = "x"
        [[users]]
        tenant = "other.sms"
        username = "olaf"
        upstream = "north-login"
        password = "p"
        [[users]]
        tenant = "other.sms"
        username = "olga"
        upstream_subject = "x"
        [[users]]
        tenant = "other.sms"
        username = "otto"
        upstream = "nowhere"
        "#,
    )
    .await;
    let expected = [
        "upstreams[0]: must name either a reseller or a tenant",
        "upstreams[1].reseller: there is no reseller south",
        "upstreams[2].title: is missing",
        "upstreams[2].issuer: is missing",
        "upstreams[2].client_id: is missing",
        "users[0].upstream: is neither the tenant's nor its reseller's",
        "users[0].password: has no use: the user signs in upstream",
        "users[1].upstream_subject: has no use without upstream",
        "users[2].upstream: there is no upstream nowhere",
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn what_is_still_used_stays() {
    let idp = TestIdp::with(&house("https://login.north.test", ALWAYS)).await;
    let gone = "[[resellers]]\nname = \"north\"\nstate = \"absent\"\n[[upstreams]]\nname = \"north-login\"\nstate = \"absent\"\n";
    let found = mistakes(&idp, gone).await;
    assert_eq!(
        found,
        [
            format!("resellers[0]: is still used by tenant {DOMAIN}"),
            format!("upstreams[0]: is still used by user {DOMAIN}/anna, user {DOMAIN}/nils"),
        ]
    );
    let with_tenant = format!("{gone}[[tenants]]\ndomain = \"{DOMAIN}\"\nstate = \"absent\"\n");
    let applied = idp.idp().apply(&with_tenant).await.unwrap();
    assert_eq!(applied.removed.len(), 3, "{applied}");
}

#[tokio::test]
async fn a_user_who_no_longer_signs_in_upstream_has_no_way_in_until_there_is_a_password() {
    let world = World::new(NEVER).await;
    let mut browser = network::browser();
    world.enter(&mut browser, "nora").await;
    let unlinked = format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"anna\"\nupstream = \"\"");
    world.idp.idp().apply(&unlinked).await.unwrap();
    let silent = world.open(&mut browser, &[("prompt", "none")]).await;
    assert_eq!(silent.parameter("error").as_deref(), Some("login_required"));
    world.advance(Duration::from_secs(30));
    assert_eq!(world.enter(&mut network::browser(), "nora").await.step(), Some("link"));
}
