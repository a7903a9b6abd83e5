//! Browsers in which a user has signed in, so that a mail can tell of one that is new (OWASP ASVS 6.3.5).
//!
//! A browser is known by a cookie of its own, which lives 90 days after each sign-in; kept is a keyed hash of it with
//! the user, so that the store does not tell who shares a browser. That is all it is good for: it skips nothing and proves
//! nothing, which is what `trusted_browsers` are for. So who clears cookies, or comes by another issuer's address, is told
//! of a new browser; the first one of a user is none, for there is nothing to tell it from. Only for whom a mail can
//! reach is anything kept.

use std::time::Duration;

use super::Account;
use crate::crypto::secret::Secret;
use crate::domain::message::Notice;
use crate::domain::tenant::Tenant;
use crate::domain::user::User;
use crate::domain::user_agent;
use crate::storage::known_browsers::{self, Sight};
use crate::storage::{self, Tx};

/// How long a browser is known after a sign-in.
pub(crate) const KNOWN: Duration = Duration::from_hours(90 * 24);
/// So many of one user.
const MOST: i64 = 20;

impl Account<'_> {
    /// This user has signed in in the browser with this cookie, which calls itself so: it is known from now on, and if it is
    /// new, the user is told. Gives what its cookie holds; `None`: no mail reaches the user.
    pub(crate) async fn know_browser(
        &self,
        tx: &mut Tx<'_>,
        user: &User,
        tenant: &Tenant,
        cookie: Option<&str>,
        user_agent: Option<&str>,
    ) -> storage::Result<Option<Secret>> {
        if self.reached_at(user).is_none() {
            return Ok(None);
        }
        let cookie = cookie.map_or_else(Secret::generate, |known| Secret::new(known.to_owned()));
        let hash = self.sealer.keyed_hash("known browser", &format!("{}\n{}", user.id, cookie.expose()));
        let now = self.now();
        if known_browsers::note(tx, &user.id, &hash, now.plus(KNOWN), MOST, now).await? == Sight::New {
            let browser = user_agent.map(user_agent::label).filter(|label| !label.is_empty());
            // Written and sealed only here: nearly every sign-in is in a browser that is known.
            if let Some(news) = self.notice(user, tenant, Notice::NewBrowser { browser })? {
                news.settle(tx).await?;
            }
        }
        Ok(Some(cookie))
    }
}
