//! Refreshing and tokens for clients themselves: RFC 6749 §4.4 and §6, RFC 9700 §4.14.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{House, OFFICE_SECRET, error, part, refused};
use crate::domain::event::Event;
use crate::domain::ids::SessionId;
use crate::storage::{ended_sessions, grants};
use crate::testing::{Answer, Application};

const MORE: &str = r#"
    [[clients]]
    client_id = "app"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://app.test/callback"]
    grant_types = ["authorization_code", "refresh_token"]
    refresh_token_lifetime = "10d"
    refresh_token_idle = "2d"
    [[clients]]
    client_id = "other"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://other.test/callback"]
    grant_types = ["authorization_code", "refresh_token"]
    [[clients]]
    client_id = "robot"
    client_secret = "a secret: 100% of +it & more = 32 characters"
    grant_types = ["client_credentials"]
    access_token_signed_response_alg = "ES256"
    scope = "openid orders:read orders:write"
"#;

const OFFLINE: &str = "openid email offline_access";

struct Office {
    house: House,
    app: Application,
}

impl Office {
    async fn new() -> Self {
        let house = House::with(MORE).await;
        let app = house.idp.application("app", "https://app.test/callback");
        Self { house, app }
    }

    /// What a login at the application gives.
    async fn signed_in(&self, scope: &str) -> Value {
        let code = self.house.code(&self.app.authorization_url(scope)).await;
        let answer = self.app.token(&code).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    async fn refresh(&self, token: &Value) -> Answer {
        refresh(&self.app, token, &[]).await
    }

    fn wait(&self, seconds: u64) {
        self.house.idp.clock().advance(Duration::from_secs(seconds));
    }
}

async fn refresh(app: &Application, token: &Value, more: &[(&str, &str)]) -> Answer {
    let mut parameters =
        vec![("grant_type", "refresh_token"), ("refresh_token", token.as_str().expect("a refresh token"))];
    parameters.extend_from_slice(more);
    app.token_with(&parameters).await
}

#[tokio::test]
async fn a_refresh_token_gives_new_tokens_and_its_successor() {
    let office = Office::new().await;
    let first = office.signed_in(OFFLINE).await;
    office.wait(60);
    let answer = office.refresh(&first["refresh_token"]).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["cache-control"]),
        (200, &"no-store".parse().unwrap())
    );
    let second = answer.json();
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_eq!(second["scope"], "email offline_access openid");
    assert_eq!(office.app.userinfo(second["access_token"].as_str().unwrap()).await.status, 200);

    let (old, new) =
        (part(first["id_token"].as_str().unwrap(), 1), part(second["id_token"].as_str().unwrap(), 1));
    for same in ["iss", "sub", "aud", "auth_time", "acr", "amr", "sid"] {
        assert_eq!(old[same], new[same], "{same}");
    }
    assert_eq!(new["iat"].as_i64(), old["iat"].as_i64().map(|iat| iat + 60));
    assert!(!new.contains_key("nonce"));
}

#[tokio::test]
async fn for_ten_seconds_the_same_successor_then_the_family_ends() {
    let office = Office::new().await;
    let first = office.signed_in(OFFLINE).await["refresh_token"].take();
    let second = office.refresh(&first).await.json()["refresh_token"].take();
    office.wait(10);
    assert_eq!(office.refresh(&first).await.json()["refresh_token"], second);
    office.wait(1);
    assert_eq!(error(&office.refresh(&first).await), refused(400, "invalid_grant"));
    assert!(matches!(office.house.idp.events().all().last(), Some(Event::RefreshTokenReused { .. })));
    assert_eq!(error(&office.refresh(&second).await), refused(400, "invalid_grant"));
}

