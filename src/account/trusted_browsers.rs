//! Browsers that skip the second factor because their user trusts them (functional specification 6.11).
//!
//! One is trusted when its user ticks the box in a login that proved a second factor, and by nothing else. It is known by
//! a secret in a cookie of that user alone; what else it shows of itself is kept as keyed hashes. The trust ends with its
//! time, with a new authenticator, and with whatever ends everything of the user's (`docs/ending.md`).

use super::{Account, Error};
use crate::crypto::random;
use crate::crypto::secret::Secret;
use crate::domain::epoch::Epoch;
use crate::domain::ids::{Hash, TrustedBrowserId, UserId};
use crate::domain::trusted_browser::{BrowserSignals, Signal, TrustRules, TrustedBrowser};
use crate::domain::user_agent;
use crate::storage::{Result as Stores, Tx, trusted_browsers};

/// What a browser shows of itself. Scripts tell the last two, so they may be missing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BrowserTraits<'a> {
    /// The header `User-Agent`.
    pub(crate) user_agent: Option<&'a str>,
    /// The header `Accept-Language`.
    pub(crate) languages: Option<&'a str>,
    /// The name of its time zone.
    pub(crate) time_zone: Option<&'a str>,
    /// Its screen's size and depth of colour.
    pub(crate) screen: Option<&'a str>,
}

impl BrowserTraits<'_> {
    fn signals(&self) -> impl Iterator<Item = (Signal, String)> {
        let name = self.user_agent.unwrap_or_default();
        let browser = user_agent::browser(name).map(|family| {
            let major = user_agent::major(name).unwrap_or_default();
            format!("{family} {major}")
        });
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let all = [
            (Signal::Browser, browser),
            (Signal::System, owned(user_agent::system(name))),
            (Signal::Languages, owned(self.languages)),
            (Signal::TimeZone, owned(self.time_zone)),
            (Signal::Screen, owned(self.screen)),
        ];
        all.into_iter().filter_map(|(signal, value)| Some((signal, value?)))
    }

    /// What the user knows it by, for example `Firefox, Linux`.
    fn label(&self) -> String {
        self.user_agent.map(user_agent::label).unwrap_or_default()
    }
}

/// A browser that its user wants to trust, to be stored.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    browser: TrustedBrowser,
    /// What its cookie holds.
    pub(crate) secret: Secret,
}

impl Trust {
    /// Stores it.
    pub(crate) async fn store(&self, tx: &mut Tx<'_>) -> Stores<()> {
        trusted_browsers::insert(tx, &self.browser).await
    }
}

impl Account<'_> {
    /// A new trust in the browser that shows this; `None` where the tenant trusts none.
    pub(crate) fn trust(
        &self,
        user: &UserId,
        epoch: Epoch,
        shown: &BrowserTraits<'_>,
        rules: &TrustRules,
    ) -> Option<Trust> {
        let (now, secret) = (self.now(), Secret::generate());
        let browser = TrustedBrowser {
            id: TrustedBrowserId::new(random::uuid()),
            user: user.clone(),
            epoch,
            cookie: secret.hash(),
            profile: self.profile(user, shown),
            label: shown.label(),
            created_at: now,
            seen_at: now,
            expires_at: now.plus(rules.lifetime()?),
        };
        Some(Trust { browser, secret })
    }

    /// The browser that this cookie makes known, while it is trusted at all; what it shows is not looked at.
    pub(crate) async fn known_browser(
        &self,
        user: &UserId,
        epoch: Epoch,
        cookie: &Hash,
    ) -> Result<Option<TrustedBrowser>, Error> {
        let found = trusted_browsers::by_cookie(&mut self.db.read().tx(), user, cookie).await?;
        Ok(found.filter(|browser| browser.epoch == epoch && browser.expires_at > self.now()))
    }

    /// Whether this browser, with these traits, skips the second factor.
    pub(crate) fn trusts(
        &self,
        browser: &TrustedBrowser,
        shown: &BrowserTraits<'_>,
        rules: &TrustRules,
    ) -> bool {
        browser.trusts(&self.profile(&browser.user, shown), rules, self.now())
    }

    fn profile(&self, user: &UserId, shown: &BrowserTraits<'_>) -> BrowserSignals {
        let hash = |(signal, value): (Signal, String)| {
            (signal, self.sealer.keyed_hash("trusted browser", &format!("{user}\n{signal:?}\n{value}")))
        };
        BrowserSignals(shown.signals().map(hash).collect())
    }
}
