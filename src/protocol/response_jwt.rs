//! The one place where answers to clients are signed: ID tokens, UserInfo (OpenID Connect Core §5.3.2), introspection
//! (RFC 9701) and logout tokens (Back-Channel Logout 1.0). Access tokens are for APIs and are signed in `access_token`.

use serde::Serialize;

use crate::crypto::jwt;
use crate::domain::client::{Client, SigningAlgorithm};
use crate::domain::issuer::Issuer;
use crate::provider::{Idp, Internal};

/// The kind of answer that is signed.
#[derive(Clone, Copy, Debug)]
pub(super) enum ResponseJwt {
    IdToken,
    /// With the algorithm that the client registered for UserInfo.
    UserInfo(SigningAlgorithm),
    Introspection,
    LogoutToken,
}

impl ResponseJwt {
    /// The `typ` of the header. No two kinds that hold the same claims share it (RFC 8725 §3.11).
    pub(super) const fn typ(self) -> &'static str {
        match self {
            Self::IdToken | Self::UserInfo(_) => "JWT",
            Self::Introspection => "token-introspection+jwt",
            Self::LogoutToken => "logout+jwt",
        }
    }

    /// The algorithm that the client registered for answers of this kind; a logout token is signed like an ID token
    /// (Back-Channel Logout §2.4).
    const fn algorithm(self, client: &Client) -> SigningAlgorithm {
        match self {
            Self::IdToken | Self::LogoutToken => client.metadata.id_token_signed_response_alg,
            Self::UserInfo(algorithm) => algorithm,
            Self::Introspection => client.metadata.introspection_signed_response_alg,
        }
    }

    /// Signs the claims with the issuer's key.
    pub(super) async fn sign(
        self,
        idp: &Idp,
        issuer: &Issuer,
        client: &Client,
        claims: &impl Serialize,
    ) -> Result<String, Internal> {
        let key = idp.signing_key(&issuer.id, self.algorithm(client)).await?;
        Ok(jwt::sign(&key, self.typ(), claims)?)
    }
}
