//! Newtypes for every identifier and for the hash under which a secret is stored.

use serde::{Deserialize, Serialize};

/// Declares text newtypes that are stored and sent as plain text.
macro_rules! text_newtypes {
    ($($(#[$meta:meta])* $name:ident;)*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps a value that is already known to be one.
            pub fn new(value: impl Into<String>) -> Self {
                Self(value.into())
            }

            /// Wraps what somebody outside named. Every value of ours is visible ASCII: anything else names nothing,
            /// and not every store would take it.
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
    /// A tenant: the boundary of isolation.
    TenantId;
    /// A user, and the value of the `sub` claim: a random UUID, the same in all issuers of the tenant.
    UserId;
    /// An OAuth client, by its `client_id` on the wire.
    ClientId;
    /// An issuer.
    IssuerId;
    /// What a user allowed a client, and the family of everything issued from it.
    GrantId;
    /// A login in progress; stands in its page addresses and is bound to one browser.
    InteractionId;
    /// A browser session, by the value of the `sid` claim; the cookie holds another secret.
    SessionId;
    /// A person in the host's own directory, by the key that never changes there.
    DirectoryKey;
    /// An authenticator: what makes or receives codes, or a passkey.
    AuthenticatorId;
    /// A browser that skips its user's second factor.
    TrustedBrowserId;
    /// An organisation that manages several tenants.
    ResellerId;
    /// A group of a tenant's users.
    GroupId;
    /// An OpenID provider at which accounts of ours sign in.
    UpstreamId;
    /// What an authenticator calls a passkey, base64url.
    CredentialId;
    /// By what passkeys know their user: a random UUID.
    UserHandle;
    /// A message on its way to a user.
    MessageId;
    /// A wish for a reset mail that waits for its answer.
    ResetRequestId;
    /// A signing key, by its `kid`.
    KeyId;
    /// SHA-256 of a secret, base64url: all that is stored of a code, a cookie or a client secret.
    Hash;
    /// The short harmless code under which a refusal can be explained, for example `K7QF-2MPX`.
    Reference;
}
