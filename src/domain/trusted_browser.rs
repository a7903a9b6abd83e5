//! How like the browser of a login is to one that its user trusts (functional specification 6.11).
//!
//! What makes a browser known is a secret in a cookie. What it shows of itself beside that, its *signals*, only lowers
//! the trust: who copies them all and has no cookie is never trusted, for such a browser is not even looked for. Each
//! signal weighs something; the part of all weight that agrees is the score, and 80 per cent are enough.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::epoch::Epoch;
use super::ids::{Hash, TrustedBrowserId, UserId};
use super::time::Time;

/// The least score of a browser that is trusted, in per cent.
const TRUSTED: u32 = 80;
/// How many browsers one user may trust; the one seen last longest ago makes room.
pub const MOST: i64 = 10;

/// What a browser shows of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Its family and major version.
    Browser,
    /// The family of its operating system.
    System,
    /// The languages it asks for, in their order.
    Languages,
    /// Its time zone, as far as scripts run.
    TimeZone,
    /// Its screen's size and depth of colour, as far as scripts run.
    Screen,
}

impl Signal {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Browser, Self::System, Self::Languages, Self::TimeZone, Self::Screen];
}

/// What a signal weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// It is not looked at.
    Off,
    /// 1
    Minimal,
    /// 3
    Normal,
    /// 6
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
    /// How long a browser is trusted, in days, at most [`TrustRules::LONGEST`]; 0: none is, and nobody is asked.
    pub days: u32,
    /// What the cookie weighs.
    pub cookie: Weight,
    /// What family and version weigh.
    pub browser: Weight,
    /// What the operating system weighs.
    pub system: Weight,
    /// What the languages weigh.
    pub languages: Weight,
    /// What the time zone weighs.
    pub time_zone: Weight,
    /// What the screen weighs.
    pub screen: Weight,
}

impl Default for TrustRules {
    /// Off. The cookie is what counts; a new version of the browser alone costs the trust only where no scripts run.
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
    /// The longest that a browser may be trusted, in days.
    pub const LONGEST: u32 = 90;

    /// How long a browser is trusted; `None` where none is.
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

/// The signals of one browser, as keyed hashes: a row tells nothing of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Profile(pub BTreeMap<Signal, Hash>);

impl Profile {
    /// How much of all weight agrees, in per cent, of a browser that has shown the cookie. A signal that neither shows
    /// is not looked at; one that only one of them shows does not agree.
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
    /// Its row.
    pub id: TrustedBrowserId,
    /// Who trusts it.
    pub user: UserId,
    /// Of user and tenant.
    pub epoch: Epoch,
    /// The hash of the secret in its cookie.
    pub cookie: Hash,
    /// What it showed of itself.
    pub profile: Profile,
    /// What its user knows it by, for example `Firefox, Linux`.
    pub label: String,
    /// When it was trusted.
    pub created_at: Time,
    /// When it last skipped a second factor.
    pub seen_at: Time,
    /// When it is no longer trusted.
    pub expires_at: Time,
}

impl TrustedBrowser {
    /// May a browser that has this one's cookie and shows this of itself skip the second factor now?
    pub fn trusts(&self, shown: &Profile, rules: &TrustRules, now: Time) -> bool {
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

    fn profile(signals: &[(Signal, &str)]) -> Profile {
        Profile(signals.iter().map(|(signal, value)| (*signal, Hash::new(*value))).collect())
    }

    const SCRIPTED: [(Signal, &str); 5] = [
        (Signal::Browser, "b"),
        (Signal::System, "s"),
        (Signal::Languages, "l"),
        (Signal::TimeZone, "z"),
        (Signal::Screen, "d"),
    ];

    /// Weights 6 for the cookie, 3 3 1 3 1 for the signals.
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
            ("nothing is shown but the cookie", Profile::default(), Profile::default(), 100),
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