/// A clock that is set back does not reopen the grace of a used token: its reuse ends the family.
#[tokio::test]
async fn a_clock_set_back_does_not_reopen_the_grace() {
    for back in [6, 30, 3600] {
        let office = Office::new().await;
        office.wait(7200);
        let first = office.signed_in(OFFLINE).await["refresh_token"].take();
        let second = office.refresh(&first).await.json()["refresh_token"].take();
        office.house.idp.clock().set_back(Duration::from_secs(back));
        assert_eq!(error(&office.refresh(&first).await), refused(400, "invalid_grant"), "{back}");
        assert!(matches!(office.house.idp.events().all().last(), Some(Event::RefreshTokenReused { .. })));
        assert_eq!(error(&office.refresh(&second).await), refused(400, "invalid_grant"), "{back}");
    }
    let office = Office::new().await;
    let first = office.signed_in(OFFLINE).await["refresh_token"].take();
    let second = office.refresh(&first).await.json()["refresh_token"].take();
    office.house.idp.clock().set_back(Duration::from_secs(2));
    assert_eq!(office.refresh(&first).await.json()["refresh_token"], second, "another node's clock is late");
}

#[tokio::test]
async fn of_many_at_once_all_get_the_one_successor() {
    let office = Office::new().await;
    let first = office.signed_in(OFFLINE).await["refresh_token"].take();
    let answers = join_all((0..64).map(|_| office.refresh(&first))).await;
    let mut successors: Vec<Value> =
        answers.iter().map(|answer| answer.json()["refresh_token"].take()).collect();
    assert!(successors.iter().all(Value::is_string), "{successors:?}");
    successors.dedup();
    assert_eq!(successors.len(), 1);
    assert_eq!(office.refresh(&successors[0]).await.status, 200);
}

#[tokio::test]
async fn another_client_gets_nothing_and_does_no_harm() {
    let office = Office::new().await;
    let first = office.signed_in(OFFLINE).await["refresh_token"].take();
    let other = office.house.idp.application("other", "https://other.test/callback");
    assert_eq!(error(&refresh(&other, &first, &[]).await), refused(400, "invalid_grant"));
    assert_eq!(office.refresh(&first).await.status, 200);
    assert_eq!(error(&office.refresh(&json!("made up")).await), refused(400, "invalid_grant"));
    assert_eq!(
        error(&office.app.token_with(&[("grant_type", "refresh_token")]).await),
        refused(400, "invalid_request")
    );
}

#[tokio::test]
async fn a_scope_may_shrink_but_not_grow() {
    let office = Office::new().await;
    let first = office.signed_in(OFFLINE).await["refresh_token"].take();
    let grown = refresh(&office.app, &first, &[("scope", "openid phone")]).await;
    assert_eq!(error(&grown), refused(400, "invalid_scope"));
    // Refused, not used up.
    let narrow = refresh(&office.app, &first, &[("scope", "openid")]).await.json();
    assert_eq!(narrow["scope"], "openid");
    let claims = office.app.userinfo(narrow["access_token"].as_str().unwrap()).await.json();
    assert_eq!(claims.get("email"), None);
    let whole = office.refresh(&narrow["refresh_token"]).await.json();
    assert_eq!(whole["scope"], "email offline_access openid");
}

/// Libraries send the same words at the authorization endpoint and at every refresh.
#[tokio::test]
async fn words_that_are_no_scope_are_ignored_at_a_refresh_too() {
    let office = Office::new().await;
    let words = "openid email offline_access User.Read urn:x:y orders:read";
    let mut tokens = office.signed_in(words).await;
    for scope in [words, "openid email offline_access", "nonsense email openid openid", "\"\\ email openid"] {
        assert!(tokens["refresh_token"].is_string(), "{tokens}");
        tokens = refresh(&office.app, &tokens["refresh_token"], &[("scope", scope)]).await.json();
        let all = ["email openid", "email offline_access openid"];
        assert!(all.contains(&tokens["scope"].as_str().unwrap_or_default()), "{scope}: {tokens}");
    }
    // A scope that exists and was not granted (attack 54), or nothing that exists: refused, and not used up.
    for scope in
        ["openid phone", "phone", "openid account:sessions", "openid nonsense phone", "nonsense", " "]
    {
        let answer = refresh(&office.app, &tokens["refresh_token"], &[("scope", scope)]).await;
        assert_eq!(error(&answer), refused(400, "invalid_scope"), "{scope}");
    }
    let whole = office.refresh(&tokens["refresh_token"]).await.json();
    assert_eq!(whole["scope"], "email offline_access openid");
}

