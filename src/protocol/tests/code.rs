//! RFC 6749 §4.1, RFC 7636: a code and what it gives, once.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{House, OFFICE_SECRET, client, error, form, part, refused, root};
use crate::crypto::jwt::left_half_hash;
use crate::domain::client::SigningAlgorithm;
use crate::domain::event::Event;
use crate::domain::ids::SessionId;
use crate::storage::grants;
use crate::testing::Application;

const REFUSED: (u16, &str) = (400, "invalid_grant");

#[tokio::test]
async fn a_code_gives_tokens() {
    let house = House::new().await;
    let now = house.idp.idp().now().unix();
    let code = house.code(&house.shop().authorization_url("openid email profile")).await;
    let answer = house.shop().token(&code).await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["pragma"], "no-cache");
    let mut response = answer.json();
    let access = response["access_token"].take();
    let id = response["id_token"].take();
    insta::assert_json_snapshot!(response, @r#"
    {
      "access_token": null,
      "token_type": "Bearer",
      "expires_in": 300,
      "scope": "email openid profile",
      "id_token": null
    }
    "#);

    let header = part(access.as_str().unwrap(), 0);
    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("RS256")));
    let mut claims = part(access.as_str().unwrap(), 1);
    assert!(claims.remove("jti").is_some_and(|jti| jti.as_str().is_some_and(|jti| jti.len() == 36)));
    assert!(claims.remove("grant").is_some());
    let expected = json!({
        "iss": "https://id.test", "aud": "https://id.test", "sub": house.anna, "client_id": "shop",
        "iat": now, "exp": now + 300, "scope": "email openid profile",
        "auth_time": now, "acr": "urn:vestibule:acr:2fa", "amr": ["pwd", "otp", "mfa"],
    });
    assert_eq!(Value::Object(claims), expected);

    let header = part(id.as_str().unwrap(), 0);
    assert_eq!((&header["typ"], &header["alg"]), (&json!("JWT"), &json!("RS256")));
    let expected = json!({
        "iss": "https://id.test", "aud": "shop", "sub": house.anna, "iat": now, "exp": now + 300,
        "auth_time": now, "acr": "urn:vestibule:acr:2fa", "amr": ["pwd", "otp", "mfa"],
        "sid": "a-session", "nonce": Application::NONCE, "tenant": "one.test",
        "at_hash": left_half_hash(SigningAlgorithm::Rs256, access.as_str().unwrap()),
    });
    assert_eq!(Value::Object(part(id.as_str().unwrap(), 1)), expected);
}

#[tokio::test]
async fn what_was_asked_for_one_by_one_is_in_the_id_token() {
    let house = House::new().await;
    let claims = r#"{"id_token":{"email":{"essential":true},"nickname":null},"userinfo":{"name":null}}"#;
    let url = house.office().authorization_url_with("openid", &[("claims", claims)]);
    let tokens = house.office().token(&house.code(&url).await).await.json();
    let id = tokens["id_token"].as_str().unwrap();
    assert_eq!(part(id, 0)["alg"], "ES256");
    assert_eq!(part(id, 1)["email"], "anna@example.test");
    assert!(!part(id, 1).contains_key("nickname") && !part(id, 1).contains_key("name"));
    let userinfo = house.office().userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    assert_eq!(userinfo, json!({ "sub": house.anna, "name": "Anna Example" }));
}

