//! Ceremonies of Web Authentication: what the browser is asked, and whether its answer is right.
//!
//! The work is `webauthn-rs`'s. Of its kinds of credential we take `SecurityKey`, which verifies its user where it can: a
//! key that did so at its registration must do so ever after, and one that cannot is still a second factor. Whether a
//! user was verified is asked of each answer. Signing in without a name demands it.
//!
//! What a ceremony is about to be held against stays with the provider ([`Ceremony::state`]); its options go to the
//! browser. Both are JSON, since no other room needs to know what is in them.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::json;
use url::Url;
use uuid::Uuid;
use webauthn_rs::prelude::{
    AuthenticationResult, CreationChallengeResponse, Credential, DiscoverableAuthentication,
    PublicKeyCredential, RegisterPublicKeyCredential, SecurityKey, SecurityKeyAuthentication,
    SecurityKeyRegistration, Webauthn, WebauthnBuilder, WebauthnError,
};

use crate::domain::ids::{CredentialId, Hash, UserHandle};
use crate::domain::issuer::IssuerUrl;
use crate::domain::passkey::{Ceremony, KeyStorage, Passkey, Purpose, RpId};

/// How long the browser waits for its user.
const PATIENCE: Duration = Duration::from_mins(5);

/// Why an answer does not count.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// It is not what a browser writes.
    #[error("not an answer of a browser: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The signature counter went back: there may be a copy of the key (§6.1.1).
    #[error("the signature counter went back")]
    CounterWentBack,
    /// Anything else.
    #[error(transparent)]
    Wrong(WebauthnError),
}

impl From<WebauthnError> for Refused {
    fn from(error: WebauthnError) -> Self {
        match error {
            WebauthnError::CredentialPossibleCompromise => Self::CounterWentBack,
            other => Self::Wrong(other),
        }
    }
}

/// No ceremony can be held.
#[derive(Debug, thiserror::Error)]
#[error("no ceremony can be held: {0}")]
pub(crate) struct Unable(Box<dyn std::error::Error + Send + Sync>);

impl From<WebauthnError> for Unable {
    fn from(error: WebauthnError) -> Self {
        Self(error.into())
    }
}

impl From<serde_json::Error> for Unable {
    fn from(error: serde_json::Error) -> Self {
        Self(error.into())
    }
}

impl From<uuid::Error> for Unable {
    fn from(error: uuid::Error) -> Self {
        Self(error.into())
    }
}

/// Whose passkey is registered, in the words that the authenticator shows.
pub(crate) struct Registrant<'a> {
    pub(crate) handle: &'a UserHandle,
    pub(crate) account: &'a str,
    pub(crate) name: &'a str,
}

/// A passkey that was registered.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    pub(crate) user_handle: UserHandle,
    pub(crate) credential_id: CredentialId,
    /// The public key with what was said at the registration, as JSON.
    pub(crate) credential: String,
    pub(crate) counter: i64,
    pub(crate) custody: KeyStorage,
}

/// A passkey that was used.
#[derive(Clone, Debug)]
pub(crate) struct Used {
    pub(crate) credential_id: CredentialId,
    /// Which user the answer names, if it names one.
    pub(crate) user_handle: Option<UserHandle>,
    pub(crate) counter: i64,
    pub(crate) custody: KeyStorage,
}

/// One relying party.
pub(crate) struct RelyingParty(Webauthn);

impl RelyingParty {
    /// The one of this issuer, under the name that users know.
    pub(crate) fn new(id: &RpId, issuer: &IssuerUrl, name: &str) -> Result<Self, Unable> {
        let origin = Url::parse(&issuer.origin()).map_err(|error| Unable(error.into()))?;
        let builder = WebauthnBuilder::new(id.as_str(), &origin)?.rp_name(name).timeout(PATIENCE);
        Ok(Self(builder.build()?))
    }

    /// Asks for a new passkey, beside these.
    pub(crate) fn register(&self, who: &Registrant<'_>, known: &[Passkey]) -> Result<Ceremony, Unable> {
        let handle = Uuid::parse_str(who.handle.as_str())?;
        let known =
            known.iter().map(|passkey| Ok(credential(passkey)?.cred_id)).collect::<Result<_, Unable>>()?;
        let started =
            self.0.start_securitykey_registration(handle, who.account, who.name, Some(known), None, None);
        let (mut options, state) = started?;
        // Any authenticator will do, and it should know its user by itself where it has room for that. Of extensions none
        // is asked for: browsers refuse a protection by user verification that is not demanded of every use.
        options.public_key.hints = None;
        options.public_key.extensions = None;
        let mut options = serde_json::to_value(&options)?;
        if let Some(discoverable) = options.pointer_mut("/publicKey/authenticatorSelection/residentKey") {
            *discoverable = json!("preferred");
        }
        ceremony(Purpose::Enrol, &options, &state)
    }

    /// Checks the answer to [`RelyingParty::register`].
    pub(crate) fn registered(&self, ceremony: &Ceremony, answer: &str) -> Result<Registered, Refused> {
        let state: SecurityKeyRegistration = serde_json::from_str(&ceremony.state)?;
        let options: CreationChallengeResponse = serde_json::from_str(&ceremony.options)?;
        let answer: RegisterPublicKeyCredential = serde_json::from_str(answer)?;
        let key = self.0.finish_securitykey_registration(&answer, &state)?;
        let handle = Uuid::from_slice(&options.public_key.user.id).unwrap_or_default();
        let text = serde_json::to_string(&key)?;
        let credential = Credential::from(key);
        Ok(Registered {
            user_handle: UserHandle::new(handle.to_string()),
            credential_id: credential_id(&credential.cred_id),
            credential: text,
            counter: credential.counter.into(),
            custody: custody(credential.backup_eligible),
        })
    }