#[tokio::test]
async fn nothing_is_refreshed_beyond_its_limits() {
    let office = Office::new().await;
    let mut token = office.signed_in(OFFLINE).await["refresh_token"].take();
    for _ in 0..9 {
        office.wait(24 * 3600);
        token = office.refresh(&token).await.json()["refresh_token"].take();
    }
    office.wait(24 * 3600 - 60);
    let last = office.refresh(&token).await.json();
    assert_eq!(last["expires_in"], 60, "the last access token ends with its family");
    office.wait(60);
    assert_eq!(error(&office.refresh(&last["refresh_token"]).await), refused(400, "invalid_grant"));

    let idle = office.signed_in(OFFLINE).await["refresh_token"].take();
    office.wait(2 * 24 * 3600);
    assert_eq!(error(&office.refresh(&idle).await), refused(400, "invalid_grant"));
}

#[tokio::test]
async fn without_offline_access_it_ends_with_the_session() {
    let office = Office::new().await;
    let online = office.signed_in("openid").await["refresh_token"].take();
    let offline = office.signed_in(OFFLINE).await["refresh_token"].take();
    let online = office.refresh(&online).await.json()["refresh_token"].take();
    let now = office.house.idp.idp().now();
    let sign_out = office.house.idp.idp().db().write(move |tx| {
        Box::pin(async move {
            let session = SessionId::new("a-session");
            ended_sessions::end(tx, &session).await?;
            grants::revoke_online(tx, &session, now).await
        })
    });
    assert_eq!(sign_out.await.unwrap(), 1);
    assert_eq!(error(&office.refresh(&online).await), refused(400, "invalid_grant"));
    assert_eq!(office.refresh(&offline).await.status, 200);

    let idle = office.signed_in("openid").await["refresh_token"].take();
    office.wait(30 * 60);
    assert_eq!(error(&office.refresh(&idle).await), refused(400, "invalid_grant"));
}

#[tokio::test]
async fn whatever_ends_the_grant_ends_the_next_refresh() {
    let endings = [
        "[[users]]\ntenant = \"one.test\"\nusername = \"anna\"\ndisabled = true",
        "[[users]]\ntenant = \"one.test\"\nusername = \"anna\"\npassword = \"another horse battery staple\"",
        "[[users]]\ntenant = \"one.test\"\nusername = \"anna\"\nstate = \"absent\"",
        "[[tenants]]\ndomain = \"one.test\"\ndisabled = true",
        "[[clients]]\nclient_id = \"app\"\nstate = \"absent\"",
        "[[clients]]\nclient_id = \"app\"\ndisabled = true",
        "[[clients]]\nclient_id = \"app\"\ngrant_types = [\"authorization_code\"]",
    ];
    for ending in endings {
        let office = Office::new().await;
        let token = office.signed_in(OFFLINE).await["refresh_token"].take();
        office.house.idp.idp().apply(ending).await.unwrap();
        let answer = office.refresh(&token).await;
        assert!(answer.status.is_client_error(), "{ending}: {}", answer.body);
    }
}

#[tokio::test]
async fn who_may_not_refresh_gets_no_refresh_token() {
    let office = Office::new().await;
    let shop = office.house.shop();
    let code = office.house.code(&shop.authorization_url(OFFLINE)).await;
    let answer = shop.token(&code).await.json();
    assert_eq!((answer.get("refresh_token"), &answer["scope"]), (None, &json!("email openid")));
    assert_eq!(error(&refresh(&shop, &json!("any"), &[]).await), refused(400, "unauthorized_client"));
}

