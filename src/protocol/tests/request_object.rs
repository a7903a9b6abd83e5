//! RFC 9101 and OpenID Connect Core §6.1: requests that the client signed (attacks 83 and 84).

use axum::http::Method;
use futures_util::future::join_all;
use serde_json::{Map, Value, json};

use super::{House, error, form, refused};
use crate::crypto::jwt;
use crate::crypto::keys::SigningKey;
use crate::domain::client::SigningAlgorithm;
use crate::domain::error::ErrorCode;
use crate::domain::request::AuthorizationRequest;
use crate::protocol::authorize::AuthorizeError;
use crate::testing::{Answer, TestIdp};

const CALLBACK: &str = "https://signer.test/callback";
const TYPE: &str = "oauth-authz-req+jwt";

struct Signer {
    house: House,
    key: SigningKey,
}

impl Signer {
    async fn new() -> Self {
        Self::with(SigningAlgorithm::Es256, "").await
    }

    /// With a key of this kind and more registered metadata.
    async fn with(algorithm: SigningAlgorithm, metadata: &str) -> Self {
        let key = SigningKey::generate(algorithm).unwrap();
        let members: Vec<_> =
            key.jwk().as_object().unwrap().iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let client = format!(
            r#"
    [[clients]]
    client_id = "signer"
    token_endpoint_auth_method = "private_key_jwt"
    redirect_uris = ["{CALLBACK}"]
    jwks = {{ keys = [{{ {} }}] }}
    {metadata}
"#,
            members.join(", ")
        );
        Self { house: House::with(&client).await, key }
    }

    fn claims(&self) -> Map<String, Value> {
        let now = self.house.idp.idp().now().unix();
        let claims = json!({
            "iss": "signer", "aud": "https://id.test", "iat": now, "nbf": now, "exp": now + 300,
            "client_id": "signer", "response_type": "code", "redirect_uri": CALLBACK,
            "scope": "openid email", "state": "inside", "nonce": "inside",
        });
        claims.as_object().unwrap().clone()
    }

    /// An object with one claim changed; `null` leaves it out.
    fn object(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims();
        if value.is_null() {
            claims.remove(name)
        } else {
            claims.insert(name.to_owned(), value)
        };
        jwt::sign(&self.key, TYPE, &claims).unwrap()
    }

    fn good(&self) -> String {
        self.object("", Value::Null)
    }

    async fn ask(&self, object: &str) -> Result<AuthorizationRequest, AuthorizeError> {
        self.ask_with(object, &[]).await
    }

    async fn ask_with(
        &self,
        object: &str,
        outside: &[(&str, &str)],
    ) -> Result<AuthorizationRequest, AuthorizeError> {
        let query = form(&[&[("client_id", "signer"), ("request", object)], outside].concat());
        self.house.validate(&query).await.map(|validated| validated.request().clone())
    }

    /// The error of an object that is sent with a good way back outside.
    async fn refusal(&self, object: &str) -> ErrorCode {
        match self.ask_with(object, &[("redirect_uri", CALLBACK), ("state", "outside")]).await {
            Err(AuthorizeError::Redirect(target, error)) => {
                assert_eq!(
                    (target.redirect_uri.as_str(), target.state.as_deref()),
                    (CALLBACK, Some("outside"))
                );
                error.code
            }
            other => panic!("{object}: {other:?}"),
        }
    }

    async fn push(&self, object: &str, more: &[(&str, &str)]) -> Answer {
        let now = self.house.idp.idp().now().unix();
        let assertion = json!({
            "iss": "signer", "sub": "signer", "aud": "https://id.test/par", "exp": now + 60,
            "jti": crate::crypto::random::uuid(),
        });
        let assertion = jwt::sign(&self.key, "JWT", &assertion).unwrap();
        let proof = [
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
            ("request", object),
        ];
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.house.send(Method::POST, "/par", &headers, &form(&[&proof[..], more].concat())).await
    }
}

#[tokio::test]
async fn what_was_signed_is_what_is_asked() {
    for algorithm in SigningAlgorithm::ALL {
        let signer = Signer::with(algorithm, "").await;
        let outside = [
            ("scope", "openid profile"),
            ("redirect_uri", "https://evil.test/"),
            ("state", "outside"),
            ("nonce", "outside"),
            ("response_type", "code"),
            ("prompt", "none"),
            ("code_challenge", "x"),
        ];
        let request = signer.ask_with(&signer.good(), &outside).await.unwrap();
        assert_eq!(request.scope.to_string(), "email openid");
        assert_eq!(request.redirect_uri, CALLBACK);
        assert_eq!((request.state.as_deref(), request.nonce.as_deref()), (Some("inside"), Some("inside")));
        assert!(!request.prompt.none && request.code_challenge.is_none(), "only outside is nowhere");
        assert_eq!(signer.ask(&signer.good()).await.unwrap(), request, "response_type need not be outside");
    }
}

