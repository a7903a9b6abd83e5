//! Codes by text message, good for five minutes.
//!
//! Worth two factors together with the password, but never the administrators' duty: a number can be taken over.

use super::super::Account;
use super::super::channels::Channels;
use super::delivered;
use super::factor::{ClaimResult, Deliver, Factor, TypedCode};
use crate::domain::authenticator::{AuthenticatorKind, Method};
use crate::domain::fact::FactKind;
use crate::domain::ids::AuthenticatorId;
use crate::domain::message::{Content, DeliveredCode};

pub(super) struct SmsFactor;

impl Factor for SmsFactor {
    fn enrols(&self) -> Option<Method> {
        Some(Method::Sms)
    }

    fn has_way(&self, ways: Channels<'_>) -> bool {
        ways.sms.is_some_and(|limits| !limits.countries.is_empty())
    }

    fn serves(&self, kind: &AuthenticatorKind) -> bool {
        matches!(kind, AuthenticatorKind::Sms { .. })
    }

    fn proves(&self, authenticator: AuthenticatorId) -> FactKind {
        FactKind::SmsCode(authenticator)
    }

    fn delivers(&self) -> Option<&dyn Deliver> {
        Some(self)
    }

    fn read(&self, account: &Account<'_>, entry: TypedCode<'_>) -> ClaimResult {
        Ok(Some(delivered::read(account, &entry)))
    }
}

impl Deliver for SmsFactor {
    fn minutes(&self) -> u32 {
        5
    }

    fn content(&self, kind: &AuthenticatorKind, code: DeliveredCode, host: &str) -> Option<Content> {
        match kind {
            AuthenticatorKind::Sms { number } => {
                Some(Content::Sms { to: number.clone(), code, host: host.to_owned() })
            }
            _ => None,
        }
    }
}