#[tokio::test]
async fn without_openid_there_is_no_id_token() {
    let house = House::new().await;
    let code = house.code(&house.shop().authorization_url("profile")).await;
    let tokens = house.shop().token(&code).await.json();
    assert_eq!(tokens.get("id_token"), None);
    let answer = house.shop().userinfo(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(error(&answer), refused(403, "insufficient_scope"));
}

#[tokio::test]
async fn a_code_used_twice_takes_back_what_it_gave() {
    let house = House::new().await;
    let code = house.code(&house.shop().authorization_url("openid")).await;
    let access = house.shop().token(&code).await.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(house.shop().userinfo(&access).await.status, 200);
    house.idp.clock().advance(Duration::from_secs(30));
    let answer = house.shop().token(&code).await;
    assert_eq!(error(&answer), refused(REFUSED.0, REFUSED.1));
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(house.idp.events().all(), [Event::CodeReused { issuer: root(), client: client("shop") }]);
    assert_eq!(error(&house.shop().userinfo(&access).await), refused(401, "invalid_token"));
}

#[tokio::test]
async fn of_many_at_once_one_wins_and_nothing_lives_on() {
    let house = House::new().await;
    let code = house.code(&house.shop().authorization_url("openid")).await;
    let shops: Vec<_> = (0..16).map(|_| house.shop()).collect();
    let answers = join_all(shops.iter().map(|shop| shop.token(&code))).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(won.len(), 1);
    assert!(lost.iter().all(|answer| error(answer) == refused(REFUSED.0, REFUSED.1)));
    let access = won[0].json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(house.shop().userinfo(&access).await.status, 401);
}

#[tokio::test]
async fn a_code_lives_for_a_minute() {
    let house = House::new().await;
    for (age, status) in [(59, 200), (60, 400), (3600, 400)] {
        let code = house.code(&house.shop().authorization_url("openid")).await;
        house.idp.clock().advance(Duration::from_secs(age));
        assert_eq!(house.shop().token(&code).await.status, status, "{age}");
    }
}

/// An expired code stays in the store as long as its grant.
#[tokio::test]
async fn a_clock_set_back_gives_no_code_its_life_again() {
    let house = House::new().await;
    house.idp.clock().advance(Duration::from_hours(2));
    for (back, status) in [(3, 200), (30, 400), (3600, 400)] {
        let code = house.code(&house.shop().authorization_url("openid")).await;
        house.idp.clock().set_back(Duration::from_secs(back));
        assert_eq!(house.shop().token(&code).await.status, status, "{back}");
        house.idp.clock().advance(Duration::from_secs(back));
    }
}

#[tokio::test]
async fn another_client_uses_the_code_up_but_an_unproven_one_does_not() {
    let house = House::new().await;
    let code = house.code(&house.shop().authorization_url("openid")).await;
    let liar = house.idp.application("office", "https://shop.test/callback").secret("wrong");
    assert_eq!(error(&liar.token(&code).await), refused(401, "invalid_client"));
    assert_eq!(house.shop().token(&code).await.status, 200);

    let code = house.code(&house.shop().authorization_url("openid")).await;
    let other = house.idp.application("office", "https://shop.test/callback").secret(OFFICE_SECRET);
    assert_eq!(error(&other.token(&code).await), refused(REFUSED.0, REFUSED.1));
    assert_eq!(error(&house.shop().token(&code).await), refused(REFUSED.0, REFUSED.1));
}

#[tokio::test]
async fn the_verifier_must_fit_the_challenge() {
    let house = House::new().await;
    let good = Application::VERIFIER;
    let (newline, short) = (format!("{good}\n"), good.get(..42).unwrap());
    for (verifier, status) in
        [(Some(good), 200), (None, 400), (Some(""), 400), (Some(&newline), 400), (Some(short), 400)]
    {
        let code = house.code(&house.shop().authorization_url("openid")).await;
        let mut parameters = vec![
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", "https://shop.test/callback"),
        ];
        parameters.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        assert_eq!(house.shop().token_with(&parameters).await.status, status, "{verifier:?}");
    }
}

#[tokio::test]
async fn a_confidential_client_may_leave_pkce_out_but_not_half_of_it() {
    let house = House::new().await;
    let query = [
        ("client_id", "office"),
        ("redirect_uri", "https://office.test/callback"),
        ("response_type", "code"),
        ("scope", "openid"),
    ];
    let url = format!("https://id.test/authorize?{}", form(&query));
    for (verifier, status) in [(None, 200), (Some(Application::VERIFIER), 400)] {
        let code = house.code(&url).await;
        let mut parameters = vec![
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", "https://office.test/callback"),
        ];
        parameters.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        let answer = house.office().token_with(&parameters).await;
        assert_eq!(answer.status, status, "{verifier:?}");
        if status == 200 {
            assert!(!part(answer.json()["id_token"].as_str().unwrap(), 1).contains_key("nonce"));
        }
    }
}

#[tokio::test]
async fn a_confidential_client_must_use_pkce_where_its_registration_says_so() {
    let house = House::new().await;
    let document = "[[clients]]\nclient_id = \"office\"\nrequire_pkce = true";
    house.idp.idp().apply(document).await.unwrap();
    let office = house.office();
    let url = url::Url::parse(&office.authorization_url("openid")).unwrap();
    let without = url.query_pairs().filter(|(name, _)| !name.starts_with("code_challenge"));
    let without: Vec<_> = without.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let mut browser = house.idp.browser();
    let bare = url::Url::parse_with_params("https://id.test/authorize", &without).unwrap();
    let refused = browser.get(bare.as_str()).await;
    assert_eq!(refused.parameter("error").as_deref(), Some("invalid_request"), "{}", refused.url);
    let code = house.code(url.as_str()).await;
    assert_eq!(office.token(&code).await.status, 200);
    assert!(house.idp.idp().export().await.unwrap().contains("require_pkce = true"));
}

#[tokio::test]
async fn the_redirect_uri_must_be_repeated() {
    let house = House::new().await;
    for redirect_uri in [None, Some("https://shop.test/callback/"), Some("https://SHOP.test/callback")] {
        let code = house.code(&house.shop().authorization_url("openid")).await;
        let mut parameters = vec![
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("code_verifier", Application::VERIFIER),
        ];
        parameters.extend(redirect_uri.map(|uri| ("redirect_uri", uri)));
        let answer = house.shop().token_with(&parameters).await;
        assert_eq!(error(&answer), refused(REFUSED.0, REFUSED.1), "{redirect_uri:?}");
    }
}

#[tokio::test]
async fn what_ended_in_between_gives_nothing() {
    let house = House::new().await;
    let code = house.code(&house.shop().authorization_url("openid")).await;
    let now = house.idp.idp().now();
    let end = house.idp.idp().db().write(move |tx| {
        Box::pin(async move { grants::revoke_session(tx, &SessionId::new("a-session"), now).await })
    });
    end.await.unwrap();
    assert_eq!(error(&house.shop().token(&code).await), refused(REFUSED.0, REFUSED.1));

    let code = house.code(&house.shop().authorization_url("openid")).await;
    let (access, _) = house.tokens("openid").await;
    let disabled = super::WORLD.replace("username = \"anna\"", "username = \"anna\"\n disabled = true");
    house.idp.idp().apply(&disabled).await.unwrap();
    assert_eq!(error(&house.shop().token(&code).await), refused(REFUSED.0, REFUSED.1));
    assert_eq!(error(&house.shop().userinfo(&access).await), refused(401, "invalid_token"));
}

/// Attack 42, within the 250 ms in which another node's catalogue may be old: the clock stands still, so this node does
/// not look at what `apply` changed.
#[tokio::test]
async fn a_client_changed_a_moment_ago_elsewhere_gives_nothing() {
    const GONE: &str = "[[clients]]\nclient_id = \"app\"\nstate = \"absent\"";
    let client = |members: &str| {
        format!(
            "[[clients]]\nclient_id = \"app\"\ntoken_endpoint_auth_method = \"none\"
             grant_types = [\"authorization_code\", \"refresh_token\"]\n{members}"
        )
    };
    let callback = "redirect_uris = [\"https://app.test/callback\"]";
    for (change, status) in [
        (client("redirect_uris = [\"https://app.test/callback\", \"https://app.test/other\"]"), 200),
        (client("redirect_uris = [\"https://app.test/other\"]"), 400),
        (client(&format!("disabled = true\n{callback}")), 400),
        (GONE.to_owned(), 400),
    ] {
        let house = House::with(&client(callback)).await;
        let elsewhere = house.idp.node().await;
        let app = house.idp.application("app", "https://app.test/callback");
        let url = app.authorization_url("openid offline_access");
        let refresh_token = app.token(&house.code(&url).await).await.json()["refresh_token"].take();
        let code = house.code(&url).await;
        elsewhere.idp().apply(&change).await.unwrap();
        house
            .validate(url.split_once('?').unwrap().1)
            .await
            .map(drop)
            .expect("this node has not seen it yet");
        let token = refresh_token.as_str().unwrap();
        let answer = app.token_with(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await;
        assert_eq!(
            (answer.status.as_u16(), app.token(&code).await.status.as_u16()),
            (status, status),
            "{change}"
        );
        assert_eq!(status == 400, error(&answer).1 == REFUSED.1, "{change}");
        assert_eq!(app.token(&code).await.status, 400, "the code is used up either way");
    }
}

/// What belongs to a client's redirect URI comes back with it: nothing was revoked.
#[tokio::test]
async fn a_port_of_a_native_client_stays_registered() {
    let client = |uri: &str| {
        format!(
            "[[clients]]\nclient_id = \"app\"\ntoken_endpoint_auth_method = \"none\"\napplication_type = \"native\"
             grant_types = [\"authorization_code\", \"refresh_token\"]\nredirect_uris = [\"{uri}\"]"
        )
    };
    let house = House::with(&client("http://127.0.0.1/cb")).await;
    let app = house.idp.application("app", "http://127.0.0.1:49152/cb");
    let answer = app.token(&house.code(&app.authorization_url("openid offline_access")).await).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let token = answer.json()["refresh_token"].take();
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", token.as_str().unwrap())];
    for (uri, status) in [("http://[::1]/cb", 400), ("http://127.0.0.1/cb", 200)] {
        house.idp.idp().apply(&client(uri)).await.unwrap();
        assert_eq!(app.token_with(&refresh).await.status, status, "{uri}");
    }
}

/// Attack 24: `localhost` has a free port for the clients that say so, and no other spelling of it has.
#[tokio::test]
async fn any_port_of_localhost_is_for_clients_that_say_so() {
    let client = |id: &str, more: &str| {
        format!(
            "[[clients]]\nclient_id = \"{id}\"\ntoken_endpoint_auth_method = \"none\"\n\
             redirect_uris = [\"http://localhost/cb\"]\n{more}\n"
        )
    };
    let native = "application_type = \"native\"";
    let house = House::with(
        &[client("open", "localhost_redirects = true"), client("native", native), client("web", "")].concat(),
    )
    .await;
    for (id, uri, goes) in [
        ("open", "http://localhost:49152/cb", true),
        ("open", "http://localhost/cb", true),
        ("open", "http://localhost:49152/", false),
        ("open", "http://localhost.evil:49152/cb", false),
        ("open", "http://foo.localhost:49152/cb", false),
        ("open", "http://localhost@evil.test/cb", false),
        ("open", "http://127.0.0.1:49152/cb", false),
        ("native", "http://localhost:49152/cb", false),
        ("web", "http://localhost:49152/cb", false),
        ("web", "http://localhost/cb", true),
    ] {
        let url = house.idp.application(id, uri).authorization_url("openid");
        let validated = house.validate(url.split_once('?').unwrap().1).await;
        assert_eq!(validated.is_ok(), goes, "{id} {uri}");
    }
    let app = house.idp.application("open", "http://localhost:49152/cb");
    let answer = app.token(&house.code(&app.authorization_url("openid")).await).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn a_redemption_is_one_write_of_few_statements() {
    let house = House::new().await;
    house.tokens("openid").await;
    let code = house.code(&house.shop().authorization_url("openid")).await;
    let before = house.idp.idp().db().statements();
    assert_eq!(house.shop().token(&code).await.status, 200);
    let statements = house.idp.idp().db().statements() - before;
    assert!(statements <= 4, "{statements}");
}
