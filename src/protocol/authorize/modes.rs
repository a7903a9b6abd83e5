//! The response modes: how an authorization response travels through the browser (OAuth 2.0 Multiple Response Type
//! Encoding Practices, Form Post Response Mode). A mode is one row; to add one, add its encoder and a line in `MODES`.
//! The check of `response_mode` and discovery follow from the rows.

use super::response::{ResponseDelivery, ResponseParameters};
use crate::domain::client::ResponseType;
use crate::domain::request::ResponseMode;
use crate::http::with_query;

/// One response mode.
struct ModeRow {
    /// The value of `response_mode`.
    name: &'static str,
    mode: ResponseMode,
    /// The response types of which it is the default.
    default_of: &'static [ResponseType],
    encode: fn(redirect_uri: &str, parameters: ResponseParameters) -> ResponseDelivery,
}

/// In the query of a redirect.
static QUERY: ModeRow = ModeRow {
    name: "query",
    mode: ResponseMode::Query,
    default_of: &[ResponseType::Code],
    encode: |redirect_uri, parameters| ResponseDelivery::Redirect(with_query(redirect_uri, parameters)),
};

/// In a form that the browser posts by itself.
static FORM_POST: ModeRow = ModeRow {
    name: "form_post",
    mode: ResponseMode::FormPost,
    default_of: &[],
    encode: |redirect_uri, fields| ResponseDelivery::FormPost { action: redirect_uri.to_owned(), fields },
};

static MODES: [&ModeRow; 2] = [&QUERY, &FORM_POST];

/// The values of `response_mode` that work, for discovery.
pub(in crate::protocol) fn names() -> Vec<&'static str> {
    MODES.iter().map(|row| row.name).collect()
}

/// The mode of this name.
pub(super) fn named(name: &str) -> Option<ResponseMode> {
    MODES.iter().find(|row| row.name == name).map(|row| row.mode)
}

/// The mode of responses of this type to requests that name none.
pub(super) fn default_of(response_type: ResponseType) -> ResponseMode {
    let row = MODES.iter().find(|row| row.default_of.contains(&response_type));
    row.map_or(ResponseMode::Query, |row| row.mode)
}

/// Encodes the parameters for the redirect URI as the mode says.
pub(super) fn encode(
    mode: ResponseMode,
    redirect_uri: &str,
    parameters: ResponseParameters,
) -> ResponseDelivery {
    let row = match mode {
        ResponseMode::Query => &QUERY,
        ResponseMode::FormPost => &FORM_POST,
    };
    (row.encode)(redirect_uri, parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_has_one_row_and_each_response_type_one_default() {
        for row in MODES {
            assert_eq!(named(row.name), Some(row.mode));
        }
        assert_eq!(named("fragment"), None);
        let defaults = MODES.iter().filter(|row| row.default_of.contains(&ResponseType::Code));
        assert_eq!(defaults.count(), 1);
        assert_eq!(default_of(ResponseType::Code), ResponseMode::Query);
    }
}
