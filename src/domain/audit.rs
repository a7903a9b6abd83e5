//! An audit entry: the event, its actor, subject and origin, and the changed members. `docs/audit.md` lists the events.
//!
//! An entry holds no secret and nothing that was typed: a typed name is kept as a keyed hash ([`AuditSubject::Name`]),
//! an address as its network.

use serde::Serialize;
use serde_json::Value;

use super::event::{Event, ResetOutcome};
use super::ids::{ClientId, GrantId, Hash, IssuerId, MessageId, Reference, TenantId, UserId};
use super::time::Time;

/// One audit entry, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The time of the provider's clock. The order of entries is their [place](crate::storage::audit::Placed), not this.
    pub at: Time,
    /// Who did it.
    pub actor: Actor,
    /// Who or what it was done to.
    pub subject: Option<AuditSubject>,
    /// The tenant that it belongs to, if it is known.
    pub tenant: Option<TenantId>,
    /// Where the request came in.
    pub origin: Origin,
    /// The login that it belongs to, by the id that runs through the log: that of its grant.
    pub grant: Option<GrantId>,
    /// The code that the user was shown.
    pub reference: Option<Reference>,
    /// What happened.
    pub event: Event,
    /// The decisions that led to it, in order.
    pub decisions: Vec<Decision>,
    /// The changed members before.
    pub before: Option<Value>,
    /// The changed members after.
    pub after: Option<Value>,
}

/// Who did what an entry tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A user who is signed in or has proved a first factor.
    User(UserId),
    /// An authenticated client, or a public client by its `client_id`.
    Client(ClientId),
    /// The command line or the host application.
    Console,
    /// The provider itself: housekeeping, deliveries.
    System,
    /// A request that proved nothing.
    Anonymous,
}

/// Who or what an entry is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditSubject {
    /// A user.
    User(UserId),
    /// A client, of the issuer of the entry's [`Origin`].
    Client(ClientId),
    /// A tenant.
    Tenant(TenantId),
    /// A message to a user.
    Message(MessageId),
    /// A name that belongs to no user: a keyed hash of what was typed.
    Name(Hash),
    /// Anything else, by its kind and its name in the `apply` document.
    Named(String, String),
}

/// Where a request came in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The issuer that received it.
    pub issuer: Option<IssuerId>,
    /// The network it came from: an IPv4 address, or the first half of an IPv6 address.
    pub network: Option<String>,
}

/// One decision on the way to an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// What was decided: a need of the login policy, a fact, the session.
    pub about: &'static str,
    /// The outcome.
    pub outcome: String,
    /// When what it rests on was proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
}

impl Entry {
    /// An entry about this event, with the subject, the issuer and the reference that the event names.
    pub fn new(at: Time, actor: Actor, event: Event) -> Self {
        Self {
            at,
            actor,
            subject: event.subject(),
            tenant: event.tenant().cloned(),
            origin: Origin { issuer: event.issuer().cloned(), network: None },
            grant: None,
            reference: event.reference().cloned(),
            event,
            decisions: Vec::new(),
            before: None,
            after: None,
        }
    }

    /// The same entry about this.
    #[must_use]
    pub fn about(self, subject: AuditSubject) -> Self {
        Self { subject: Some(subject), ..self }
    }

    /// The same entry with the decisions that led to it.
    #[must_use]
    pub fn decided(self, decisions: Vec<Decision>) -> Self {
        Self { decisions, ..self }
    }

    /// The same entry, of the login that led to this grant.
    #[must_use]
    pub fn of_grant(self, grant: &GrantId) -> Self {
        Self { grant: Some(grant.clone()), ..self }
    }

    /// The same entry of this tenant.
    #[must_use]
    pub fn of_tenant(self, tenant: &TenantId) -> Self {
        Self { tenant: Some(tenant.clone()), ..self }
    }

    /// The same entry from this network.
    #[must_use]
    pub fn with_network(self, network: Option<&str>) -> Self {
        let network = network.map(str::to_owned);
        Self { origin: Origin { network, ..self.origin }, ..self }
    }

    /// Whether it tells of a refusal of a request that proved nothing. Those have limits and a lifetime of their own.
    pub const fn is_refusal(&self) -> bool {
        match &self.event {
            Event::RefusalsOmitted { .. } => true,
            // A link is a credential, and the mails are capped.
            Event::ResetRequested { outcome: ResetOutcome::Mailed, .. } => false,
            _ => matches!(self.actor, Actor::Anonymous),
        }
    }
}

impl Actor {
    /// The name of its kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Client(_) => "client",
            Self::Console => "console",
            Self::System => "system",
            Self::Anonymous => "anonymous",
        }
    }

    /// Its identifier, if it has one.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::User(id) => Some(id.as_str()),
            Self::Client(id) => Some(id.as_str()),
            Self::Console | Self::System | Self::Anonymous => None,
        }
    }
}

impl AuditSubject {
    /// The name of its kind.
    pub fn kind(&self) -> &str {
        match self {
            Self::User(_) => "user",
            Self::Client(_) => "client",
            Self::Tenant(_) => "tenant",
            Self::Message(_) => "message",
            Self::Name(_) => "name",
            Self::Named(kind, _) => kind,
        }
    }

    /// Its identifier.
    pub fn id(&self) -> &str {
        match self {
            Self::User(id) => id.as_str(),
            Self::Client(id) => id.as_str(),
            Self::Tenant(id) => id.as_str(),
            Self::Message(id) => id.as_str(),
            Self::Name(hash) => hash.as_str(),
            Self::Named(_, name) => name,
        }
    }
}

impl Event {
    /// Who or what the event is about.
    pub fn subject(&self) -> Option<AuditSubject> {
        match self {
            Self::AccountLinked { user, .. }
            | Self::SecondFactorFailed { user, .. }
            | Self::LoginCompleted { user, .. }
            | Self::AuthenticatorEnrolled { user }
            | Self::PasswordChanged { user }
            | Self::EnrolmentReset { user }
            | Self::Unlocked { user }
            | Self::EmergencyLinkIssued { user }
            | Self::PasskeyCounterWentBack { user, .. }
            | Self::UserChanged { user, .. }
            | Self::RecoveryCodeUsed { user }
            | Self::SignedOut { user, .. }
            | Self::SessionsEnded { user, .. } => Some(AuditSubject::User(user.clone())),
            Self::ResetRequested { user, .. } | Self::LoginRefused { user, .. } => {
                user.clone().map(AuditSubject::User)
            }
            Self::ClientRefused { client, .. } => client.clone().map(AuditSubject::Client),
            Self::Managed { kind, key, .. } => Some(AuditSubject::Named(kind.clone(), key.clone())),
            Self::CodeReused { client, .. } | Self::RefreshTokenReused { client, .. } => {
                Some(AuditSubject::Client(client.clone()))
            }
            Self::MessageFailed { message, .. } => Some(AuditSubject::Message(message.clone())),
            Self::LoginFailed { .. }
            | Self::UpstreamFailed { .. }
            | Self::RefusalsOmitted { .. }
            | Self::Refused { .. } => None,
        }
    }
}
