//! How a client proves itself at the token endpoint.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::ids::Hash;

/// How a client proves itself: the method and what it is checked against, in one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "method", content = "against")]
pub enum ClientAuthentication {
    /// A public client.
    None,
    /// No method was registered: `client_secret_basic` or `client_secret_post`, one of them per request. RFC 7591 §2 makes
    /// Basic the default, but many libraries post the secret unless they are told otherwise. Stored as
    /// `client_secret_basic`, because rows that hold that word do not tell whether the method was registered.
    #[serde(rename = "client_secret_basic")]
    ClientSecret(Hash),
    /// `client_secret_basic`
    #[serde(rename = "client_secret_basic_registered")]
    ClientSecretBasic(Hash),
    /// `client_secret_post`
    ClientSecretPost(Hash),
    /// `client_secret_jwt`, with the secret sealed under the master key: only who can read it can check an HMAC.
    ClientSecretJwt(String),
    /// `private_key_jwt`
    PrivateKeyJwt(ClientKeys),
}

/// Where a client's public keys are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ClientKeys {
    /// `jwks_uri`: the client publishes them itself.
    At(String),
    /// `jwks`: registered as a JWK set.
    Inline(Value),
}

impl ClientAuthentication {
    /// The methods' names in discovery.
    pub const METHODS: [&str; 5] =
        ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"];

    /// What log lines and mistakes say where [`Self::method`] is `None`.
    pub const UNREGISTERED: &str = "client_secret_basic or client_secret_post";

    /// The least length of a client secret: it is stored under one fast hash, so it must not be guessable.
    pub const SECRET_MIN: usize = 32;

    /// The value of `token_endpoint_auth_method`; `None` if it was left out.
    pub const fn method(&self) -> Option<&'static str> {
        match self {
            Self::None => Some("none"),
            Self::ClientSecret(_) => None,
            Self::ClientSecretBasic(_) => Some("client_secret_basic"),
            Self::ClientSecretPost(_) => Some("client_secret_post"),
            Self::ClientSecretJwt(_) => Some("client_secret_jwt"),
            Self::PrivateKeyJwt(_) => Some("private_key_jwt"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row whose method was always written out cannot tell whether it was registered.
    #[test]
    fn a_stored_basic_method_of_an_earlier_version_counts_as_left_out() {
        let stored = r#"{"method":"client_secret_basic","against":"hash"}"#;
        let read: ClientAuthentication = serde_json::from_str(stored).unwrap();
        assert_eq!(read, ClientAuthentication::ClientSecret(Hash::new("hash")));
        assert_eq!(serde_json::to_string(&read).unwrap(), stored);
        let registered = ClientAuthentication::ClientSecretBasic(Hash::new("hash"));
        let stored = serde_json::to_string(&registered).unwrap();
        assert_eq!(serde_json::from_str::<ClientAuthentication>(&stored).unwrap(), registered);
    }
}
