//! Groups, own scopes and APIs in `apply` and `export`, and on the consent page.

use serde_json::{Map, Value};
use vestibule::Applied;
use vestibule::domain::ids::ClientId;
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::scope::Scope;
use vestibule::domain::settings::Settings;
use vestibule::domain::user::User;
use vestibule::ext::{BoxFuture, ClaimSource, OwnClaims, Unavailable};
use vestibule::testing::TestIdp;

use super::apply::{export, mistakes};

const WORLD: &str = r#"
[[tenants]]
domain = "one.test"
name = "One"
hosts = ["login.one.test"]

[[tenants]]
domain = "two.test"
name = "Two"

[[groups]]
tenant = "one.test"
name = "staff"

[[groups]]
tenant = "one.test"
name = "Sales North"

[[groups]]
tenant = "two.test"
name = "staff"

[[users]]
tenant = "one.test"
username = "anna"
password = "correct horse battery staple"
groups = ["staff", "Sales North", "staff"]

[[users]]
tenant = "two.test"
username = "bert"

[[scopes]]
name = "orders:read"
title = { en = "see your orders", de = "Ihre Bestellungen sehen", fr = "voir vos commandes" }
claims = ["groups", "email"]

[[scopes]]
name = "orders:write"
title = { en = "change your orders" }

[[apis]]
audience = "https://orders.test"
typ = "JWT"
scopes = ["orders:write", "orders:read"]

[[apis]]
audience = "urn:example:stock"

[[clients]]
client_id = "shop"
token_endpoint_auth_method = "none"
redirect_uris = ["https://shop.test/callback"]
scope = "openid profile roles groups orders:read orders:write"
require_consent = true
roles_claim = "https://shop.test/roles"
groups_claim = "roles"
groups_of = ["two.test", "one.test"]
default_audience = "https://orders.test"

[[clients]]
tenant = "one.test"
client_id = "desk"
token_endpoint_auth_method = "none"
redirect_uris = ["https://desk.test/callback"]
"#;

fn assert_told(told: &str, starts: &[&str]) {
    for start in starts {
        assert!(told.lines().any(|line| line.starts_with(start)), "{start} is not in:\n{told}");
    }
    assert_eq!(told.lines().count(), starts.len(), "{told}");
}

#[tokio::test]
async fn what_was_applied_is_exported_and_comes_back() {
    let idp = TestIdp::with("").await;
    let applied = idp.idp().apply(WORLD).await.unwrap();
    for key in
        ["group one.test/Sales North", "group two.test/staff", "scope orders:read", "api urn:example:stock"]
    {
        assert!(applied.created.iter().any(|created| created == key), "{key} is not in {applied}");
    }
    assert_eq!(idp.idp().apply(WORLD).await.unwrap(), Applied::default());
    let first = export(&idp).await;
    let second = TestIdp::with(&first).await;
    assert_eq!(export(&second).await, first);
    assert!(second.idp().apply(&first).await.unwrap().is_nothing());
    assert!(second.idp().apply(WORLD).await.unwrap().is_nothing());
    for part in [
        "groups = [\"Sales North\", \"staff\"]",
        "groups_of = [\"two.test\", \"one.test\"]",
        "roles_claim = \"https://shop.test/roles\"",
        "default_audience = \"https://orders.test\"",
        "typ = \"JWT\"",
        "scopes = [\"orders:read\", \"orders:write\"]",
        "claims = [\"email\", \"groups\"]",
        "de = \"Ihre Bestellungen sehen\"",
    ] {
        assert!(first.contains(part), "{part} is not in:\n{first}");
    }
}

