//! Codes by mail, good for ten minutes.
//!
//! Mail is no channel of its own (NIST SP 800-63B §3.1.3.1 does not take it): what it is worth the tenant says.

use super::super::Account;
use super::super::channels::Channels;
use super::delivered;
use super::factor::{ClaimResult, Deliver, Factor, TypedCode};
use crate::domain::authenticator::{AuthenticatorKind, Method};
use crate::domain::fact::FactKind;
use crate::domain::ids::AuthenticatorId;
use crate::domain::message::{Content, DeliveredCode, MailContent};

pub(super) struct MailFactor;

impl Factor for MailFactor {
    fn enrols(&self) -> Option<Method> {
        Some(Method::Mail)
    }

    fn has_way(&self, ways: Channels<'_>) -> bool {
        ways.mail
    }

    fn serves(&self, kind: &AuthenticatorKind) -> bool {
        matches!(kind, AuthenticatorKind::Mail { .. })
    }

    fn proves(&self, authenticator: AuthenticatorId) -> FactKind {
        FactKind::MailCode(authenticator)
    }

    fn delivers(&self) -> Option<&dyn Deliver> {
        Some(self)
    }

    fn read(&self, account: &Account<'_>, entry: TypedCode<'_>) -> ClaimResult {
        Ok(Some(delivered::read(account, &entry)))
    }
}

impl Deliver for MailFactor {
    fn minutes(&self) -> u32 {
        10
    }

    fn content(&self, kind: &AuthenticatorKind, code: DeliveredCode, _: &str) -> Option<Content> {
        match kind {
            AuthenticatorKind::Mail { address } => {
                Some(Content::Mail { to: address.clone(), mail: MailContent::Code(code) })
            }
            _ => None,
        }
    }
}
