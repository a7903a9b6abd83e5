//! Reads what a caller sends into a type: whatever does not fit is refused with its place, and so are unknown members.
//!
//! `serde_path_to_error` knows where a value does not fit. `serde_ignored` knows which members the type has no field for,
//! so that no type has to remember `deny_unknown_fields`.

use std::fmt::Write;

use axum::http::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::{DeserializeOwned, Deserializer};
use serde_path_to_error::{Path, Segment, Track};

use super::error::{ApiError, InvalidMember, MemberPlace};

/// Everything but the unreserved characters (RFC 3986 §2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Deserializes a value. `place` turns the names on the way to a mistake into its place.
pub(super) fn read<'de, T, D>(
    deserializer: D,
    place: impl Fn(&[String]) -> MemberPlace,
) -> Result<T, ApiError>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    let (mut track, mut unknown) = (Track::new(), Vec::new());
    let tracked = serde_path_to_error::Deserializer::new(deserializer, &mut track);
    let read = serde_ignored::deserialize(tracked, |path| unknown.push(names_of_ignored(&path)));
    let errors = match read {
        Ok(value) if unknown.is_empty() => return Ok(value),
        Ok(_) => {
            let member =
                |names: &Vec<String>| InvalidMember { place: place(names), detail: "unknown".to_owned() };
            unknown.iter().map(member).collect()
        }
        Err(error) => {
            vec![InvalidMember { place: place(&names(&track.path())), detail: error.to_string() }]
        }
    };
    Err(ApiError::InvalidRequest(StatusCode::BAD_REQUEST, errors))
}

/// The place of a member of the body.
pub(super) fn pointer(names: &[String]) -> MemberPlace {
    let mut pointer = "#".to_owned();
    for name in names {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        let encoded = utf8_percent_encode(&escaped, ESCAPED);
        // Writing to a String cannot fail.
        let _ = write!(pointer, "/{encoded}");
    }
    MemberPlace::Pointer(pointer)
}

/// The place of a parameter of the query.
pub(super) fn parameter(names: &[String]) -> MemberPlace {
    MemberPlace::Parameter(names.join("."))
}

fn names(path: &Path) -> Vec<String> {
    let name = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.clone()),
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    path.iter().filter_map(name).collect()
}

fn names_of_ignored(path: &serde_ignored::Path<'_>) -> Vec<String> {
    use serde_ignored::Path;
    let (parent, name) = match path {
        Path::Root => return Vec::new(),
        Path::Seq { parent, index } => (parent, Some(index.to_string())),
        Path::Map { parent, key } => (parent, Some(key.clone())),
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
            (parent, None)
        }
    };
    let mut names = names_of_ignored(parent);
    names.extend(name);
    names
}
