//! Whose login it is: the user as the store knows them at this moment.

use std::sync::Arc;

use crate::domain::authenticator::{Authenticator, FactorStrength, Held};
use crate::domain::client::Client;
use crate::domain::epoch::Epoch;
use crate::domain::fact::Facts;
use crate::domain::ids::UserId;
use crate::domain::issuer::Issuer;
use crate::domain::passkey::{Passkey, RpId};
use crate::domain::scope::Scope;
use crate::domain::session::Session;
use crate::domain::tenant::Tenant;
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::provider::Idp;
use crate::storage::users::{self, UserCredentials};
use crate::storage::{Result, Tx, authenticators, consents, passkeys};

/// A user who may sign in here, with what the policy asks about.
#[derive(Clone, Debug)]
pub(super) struct LoginUser {
    pub(super) user: User,
    pub(super) tenant: Arc<Tenant>,
    /// The active authenticator.
    pub(super) authenticator: Option<Authenticator>,
    /// Whether a new password must be chosen.
    pub(super) must_change_password: bool,
    /// Every passkey, also those for other host names.
    pub(super) passkeys: Vec<Passkey>,
    /// The relying party that passkeys must be for here.
    pub(super) rp: Option<RpId>,
    /// Whether the name of the office computer was not asked for yet in this enrolment.
    pub(super) desktop_unasked: bool,
    /// What the user allowed this client earlier.
    pub(super) consent: Option<Scope>,
}

impl LoginUser {
    /// Reads a user. `None` if the user or their tenant is disabled, or the tenant is not the issuer's.
    pub(super) async fn load(
        tx: &mut Tx<'_>,
        idp: &Idp,
        issuer: &Issuer,
        client: &Client,
        id: &UserId,
    ) -> Result<Option<Self>> {
        let found = users::credentials_by_id(tx, id).await?;
        let Some(found) = found.filter(|found| !found.user.disabled) else { return Ok(None) };
        let UserCredentials { user, must_change_password, desktop_unasked, has, .. } = found;
        let tenant = idp.catalogue().tenant(&user.tenant).await?;
        let here = issuer.tenant.as_ref().is_none_or(|tenant| *tenant == user.tenant);
        let Some(tenant) = tenant.filter(|tenant| here && !tenant.disabled) else { return Ok(None) };
        let authenticator = if has.authenticator { authenticators::active(tx, id).await? } else { None };
        let authenticator = authenticator.map(|stored| stored.authenticator);
        let passkeys = if has.passkeys { passkeys::of_user(tx, id).await? } else { Vec::new() };
        let rp = RpId::of(&issuer.url);
        let consent = if client.metadata.require_consent {
            consents::of(tx, id, &issuer.id, &client.id).await?
        } else {
            None
        };
        Ok(Some(Self {
            user,
            tenant,
            authenticator,
            must_change_password,
            passkeys,
            rp,
            desktop_unasked,
            consent,
        }))
    }

    /// What the policy asks about. Who signs in upstream has no factor here.
    pub(super) fn held(&self) -> Vec<Held> {
        let passkeys = self.passkeys.iter().map(|passkey| passkey.held(self.rp.as_ref()));
        let all = self.authenticator.iter().map(Authenticator::held).chain(passkeys);
        all.filter(|_| self.user.upstream.is_none()).collect()
    }

    /// Of these facts, those that count for this user now.
    pub(super) fn counted(&self, facts: &Facts) -> Facts {
        facts
            .for_authenticators(&self.held())
            .for_upstream(self.user.upstream.as_ref().map(|account| &account.upstream))
    }

    /// The least worth of a second factor that makes two factors of it.
    pub(super) fn two_factors(&self) -> FactorStrength {
        self.tenant.policy.two_factors(self.user.is_admin())
    }

    /// Of user and tenant: what they have been given counts in no other.
    pub(super) fn epoch(&self) -> Epoch {
        self.user.epoch + self.tenant.epoch
    }

    /// Whether this session is this user's and still valid. The store knows its end; the tenant's policy limits its idle time.
    pub(super) fn holds(&self, session: &Session, now: Time) -> bool {
        session.user == self.user.id
            && session.epoch == self.epoch()
            && session.is_used(&self.tenant.policy, now)
    }
}