    /// Asks for one of these passkeys.
    pub(crate) fn prove(&self, known: &[Passkey]) -> Result<Ceremony, Unable> {
        let known: Vec<_> = known.iter().map(key).collect::<Result<_, _>>()?;
        let (mut options, state) = self.0.start_securitykey_authentication(&known)?;
        options.public_key.hints = None;
        ceremony(Purpose::Prove, &options, &state)
    }

    /// Checks the answer to [`RelyingParty::prove`].
    pub(crate) fn proved(&self, ceremony: &Ceremony, answer: &str) -> Result<Used, Refused> {
        let state: SecurityKeyAuthentication = serde_json::from_str(&ceremony.state)?;
        let answer: PublicKeyCredential = serde_json::from_str(answer)?;
        Ok(used(&self.0.finish_securitykey_authentication(&answer, &state)?, user_handle(&answer)))
    }

    /// Asks for any passkey that knows its user, and verifies them. The challenge is the caller's: 256 bits in base64url
    /// that cannot be predicted (§13.4.3).
    pub(crate) fn sign_in(&self, challenge: &Hash) -> Result<Ceremony, Unable> {
        let (mut options, state) = self.0.start_discoverable_authentication()?;
        // Whether the browser offers it in the name field or after a click is for the page to say.
        options.mediation = None;
        let (mut options, mut state) = (serde_json::to_value(&options)?, serde_json::to_value(&state)?);
        for (json, place) in [(&mut options, "/publicKey/challenge"), (&mut state, "/ast/challenge")] {
            let drawn = json.pointer_mut(place).ok_or_else(|| Unable("it has no challenge".into()))?;
            *drawn = json!(challenge);
        }
        ceremony(Purpose::SignIn, &options, &state)
    }

    /// Checks the answer to [`RelyingParty::sign_in`], which was made with this passkey.
    pub(crate) fn signed_in(
        &self,
        ceremony: &Ceremony,
        answer: &Discovered,
        passkey: &Passkey,
    ) -> Result<Used, Refused> {
        let state: DiscoverableAuthentication = serde_json::from_str(&ceremony.state)?;
        let key = key(passkey)?;
        let result = self.0.finish_discoverable_authentication_v2(&answer.answer, state, key)?;
        Ok(used(&result, answer.user_handle.clone()))
    }
}

/// An answer to [`RelyingParty::sign_in`], of which nothing is checked yet.
pub(crate) struct Discovered {
    /// Which passkey it names.
    pub(crate) credential_id: CredentialId,
    /// Which user it names.
    pub(crate) user_handle: Option<UserHandle>,
    answer: PublicKeyCredential,
}

impl Discovered {
    /// Reads it.
    pub(crate) fn read(answer: &str) -> Result<Self, serde_json::Error> {
        let answer: PublicKeyCredential = serde_json::from_str(answer)?;
        Ok(Self {
            credential_id: credential_id(answer.get_credential_id()),
            user_handle: user_handle(&answer),
            answer,
        })
    }
}

fn ceremony(purpose: Purpose, options: &impl Serialize, state: &impl Serialize) -> Result<Ceremony, Unable> {
    let (options, state) = (serde_json::to_string(options)?, serde_json::to_string(state)?);
    Ok(Ceremony { purpose, options, state })
}

/// What the authenticator calls a credential that was stored or exported.
pub(crate) fn credential_id_in(credential: &str) -> Result<CredentialId, serde_json::Error> {
    serde_json::from_str::<SecurityKey>(credential).map(|key| credential_id(key.cred_id()))
}

/// What was stored, with the counter as it is now.
fn credential(passkey: &Passkey) -> Result<Credential, serde_json::Error> {
    let mut credential = Credential::from(serde_json::from_str::<SecurityKey>(&passkey.credential)?);
    credential.counter = u32::try_from(passkey.counter).unwrap_or(u32::MAX);
    Ok(credential)
}

fn key(passkey: &Passkey) -> Result<SecurityKey, serde_json::Error> {
    credential(passkey).map(SecurityKey::from)
}

/// The user that an answer names. One that is not a UUID names no user of ours. An empty one counts as absent: under
/// Level 1 of the specification browsers sent it for keys that store no user.
fn user_handle(answer: &PublicKeyCredential) -> Option<UserHandle> {
    let handle = answer.get_user_unique_id().filter(|handle| !handle.is_empty())?;
    let uuid = Uuid::from_slice(handle).map(|uuid| uuid.to_string());
    Some(UserHandle::new(uuid.unwrap_or_else(|_| BASE64_URL_SAFE_NO_PAD.encode(handle))))
}

fn used(result: &AuthenticationResult, user_handle: Option<UserHandle>) -> Used {
    Used {
        credential_id: credential_id(result.cred_id()),
        user_handle,
        counter: result.counter().into(),
        custody: custody(result.backup_eligible()),
    }
}

fn credential_id(id: &[u8]) -> CredentialId {
    CredentialId::new(BASE64_URL_SAFE_NO_PAD.encode(id))
}

/// A key that may be backed up is as safe as the account that it is backed up to.
const fn custody(backup_eligible: bool) -> KeyStorage {
    if backup_eligible { KeyStorage::Synchronised } else { KeyStorage::Device }
}