#[tokio::test]
async fn only_what_differs_is_changed() {
    let idp = TestIdp::with(WORLD).await;
    for (document, changed) in [
        ("[[users]]\ntenant = \"one.test\"\nusername = \"anna\"\ngroups = [\"staff\"]", "user one.test/anna"),
        ("[[scopes]]\nname = \"orders:write\"\ntitle = { de = \"\u{e4}ndern\" }", "scope orders:write"),
        ("[[apis]]\naudience = \"https://orders.test\"\ntyp = \"at+jwt\"", "api https://orders.test"),
        ("[[apis]]\naudience = \"https://orders.test\"\nscopes = []", "api https://orders.test"),
        (
            "[[clients]]\nclient_id = \"shop\"\ngroups_of = []\ngroups_claim = \"\"\ndefault_audience = \"\"",
            "client shop",
        ),
    ] {
        assert_eq!(idp.idp().apply(document).await.unwrap().to_string(), format!("changed {changed}"));
        assert!(idp.idp().apply(document).await.unwrap().is_nothing(), "{document}");
    }
    let after = export(&idp).await;
    for part in ["groups_of", "groups_claim", "default_audience", "typ =", "Sales North\"]", "scopes = ["] {
        assert!(!after.contains(part), "{part} is in:\n{after}");
    }
    for part in ["en = \"change your orders\"", "groups = [\"staff\"]", "roles_claim"] {
        assert!(after.contains(part), "{part} is not in:\n{after}");
    }
}

#[tokio::test]
async fn absent_removes() {
    let idp = TestIdp::with(WORLD).await;
    let group = "[[groups]]\ntenant = \"one.test\"\nname = \"Sales North\"\nstate = \"absent\"";
    assert_eq!(idp.idp().apply(group).await.unwrap().to_string(), "removed group one.test/Sales North");
    assert!(idp.idp().apply(group).await.unwrap().is_nothing());
    assert!(export(&idp).await.contains("groups = [\"staff\"]"));

    let scope = "[[scopes]]\nname = \"orders:read\"\nstate = \"absent\"\n";
    let told = mistakes(&idp, scope).await;
    assert_eq!(told, "scopes[0]: is still used by api https://orders.test, client shop");
    let api = "[[apis]]\naudience = \"https://orders.test\"\nscopes = [\"orders:write\"]\n";
    let client = "[[clients]]\nclient_id = \"shop\"\nscope = \"openid\"\n";
    idp.idp().apply(&[scope, api, client].concat()).await.unwrap();
    let gone = "[[apis]]\naudience = \"https://orders.test\"\nstate = \"absent\"\n\
                [[scopes]]\nname = \"orders:write\"\nstate = \"absent\"";
    let removed = idp.idp().apply(gone).await.unwrap().removed;
    assert_eq!(removed, ["scope orders:write", "api https://orders.test"]);
    let after = export(&idp).await;
    assert!(!after.contains("[[scopes]]") && after.matches("[[apis]]").count() == 1, "{after}");
    assert!(TestIdp::with(&after).await.idp().apply(&after).await.unwrap().is_nothing());
}

/// An export of what names a tenant that has gone can be applied.
#[tokio::test]
async fn a_tenant_that_has_gone_is_no_longer_named() {
    let idp = TestIdp::with(WORLD).await;
    idp.idp().apply("[[tenants]]\ndomain = \"two.test\"\nstate = \"absent\"").await.unwrap();
    let after = export(&idp).await;
    assert!(after.contains("groups_of = [\"one.test\"]"), "{after}");
    assert_eq!(export(&TestIdp::with(&after).await).await, after);
}

