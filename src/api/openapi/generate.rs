//! Makes the description from the rows and the operations' types.

use axum::http::StatusCode;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::operations::{Operation, SchemaOf};
use crate::api::error::ProblemDetails;
use crate::http::{Access, RouteInfo};

/// The server's address relative to the document's own; paths are relative to it.
const SERVER: &str = "/api";
const TOKEN: &str = "accessToken";
/// Every operation can fail like this: the query, body or token; the provider itself.
const COMMON_PROBLEMS: [StatusCode; 5] = [
    StatusCode::BAD_REQUEST,
    StatusCode::UNAUTHORIZED,
    StatusCode::FORBIDDEN,
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::SERVICE_UNAVAILABLE,
];

/// The description of these operations; every one has its row.
pub(super) fn description(rows: &[RouteInfo], operations: &[Operation]) -> Value {
    // One generator for answers and one for what comes in, for the two may differ in what is required.
    let settings =
        || SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into());
    let mut answers = settings().for_serialize().into_generator();
    let mut inputs = settings().for_deserialize().into_generator();
    let mut paths = Map::new();
    for operation in operations {
        let row = rows.iter().find(|row| row.path == operation.path).unwrap();
        let Access::Bearer(guard) = row.access else { panic!("{} demands no token", row.path) };
        let path = paths.entry(operation.path.strip_prefix(SERVER).unwrap()).or_insert_with(|| json!({}));
        path[operation.method.as_str().to_ascii_lowercase()] =
            described(operation, guard.scope(), &mut inputs, &mut answers);
    }
    let mut schemas = answers.take_definitions(true);
    schemas.extend(inputs.take_definitions(true));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Vestibule",
            "version": "1",
            "description": "The APIs of an issuer. Refusals are problem details (RFC 9457) with a stable `type`.",
        },
        "servers": [{ "url": format!("..{SERVER}") }],
        "paths": paths,
        "components": {
            "securitySchemes": { TOKEN: {
                "type": "http",
                "scheme": "bearer",
                "description": "An access token of this issuer whose only audience is the issuer; the words listed at an operation are the scopes it needs.",
            } },
            "schemas": schemas,
        },
    })
}

fn described(
    operation: &Operation,
    scope: &str,
    inputs: &mut SchemaGenerator,
    answers: &mut SchemaGenerator,
) -> Value {
    let (status, words) = operation.success;
    let mut responses = Map::new();
    let mut success = json!({ "description": words });
    if let Some(answer) = operation.answer {
        success["content"] = json!({ "application/json": { "schema": answer(answers) } });
    }
    responses.insert(status.as_str().to_owned(), success);
    let problem = answers.subschema_for::<ProblemDetails>();
    for status in COMMON_PROBLEMS.iter().chain(operation.problems) {
        let response = json!({
            "description": status.canonical_reason(),
            "content": { "application/problem+json": { "schema": problem } },
        });
        responses.insert(status.as_str().to_owned(), response);
    }
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "security": [{ TOKEN: [scope] }],
        "responses": responses,
    });
    let parameters = [path_parameters(operation.path), query_parameters(operation.query, inputs)].concat();
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some(body) = operation.body {
        described["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": body(inputs) } } });
    }
    described
}

fn path_parameters(path: &str) -> Vec<Value> {
    let open = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    open.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect()
}

/// The members of the query's type, one parameter each.
fn query_parameters(query: Option<SchemaOf>, inputs: &mut SchemaGenerator) -> Vec<Value> {
    let Some(query) = query else { return Vec::new() };
    let reference = query(inputs);
    let name = reference.get("$ref").unwrap().as_str().unwrap().rsplit('/').next().unwrap();
    let schema = inputs.definitions_mut().remove(name).unwrap();
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let members = schema["properties"].as_object().unwrap();
    let parameter = |(name, schema): (&String, &Value)| {
        let mut schema = schema.clone();
        let description = schema.as_object_mut().unwrap().remove("description");
        json!({ "name": name, "in": "query", "required": required.contains(&json!(name)), "description": description, "schema": schema })
    };
    members.iter().map(parameter).collect()
}
