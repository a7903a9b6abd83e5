//! ID tokens that come back: `id_token_hint` at the authorization endpoint and at logout.

use std::time::Duration;

use super::{House, form};
use crate::domain::error::ErrorCode;
use crate::protocol::authorize::AuthorizeError;
use crate::protocol::logout::{self, HintedSession, LogoutError, LogoutRequest};
use crate::protocol::parameters::Parameters;
use crate::testing::Application;

/// The hint with another header, as an attacker would write it.
fn unsigned(hint: &str) -> String {
    let payload = hint.split('.').nth(1).unwrap();
    format!("eyJhbGciOiJub25lIn0.{payload}.")
}

#[tokio::test]
async fn an_expired_hint_still_says_who_is_meant() {
    let house = House::new().await;
    let (_, id) = house.tokens("openid").await;
    house.idp.clock().advance(Duration::from_hours(24 * 365));
    let url = house.shop().authorization_url_with("openid", &[("id_token_hint", &id)]);
    let validated = house.validate(url.split_once('?').unwrap().1).await.unwrap();
    assert_eq!(validated.request().expected_sub.as_deref(), Some(house.anna.as_str()));
}

#[tokio::test]
async fn a_hint_that_is_not_ours_for_that_client_is_refused() {
    let house = House::new().await;
    let (access, id) = house.tokens("openid").await;
    let (message, signature) = id.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { "B" } else { "A" };
    let altered = format!("{message}.{other}{}", &signature[1..]);
    for (app, hint) in [
        (house.shop(), unsigned(&id)),
        (house.shop(), altered),
        (house.shop(), access),
        (house.shop(), "x".to_owned()),
        (house.office(), id),
    ] {
        let url = app.authorization_url_with("openid", &[("id_token_hint", &hint)]);
        match house.validate(url.split_once('?').unwrap().1).await {
            Err(AuthorizeError::Redirect(target, error)) => {
                assert_eq!(error.code, ErrorCode::InvalidRequest);
                assert_eq!(target.state.as_deref(), Some(Application::STATE));
            }
            other => panic!("{other:?}"),
        }
    }
}

async fn logout(house: &House, parameters: &[(&str, &str)]) -> Result<LogoutRequest, LogoutError> {
    let parameters = Parameters::parse(form(parameters).as_bytes()).unwrap();
    logout::parse(house.idp.idp(), &house.issuer, &parameters).await
}

#[tokio::test]
async fn a_hint_leads_back_to_its_client() {
    let house = House::new().await;
    let (_, id) = house.tokens("openid").await;
    house.idp.clock().advance(Duration::from_hours(24));
    let bye = ("post_logout_redirect_uri", "https://shop.test/bye");
    let hint = ("id_token_hint", id.as_str());
    for (parameters, expected) in [
        (vec![hint, bye, ("state", "a&b")], Some("https://shop.test/bye?state=a%26b")),
        (vec![hint, bye], Some("https://shop.test/bye")),
        (vec![hint, bye, ("client_id", "shop")], Some("https://shop.test/bye")),
        (vec![hint, ("state", "x")], None),
    ] {
        match logout(&house, &parameters).await.unwrap() {
            LogoutRequest::Hinted(by, HintedSession { user, session, .. }) => {
                let client = by.client.id.as_str();
                assert_eq!((client, &user, session.as_str()), ("shop", &house.anna, "a-session"));
                assert_eq!(by.redirect.as_deref(), expected);
            }
            other => panic!("{parameters:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn without_a_client_nobody_is_sent_anywhere() {
    let house = House::new().await;
    for parameters in [
        vec![],
        vec![("state", "x")],
        vec![("post_logout_redirect_uri", "https://shop.test/bye")],
        vec![("post_logout_redirect_uri", "https://shop.test/bye"), ("client_id", "nobody")],
    ] {
        let request = logout(&house, &parameters).await.unwrap();
        assert!(matches!(request, LogoutRequest::Unproven), "{parameters:?}");
    }
}

#[tokio::test]
async fn a_wrong_logout_request_is_refused() {
    let house = House::new().await;
    let (access, id) = house.tokens("openid").await;
    let hint = ("id_token_hint", id.as_str());
    let (unsigned, altered) = (unsigned(&id), id.replacen('.', "A.", 1));
    for parameters in [
        vec![("id_token_hint", unsigned.as_str())],
        vec![("id_token_hint", &altered)],
        vec![("id_token_hint", &access)],
        vec![hint, hint],
        vec![hint, ("client_id", "office")],
        vec![hint, ("post_logout_redirect_uri", "https://shop.test/bye?foo=bar")],
        vec![hint, ("post_logout_redirect_uri", "https://evil.test/")],
        vec![hint, ("post_logout_redirect_uri", "https://shop.test/callback")],
    ] {
        let answer = logout(&house, &parameters).await;
        assert!(matches!(answer, Err(LogoutError::Refused(_))), "{parameters:?}: {answer:?}");
    }
}
