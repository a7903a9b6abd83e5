//! `apply` and `export`: what is written, what is left alone, and what is refused.

use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::settings::Settings;
use vestibule::testing::TestIdp;
use vestibule::{Applied, ApplyError};

const EVERYTHING: &str = r##"
[[tenants]]
domain = "123456.sms"
name = "Example Works"
locale = "de"
time_zone = "Europe/Berlin"
hosts = ["Login.example.test", "anmelden.example.test"]
[tenants.policy]
mfa = "required"
admin_mfa_enforced_from = 2026-01-01T00:00:00Z
admin_activation = "inline"
methods = ["totp"]
session_idle = "8h"
session_max = "24h"
[tenants.branding]
accent = "#0b5fff"
logo = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4="

[[tenants]]
domain = "north"
disabled = true

[[users]]
tenant = "123456.sms"
username = "Anna"
password = "correct horse battery staple"
roles = ["admin"]
email = "anna@example.test"
email_verified = false
phone_number = "+4915112345678"
given_name = "Anna"
birthdate = "1990-05-17"
locale = "de-AT"
address = { formatted = "1 Example Street\n12345 Example", country = "Germany" }
[[users.authenticators]]
kind = "totp"
secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
algorithm = "SHA256"
digits = 8
period = 60

[[users]]
tenant = "north"
username = "ben"
sub = "11111111-2222-4333-8444-555555555555"
disabled = true

[[clients]]
client_id = "shop"
client_secret = "a secret of at least 32 characters"
client_name = "Shop"
redirect_uris = ["https://shop.example.test/callback"]
post_logout_redirect_uris = ["https://shop.example.test/"]
id_token_signed_response_alg = "ES256"
scope = "openid profile email"
audiences = ["https://orders.example.test"]
own_audiences = ["https://shop.example.test/api", "urn:example:shop"]
require_consent = true
id_token_claims = true
default_max_age = 0
default_acr_values = ["urn:vestibule:acr:2fa"]
access_token_format = "opaque"
userinfo_signed_response_alg = "EdDSA"
introspection_signed_response_alg = "ES256"
access_token_lifetime = "90s"

[[clients]]
tenant = "123456.sms"
client_id = "app"
token_endpoint_auth_method = "none"
application_type = "native"
redirect_uris = ["http://127.0.0.1/callback", "test.example.app:/callback"]

[[clients]]
tenant = "123456.sms"
client_id = "backend"
token_endpoint_auth_method = "private_key_jwt"
redirect_uris = ["https://backend.example.test/callback"]
[[clients.jwks.keys]]
kty = "OKP"
crv = "Ed25519"
kid = "one"
alg = "EdDSA"
use = "sig"
x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"

[[clients]]
tenant = "123456.sms"
client_id = "batch"
token_endpoint_auth_method = "private_key_jwt"
token_endpoint_auth_signing_alg = "ES256"
jwks_uri = "https://batch.example.com/keys"
redirect_uris = ["https://batch.example.test/callback"]
"##;

const MACHINE: &str = r#"
[[clients]]
tenant = "123456.sms"
client_id = "machine"
client_secret = "a secret of at least 32 characters, and as long as a hash"
token_endpoint_auth_method = "client_secret_jwt"
token_endpoint_auth_signing_alg = "HS384"
redirect_uris = ["https://machine.example.test/callback"]
"#;

async fn empty() -> TestIdp {
    TestIdp::with("").await
}

