//! "I have forgotten my password": who is meant is found out after the answer (SEED1-16, attacks 120 and 134).
//!
//! The response tells nothing and costs one row, whatever was typed. Later a node reads the row, looks for
//! the user, and sends a link or does not; only the observer learns which. So neither pages nor times tell whether there
//! is such a user, has an address, or has had too many mails already.
//!
//! The first link of an hour to an address is limited by the caps of user and address alone ([`super::delivery`]): a whole
//! office may stand behind one network. What a network asks for in vain, or again for an address that was mailed within the
//! hour, draws on a budget of the network; when it is used up, the network gets nothing but first links.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::delivery::SendOutcome;
use super::resets::{Home, NewLink};
use super::{Account, Error};
use crate::audit::{self, Entry};
use crate::crypto::random;
use crate::domain::audit::Actor;
use crate::domain::contact::EmailAddress;
use crate::domain::event::{Event, ResetOutcome};
use crate::domain::ids::{Hash, ResetRequestId, TenantId, UserId};
use crate::domain::reset::{self, ResetPurpose};
use crate::domain::tenant::TenantDomain;
use crate::domain::time::Time;
use crate::domain::user::Username;
use crate::storage::attempts::{self, Rate};
use crate::storage::reset_requests::{self, QueuedResetRequest};
use crate::storage::users::{self, UserCredentials};
use crate::storage::{self, Tx};

/// Maximum length that is kept of each input; user names are shorter.
const KEPT: usize = 300;
/// So many are answered in one round.
const ROUND: i64 = 16;
/// What one network may ask for in vain or again.
const OF_NETWORK: Rate = Rate { count: 20, per: Duration::from_hours(1) };
/// The link to an address that costs its network nothing.
const FIRST: Rate = Rate { count: 1, per: Duration::from_hours(1) };

/// What was typed, and where.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ResetRequest {
    /// Where the pages of the link will be.
    pub(crate) home: Home,
    /// The tenant, where the issuer is fixed to one; then what was typed for it does not count.
    pub(crate) fixed: Option<TenantId>,
    /// The tenant domain.
    pub(crate) tenant: String,
    /// The user name, or the email address.
    pub(crate) username: String,
    /// The network it came from.
    pub(crate) network: Option<String>,
}

/// The answer to a request, to be applied.
#[derive(Clone, Debug)]
pub(crate) struct ResetAnswer {
    id: ResetRequestId,
    tenant: Option<TenantId>,
    user: Option<UserId>,
    link: Result<FirstOrRepeated, ResetOutcome>,
    /// The budget of the network that asked.
    network: Option<Hash>,
    now: Time,
}

/// A link, and the key of the cap that tells whether it is the first of an hour to its address.
#[derive(Clone, Debug)]
struct FirstOrRepeated {
    link: NewLink,
    address: Hash,
}

impl ResetAnswer {
    /// Sends the mail, if there is one to send, and records it. Returns the refusal to record if none is sent; `None` also
    /// if another node has answered.
    pub(crate) async fn apply(&self, tx: &mut Tx<'_>) -> storage::Result<Option<Entry>> {
        if !reset_requests::take(tx, &self.id).await? {
            return Ok(None);
        }
        let outcome = match &self.link {
            // Nothing was looked up, so the network has not asked for anything.
            Err(ResetOutcome::TooLate) => ResetOutcome::TooLate,
            Err(reason) if self.network_may_ask(tx).await? => *reason,
            Err(_) => ResetOutcome::TooMany,
            Ok(link) => self.mail(tx, link).await?,
        };
        let (tenant, user) = (self.tenant.clone(), self.user.clone());
        let event = Event::ResetRequested { tenant, user, outcome };
        let entry = Entry::new(self.now, Actor::Anonymous, event);
        if entry.is_refusal() {
            return Ok(Some(entry));
        }
        audit::record(tx, entry)?;
        Ok(None)
    }

    async fn mail(&self, tx: &mut Tx<'_>, mail: &FirstOrRepeated) -> storage::Result<ResetOutcome> {
        let FirstOrRepeated { link, address } = mail;
        let is_first = attempts::flow(tx, address, self.now, FIRST).await?;
        if !is_first && !self.network_may_ask(tx).await? {
            return Ok(ResetOutcome::TooMany);
        }
        let outcome = match link.enqueue(tx).await? {
            SendOutcome::Queued(_) => return Ok(ResetOutcome::Mailed),
            SendOutcome::Wait(_) => ResetOutcome::TooMany,
            SendOutcome::Impossible => ResetOutcome::NoMail,
        };
        if is_first {
            attempts::queue_refund(tx, address, FIRST)?;
        }
        Ok(outcome)
    }

