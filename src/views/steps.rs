//! The pages on which the user does something. Every form has a button named `cancel`, never the first one.

use std::collections::BTreeMap;

use super::codes::CodeSource;
use super::form::{Field, Form};
use super::frame::ApplicationInfo;
use crate::domain::authenticator::{Method, PinPosition};
use crate::domain::own_scopes::Title;
use crate::domain::scope::{self, Scope};
use crate::domain::time::Time;
use crate::i18n::Texts;

/// Who are you? Posts `tenant`, `username`, `password`.
pub struct IdentifyView {
    /// The form.
    pub form: Form,
    /// Who asks.
    pub application: ApplicationInfo,
    /// What stands in the tenant field; `None` where the tenant is fixed and there is no such field.
    pub tenant: Option<String>,
    /// What stands in the name field.
    pub username: String,
    /// Where a forgotten password is replaced; `None` where no mail can be sent.
    pub forgotten: Option<String>,
    /// Where people may sign in instead.
    pub upstreams: Vec<UpstreamChoice>,
    /// Where this browser's user signed in last, if not here; it is not among the others.
    pub remembered: Option<UpstreamChoice>,
    /// Signing in with a passkey instead; `None` where that is not allowed.
    pub passkey: Option<PasskeyOffer>,
}

/// An upstream provider that people may sign in at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamChoice {
    /// What people call it.
    pub title: String,
    /// The link that leads there.
    pub address: String,
}

/// Sign in with a passkey instead. Posts `credential`; only a script can fill that.
pub struct PasskeyOffer {
    /// Where it is posted, with the `csrf` of the page's form.
    pub action: String,
    /// What the browser is asked: the argument of `navigator.credentials.get`, its bytes in base64url.
    pub options: String,
}

impl IdentifyView {
    /// Does the typing start in this field? In the first empty one, unless there are problems to read before, or another
    /// way was taken the last time.
    pub(super) fn starts_at(&self, field: Field) -> bool {
        let first = match &self.tenant {
            Some(tenant) if tenant.is_empty() => Field::Tenant,
            _ if self.username.is_empty() => Field::Username,
            _ => Field::Password,
        };
        self.form.problems.is_empty() && self.remembered.is_none() && first == field
    }
}

/// Signed in upstream, and linked with no account here. Posts `code`, an invitation to link one. Whether anybody is
/// invited it does not say.
pub struct LinkView {
    /// The form.
    pub form: Form,
    /// Where the user is signed in.
    pub upstream: String,
    /// The way back to the first page.
    pub identify: String,
}

/// The upstream provider must vouch for a second factor, and has not (SEED1-5). Posts `again`, which leads there
/// once more.
pub struct UpstreamProofView {
    /// The form.
    pub form: Form,
    /// Why.
    pub duty: Duty,
    /// Where the user signs in.
    pub upstream: String,
    /// Is it a reseller's?
    pub is_resellers: bool,
    /// Where a second factor is set up there.
    pub activation: Option<String>,
}

impl UpstreamProofView {
    /// The key of the reason.
    pub(super) const fn reason(&self) -> &'static str {
        match self.duty {
            Duty::Tenant => "upstream_proof.tenant",
            Duty::Application => "upstream_proof.application",
            Duty::Administrator | Duty::Replacement | Duty::Chosen => "upstream_proof.administrator",
        }
    }
}

/// The code of the second factor. Posts `code`, or `resend` where it was sent. Deliberately without a hint who the user is
/// (SEED1-18).
pub struct SecondFactorView {
    /// The form.
    pub form: Form,
    /// Where the code comes from.
    pub source: CodeSource,
    /// For how many days this browser may be trusted (`trust_browser`); `None` where that is not offered.
    pub trust: Option<u32>,
    /// How many digits it has.
    pub digits: u32,
    /// On which side of it a PIN is typed, if one is.
    pub pin: Option<PinPosition>,
    /// Where a device is found again that has run away; `None` where that is not offered.
    pub resync: Option<String>,
    /// Where a passkey is accepted instead; `None` where there is none.
    pub passkey: Option<String>,
    /// Where a recovery code is accepted instead; `None` where none is left.
    pub recovery: Option<String>,
}

/// A passkey or security key as the second factor. Posts `credential`; only a script can fill that.
pub struct PasskeyView {
    /// The form.
    pub form: Form,
    /// What the browser is asked: the argument of `navigator.credentials.get`, its bytes in base64url.
    pub options: String,
    /// For how many days this browser may be trusted (`trust_browser`); `None` where that is not offered.
    pub trust: Option<u32>,
    /// Where a code is accepted instead; `None` where the user has nothing that makes or receives codes.
    pub code: Option<String>,
    /// Where a recovery code is accepted instead; `None` where none is left.
    pub recovery: Option<String>,
}

impl SecondFactorView {
    /// What to know about the code, and about the PIN that goes with it.
    pub(super) fn hint(&self, l: &Texts) -> String {
        let code = self.source.hint(l, self.digits);
        match self.pin {
            None => code,
            Some(PinPosition::Before) => format!("{code}. {}", l.t("code.pin_before")),
            Some(PinPosition::After) => format!("{code}. {}", l.t("code.pin_after")),
        }
    }
}

/// A recovery code instead of the authenticator. Posts `code`.
pub struct RecoveryView {
    /// The form.
    pub form: Form,
    /// The way back to the authenticator; `None` where the user has none that can be used here.
    pub second_factor: Option<String>,
}

