//! What comes next in a login: a pure comparison of needs and facts.
//!
//! Steps never name each other. Each adds facts and comes back here, so the order of posts cannot matter: whatever a
//! browser sends, [`Next::Done`] is reached by facts alone.

use crate::domain::error::ErrorCode;
use crate::domain::fact::Facts;
use crate::domain::policy::{Need, Recency};
use crate::domain::request::Prompt;
use crate::domain::time::Time;

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next<'n> {
    /// A page must ask for this.
    Ask(&'n Need),
    /// Nothing may be shown, so the client gets the missing step's own error (OpenID Connect Core §3.1.2.6).
    Refuse(ErrorCode),
    /// A code may be issued.
    Done,
}

/// Compares needs, in their order, with facts: with all that count, and with those of them that were proved in this login.
pub(crate) fn next<'n>(needs: &'n [Need], facts: &Facts, here: &Facts, prompt: Prompt) -> Next<'n> {
    match needs.iter().find(|need| !(is_met(need, facts, here) || prompt.none && is_mere_news(need))) {
        None => Next::Done,
        // Who is signed in and enrols something first proves the factors once more: that is part of the enrolment.
        Some(Need::FirstFactor { proved: Recency::Login(_) })
            if prompt.none && facts.first_factor().is_some() && needs.iter().any(is_enrolment) =>
        {
            Next::Refuse(ErrorCode::InteractionRequired)
        }
        Some(need) if prompt.none => Next::Refuse(error_without_page(need)),
        Some(need) => Next::Ask(need),
    }
}

fn is_enrolment(need: &Need) -> bool {
    need.is_change() && *need != Need::NewPassword
}

fn is_met(need: &Need, facts: &Facts, here: &Facts) -> bool {
    let source = |recency: Recency| match recency {
        Recency::Session(since) => (facts, since),
        Recency::Login(since) => (here, Some(since)),
    };
    let fresh =
        |proved: Option<Time>, since: Option<Time>| proved.is_some_and(|at| since.is_none_or(|s| s <= at));
    match need {
        Need::AccountChosen(user) => facts.account() == Some(user),
        Need::FirstFactor { proved } => {
            let (facts, since) = source(*proved);
            fresh(facts.first_factor(), since)
        }
        Need::SecondFactor { proved, least, .. } => {
            let (facts, since) = source(*proved);
            // After a recovery code the new authenticator is the one that must be worth enough.
            let enough = |worth| worth >= *least || facts.is_recovering();
            let proved = facts.second_factor().filter(|proved| enough(proved.worth));
            fresh(proved.map(|proved| proved.at), since)
        }
        Need::UpstreamProof { least, .. } => {
            facts.second_factor().is_some_and(|proved| proved.worth >= *least)
        }
        Need::NewPassword
        | Need::DesktopName
        | Need::Method { .. }
        | Need::Destination(_)
        | Need::Enrolment(_)
        | Need::Activation { .. }
        | Need::RecoveryCodesStored => false,
        Need::Notice { .. } => facts.notice().is_some(),
        Need::Consent(scope) => facts.consent().is_some_and(|given| scope.is_subset(given)),
    }
}

/// An announcement is no interaction in the sense of OpenID Connect (SEED1-2).
const fn is_mere_news(need: &Need) -> bool {
    matches!(need, Need::Notice { .. })
}

