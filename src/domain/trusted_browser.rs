//! Recognition of a trusted browser.
//!
//! A browser is identified by a secret in a cookie. Its other properties, the *signals*, can only lower the trust: a
//! browser that has all signals but no cookie is never trusted. Each signal has a weight; the score is the share of the
//! total weight that agrees, and at least 80 per cent are required.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::epoch::Epoch;
use super::ids::{Hash, TrustedBrowserId, UserId};
use super::time::Time;

/// Minimum score of a trusted browser, in per cent.
const TRUSTED: u32 = 80;
/// Maximum number of trusted browsers per user; beyond it the one used longest ago is deleted.
pub const MOST: i64 = 10;

/// A property of a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Browser family and major version.
    Browser,
    /// Operating system family.
    System,
    /// The accepted languages in order.
    Languages,
    /// Time zone, if scripts run.
    TimeZone,
    /// Screen size and colour depth, if scripts run.
    Screen,
}

impl Signal {
    /// All signals.
    pub const ALL: [Self; 5] = [Self::Browser, Self::System, Self::Languages, Self::TimeZone, Self::Screen];
}

/// The weight of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Ignored.
    Off,
    /// Weight 1.
    Minimal,
    /// Weight 3.
    Normal,
    /// Weight 6.
    Trusted,
}

impl Weight {
    const fn value(self) -> u32 {
        match self {
            Self::Off => 0,
            Self::Minimal => 1,
            Self::Normal => 3,
            Self::Trusted => 6,
        }
    }
}

/// A tenant's rules for browsers that skip the second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrustRules {
    /// How long a browser is trusted, in days, at most [`TrustRules::LONGEST`]; 0 turns trusted browsers off.
    pub days: u32,
    /// Weight of the cookie.
    pub cookie: Weight,
    /// Weight of family and version.
    pub browser: Weight,
    /// Weight of the operating system.
    pub system: Weight,
    /// Weight of the languages.
    pub languages: Weight,
    /// Weight of the time zone.
    pub time_zone: Weight,
    /// Weight of the screen.
    pub screen: Weight,
}

impl Default for TrustRules {
    /// Off. The weights favour the cookie; a new browser version alone ends the trust only if no scripts run.
    fn default() -> Self {
        Self {
            days: 0,
            cookie: Weight::Trusted,
            browser: Weight::Normal,
            system: Weight::Normal,
            languages: Weight::Minimal,
            time_zone: Weight::Normal,
            screen: Weight::Minimal,
        }
    }
}

impl TrustRules {
    /// Maximum number of days.
    pub const LONGEST: u32 = 90;

    /// How long a browser is trusted; `None` if trusted browsers are off.
    pub fn lifetime(&self) -> Option<Duration> {
        (self.days > 0).then(|| Duration::from_hours(24 * u64::from(self.days.min(Self::LONGEST))))
    }

    const fn weight(&self, signal: Signal) -> u32 {
        match signal {
            Signal::Browser => self.browser,
            Signal::System => self.system,
            Signal::Languages => self.languages,
            Signal::TimeZone => self.time_zone,
            Signal::Screen => self.screen,
        }
        .value()
    }
}

/// The signals of a browser as keyed hashes, so that a row does not reveal them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BrowserSignals(pub BTreeMap<Signal, Hash>);

impl BrowserSignals {
    /// The share of the total weight that agrees, in per cent, for a browser with the right cookie. A signal missing in
    /// both is ignored; one missing in one of them does not agree.
    pub fn score(&self, other: &Self, rules: &TrustRules) -> u32 {
        let (mut agreeing, mut all) = (rules.cookie.value(), rules.cookie.value());
        for signal in Signal::ALL {
            let (ours, theirs) = (self.0.get(&signal), other.0.get(&signal));
            if ours.is_none() && theirs.is_none() {
                continue;
            }
            all += rules.weight(signal);
            agreeing += if ours == theirs { rules.weight(signal) } else { 0 };
        }
        (agreeing * 100).checked_div(all).unwrap_or_default()
    }
}

