//! The fields of the pages' forms, and what can be wrong with a form.
//!
//! Why here and not with the pages: a login stores what was wrong with its last post, and the page that follows shows it.

use serde::{Deserialize, Serialize};

use super::password::PasswordFault;

/// The one table of fields: the name in the form and the key of the label. The word under which a login stores a field is
/// its variant in snake case.
macro_rules! fields {
    ($($(#[$doc:meta])* $field:ident: $name:literal, $label:literal;)*) => {
        /// A field that can be filled in wrongly.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Field {
            $($(#[$doc])* $field,)*
        }

        impl Field {
            /// The name in the form: a contract with scripts and password managers.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$field => $name,)*
                }
            }

            /// The key of its label.
            pub(crate) const fn label(self) -> &'static str {
                match self {
                    $(Self::$field => $label,)*
                }
            }
        }
    };
}

fields! {
    /// The tenant domain.
    Tenant: "tenant", "field.tenant";
    /// The user name.
    Username: "username", "field.username";
    /// The user name or the email address.
    Account: "username", "forgotten.username";
    /// The password.
    Password: "password", "field.password";
    /// A code of an authenticator.
    Code: "code", "field.code";
    /// The code that a device shows after the one in [`Field::Code`].
    NextCode: "next_code", "resync.next";
    /// A recovery code.
    RecoveryCode: "code", "field.recovery_code";
    /// An invitation to link an account.
    Invitation: "code", "field.invitation";
    /// The confirmation that the recovery codes are stored.
    Stored: "stored", "recovery_codes.stored";
    /// The name of the office computer.
    PersonalDesktop: "personal_desktop", "field.personal_desktop";
    /// The chosen second factor.
    Method: "method", "choose_method.title";
    /// The country of a telephone number, by its two letters.
    Country: "country", "field.country";
    /// A telephone number.
    PhoneNumber: "phone_number", "field.phone_number";
    /// An email address.
    Email: "email", "field.email";
    /// A new password.
    NewPassword: "new_password", "field.new_password";
    /// The new password, repeated.
    NewPasswordAgain: "new_password_again", "field.new_password_again";
    /// The browser's answer for a passkey, as JSON; filled in by a script.
    Credential: "credential", "choose_method.passkey";
}

/// What is wrong with a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Problem {
    /// The field was left empty.
    Missing(Field),
    /// The field's text is not valid for it.
    Invalid(Field),
    /// Tenant, user name and password do not belong together; the page does not say which.
    SignInFailed,
    /// The code was not accepted: wrong, or used before.
    WrongCode,
    /// The two codes were not shown one directly after the other by this device, or were used before.
    WrongCodes,
    /// No code can be right: it expired, was tried too often, or none was sent.
    CodeExpired,
    /// The code could not be sent.
    CodeNotSent,
    /// No code was sent, because too many were requested.
    TooManyCodes,
    /// The recovery code was not accepted: wrong, or used before.
    WrongRecoveryCode,
    /// The passkey was not accepted.
    WrongPasskey,
    /// The browser did not ask for a passkey; the page's script does that.
    NoPasskey,
    /// The sign-in by passkey was refused; the page does not say why.
    PasskeySignInFailed,
    /// Too many wrong codes: the login begins again with the password.
    StartedAgain,
    /// Too many wrong codes, or too late: the secret shown before is void, and the page shows another one.
    EnrolmentVoid,
    /// Too many wrong codes, or too late: the number or address must be given again.
    DestinationVoid,
    /// The text is not acceptable as a new password.
    NewPassword(PasswordFault),
    /// The upstream provider does not answer.
    UpstreamUnavailable,
    /// The upstream provider refused, or the user cancelled there.
    UpstreamRefused,
    /// The upstream provider's answer cannot be accepted.
    UpstreamUnproved,
    /// No invitation has this code.
    WrongInvitation,
    /// The form did not come from the page that was shown last; the page is shown again.
    Stale,
}

impl Problem {
    /// The field to correct; `None` if the form as a whole is meant.
    pub const fn field(self) -> Option<Field> {
        match self {
            Self::Missing(field) | Self::Invalid(field) => Some(field),
            Self::WrongCode | Self::WrongCodes | Self::CodeExpired => Some(Field::Code),
            Self::WrongRecoveryCode => Some(Field::RecoveryCode),
            Self::NewPassword(PasswordFault::Different) => Some(Field::NewPasswordAgain),
            Self::NewPassword(_) => Some(Field::NewPassword),
            Self::WrongInvitation => Some(Field::Invitation),
            Self::SignInFailed
            | Self::CodeNotSent
            | Self::TooManyCodes
            | Self::StartedAgain
            | Self::EnrolmentVoid
            | Self::DestinationVoid
            | Self::UpstreamUnavailable
            | Self::UpstreamRefused
            | Self::UpstreamUnproved
            | Self::WrongPasskey
            | Self::NoPasskey
            | Self::PasskeySignInFailed
            | Self::Stale => None,
        }
    }
}
