//! OpenID Connect Discovery 1.0, RFC 8414, RFC 7517: the documents that every client begins with.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use serde_json::Value;
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::settings::Settings;
use vestibule::testing::{Answer, TestIdp};

const WORLD: &str = r#"
    [[tenants]]
    domain = "one.test"
    name = "One"
    hosts = ["login.one.test"]
"#;

const DOCUMENTS: [&str; 2] = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];

async fn nested() -> TestIdp {
    let settings = Settings::new(IssuerUrl::parse("https://id.test/a/b").unwrap());
    TestIdp::with_settings(settings, WORLD).await
}

async fn get(idp: &TestIdp, url: &str) -> Answer {
    idp.browser().send(Method::GET, url, &[], None).await
}

#[tokio::test]
async fn each_issuer_describes_itself() {
    let idp = nested().await;
    for issuer in ["https://id.test/a/b", "https://id.test/a/b/t/one.test", "https://login.one.test/a/b"] {
        for document in DOCUMENTS {
            let answer = get(&idp, &format!("{issuer}{document}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{issuer}{document}");
            assert_eq!(answer.headers["content-type"], "application/json");
            let metadata = answer.json();
            assert_eq!(metadata["issuer"], issuer);
            for (name, value) in metadata.as_object().unwrap() {
                if name.ends_with("_endpoint") || name.ends_with("_uri") {
                    assert!(value.as_str().unwrap().starts_with(&format!("{issuer}/")), "{name} {value}");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_path_may_stand_behind_well_known() {
    let idp = nested().await;
    for document in DOCUMENTS {
        for path in ["/a/b", "/a/b/t/one.test"] {
            let answer = get(&idp, &format!("https://id.test{document}{path}")).await;
            assert_eq!(answer.json()["issuer"], format!("https://id.test{path}"));
        }
        let unknown = get(&idp, &format!("https://id.test{document}/a/b/t/two.test")).await;
        assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    }
    let idp = TestIdp::with(WORLD).await;
    let answer = get(&idp, &format!("https://id.test{}/t/one.test", DOCUMENTS[1])).await;
    assert_eq!(answer.json()["issuer"], "https://id.test/t/one.test");
}

#[tokio::test]
async fn whoever_has_the_document_is_told_so() {
    let idp = TestIdp::with(WORLD).await;
    for path in [DOCUMENTS[0], DOCUMENTS[1], "/jwks"] {
        let url = format!("https://id.test{path}");
        let first = get(&idp, &url).await;
        assert_eq!(first.headers["cache-control"], "public, max-age=300");
        assert_eq!(first.headers["access-control-allow-origin"], "*");
        let tag = first.headers["etag"].to_str().unwrap();
        let again = idp.browser().send(Method::GET, &url, &[("if-none-match", tag)], None).await;
        assert_eq!((again.status, again.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
        assert_eq!(again.headers["etag"], tag);
        let other = idp.browser().send(Method::GET, &url, &[("if-none-match", "\"x\"")], None).await;
        assert_eq!((other.status, &other.body), (StatusCode::OK, &first.body));
        let head = idp.browser().send(Method::HEAD, &url, &[], None).await;
        assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
    }
}

#[tokio::test]
async fn the_key_set_is_public_complete_and_the_issuers_own() {
    let idp = TestIdp::with(WORLD).await;
    let mut seen = BTreeSet::new();
    for issuer in ["https://id.test", "https://id.test/t/one.test"] {
        let set = get(&idp, &format!("{issuer}/jwks")).await.json();
        let keys = set["keys"].as_array().unwrap();
        let mut algorithms: Vec<&str> = keys.iter().map(|key| key["alg"].as_str().unwrap()).collect();
        algorithms.sort_unstable();
        assert_eq!(algorithms, ["ES256", "RS256"], "what every verifier knows");
        for key in keys {
            assert!(seen.insert(key["kid"].as_str().unwrap().to_owned()), "{key}");
            let known = ["kty", "use", "alg", "kid", "n", "e", "crv", "x", "y"];
            assert!(key.as_object().unwrap().keys().all(|name| known.contains(&name.as_str())), "{key}");
            assert_eq!(key["use"], "sig");
        }
        let again = get(&idp, &format!("{issuer}/jwks")).await.json();
        assert_eq!(again, set);
    }
}

#[tokio::test]
async fn many_at_once_see_one_key_set() {
    let idp = TestIdp::with(WORLD).await;
    let sets = (0..8).map(|_| async { get(&idp, "https://id.test/jwks").await.json() });
    let sets: Vec<Value> = futures_util::future::join_all(sets).await;
    assert!(sets.iter().all(|set| *set == sets[0] && set["keys"].as_array().unwrap().len() == 2), "{sets:?}");
}

#[tokio::test]
async fn an_unknown_tenant_has_no_metadata_and_programs_can_read_that() {
    let idp = nested().await;
    for url in [
        "https://id.test/a/b/t/two.test/.well-known/openid-configuration",
        "https://id.test/a/b/t/two.test/.well-known/oauth-authorization-server",
        "https://id.test/.well-known/openid-configuration/a/b/t/two.test",
        "https://id.test/a/b/t/two.test/jwks",
        "https://id.test/a/b/t/ONE.test/jwks",
        "https://login.one.test/a/b/t/one.test/jwks",
    ] {
        let answer = get(&idp, url).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{url}");
        assert_eq!(answer.headers["content-type"], "application/json", "{url}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{url}");
        assert_eq!(answer.json()["error"], "not_found", "{url}");
    }
    let page = get(&idp, "https://id.test/a/b/t/two.test/authorize").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.body.contains("<main"), "people get a page: {}", page.body);
}
