//! The account API: where a user is signed in, and the ways to end that.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use vestibule::testing::{Answer, Application, Browser, TestIdp, Tokens};

use crate::login::{DOMAIN, HOUSE, PASSWORD, enter, error, open, sign_in};
use crate::openapi::Description;

/// A portal may see and end sessions; a shop registered without scopes may not.
pub(crate) const PORTAL: &str = r#"
    [[clients]]
    client_id = "portal"
    client_name = "Portal"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://portal.test/callback"]
    scope = "openid profile account:sessions"
    audiences = ["https://orders.test/"]
"#;

/// An application that refreshes.
const APP: &str = r#"
    [[clients]]
    client_id = "app"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://app.test/callback"]
    grant_types = ["authorization_code", "refresh_token"]
"#;

pub(crate) const SESSIONS: &str = "/api/account/sessions";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0";

struct House {
    idp: TestIdp,
    portal: Application,
    shop: Application,
    description: Description,
}

impl House {
    async fn new() -> Self {
        let idp = TestIdp::with(HOUSE).await;
        idp.idp().apply(PORTAL).await.unwrap();
        let portal = idp.application("portal", "https://portal.test/callback");
        let shop = idp.application("shop", "https://shop.test/callback");
        let description = Description::of(&idp).await;
        Self { idp, portal, shop, description }
    }

    /// Signs a user in at the portal, in a browser of their own.
    async fn at_portal(&self, username: &str) -> (Browser, Tokens) {
        let mut browser = self.idp.browser().from_address(([192, 0, 2, 7], 4711).into());
        let page = browser.get(&self.portal.authorization_url("openid profile account:sessions")).await;
        let back = sign_in(&mut browser, &page, username, PASSWORD).await;
        let tokens = self.portal.redeem(&back).await;
        (browser, tokens)
    }

    async fn call(&self, method: Method, path: &str, token: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let url = format!("{}{path}", TestIdp::ISSUER);
        let answer = self.idp.browser().send(method.clone(), &url, &[("authorization", &bearer)], None).await;
        self.description.check(&method, path, &answer);
        answer
    }

    async fn list(&self, tokens: &Tokens) -> Vec<Value> {
        let answer = self.call(Method::GET, SESSIONS, &tokens.access_token).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["sessions"].as_array().unwrap().clone()
    }

    async fn is_alive(&self, tokens: &Tokens) -> bool {
        self.shop.userinfo(&tokens.access_token).await.status == 200
    }
}

/// Is this browser signed in?
async fn knows(browser: &mut Browser, app: &Application) -> bool {
    let silent = open(browser, app, &[("prompt", "none")]).await;
    silent.parameter("code").is_some()
}

fn problem(answer: &Answer) -> (u16, Value) {
    assert_eq!(answer.headers["content-type"], "application/problem+json", "{}", answer.body);
    let body = answer.json();
    assert_eq!(body["status"], answer.status.as_u16());
    (answer.status.as_u16(), body["type"].clone())
}