pub(crate) async fn mistakes(idp: &TestIdp, document: &str) -> String {
    match idp.idp().apply(document).await {
        Err(ApplyError::Mistakes(mistakes)) => mistakes.join("\n"),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn export(idp: &TestIdp) -> String {
    idp.idp().export().await.unwrap()
}

#[tokio::test]
async fn says_what_it_did() {
    let idp = empty().await;
    let applied = idp.idp().apply(EVERYTHING).await.unwrap();
    let created = [
        "tenant 123456.sms",
        "tenant north",
        "user 123456.sms/Anna",
        "user north/ben",
        "client shop",
        "client 123456.sms/app",
        "client 123456.sms/backend",
        "client 123456.sms/batch",
    ];
    assert_eq!(applied.created, created);
    assert!(applied.changed.is_empty() && applied.removed.is_empty());
    let changed = idp.idp().apply("[[tenants]]\ndomain = \"north\"\nname = \"North\"").await.unwrap();
    assert_eq!(changed.to_string(), "changed tenant north");
}

#[tokio::test]
async fn applied_twice_changes_nothing() {
    let idp = TestIdp::with(EVERYTHING).await;
    let before = export(&idp).await;
    idp.clock().advance(std::time::Duration::from_hours(1));
    let again = idp.idp().apply(EVERYTHING).await.unwrap();
    assert_eq!(again, Applied::default());
    assert_eq!(again.to_string(), "nothing changed");
    assert_eq!(export(&idp).await, before, "password hashes and sealed secrets included");
}

#[tokio::test]
async fn an_export_brings_everything_back() {
    let first = export(&TestIdp::with(EVERYTHING).await).await;
    let second = TestIdp::with(&first).await;
    assert_eq!(export(&second).await, first);
    assert!(second.idp().apply(&first).await.unwrap().is_nothing());
    // Passwords, secrets and second factors work as before, so the first document has nothing to add.
    assert!(second.idp().apply(EVERYTHING).await.unwrap().is_nothing());
    for part in [
        "session_idle = \"8h\"",
        "admin_mfa_enforced_from = \"2026-01-01T00:00:00Z\"",
        "email_verified = false",
        "secret = \"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP\"",
        "access_token_lifetime = \"90s\"",
        "own_audiences = [\"https://shop.example.test/api\", \"urn:example:shop\"]",
        "hosts = [\"anmelden.example.test\", \"login.example.test\"]",
        "sub = \"11111111-2222-4333-8444-555555555555\"",
    ] {
        assert!(first.contains(part), "{part} is not in:\n{first}");
    }
    assert!(!first.contains("correct horse") && !first.contains("a secret of"), "{first}");
}

#[tokio::test]
async fn what_is_not_named_is_left_alone() {
    let idp = TestIdp::with(EVERYTHING).await;
    let document = "[[users]]\ntenant = \"123456.SMS\"\nusername = \"ANNA\"\nroles = []\ngiven_name = \"\"\n\
                    [users.address]\nregion = \"Berlin\"";
    assert_eq!(idp.idp().apply(document).await.unwrap().changed, ["user 123456.sms/ANNA"]);
    let after = export(&idp).await;
    for part in
        ["email = \"anna@example.test\"", "country = \"Germany\"", "region = \"Berlin\"", "digits = 8"]
    {
        assert!(after.contains(part), "{part} is not in:\n{after}");
    }
    assert!(!after.contains("given_name") && !after.contains("admin\""), "{after}");
}

#[tokio::test]
async fn absent_removes_and_says_so_once() {
    let idp = TestIdp::with(EVERYTHING).await;
    let document = r#"
        [[tenants]]
        domain = "123456.sms"
        state = "absent"
        [[users]]
        tenant = "north"
        username = "ben"
        state = "absent"
        [[clients]]
        client_id = "shop"
        state = "absent"
    "#;
    let removed = idp.idp().apply(document).await.unwrap().removed;
    assert_eq!(removed, ["tenant 123456.sms", "user north/ben", "client shop"]);
    assert_eq!(
        export(&idp).await.trim(),
        "[[tenants]]\ndomain = \"north\"\nname = \"north\"\ndisabled = true"
    );
    assert!(idp.idp().apply(document).await.unwrap().is_nothing());
}

#[tokio::test]
async fn a_host_that_an_absent_tenant_had_is_free() {
    let idp = TestIdp::with("[[tenants]]\ndomain = \"a\"\nhosts = [\"x.test\"]").await;
    let taken = "[[tenants]]\ndomain = \"b\"\nhosts = [\"x.test\"]";
    assert_eq!(mistakes(&idp, taken).await, "tenants[0].hosts[0]: belongs to another tenant");
    idp.idp().apply("[[tenants]]\ndomain = \"a\"\nstate = \"absent\"").await.unwrap();
    idp.idp().apply(taken).await.unwrap();
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of mistakes")]
async fn one_mistake_keeps_everything_from_being_written_and_all_are_told() {
    let idp = TestIdp::with(EVERYTHING).await;
    let before = export(&idp).await;
    let told = mistakes(
        &idp,
        r#"
        [[tenants]]
        domain = "south"
        hosts = ["login.example.test", "id.test"]
        policy = { session_idle = "2d", admin_activation = "mail", methods = ["passkey"] }
        [[users]]
        tenant = "south"
        username = "carla"
        password = ""
        [[users]]
        tenant = "nowhere"
        username = "dora"
        [[users]]
        tenant = "123456.sms"
        username = "anna"
        sub = "another"
        [[users]]
        tenant = "123456.sms"
        username = "Anna"
        [[users]]
        tenant = "123456.sms"
        username = "emil"
        sub = "11111111-2222-4333-8444-555555555555"
        password_hash = "$2b$12$abcdefghijklmnopqrstuv"
        authenticators = [{ kind = "totp", secret = "short" }]
        [[clients]]
        client_id = "a"
        client_secret = "short"
        [[clients]]
        client_id = "b"
        redirect_uris = ["https://b.test/"]
        [[clients]]
        client_id = "c"
        token_endpoint_auth_method = "private_key_jwt"
        redirect_uris = ["https://c.test/"]
        jwks = { keys = [{ kty = "oct", k = "AAAA" }] }
        [[clients]]
        client_id = "d"
        token_endpoint_auth_method = "none"
        client_secret = "a secret of at least 32 characters"
        redirect_uris = ["https://d.test/"]
        "#,
    )
    .await;
    for start in [
        "tenants[0].policy.session_idle: must not be longer",
        "tenants[0].policy.admin_activation: mail needs totp",
        "tenants[0].hosts[0]: belongs to another tenant",
        "tenants[0].hosts[1]: is the root issuer's own host",
        "users[0].password: is empty",
        "users[1].tenant: there is no tenant nowhere",
        "users[2].sub: the user's is ",
        "users[3]: user 123456.sms/anna stands in the document twice",
        "users[4].sub: is another user's",
        "users[4].password_hash: ",
        "users[4].authenticators[0].secret: ",
        "clients[0].redirect_uris: must name at least one",
        "clients[0].client_secret: must have at least 32",
        "clients[1].client_secret: is missing",
        "clients[2].jwks: ",
        "clients[3]: a client secret has no use",
    ] {
        assert!(told.lines().any(|line| line.starts_with(start)), "{start} is not in:\n{told}");
    }
    assert_eq!(told.lines().count(), 16, "{told}");
    assert_eq!(export(&idp).await, before);
}

#[tokio::test]
async fn a_client_keeps_its_secret_while_its_method_changes() {
    let idp = TestIdp::with(EVERYTHING).await;
    let hash =
        |text: &str| text.lines().find(|line| line.starts_with("client_secret_hash")).map(str::to_owned);
    let before = hash(&export(&idp).await).unwrap();
    let post = "[[clients]]\nclient_id = \"shop\"\ntoken_endpoint_auth_method = \"client_secret_post\"";
    assert_eq!(idp.idp().apply(post).await.unwrap().changed, ["client shop"]);
    assert_eq!(hash(&export(&idp).await).unwrap(), before);
    let none = "[[clients]]\nclient_id = \"shop\"\ntoken_endpoint_auth_method = \"none\"";
    idp.idp().apply(none).await.unwrap();
    assert_eq!(hash(&export(&idp).await), None);
}

/// A method that was left out is left out of the export too, and a document that names it makes it the only one.
#[tokio::test]
async fn a_method_that_is_left_out_stays_left_out() {
    let secret = "client_secret = \"a-secret-of-at-least-32-characters\"";
    let client = |members: &str| {
        format!("[[clients]]\nclient_id = \"c\"\nredirect_uris = [\"https://c.test/\"]\n{members}\n")
    };
    let idp = TestIdp::with(&client(secret)).await;
    let first = export(&idp).await;
    assert!(first.contains("client_secret_hash") && !first.contains("auth_method"), "{first}");
    assert!(idp.idp().apply(&first).await.unwrap().is_nothing());
    assert_eq!(export(&TestIdp::with(&first).await).await, first);

    let named = "token_endpoint_auth_method = \"client_secret_basic\"";
    assert_eq!(idp.idp().apply(&client(named)).await.unwrap().changed, ["client c"]);
    let second = export(&idp).await;
    assert!(second.contains(named), "{second}");
    assert!(idp.idp().apply(&client(secret)).await.unwrap().is_nothing(), "what is not named is left alone");
    assert_eq!(export(&TestIdp::with(&second).await).await, second);

    let hs256 = format!("{secret}\ntoken_endpoint_auth_signing_alg = \"HS256\"");
    let told = mistakes(&empty().await, &client(&hs256)).await;
    assert!(told.contains("does not fit the method client_secret_basic or client_secret_post"), "{told}");
}

/// Who has the export, but not the database and its master key, has no secret.
#[tokio::test]
async fn a_secret_that_must_be_read_is_exported_sealed() {
    let idp = TestIdp::with(EVERYTHING).await;
    idp.idp().apply(MACHINE).await.unwrap();
    let first = export(&idp).await;
    assert!(first.contains("client_secret_sealed = \"v1.") && !first.contains("a secret of"), "{first}");
    assert!(idp.idp().apply(&first).await.unwrap().is_nothing());
    assert!(idp.idp().apply(MACHINE).await.unwrap().is_nothing(), "it is the same secret");
    let elsewhere = mistakes(&TestIdp::with(EVERYTHING).await, &first).await;
    assert!(elsewhere.contains("client_secret_sealed: was sealed by another database"), "{elsewhere}");
    // In its database it opens, whatever ids the rows have by now.
    let gone = "[[tenants]]\ndomain = \"123456.sms\"\nstate = \"absent\"";
    idp.idp().apply(gone).await.unwrap();
    assert!(idp.idp().apply(&first).await.unwrap().created.contains(&"client 123456.sms/machine".to_owned()));
    assert_eq!(export(&idp).await, first);
    assert!(idp.idp().apply(MACHINE).await.unwrap().is_nothing());
    let basic = "[[clients]]\ntenant = \"123456.sms\"\nclient_id = \"machine\"\n\
                 token_endpoint_auth_method = \"client_secret_basic\"";
    idp.idp().apply(basic).await.unwrap();
    let after = export(&idp).await;
    assert!(
        !after.contains("sealed") && !after.contains("HS384"),
        "of another method a hash is enough: {after}"
    );
}

#[tokio::test]
async fn what_an_assertion_is_made_with_fits_its_method() {
    let idp = empty().await;
    let client = |id: &str, members: &str| {
        format!("[[clients]]\nclient_id = \"{id}\"\nredirect_uris = [\"https://c.test/\"]\n{members}\n")
    };
    let (secret_jwt, key_jwt) = (
        "token_endpoint_auth_method = \"client_secret_jwt\"",
        "token_endpoint_auth_method = \"private_key_jwt\"",
    );
    let hash = "client_secret_hash = \"ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0\"";
    let secret = "client_secret = \"a secret of at least 32 characters\"";
    let alg = |name: &str| format!("token_endpoint_auth_signing_alg = \"{name}\"");
    let at = |address: &str| format!("{key_jwt}\njwks_uri = \"{address}\"");
    let document: String = [
        client("a", &format!("{secret_jwt}\n{hash}")),
        client("b", &format!("{secret_jwt}\n{secret}\n{}", alg("HS512"))),
        client("c", &format!("{secret_jwt}\n{secret}\n{}", alg("RS256"))),
        client("d", &format!("{}\n{}", at("https://c.example.com/"), alg("HS256"))),
        client("e", &at("http://c.example.com/")),
        client("f", &at("https://169.254.169.254/keys")),
        client("g", &format!("{}\njwks = {{ keys = [] }}", at("https://c.example.com/"))),
        client("h", key_jwt),
        client("i", &format!("{secret}\njwks_uri = \"https://c.example.com/\"")),
        client("j", &format!("{secret_jwt}\nclient_secret_sealed = \"v1.AAAAAAAA.AAAA\"")),
        client("k", &format!("{secret_jwt}\n{secret}\n{hash}")),
    ]
    .concat();
    let told = mistakes(&idp, &document).await;
    for start in [
        "clients[0].client_secret: must be named",
        "clients[1].client_secret: must have at least 64 characters for HS512",
        "clients[2].token_endpoint_auth_signing_alg: does not fit",
        "clients[3].token_endpoint_auth_signing_alg: does not fit",
        "clients[4].jwks_uri: only https",
        "clients[5].jwks_uri: the address is not public",
        "clients[6].jwks_uri: cannot stand beside jwks",
        "clients[7].jwks: is missing",
        "clients[8].jwks_uri: has no use",
        "clients[9].client_secret_sealed: was sealed by another database: name client_secret instead",
        "clients[10]: one alone may be named of client_secret, ",
        "clients[10].client_secret: must be named",
    ] {
        assert!(told.lines().any(|line| line.starts_with(start)), "{start} is not in:\n{told}");
    }
    assert_eq!(told.lines().count(), 12, "{told}");
}

#[tokio::test]
async fn an_authenticator_is_replaced_or_taken_away() {
    let idp = TestIdp::with(EVERYTHING).await;
    let user = "[[users]]\ntenant = \"123456.sms\"\nusername = \"anna\"\n";
    let other = format!(
        "{user}[[users.authenticators]]\nkind = \"totp\"\nsecret = \"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\""
    );
    assert_eq!(idp.idp().apply(&other).await.unwrap().changed, ["user 123456.sms/anna"]);
    assert!(idp.idp().apply(&other).await.unwrap().is_nothing());
    let after = export(&idp).await;
    assert!(after.contains("GEZDGNBV") && !after.contains("JBSWY3DP"), "{after}");
    idp.idp().apply(&format!("{user}authenticators = []")).await.unwrap();
    assert!(!export(&idp).await.contains("authenticators"));
}

#[tokio::test]
async fn samples_of_the_documentation_are_refused_on_the_internet() {
    let issuer = IssuerUrl::parse("https://login.company.com").unwrap();
    let idp = TestIdp::with_settings(Settings::new(issuer), "").await;
    let told = mistakes(&idp, EVERYTHING).await;
    for place in ["users[0].password", "users[0].authenticators[0].secret", "clients[0].client_secret"] {
        let line = format!("{place}: stands in the documentation and is known to everybody");
        assert!(told.contains(&line), "{told}");
    }
    assert!(export(&idp).await.trim().is_empty());
}

/// RFC 9700 §2.1.1 recommends it for confidential clients too; many of their libraries cannot.
#[tokio::test]
async fn clients_that_may_leave_pkce_out_are_named() {
    let idp = TestIdp::with("[[tenants]]\ndomain = \"north\"").await;
    let client = |id: &str, more: &str| {
        let secret = "client_secret = \"a secret of at least 32 characters\"";
        format!(
            "[[clients]]\nclient_id = \"{id}\"\nredirect_uris = [\"https://a.test/\"]\n{secret}\n{more}\n"
        )
    };
    let public = "[[clients]]\nclient_id = \"app\"\nredirect_uris = [\"https://a.test/\"]\ntoken_endpoint_auth_method = \"none\"\n";
    let batch = "grant_types = [\"client_credentials\"]";
    let document = [
        client("old", ""),
        client("off", "require_pkce = false\ntenant = \"north\""),
        client("on", "require_pkce = true"),
        client("batch", batch),
        public.to_owned(),
    ];
    let applied = idp.idp().apply(&document.concat()).await.unwrap();
    let note = |key: &str| format!("{key} may sign users in without PKCE (require_pkce)");
    assert_eq!(applied.notes, [note("client old"), note("client north/off")]);
    assert!(applied.to_string().ends_with(&format!("\nnote: {}", note("client north/off"))), "{applied}");
    assert_eq!(idp.idp().apply(&document.concat()).await.unwrap(), Applied::default());
    let wrong = idp.idp().apply(&client("on", "require_pkce = 1")).await.unwrap_err().to_string();
    assert!(wrong.contains("clients[0].require_pkce"), "{wrong}");
}

/// What other providers and registrations write of a client comes in, and back again.
#[tokio::test]
async fn what_people_read_of_a_client_is_kept_in_every_language() {
    let client = |members: &str| {
        format!(
            "[[clients]]\nclient_id = \"shop\"\ntoken_endpoint_auth_method = \"none\"\n\
             redirect_uris = [\"https://shop.test/\"]\n{members}"
        )
    };
    let members = r#"client_name = "Shop"
"client_name#de" = "Laden"
"client_name#ja" = "店"
"tos_uri#fr" = "https://shop.test/conditions"
contacts = ["ops@shop.test", "https://shop.test/help"]
software_id = "4NRB1-0XZABZI9E6-5SM3R"
software_version = "2.1"
"#;
    let idp = TestIdp::with(&client(members)).await;
    let first = export(&idp).await;
    for line in members.lines() {
        assert!(first.contains(line), "{line} is not in:\n{first}");
    }
    let shop = idp.application("shop", "https://shop.test/");
    for (language, name) in [("de", "Laden"), ("fr", "Shop"), ("en", "Shop")] {
        let url = shop.authorization_url_with("openid", &[("ui_locales", language)]);
        let page = idp.browser().get(&url).await.body;
        assert!(page.contains(name) && page.contains("Laden") == (language == "de"), "{language}: {page}");
    }
    assert!(idp.idp().apply(&first).await.unwrap().is_nothing());
    assert!(idp.idp().apply(&client("")).await.unwrap().is_nothing(), "what is not named is left alone");
    assert_eq!(export(&TestIdp::with(&first).await).await, first);
    let without = client("\"client_name#ja\" = \"\"\ncontacts = []\n");
    assert_eq!(idp.idp().apply(&without).await.unwrap().changed, ["client shop"]);
    let after = export(&idp).await;
    assert!(after.contains("Laden") && !after.contains("ja\"") && !after.contains("contacts"), "{after}");
}

#[tokio::test]
async fn a_json_file_may_begin_with_a_byte_order_mark_and_hold_null() {
    let idp = empty().await;
    let path = idp.folder().join("client.json");
    let document = r#"{"clients": [{"client_id": "shop", "client_name": null, "jwks_uri": null,
        "token_endpoint_auth_method": "none", "redirect_uris": ["https://shop.test/"], "software_statement": null}]}"#;
    std::fs::write(&path, format!("\u{feff}{document}")).unwrap();
    assert_eq!(idp.idp().apply_file(&path).await.unwrap().created, ["client shop"]);
    assert!(!export(&idp).await.contains("client_name"));
}

