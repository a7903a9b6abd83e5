//! Forms: where they are sent, and what was wrong with them the last time.

use crate::domain::ids::Reference;
use crate::domain::password::{PasswordFault, PasswordRules};
use crate::i18n::Texts;

/// What every form needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Where it is posted.
    pub action: String,
    /// The value of the hidden field `csrf`.
    pub csrf: String,
    /// What was wrong with the last attempt, in the order of the fields.
    pub problems: Vec<Problem>,
    /// Under what an administrator can explain them.
    pub reference: Option<Reference>,
}

impl Form {
    /// A form that nothing is wrong with yet.
    pub fn new(action: impl Into<String>, csrf: impl Into<String>) -> Self {
        Self { action: action.into(), csrf: csrf.into(), problems: Vec::new(), reference: None }
    }
}

/// A field that can be filled in wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Field {
    /// The tenant domain.
    Tenant,
    /// The user name.
    Username,
    /// The user name or the email address; its field is named `username` too.
    Account,
    /// The password.
    Password,
    /// A code of an authenticator.
    Code,
    /// A recovery code; its field is named `code` too.
    RecoveryCode,
    /// An invitation to link an account; its field is named `code` too.
    Invitation,
    /// "I have stored them".
    Stored,
    /// The name of the office computer.
    PersonalDesktop,
    /// The second factor that is chosen.
    Method,
    /// The country of a telephone number, by its two letters.
    Country,
    /// A telephone number.
    PhoneNumber,
    /// An email address.
    Email,
    /// A new password.
    NewPassword,
    /// The new password once more.
    NewPasswordAgain,
    /// The code that a device shows after the one in [`Field::Code`].
    NextCode,
    /// What the browser says of a passkey, as JSON. Nobody types it.
    Credential,
}

impl Field {
    /// The name in the form: a contract with scripts and password managers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Username | Self::Account => "username",
            Self::Password => "password",
            Self::Code | Self::RecoveryCode | Self::Invitation => "code",
            Self::Stored => "stored",
            Self::PersonalDesktop => "personal_desktop",
            Self::Method => "method",
            Self::Country => "country",
            Self::PhoneNumber => "phone_number",
            Self::Email => "email",
            Self::NewPassword => "new_password",
            Self::NewPasswordAgain => "new_password_again",
            Self::NextCode => "next_code",
            Self::Credential => "credential",
        }
    }

    /// What is wrong with it in this form.
    pub fn problem(self, form: &Form) -> Option<Problem> {
        form.problems.iter().copied().find(|problem| problem.field() == Some(self))
    }

    /// The key of its label.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Tenant => "field.tenant",
            Self::Username => "field.username",
            Self::Account => "forgotten.username",
            Self::Password => "field.password",
            Self::Code => "field.code",
            Self::RecoveryCode => "field.recovery_code",
            Self::Invitation => "field.invitation",
            Self::Stored => "recovery_codes.stored",
            Self::PersonalDesktop => "field.personal_desktop",
            Self::Method => "choose_method.title",
            Self::Country => "field.country",
            Self::PhoneNumber => "field.phone_number",
            Self::Email => "field.email",
            Self::NewPassword => "field.new_password",
            Self::NewPasswordAgain => "field.new_password_again",
            Self::NextCode => "resync.next",
            Self::Credential => "choose_method.passkey",
        }
    }
}

