//! Web Authentication ceremonies: creates the options for the browser and verifies its response.
//!
//! Implemented by `webauthn-rs`. Of its credential types we use `SecurityKey`, with user verification preferred: a key
//! that verified its user at registration must do so ever after, and one that cannot is still a second factor. Each
//! response says whether the user was verified; sign-in without a user name requires it.
//!
//! The state needed to verify the response stays with the provider ([`PasskeyChallenge::state`]); the options go to the
//! browser. Both are JSON that no other module interprets.

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
use crate::domain::passkey::{KeyStorage, Passkey, PasskeyChallenge, PasskeyPurpose, RpId};

/// Time limit for the user, enforced by the browser.
const PATIENCE: Duration = Duration::from_mins(5);

/// The reason why a response is rejected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CeremonyError {
    /// It is not the JSON of a browser's response.
    #[error("not an answer of a browser: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The signature counter went back: the key may have been cloned (§6.1.1).
    #[error("the signature counter went back")]
    CounterWentBack,
    /// Any other failed check.
    #[error(transparent)]
    Wrong(WebauthnError),
}

impl From<WebauthnError> for CeremonyError {
    fn from(error: WebauthnError) -> Self {
        match error {
            WebauthnError::CredentialPossibleCompromise => Self::CounterWentBack,
            other => Self::Wrong(other),
        }
    }
}

/// A ceremony could not be created.
#[derive(Debug, thiserror::Error)]
#[error("cannot create the passkey ceremony: {0}")]
pub(crate) struct CeremonyUnavailable(Box<dyn std::error::Error + Send + Sync>);

impl From<WebauthnError> for CeremonyUnavailable {
    fn from(error: WebauthnError) -> Self {
        Self(error.into())
    }
}

impl From<serde_json::Error> for CeremonyUnavailable {
    fn from(error: serde_json::Error) -> Self {
        Self(error.into())
    }
}

impl From<uuid::Error> for CeremonyUnavailable {
    fn from(error: uuid::Error) -> Self {
        Self(error.into())
    }
}

/// The user who registers a passkey, with the names that the authenticator displays.
pub(crate) struct Registrant<'a> {
    pub(crate) handle: &'a UserHandle,
    pub(crate) account: &'a str,
    pub(crate) name: &'a str,
}

/// A registered passkey.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    pub(crate) user_handle: UserHandle,
    pub(crate) credential_id: CredentialId,
    /// The public key and the registration's properties, as JSON.
    pub(crate) credential: String,
    pub(crate) counter: i64,
    pub(crate) custody: KeyStorage,
}

/// The result of a verified assertion.
#[derive(Clone, Debug)]
pub(crate) struct Used {
    pub(crate) credential_id: CredentialId,
    /// The user handle in the response, if any.
    pub(crate) user_handle: Option<UserHandle>,
    pub(crate) counter: i64,
    pub(crate) custody: KeyStorage,
}

/// A WebAuthn relying party.
pub(crate) struct WebauthnRelyingParty(Webauthn);

impl WebauthnRelyingParty {
    /// The relying party of this issuer, with the display name that users know.
    pub(crate) fn new(id: &RpId, issuer: &IssuerUrl, name: &str) -> Result<Self, CeremonyUnavailable> {
        let origin = Url::parse(&issuer.origin()).map_err(|error| CeremonyUnavailable(error.into()))?;
        let builder = WebauthnBuilder::new(id.as_str(), &origin)?.rp_name(name).timeout(PATIENCE);
        Ok(Self(builder.build()?))
    }

    /// Creates the options for a new passkey; `known` are excluded.
    pub(crate) fn register(
        &self,
        who: &Registrant<'_>,
        known: &[Passkey],
    ) -> Result<PasskeyChallenge, CeremonyUnavailable> {
        let handle = Uuid::parse_str(who.handle.as_str())?;
        let known = known
            .iter()
            .map(|passkey| Ok(credential(passkey)?.cred_id))
            .collect::<Result<_, CeremonyUnavailable>>()?;
        let started =
            self.0.start_securitykey_registration(handle, who.account, who.name, Some(known), None, None);
        let (mut options, state) = started?;
        // Any authenticator is accepted, and a discoverable credential is preferred. No extension is requested:
        // browsers reject `credProtect` if user verification is not required for every use.
        options.public_key.hints = None;
        options.public_key.extensions = None;
        let mut options = serde_json::to_value(&options)?;
        if let Some(discoverable) = options.pointer_mut("/publicKey/authenticatorSelection/residentKey") {
            *discoverable = json!("preferred");
        }
        ceremony(PasskeyPurpose::Enrol, &options, &state)
    }

