//! The pages of a ceremony, and what their forms bring: the same in a login and in a reset.

use super::code_notice;
use crate::account::factors::enrolment::EnrolmentSecret;
use crate::domain::authenticator::Authenticator;
use crate::domain::ceremony::Ceremony;
use crate::domain::passkey::PasskeyChallenge;
use crate::domain::password::PasswordRules;
use crate::domain::tenant::Tenant;
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::protocol::parameters::Parameters;
use crate::provider::{Idp, Internal};
use crate::views::{self, Body, Duty, Field, Form};

/// The addresses of the other pages on which a second factor can be proved, as far as they lead on.
#[derive(Default)]
pub(super) struct OtherWays {
    pub(super) code: Option<String>,
    pub(super) passkey: Option<String>,
    pub(super) recovery: Option<String>,
    pub(super) resync: Option<String>,
    /// For how many days the browser may be trusted, where that is offered.
    pub(super) trust: Option<u32>,
}

/// The page that asks for the authenticator's code.
pub(super) async fn second_factor(
    idp: &Idp,
    ceremony: &Ceremony,
    authenticator: &Authenticator,
    now: Time,
    mut form: Form,
    others: OtherWays,
) -> Result<Body, Internal> {
    let source = code_notice::source(idp, ceremony, authenticator, now, &mut form).await?;
    let OtherWays { passkey, recovery, resync, trust, .. } = others;
    Ok(Body::SecondFactor(views::SecondFactorView {
        form,
        source,
        trust,
        digits: authenticator.kind.digits(),
        pin: authenticator.pin.as_ref().map(|pin| pin.position),
        resync,
        passkey,
        recovery,
    }))
}

/// The page that asks for a passkey.
pub(super) fn passkey(challenge: &PasskeyChallenge, form: Form, others: OtherWays) -> Body {
    let OtherWays { code, recovery, trust, .. } = others;
    Body::Passkey(views::PasskeyView { form, options: challenge.options.clone(), trust, code, recovery })
}

/// The page with the secret of a new application; there is no other method to choose.
pub(super) fn secret(
    secret: &EnrolmentSecret,
    user: &User,
    tenant: &Tenant,
    form: Form,
    duty: Duty,
) -> views::EnrolView {
    let account = user.username.to_string();
    let uri = secret.uri(&tenant.name, &account).map(|uri| uri.to_string()).unwrap_or_default();
    views::EnrolView { form, duty, uri, secret: secret.groups(), account, others: false }
}

/// The page with the recovery codes that this row keeps, until they are stored.
pub(super) fn recovery_codes(
    idp: &Idp,
    ceremony: &Ceremony,
    row: &str,
    user: &User,
    form: Form,
) -> Result<Body, Internal> {
    let sealed = ceremony.recovery_codes.as_deref().unwrap_or_default();
    let codes = idp.account().shown_recovery_codes(sealed, row)?;
    Ok(Body::RecoveryCodes(views::RecoveryCodesView { form, codes, account: user.username.to_string() }))
}

/// The page for a new password.
pub(super) fn new_password(user: &User, form: Form) -> Body {
    let rules = PasswordRules::of(user.is_admin());
    Body::NewPassword(views::NewPasswordView { form, rules, account: user.username.to_string() })
}

/// The new password as it was typed twice; `Err` holds the fields that were left empty.
pub(super) fn typed_password(form: &Parameters) -> Result<[&str; 2], Vec<Field>> {
    let fields = [Field::NewPassword, Field::NewPasswordAgain];
    let typed = fields.map(|field| form.get(field.name()).unwrap_or_default());
    let empty: Vec<_> =
        fields.into_iter().zip(typed).filter(|(_, typed)| typed.is_empty()).map(|(field, _)| field).collect();
    if empty.is_empty() { Ok(typed) } else { Err(empty) }
}