/// A browser that its user trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedBrowser {
    /// Its id.
    pub id: TrustedBrowserId,
    /// The user who trusts it.
    pub user: UserId,
    /// The sum of the epochs of user and tenant.
    pub epoch: Epoch,
    /// The hash of the secret in its cookie.
    pub cookie: Hash,
    /// Its signals.
    pub profile: BrowserSignals,
    /// The label shown to its user, for example `Firefox, Linux`.
    pub label: String,
    /// The time since which it is trusted.
    pub created_at: Time,
    /// The time it last skipped a second factor.
    pub seen_at: Time,
    /// The time at which the trust ends.
    pub expires_at: Time,
}

impl TrustedBrowser {
    /// Returns whether a browser with this one's cookie and these signals may skip the second factor now.
    pub fn trusts(&self, shown: &BrowserSignals, rules: &TrustRules, now: Time) -> bool {
        rules.days > 0 && self.expires_at > now && self.profile.score(shown, rules) >= TRUSTED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL_OFF: TrustRules = TrustRules {
        days: 30,
        cookie: Weight::Off,
        browser: Weight::Off,
        system: Weight::Off,
        languages: Weight::Off,
        time_zone: Weight::Off,
        screen: Weight::Off,
    };

    fn profile(signals: &[(Signal, &str)]) -> BrowserSignals {
        BrowserSignals(signals.iter().map(|(signal, value)| (*signal, Hash::new(*value))).collect())
    }

    const SCRIPTED: [(Signal, &str); 5] = [
        (Signal::Browser, "b"),
        (Signal::System, "s"),
        (Signal::Languages, "l"),
        (Signal::TimeZone, "z"),
        (Signal::Screen, "d"),
    ];

    /// Weights 6 for the cookie and 3, 3, 1, 3, 1 for the signals.
    #[test]
    fn the_score_is_the_part_of_the_weight_that_agrees() {
        let rules = TrustRules::default();
        let changed = |signal: Signal| {
            let mut shown = profile(&SCRIPTED);
            shown.0.insert(signal, Hash::new("other"));
            shown
        };
        let without_scripts = profile(&SCRIPTED[..3]);
        let table = [
            ("the same", profile(&SCRIPTED), profile(&SCRIPTED), 100),
            ("nothing is shown but the cookie", BrowserSignals::default(), BrowserSignals::default(), 100),
            ("a new version", profile(&SCRIPTED), changed(Signal::Browser), 82),
            ("another system", profile(&SCRIPTED), changed(Signal::System), 82),
            ("other languages", profile(&SCRIPTED), changed(Signal::Languages), 94),
            ("another screen", profile(&SCRIPTED), changed(Signal::Screen), 94),
            ("scripts run no longer", profile(&SCRIPTED), without_scripts.clone(), 76),
            ("never any scripts", without_scripts.clone(), without_scripts.clone(), 100),
            (
                "a new version, no scripts",
                without_scripts,
                profile(&[(Signal::Browser, "x"), SCRIPTED[1], SCRIPTED[2]]),
                76,
            ),
            ("all else differs", profile(&SCRIPTED), profile(&SCRIPTED.map(|(signal, _)| (signal, "x"))), 35),
        ];
        for (what, stored, shown, score) in table {
            assert_eq!(stored.score(&shown, &rules), score, "{what}");
        }
        assert_eq!(profile(&SCRIPTED).score(&profile(&SCRIPTED), &ALL_OFF), 0, "all off is never trusted");
    }

    #[test]
    fn trust_ends_in_its_second() {
        let at = Time::from_unix(1_000);
        let browser = TrustedBrowser {
            id: TrustedBrowserId::new("t"),
            user: UserId::new("anna"),
            epoch: Epoch::default(),
            cookie: Hash::new("c"),
            profile: profile(&SCRIPTED),
            label: String::new(),
            created_at: at,
            seen_at: at,
            expires_at: at,
        };
        let before = at.minus(Duration::from_secs(1));
        let month = TrustRules { days: 30, ..TrustRules::default() };
        assert!(browser.trusts(&profile(&SCRIPTED), &month, before));
        assert!(!browser.trusts(&profile(&SCRIPTED), &month, at));
        assert!(
            !browser.trusts(&profile(&SCRIPTED), &TrustRules::default(), before),
            "off unless the tenant says so"
        );
        assert!(!browser.trusts(&profile(&SCRIPTED), &ALL_OFF, before));
    }
}