#[tokio::test]
async fn the_form_of_every_member_is_checked() {
    let idp = TestIdp::with(WORLD).await;
    let told = mistakes(
        &idp,
        r#"
        [[groups]]
        tenant = "one.test"
        name = "two.test/staff"
        [[groups]]
        tenant = "one.test"
        [[users]]
        tenant = "one.test"
        username = "anna"
        groups = ["a/b", 7]
        [[scopes]]
        name = "two words"
        title = { en = "x", it = "y" }
        claims = [""]
        [[apis]]
        audience = "orders"
        typ = "jwt"
        [[clients]]
        client_id = "shop"
        default_audience = "https://orders.test#a"
        roles_claim = "two words"
        groups_of = "one.test"
        "#,
    )
    .await;
    assert_told(
        &told,
        &[
            "groups[0].name: must be a name of 1 to 100",
            "groups[1].name: is missing",
            "users[0].groups[0]: must be a name of 1 to 100",
            "users[0].groups[1]: must be a text",
            "scopes[0].name: must be 1 to 100 visible",
            "scopes[0].title.it: is unknown; known here: en, de, fr",
            "scopes[0].claims[0]: must be 1 to 100 visible",
            "apis[0].audience: must be an absolute URI",
            "apis[0].typ: must be one of: at+jwt, JWT",
            "clients[0].default_audience: must be an absolute URI",
            "clients[0].roles_claim: must be 1 to 100 visible",
            "clients[0].groups_of: must be a list",
        ],
    );
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of mistakes")]
async fn what_is_not_there_and_what_is_not_to_be_had_is_told_at_once() {
    let idp = TestIdp::with(WORLD).await;
    let before = export(&idp).await;
    let told = mistakes(
        &idp,
        r#"
        [[groups]]
        tenant = "nowhere"
        name = "staff"
        [[groups]]
        tenant = "one.test"
        name = "new"
        [[groups]]
        tenant = "one.test"
        name = "new"
        [[users]]
        tenant = "two.test"
        username = "bert"
        groups = ["staff", "Sales North"]
        [[scopes]]
        name = "orders:all"
        claims = ["email", "acr", "shoe_size"]
        [[apis]]
        audience = "https://api.test"
        scopes = ["orders:read", "profile", "orders:none"]
        [[apis]]
        audience = "https://id.test"
        [[apis]]
        audience = "https://id.test/t/one.test"
        [[apis]]
        audience = "https://login.one.test"
        [[clients]]
        client_id = "shop"
        groups_of = ["one.test", "nowhere"]
        [[clients]]
        tenant = "one.test"
        client_id = "desk"
        groups_of = ["one.test"]
        roles_claim = "groups"
        [[clients]]
        client_id = "https://orders.test"
        token_endpoint_auth_method = "none"
        redirect_uris = ["https://shop.test/callback"]
        "#,
    )
    .await;
    assert_told(
        &told,
        &[
            "groups[0].tenant: there is no tenant nowhere",
            "groups[2]: group one.test/new stands in the document twice",
            "users[0].groups[1]: there is no group Sales North in two.test; name it under [[groups]]",
            "scopes[0].claims[1]: acr is a claim of the protocol",
            "scopes[0].claims[2]: nobody tells the claim shoe_size; known here: address, ",
            "scopes[0].title.en: is missing",
            "apis[0].scopes[1]: profile is not a scope of the installation's own",
            "apis[0].scopes[2]: orders:none is not a scope of the installation's own",
            "apis[1].audience: is an issuer of this provider",
            "apis[2].audience: is an issuer of this provider",
            "apis[3].audience: is an issuer of this provider",
            "clients[0].groups_of[1]: there is no tenant nowhere",
            "clients[1].groups_of: is for clients of the root issuer",
            "clients[1].groups_claim: must differ from roles_claim",
            "clients[2].client_id: is the audience of an API",
        ],
    );
    let client = "[[clients]]\nclient_id = \"urn:x:y\"\ntoken_endpoint_auth_method = \"none\"\nredirect_uris = [\"https://x.test/\"]";
    idp.idp().apply(client).await.unwrap();
    let told = mistakes(&idp, "[[apis]]\naudience = \"urn:x:y\"").await;
    assert!(told.starts_with("apis[0].audience: is the client_id of a client"), "{told}");
    idp.idp().apply("[[clients]]\nclient_id = \"urn:x:y\"\nstate = \"absent\"").await.unwrap();
    assert_eq!(export(&idp).await, before);
}

/// A word that only the client's registration knows must not become one that opens an API of the provider's later.
#[tokio::test]
async fn a_clients_own_words_are_none_of_the_providers() {
    let idp = TestIdp::with("").await;
    let robot = |scope: &str| {
        format!(
            "[[clients]]\nclient_id = \"robot\"\nclient_secret = \"a secret of at least 32 characters\"\n\
             grant_types = [\"client_credentials\"]\nscope = \"{scope}\""
        )
    };
    for word in ["admin:users", "account:all", "Admin:x"] {
        let told = mistakes(&idp, &robot(&format!("stock:count {word}"))).await;
        assert!(told.starts_with(&format!("clients[0].scope: \"{word}\" is not a scope")), "{told}");
    }
    idp.idp().apply(&robot("stock:count account:sessions")).await.unwrap();
}

#[tokio::test]
async fn whoever_asks_for_a_plain_type_is_told_what_is_lost() {
    let idp = TestIdp::with("").await;
    let api = |typ: &str| format!("[[apis]]\naudience = \"https://orders.test\"\ntyp = \"{typ}\"");
    assert!(idp.idp().apply(&api("at+jwt")).await.unwrap().notes.is_empty());
    let notes = idp.idp().apply(&api("JWT")).await.unwrap().notes;
    assert!(
        notes.len() == 1 && notes[0].starts_with("api https://orders.test must tell ID tokens"),
        "{notes:?}"
    );
    assert!(idp.idp().apply(&api("JWT")).await.unwrap().notes.is_empty());
}

/// The page of documentation that explains all this.
#[tokio::test]
async fn the_documents_example_applies() {
    let (_, rest) = include_str!("../../docs/claims.md").split_once("```toml\n").unwrap();
    let (document, _) = rest.split_once("```").unwrap();
    let idp = TestIdp::with(document).await;
    assert!(idp.idp().apply(document).await.unwrap().is_nothing());
    assert!(export(&idp).await.contains("default_audience"));
}

/// Tells one claim of the host's own.
struct Teams;

impl ClaimSource for Teams {
    fn declared(&self) -> Vec<OwnClaims> {
        vec![OwnClaims {
            scope: "company".to_owned(),
            names: ["teams".to_owned()].into(),
            in_id_token: false,
        }]
    }

    fn claims<'a>(
        &'a self,
        _: &'a User,
        _: &'a ClientId,
        granted: &'a Scope,
    ) -> BoxFuture<'a, Result<Map<String, Value>, Unavailable>> {
        assert!(granted.contains("company"), "the host is asked by the scope that it declared");
        Box::pin(async { Ok(Map::from_iter([("teams".to_owned(), "north".into())])) })
    }
}

