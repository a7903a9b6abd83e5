//! Holds `openapi.json` to the rows and types.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::generate::description;
use super::operations::operations;
use crate::api;
use crate::http::{Access, Route, RouteInfo};

/// If this variable is set, the test rewrites the file: `VESTIBULE_TEST_RENEW=1 cargo test --all-features --lib openapi`.
const RENEW: &str = "VESTIBULE_TEST_RENEW";

fn rows() -> Vec<RouteInfo> {
    api::routes().iter().map(Route::info).filter(|row| row.access != Access::Open).collect()
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let rows = rows();
    let of_rows: BTreeSet<_> = rows
        .iter()
        .flat_map(|row| row.methods.iter().map(|method| (row.path.as_ref(), method.as_str())))
        .collect();
    let operations = operations();
    let described: Vec<_> =
        operations.iter().map(|operation| (operation.path, operation.method.as_str())).collect();
    assert_eq!(described.iter().copied().collect::<BTreeSet<_>>(), of_rows, "see openapi/operations.rs");
    assert_eq!(described.len(), of_rows.len(), "each once");
    let ids: BTreeSet<_> = operations.iter().map(|operation| operation.id).collect();
    assert_eq!(ids.len(), operations.len(), "an operation's id is its own");
}

#[test]
fn the_published_description_is_current() {
    let current = serde_json::to_string_pretty(&description(&rows(), &operations())).unwrap() + "\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api/openapi/openapi.json");
    if std::env::var_os(RENEW).is_some() {
        std::fs::write(&file, &current).unwrap();
    }
    let published = std::fs::read_to_string(&file).unwrap();
    assert!(
        published == current,
        "openapi.json is not what the rows and types say; review the change and renew it: \
         {RENEW}=1 cargo test --all-features --lib openapi"
    );
}

#[test]
fn every_schema_of_the_description_is_one() {
    let document = description(&rows(), &operations());
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert!(schemas.contains_key("SessionCollection") && schemas.contains_key("ProblemDetails"));
    for (name, schema) in schemas {
        jsonschema::draft202012::meta::validate(schema).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let mut references = Vec::new();
    collect(&document, &mut references);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

/// The references anywhere in a document.
fn collect<'v>(value: &'v Value, references: &mut Vec<&'v str>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|value| collect(value, references));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}
