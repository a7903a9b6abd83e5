//! The first factor: tenant, user name and password, checked as one.
//!
//! An unknown tenant, an unknown user, one without a password, one who signs in upstream, one that is disabled and a
//! wrong password take the same way and the same time: one look-up, one try from the budget, one computation. Only the
//! observer learns which it was (SEED0-2, SEED1-14).
//!
//! While a tenant has imported hashes, whose checks take other times than ours, so do the computations for names without a
//! hash: a keyed hash of the name draws one of the tenant's schemes, each as often as its users are.

use std::sync::Arc;

use super::attempts::{Budgets, Try};
use super::directory::SLOWEST_NO;
use super::host::Host;
use super::{Account, Error};
use crate::crypto::password::{Against, HashPermit, Password, PasswordCheck};
use crate::domain::epoch::Epoch;
use crate::domain::event::LoginFailure;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::tenant::{Tenant, TenantDomain};
use crate::domain::time::Time;
use crate::domain::user::Username;
use crate::storage::users::{self, UserCredentials};
use crate::storage::{self, Tx};

/// What was typed, and where.
pub(crate) struct PasswordSignIn<'a> {
    /// The tenant, where the issuer is fixed to one; then what was typed for it does not count.
    pub(crate) fixed: Option<&'a Arc<Tenant>>,
    /// The tenant domain.
    pub(crate) tenant: &'a str,
    /// The user name.
    pub(crate) username: &'a str,
    /// The password.
    pub(crate) password: &'a str,
    /// The network it came from.
    pub(crate) network: Option<&'a str>,
    /// The cookie by which the browser is known.
    pub(crate) browser: Option<&'a str>,
}

/// What a check found.
#[derive(Clone, Debug)]
pub(crate) enum SignInCheck {
    /// The password is this user's.
    Right(PasswordProof),
    /// The sign-in is refused.
    Wrong(LoginFailure),
    /// Not checked: there were too many failures.
    Locked(Time),
}

/// A password that was right.
#[derive(Clone, Debug)]
pub(crate) struct PasswordProof {
    /// Whose.
    pub(crate) user: UserId,
    /// That of user and tenant, read before the password was checked.
    pub(crate) epoch: Epoch,
    tried: Try,
    rehash: Option<Rehash>,
}

/// Whose password it is.
struct Match {
    user: UserId,
    epoch: Epoch,
    rehash: Option<Rehash>,
}

/// An imported hash or one at yesterday's cost, and our own of the same password at today's.
#[derive(Clone, Debug)]
struct Rehash {
    old: String,
    new: String,
}

impl PasswordProof {
    /// Gives the tries back and stores a renewed hash.
    pub(crate) async fn consume(&self, tx: &mut Tx<'_>) -> storage::Result<()> {
        self.tried.queue_success(tx)?;
        if let Some(Rehash { old, new }) = &self.rehash {
            users::rehash_password(tx, &self.user, old, new).await?;
        }
        Ok(())
    }
}

/// Who says whether a password is right.
enum Judge<'a> {
    /// The host's own directory, for this tenant.
    Host(Host<'a>, &'a Tenant),
    /// We, with room for the hash.
    Own(HashPermit),
}