#[tokio::test]
async fn a_user_sees_where_they_are_signed_in() {
    let house = House::new().await;
    let agent = [("user-agent", FIREFOX)];
    let mut firefox = house.idp.browser().from_address(([198, 51, 100, 3], 1).into());
    let page = open(&mut firefox, &house.shop, &[]).await;
    let action = page.url.to_string();
    let csrf =
        page.body.split_once("name=\"csrf\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("csrf", csrf.as_str()),
            ("tenant", DOMAIN),
            ("username", "bert"),
            ("password", PASSWORD),
        ])
        .finish();
    let form = ("content-type", "application/x-www-form-urlencoded");
    let back = firefox.send(Method::POST, &action, &[agent[0], form], Some(body)).await;
    assert!(back.redirect().unwrap().as_str().contains("code="), "{}", back.body);

    house.idp.clock().advance(Duration::from_secs(5));
    let (mut browser, tokens) = house.at_portal("bert").await;
    enter_silently(&mut browser, &house.shop).await;
    let sessions = house.list(&tokens).await;
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    let (mine, other) = (&sessions[0], &sessions[1]);
    assert_eq!((&mine["current"], &mine["id"]), (&json!(true), &tokens.id_token["sid"]));
    assert_eq!(mine["issuer"], TestIdp::ISSUER);
    assert_eq!((&mine["browser"], &mine["address"]), (&Value::Null, &json!("192.0.2.7")));
    let names: Vec<_> = mine["applications"].as_array().unwrap().iter().map(|a| &a["client_name"]).collect();
    assert_eq!(names, ["Portal", "Shop"], "single sign-on is noted");
    assert_eq!((&other["current"], &other["browser"]), (&json!(false), &json!("Firefox")));
    assert_eq!(other["address"], "198.51.100.3");
    assert_eq!(other["last_used_at"].as_i64().unwrap() + 5, mine["created_at"].as_i64().unwrap());
    assert!(!serde_json::to_string(&sessions).unwrap().contains("cookie"));

    house.idp.clock().advance(Duration::from_mins(29));
    enter_silently(&mut browser, &house.shop).await;
    house.idp.clock().advance(Duration::from_mins(1));
    let page = browser.get(&house.portal.authorization_url("openid account:sessions")).await;
    let tokens = house.portal.redeem(&page).await;
    assert_eq!(house.list(&tokens).await.len(), 1, "what lay idle too long is no session");
}

async fn enter_silently(browser: &mut Browser, app: &Application) {
    assert!(knows(browser, app).await);
}

#[tokio::test]
async fn a_session_is_ended_from_elsewhere_with_what_it_gave() {
    let house = House::new().await;
    let mut lost = house.idp.browser();
    let stolen = house.shop.redeem(&enter(&mut lost, &house.shop, "bert").await).await;
    let (mut browser, tokens) = house.at_portal("bert").await;
    let sid = stolen.id_token["sid"].as_str().unwrap();
    let path = format!("{SESSIONS}/{sid}");
    let ended = house.call(Method::DELETE, &path, &tokens.access_token).await;
    assert_eq!((ended.status.as_u16(), ended.body.as_str()), (204, ""));
    assert!(!house.is_alive(&stolen).await);
    assert!(!knows(&mut lost, &house.shop).await);
    assert!(house.is_alive(&tokens).await && knows(&mut browser, &house.shop).await);
    let again = house.call(Method::DELETE, &path, &tokens.access_token).await;
    assert_eq!(problem(&again), (404, json!("urn:vestibule:problem:not-found")));
}

