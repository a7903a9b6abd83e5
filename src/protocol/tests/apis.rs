//! APIs and own scopes: the audience that is meant where none is asked for, the scopes that belong to an API, and the
//! `typ` of its tokens.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Map, Value, json};
use url::Url;

use super::{House, OFFICE_SECRET, error, part, refused, root};
use crate::crypto::jwt;
use crate::domain::client::SigningAlgorithm;
use crate::domain::reserved_names::{is_claim, is_reserved_claim};
use crate::http::Access;
use crate::provider::Idp;
use crate::testing::{Application, TestIdp};

const US: &str = TestIdp::ISSUER;
const ORDERS: &str = "https://orders.test";
const STOCK: &str = "https://stock.test/api";

const WORLD: &str = r#"
    [[scopes]]
    name = "orders:read"
    title = { en = "See your orders" }
    claims = ["email", "groups"]
    [[scopes]]
    name = "orders:write"
    title = { en = "Change your orders" }
    [[scopes]]
    name = "contact"
    title = { en = "See how you are reached" }
    claims = ["email", "tenant"]
    [[apis]]
    audience = "https://orders.test"
    typ = "JWT"
    scopes = ["orders:read", "orders:write"]
    [[apis]]
    audience = "https://stock.test/api"
    [[clients]]
    client_id = "buyer"
    client_secret = "a secret: 100% of +it & more = 32 characters"
    redirect_uris = ["https://buyer.test/callback"]
    grant_types = ["authorization_code", "refresh_token"]
    audiences = ["https://orders.test", "https://stock.test/api"]
    [[clients]]
    client_id = "plain"
    client_secret = "a secret: 100% of +it & more = 32 characters"
    redirect_uris = ["https://plain.test/callback"]
    grant_types = ["authorization_code", "refresh_token"]
    default_audience = "https://orders.test"
    [[clients]]
    client_id = "robot"
    client_secret = "a secret: 100% of +it & more = 32 characters"
    grant_types = ["client_credentials"]
    scope = "contact orders:read orders:write stock:count"
    audiences = ["https://orders.test"]
"#;

fn buyer(house: &House) -> Application {
    house.idp.application("buyer", "https://buyer.test/callback").secret(OFFICE_SECRET)
}

fn plain(house: &House) -> Application {
    house.idp.application("plain", "https://plain.test/callback").secret(OFFICE_SECRET)
}

