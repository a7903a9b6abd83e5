//! Discovery and keys are built once and served as they are.

use axum::http::Method;

use super::House;

#[tokio::test]
async fn a_document_costs_no_statement() {
    let house = House::new().await;
    for path in ["/.well-known/openid-configuration", "/jwks"] {
        // The first look makes the keys, which is a change; the second builds the document of the new revision.
        for _ in 0..2 {
            house.send(Method::GET, path, &[], "").await;
        }
        let before = house.idp.idp().db().statements();
        assert_eq!(house.send(Method::GET, path, &[], "").await.status, 200);
        assert_eq!(house.idp.idp().db().statements(), before, "{path}");
    }
}
