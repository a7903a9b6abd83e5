//! OpenID Connect Core §3.1.2, RFC 6749 §4.1.1, RFC 7636: what an authorization request may say.

use super::{House, POSTER_SECRET, form};
use crate::domain::error::ErrorCode;
use crate::domain::locale::Locale;
use crate::domain::request::{AuthorizationRequest, ResponseMode};
use crate::protocol::authorize::AuthorizeError;
use crate::testing::Application;

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const SHOP: [(&str, &str); 7] = [
    ("client_id", "shop"),
    ("redirect_uri", "https://shop.test/callback"),
    ("response_type", "code"),
    ("scope", "openid"),
    ("state", "a-state"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
];

/// The shop's request with one parameter changed; an empty value leaves it out.
fn with(name: &str, value: &str) -> String {
    let mut pairs: Vec<_> = SHOP.into_iter().filter(|(known, _)| *known != name).collect();
    if !value.is_empty() {
        pairs.push((name, value));
    }
    form(&pairs)
}

async fn accepted(house: &House, name: &str, value: &str) -> AuthorizationRequest {
    match house.validate(&with(name, value)).await {
        Ok(validated) => validated.request().clone(),
        Err(error) => panic!("{name}={value}: {error:?}"),
    }
}

async fn sent_back(house: &House, query: &str) -> ErrorCode {
    match house.validate(query).await {
        Err(AuthorizeError::Redirect(target, error)) => {
            assert_eq!(target.redirect_uri, "https://shop.test/callback", "{query}");
            error.code
        }
        other => panic!("{query}: {other:?}"),
    }
}

#[tokio::test]
async fn nobody_is_redirected_before_client_and_address_are_proven() {
    let house = House::new().await;
    let doubled = |name: &str, value: &str| format!("{}&{}", form(&SHOP), form(&[(name, value)]));
    for query in [
        String::new(),
        with("client_id", ""),
        with("client_id", "nobody"),
        with("client_id", "SHOP"),
        with("redirect_uri", ""),
        with("redirect_uri", "https://shop.test/callback/"),
        with("redirect_uri", "https://shop.test:443/callback"),
        with("redirect_uri", "https://shop.test/callback?x=1"),
        with("redirect_uri", "https://office.test/callback"),
        with("redirect_uri", "https://shop.test\\@evil.test/callback"),
        with("state", &"x".repeat(4097)),
        doubled("client_id", "shop"),
        doubled("client_id", "office"),
        doubled("redirect_uri", "https://shop.test/callback"),
        doubled("redirect_uri", ""),
    ] {
        let answer = house.validate(&query).await;
        assert!(matches!(answer, Err(AuthorizeError::Show(_))), "{query}: {answer:?}");
    }
}

#[tokio::test]
async fn every_other_mistake_goes_back_to_the_client() {
    use ErrorCode as E;
    let house = House::new().await;
    let long = "x".repeat(1025);
    for (name, value, expected) in [
        ("response_type", "", E::InvalidRequest),
        ("response_type", "none", E::UnsupportedResponseType),
        ("response_type", "code bogus", E::UnsupportedResponseType),
        ("response_type", "token", E::UnsupportedResponseType),
        ("response_type", "id_token", E::UnsupportedResponseType),
        ("response_type", "id_token token", E::UnsupportedResponseType),
        ("response_type", "code id_token", E::UnsupportedResponseType),
        ("response_type", "code token", E::UnsupportedResponseType),
        ("response_type", "code id_token token", E::UnsupportedResponseType),
        ("response_type", "code code", E::UnsupportedResponseType),
        ("response_type", "CODE", E::UnsupportedResponseType),
        ("response_type", " ", E::InvalidRequest),
        ("response_mode", "fragment", E::InvalidRequest),
        ("response_mode", "jwt", E::InvalidRequest),
        ("scope", "", E::InvalidScope),
        ("scope", "bogus", E::InvalidScope),
        ("scope", "offline_access", E::InvalidScope),
        ("code_challenge", "", E::InvalidRequest),
        ("code_challenge", "too-short", E::InvalidRequest),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM", E::InvalidRequest),
        ("code_challenge_method", "", E::InvalidRequest),
        ("code_challenge_method", "plain", E::InvalidRequest),
        ("code_challenge_method", "S512", E::InvalidRequest),
        ("nonce", &long, E::InvalidRequest),
        ("prompt", "none login", E::InvalidRequest),
        ("prompt", "none bogus", E::InvalidRequest),
        ("max_age", "-1", E::InvalidRequest),
        ("max_age", "+1", E::InvalidRequest),
        ("max_age", "1.0", E::InvalidRequest),
        ("max_age", "1e3", E::InvalidRequest),
        ("max_age", "\"1\"", E::InvalidRequest),
        ("max_age", "2147483648", E::InvalidRequest),
        ("max_age", "9007199254740993", E::InvalidRequest),
        ("max_age", "9223372036854775808", E::InvalidRequest),
        ("max_age", "x", E::InvalidRequest),
        ("claims", "[]", E::InvalidRequest),
        ("claims", "{", E::InvalidRequest),
        ("claims", "{\"id_token\":[]}", E::InvalidRequest),
        ("claims", "null", E::InvalidRequest),
        ("claims", "{\"userinfo\":null,\"userinfo\":{}}", E::InvalidRequest),
        ("claims", "{\"userinfo\":false}", E::InvalidRequest),
        ("claims", "{\"id_token\":{\"acr\":{\"essential\":\"yes\"}}}", E::InvalidRequest),
        ("claims", "{\"id_token\":{},\"id_token\":{\"name\":null}}", E::InvalidRequest),
        ("claims", "{\"id_token\":{\"name\":null,\"name\":null}}", E::InvalidRequest),
        ("claims", "{\"id_token\":{\"acr\":[true]}}", E::InvalidRequest),
        ("claims", "{} {}", E::InvalidRequest),
        ("request", "a.b.c", E::InvalidRequestObject),
        ("request_uri", "https://shop.test/request", E::RequestUriNotSupported),
        ("registration", "{}", E::RegistrationNotSupported),
    ] {
        assert_eq!(sent_back(&house, &with(name, value)).await, expected, "{name}={value}");
    }
    let deep =
        format!("{{\"id_token\":{{\"acr\":{{\"value\":{}1{}}}}}}}", "[".repeat(2000), "]".repeat(2000));
    assert_eq!(sent_back(&house, &with("claims", &deep)).await, E::InvalidRequest);
}

#[tokio::test]
async fn doubled_parameters_go_back_too() {
    let house = House::new().await;
    for (name, value) in [("state", "x"), ("scope", "openid"), ("nonce", "a"), ("unknown", "x")] {
        let query = format!("{}&{}&{}", form(&SHOP), form(&[(name, value)]), form(&[(name, "")]));
        assert_eq!(sent_back(&house, &query).await, ErrorCode::InvalidRequest, "{name}");
    }
}

#[tokio::test]
async fn what_is_not_understood_is_ignored() {
    let house = House::new().await;
    for (name, value) in [
        ("extra", "foobar"),
        ("display", "popup"),
        ("prompt", "create"),
        ("prompt", "bogus"),
        ("acr_values", "1 2"),
        ("ui_locales", "se"),
        ("claims_locales", "se"),
        ("claims", "{\"userinfo\":{\"bogus\":null},\"bogus\":7}"),
        ("claims", "{\"userinfo\":null,\"id_token\":null,\"bogus\":null}"),
    ] {
        accepted(&house, name, value).await;
    }
    let request = accepted(&house, "scope", "openid bogus offline_access email").await;
    assert_eq!(request.scope.to_string(), "email openid");
    assert_eq!(accepted(&house, "login_hint", &"x".repeat(257)).await.login_hint, None);
    assert_eq!(accepted(&house, "login_hint", "anna\u{1b}").await.login_hint, None);
}

#[tokio::test]
async fn what_is_understood_is_kept() {
    let house = House::new().await;
    let prompt = accepted(&house, "prompt", "consent login").await.prompt;
    assert!(prompt.consent && prompt.login && !prompt.none && !prompt.select_account);
    assert_eq!(accepted(&house, "max_age", "0").await.max_age, Some(0));
    assert_eq!(accepted(&house, "max_age", "10000").await.max_age, Some(10_000));
    assert_eq!(accepted(&house, "max_age", "").await.max_age, None);
    assert_eq!(accepted(&house, "response_mode", "form_post").await.response_mode, ResponseMode::FormPost);
    assert_eq!(
        accepted(&house, "login_hint", "anna@one.test").await.login_hint.as_deref(),
        Some("anna@one.test")
    );
    let state = format!("{}\u{e4}\r\n", "x".repeat(4000));
    assert_eq!(accepted(&house, "state", &state).await.state, Some(state));
    let locales = accepted(&house, "ui_locales", "se fr-CA de fr").await.ui_locales;
    assert_eq!(locales, [Locale::Fr, Locale::De]);
    let request = accepted(&house, "acr_values", "x urn:vestibule:acr:2fa urn:vestibule:acr:1fa").await;
    assert_eq!(request.acr_values, ["urn:vestibule:acr:2fa", "urn:vestibule:acr:1fa"]);
    assert_eq!(request.code_challenge.as_deref(), Some(CHALLENGE));
}

#[tokio::test]
async fn a_claim_may_name_the_user() {
    let house = House::new().await;
    let request = accepted(&house, "claims", r#"{"id_token":{"sub":{"value":"somebody"}}}"#).await;
    assert_eq!(request.expected_sub.as_deref(), Some("somebody"));
    let two = r#"{"id_token":{"sub":{"value":"a"}},"userinfo":{"sub":{"value":"b"}}}"#;
    assert_eq!(sent_back(&house, &with("claims", two)).await, ErrorCode::InvalidRequest);
}

#[tokio::test]
async fn a_client_gets_nothing_beyond_its_scopes_by_another_way() {
    let house = House::new().await;
    let poster = house.idp.application("poster", "https://poster.test/callback").secret(POSTER_SECRET);
    let claims = r#"{"id_token":{"email":null,"acr":null},"userinfo":{"phone_number":null,"name":null}}"#;
    let url = poster.authorization_url_with("openid profile email phone", &[("claims", claims)]);
    let validated = house.validate(url.split_once('?').unwrap().1).await.unwrap();
    let request = validated.request();
    assert_eq!(request.scope.to_string(), "openid profile");
    assert_eq!(request.claims.id_token.keys().collect::<Vec<_>>(), ["acr"]);
    assert_eq!(request.claims.userinfo.keys().collect::<Vec<_>>(), ["name"]);
    assert_eq!(request.nonce.as_deref(), Some(Application::NONCE));
}

#[tokio::test]
async fn a_stored_request_is_only_as_good_as_its_client() {
    use crate::protocol::authorize::resume;
    let house = House::new().await;
    let request = accepted(&house, "prompt", "login").await;
    let resumed = resume(house.idp.idp(), &house.issuer, request.clone()).await.unwrap();
    assert_eq!(resumed.request(), &request);
    let moved = super::WORLD.replace("https://shop.test/callback", "https://shop.test/elsewhere");
    house.idp.idp().apply(&moved).await.unwrap();
    let answer = resume(house.idp.idp(), &house.issuer, request).await;
    assert!(matches!(answer, Err(AuthorizeError::Show(_))), "{answer:?}");
}
