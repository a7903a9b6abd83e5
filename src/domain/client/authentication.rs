//! Client authentication at the token endpoint.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::ids::Hash;

/// The authentication method of a client, with the data to check it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "method", content = "against")]
pub enum ClientAuthentication {
    /// A public client.
    None,
    /// No method was registered: `client_secret_basic` or `client_secret_post`, one of them per request. RFC 7591 §2
    /// makes Basic the default, but many libraries send the secret in the form unless configured otherwise. Stored as
    /// `client_secret_basic`, because earlier versions stored that word whether or not the method was registered.
    #[serde(rename = "client_secret_basic")]
    ClientSecret(Hash),
    /// `client_secret_basic`
    #[serde(rename = "client_secret_basic_registered")]
    ClientSecretBasic(Hash),
    /// `client_secret_post`
    ClientSecretPost(Hash),
    /// `client_secret_jwt`, with the sealed secret: checking an HMAC needs the secret itself.
    ClientSecretJwt(String),
    /// `private_key_jwt`
    PrivateKeyJwt(ClientKeys),
}

/// The source of a client's public keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ClientKeys {
    /// `jwks_uri`: published by the client.
    At(String),
    /// `jwks`: registered inline.
    Inline(Value),
}

impl ClientAuthentication {
    /// The methods by their names in discovery.
    pub const METHODS: [&str; 5] =
        ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"];

    /// The text for log lines and error messages if [`Self::method`] is `None`.
    pub const UNREGISTERED: &str = "client_secret_basic or client_secret_post";

    /// Minimum length of a client secret. It is stored as one fast hash, so it must not be guessable.
    pub const SECRET_MIN: usize = 32;

    /// The value of `token_endpoint_auth_method`; `None` if it was not registered.
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

    /// Rows of earlier versions do not tell whether the method was registered.
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