#[tokio::test]
async fn values_need_not_be_texts() {
    let signer = Signer::new().await;
    let mut claims = signer.claims();
    claims.insert("max_age".to_owned(), json!(60));
    claims.insert("claims".to_owned(), json!({ "id_token": { "email": null } }));
    claims.insert("display".to_owned(), Value::Null);
    claims.insert("unknown".to_owned(), json!([1, { "a": true }]));
    let request = signer.ask(&jwt::sign(&signer.key, "JWT", &claims).unwrap()).await.unwrap();
    assert_eq!(request.max_age, Some(60));
    assert!(request.claims.id_token.contains_key("email"));
    for (name, value) in [("max_age", json!(1.5)), ("claims", json!([])), ("scope", json!(["openid"]))] {
        let answer = signer.ask(&signer.object(name, value)).await;
        assert!(matches!(answer, Err(AuthorizeError::Redirect(..))), "{name}: {answer:?}");
    }
    let long = signer.ask(&signer.object("state", json!("x\u{0}"))).await;
    assert!(matches!(long, Err(AuthorizeError::Show(_))), "{long:?}");
}

/// Attacks 70 and 84.
#[tokio::test]
async fn an_object_that_is_not_for_us_now_is_none() {
    let signer = Signer::new().await;
    let now = signer.house.idp.idp().now().unix();
    for (name, value) in [
        ("iss", Value::Null),
        ("iss", json!("shop")),
        ("aud", Value::Null),
        ("aud", json!("https://id.test/")),
        ("aud", json!("https://id.test/par")),
        ("aud", json!("https://id.test/t/one.test")),
        ("aud", json!(["https://id.test", "https://other.test"])),
        ("sub", json!("signer")),
        ("exp", Value::Null),
        ("exp", json!(now - 61)),
        ("exp", json!(now + 2 * 3600)),
        ("exp", json!("soon")),
        ("nbf", json!(now + 61)),
        ("iat", json!(now + 61)),
    ] {
        let object = signer.object(name, value.clone());
        assert_eq!(signer.refusal(&object).await, ErrorCode::InvalidRequestObject, "{name} {value}");
    }
    let good = signer.good();
    let payload = good.split('.').nth(1).unwrap();
    let other = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    for object in [
        format!("eyJhbGciOiJub25lIn0.{payload}."),
        format!("eyJhbGciOiJub25lIn0.{payload}"),
        format!("{good}.a.b"),
        good.replace(&payload[..8], "eyJhIjox"),
        jwt::sign(&other, TYPE, &signer.claims()).unwrap(),
        jwt::sign(&signer.key, "at+jwt", &signer.claims()).unwrap(),
        jwt::sign(&signer.key, "client-authentication+jwt", &signer.claims()).unwrap(),
        "x".to_owned(),
    ] {
        assert_eq!(signer.refusal(&object).await, ErrorCode::InvalidRequestObject, "{object}");
    }
    for value in [json!("https://id.test"), json!(["https://id.test"])] {
        assert!(signer.ask(&signer.object("aud", value)).await.is_ok());
    }
    for typ in ["JWT", "application/oauth-authz-req+jwt"] {
        assert!(signer.ask(&jwt::sign(&signer.key, typ, &signer.claims()).unwrap()).await.is_ok(), "{typ}");
    }
}

/// Attack 83.
#[tokio::test]
async fn inside_and_outside_do_not_contradict_each_other() {
    let signer = Signer::new().await;
    for (name, value) in [
        ("client_id", Value::Null),
        ("client_id", json!("shop")),
        ("client_id", json!(["signer"])),
        ("request", json!("a.b.c")),
        ("request_uri", json!("https://signer.test/")),
        ("request_uri", json!("")),
    ] {
        let object = signer.object(name, value.clone());
        assert_eq!(signer.refusal(&object).await, ErrorCode::InvalidRequestObject, "{name} {value}");
    }
    let outside = [("redirect_uri", CALLBACK), ("response_type", "token")];
    let answer = signer.ask_with(&signer.good(), &outside).await;
    let Err(AuthorizeError::Redirect(_, refusal)) = answer else { panic!("{answer:?}") };
    assert_eq!(refusal.code, ErrorCode::InvalidRequestObject);
    for more in [("request", "a.b.c"), ("request_uri", "https://signer.test/")] {
        let answer = signer.ask_with(&signer.good(), &[("redirect_uri", CALLBACK), more]).await;
        let Err(AuthorizeError::Redirect(_, refusal)) = answer else { panic!("{answer:?}") };
        assert_eq!(refusal.code, ErrorCode::InvalidRequest, "{more:?}");
    }
    let both = [("request_uri", "urn:ietf:params:oauth:request_uri:x")];
    assert!(matches!(signer.ask_with(&signer.good(), &both).await, Err(AuthorizeError::Show(_))));
    let moved =
        signer.ask_with(&signer.object("redirect_uri", json!("https://evil.test/")), &outside[..1]).await;
    assert!(matches!(moved, Err(AuthorizeError::Show(_))), "the address inside is the one that counts");
    let unproven = signer.ask_with("x", &[("redirect_uri", "https://evil.test/")]).await;
    assert!(matches!(unproven, Err(AuthorizeError::Show(_))));
}