/// What can be wrong with a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The field was left empty.
    Missing(Field),
    /// The field does not hold what it is for.
    Invalid(Field),
    /// Tenant, user name and password do not belong together; which of them is never said.
    LoginFailed,
    /// The code was not the one of this moment, or was used already.
    CodeWrong,
    /// There is no code that could be right: it expired, was tried too often, or none was sent.
    CodeExpired,
    /// The two codes were not shown one after the other by this device, or were used already.
    CodesWrong,
    /// The code could not be sent.
    CodeNotSent,
    /// No code was sent, for too many were asked for.
    TooManyCodes,
    /// No such recovery code, or it was used already.
    RecoveryCodeWrong,
    /// The passkey was not accepted.
    PasskeyWrong,
    /// The browser was not asked for a passkey: the page's script does that.
    PasskeyMissing,
    /// The passkey signs nobody in here; why is never said.
    PasskeySignInFailed,
    /// Too many wrong codes: the login begins again with the password.
    StartedAgain,
    /// Too many wrong codes, or too late: the secret shown before is void, this is another one.
    SecretRenewed,
    /// Too many wrong codes, or too late: the number or address must be given again.
    DestinationAgain,
    /// The text will not do as a new password.
    NewPassword(PasswordFault),
    /// The upstream provider does not answer.
    UpstreamUnavailable,
    /// The upstream provider said no, or the user did there.
    UpstreamRefused,
    /// The upstream provider's answer does not count.
    UpstreamUnproved,
    /// Nobody is invited with this code.
    InvitationWrong,
    /// The form was not sent from the page that we showed: it is shown again.
    Stale,
}

impl Problem {
    /// The field to mend; `None` where it is the form as a whole.
    pub const fn field(self) -> Option<Field> {
        match self {
            Self::Missing(field) | Self::Invalid(field) => Some(field),
            Self::CodeWrong | Self::CodesWrong | Self::CodeExpired => Some(Field::Code),
            Self::RecoveryCodeWrong => Some(Field::RecoveryCode),
            Self::NewPassword(PasswordFault::Different) => Some(Field::NewPasswordAgain),
            Self::NewPassword(_) => Some(Field::NewPassword),
            Self::InvitationWrong => Some(Field::Invitation),
            Self::LoginFailed
            | Self::CodeNotSent
            | Self::TooManyCodes
            | Self::StartedAgain
            | Self::SecretRenewed
            | Self::DestinationAgain
            | Self::UpstreamUnavailable
            | Self::UpstreamRefused
            | Self::UpstreamUnproved
            | Self::PasskeyWrong
            | Self::PasskeyMissing
            | Self::PasskeySignInFailed
            | Self::Stale => None,
        }
    }

    /// What the user reads.
    pub(super) fn text(self, texts: &Texts) -> String {
        let key = match self {
            Self::Missing(Field::Stored) => "recovery_codes.stored_missing",
            Self::Missing(Field::Method) => "choose_method.missing",
            Self::Invalid(Field::PhoneNumber) => "phone.invalid",
            Self::Invalid(Field::Email) => "email.invalid",
            Self::Invalid(Field::PersonalDesktop) => "desktop.invalid",
            Self::Missing(field) | Self::Invalid(field) => {
                return texts.with("field.required", &[("field", texts.t(field.label()))]);
            }
            Self::LoginFailed => "login.failed",
            Self::CodeWrong => "code.wrong",
            Self::CodeExpired => "code.expired",
            Self::CodesWrong => "resync.wrong",
            Self::CodeNotSent => "sent.failed",
            Self::TooManyCodes => "sent.too_many",
            Self::RecoveryCodeWrong => "recovery.wrong",
            Self::NewPassword(PasswordFault::TooShort(least)) => {
                return texts.count("new_password.too_short", i64::from(least));
            }
            Self::NewPassword(PasswordFault::TooLong) => {
                return texts.count("new_password.too_long", i64::from(PasswordRules::MOST));
            }
            Self::NewPassword(PasswordFault::Guessable) => "new_password.guessable",
            Self::NewPassword(PasswordFault::Unchanged) => "new_password.unchanged",
            Self::NewPassword(PasswordFault::Different) => "new_password.different",
            Self::InvitationWrong => "link.wrong",
            Self::UpstreamUnavailable => "upstream.unavailable",
            Self::UpstreamRefused => "upstream.refused",
            Self::UpstreamUnproved => "upstream.unproved",
            Self::PasskeyWrong => "passkey.wrong",
            Self::PasskeyMissing => "passkey.missing",
            Self::PasskeySignInFailed => "passkey.sign_in_failed",
            Self::StartedAgain => "form.started_again",
            Self::SecretRenewed => "form.secret_renewed",
            Self::DestinationAgain => "form.destination_again",
            Self::Stale => "form.stale",
        };
        texts.t(key).to_owned()
    }
}
