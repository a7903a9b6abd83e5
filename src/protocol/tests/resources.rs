//! RFC 8707: for which APIs tokens are asked and given.

use serde_json::{Value, json};
use url::form_urlencoded;

use super::{House, OFFICE_SECRET, error, part, refused};
use crate::protocol::authorize::AuthorizeError;
use crate::testing::{Answer, Application};

const ORDERS: &str = "https://orders.test";
const STOCK: &str = "https://stock.test/api";

const WORLD: &str = r#"
    [[clients]]
    client_id = "buyer"
    client_secret = "a secret: 100% of +it & more = 32 characters"
    redirect_uris = ["https://buyer.test/callback"]
    audiences = ["https://orders.test", "https://stock.test/api"]
"#;

fn buyer(house: &House) -> Application {
    house.idp.application("buyer", "https://buyer.test/callback").secret(OFFICE_SECRET)
}

/// What redeeming a code gives, asked for at the first leg and narrowed at the second.
async fn redeemed(house: &House, scope: &str, asked: &[&str], narrowed: &[&str]) -> Answer {
    let asked: Vec<_> = asked.iter().map(|name| ("resource", *name)).collect();
    let code = house.code(&buyer(house).authorization_url_with(scope, &asked)).await;
    let mut request = vec![
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "https://buyer.test/callback"),
        ("code_verifier", Application::VERIFIER),
    ];
    request.extend(narrowed.iter().map(|name| ("resource", *name)));
    buyer(house).token_with(&request).await
}

fn audience(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.body);
    part(answer.json()["access_token"].as_str().unwrap(), 1)["aud"].clone()
}

#[tokio::test]
async fn a_token_is_for_what_was_asked_and_for_userinfo_where_openid_is_among_the_scopes() {
    let house = House::with(WORLD).await;
    let us = "https://id.test";
    for (scope, asked, narrowed, expected) in [
        ("openid", vec![], vec![], json!(us)),
        ("profile", vec![], vec![], json!(us)),
        ("openid", vec![ORDERS], vec![], json!([us, ORDERS])),
        ("profile", vec![ORDERS], vec![], json!(ORDERS)),
        ("openid", vec![STOCK, ORDERS, ORDERS], vec![], json!([us, ORDERS, STOCK])),
        ("openid", vec![ORDERS, STOCK], vec![STOCK], json!(STOCK)),
        ("openid", vec![ORDERS, STOCK], vec![STOCK, ORDERS], json!([ORDERS, STOCK])),
        ("openid", vec![ORDERS], vec![us], json!(us)),
        ("openid", vec![""], vec![""], json!(us)),
    ] {
        let answer = redeemed(&house, scope, &asked, &narrowed).await;
        assert_eq!(audience(&answer), expected, "{scope} {asked:?} {narrowed:?}");
    }
}

#[tokio::test]
async fn more_than_was_granted_is_an_invalid_target() {
    let house = House::with(WORLD).await;
    for (scope, asked, narrowed) in [
        ("openid", vec![], vec![ORDERS]),
        ("openid", vec![ORDERS], vec![STOCK]),
        ("openid", vec![ORDERS], vec![ORDERS, STOCK]),
        ("openid", vec![ORDERS], vec!["https://orders.test/"]),
        ("openid", vec![ORDERS], vec!["https://orders.test#"]),
        ("openid", vec![ORDERS], vec!["orders"]),
        ("profile", vec![ORDERS], vec!["https://id.test"]),
    ] {
        let answer = redeemed(&house, scope, &asked, &narrowed).await;
        assert_eq!(error(&answer), refused(400, "invalid_target"), "{scope} {asked:?} {narrowed:?}");
    }
}

#[tokio::test]
async fn what_is_not_registered_goes_back_as_an_invalid_target() {
    let house = House::with(WORLD).await;
    for resource in [
        "https://other.test",
        "https://orders.test/",
        "orders",
        "https://orders.test/#a",
        "https://o\u{e4}.test",
    ] {
        let url = buyer(&house).authorization_url("openid");
        let more: String = form_urlencoded::byte_serialize(resource.as_bytes()).collect();
        let query = format!("{}&resource={ORDERS}&resource={more}", url.split_once('?').unwrap().1);
        match house.validate(&query).await {
            Err(AuthorizeError::Redirect(_, error)) => assert_eq!(error.code.as_str(), "invalid_target"),
            other => panic!("{resource}: {other:?}"),
        }
    }
    let shop = house.shop().authorization_url_with("openid", &[("resource", ORDERS)]);
    assert!(house.validate(shop.split_once('?').unwrap().1).await.is_err(), "it has none");
}

#[tokio::test]
async fn a_token_for_others_opens_nothing_here() {
    let house = House::with(WORLD).await;
    let answer = redeemed(&house, "openid", &[ORDERS], &[ORDERS]).await;
    let access = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(error(&buyer(&house).userinfo(&access).await), refused(401, "invalid_token"));
    let answer = redeemed(&house, "openid", &[ORDERS], &[]).await;
    let access = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(buyer(&house).userinfo(&access).await.status, 200);
}