const fn error_without_page(need: &Need) -> ErrorCode {
    match need {
        Need::AccountChosen(_) => ErrorCode::AccountSelectionRequired,
        Need::FirstFactor { .. } => ErrorCode::LoginRequired,
        Need::Consent(_) => ErrorCode::ConsentRequired,
        Need::SecondFactor { .. }
        | Need::NewPassword
        | Need::UpstreamProof { .. }
        | Need::DesktopName
        | Need::Method { .. }
        | Need::Destination(_)
        | Need::Enrolment(_)
        | Need::Activation { .. }
        | Need::RecoveryCodesStored
        | Need::Notice { .. } => ErrorCode::InteractionRequired,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::acr::Acr;
    use crate::domain::authenticator::{FactorStrength, Held, Method};
    use crate::domain::claims::ClaimsRequest;
    use crate::domain::credential_change::{CredentialChange, RECENT};
    use crate::domain::fact::FactKind;
    use crate::domain::ids::{AuthenticatorId, UpstreamId, UserId};
    use crate::domain::passkey::KeyStorage;
    use crate::domain::policy::{Circumstances, ConsentRule, FactorOptions, needs};
    use crate::domain::request::AuthorizationRequest;
    use crate::domain::scope::Scope;
    use crate::domain::tenant::{Mfa, TenantPolicy};
    use crate::domain::upstream::Vouched;

    const SILENT: Prompt = Prompt { none: true, login: false, consent: false, select_account: false };

    fn facts(kinds: impl IntoIterator<Item = FactKind>) -> Facts {
        let mut facts = Facts::default();
        for kind in kinds {
            facts.add(&UserId::new("anna"), kind, Time::from_unix(100));
        }
        facts
    }

    #[test]
    fn a_silent_request_gets_the_missing_steps_own_error() {
        let refused = |need: Need, code| {
            assert_eq!(next(&[need], &Facts::default(), &Facts::default(), SILENT), Next::Refuse(code));
        };
        refused(Need::FirstFactor { proved: Recency::Session(None) }, ErrorCode::LoginRequired);
        let second = Need::SecondFactor {
            proved: Recency::Session(None),
            least: FactorStrength::Mail,
            ways: FactorOptions::default(),
        };
        refused(second, ErrorCode::InteractionRequired);
        refused(Need::Consent(Scope::parse("openid")), ErrorCode::ConsentRequired);
        refused(Need::AccountChosen(UserId::new("a")), ErrorCode::AccountSelectionRequired);
        let notice = [Need::Notice { from: Time::from_unix(1) }];
        assert_eq!(next(&notice, &Facts::default(), &Facts::default(), SILENT), Next::Done);
        assert_eq!(
            next(&notice, &Facts::default(), &Facts::default(), Prompt::default()),
            Next::Ask(&notice[0])
        );
    }

    #[test]
    fn a_fact_is_fresh_from_the_very_second_on() {
        let known = facts([FactKind::Password]);
        let at = |second| [Need::FirstFactor { proved: Recency::Session(Some(Time::from_unix(second))) }];
        assert_eq!(next(&at(100), &known, &Facts::default(), Prompt::default()), Next::Done);
        let later = at(101);
        assert_eq!(next(&later, &known, &Facts::default(), Prompt::default()), Next::Ask(&later[0]));
    }

    #[test]
    fn consent_must_cover_every_scope() {
        let needs = [Need::Consent(Scope::parse("openid email"))];
        let less = facts([FactKind::Consent(Scope::parse("openid"))]);
        assert_eq!(next(&needs, &less, &Facts::default(), Prompt::default()), Next::Ask(&needs[0]));
        let more = facts([FactKind::Consent(Scope::parse("openid email phone"))]);
        assert_eq!(next(&needs, &more, &Facts::default(), Prompt::default()), Next::Done);
    }

    #[test]
    fn the_account_kept_must_be_the_one_signed_in_now() {
        let needs = [Need::AccountChosen(UserId::new("anna"))];
        let other = facts([FactKind::AccountChosen(UserId::new("bert"))]);
        assert_eq!(next(&needs, &other, &Facts::default(), Prompt::default()), Next::Ask(&needs[0]));
        let same = facts([FactKind::AccountChosen(UserId::new("anna"))]);
        assert_eq!(next(&needs, &same, &Facts::default(), Prompt::default()), Next::Done);
    }

    fn kind() -> impl Strategy<Value = FactKind> {
        prop_oneof![
            Just(FactKind::Password),
            Just(FactKind::Otp(AuthenticatorId::new("device"))),
            Just(FactKind::SmsCode(AuthenticatorId::new("sms"))),
            Just(FactKind::MailCode(AuthenticatorId::new("mail"))),
            Just(FactKind::Otp(AuthenticatorId::new("revoked"))),
            Just(FactKind::RecoveryCode),
            (proptest::sample::select(vec!["north", "south"]), any::<bool>()).prop_map(|(name, mfa)| {
                FactKind::Upstream(Vouched { upstream: UpstreamId::new(name), mfa, amr: Vec::new() })
            }),
            Just(FactKind::Passkey { id: AuthenticatorId::new("passkey"), custody: KeyStorage::Device }),
            Just(FactKind::PasskeySignIn {
                id: AuthenticatorId::new("passkey"),
                custody: KeyStorage::Device
            }),
            Just(FactKind::PasskeySignIn {
                id: AuthenticatorId::new("revoked"),
                custody: KeyStorage::Device
            }),
            any::<bool>().prop_map(|enrol| FactKind::NoticeSeen { enrol }),
            Just(FactKind::AccountChosen(UserId::new("anna"))),
            Just(FactKind::Consent(Scope::parse("openid"))),
        ]
    }

    const WORTHS: [FactorStrength; 4] = [
        FactorStrength::Mail,
        FactorStrength::Sms,
        FactorStrength::Device,
        FactorStrength::PhishingResistant,
    ];

    prop_compose! {
        fn policy()(
            required in any::<bool>(),
            from in proptest::option::of(100i64..900),
            mail_counts_as_2fa in any::<bool>(),
        ) -> TenantPolicy {
            let mfa = if required { Mfa::Required } else { Mfa::Optional };
            let admin_mfa_enforced_from = from.map(Time::from_unix);
            TenantPolicy { mfa, admin_mfa_enforced_from, mail_counts_as_2fa, ..TenantPolicy::default() }
        }
    }

    proptest! {
        /// The promise of the engine: in whatever order facts come, a login that is done has every factor its user needs,
        /// each young enough, and its level is never above what was proved.
        #[test]
        fn done_means_every_need_is_met_and_a_stolen_session_changes_no_credential(
            learnt in proptest::collection::vec((kind(), 0i64..500, any::<bool>()), 0..12),
            tenant in policy(),
            is_admin in any::<bool>(),
            is_upstream in any::<bool>(),
            worths in proptest::sample::subsequence(WORTHS.to_vec(), 0..=2),
            usable in any::<bool>(),
            essential in proptest::option::of(proptest::sample::select(vec![Acr::TwoFactors, Acr::PhishingResistant])),
            max_age in proptest::option::of(1u64..500),
            silent in any::<bool>(),
            ask_consent in any::<bool>(),
            must_change in any::<bool>(),
        ) {
            let name = |worth| match worth {
                FactorStrength::Mail => "mail",
                FactorStrength::Sms => "sms",
                FactorStrength::Device => "device",
                FactorStrength::PhishingResistant => "passkey",
            };
            let usable = |worth| usable || worth != FactorStrength::PhishingResistant;
            let held = worths.iter().filter(|_| !is_upstream).map(|&worth| Held {
                id: AuthenticatorId::new(name(worth)),
                worth,
                usable: usable(worth),
            });
            let held: Vec<_> = held.collect();
            let north = UpstreamId::new("north");
            let count = |facts: &Facts| {
                facts.for_authenticators(&held).for_upstream(is_upstream.then_some(&north))
            };
            let [mut session, mut here] = [Facts::default(), Facts::default()];
            for (kind, at, is_stolen) in learnt {
                let facts = if is_stolen { &mut session } else { &mut here };
                facts.add(&UserId::new("anna"), kind, Time::from_unix(at));
            }
            let (counted, here) = (count(&session.union(&here)), count(&here));
            let prompt = if silent { SILENT } else { Prompt { consent: ask_consent, ..Prompt::default() } };
            let claims = essential.map_or_else(ClaimsRequest::default, |acr| {
                let acr = serde_json::json!({"essential": true, "value": acr.as_str()});
                serde_json::from_value(serde_json::json!({"id_token": {"acr": acr}})).unwrap()
            });
            let request = AuthorizationRequest { prompt, max_age, claims, ..AuthorizationRequest::sample() };
            let (user, now) = (UserId::new("anna"), Time::from_unix(500));
            let who = Circumstances {
                tenant: &tenant,
                user: &user,
                from_session: false,
                is_upstream,
                is_admin,
                held: &held,
                methods: &[Method::Totp, Method::Sms, Method::Mail, Method::Passkey],
                enrolling: None,
                must_change_password: must_change,
                desktop_unasked: false,
                facts: &counted,
                here: &here,
                resynchronises: false,
                codes_to_store: false,
                consent: ConsentRule::Unasked,
                requested_at: now,
                now,
            };
            let needs = match needs(&request, Some(&who)) {
                Ok(needs) => needs,
                // A user who signs in upstream enrols nothing here.
                Err(error) => {
                    prop_assert!(is_upstream && essential.is_some() && error == ErrorCode::UnmetAuthenticationRequirements);
                    return Ok(());
                }
            };
            let next = next(&needs, &counted, &here, prompt);
            // Whatever a session knows, stolen or not, a credential is changed by what was proved here and lately.
            if let Next::Ask(need) = next && need.is_change() {
                let (first, second) = (here.first_factor(), here.second_factor());
                let since = now.minus(RECENT);
                prop_assert!(first.is_some_and(|at| at >= since));
                let best = held.iter().filter(|held| held.usable).map(|held| held.worth).max();
                let least = if *need == Need::NewPassword { best.map(|_| FactorStrength::Mail) } else { best };
                let lately = second.filter(|second| second.at >= since);
                let proved = lately.is_some_and(|second| here.is_recovering() || least <= Some(second.worth));
                prop_assert!(held.is_empty() || proved);
                let change = if *need == Need::NewPassword {
                    prop_assert!(!here.is_recovering());
                    CredentialChange::Password
                } else {
                    CredentialChange::Enrolment(Method::Passkey)
                };
                prop_assert!(change.is_allowed(&here, &held, now), "what is asked for, the write allows");
            }
            if next == Next::Done {
                let enough = tenant.two_factors(is_admin);
                let context = counted.context(enough).expect("a code needs a password");
                let must = !held.is_empty() || tenant.mfa == Mfa::Required || who.admin_duty() || essential.is_some();
                let proved = counted.second_factor().is_some();
                prop_assert!(proved == must || is_upstream && proved, "who must, has proved one, and nobody else here");
                prop_assert_eq!(counted.vouched().is_some(), is_upstream, "everybody signs in where they belong");
                prop_assert!(!must_change || is_upstream, "nobody passes with a password that must not be kept");
                let counts = counted.second_factor().is_some_and(|proved| proved.worth >= enough);
                prop_assert_eq!(context.acr >= Acr::TwoFactors, counts, "the level is what was proved");
                prop_assert!(essential <= Some(context.acr), "the client has what it demands");
                let device = counted.second_factor().is_some_and(|proved| proved.worth >= FactorStrength::Device);
                prop_assert!(!who.admin_duty() || device, "codes that are sent are not enough for administrators");
                prop_assert!(!counted.is_recovering(), "a recovery code is never the end");
                let oldest = max_age.map_or(i64::MIN, |age| 500 - i64::try_from(age).unwrap());
                prop_assert!(context.auth_time.unix() >= oldest);
                prop_assert!(!prompt.consent || counted.consent().is_some());
            }
        }
    }
}