#[tokio::test]
async fn names_in_use_cannot_be_taken() {
    const TAKEN: &str = "sub iss aud exp jti client_id scope grant sid acr amr azp nonce email tenant personal_desktop cnf act vc Sub";
    let settings = Settings::new(IssuerUrl::parse(TestIdp::ISSUER).unwrap());
    let idp = TestIdp::with_parts(settings, WORLD, |parts| parts.claims(Teams)).await;
    for name in [
        "openid",
        "OpenID",
        "openid:x",
        "profile",
        "roles",
        "groups",
        "offline_access",
        "account:sessions",
        "account:all",
        "admin:users",
        "Admin:users",
        "sub",
        "tenant",
        "acr",
        "uma_protection",
    ] {
        let told = mistakes(&idp, &format!("[[scopes]]\nname = \"{name}\"\ntitle = {{ en = \"x\" }}")).await;
        assert_eq!(told, format!("scopes[0].name: {name} is a name that the provider or a registry uses"));
    }
    for name in TAKEN.split(' ') {
        for member in ["roles_claim", "groups_claim"] {
            let told =
                mistakes(&idp, &format!("[[clients]]\nclient_id = \"shop\"\n{member} = \"{name}\"")).await;
            assert_eq!(
                told,
                format!("clients[0].{member}: {name} is a name that the provider or a registry uses")
            );
        }
    }
    let told = mistakes(&idp, "[[clients]]\nclient_id = \"shop\"\ngroups_claim = \"teams\"").await;
    assert_eq!(told, "clients[0].groups_claim: teams is a claim of the host's");
    for name in ["entitlements", "groups", "https://shop.test/groups", "cognito:groups"] {
        idp.idp()
            .apply(&format!("[[clients]]\nclient_id = \"shop\"\ngroups_claim = \"{name}\""))
            .await
            .unwrap();
    }
}