/// What redeeming a code gives, with these `resource`s at both legs.
async fn redeemed(house: &House, app: &Application, scope: &str, asked: &[&str], narrowed: &[&str]) -> Value {
    let named = |names: &[&str]| -> Vec<(&str, String)> {
        names.iter().map(|name| ("resource", (*name).to_owned())).collect()
    };
    let (asked, narrowed) = (named(asked), named(narrowed));
    let asked: Vec<_> = asked.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let code = house.code(&app.authorization_url_with(scope, &asked)).await;
    let redirect_uri = Url::parse(&app.authorization_url(scope)).unwrap();
    let redirect_uri =
        redirect_uri.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1.into_owned();
    let mut request = vec![
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", redirect_uri.as_str()),
        ("code_verifier", Application::VERIFIER),
    ];
    request.extend(narrowed.iter().map(|(name, value)| (*name, value.as_str())));
    let answer = app.token_with(&request).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

async fn refreshed(app: &Application, tokens: &Value) -> Value {
    let token = tokens["refresh_token"].as_str().unwrap();
    let answer = app.token_with(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

fn access(tokens: &Value) -> &str {
    tokens["access_token"].as_str().unwrap()
}

fn claims(tokens: &Value) -> Map<String, Value> {
    part(access(tokens), 1)
}

#[tokio::test]
async fn without_a_resource_a_token_is_for_the_default_audience() {
    let house = House::with(WORLD).await;
    let app = plain(&house);
    for (scope, narrowed, expected) in [
        ("openid", vec![], json!([US, ORDERS])),
        ("profile", vec![], json!(ORDERS)),
        ("openid", vec![US], json!(US)),
        ("openid", vec![ORDERS], json!(ORDERS)),
    ] {
        let tokens = redeemed(&house, &app, scope, &[], &narrowed).await;
        assert_eq!(claims(&tokens)["aud"], expected, "{scope} {narrowed:?}");
    }
    let tokens = redeemed(&house, &app, "openid", &[US], &[]).await;
    assert_eq!(claims(&tokens)["aud"], US, "what is asked for is no default");
    let tokens = redeemed(&house, &app, "openid", &[], &[]).await;
    assert_eq!(app.userinfo(access(&tokens)).await.status, 200);
    let tokens = refreshed(&app, &tokens).await;
    assert_eq!(claims(&tokens)["aud"], json!([US, ORDERS]));
}

/// Few applications can send `resource`; their users need not sign in again when the operator registers the default.
#[tokio::test]
async fn a_default_audience_counts_for_earlier_logins_too() {
    let house = House::with(WORLD).await;
    let app = plain(&house);
    let set = async |audience: &str| {
        let client = format!("[[clients]]\nclient_id = \"plain\"\ndefault_audience = \"{audience}\"");
        house.idp.idp().apply(&client).await.unwrap();
    };
    set("").await;
    let tokens = redeemed(&house, &app, "openid", &[], &[]).await;
    assert_eq!(claims(&tokens)["aud"], US);
    set(STOCK).await;
    let tokens = refreshed(&app, &tokens).await;
    assert_eq!(claims(&tokens)["aud"], json!([US, STOCK]));
    set(ORDERS).await;
    assert_eq!(claims(&refreshed(&app, &tokens).await)["aud"], json!([US, ORDERS]));
}

#[tokio::test]
async fn an_apis_scope_is_granted_in_its_tokens_only() {
    let house = House::with(WORLD).await;
    let app = buyer(&house);
    let all = "openid contact orders:read orders:write nonsense";
    for (asked, narrowed, expected) in [
        (vec![], vec![], "contact openid"),
        (vec![STOCK], vec![], "contact openid"),
        (vec![ORDERS], vec![], "contact openid orders:read orders:write"),
        (vec![ORDERS, STOCK], vec![STOCK], "contact openid"),
        (vec![ORDERS, STOCK], vec![ORDERS], "contact openid orders:read orders:write"),
        (vec![ORDERS], vec![US], "contact openid"),
    ] {
        let tokens = redeemed(&house, &app, all, &asked, &narrowed).await;
        assert_eq!(
            (&tokens["scope"], &claims(&tokens)["scope"]),
            (&json!(expected), &json!(expected)),
            "{asked:?}"
        );
    }
    let tokens = redeemed(&house, &app, all, &[ORDERS, STOCK], &[STOCK]).await;
    let tokens = refreshed(&app, &tokens).await;
    assert_eq!(tokens["scope"], "contact openid orders:read orders:write", "the grant still has them");
    let tokens = redeemed(&house, &plain(&house), all, &[], &[]).await;
    assert_eq!(
        tokens["scope"], "contact openid orders:read orders:write",
        "a default audience is an audience"
    );
}

#[tokio::test]
async fn an_own_scope_delivers_its_claims() {
    let house = House::with(WORLD).await;
    let app = buyer(&house);
    let tokens = redeemed(&house, &app, "openid contact", &[ORDERS], &[]).await;
    let told = app.userinfo(access(&tokens)).await.json();
    assert_eq!((&told["email"], &told["tenant"]), (&json!("anna@example.test"), &json!("one.test")));
    assert_eq!(claims(&tokens).get("email"), None, "it belongs to no API");

    let tokens = redeemed(&house, &app, "openid orders:read", &[ORDERS], &[]).await;
    let token = claims(&tokens);
    assert_eq!((&token["email"], &token["groups"]), (&json!("anna@example.test"), &json!([])));
    assert_eq!(token.get("tenant"), None);
    assert_eq!(app.userinfo(access(&tokens)).await.json()["email"], "anna@example.test");
    let narrowed = redeemed(&house, &app, "openid orders:read", &[ORDERS], &[US]).await;
    assert_eq!(claims(&narrowed).get("email"), None);
    assert_eq!(app.userinfo(access(&narrowed)).await.json().get("email"), None);

    house.idp.idp().apply("[[scopes]]\nname = \"orders:read\"\nclaims = []").await.unwrap();
    assert_eq!(app.userinfo(access(&tokens)).await.json().get("email"), None, "as it is declared now");
}

#[tokio::test]
async fn a_client_gets_its_own_scopes_for_itself() {
    let house = House::with(WORLD).await;
    let robot = house.idp.application("robot", "").secret(OFFICE_SECRET);
    let ask = async |more: &[(&str, &str)]| {
        let mut request = vec![("grant_type", "client_credentials")];
        request.extend_from_slice(more);
        robot.token_with(&request).await
    };
    let given = ask(&[("resource", ORDERS)]).await.json();
    assert_eq!(
        (&given["scope"], &claims(&given)["aud"]),
        (&json!("orders:write stock:count"), &json!(ORDERS))
    );
    assert_eq!(ask(&[]).await.json()["scope"], "stock:count", "what fits the provider itself");
    for wrong in ["contact", "orders:read"] {
        let answer = ask(&[("resource", ORDERS), ("scope", wrong)]).await;
        assert_eq!(error(&answer), refused(400, "invalid_scope"), "{wrong} is about a user");
    }
    assert_eq!(error(&ask(&[("scope", "orders:write")]).await), refused(400, "invalid_scope"));
    let default = "[[clients]]\nclient_id = \"robot\"\ndefault_audience = \"https://orders.test\"";
    house.idp.idp().apply(default).await.unwrap();
    let given = ask(&[("scope", "orders:write")]).await.json();
    assert_eq!((&claims(&given)["aud"], &part(access(&given), 0)["typ"]), (&json!(ORDERS), &json!("JWT")));
    let own = ask(&[("resource", US)]).await.json();
    assert_eq!((&own["scope"], &claims(&own)["aud"]), (&json!("stock:count"), &json!(US)));
}

#[tokio::test]
async fn discovery_lists_own_scopes_at_once() {
    let house = House::with(WORLD).await;
    let listed = async || {
        let answer = house.send(Method::GET, "/.well-known/openid-configuration", &[], "").await.json();
        answer["scopes_supported"].to_string()
    };
    let before = listed().await;
    for word in ["\"roles\"", "\"groups\"", "\"orders:read\"", "\"contact\""] {
        assert!(before.contains(word), "{before}");
    }
    house.idp.idp().apply("[[scopes]]\nname = \"more\"\ntitle = { en = \"More\" }").await.unwrap();
    assert!(listed().await.contains("\"more\""));
}

#[tokio::test]
async fn a_token_says_the_type_that_its_api_knows() {
    let house = House::with(WORLD).await;
    let app = buyer(&house);
    for (asked, typ) in
        [(vec![], "at+jwt"), (vec![STOCK], "at+jwt"), (vec![ORDERS], "JWT"), (vec![ORDERS, STOCK], "JWT")]
    {
        let tokens = redeemed(&house, &app, "openid", &asked, &[]).await;
        assert_eq!(part(access(&tokens), 0)["typ"], typ, "{asked:?}");
        assert_eq!(app.userinfo(access(&tokens)).await.status, 200, "{asked:?}");
        assert_eq!(app.introspect(access(&tokens)).await.json()["active"], true);
        let hint = app.authorization_url_with("openid", &[("id_token_hint", access(&tokens))]);
        assert!(house.validate(hint.split_once('?').unwrap().1).await.is_err(), "it is no ID token");
        assert_eq!(app.revoke(access(&tokens)).await.status, 200);
        assert_eq!(error(&app.userinfo(access(&tokens)).await), refused(401, "invalid_token"), "{asked:?}");
    }
}

/// A later token carries neither a scope that was removed nor one whose API was.
#[tokio::test]
async fn a_scope_that_was_taken_away_is_in_no_later_token() {
    let house = House::with(WORLD).await;
    let app = buyer(&house);
    let tokens = redeemed(&house, &app, "openid contact orders:write", &[ORDERS], &[]).await;
    assert_eq!(tokens["scope"], "contact openid orders:write");
    house.idp.idp().apply("[[scopes]]\nname = \"contact\"\nstate = \"absent\"").await.unwrap();
    assert_eq!(app.userinfo(access(&tokens)).await.json().get("email"), None);
    let tokens = refreshed(&app, &tokens).await;
    assert_eq!(
        (&tokens["scope"], &claims(&tokens)["scope"]),
        (&json!("openid orders:write"), &json!("openid orders:write"))
    );
}

/// A claim of a client's choosing, or of the host's, never stands where the token says what it is.
#[tokio::test]
async fn no_claim_of_a_token_can_be_named_otherwise() {
    let house = House::with(WORLD).await;
    let robot = house.idp.application("robot", "").secret(OFFICE_SECRET);
    house.idp.idp().apply("[[clients]]\nclient_id = \"robot\"\ndisabled = true").await.unwrap();
    house.idp.idp().apply("[[clients]]\nclient_id = \"robot\"\ndisabled = false").await.unwrap();
    let own = robot.token_with(&[("grant_type", "client_credentials")]).await.json();
    let users = redeemed(&house, &buyer(&house), "openid", &[], &[]).await;
    let id = part(users["id_token"].as_str().unwrap(), 1);
    let names: BTreeSet<String> =
        [claims(&own), claims(&users), id].into_iter().flatten().map(|(name, _)| name).collect();
    assert!(names.contains("epoch") && names.contains("grant") && names.contains("sid"), "{names:?}");
    for name in names {
        assert!(is_claim(&name) && is_reserved_claim(&name), "{name}");
    }
}

/// What no API wants any longer is not taken either, be it in time and signed by us.
#[tokio::test]
async fn a_plain_type_counts_only_while_an_api_wants_it() {
    let house = House::with(WORLD).await;
    let app = buyer(&house);
    let tokens = redeemed(&house, &app, "openid", &[ORDERS], &[]).await;
    assert_eq!(app.userinfo(access(&tokens)).await.status, 200);
    let typed = "[[apis]]\naudience = \"https://orders.test\"\ntyp = \"at+jwt\"";
    house.idp.idp().apply(typed).await.unwrap();
    assert_eq!(error(&app.userinfo(access(&tokens)).await), refused(401, "invalid_token"));
    let fresh = redeemed(&house, &app, "openid", &[ORDERS], &[]).await;
    house.idp.idp().apply(&typed.replace("at+jwt", "JWT")).await.unwrap();
    for tokens in [tokens, fresh] {
        assert_eq!(app.userinfo(access(&tokens)).await.status, 200);
    }
}

/// RFC 9068 §4, RFC 8725 §3.12: an ID token opens nothing, whatever its `typ` says and whatever claims it holds; neither
/// does one to which the claims of an access token were added, but for one.
#[tokio::test]
async fn no_endpoint_takes_an_id_token_for_an_access_token() {
    let house = House::with(WORLD).await;
    let all = "[[clients]]\nclient_id = \"buyer\"\nid_token_claims = true";
    house.idp.idp().apply(all).await.unwrap();
    let app = buyer(&house);
    let scope = "openid profile email roles groups contact orders:read";
    let tokens = redeemed(&house, &app, scope, &[ORDERS], &[]).await;
    let (id, good) = (tokens["id_token"].as_str().unwrap(), claims(&tokens));
    let key = house.idp.idp().signing_key(&root(), SigningAlgorithm::Rs256).await.unwrap();
    let mut bearers = vec![id.to_owned()];
    for typ in ["JWT", "at+jwt", "application/at+jwt"] {
        bearers.push(jwt::sign(&key, typ, &part(id, 1)).unwrap());
        for missing in ["aud", "client_id", "jti", "scope", "grant"] {
            let mut mixed = part(id, 1);
            for name in
                ["aud", "client_id", "jti", "scope", "grant"].into_iter().filter(|name| *name != missing)
            {
                mixed.insert(name.to_owned(), good[name].clone());
            }
            bearers.push(jwt::sign(&key, typ, &mixed).unwrap());
        }
    }
    let routes: Vec<_> =
        Idp::routes().into_iter().filter(|route| matches!(route.access, Access::Bearer(_))).collect();
    assert!(routes.len() > 2, "{routes:?}");
    for bearer in &bearers {
        for route in &routes {
            for method in route.methods {
                let path = route.path.replace("{id}", "a-session");
                let header = format!("Bearer {bearer}");
                let answer = house.send(method.clone(), &path, &[("authorization", &header)], "").await;
                assert_eq!(answer.status, 401, "{method} {path}: {:?}", part(bearer, 0));
                let challenge = answer.headers["www-authenticate"].to_str().unwrap();
                assert!(challenge.contains("invalid_token"), "{method} {path}: {challenge}");
            }
        }
        assert_eq!(app.introspect(bearer).await.json(), json!({ "active": false }));
        assert_eq!(app.revoke(bearer).await.status, 200);
    }
    assert_eq!(app.userinfo(access(&tokens)).await.status, 200, "and none of them was revoked");
}

/// What an API gets to see must do nothing here but tell claims: as with `resource`.
#[tokio::test]
async fn a_token_for_the_default_audience_does_not_open_the_account_api() {
    let house = House::with(WORLD).await;
    let portal = "[[clients]]\nclient_id = \"plain\"\nscope = \"openid account:sessions\"";
    house.idp.idp().apply(portal).await.unwrap();
    let app = plain(&house);
    for (narrowed, status) in [(vec![], 401), (vec![ORDERS], 401), (vec![US], 200)] {
        let tokens = redeemed(&house, &app, "openid account:sessions", &[], &narrowed).await;
        let header = format!("Bearer {}", access(&tokens));
        let answer =
            house.send(Method::GET, "/api/account/sessions", &[("authorization", &header)], "").await;
        assert_eq!(answer.status, status, "{narrowed:?} {}", answer.body);
    }
}
