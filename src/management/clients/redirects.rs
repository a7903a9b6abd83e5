//! Notes redirect URIs that are registered and cannot be used.

use crate::domain::client::{ApplicationType, Client};
use crate::domain::redirect_uri::Unusable;
use crate::management::validation::Validation;

impl Validation<'_, '_> {
    /// Notes each loopback URI that no application on a user's machine can be sent to. A confidential web client without a
    /// port in its URI is left alone: it may be under development on port 80.
    pub(super) fn note_unusable_redirects(&mut self, key: &str, client: &Client) {
        let metadata = &client.metadata;
        let is_native = metadata.application_type == ApplicationType::Native;
        for uri in &metadata.redirect_uris {
            let uri_text = uri.as_str();
            let why = match uri.unusable(metadata.free_ports()) {
                None => continue,
                Some(Unusable::Port80) if !is_native && !client.is_public() => continue,
                Some(Unusable::Port80) => remedy(uri_text, is_native),
                Some(Unusable::PortZero) => "nothing listens on port 0; leave the port out".to_owned(),
                Some(Unusable::Spelling) => {
                    "its port is fixed, because only http://localhost, http://127.0.0.1 and http://[::1] in this \
                     spelling match with any port"
                        .to_owned()
                }
            };
            self.note(format!("{key}: {uri_text} can hardly match on a user's machine: {why}"));
        }
    }
}

/// Returns which setting would allow any port of a URI without one.
fn remedy(uri: &str, is_native: bool) -> String {
    let has_host = |host: &str| {
        uri.strip_prefix(host).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    };
    let remedy = if has_host("http://localhost") {
        "set localhost_redirects"
    } else if !is_native && ["http://127.0.0.1", "http://[::1]"].into_iter().any(has_host) {
        "set application_type to native"
    } else {
        "register http://127.0.0.1 and set application_type to native"
    };
    format!("it means port 80 alone; to allow any port, {remedy}")
}