/// Another user's session gives the same bytes as one that never existed.
#[tokio::test]
async fn a_foreign_session_is_absent() {
    let house = House::new().await;
    let mut other = house.idp.browser();
    let page = open(&mut other, &house.shop, &[]).await;
    let fields = [("tenant", "other.sms"), ("username", "bert"), ("password", "another horse")];
    let theirs = house.shop.redeem(&other.submit(&page, &fields).await).await;
    let (_, tokens) = house.at_portal("bert").await;
    let foreign = format!("{SESSIONS}/{}", theirs.id_token["sid"].as_str().unwrap());
    let mut answers = Vec::new();
    for path in [
        foreign.as_str(),
        "/api/account/sessions/nobody",
        "/api/account/sessions/a%00b",
        "/api/account/sessions/%27%20OR%201=1",
    ] {
        let answer = house.call(Method::DELETE, path, &tokens.access_token).await;
        answers.push((problem(&answer), answer.body));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(house.is_alive(&theirs).await && knows(&mut other, &house.shop).await);
}

#[tokio::test]
async fn signing_out_everywhere_leaves_nothing_but_what_is_kept() {
    let house = House::new().await;
    let mut first = house.idp.browser();
    let at_shop = house.shop.redeem(&enter(&mut first, &house.shop, "bert").await).await;
    let (mut browser, tokens) = house.at_portal("bert").await;
    let odd = house.call(Method::DELETE, "/api/account/sessions?keep=all", &tokens.access_token).await;
    assert_eq!(
        problem(&odd),
        (400, json!("urn:vestibule:problem:invalid-request")),
        "nothing is ended by mistake"
    );
    assert_eq!(odd.json()["errors"][0]["parameter"], "keep");
    assert!(house.is_alive(&at_shop).await);

    let others = house.call(Method::DELETE, "/api/account/sessions?keep=current", &tokens.access_token).await;
    assert_eq!((others.status.as_u16(), &others.json()), (200, &json!({ "ended": 1 })));
    assert!(!house.is_alive(&at_shop).await && !knows(&mut first, &house.shop).await);
    assert!(house.is_alive(&tokens).await && knows(&mut browser, &house.shop).await);

    let all = house.call(Method::DELETE, SESSIONS, &tokens.access_token).await;
    assert_eq!(all.json(), json!({ "ended": 1 }));
    assert!(!knows(&mut browser, &house.shop).await);
    let dead = house.call(Method::GET, SESSIONS, &tokens.access_token).await;
    assert_eq!(problem(&dead), (401, json!("urn:vestibule:problem:token-invalid")));
}

#[tokio::test]
async fn a_token_without_the_scope_opens_nothing() {
    let house = House::new().await;
    let mut browser = house.idp.browser();
    let page = browser.get(&house.shop.authorization_url("openid profile account:sessions")).await;
    let tokens = house.shop.redeem(&sign_in(&mut browser, &page, "bert", PASSWORD).await).await;
    assert_eq!(tokens.response["scope"], "openid profile", "who does not register it cannot have it");
    for (method, path) in [
        (Method::GET, SESSIONS.to_owned()),
        (Method::DELETE, SESSIONS.to_owned()),
        (Method::DELETE, format!("{SESSIONS}/{}", tokens.id_token["sid"].as_str().unwrap())),
    ] {
        let refused = house.call(method, &path, &tokens.access_token).await;
        assert_eq!(problem(&refused), (403, json!("urn:vestibule:problem:scope-missing")));
        assert!(refused.headers["www-authenticate"].to_str().unwrap().contains("insufficient_scope"));
    }
    assert!(house.is_alive(&tokens).await && knows(&mut browser, &house.shop).await);
    let nothing = browser.get(&format!("{}{SESSIONS}", TestIdp::ISSUER)).await;
    assert_eq!(
        problem(&nothing),
        (401, json!("urn:vestibule:problem:token-missing")),
        "a cookie is no token"
    );
    let (_, portal) = house.at_portal("bert").await;
    let elsewhere = format!("{}/t/{DOMAIN}{SESSIONS}", TestIdp::ISSUER);
    let bearer = format!("Bearer {}", portal.access_token);
    let answer = browser.send(Method::GET, &elsewhere, &[("authorization", &bearer)], None).await;
    assert_eq!(problem(&answer).0, 401, "another issuer's token");
    let (mut browser, _) = house.at_portal("bert").await;
    let resource = [("resource", "https://orders.test/")];
    let url = house.portal.authorization_url_with("openid account:sessions", &resource);
    let orders = house.portal.redeem(&browser.get(&url).await).await;
    let answer = house.call(Method::GET, SESSIONS, &orders.access_token).await;
    assert_eq!(problem(&answer), (401, json!("urn:vestibule:problem:token-invalid")), "meant for others");
}

/// A password is typed, then changed elsewhere, then the login goes on: the old one opens nothing.
#[tokio::test]
async fn a_login_that_proved_the_old_password_is_not_finished() {
    let house = House::new().await;
    let careful = house.idp.application("careful", "https://careful.test/callback");
    let mut browser = house.idp.browser();
    let page = enter(&mut browser, &careful, "bert").await;
    assert_eq!(page.step(), Some("consent"));
    let user = |password: &str| {
        format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"bert\"\npassword = \"{password}\"\n")
    };
    // The clock stands still: the proof and the change are of one second.
    house.idp.idp().apply(&user("a password that nobody knows yet")).await.unwrap();
    let late = browser.submit(&page, &[("allow", "1")]).await;
    assert_eq!((late.step(), late.parameter("code")), (Some("identify"), None));
    let wrong = sign_in(&mut browser, &late, "bert", PASSWORD).await;
    assert_eq!(wrong.step(), Some("identify"));
    let right = sign_in(&mut browser, &wrong, "bert", "a password that nobody knows yet").await;
    let back = browser.submit(&right, &[("allow", "1")]).await;
    assert!(back.parameter("code").is_some(), "{} {}", back.url, back.body);
    assert_eq!(error(&back), None);
}

