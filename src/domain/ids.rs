//! Newtypes of identifiers and of the hash under which a secret is stored.

use serde::{Deserialize, Serialize};

/// Declares newtypes that are stored and sent as plain text.
macro_rules! text_newtypes {
    ($($(#[$meta:meta])* $name:ident;)*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps a trusted value.
            pub fn new(value: impl Into<String>) -> Self {
                Self(value.into())
            }

            /// Wraps an identifier from outside. Identifiers are visible ASCII: any other text identifies nothing, and
            /// not every store would accept it.
            pub fn named(text: &str) -> Option<Self> {
                let visible = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
                visible.then(|| Self::new(text))
            }

            /// The value as stored and sent.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

text_newtypes! {
    /// A tenant.
    TenantId;
    /// A user, and the value of the public `sub`: a random UUID, the same in all issuers of the tenant.
    UserId;
    /// An OAuth client: the `client_id`.
    ClientId;
    /// An issuer.
    IssuerId;
    /// A grant, which identifies the family of tokens issued from it.
    GrantId;
    /// A login in progress; part of its page URLs, and bound to one browser.
    InteractionId;
    /// A ceremony of a user's credentials; codes that are sent are bound to it.
    CeremonyId;
    /// A browser session: the value of the `sid` claim. The cookie contains another secret.
    SessionId;
    /// A user in the host's own directory: a key that never changes there.
    DirectoryKey;
    /// An authenticator or a passkey.
    AuthenticatorId;
    /// A trusted browser, which skips its user's second factor.
    TrustedBrowserId;
    /// An organisation that manages several tenants.
    ResellerId;
    /// A group of a tenant's users.
    GroupId;
    /// An upstream provider.
    UpstreamId;
    /// The credential id of a passkey, base64url.
    CredentialId;
    /// The user handle of passkeys: a random UUID.
    UserHandle;
    /// A message to a user.
    MessageId;
    /// A queued request for a reset mail.
    ResetRequestId;
    /// A signing key, by its `kid`.
    KeyId;
    /// The SHA-256 of a secret, base64url, which is stored instead of a code, a cookie or a client secret.
    Hash;
    /// A short public code by which a refusal can be looked up in the log, for example `K7QF-2MPX`.
    Reference;
}
