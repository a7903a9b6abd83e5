//! Browsers in which a user has signed in. They skip nothing and prove nothing, which is what `trusted_browsers` are for;
//! a known browser is good for two things:
//!
//! - **A mail tells of a sign-in in a browser that is new** (OWASP ASVS 6.3.5). The first browser of a user is not news, for
//!   there is nothing to tell it from. A user who clears cookies, or comes by another issuer's address, is told of a new one.
//! - **It has password tries of its own** ([`super::attempts`]), so that strangers who fail on the user's behalf do not lock
//!   the user out of it (OWASP ASVS 6.1.1; device cookies in OWASP's words). These end with a change of password and
//!   whatever else ends what the user was given (`docs/ending.md`). Being known for the notice does not: otherwise the
//!   first sign-in after a change of password would never be news.
//!
//! A browser is known by a cookie that lives 90 days after each sign-in. One cookie serves all users of a browser and all
//! tenants; kept is a keyed hash of it with the user's id, so one user's cookie says nothing for another, and the store
//! does not tell which users share a browser. The look-up before a password is checked takes the same steps for names that
//! are unknown. A stolen cookie buys tries at one user's password, and shows whether its browser is one of a user whose
//! name the thief guesses; every scheme that treats known browsers better does.

use std::time::Duration;

use super::attempts::KnownBrowser;
use super::{Account, Error};
use crate::crypto::secret::{self, Secret};
use crate::domain::epoch::Epoch;
use crate::domain::ids::{Hash, UserId};
use crate::domain::message::AccountNotice;
use crate::domain::tenant::Tenant;
use crate::domain::user::User;
use crate::domain::user_agent;
use crate::storage::sign_in_history::{self, BrowserRecognition, SignInRecord};
use crate::storage::{self, Tx};

/// How long a browser is known after a sign-in.
pub(crate) const KNOWN: Duration = Duration::from_hours(90 * 24);
/// The most of one user.
const MOST: i64 = 10;

/// What a browser shows at the end of a sign-in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BrowserSighting<'a> {
    /// Its cookie, if it has one.
    pub(crate) cookie: Option<&'a str>,
    /// The header `User-Agent`.
    pub(crate) user_agent: Option<&'a str>,
    /// The sum of the epochs of user and tenant, if a first factor was proved in this login.
    pub(crate) epoch: Option<Epoch>,
}

impl Account<'_> {
    /// The browser with this cookie, for this user; `None` for the user stands for a name that is unknown.
    pub(super) fn browser_of(&self, user: Option<&UserId>, cookie: Option<&str>) -> Option<KnownBrowser> {
        let cookie = cookie.filter(|cookie| secret::is_shaped(cookie))?;
        // No user has an empty id.
        let user = user.cloned().unwrap_or_else(|| UserId::new(""));
        Some(KnownBrowser { hash: self.browser_hash(&user, cookie), user })
    }

    /// Notes that this user has signed in in this browser; if it is new, a mail tells the user. Gives what its cookie holds.
    pub(crate) async fn note_sign_in(
        &self,
        tx: &mut Tx<'_>,
        user: &User,
        tenant: &Tenant,
        seen: BrowserSighting<'_>,
    ) -> storage::Result<Secret> {
        let (now, until) = (self.now(), self.now().plus(KNOWN));
        let BrowserSighting { cookie, user_agent, epoch } = seen;
        let known =
            cookie.filter(|cookie| secret::is_shaped(cookie)).map(|known| Secret::new(known.to_owned()));
        let had_cookie = known.is_some();
        let cookie = known.unwrap_or_else(Secret::generate);
        let hash = self.browser_hash(&user.id, cookie.expose());
        let sign_in = SignInRecord { user: &user.id, hash: &hash, epoch, until };
        if had_cookie && sign_in_history::touch(tx, sign_in, now).await? {
            return Ok(cookie);
        }
        if sign_in_history::add(tx, sign_in, MOST, now).await? == BrowserRecognition::New {
            self.tell_of_browser(tx, user, tenant, user_agent).await?;
        }
        Ok(cookie)
    }

    /// Written and sealed only inside the write, since nearly every sign-in is in a browser that is known.
    async fn tell_of_browser(
        &self,
        tx: &mut Tx<'_>,
        user: &User,
        tenant: &Tenant,
        user_agent: Option<&str>,
    ) -> Result<(), Error> {
        let browser = user_agent.map(user_agent::label).filter(|label| !label.is_empty());
        if let Some(notice) = self.notice(user, tenant, AccountNotice::NewBrowser { browser })? {
            notice.enqueue(tx).await?;
        }
        Ok(())
    }

    fn browser_hash(&self, user: &UserId, cookie: &str) -> Hash {
        self.sealer.keyed_hash("known browser", &format!("{user}\n{cookie}"))
    }
}
