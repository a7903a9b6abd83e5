//! What an observer is told: the security events of the house, without secrets.

mod members;

use serde::Serialize;

use super::ids::{ClientId, IssuerId, MessageId, Reference, TenantId, UserId};
use super::upstream::Slug;

/// One event. Names typed at a login appear only as a hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A first factor was refused; who was tried is deliberately not said.
    LoginFailed {
        /// Where.
        #[serde(skip)]
        issuer: IssuerId,
        /// Why, for administrators only.
        reason: LoginFailure,
        /// What the user was shown.
        #[serde(skip)]
        reference: Reference,
    },
    /// Nobody was signed in by an upstream provider.
    UpstreamFailed {
        /// Where.
        #[serde(skip)]
        issuer: IssuerId,
        /// Which provider.
        upstream: Slug,
        /// Why.
        reason: UpstreamFailure,
        /// What only the operator may know.
        hint: Option<String>,
        /// What the user was shown.
        #[serde(skip)]
        reference: Reference,
    },
    /// An account was linked with somebody at an upstream provider, and can be entered only there from now on.
    AccountLinked {
        /// Whose.
        user: UserId,
        /// Which provider.
        upstream: Slug,
    },
    /// A second factor was refused.
    SecondFactorFailed {
        /// Where.
        #[serde(skip)]
        issuer: IssuerId,
        /// Whose.
        user: UserId,
        /// What the user was shown.
        #[serde(skip)]
        reference: Reference,
    },
    /// A login was completed and a code issued.
    LoginCompleted {
        /// Where.
        #[serde(skip)]
        issuer: IssuerId,
        /// Who.
        user: UserId,
        /// For whom.
        client: ClientId,
    },
    /// An authenticator was confirmed.
    AuthenticatorEnrolled {
        /// Whose.
        user: UserId,
    },
    /// Somebody said that a password is forgotten.
    ResetRequested {
        /// The tenant that was meant, if there is one.
        tenant: Option<TenantId>,
        /// The user who was meant, if there is one.
        user: Option<UserId>,
        /// What came of it; whoever asked is not told.
        outcome: ResetOutcome,
    },
    /// A password was changed; what the old one had opened has ended.
    PasswordChanged {
        /// Whose.
        user: UserId,
    },
    /// A user's enrolment was begun anew: authenticators, recovery codes and sessions have ended.
    EnrolmentReset {
        /// Whose.
        user: UserId,
    },
    /// A user's locks were ended.
    Unlocked {
        /// Whose.
        user: UserId,
    },
    /// A link was shown at the server's console that needs neither password nor second factor.
    EmergencyLinkIssued {
        /// Whose account it opens.
        user: UserId,
    },
    /// The signature counter of a passkey went back: there may be a copy of its key. The use was refused.
    PasskeyCounterWentBack {
        /// Where.
        #[serde(skip)]
        issuer: IssuerId,
        /// Whose.
        user: UserId,
        /// What the user was shown.
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
        /// Whose.
        user: UserId,
    },
    /// An authorization code was presented twice; what it gave is revoked.
    CodeReused {
        /// Where.
        #[serde(skip)]
        issuer: IssuerId,
        /// Whose code.
        client: ClientId,
    },
    /// A refresh token was presented after its successor was in use; its family has ended.
    RefreshTokenReused {
        /// Where.
        #[serde(skip)]
        issuer: IssuerId,
        /// Whose token.
        client: ClientId,
    },
    /// A session was ended by its user.
    SignedOut {
        /// Where.
        #[serde(skip)]
        issuer: IssuerId,
        /// Who.
        user: UserId,
    },
    /// A user ended sessions from elsewhere, or everywhere.
    SessionsEnded {
        /// Whose.
        user: UserId,
        /// How many.
        sessions: u64,
    },
    /// A message to a user was given up.
    MessageFailed {
        /// Whose name it carries.
        tenant: TenantId,
        /// Which.
        message: MessageId,
        /// What the mail server or the gateway said.
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
        /// Where.
        #[serde(skip)]
        issuer: IssuerId,
        /// What the client's developer may know.
        error: &'static str,
        /// What only the operator may know.
        hint: Option<String>,
        /// What the user was shown.
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
    /// Nobody's passkey, or not one for this host name.
    PasskeyUnknown,
    /// The answer of the passkey is wrong.
    PasskeyWrong,
    /// The tenant does not let passkeys sign users in.
    PasskeySignInOff,
}

/// What came of a wish for a reset mail.
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
    /// It had waited so long that nobody looks for the mail any more.
    TooLate,
}

/// Why nobody was signed in by an upstream provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamFailure {
    /// The provider did not answer.
    Unavailable,
    /// It said no, or the user did.
    Refused,
    /// Its answer did not count.
    Unproved,
    /// Whoever signed in there is linked with no account that may sign in here.
    NotLinked,
    /// They brought an invitation that is none.
    WrongInvitation,
}

impl UpstreamFailure {
    /// Its name in figures.
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
    /// Its name in figures.
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
    /// Its name in figures.
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
