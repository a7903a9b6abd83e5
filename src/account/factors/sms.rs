//! Codes by text message, good for five minutes.
//!
//! Worth two factors together with the password, but never the administrators' duty: a number can be taken over.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::super::delivery::Ways;
use super::super::{Account, Error};
use super::{Claim, Deliver, Entry, Factor, delivered};
use crate::domain::authenticator::{Kind, Method};
use crate::domain::fact::FactKind;
use crate::domain::ids::AuthenticatorId;
use crate::domain::message::{Code, Content};
use crate::storage::attempts::Kind as Guess;

pub(super) struct Sms;

impl Factor for Sms {
    fn enrols(&self) -> Option<Method> {
        Some(Method::Sms)
    }

    fn has_way(&self, ways: Ways<'_>) -> bool {
        ways.sms.is_some_and(|limits| !limits.countries.is_empty())
    }

    fn serves(&self, kind: &Kind) -> bool {
        matches!(kind, Kind::Sms { .. })
    }

    fn proves(&self, authenticator: AuthenticatorId) -> FactKind {
        FactKind::SmsCode(authenticator)
    }

    fn budget(&self) -> Guess {
        Guess::Delivered
    }

    fn delivers(&self) -> Option<&dyn Deliver> {
        Some(self)
    }

    fn read<'a>(
        &'a self,
        account: &'a Account<'_>,
        entry: Entry<'a>,
    ) -> BoxFuture<'a, Result<Option<Arc<dyn Claim>>, Error>> {
        let claim = delivered::read(account, &entry);
        async { Ok(Some(claim)) }.boxed()
    }
}

impl Deliver for Sms {
    fn minutes(&self) -> u32 {
        5
    }

    fn content(&self, kind: &Kind, code: Code, host: &str) -> Option<Content> {
        match kind {
            Kind::Sms { number } => Some(Content::Sms { to: number.clone(), code, host: host.to_owned() }),
            _ => None,
        }
    }
}
