//! The form of a page, and the texts of what is wrong with it.

pub use crate::domain::form::{Field, Problem};
use crate::domain::ids::Reference;
use crate::domain::password::{PasswordFault, PasswordRules};
use crate::i18n::Texts;

/// The form of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The address that it is posted to.
    pub action: String,
    /// The value of the hidden field `csrf`.
    pub csrf: String,
    /// The problems of the last attempt, in the order of the fields.
    pub problems: Vec<Problem>,
    /// The reference code under which an administrator finds them explained.
    pub reference: Option<Reference>,
}

impl Form {
    /// A form without problems.
    pub fn new(action: impl Into<String>, csrf: impl Into<String>) -> Self {
        Self { action: action.into(), csrf: csrf.into(), problems: Vec::new(), reference: None }
    }
}

impl Field {
    /// The problem of this field in this form.
    pub fn problem(self, form: &Form) -> Option<Problem> {
        form.problems.iter().copied().find(|problem| problem.field() == Some(self))
    }
}

impl Problem {
    /// The text that the user reads.
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
            Self::NewPassword(fault) => return password_fault(fault, texts),
            Self::SignInFailed => "login.failed",
            Self::WrongCode => "code.wrong",
            Self::CodeExpired => "code.expired",
            Self::WrongCodes => "resync.wrong",
            Self::CodeNotSent => "sent.failed",
            Self::TooManyCodes => "sent.too_many",
            Self::WrongRecoveryCode => "recovery.wrong",
            Self::WrongInvitation => "link.wrong",
            Self::UpstreamUnavailable => "upstream.unavailable",
            Self::UpstreamRefused => "upstream.refused",
            Self::UpstreamUnproved => "upstream.unproved",
            Self::WrongPasskey => "passkey.wrong",
            Self::NoPasskey => "passkey.missing",
            Self::PasskeySignInFailed => "passkey.sign_in_failed",
            Self::StartedAgain => "form.started_again",
            Self::EnrolmentVoid => "form.secret_renewed",
            Self::DestinationVoid => "form.destination_again",
            Self::Stale => "form.stale",
        };
        texts.t(key).to_owned()
    }
}

fn password_fault(fault: PasswordFault, texts: &Texts) -> String {
    let key = match fault {
        PasswordFault::TooShort(least) => {
            return texts.count("new_password.too_short", i64::from(least));
        }
        PasswordFault::TooLong => {
            return texts.count("new_password.too_long", i64::from(PasswordRules::MOST));
        }
        PasswordFault::Guessable => "new_password.guessable",
        PasswordFault::Unchanged => "new_password.unchanged",
        PasswordFault::Different => "new_password.different",
    };
    texts.t(key).to_owned()
}
