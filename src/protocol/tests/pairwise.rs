//! OpenID Connect Core §8.1: clients of different sectors know a user by different names.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::published::Publisher;
use super::{House, form, part};
use crate::crypto::pairwise::PairwiseKind;
use crate::protocol::logout::{self, HintedSession, LogoutRequest};
use crate::protocol::parameters::Parameters;
use crate::testing::Application;

const SECRET: &str = "a secret of at least 32 characters, fifth";

/// Two clients of one sector, which the list at `address` proves, and one of another.
fn sectors(address: &str) -> String {
    let client = |id: &str, more: &str| {
        format!(
            r#"
            [[clients]]
            client_id = "{id}"
            client_secret = "{SECRET}"
            grant_types = ["authorization_code", "refresh_token"]
            subject_type = "pairwise"
            {more}
            "#
        )
    };
    let sector = format!("sector_identifier_uri = \"http://{address}/sector\"");
    let one = "redirect_uris = [\"https://bank.test/callback\"]";
    let two = "redirect_uris = [\"https://broker.test/callback\", \"https://other.test/callback\"]\n\
               access_token_format = \"opaque\"";
    let clinic = "redirect_uris = [\"https://clinic.test/callback\"]";
    [
        client("bank", &format!("{one}\n{sector}")),
        client("broker", &format!("{two}\n{sector}")),
        client("clinic", clinic),
    ]
    .concat()
}

fn list() -> Value {
    json!(["https://bank.test/callback", "https://broker.test/callback", "https://other.test/callback"])
}

async fn house() -> House {
    let publisher = Publisher::start(list()).await;
    publisher.house(&sectors(&publisher.address)).await
}

fn application(house: &House, client: &str) -> Application {
    let application = house.idp.application(client, &format!("https://{client}.test/callback"));
    if client == "shop" { application } else { application.secret(SECRET) }
}

/// What a client got: its access token, its ID token and its refresh token.
async fn tokens(house: &House, client: &str) -> (String, String, String) {
    let application = application(house, client);
    let code = house.code(&application.authorization_url("openid profile offline_access")).await;
    let answer = application.token(&code).await.json();
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    (text("access_token"), text("id_token"), text("refresh_token"))
}

fn claim(jwt: &str, name: &str) -> String {
    part(jwt, 1)[name].as_str().unwrap().to_owned()
}

async fn expected(house: &House, client: &str, more: (&str, &str)) -> Option<String> {
    let url = application(house, client).authorization_url_with("openid", &[more]);
    house.validate(url.split_once('?').unwrap().1).await.unwrap().request().expected_sub.clone()
}

async fn introspected(house: &House, client: &str, token: &str) -> Value {
    let parameters = [("token", token)];
    let mut all = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
    let basic = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        format!("{client}:{}", form(&[("", SECRET)]).trim_start_matches('=')),
    );
    all.push(("authorization", format!("Basic {basic}")));
    let headers: Vec<_> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
    house.send(axum::http::Method::POST, "/introspect", &headers, &form(&parameters)).await.json()
}

#[tokio::test]
async fn each_sector_has_its_own_name_for_a_user() {
    let house = house().await;
    let mut names = Vec::new();
    for client in ["bank", "broker", "clinic", "shop"] {
        let (access_token, id_token, refresh_token) = tokens(&house, client).await;
        let sub = claim(&id_token, "sub");
        assert_eq!(application(&house, client).userinfo(&access_token).await.json()["sub"], sub, "{client}");
        if client != "broker" {
            assert_eq!(claim(&access_token, "sub"), sub, "{client}");
        }
        if client != "shop" {
            for token in [&access_token, &refresh_token] {
                let meaning = introspected(&house, client, token).await;
                assert_eq!((&meaning["sub"], &meaning["username"]), (&json!(sub), &Value::Null), "{client}");
            }
            let again = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str())];
            let again = application(&house, client).token_with(&again).await.json();
            assert_eq!(claim(again["id_token"].as_str().unwrap(), "sub"), sub, "{client}: refreshed");
        }
        assert_eq!(claim(&tokens(&house, client).await.1, "sub"), sub, "{client}: the next time too");
        names.push((sub, claim(&id_token, "sid")));
    }
    let [bank, broker, clinic, shop] = names.try_into().unwrap();
    assert_eq!(bank, broker, "one sector");
    assert!(bank.0 != clinic.0 && bank.1 != clinic.1, "neither user nor session joins two sectors");
    assert_eq!(shop, (house.anna.to_string(), "a-session".to_owned()));
    assert!(![&bank, &clinic].iter().any(|(sub, sid)| *sub == shop.0 || *sid == shop.1));
    let node = house.idp.node().await;
    let key = node.idp().pairwise_key().await.unwrap();
    assert_eq!(
        key.name(PairwiseKind::User, "clinic.test", house.anna.as_str()).unwrap(),
        clinic.0,
        "on every node"
    );
}

