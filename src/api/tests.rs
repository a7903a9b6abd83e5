//! The guard of a row holds whatever its handler does.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::routing::get;
use serde_json::Value;
use tower::ServiceExt;

use super::guard::{self, Authorized};
use crate::domain::scope::ACCOUNT_SESSIONS;
use crate::http::{Access, Route};
use crate::provider::Idp;
use crate::testing::TestIdp;

async fn answer(idp: &Idp, access: Access, token: Option<&str>) -> (StatusCode, Value) {
    let router = Router::new();
    let careless = Route::new("/careless", &[Method::GET], access, get(|| async { "\"let in\"" }));
    let careful = Route::new("/careful", &[Method::GET], access, get(|_: Authorized| async { "\"let in\"" }));
    let router = careful.mount(careless.mount(router, idp), idp).with_state(idp.clone());
    let mut answers = Vec::new();
    for path in ["/careless", "/careful"] {
        let mut request = Request::get(format!("{}{path}", TestIdp::ISSUER));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), 4096).await.unwrap();
        answers.push((status, serde_json::from_slice(&body).unwrap()));
    }
    assert!(access == Access::Open || answers[0] == answers[1], "{answers:?}");
    answers.remove(usize::from(access == Access::Open))
}

#[tokio::test]
async fn a_handler_that_asks_for_nobody_is_guarded_all_the_same() {
    let idp = TestIdp::with("").await;
    let guarded = guard::token_with(ACCOUNT_SESSIONS);
    for (token, kind) in [(None, "token-missing"), (Some("x"), "token-invalid")] {
        let (status, problem) = answer(idp.idp(), guarded, token).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(problem["type"], format!("urn:vestibule:problem:{kind}"));
    }
}

/// A handler that acts for a caller never runs without one, even where its row forgot the guard.
#[tokio::test]
async fn a_row_without_a_guard_has_no_caller() {
    let idp = TestIdp::with("").await;
    let (status, problem) = answer(idp.idp(), Access::Open, None).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(problem["type"], "urn:vestibule:problem:internal-error");
    assert_eq!(problem["title"], "Internal error");
}