/// Mistakes of shape and mistakes that only the other members or the store reveal.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of mistakes")]
async fn all_mistakes_of_a_client_are_told_at_once() {
    let idp = empty().await;
    let told = mistakes(
        &idp,
        r#"
        [[users]]
        tenant = "nowhere"
        username = "anna"
        [[clients]]
        tenant = "nowhere"
        client_id = "a"
        client_secret = "short"
        redirect_uris = ["https://a.test/#x"]
        require_signed_request_object = true
        surprise = true
        [[clients]]
        client_id = "b"
        token_endpoint_auth_method = "private_key_jwt"
        jwks = { keys = [] }
        jwks_uri = "http://b.example.com/keys"
        grant_types = ["implicit"]
        subject_type = "pairwise"
        sector_identifier_uri = "http://b.example.com/list"
        scope = "unheard-of"
        [[clients]]
        client_id = "c"
        token_endpoint_auth_method = "secret"
        client_secret = "short"
        jwks = { keys = [{ kty = "oct", k = "AAAA" }] }
        subject_type = "pairwise"
        redirect_uris = []
        [[clients]]
        client_id = "d"
        client_secret = 7
        subject_type = "pairwise"
        redirect_uris = ["https://d.test/", "http://d.test/"]
        [[clients]]
        client_id = "d"
        token_endpoint_auth_method = "private_key_jwt"
        jwks_uri = "keys"
        redirect_uris = ["https://d.test/"]
        "#,
    )
    .await;
    let expected = [
        "clients[0].redirect_uris[0]: must have no fragment",
        "clients[0].surprise: is unknown",
        "clients[0].tenant: there is no tenant nowhere",
        "clients[0].require_signed_request_object: needs keys",
        "clients[0].client_secret: must have at least 32",
        "clients[1].grant_types[0]: must be one of",
        "clients[1].sector_identifier_uri: only https",
        "clients[1].jwks_uri: cannot stand beside jwks",
        "clients[2].token_endpoint_auth_method: must be one of",
        "clients[2].redirect_uris: must name at least one address",
        "clients[2].sector_identifier_uri: is missing",
        "clients[2].client_secret: must have at least 32",
        "clients[2].jwks: holds a private or symmetric key",
        "clients[3].client_secret: must be a text",
        "clients[3].redirect_uris[1]: must be https",
        "clients[4]: client d stands in the document twice",
        "clients[4].jwks_uri: must be a web address",
    ];
    for start in expected {
        assert!(told.lines().any(|line| line.starts_with(start)), "{start} is not in:\n{told}");
    }
    assert_eq!(told.lines().count(), expected.len(), "{told}");
}