#[tokio::test]
async fn a_client_gets_a_token_of_its_own() {
    let office = Office::new().await;
    let robot = office.house.idp.application("robot", "").secret(OFFICE_SECRET);
    let own = |scope: &'static str| {
        let robot = robot.clone();
        async move { robot.token_with(&[("grant_type", "client_credentials"), ("scope", scope)]).await }
    };
    let all = robot.token_with(&[("grant_type", "client_credentials")]).await.json();
    assert_eq!(all["scope"], "orders:read orders:write");
    assert_eq!((all.get("id_token"), all.get("refresh_token")), (None, None));
    let claims = part(all["access_token"].as_str().unwrap(), 1);
    assert_eq!((&claims["sub"], &claims["client_id"]), (&json!("robot"), &json!("robot")));
    assert_eq!((claims.get("grant"), claims.get("auth_time")), (None, None));
    assert_eq!(own("orders:read").await.json()["scope"], "orders:read");
    for wrong in ["openid", "orders:read orders:delete"] {
        assert_eq!(error(&own(wrong).await), refused(400, "invalid_scope"), "{wrong}");
    }
    let userinfo = robot.userinfo(all["access_token"].as_str().unwrap()).await;
    assert_eq!(userinfo.status, 403);

    let public = "[[clients]]\nclient_id = \"page\"\ntoken_endpoint_auth_method = \"none\"\n\
                  grant_types = [\"client_credentials\"]";
    office.house.idp.idp().apply(public).await.unwrap();
    let page = office.house.idp.application("page", "");
    let answer = page.token_with(&[("grant_type", "client_credentials")]).await;
    assert_eq!(error(&answer), refused(400, "unauthorized_client"));
}

#[tokio::test]
async fn a_refresh_token_is_given_back_with_its_family() {
    let office = Office::new().await;
    let first = office.signed_in(OFFLINE).await;
    let second = office.refresh(&first["refresh_token"]).await.json();
    // Another client's word changes nothing, and neither does what nobody knows.
    let other = office.house.idp.application("other", "https://other.test/callback");
    for token in [&second["refresh_token"], &second["access_token"], &json!("no such token")] {
        let answer = other.revoke(token.as_str().unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
    }
    assert_eq!(office.app.userinfo(second["access_token"].as_str().unwrap()).await.status, 200);
    assert_eq!(office.app.revoke(first["refresh_token"].as_str().unwrap()).await.status, 200);
    assert_eq!(error(&office.refresh(&second["refresh_token"]).await), refused(400, "invalid_grant"));
    assert_eq!(office.app.userinfo(second["access_token"].as_str().unwrap()).await.status, 401);
}

#[tokio::test]
async fn an_access_token_is_given_back_alone() {
    let office = Office::new().await;
    let first = office.signed_in(OFFLINE).await;
    let access = first["access_token"].as_str().unwrap();
    for _ in 0..2 {
        assert_eq!(office.app.revoke(access).await.status, 200);
        assert_eq!(office.app.userinfo(access).await.status, 401);
    }
    let second = office.refresh(&first["refresh_token"]).await.json();
    assert_eq!(office.app.userinfo(second["access_token"].as_str().unwrap()).await.status, 200);

    office
        .house
        .idp
        .idp()
        .apply("[[clients]]\nclient_id = \"app\"\naccess_token_format = \"opaque\"")
        .await
        .unwrap();
    let opaque = office.refresh(&second["refresh_token"]).await.json();
    let access = opaque["access_token"].as_str().unwrap();
    assert_eq!(office.app.userinfo(access).await.status, 200);
    assert_eq!(office.app.revoke(access).await.status, 200);
    assert_eq!(office.app.userinfo(access).await.status, 401);
    assert_eq!(office.refresh(&opaque["refresh_token"]).await.status, 200);
}

#[tokio::test]
async fn revocation_demands_the_client_and_a_token() {
    let office = Office::new().await;
    let stranger = office.house.idp.application("nobody", "");
    assert_eq!(error(&stranger.revoke("any").await), refused(401, "invalid_client"));
    let robot = office.house.idp.application("robot", "").secret(OFFICE_SECRET);
    let own = robot.token_with(&[("grant_type", "client_credentials")]).await.json();
    assert_eq!(robot.revoke(own["access_token"].as_str().unwrap()).await.status, 200);
}