    /// Draws on the network's budget; `false`: it is used up.
    async fn network_may_ask(&self, tx: &mut Tx<'_>) -> storage::Result<bool> {
        match &self.network {
            Some(network) => attempts::flow(tx, network, self.now, OF_NETWORK).await,
            None => Ok(true),
        }
    }
}

impl Account<'_> {
    /// Seals a wish, to be written down.
    pub(crate) fn reset_request(&self, wish: &ResetRequest) -> Result<QueuedResetRequest, Error> {
        let kept = |text: &str| text.chars().take(KEPT).collect();
        let wish =
            ResetRequest { tenant: kept(&wish.tenant), username: kept(&wish.username), ..wish.clone() };
        let plain = serde_json::to_vec(&wish).map(Zeroizing::new).map_err(storage::Error::encoding)?;
        let id = ResetRequestId::new(random::uuid());
        let sealed = self.sealer.seal(&plain, &reset_requests::row(&id))?;
        Ok(QueuedResetRequest { id, sealed, created_at: self.now() })
    }

    /// What comes of the wishes that have waited longest.
    pub(crate) async fn reset_answers(&self) -> Result<Vec<ResetAnswer>, Error> {
        let waiting = reset_requests::oldest(&mut self.db.read().tx(), ROUND).await?;
        let mut answers = Vec::new();
        for waiting in waiting {
            answers.push(self.answer(waiting).await?);
        }
        Ok(answers)
    }

    async fn answer(&self, waiting: QueuedResetRequest) -> Result<ResetAnswer, Error> {
        let QueuedResetRequest { id, sealed, created_at } = waiting;
        let now = self.now();
        let opened = self.sealer.open(&sealed, &reset_requests::row(&id)).ok();
        let wish = opened.and_then(|plain| serde_json::from_slice::<ResetRequest>(&plain).ok());
        let Some(wish) = wish.filter(|_| created_at.plus(reset::LINK) > now) else {
            let link = Err(ResetOutcome::TooLate);
            return Ok(ResetAnswer { id, tenant: None, user: None, link, network: None, now });
        };
        let network = wish.network.as_deref().map(|network| self.cap("links-of-network", network));
        let answer = |tenant, user, link| ResetAnswer { id, tenant, user, link, network, now };
        let tenant = match (&wish.fixed, TenantDomain::typed(&wish.tenant)) {
            (Some(fixed), _) => self.catalogue.tenant(fixed).await?,
            (None, Ok(domain)) => self.catalogue.tenant_by_domain(&domain).await?,
            (None, Err(_)) => None,
        };
        let Some(tenant) = tenant else { return Ok(answer(None, None, Err(ResetOutcome::TenantUnknown))) };
        let found = match self.meant(&tenant.id, &wish.username).await? {
            Ok(found) => found,
            Err(reason) => return Ok(answer(Some(tenant.id.clone()), None, Err(reason))),
        };
        let link = self.new_link(&found, &tenant, wish.home, ResetPurpose::Forgotten)?.and_then(|link| {
            let address = found.user.address().ok_or(ResetOutcome::NoAddress)?;
            Ok(FirstOrRepeated { link, address: self.cap("first-link-of-address", &address.key()) })
        });
        Ok(answer(Some(tenant.id.clone()), Some(found.user.id), link))
    }

    /// Whose name this is; otherwise whose address, if it is one person's only.
    async fn meant(
        &self,
        tenant: &TenantId,
        typed: &str,
    ) -> Result<Result<UserCredentials, ResetOutcome>, Error> {
        let mut reader = self.db.read();
        if let Ok(name) = Username::parse(typed)
            && let Some(found) = users::credentials(&mut reader.tx(), tenant, Some(&name)).await?
        {
            return Ok(Ok(found));
        }
        let Ok(address) = EmailAddress::parse(typed) else { return Ok(Err(ResetOutcome::UserUnknown)) };
        let mut found = users::by_address(&mut reader.tx(), tenant, &address.key()).await?;
        Ok(match (found.pop(), found.is_empty()) {
            (Some(one), true) => Ok(one),
            (Some(_), false) => Err(ResetOutcome::Ambiguous),
            (None, _) => Err(ResetOutcome::UserUnknown),
        })
    }
}
