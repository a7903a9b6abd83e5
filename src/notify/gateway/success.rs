//! Decides whether a gateway has accepted a text, by the status and the operator's condition on the response body.

use axum::http::{Response, StatusCode};
use serde_json::Value;

use crate::ext::DeliveryError;

/// The condition on a 2xx response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Success {
    /// The status is enough.
    Status,
    /// The body contains this text.
    Holds(String),
    /// The JSON body has this value at this pointer (RFC 6901).
    Shows { pointer: String, value: String },
}

impl Success {
    /// Parses `/messages/0/status=0` as a pointer and its value, everything else as a text.
    pub(super) fn parse(text: &str) -> Self {
        match text.split_once('=') {
            Some((pointer, value)) if pointer.starts_with('/') => {
                Self::Shows { pointer: pointer.to_owned(), value: value.to_owned() }
            }
            _ => Self::Holds(text.to_owned()),
        }
    }

    /// Classifies a response.
    ///
    /// Statuses about the operator's account or about load are transient, because they can be resolved without the
    /// user; every other refusal concerns this text and is permanent. A 2xx response that does not meet the condition
    /// is permanent as well: if the condition itself were wrong, each retry would send and bill another text.
    pub(super) fn judge(&self, answer: &Response<Vec<u8>>) -> Result<(), DeliveryError> {
        let status = answer.status();
        let reason = format!("the gateway answered {status}");
        match status {
            _ if status.is_success() => self.find(answer.body()).map_err(DeliveryError::Permanent),
            StatusCode::UNAUTHORIZED
            | StatusCode::PAYMENT_REQUIRED
            | StatusCode::FORBIDDEN
            | StatusCode::PROXY_AUTHENTICATION_REQUIRED
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_EARLY
            | StatusCode::TOO_MANY_REQUESTS => Err(DeliveryError::Transient(reason)),
            _ if status.is_server_error() => Err(DeliveryError::Transient(reason)),
            _ => Err(DeliveryError::Permanent(reason)),
        }
    }

    /// Checks the condition. The error does not quote the body, which may contain the number or the text.
    fn find(&self, body: &[u8]) -> Result<(), String> {
        let found = match self {
            Self::Status => true,
            Self::Holds(text) => String::from_utf8_lossy(body).contains(text),
            Self::Shows { pointer, value } => {
                let document: Value = serde_json::from_slice(body).unwrap_or_default();
                document.pointer(pointer).is_some_and(|found| {
                    found.as_str().map_or_else(|| found.to_string(), str::to_owned) == *value
                })
            }
        };
        if found { Ok(()) } else { Err("the gateway's answer is not what sms.success names".to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(success: &str, status: u16, body: &str) -> &'static str {
        let mut answer = Response::new(body.as_bytes().to_vec());
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        match Success::parse(success).judge(&answer) {
            Ok(()) => "sent",
            Err(DeliveryError::Transient(_)) => "later",
            Err(DeliveryError::Permanent(_)) => "never",
        }
    }

    #[test]
    fn what_answers_mean() {
        for (status, meaning) in [
            (200, "sent"),
            (201, "sent"),
            (202, "sent"),
            (204, "never"),
            (301, "never"),
            (307, "never"),
            (400, "never"),
            (401, "later"),
            (402, "later"),
            (403, "later"),
            (404, "never"),
            (408, "later"),
            (413, "never"),
            (422, "never"),
            (429, "later"),
            (500, "later"),
            (502, "later"),
            (503, "later"),
            (504, "later"),
        ] {
            let body = if status == 204 { "" } else { "OK: 1" };
            assert_eq!(judge("OK", status, body), meaning, "{status}");
        }
        assert_eq!(judge("", 204, ""), "sent");
    }

    #[test]
    fn a_place_in_the_document_is_looked_at_and_not_its_neighbours() {
        let seven =
            |code: &str| format!(r#"{{"success":{code},"messages":[{{"success":true,"text":"100"}}]}}"#);
        for (test, body, meaning) in [
            ("/success=100", seven("\"100\""), "sent"),
            ("/success=100", seven("100"), "sent"),
            ("/success=100", seven("\"900\""), "never"),
            ("/messages/0/success=true", seven("100"), "sent"),
            ("/messages/1/success=true", seven("100"), "never"),
            ("/success=100", "100".to_owned(), "never"),
            ("/success=100", "<html>".to_owned(), "never"),
            ("100", "100".to_owned(), "sent"),
            ("100", "900".to_owned(), "never"),
        ] {
            assert_eq!(judge(test, 200, &body), meaning, "{test} {body}");
        }
    }
}
