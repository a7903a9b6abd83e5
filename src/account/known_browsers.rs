//! Browsers in which a user has signed in, so that a mail can tell of one that is new (OWASP ASVS 6.3.5).
//!
//! A browser is known by a cookie of its own, which lives 90 days after each sign-in; kept is a keyed hash of it with
//! the user, so that the store does not tell who shares a browser. That is all it is good for: it skips nothing and proves
//! nothing, which is what `trusted_browsers` are for. So who clears cookies, or comes by another issuer's address, is told
//! of a new browser; the first one of a user is none, for there is nothing to tell it from. Only for whom a mail can
//! reach is anything kept.

use std::time::Duration;

use super::delivery::Post;
use super::{Account, Error};
use crate::crypto::secret::Secret;
use crate::domain::ids::{Hash, UserId};
use crate::domain::message::Notice;
use crate::domain::tenant::Tenant;
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::domain::user_agent;
use crate::storage::known_browsers::{self, Sight};
use crate::storage::{self, Tx};

/// How long a browser is known after a sign-in.
pub(crate) const KNOWN: Duration = Duration::from_hours(90 * 24);
/// So many of one user.
const MOST: i64 = 20;

/// A sign-in in a browser, to be settled with it.
#[derive(Clone, Debug)]
pub(crate) struct Sighting {
    user: UserId,
    hash: Hash,
    now: Time,
    notice: Post,
    /// What the browser's cookie holds from now on.
    pub(crate) cookie: Secret,
}

impl Sighting {
    /// Knows the browser from now on; if it is new, the user is told.
    pub(crate) async fn settle(&self, tx: &mut Tx<'_>) -> storage::Result<()> {
        let Self { user, hash, now, notice, .. } = self;
        if known_browsers::note(tx, user, hash, now.plus(KNOWN), MOST, *now).await? == Sight::New {
            notice.settle(tx).await?;
        }
        Ok(())
    }
}

impl Account<'_> {
    /// A sign-in of this user in the browser with this cookie, which calls itself so; `None`: no mail reaches the user.
    pub(crate) fn sighting(
        &self,
        user: &User,
        tenant: &Tenant,
        cookie: Option<&str>,
        user_agent: Option<&str>,
    ) -> Result<Option<Sighting>, Error> {
        let browser = user_agent.map(user_agent::label).filter(|label| !label.is_empty());
        let Some(notice) = self.notice(user, tenant, Notice::NewBrowser { browser })? else {
            return Ok(None);
        };
        let cookie = cookie.map_or_else(Secret::generate, |known| Secret::new(known.to_owned()));
        Ok(Some(Sighting {
            user: user.id.clone(),
            hash: self.sealer.keyed_hash("known browser", &format!("{}\n{}", user.id, cookie.expose())),
            now: self.now(),
            notice,
            cookie,
        }))
    }
}
