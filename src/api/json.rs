//! JSON bodies: typed, and strict where they come in.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{ApiError, InvalidMember};
use super::input;

/// The body of a request or of an answer.
#[derive(Debug)]
pub(super) struct ApiJson<T>(pub(super) T);

impl<T: Serialize> IntoResponse for ApiJson<T> {
    fn into_response(self) -> Response {
        Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for ApiJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let refuse =
            |status, detail: &str| ApiError::InvalidRequest(status, vec![InvalidMember::body(detail)]);
        let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.and_then(|value| value.split(';').next()).map(str::trim);
        if !media_type.is_some_and(|name| name.eq_ignore_ascii_case("application/json")) {
            return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be application/json"));
        }
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|error| refuse(error.status(), &error.body_text()))?;
        let mut deserializer = serde_json::Deserializer::from_slice(&body);
        let value = input::read(&mut deserializer, input::pointer)?;
        let end = deserializer.end();
        end.map_err(|error| refuse(StatusCode::BAD_REQUEST, &error.to_string()))?;
        Ok(Self(value))
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Outer {
        #[serde(rename = "a/b")]
        list: Vec<Item>,
    }

    #[derive(Debug, Deserialize)]
    struct Item {
        number: u8,
    }

    async fn read(media_type: &str, body: &str) -> Result<Outer, (StatusCode, Value)> {
        let request = Request::builder().header(CONTENT_TYPE, media_type).body(Body::from(body.to_owned()));
        match ApiJson::from_request(request.unwrap(), &()).await {
            Ok(ApiJson(outer)) => Ok(outer),
            Err(error) => {
                let (parts, body) = error.into_response().into_parts();
                assert_eq!(parts.headers[CONTENT_TYPE], "application/problem+json");
                let body = to_bytes(body, 4096).await.unwrap();
                Err((parts.status, serde_json::from_slice(&body).unwrap()))
            }
        }
    }

    #[tokio::test]
    async fn reads_what_fits() {
        let outer = read("application/json; charset=utf-8", r#"{"a/b": [{"number": 7}]}"#).await.unwrap();
        assert_eq!(outer.list.iter().map(|item| item.number).collect::<Vec<_>>(), [7]);
    }

    #[tokio::test]
    async fn names_the_place_of_each_mistake() {
        for (body, errors) in [
            (
                r#"{"a/b": [{"number": 7, "more": 1}], "else": {}}"#,
                json!([
                    { "pointer": "#/a~1b/0/more", "detail": "unknown" },
                    { "pointer": "#/else", "detail": "unknown" },
                ]),
            ),
            (
                r#"{"a/b": [{"number": 7}, {"number": 256}]}"#,
                json!([{
                    "pointer": "#/a~1b/1/number",
                    "detail": "invalid value: integer `256`, expected u8 at line 1 column 38",
                }]),
            ),
            (
                r#"{"a/b": [{}]}"#,
                json!([{ "pointer": "#/a~1b/0", "detail": "missing field `number` at line 1 column 11" }]),
            ),
        ] {
            let (status, problem) = read("application/json", body).await.unwrap_err();
            assert_eq!((status.as_u16(), &problem["errors"]), (400, &errors), "{body}");
            assert_eq!(problem["type"], "urn:vestibule:problem:invalid-request");
            assert_eq!((&problem["title"], &problem["status"]), (&json!("Invalid request"), &json!(400)));
        }
    }

    #[tokio::test]
    async fn takes_nothing_but_one_json_value() {
        for body in ["", "{", r#"{"a/b": []} x"#, r#"{"a/b": [], "a/b": []}"#, "[]"] {
            assert_eq!(read("application/json", body).await.unwrap_err().0, 400, "{body}");
        }
        for media_type in ["text/plain", "application/x-www-form-urlencoded", ""] {
            assert_eq!(read(media_type, r#"{"a/b": []}"#).await.unwrap_err().0, 415, "{media_type}");
        }
    }
}
