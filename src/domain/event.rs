//! Security events, without secrets, as observers receive them and the audit trail records them.

mod members;

use serde::Serialize;

use super::ids::{ClientId, IssuerId, MessageId, Reference, TenantId, UserId};
use super::upstream::Slug;

/// One event. Names typed at a login appear only as a hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A first factor was refused. The user is deliberately left out.
    LoginFailed {
        /// The issuer.
        #[serde(skip)]
        issuer: IssuerId,
        /// The reason, for administrators only.
        reason: LoginFailure,
        /// The code that the user was shown.
        #[serde(skip)]
        reference: Reference,
    },
    /// The sign-in at an upstream provider failed.
    UpstreamFailed {
        /// The issuer.
        #[serde(skip)]
        issuer: IssuerId,
        /// The upstream provider.
        upstream: Slug,
        /// The reason.
        reason: UpstreamFailure,
        /// Details for the operator only.
        hint: Option<String>,
        /// The code that the user was shown.
        #[serde(skip)]
        reference: Reference,
    },
    /// An account was linked with an identity at an upstream provider; from now on its user signs in only there.
    AccountLinked {
        /// The user.
        user: UserId,
        /// The upstream provider.
        upstream: Slug,
    },
    /// A second factor was refused.
    SecondFactorFailed {
        /// The issuer.
        #[serde(skip)]
        issuer: IssuerId,
        /// The user.
        user: UserId,
        /// The code that the user was shown.
        #[serde(skip)]
        reference: Reference,
    },
    /// A login was completed and a code issued.
    LoginCompleted {
        /// The issuer.
        #[serde(skip)]
        issuer: IssuerId,
        /// The user.
        user: UserId,
        /// The client that gets the code.
        client: ClientId,
    },
    /// An authenticator was confirmed.
    AuthenticatorEnrolled {
        /// The user.
        user: UserId,
    },
    /// A reset of a forgotten password was requested.
    ResetRequested {
        /// The tenant, if it exists.
        tenant: Option<TenantId>,
        /// The user, if one was found.
        user: Option<UserId>,
        /// The outcome; it is not shown to the requester.
        outcome: ResetOutcome,
    },
    /// A password was changed; the sessions and tokens that it had opened have ended.
    PasswordChanged {
        /// The user.
        user: UserId,
    },
    /// A user's enrolment was reset: authenticators, recovery codes and sessions have ended.
    EnrolmentReset {
        /// The user.
        user: UserId,
    },
    /// A user's locks were ended.
    Unlocked {
        /// The user.
        user: UserId,
    },
    /// A link was shown at the server's console that needs neither password nor second factor.
    EmergencyLinkIssued {
        /// The user that it signs in.
        user: UserId,
    },
    /// The signature counter of a passkey went back: there may be a copy of its key. The use was refused.
    PasskeyCounterWentBack {
        /// The issuer.
        #[serde(skip)]
        issuer: IssuerId,
        /// The user.
        user: UserId,
        /// The code that the user was shown.
        #[serde(skip)]
        reference: Reference,
    },
    /// A user changed something of their own in a login.
    UserChanged {
        /// The user.
        #[serde(skip)]
        user: UserId,
        /// What: `personal_desktop`, `trusted_browser` or `resynchronised`.
        change: &'static str,
    },
    /// A recovery code was used.
    RecoveryCodeUsed {
        /// The user.
        user: UserId,
    },
    /// An authorization code was presented twice; what it gave is revoked.
    CodeReused {
        /// The issuer.
        #[serde(skip)]
        issuer: IssuerId,
        /// The client.
        client: ClientId,
    },
    /// A refresh token was presented after its successor was in use; its family has ended.
    RefreshTokenReused {
        /// The issuer.
        #[serde(skip)]
        issuer: IssuerId,
        /// The client.
        client: ClientId,
    },
    /// A session was ended by its user.
    SignedOut {
        /// The issuer.
        #[serde(skip)]
        issuer: IssuerId,
        /// The user.
        user: UserId,
    },
    /// A user ended sessions from elsewhere, or everywhere.
    SessionsEnded {
        /// The user.
        user: UserId,
        /// The number of sessions.
        sessions: u64,
    },
    /// A message to a user could not be delivered and is not retried.
    MessageFailed {
        /// The tenant in whose name it was sent.
        tenant: TenantId,
        /// The message.
        message: MessageId,
        /// The response of the mail server or gateway.
        reason: String,
    },
    /// A login ended without a code: the user did not continue, or what was needed could not be had.
    LoginRefused {
        /// The issuer.
        #[serde(skip)]
        issuer: IssuerId,
        /// The user, if one had proved a first factor or was signed in.
        #[serde(skip)]
        user: Option<UserId>,
        /// The client.
        client: ClientId,
        /// The error that the client gets.
        error: &'static str,
    },
    /// A client's authentication failed.
    ClientRefused {
        /// The issuer.
        #[serde(skip)]
        issuer: IssuerId,
        /// The client, if there is one of this name.
        #[serde(skip)]
        client: Option<ClientId>,
        /// The reason, for the operator only.
        reason: String,
    },
    /// A thing was created, changed or removed by the operator or the host application.
    Managed {
        /// The kind of the thing in an `apply` document: `user`, `client`, `tenant`.
        #[serde(skip)]
        kind: String,
        /// Its natural key, for example `123456.sms/anna`.
        #[serde(skip)]
        key: String,
        /// `created`, `changed` or `removed`.
        change: &'static str,
        /// What was written, without values: for example `password`, `groups`.
        members: Vec<&'static str>,
    },
    /// Refusals were left out of the audit trail because there were too many.
    RefusalsOmitted {
        /// Their number.
        count: u64,
    },
    /// A request was refused on a page.
    Refused {
        /// The issuer.
        #[serde(skip)]
        issuer: IssuerId,
        /// The error code, which the client's developer may see.
        error: &'static str,
        /// Details for the operator only.
        hint: Option<String>,
        /// The code that the user was shown.
        #[serde(skip)]
        reference: Reference,
    },
}

