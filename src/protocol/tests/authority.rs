//! Roles and groups as claims: where they stand, under which names, and whose groups are believed.

use serde_json::{Map, Value, json};

use super::{House, OFFICE_SECRET, part};
use crate::testing::{Application, TestIdp};

const WORLD: &str = r#"
    [[tenants]]
    domain = "two.test"
    name = "Two"
    [[groups]]
    tenant = "one.test"
    name = "staff"
    [[groups]]
    tenant = "one.test"
    name = "admins"
    [[users]]
    tenant = "one.test"
    username = "anna"
    roles = ["admin"]
    groups = ["staff", "admins"]
    [[clients]]
    client_id = "reader"
    client_secret = "a secret: 100% of +it & more = 32 characters"
    redirect_uris = ["https://reader.test/callback"]
    grant_types = ["authorization_code", "refresh_token"]
    [[clients]]
    client_id = "veiled"
    client_secret = "a secret: 100% of +it & more = 32 characters"
    redirect_uris = ["https://reader.test/callback"]
    access_token_format = "opaque"
    [[clients]]
    tenant = "one.test"
    client_id = "home"
    client_secret = "a secret: 100% of +it & more = 32 characters"
    redirect_uris = ["https://home.test/callback"]
"#;

/// What a client reads of one user at every place.
struct Read {
    id_token: Map<String, Value>,
    userinfo: Value,
    access_token: Map<String, Value>,
    response: Value,
}

async fn house() -> House {
    let house = House::new().await;
    house.idp.idp().apply(WORLD).await.unwrap();
    house
}

fn reader(house: &House) -> Application {
    house.idp.application("reader", "https://reader.test/callback").secret(OFFICE_SECRET)
}

async fn read(house: &House, app: &Application, scope: &str, more: &[(&str, &str)]) -> Read {
    let code = house.code(&app.authorization_url_with(scope, more)).await;
    let answer = app.token(&code).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let response = answer.json();
    let text = |name: &str| response[name].as_str().unwrap().to_owned();
    let access = text("access_token");
    let userinfo = app.userinfo(&access).await;
    assert_eq!(userinfo.status, 200, "{}", userinfo.body);
    Read {
        id_token: part(&text("id_token"), 1),
        userinfo: userinfo.json(),
        access_token: part(&access, 1),
        response,
    }
}