/// An own scope may deliver what the host knows, and give a scope of the host's a title.
#[tokio::test]
async fn an_own_scope_delivers_the_hosts_claims() {
    let settings = Settings::new(IssuerUrl::parse(TestIdp::ISSUER).unwrap());
    let idp = TestIdp::with_parts(settings, WORLD, |parts| parts.claims(Teams)).await;
    let own = "[[scopes]]\nname = \"staff\"\ntitle = { en = \"x\" }\nclaims = [\"teams\"]\n\
               [[scopes]]\nname = \"company\"\ntitle = { en = \"see your teams\" }\n\
               [[clients]]\ntenant = \"one.test\"\nclient_id = \"desk\"\nrequire_consent = true";
    idp.idp().apply(own).await.unwrap();
    let issuer = format!("{}/t/one.test", TestIdp::ISSUER);
    let desk = vestibule::testing::Application::new(&idp, &issuer, "desk", "https://desk.test/callback");
    let mut browser = idp.browser();
    let page = browser.get(&desk.authorization_url("openid staff company")).await;
    let fields = [("username", "anna"), ("password", "correct horse battery staple")];
    let page = browser.submit(&page, &fields).await;
    assert!(page.body.contains("see your teams"), "an own scope gives the host's a title: {}", page.body);
    let tokens = desk.redeem(&browser.submit(&page, &[("allow", "yes")]).await).await;
    assert_eq!(desk.userinfo(&tokens.access_token).await.json()["teams"], "north");
    let page = browser.get(&desk.authorization_url("openid staff")).await;
    let tokens = desk.redeem(&page).await;
    assert_eq!(desk.userinfo(&tokens.access_token).await.json()["teams"], "north", "by the own scope alone");
    assert_eq!(tokens.id_token.get("teams"), None);
}

#[tokio::test]
async fn the_consent_page_says_what_each_scope_is_about_in_three_languages() {
    let idp = TestIdp::with(WORLD).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    let fields = [("tenant", "one.test"), ("username", "anna"), ("password", "correct horse battery staple")];
    for (locale, texts) in [
        (
            "en",
            [
                "see which roles you have",
                "see which groups you are in",
                "see your orders",
                "change your orders",
            ],
        ),
        (
            "de",
            [
                "welche Rollen Sie haben",
                "zu welchen Gruppen",
                "Ihre Bestellungen sehen",
                "change your orders",
            ],
        ),
        ("fr", ["voir vos r\u{f4}les", "voir vos groupes", "voir vos commandes", "change your orders"]),
    ] {
        let mut browser = idp.browser();
        let scope = "openid roles groups orders:read orders:write";
        let url = shop.authorization_url_with(scope, &[("ui_locales", locale)]);
        let page = browser.get(&url).await;
        let page = browser.submit(&page, &fields).await;
        assert_eq!(page.step(), Some("consent"), "{}", page.body);
        for text in texts {
            assert!(page.body.contains(text), "{locale}: {text} is not in {}", page.body);
        }
        assert!(!page.body.contains("orders:read"), "a title stands in for the word");
    }
    let mut browser = idp.browser();
    let elsewhere = shop.authorization_url_with("openid orders:read", &[("resource", TestIdp::ISSUER)]);
    let page = browser.get(&elsewhere).await;
    let page = browser.submit(&page, &fields).await;
    assert!(!page.body.contains("see your orders"), "the tokens would not be for that API");
}