/// The name of the office computer, once in a new enrolment. Posts `personal_desktop`, or `skip`.
pub struct DesktopView {
    /// The form.
    pub form: Form,
    /// What stands in the field.
    pub name: String,
}

/// Which second factor it shall be. Posts `method`; where the user wished for one, `skip` goes on without.
pub struct ChooseMethodView {
    /// The form.
    pub form: Form,
    /// Why.
    pub duty: Duty,
    /// What there is to choose from.
    pub methods: Vec<Method>,
}

impl ChooseMethodView {
    /// Each method's word, and the keys of its name and of what it takes.
    pub(super) fn choices(&self) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        self.methods.iter().map(|method| match method {
            Method::Totp => ("totp", "choose_method.totp", "choose_method.totp_hint"),
            Method::Sms => ("sms", "choose_method.sms", "choose_method.sms_hint"),
            Method::Mail => ("mail", "choose_method.mail", "choose_method.mail_hint"),
            Method::Passkey => ("passkey", "choose_method.passkey", "choose_method.passkey_hint"),
        })
    }
}

/// A new authenticator. Posts `code`, or `another` to choose another way.
pub struct EnrolView {
    /// The form.
    pub form: Form,
    /// Why.
    pub duty: Duty,
    /// The `otpauth:` address: link and QR code.
    pub uri: String,
    /// The secret in groups of four.
    pub secret: Vec<String>,
    /// The user's name, as it will stand in the authenticator.
    pub account: String,
    /// Is there another way to choose?
    pub others: bool,
}

/// A new passkey. Posts `credential`, which only a script can fill, or `another` to choose another way.
pub struct EnrolPasskeyView {
    /// The form.
    pub form: Form,
    /// Why.
    pub duty: Duty,
    /// What the browser is asked: the argument of `navigator.credentials.create`, its bytes in base64url.
    pub options: String,
    /// Is there another way to choose?
    pub others: bool,
}

/// Why an authenticator must be enrolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Administrators need one (SEED1-3).
    Administrator,
    /// Everybody in the tenant needs one.
    Tenant,
    /// The application asked for two factors.
    Application,
    /// A recovery code was used, so the old authenticator is gone.
    Replacement,
    /// No duty: the user chose it, for example from the announcement.
    Chosen,
}

impl Duty {
    /// The key of the reason.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Administrator => "enrol.administrator",
            Self::Tenant => "enrol.tenant",
            Self::Application => "enrol.application",
            Self::Replacement => "enrol.replacement",
            Self::Chosen => "enrol.chosen",
        }
    }
}

/// The recovery codes, shown once. Posts `stored=yes`.
pub struct RecoveryCodesView {
    /// The form.
    pub form: Form,
    /// The codes as they are typed.
    pub codes: Vec<String>,
    /// Whose they are, for the file and the print.
    pub account: String,
}

/// The second-factor duty is announced (SEED1-2). Posts `enable`, or `skip` to go on without.
pub struct NoticeView {
    /// The form.
    pub form: Form,
    /// When the duty begins.
    pub from: Time,
    /// For who signs in upstream there is nothing to enable here: where it is done instead.
    pub upstream: Option<NoticeUpstream>,
}

/// Where a second factor is set up, for who signs in upstream.
pub struct NoticeUpstream {
    /// What people call the provider.
    pub title: String,
    /// Where it is done there.
    pub activation: Option<String>,
}

/// A second factor is activated by mail. Posts `enable`; where it is no duty yet, `skip` goes on without.
pub struct BlockedView {
    /// The form.
    pub form: Form,
    /// Where the mail goes, masked.
    pub address: String,
    /// Is one on its way?
    pub sent: bool,
    /// May it be put off?
    pub optional: bool,
    /// This page again: once the second factor is active it leads on.
    pub onward: String,
}

/// What the application may have. Posts `allow`, or `cancel` to deny.
pub struct ConsentView {
    /// The form.
    pub form: Form,
    /// Who asks.
    pub application: ApplicationInfo,
    /// The host that the answer goes to.
    pub host: String,
    /// What it asks for.
    pub scope: Scope,
    /// What the installation's own scopes among these are about, by their words.
    pub titles: BTreeMap<String, Title>,
    /// Who allows it.
    pub account: String,
}

impl ConsentView {
    /// What it asks for, in the order of [`scope::SUPPORTED`]; what has no words comes last.
    pub(super) fn scopes(&self) -> Vec<&str> {
        let known = scope::SUPPORTED.into_iter().filter(|word| self.scope.contains(word));
        let others = self.scope.iter().filter(|word| !scope::SUPPORTED.contains(word));
        known.chain(others).collect()
    }
}

/// The account that is signed in, or another. Posts `account=this` or `account=other`.
pub struct ChooseAccountView {
    /// The form.
    pub form: Form,
    /// Who asks.
    pub application: ApplicationInfo,
    /// The user name that is signed in.
    pub account: String,
    /// The person's name, if the profile has one.
    pub name: Option<String>,
}

/// Sign out? Posts `confirm`, or `cancel` to stay.
pub struct ConfirmSignOutView {
    /// The form.
    pub form: Form,
    /// The user name that is signed in.
    pub account: String,
    /// The application that sent the user here, where it is known.
    pub application: Option<ApplicationInfo>,
}
