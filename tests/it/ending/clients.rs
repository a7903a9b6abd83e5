//! A disabled tenant's clients: unknown while it lasts, and what they had been given is void for good.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use vestibule::testing::{Answer, Application, TestIdp};

use crate::login::{DOMAIN, enter, house};

const SECRET: &str = "a secret of at least 32 characters";
const CLIENTS: &str = r#"
    [[clients]]
    tenant = "123456.sms"
    client_id = "plain"
    client_secret = "a secret of at least 32 characters"
    redirect_uris = ["https://plain.test/callback"]
    grant_types = ["authorization_code", "client_credentials"]
    scope = "openid reports"
    [[clients]]
    tenant = "123456.sms"
    client_id = "veiled"
    client_secret = "a secret of at least 32 characters"
    redirect_uris = ["https://veiled.test/callback"]
    grant_types = ["client_credentials"]
    access_token_format = "opaque"
    scope = "reports"
    [[clients]]
    client_id = "api"
    client_secret = "a secret of at least 32 characters"
    redirect_uris = ["https://api.test/callback"]
    own_audiences = ["https://id.test"]
"#;

async fn ask(idp: &TestIdp, issuer: &str, client: &str, token: &str) -> Answer {
    let basic = format!("Basic {}", STANDARD.encode(format!("{client}:{SECRET}")));
    let headers = [("authorization", basic.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let body = Some(format!("token={token}"));
    idp.browser().send(axum::http::Method::POST, &format!("{issuer}/introspect"), &headers, body).await
}

async fn own_token(client: &Application) -> Answer {
    client.token_with(&[("grant_type", "client_credentials")]).await
}

#[tokio::test]
async fn a_disabled_tenants_clients_get_nothing() {
    let (idp, shop) = house().await;
    idp.idp().apply(CLIENTS).await.unwrap();
    let issuer = format!("{}/t/{DOMAIN}", TestIdp::ISSUER);
    let client =
        |id: &str| Application::new(&idp, &issuer, id, &format!("https://{id}.test/callback")).secret(SECRET);
    let (plain, veiled) = (client("plain"), client("veiled"));
    let back = enter(&mut idp.browser(), &shop, "bert").await;
    let of_user = shop.redeem(&back).await.access_token;
    let is_active = async |issuer: &str, client: &str, token: &str| {
        let answer = ask(&idp, issuer, client, token).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["active"].as_bool().unwrap()
    };
    assert!(is_active(TestIdp::ISSUER, "api", &of_user).await);
    let pushed = plain.pushed_url("openid", &[]).await;
    let mut given = Vec::new();
    for (client, id) in [(&plain, "plain"), (&veiled, "veiled")] {
        let token = own_token(client).await.json()["access_token"].as_str().unwrap().to_owned();
        assert!(is_active(&issuer, id, &token).await);
        given.push((id, token));
    }

    let tenant = |disabled: bool| format!("[[tenants]]\ndomain = \"{DOMAIN}\"\ndisabled = {disabled}\n");
    idp.idp().apply(&tenant(true)).await.unwrap();
    for (client, (id, token)) in [&plain, &veiled].into_iter().zip(&given) {
        let refused = own_token(client).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (401, &"invalid_client".into()));
        assert_eq!(ask(&idp, &issuer, id, token).await.status, 401, "it proves nothing itself");
        let refused = client.token_with(&[("grant_type", "authorization_code"), ("code", "x")]).await;
        assert_eq!(refused.json()["error"], "invalid_client");
    }
    let basic = format!("Basic {}", STANDARD.encode(format!("plain:{SECRET}")));
    let headers = [("authorization", basic.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let request = "response_type=code&redirect_uri=https%3A%2F%2Fplain.test%2Fcallback&scope=openid";
    let mut browser = idp.browser();
    let method = axum::http::Method::POST;
    let par = browser.send(method, &format!("{issuer}/par"), &headers, Some(request.to_owned())).await;
    assert_eq!((par.status.as_u16(), &par.json()["error"]), (401, &"invalid_client".into()));
    assert!(!is_active(TestIdp::ISSUER, "api", &of_user).await);
    assert_eq!(browser.get(&plain.authorization_url("openid")).await.status, 400);

    idp.idp().apply(&tenant(false)).await.unwrap();
    for (client, (id, token)) in [&plain, &veiled].into_iter().zip(&given) {
        assert!(!is_active(&issuer, id, token).await, "{id}: what was given before stays void");
        let token = own_token(client).await.json()["access_token"].as_str().unwrap().to_owned();
        assert!(is_active(&issuer, id, &token).await, "{id}");
    }
    assert!(!is_active(TestIdp::ISSUER, "api", &of_user).await);
    assert_eq!(browser.get(&pushed).await.status, 400, "and so does what was pushed");
    assert_eq!(browser.get(&plain.authorization_url("openid")).await.step(), Some("identify"));
}
