//! Sample in the query: typed, each at most once, and no unknown ones.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use super::error::ApiError;
use super::input;

/// The parameters of a request.
#[derive(Debug)]
pub(super) struct ApiQuery<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for ApiQuery<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let pairs = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        input::read(serde_urlencoded::Deserializer::new(pairs), input::parameter).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::Request;
    use axum::http::StatusCode;
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Sample {
        limit: Option<u16>,
    }

    async fn read(query: &str) -> Result<Option<u16>, Value> {
        let request = Request::builder().uri(format!("/x{query}")).body(()).unwrap();
        match ApiQuery::<Sample>::from_request_parts(&mut request.into_parts().0, &()).await {
            Ok(ApiQuery(sample)) => Ok(sample.limit),
            Err(ApiError::InvalidRequest(StatusCode::BAD_REQUEST, errors)) => Err(json!(errors)),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn takes_known_parameters_once() {
        assert_eq!((read("").await, read("?").await), (Ok(None), Ok(None)));
        assert_eq!(read("?limit=20").await, Ok(Some(20)));
        for (query, parameter, detail) in [
            ("?limit=x", "limit", "invalid digit found in string"),
            ("?limit=1&limit=2", "", "duplicate field `limit`"),
            ("?limits=1", "limits", "unknown"),
            ("?limit=1&%6Eame=x", "name", "unknown"),
        ] {
            let errors = read(query).await.unwrap_err();
            assert_eq!(errors[0]["detail"], detail, "{query}");
            assert_eq!(errors[0]["parameter"], parameter, "{query}");
        }
    }
}