/// Attack 84, its third part.
#[tokio::test]
async fn an_object_with_a_name_counts_once() {
    let signer = Signer::new().await;
    let object = signer.object("jti", json!("1"));
    let answers = join_all((0..32).map(|_| signer.ask(&object))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for answer in answers.into_iter().filter_map(Result::err) {
        let AuthorizeError::Redirect(_, error) = answer else { panic!("{answer:?}") };
        assert_eq!(error.code, ErrorCode::InvalidRequestObject);
    }
    assert_eq!(error(&signer.push(&object, &[]).await), refused(400, "invalid_request_object"));
    assert!(signer.ask(&signer.object("jti", json!("2"))).await.is_ok());
    let unnamed = signer.good();
    assert!(signer.ask(&unnamed).await.is_ok() && signer.ask(&unnamed).await.is_ok());
    // A mistake elsewhere does not use it up.
    let mut claims = signer.claims();
    claims.insert("jti".to_owned(), json!("3"));
    claims.insert("scope".to_owned(), json!("bogus"));
    let wrong = jwt::sign(&signer.key, TYPE, &claims).unwrap();
    for _ in 0..2 {
        let Err(AuthorizeError::Redirect(_, error)) = signer.ask(&wrong).await else { panic!("accepted") };
        assert_eq!(error.code, ErrorCode::InvalidScope);
    }
}

#[tokio::test]
async fn an_object_may_be_pushed() {
    let signer = Signer::new().await;
    let answer = signer.push(&signer.good(), &[("scope", "openid profile"), ("state", "outside")]).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let uri = answer.json()["request_uri"].as_str().unwrap().to_owned();
    let query = form(&[("client_id", "signer"), ("request_uri", &uri)]);
    let request = signer.house.validate(&query).await.unwrap().request().clone();
    assert_eq!(
        (request.state.as_deref(), request.scope.to_string().as_str()),
        (Some("inside"), "email openid")
    );
    let wrong = signer.push(&signer.object("aud", json!("https://id.test/par")), &[]).await;
    assert_eq!(error(&wrong), refused(400, "invalid_request_object"));
    let scope = signer.push(&signer.object("scope", json!("bogus")), &[]).await;
    assert_eq!(error(&scope), refused(400, "invalid_scope"));
}

#[tokio::test]
async fn what_is_registered_is_demanded() {
    let metadata = "request_object_signing_alg = \"ES256\"\nrequire_signed_request_object = true";
    let signer = Signer::with(SigningAlgorithm::Es256, metadata).await;
    assert!(signer.ask(&signer.good()).await.is_ok());
    let plain =
        [("client_id", "signer"), ("redirect_uri", CALLBACK), ("response_type", "code"), ("scope", "openid")];
    let answer = signer.house.validate(&form(&plain)).await;
    let Err(AuthorizeError::Redirect(_, refusal)) = answer else { panic!("{answer:?}") };
    assert_eq!(refusal.code, ErrorCode::InvalidRequest);
    let other = Signer::with(SigningAlgorithm::EdDsa, "request_object_signing_alg = \"ES256\"").await;
    assert_eq!(other.refusal(&other.good()).await, ErrorCode::InvalidRequestObject);
    let keyless = "[[clients]]\nclient_id = \"office\"\nrequire_signed_request_object = true";
    let mistake = other.house.idp.idp().apply(keyless).await.unwrap_err().to_string();
    assert!(mistake.contains("clients[0].require_signed_request_object: needs keys"), "{mistake}");
    let export = signer.house.idp.idp().export().await.unwrap();
    assert!(export.contains("require_signed_request_object = true"), "{export}");
}

#[tokio::test]
async fn a_client_without_keys_cannot_sign() {
    let signer = Signer::new().await;
    let shop = form(&[("client_id", "shop"), ("request", &signer.good())]);
    let answer = signer.house.idp.browser().get(&format!("{}/authorize?{shop}", TestIdp::ISSUER)).await;
    assert_eq!(answer.status, 400);
}