/// An application on the user's machine listens on whatever port is free.
#[tokio::test]
async fn redirect_uris_that_never_match_are_named() {
    let client = |id: &str, uri: &str, more: &str| {
        format!(
            "[[clients]]\nclient_id = \"{id}\"\nrequire_pkce = true\nredirect_uris = [\"{uri}\"]\n{more}\n"
        )
    };
    let native = "token_endpoint_auth_method = \"none\"\napplication_type = \"native\"";
    let open = format!("{native}\nlocalhost_redirects = true");
    let public = "token_endpoint_auth_method = \"none\"";
    let secret = "client_secret = \"a secret of at least 32 characters\"";
    let document = [
        client("name", "http://localhost/cb", native),
        client("open", "http://localhost/cb", &open),
        client("fixed", "http://localhost:8400/cb", native),
        client("address", "http://127.0.0.1/cb", native),
        client("unsaid", "http://127.0.0.1/cb", public),
        client("below", "http://app.localhost/cb", &open),
        client("zero", "http://localhost:0/cb", &open),
        client("upper", "http://LOCALHOST/cb", &open),
        client("web", "http://localhost/cb", secret),
    ]
    .concat();
    let idp = empty().await;
    let notes = idp.idp().apply(&document).await.unwrap().notes;
    for (note, (id, uri, remedy)) in notes.iter().zip([
        ("name", "http://localhost/cb", "set localhost_redirects"),
        ("unsaid", "http://127.0.0.1/cb", "set application_type to native"),
        ("below", "http://app.localhost/cb", "register http://127.0.0.1"),
        ("zero", "http://localhost:0/cb", "leave the port out"),
        ("upper", "http://LOCALHOST/cb", "in this spelling"),
    ]) {
        let start = format!("client {id}: {uri} can hardly match");
        assert!(note.starts_with(&start) && note.contains(remedy), "{note}");
    }
    assert_eq!(notes.len(), 5, "{notes:#?}");
    let first = export(&idp).await;
    assert_eq!(first.matches("localhost_redirects = true").count(), 4, "{first}");
    assert_eq!(export(&TestIdp::with(&first).await).await, first);
}