/// Why a first factor was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginFailure {
    /// No such tenant domain.
    TenantUnknown,
    /// The tenant is switched off.
    TenantDisabled,
    /// No such user in the tenant.
    UserUnknown,
    /// The user is switched off.
    UserDisabled,
    /// The user has no password.
    NoPassword,
    /// The user signs in upstream.
    SignsInUpstream,
    /// The password is wrong.
    WrongPassword,
    /// Too many failures before this one.
    Locked,
    /// The passkey is unknown, or belongs to another host name.
    PasskeyUnknown,
    /// The passkey's response is wrong.
    PasskeyWrong,
    /// The tenant does not let passkeys sign users in.
    PasskeySignInOff,
}

/// The outcome of a request for a reset mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetOutcome {
    /// A link is on its way.
    Mailed,
    /// No such tenant domain.
    TenantUnknown,
    /// The tenant is switched off.
    TenantDisabled,
    /// No such user in the tenant.
    UserUnknown,
    /// The user is switched off.
    UserDisabled,
    /// The host's directory keeps the user's password, or the user signs in upstream.
    Elsewhere,
    /// The user has no address that mail can be sent to.
    NoAddress,
    /// Several users have the address that was typed; each has a name.
    Ambiguous,
    /// Too many mails were asked for.
    TooMany,
    /// No mail can be sent, or too much waits to be sent.
    NoMail,
    /// The request waited so long in the queue that it was dropped.
    TooLate,
}

/// Why a sign-in at an upstream provider failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamFailure {
    /// The provider did not answer.
    Unavailable,
    /// The provider or the user refused.
    Refused,
    /// The provider's response could not be verified.
    Unproved,
    /// The identity is not linked with an account that may sign in here.
    NotLinked,
    /// The invitation code is invalid.
    WrongInvitation,
}

impl UpstreamFailure {
    /// The name of this reason in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unavailable => "upstream_unavailable",
            Self::Refused => "upstream_refused",
            Self::Unproved => "upstream_unproved",
            Self::NotLinked => "upstream_not_linked",
            Self::WrongInvitation => "upstream_wrong_invitation",
        }
    }
}

impl Event {
    /// The name of this event in metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::LoginFailed { .. } => "login_failed",
            Self::UpstreamFailed { .. } => "upstream_failed",
            Self::AccountLinked { .. } => "account_linked",
            Self::SecondFactorFailed { .. } => "second_factor_failed",
            Self::LoginCompleted { .. } => "login_completed",
            Self::AuthenticatorEnrolled { .. } => "authenticator_enrolled",
            Self::PasskeyCounterWentBack { .. } => "passkey_counter_went_back",
            Self::RecoveryCodeUsed { .. } => "recovery_code_used",
            Self::ResetRequested { .. } => "reset_requested",
            Self::PasswordChanged { .. } => "password_changed",
            Self::EnrolmentReset { .. } => "enrolment_reset",
            Self::Unlocked { .. } => "unlocked",
            Self::EmergencyLinkIssued { .. } => "glass_broken",
            Self::CodeReused { .. } => "code_reused",
            Self::RefreshTokenReused { .. } => "refresh_token_reused",
            Self::SignedOut { .. } => "signed_out",
            Self::SessionsEnded { .. } => "sessions_ended",
            Self::Refused { .. } => "refused",
            Self::LoginRefused { .. } => "login_refused",
            Self::ClientRefused { .. } => "client_refused",
            Self::Managed { .. } => "managed",
            Self::UserChanged { .. } => "user_changed",
            Self::RefusalsOmitted { .. } => "refusals_omitted",
            Self::MessageFailed { .. } => "message_failed",
        }
    }

    /// What it says about how logins come out, if it is about one.
    pub const fn login_outcome(&self) -> Option<&'static str> {
        match self {
            Self::LoginCompleted { .. } => Some("completed"),
            Self::LoginFailed { reason, .. } => Some(reason.name()),
            Self::UpstreamFailed { reason, .. } => Some(reason.name()),
            Self::SecondFactorFailed { .. } => Some(self.name()),
            _ => None,
        }
    }
}

impl LoginFailure {
    /// The name of this event in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TenantUnknown => "tenant_unknown",
            Self::TenantDisabled => "tenant_disabled",
            Self::UserUnknown => "user_unknown",
            Self::UserDisabled => "user_disabled",
            Self::NoPassword => "no_password",
            Self::SignsInUpstream => "signs_in_upstream",
            Self::WrongPassword => "wrong_password",
            Self::Locked => "locked",
            Self::PasskeyUnknown => "passkey_unknown",
            Self::PasskeyWrong => "passkey_wrong",
            Self::PasskeySignInOff => "passkey_sign_in_off",
        }
    }
}
