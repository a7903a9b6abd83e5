//! The published description of the APIs, and whether answers fit it.

use axum::http::Method;
use serde_json::{Value, json};
use vestibule::testing::{Answer, TestIdp};
use vestibule::{Access, Idp};

use crate::login::HOUSE;

const PATH: &str = "/api/openapi.json";

/// What `/api/openapi.json` says.
pub(crate) struct Description(Value);

impl Description {
    pub(crate) async fn of(idp: &TestIdp) -> Self {
        Self(idp.browser().get(&format!("{}{PATH}", TestIdp::ISSUER)).await.json())
    }

    /// Checks that the answer to a call has a status and a body of the description.
    pub(crate) fn check(&self, method: &Method, path: &str, answer: &Answer) {
        let called = path.split('?').next().unwrap().strip_prefix("/api").unwrap();
        let paths = self.0["paths"].as_object().unwrap();
        let (template, operations) = paths.iter().find(|(template, _)| is_of(template, called)).expect(path);
        let what = format!("{method} {template}: {} {}", answer.status, answer.body);
        let response = &operations[method.as_str().to_ascii_lowercase()]["responses"][answer.status.as_str()];
        assert!(response.is_object(), "no such answer is described: {what}");
        let Some(content) = response["content"].as_object() else {
            assert!(answer.body.is_empty(), "no body is described: {what}");
            return;
        };
        let media_type = answer.headers["content-type"].to_str().unwrap();
        let schema =
            &content.get(media_type).unwrap_or_else(|| panic!("not of type {media_type}: {what}"))["schema"];
        let mut schemas = self.0["components"]["schemas"].clone();
        close(&mut schemas);
        let whole = json!({ "allOf": [schema], "components": { "schemas": schemas } });
        let validator = jsonschema::draft202012::new(&whole).unwrap();
        let body = answer.json();
        let mistakes: Vec<_> = validator.iter_errors(&body).map(|error| error.to_string()).collect();
        assert!(mistakes.is_empty(), "{what}: {mistakes:?}");
    }
}

/// Is this path one of the template's?
fn is_of(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len() && template.iter().zip(path).all(|(t, p)| t.starts_with('{') || *t == p)
}

/// Clients must bear members that they do not know; here nothing may be answered that is not described.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            // A branch sees only its own members; the schema around it closes them all.
            let branches = ["oneOf", "anyOf", "allOf"];
            let inner = members.iter_mut().filter(|(name, _)| !branches.contains(&name.as_str()));
            inner.for_each(|(_, schema)| close(schema));
            if members.get("properties").is_some_and(Value::is_object) && members.contains_key("type") {
                members.entry("unevaluatedProperties").or_insert(json!(false));
            }
        }
        Value::Array(values) => values.iter_mut().for_each(close),
        _ => {}
    }
}

#[tokio::test]
async fn the_description_is_a_public_document_of_every_issuer() {
    let idp = TestIdp::with(HOUSE).await;
    let published = std::fs::read_to_string("src/api/openapi/openapi.json").unwrap();
    for issuer in [TestIdp::ISSUER.to_owned(), format!("{}/t/{}", TestIdp::ISSUER, crate::login::DOMAIN)] {
        let answer = idp.browser().get(&format!("{issuer}{PATH}")).await;
        assert_eq!((answer.status.as_u16(), &answer.body), (200, &published));
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        let tag = answer.headers["etag"].to_str().unwrap().to_owned();
        let url = format!("{issuer}{PATH}");
        let again = idp.browser().send(Method::GET, &url, &[("if-none-match", &tag)], None).await;
        assert_eq!((again.status.as_u16(), again.body.as_str()), (304, ""));
    }
}

/// The description names the scope that each row demands, and every row of an API stands in it.
#[tokio::test]
async fn each_row_of_an_api_is_described_with_its_scope() {
    let Description(document) = Description::of(&TestIdp::with(HOUSE).await).await;
    let mut rows = 0;
    for row in Idp::routes().into_iter().filter(|row| row.path.starts_with("/api/") && row.path != PATH) {
        let Access::Bearer(guard) = row.access else { panic!("{} demands no token", row.path) };
        for method in row.methods {
            let path = row.path.strip_prefix("/api").unwrap();
            let operation = &document["paths"][path][method.as_str().to_ascii_lowercase()];
            assert_eq!(operation["security"], json!([{ "accessToken": [guard.scope()] }]), "{method} {path}");
            rows += 1;
        }
    }
    assert!(rows >= 3);
}

/// The check itself refuses what is not described.
#[tokio::test]
async fn an_answer_that_is_not_described_is_found() {
    let idp = TestIdp::with(HOUSE).await;
    let description = Description::of(&idp).await;
    let fits = |status: u16, body: &str| {
        let answer = Answer {
            url: TestIdp::ISSUER.parse().unwrap(),
            status: status.try_into().unwrap(),
            headers: [("content-type".parse().unwrap(), "application/json".parse().unwrap())]
                .into_iter()
                .collect(),
            body: body.to_owned(),
        };
        let check = || description.check(&Method::GET, "/api/account/sessions", &answer);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(check)).is_ok()
    };
    assert!(fits(200, r#"{"sessions": []}"#));
    assert!(!fits(200, r#"{"sessions": [], "more": 1}"#));
    assert!(!fits(200, r#"{"sessions": [{"id": "x"}]}"#));
    assert!(!fits(418, r#"{"sessions": []}"#));
}
