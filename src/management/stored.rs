//! Stored things as the members that would make them.

use serde::Serialize;
use serde_json::{Map, Value};

use super::error::Error;

/// Returns the members of a value that is stored as a table.
pub(super) fn table(value: &impl Serialize) -> Result<Map<String, Value>, Error> {
    match serde_json::to_value(value) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(other) => Err(Error::Unreadable(format!("not a table: {other}"))),
        Err(error) => Err(Error::Unreadable(error.to_string())),
    }
}

/// Returns the members that differ from those of the default.
pub(super) fn without_defaults<T: Default + Serialize>(value: &T) -> Result<Map<String, Value>, Error> {
    let (mut members, defaults) = (table(value)?, table(&T::default())?);
    members.retain(|name, value| defaults.get(name) != Some(value));
    Ok(members)
}
