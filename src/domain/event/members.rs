//! The members of events that audit entries hold apart, and the others as JSON.

use serde_json::Value;

use super::Event;
use crate::domain::ids::{IssuerId, Reference, TenantId};

/// Characters that are kept of a text that a stranger's request can make long.
const TEXT: usize = 300;

impl Event {
    /// The issuer that received the request.
    pub const fn issuer(&self) -> Option<&IssuerId> {
        match self {
            Self::LoginFailed { issuer, .. }
            | Self::UpstreamFailed { issuer, .. }
            | Self::SecondFactorFailed { issuer, .. }
            | Self::LoginCompleted { issuer, .. }
            | Self::PasskeyCounterWentBack { issuer, .. }
            | Self::CodeReused { issuer, .. }
            | Self::RefreshTokenReused { issuer, .. }
            | Self::SignedOut { issuer, .. }
            | Self::LoginRefused { issuer, .. }
            | Self::ClientRefused { issuer, .. }
            | Self::Refused { issuer, .. } => Some(issuer),
            _ => None,
        }
    }

    /// The code that the user was shown.
    pub const fn reference(&self) -> Option<&Reference> {
        match self {
            Self::LoginFailed { reference, .. }
            | Self::UpstreamFailed { reference, .. }
            | Self::SecondFactorFailed { reference, .. }
            | Self::PasskeyCounterWentBack { reference, .. }
            | Self::Refused { reference, .. } => Some(reference),
            _ => None,
        }
    }

    /// The tenant that the event names.
    pub const fn tenant(&self) -> Option<&TenantId> {
        match self {
            Self::ResetRequested { tenant, .. } => tenant.as_ref(),
            Self::MessageFailed { tenant, .. } => Some(tenant),
            _ => None,
        }
    }

    /// Shortens the texts that a stranger's request can make long.
    pub fn shorten(&mut self) {
        let text = match self {
            Self::Refused { hint, .. } | Self::UpstreamFailed { hint, .. } => hint.as_mut(),
            Self::ClientRefused { reason, .. } => Some(reason),
            _ => None,
        };
        if let Some(text) = text
            && let Some((end, _)) = text.char_indices().nth(TEXT)
        {
            text.truncate(end);
        }
    }

    /// Its other members as JSON, for the audit entry.
    pub fn details(&self) -> Result<Value, serde_json::Error> {
        match serde_json::to_value(self)? {
            Value::Object(variant) => {
                Ok(variant.into_iter().next().map_or(Value::Null, |(_, members)| members))
            }
            other => Ok(other),
        }
    }
}