#[tokio::test]
async fn a_name_that_comes_back_is_understood_in_its_sector_alone() {
    let house = house().await;
    let (_, bank, _) = tokens(&house, "bank").await;
    let (_, clinic, _) = tokens(&house, "clinic").await;
    let anna = Some(house.anna.to_string());
    assert_eq!(expected(&house, "bank", ("id_token_hint", &bank)).await, anna);
    let claims = |sub: &str| format!(r#"{{"id_token":{{"sub":{{"value":"{sub}"}}}}}}"#);
    assert_eq!(expected(&house, "bank", ("claims", &claims(&claim(&bank, "sub")))).await, anna);
    for stranger in [claim(&clinic, "sub"), claim(&bank, "sid"), house.anna.to_string(), "nobody".to_owned()]
    {
        let nobody = expected(&house, "bank", ("claims", &claims(&stranger))).await;
        assert_eq!(nobody.as_deref(), Some(""), "{stranger}");
    }
    let parameters = Parameters::parse(form(&[("id_token_hint", &bank)]).as_bytes()).unwrap();
    match logout::parse(house.idp.idp(), &house.issuer, &parameters).await.unwrap() {
        LogoutRequest::Hinted(_, HintedSession { user, session, .. }) => {
            assert_eq!((user, session.as_str()), (house.anna.clone(), "a-session"));
        }
        other => panic!("not understood: {other:?}"),
    }
}

#[tokio::test]
async fn redirect_uris_of_several_hosts_need_a_list_that_holds_them() {
    let publisher =
        Publisher::start(json!(["https://bank.test/callback", "https://broker.test/callback"])).await;
    let house = publisher.house("").await;
    let apply = async || house.idp.idp().apply(&sectors(&publisher.address)).await;
    let refused = apply().await.unwrap_err().to_string();
    assert_eq!(refused, "clients[1].sector_identifier_uri: does not list https://other.test/callback");
    for (status, body) in [(StatusCode::OK, "{}"), (StatusCode::OK, "[1]"), (StatusCode::NOT_FOUND, "[]")] {
        publisher.answer(status, "", body);
        let refused = apply().await.unwrap_err().to_string();
        assert!(refused.contains("clients[1].sector_identifier_uri: the answer "), "{refused}");
    }
    publisher.publish(&list());
    assert_eq!(apply().await.unwrap().created.len(), 3);
    let before = publisher.fetches();
    publisher.answer(StatusCode::NOT_FOUND, "", "");
    assert!(apply().await.unwrap().is_nothing());
    assert_eq!(publisher.fetches(), before, "what was proven once is not asked again");
    let more = "[[clients]]\nclient_id = \"broker\"\nredirect_uris = [\"https://evil.test/\"]";
    house.idp.idp().apply(more).await.unwrap_err();
}

#[tokio::test]
async fn what_makes_no_sector_is_refused() {
    let house = House::new().await;
    let client = |uris: &str, more: &str| {
        format!(
            "[[clients]]\nclient_id = \"x\"\ntoken_endpoint_auth_method = \"none\"\nsubject_type = \"pairwise\"\n\
             redirect_uris = [{uris}]\n{more}"
        )
    };
    for uris in [
        "\"https://a.test/\", \"https://b.test/\"",
        "\"https://a.test/\", \"test.example.app:/callback\"",
        "\"test.example.app:/callback\"",
        "\"https://a.test/\", \"http://localhost/callback\"",
        "\"http://localhost/callback\", \"test.example.app:/callback\"",
    ] {
        let native = "application_type = \"native\"";
        let refused = house.idp.idp().apply(&client(uris, native)).await.unwrap_err().to_string();
        assert!(refused.starts_with("clients[0].sector_identifier_uri: is missing"), "{uris}: {refused}");
    }
    for uri in ["http://a.test/list", "https://127.0.0.1/list", "https://169.254.169.254/"] {
        let more = format!("sector_identifier_uri = \"{uri}\"");
        let refused =
            house.idp.idp().apply(&client("\"https://a.test/\"", &more)).await.unwrap_err().to_string();
        assert!(refused.starts_with("clients[0].sector_identifier_uri: "), "{uri}: {refused}");
    }
    for uris in ["\"http://localhost/cb\", \"http://127.0.0.1:1/cb\"", "\"http://x.localhost:3000/cb\""] {
        house.idp.idp().apply(&client(uris, "")).await.unwrap();
    }
    let ports = client("\"https://a.test/\", \"https://a.test:8443/\"", "");
    house.idp.idp().apply(&ports).await.unwrap();
    let own = client("\"https://a.test/\"", "sector_identifier_uri = \"https://a.test/nothing-is-there\"");
    house.idp.idp().apply(&own).await.unwrap();
}