/// Of a login that is being completed and a new password, whichever is first: nothing of the old one remains.
#[tokio::test]
async fn a_login_and_a_new_password_at_once_leave_nothing_of_the_old_one() {
    let house = House::new().await;
    for round in 0..12 {
        let mut browser = house.idp.browser();
        let old = if round == 0 { PASSWORD.to_owned() } else { format!("the password number {}", round - 1) };
        let page = open(&mut browser, &house.shop, &[]).await;
        let new = format!(
            "[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"bert\"\npassword = \"the password number {round}\"\n"
        );
        let login = async { sign_in(&mut browser, &page, "bert", &old).await };
        let (back, changed) = tokio::join!(login, house.idp.idp().apply(&new));
        changed.unwrap();
        if let Some(code) = back.parameter("code") {
            let late = house.shop.token(&code).await;
            assert_eq!((late.status.as_u16(), &late.json()["error"]), (400, &json!("invalid_grant")));
        }
        assert!(!knows(&mut browser, &house.shop).await, "round {round}");
    }
}

/// The same for single sign-on and signing out everywhere.
#[tokio::test]
async fn a_sign_on_and_a_sign_out_everywhere_at_once_leave_nothing() {
    let house = House::new().await;
    for round in 0..12 {
        let (mut browser, tokens) = house.at_portal("bert").await;
        let sign_on = async { open(&mut browser, &house.shop, &[]).await };
        let (back, all) = tokio::join!(sign_on, house.call(Method::DELETE, SESSIONS, &tokens.access_token));
        assert_eq!(all.status, 200, "round {round}");
        if let Some(code) = back.parameter("code") {
            assert_eq!(house.shop.token(&code).await.json()["error"], "invalid_grant", "round {round}");
        }
        assert!(!knows(&mut browser, &house.shop).await, "round {round}");
    }
}

/// What each way of ending a session does to what it gave: only `offline_access` outlives a plain sign-out, and nothing
/// outlives the others. A limit of the session ends a token that has no `offline_access` in the very second.
#[tokio::test]
async fn offline_access_outlives_a_sign_out_and_nothing_else() {
    let house = House::new().await;
    house.idp.idp().apply(APP).await.unwrap();
    let app = house.idp.application("app", "https://app.test/callback");
    let refresh = async |tokens: &Tokens| {
        let token = tokens.response["refresh_token"].as_str().expect("a refresh token");
        app.token_with(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await.status.as_u16()
    };
    for (end, online, offline) in [
        ("sign out", 400, 200),
        ("one", 400, 400),
        ("all", 400, 400),
        ("idle", 400, 200),
        ("almost idle", 200, 200),
    ] {
        let mut browser = house.idp.browser();
        enter(&mut browser, &house.shop, "bert").await;
        let mut given = Vec::new();
        for scope in ["openid", "openid offline_access"] {
            let mut page = browser.get(&app.authorization_url_with(scope, &[("prompt", "consent")])).await;
            page = browser.submit(&page, &[("allow", "1")]).await;
            given.push(app.redeem(&page).await);
        }
        let (_, portal) = house.at_portal("bert").await;
        let sid = given[0].id_token["sid"].as_str().unwrap();
        match end {
            "sign out" => {
                let hint = given[0].response["id_token"].as_str().unwrap();
                let url = format!("{}/logout?id_token_hint={hint}", TestIdp::ISSUER);
                assert_eq!(browser.get(&url).await.status, 200);
            }
            "one" => {
                house.call(Method::DELETE, &format!("{SESSIONS}/{sid}"), &portal.access_token).await;
            }
            "all" => {
                house.call(Method::DELETE, "/api/account/sessions?keep=current", &portal.access_token).await;
            }
            "idle" => house.idp.clock().advance(Duration::from_mins(30)),
            _ => house.idp.clock().advance(Duration::from_secs(30 * 60 - 1)),
        }
        assert_eq!([refresh(&given[0]).await, refresh(&given[1]).await], [online, offline], "{end}");
    }
}
