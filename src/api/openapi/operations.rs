//! What the description says of each operation beside its row: words, parameters and types.

use axum::http::{Method, StatusCode};
use schemars::{Schema, SchemaGenerator};

use crate::api::account::sessions::{EndSessionsQuery, EndedSessions, SessionCollection};

/// Makes the schema of a type, or a reference to it.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// One method of one path.
pub(super) struct Operation {
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// Unique; the name of the function in generated clients.
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    /// The parameters of the query.
    pub(super) query: Option<SchemaOf>,
    /// The body of the request.
    pub(super) body: Option<SchemaOf>,
    pub(super) success: (StatusCode, &'static str),
    /// The body of the answer.
    pub(super) answer: Option<SchemaOf>,
    /// Problems besides those of the access token and the provider.
    pub(super) problems: &'static [StatusCode],
}

/// Every operation.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation {
            method: Method::GET,
            path: "/api/account/sessions",
            id: "listSessions",
            summary: "Lists the sessions of the user",
            query: None,
            body: None,
            success: (StatusCode::OK, "The sessions"),
            answer: Some(SchemaGenerator::subschema_for::<SessionCollection>),
            problems: &[],
        },
        Operation {
            method: Method::DELETE,
            path: "/api/account/sessions",
            id: "endSessions",
            summary: "Ends all sessions of the user, or all but the caller's, with everything that was issued in them",
            query: Some(SchemaGenerator::subschema_for::<EndSessionsQuery>),
            body: None,
            success: (StatusCode::OK, "The sessions were ended"),
            answer: Some(SchemaGenerator::subschema_for::<EndedSessions>),
            problems: &[],
        },
        Operation {
            method: Method::DELETE,
            path: "/api/account/sessions/{id}",
            id: "endSession",
            summary: "Ends one session of the user with everything that was issued in it",
            query: None,
            body: None,
            success: (StatusCode::NO_CONTENT, "The session was ended"),
            answer: None,
            problems: &[StatusCode::NOT_FOUND],
        },
    ]
}