    /// Verifies the response to [`RelyingParty::register`].
    pub(crate) fn registered(
        &self,
        ceremony: &PasskeyChallenge,
        answer: &str,
    ) -> Result<Registered, CeremonyError> {
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

    /// Creates the options to prove one of these passkeys.
    pub(crate) fn prove(&self, known: &[Passkey]) -> Result<PasskeyChallenge, CeremonyUnavailable> {
        let known: Vec<_> = known.iter().map(key).collect::<Result<_, _>>()?;
        let (mut options, state) = self.0.start_securitykey_authentication(&known)?;
        options.public_key.hints = None;
        ceremony(PasskeyPurpose::Prove, &options, &state)
    }

    /// Verifies the response to [`RelyingParty::prove`].
    pub(crate) fn proved(&self, ceremony: &PasskeyChallenge, answer: &str) -> Result<Used, CeremonyError> {
        let state: SecurityKeyAuthentication = serde_json::from_str(&ceremony.state)?;
        let answer: PublicKeyCredential = serde_json::from_str(answer)?;
        Ok(used(&self.0.finish_securitykey_authentication(&answer, &state)?, user_handle(&answer)))
    }

    /// Creates the options for a sign-in with any discoverable passkey, with user verification. The caller provides the
    /// challenge: 256 unpredictable bits in base64url (§13.4.3).
    pub(crate) fn sign_in(&self, challenge: &Hash) -> Result<PasskeyChallenge, CeremonyUnavailable> {
        let (mut options, state) = self.0.start_discoverable_authentication()?;
        // The page decides whether the browser offers it in the name field or after a click.
        options.mediation = None;
        let (mut options, mut state) = (serde_json::to_value(&options)?, serde_json::to_value(&state)?);
        for (json, place) in [(&mut options, "/publicKey/challenge"), (&mut state, "/ast/challenge")] {
            let drawn =
                json.pointer_mut(place).ok_or_else(|| CeremonyUnavailable("it has no challenge".into()))?;
            *drawn = json!(challenge);
        }
        ceremony(PasskeyPurpose::SignIn, &options, &state)
    }

    /// Verifies the response to [`WebauthnRelyingParty::sign_in`], made with this passkey.
    pub(crate) fn signed_in(
        &self,
        ceremony: &PasskeyChallenge,
        answer: &Discovered,
        passkey: &Passkey,
    ) -> Result<Used, CeremonyError> {
        let state: DiscoverableAuthentication = serde_json::from_str(&ceremony.state)?;
        let key = key(passkey)?;
        let result = self.0.finish_discoverable_authentication_v2(&answer.answer, state, key)?;
        Ok(used(&result, answer.user_handle.clone()))
    }
}

/// An unverified response to [`WebauthnRelyingParty::sign_in`].
pub(crate) struct Discovered {
    /// The credential id in the response.
    pub(crate) credential_id: CredentialId,
    /// The user handle in the response.
    pub(crate) user_handle: Option<UserHandle>,
    answer: PublicKeyCredential,
}

impl Discovered {
    /// Parses a response.
    pub(crate) fn read(answer: &str) -> Result<Self, serde_json::Error> {
        let answer: PublicKeyCredential = serde_json::from_str(answer)?;
        Ok(Self {
            credential_id: credential_id(answer.get_credential_id()),
            user_handle: user_handle(&answer),
            answer,
        })
    }
}

fn ceremony(
    purpose: PasskeyPurpose,
    options: &impl Serialize,
    state: &impl Serialize,
) -> Result<PasskeyChallenge, CeremonyUnavailable> {
    let (options, state) = (serde_json::to_string(options)?, serde_json::to_string(state)?);
    Ok(PasskeyChallenge { purpose, options, state })
}

/// The credential id of a stored or exported credential.
pub(crate) fn credential_id_in(credential: &str) -> Result<CredentialId, serde_json::Error> {
    serde_json::from_str::<SecurityKey>(credential).map(|key| credential_id(key.cred_id()))
}

/// The stored credential with its current counter.
fn credential(passkey: &Passkey) -> Result<Credential, serde_json::Error> {
    let mut credential = Credential::from(serde_json::from_str::<SecurityKey>(&passkey.credential)?);
    credential.counter = u32::try_from(passkey.counter).unwrap_or(u32::MAX);
    Ok(credential)
}

fn key(passkey: &Passkey) -> Result<SecurityKey, serde_json::Error> {
    credential(passkey).map(SecurityKey::from)
}

/// The user handle of a response; `None` if it is not a UUID, as ours are. An empty one counts as absent: browsers sent
/// it under Level 1 of the specification for keys that store no user.
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

/// The storage of the private key: a backup-eligible key is as safe as the account it is synchronised to.
const fn custody(backup_eligible: bool) -> KeyStorage {
    if backup_eligible { KeyStorage::Synchronised } else { KeyStorage::Device }
}