#[tokio::test]
async fn both_stand_where_the_scopes_claims_stand_and_in_access_tokens() {
    let house = house().await;
    let groups = json!(["one.test/admins", "one.test/staff"]);
    let told = read(&house, &reader(&house), "openid roles groups", &[]).await;
    assert_eq!((&told.userinfo["roles"], &told.userinfo["groups"]), (&json!(["admin"]), &groups));
    assert_eq!(told.userinfo["tenant"], "one.test", "an admin of which tenant");
    let access = &told.access_token;
    assert_eq!(
        (&access["roles"], &access["groups"], &access["tenant"]),
        (&json!(["admin"]), &groups, &json!("one.test"))
    );
    assert_eq!((told.id_token.get("roles"), told.id_token.get("groups")), (None, None));

    house.idp.idp().apply("[[clients]]\nclient_id = \"reader\"\nid_token_claims = true").await.unwrap();
    let told = read(&house, &reader(&house), "openid roles groups", &[]).await;
    assert_eq!((&told.id_token["roles"], &told.id_token["groups"]), (&json!(["admin"]), &groups));

    let one = [("claims", r#"{"userinfo":{"roles":null}}"#)];
    let told = read(&house, &reader(&house), "openid", &one).await;
    assert_eq!((&told.userinfo["roles"], &told.userinfo["tenant"]), (&json!(["admin"]), &json!("one.test")));
    assert_eq!(told.userinfo.get("groups"), None);

    let told = read(&house, &reader(&house), "openid email", &[]).await;
    for claims in [&told.id_token, &told.access_token, told.userinfo.as_object().unwrap()] {
        assert!(!claims.contains_key("roles") && !claims.contains_key("groups"), "{claims:?}");
    }
    assert!(!told.access_token.contains_key("email"), "standard claims are not an API's business");
}

/// A user without groups gets an empty list, not a missing claim.
#[tokio::test]
async fn who_has_none_is_told_so() {
    let house = House::with("").await;
    let told = read(&house, &house.office(), "openid roles groups", &[]).await;
    assert_eq!((&told.userinfo["roles"], &told.userinfo["groups"]), (&json!([]), &json!([])));
    assert_eq!((&told.access_token["roles"], &told.access_token["groups"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn both_names_are_the_clients_to_choose() {
    let house = house().await;
    let named = "[[clients]]\nclient_id = \"reader\"\nroles_claim = \"https://reader.test/roles\"\ngroups_claim = \"roles\"";
    house.idp.idp().apply(named).await.unwrap();
    let groups = json!(["one.test/admins", "one.test/staff"]);
    let told = read(&house, &reader(&house), "openid roles groups", &[]).await;
    for claims in [told.userinfo.as_object().unwrap(), &told.access_token] {
        assert_eq!((&claims["https://reader.test/roles"], &claims["roles"]), (&json!(["admin"]), &groups));
        assert_eq!(claims.get("groups"), None);
    }
    let one = [("claims", r#"{"id_token":{"roles":null},"userinfo":{"https://reader.test/roles":null}}"#)];
    let told = read(&house, &reader(&house), "openid", &one).await;
    assert_eq!((&told.id_token["roles"], told.id_token.get("https://reader.test/roles")), (&groups, None));
    assert_eq!(
        (&told.userinfo["https://reader.test/roles"], told.userinfo.get("roles")),
        (&json!(["admin"]), None)
    );
}

/// A tenant's administrator may choose any group name; it must grant nothing at another tenant's application.
#[tokio::test]
async fn a_client_of_the_root_issuer_believes_the_tenants_that_it_names() {
    let house = house().await;
    let of = async |domains: &str| {
        let client = format!("[[clients]]\nclient_id = \"reader\"\ngroups_of = {domains}");
        house.idp.idp().apply(&client).await.unwrap();
        let told = read(&house, &reader(&house), "openid roles groups", &[]).await;
        assert_eq!(told.userinfo["groups"], told.access_token["groups"]);
        (told.userinfo["roles"].clone(), told.userinfo["groups"].clone())
    };
    let (admin, bare) = (json!(["admin"]), json!(["admins", "staff"]));
    assert_eq!(of("[\"one.test\"]").await, (admin.clone(), bare.clone()));
    assert_eq!(of("[\"two.test\", \"one.test\"]").await, (admin.clone(), bare));
    assert_eq!(of("[\"two.test\"]").await, (json!([]), json!([])));
    assert_eq!(of("[]").await, (admin, json!(["one.test/admins", "one.test/staff"])));

    let slash = "[[groups]]\ntenant = \"two.test\"\nname = \"one.test/admins\"";
    let refused = house.idp.idp().apply(slash).await.unwrap_err().to_string();
    assert!(refused.starts_with("groups[0].name: must be a name"), "{refused}");
}

/// A tenant of the same domain that is made later is another one.
#[tokio::test]
async fn a_tenant_that_comes_back_under_its_domain_is_not_believed() {
    let house = house().await;
    house.idp.idp().apply("[[clients]]\nclient_id = \"reader\"\ngroups_of = [\"one.test\"]").await.unwrap();
    house.idp.idp().apply("[[tenants]]\ndomain = \"one.test\"\nstate = \"absent\"").await.unwrap();
    let again = r#"
        [[tenants]]
        domain = "one.test"
        [[groups]]
        tenant = "one.test"
        name = "admins"
        [[users]]
        tenant = "one.test"
        username = "anna"
        groups = ["admins"]
    "#;
    house.idp.idp().apply(again).await.unwrap();
    let house = House::of(house.idp).await;
    let told = read(&house, &reader(&house), "openid groups", &[]).await;
    assert_eq!(told.userinfo["groups"], json!([]));
}

#[tokio::test]
async fn a_tenants_own_client_reads_bare_names() {
    let house = house().await;
    let issuer = format!("{}/t/one.test", TestIdp::ISSUER);
    let home =
        Application::new(&house.idp, &issuer, "home", "https://home.test/callback").secret(OFFICE_SECRET);
    let house = house.at_tenant("one.test").await;
    let told = read(&house, &home, "openid groups", &[]).await;
    assert_eq!(told.userinfo["groups"], json!(["admins", "staff"]));
    assert_eq!(told.access_token["groups"], json!(["admins", "staff"]));
}

/// Membership ends nothing; it is read whenever it is asked for.
#[tokio::test]
async fn who_left_a_group_is_out_of_it_at_the_next_question() {
    let house = house().await;
    let told = read(&house, &reader(&house), "openid groups", &[]).await;
    let access = told.response["access_token"].as_str().unwrap().to_owned();
    let refresh = told.response["refresh_token"].as_str().unwrap().to_owned();
    let left = "[[users]]\ntenant = \"one.test\"\nusername = \"anna\"\ngroups = [\"staff\"]";
    house.idp.idp().apply(left).await.unwrap();
    assert_eq!(reader(&house).userinfo(&access).await.json()["groups"], json!(["one.test/staff"]));
    house
        .idp
        .idp()
        .apply("[[groups]]\ntenant = \"one.test\"\nname = \"staff\"\nstate = \"absent\"")
        .await
        .unwrap();
    assert_eq!(reader(&house).userinfo(&access).await.json()["groups"], json!([]));
    let parameters = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    let refreshed = reader(&house).token_with(&parameters).await.json();
    assert_eq!(part(refreshed["access_token"].as_str().unwrap(), 1)["groups"], json!([]));
}

#[tokio::test]
async fn a_list_too_long_for_a_token_is_at_userinfo_only() {
    let house = house().await;
    house.idp.idp().apply("[[clients]]\nclient_id = \"reader\"\nid_token_claims = true").await.unwrap();
    for (count, in_token) in [(200, true), (201, false)] {
        let names: Vec<String> = (0..count).map(|n| format!("g{n:03}")).collect();
        let user = format!("[[users]]\ntenant = \"one.test\"\nusername = \"anna\"\ngroups = {names:?}");
        let group = |name: &String| format!("[[groups]]\ntenant = \"one.test\"\nname = \"{name}\"");
        let document: Vec<String> = names.iter().map(group).chain([user]).collect();
        house.idp.idp().apply(&document.join("\n")).await.unwrap();
        let told = read(&house, &reader(&house), "openid groups", &[]).await;
        assert_eq!(told.userinfo["groups"].as_array().unwrap().len(), count);
        assert_eq!(told.access_token.contains_key("groups"), in_token, "{count}");
        assert_eq!(told.id_token.contains_key("groups"), in_token, "{count}");
    }
}

/// An API that is told of an opaque token only by introspection reads there what a JWT would say.
#[tokio::test]
async fn introspection_tells_both() {
    let house = house().await;
    let veiled = house.idp.application("veiled", "https://reader.test/callback").secret(OFFICE_SECRET);
    let code = house.code(&veiled.authorization_url("openid roles groups")).await;
    let access = veiled.token(&code).await.json()["access_token"].as_str().unwrap().to_owned();
    let told = veiled.introspect(&access).await.json();
    assert_eq!((&told["active"], &told["roles"]), (&json!(true), &json!(["admin"])));
    assert_eq!(told["groups"], json!(["one.test/admins", "one.test/staff"]));
}

/// Groups cost one short read where they are asked for, and nothing where they are not.
#[tokio::test]
async fn groups_cost_one_read() {
    let house = house().await;
    for (scope, statements) in [("openid profile", 1), ("openid roles", 1), ("openid roles groups", 2)] {
        let told = read(&house, &reader(&house), scope, &[]).await;
        let access = told.response["access_token"].as_str().unwrap();
        let before = house.idp.idp().db().statements();
        reader(&house).userinfo(access).await;
        assert_eq!(house.idp.idp().db().statements() - before, statements, "{scope}");
    }
}