/// An API that tells applications and users apart by `sub` takes one for the other otherwise (RFC 9700 §4.15).
#[tokio::test]
async fn a_client_id_is_no_users_sub() {
    let idp = TestIdp::with("[[tenants]]\ndomain = \"north\"\n[[tenants]]\ndomain = \"south\"").await;
    let user = |name: &str, sub: &str| {
        format!("[[users]]\ntenant = \"north\"\nusername = \"{name}\"\nsub = \"{sub}\"\n")
    };
    let client = |id: &str, tenant: &str| {
        format!(
            "[[clients]]\nclient_id = \"{id}\"\n{tenant}\ntoken_endpoint_auth_method = \"none\"\nredirect_uris = [\"https://a.test/\"]\n"
        )
    };
    let south = "tenant = \"south\"";
    idp.idp()
        .apply(&[user("ben", "ben-1"), client("app", ""), client("desk", south)].concat())
        .await
        .unwrap();
    for (document, place) in [
        (client("ben-1", ""), "clients[0].client_id"),
        (client("ben-1", south), "clients[0].client_id"),
        (user("eve", "app"), "users[0].sub"),
        (user("eve", "desk"), "users[0].sub"),
        ([user("eve", "new"), client("new", "")].concat(), "clients[0].client_id"),
    ] {
        let refused = idp.idp().apply(&document).await.unwrap_err().to_string();
        assert!(refused.starts_with(place), "{document}: {refused}");
    }
    let anna = format!("[[users]]\ntenant = \"north\"\nusername = \"anna\"\n{}", client("anna", ""));
    idp.idp().apply(&anna).await.unwrap();
}