impl Account<'_> {
    /// Fails fast with `Busy` if the hashing queue is full, before a login is even looked up: in a flood, a request that
    /// will be refused must not wait for the reads of all the others.
    pub(crate) fn has_capacity(&self) -> Result<(), Error> {
        // The host's directory hashes for itself, and the tenant is not known yet.
        if self.host.is_none() { Ok(self.hasher.has_capacity()?) } else { Ok(()) }
    }

    /// Checks a password. Every try is counted as a failure until its [`PasswordProof`] is consumed; one that could not be
    /// checked is refunded at once, or a flood on the hashing pool would lock out the users who try to sign in meanwhile.
    ///
    /// Fails fast with `Busy` if the hashing queue is full.
    pub(crate) async fn check_password(&self, typed: &PasswordSignIn<'_>) -> Result<SignInCheck, Error> {
        let (tenant, subject) = self.tenant(typed).await?;
        let judge = match tenant.as_deref().and_then(|tenant| Some((self.directory_of(tenant)?, tenant))) {
            Some((host, tenant)) => Judge::Host(host, tenant),
            None => Judge::Own(self.hasher.acquire()?),
        };
        let name = Username::parse(typed.username).ok();
        let key = name.as_ref().map(Username::key);
        let found = self.named(tenant.as_deref(), name.as_ref()).await?;
        let user = found.as_ref().map(|found| &found.user.id);
        // A text that is not a user name is counted as it was typed.
        let counter = self.password_counter(&subject, key.as_deref().unwrap_or(typed.username));
        let budgets =
            Budgets { browser: self.browser_of(user, typed.browser), ..self.budgets(counter, typed.network) };
        let tried = match self.try_once(budgets).await? {
            Ok(tried) => tried,
            Err(until) => return Ok(SignInCheck::Locked(until)),
        };
        let no = self.host.map(|_| tokio::time::sleep(SLOWEST_NO));
        let found = match judge {
            Judge::Host(host, tenant) => {
                let found = self.ask_directory(host, tenant, name.as_ref(), typed.password).await;
                found.map(|found| {
                    found.map(|user| Match { epoch: user.epoch + tenant.epoch, user: user.id, rehash: None })
                })
            }
            Judge::Own(place) => {
                let name = key.as_deref().unwrap_or(typed.username);
                let scheme = self.scheme_for(tenant.as_deref(), &subject, name).await?;
                self.compare(place, tenant.as_deref(), found, scheme.as_deref(), typed.password).await
            }
        };
        if let (Some(no), Ok(Err(_))) = (no, &found) {
            no.await;
        }
        match found {
            Ok(Ok(Match { user, epoch, rehash })) => {
                Ok(SignInCheck::Right(PasswordProof { user, epoch, tried, rehash }))
            }
            Ok(Err(failure)) => Ok(SignInCheck::Wrong(failure)),
            Err(error) => {
                self.give_back(tried).await?;
                Err(error)
            }
        }
    }

    /// The user with this name, with the stored password.
    async fn named(
        &self,
        tenant: Option<&Tenant>,
        name: Option<&Username>,
    ) -> Result<Option<UserCredentials>, Error> {
        // An unknown tenant and what is no name are looked up too: no user has the empty ones.
        let id = tenant.map_or_else(|| TenantId::new(""), |tenant| tenant.id.clone());
        Ok(users::credentials(&mut self.db.read().tx(), &id, name).await?)
    }

    /// The user whose password it is, or why it is not accepted.
    async fn compare(
        &self,
        place: HashPermit,
        tenant: Option<&Tenant>,
        found: Option<UserCredentials>,
        scheme: Option<&str>,
        typed: &str,
    ) -> Result<Result<Match, LoginFailure>, Error> {
        let hash = found.as_ref().and_then(|found| found.password_hash.as_deref());
        let Ok(password) = Password::at_sign_in(typed) else {
            return Ok(Err(LoginFailure::WrongPassword));
        };
        let against = found.as_ref().and_then(stored_password).unwrap_or(Against::Nothing(scheme));
        let verdict = place.verify(password.clone(), against).await?;
        let (user, epoch) = match judge(tenant, found.as_ref(), verdict) {
            Ok(right) => right,
            Err(failure) => return Ok(Err(failure)),
        };
        let rehash = match hash.filter(|_| verdict.outdated) {
            // Too busy to renew it: the next login will.
            Some(old) => self.hasher.hash(password).await.ok().map(|new| Rehash { old: old.to_owned(), new }),
            None => None,
        };
        Ok(Ok(Match { user, epoch, rehash }))
    }

    /// The scheme that takes the time of a check where this name has no hash; `None` = our own.
    async fn scheme_for(
        &self,
        tenant: Option<&Tenant>,
        subject: &str,
        name: &str,
    ) -> Result<Option<String>, Error> {
        let shares = self.catalogue.password_schemes(tenant.map(|tenant| &tenant.id)).await?;
        let point = self.sealer.keyed_number("password-scheme", &format!("{subject}/{name}"));
        Ok(shares.at(point).map(str::to_owned))
    }

    /// The tenant meant, and what the budget calls it.
    async fn tenant(&self, typed: &PasswordSignIn<'_>) -> Result<(Option<Arc<Tenant>>, String), Error> {
        if let Some(fixed) = typed.fixed {
            return Ok((Some(Arc::clone(fixed)), fixed.domain.to_string()));
        }
        match TenantDomain::typed(typed.tenant) {
            Ok(domain) => Ok((self.catalogue.tenant_by_domain(&domain).await?, domain.to_string())),
            Err(_) => Ok((None, typed.tenant.to_owned())),
        }
    }
}

/// The hash that a user's password is compared with.
pub(crate) fn stored_password(found: &UserCredentials) -> Option<Against<'_>> {
    let hash = found.password_hash.as_deref()?;
    Some(if found.password_scheme.is_some() { Against::Imported(hash) } else { Against::Own(hash) })
}

/// Says yes only if everything is right; the reason for a no is for the observer.
fn judge(
    tenant: Option<&Tenant>,
    found: Option<&UserCredentials>,
    verdict: PasswordCheck,
) -> Result<(UserId, Epoch), LoginFailure> {
    let tenant = tenant.ok_or(LoginFailure::TenantUnknown)?;
    if tenant.disabled {
        return Err(LoginFailure::TenantDisabled);
    }
    let found = found.ok_or(LoginFailure::UserUnknown)?;
    if found.user.upstream.is_some() {
        return Err(LoginFailure::SignsInUpstream);
    }
    if found.password_hash.is_none() {
        return Err(LoginFailure::NoPassword);
    }
    if !verdict.matches {
        return Err(LoginFailure::WrongPassword);
    }
    if found.user.disabled {
        return Err(LoginFailure::UserDisabled);
    }
    Ok((found.user.id.clone(), found.user.epoch + tenant.epoch))
}

#[cfg(test)]
mod tests;
