//! Encodings of values in a text column: as JSON, or as one word.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Database, Decode, Encode, Type};

/// Gives a wrapper the type of a text column on both databases.
macro_rules! text_column {
    ($wrapper:ident) => {
        impl<DB: Database, T> Type<DB> for $wrapper<T>
        where
            String: Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                String::type_info()
            }

            fn compatible(ty: &DB::TypeInfo) -> bool {
                String::compatible(ty)
            }
        }
    };
}

text_column!(Json);
text_column!(Word);

/// A value that is stored as JSON text; bind it as `Json(&value)`.
#[derive(Clone, Copy, Debug)]
pub(in crate::storage) struct Json<T>(pub(in crate::storage) T);

impl<'q, DB: Database, T: Serialize> Encode<'q, DB> for Json<T>
where
    String: Encode<'q, DB>,
{
    fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        serde_json::to_string(&self.0)?.encode(buffer)
    }
}

impl<'r, DB: Database, T: DeserializeOwned> Decode<'r, DB> for Json<T>
where
    &'r str: Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(serde_json::from_str(<&str>::decode(value)?)?))
    }
}

/// A value whose JSON is one string, stored as that string without quotes: enums by their names, scopes.
#[derive(Clone, Copy, Debug)]
pub(in crate::storage) struct Word<T>(pub(in crate::storage) T);

impl<'q, DB: Database, T: Serialize> Encode<'q, DB> for Word<T>
where
    String: Encode<'q, DB>,
{
    fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        match serde_json::to_value(&self.0)? {
            Value::String(word) => word.encode(buffer),
            other => Err(format!("does not serialize to a string: {other}").into()),
        }
    }
}

impl<'r, DB: Database, T: DeserializeOwned> Decode<'r, DB> for Word<T>
where
    &'r str: Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let word = <&str>::decode(value)?.to_owned();
        Ok(Self(serde_json::from_value(Value::String(word))?))
    }
}
