//! What the pages are about: one plain struct for each, and the theme that turns them into HTML.
//!
//! Why structs and not strings: a host may replace [`Theme`] and thereby every page, without touching what the
//! pages mean. Texts stay out of the structs; a theme looks them up in the language of the [`Frame`].

mod assets;
mod codes;
mod form;
mod frame;
mod letters;
mod notices;
mod qr;
mod resets;
pub(crate) mod samples;
mod steps;
#[cfg(test)]
mod tests;
mod theme;

pub(crate) use assets::Asset;
pub(crate) use letters::{Outgoing, letter};

pub use codes::{CodeSource, ConfirmCodeView, EmailView, PhoneView, ResyncView, SentCode};
pub use form::{Field, Form, Problem};
pub use frame::{ApplicationInfo, Brand, Frame, WayBack};
pub use notices::{
    BusyView, ExpiredView, FormPostView, OnwardView, RefusalReason, RefusedView, SignedInView, SignedOutView,
    WaitView,
};
pub use resets::{ForgottenView, NewPasswordView, ResetDoneView, ResetSentView, ResetVoidView};
pub use steps::{
    BlockedView, ChooseAccountView, ChooseMethodView, ConfirmSignOutView, ConsentView, DesktopView, Duty,
    EnrolPasskeyView, EnrolView, IdentifyView, LinkView, NoticeUpstream, NoticeView, PasskeyOffer,
    PasskeyView, RecoveryCodesView, RecoveryView, SecondFactorView, UpstreamChoice, UpstreamProofView,
};
pub use theme::DefaultTheme;

use crate::domain::ids::Reference;
use crate::domain::locale::Locale;
use crate::domain::zone::Zone;

/// A page: what surrounds it, and what it is about.
pub struct Page {
    /// Language, addresses and the tenant's mark.
    pub frame: Frame,
    /// What it is about.
    pub body: Body,
}

impl Page {
    /// A page for an address at which there is nothing.
    pub fn not_found(locale: Locale, base: impl Into<String>) -> Self {
        let base = base.into();
        let here = format!("{base}/");
        let refused =
            RefusedView { refusal: RefusalReason::NotFound, detail: None, reference: None, back: None };
        Self {
            frame: Frame { locale, zone: Zone::default(), base, here, tenant: None },
            body: Body::Refused(refused),
        }
    }
}

/// What a page is about.
#[non_exhaustive]
pub enum Body {
    /// Who are you?
    Identify(IdentifyView),
    /// Signed in upstream, and linked with no account.
    Link(LinkView),
    /// A second factor is needed, and is proved upstream.
    UpstreamProof(UpstreamProofView),
    /// The code of the authenticator.
    SecondFactor(SecondFactorView),
    /// A passkey or security key.
    Passkey(PasskeyView),
    /// A recovery code instead.
    Recovery(RecoveryView),
    /// Two codes of a device that has run away.
    Resync(ResyncView),
    /// The name of the office computer.
    Desktop(DesktopView),
    /// Which second factor it shall be.
    ChooseMethod(ChooseMethodView),
    /// A new authenticator.
    Enrol(EnrolView),
    /// The number of a telephone that gets codes.
    Phone(PhoneView),
    /// The mailbox that gets codes.
    Email(EmailView),
    /// The first code that was sent there.
    ConfirmCode(ConfirmCodeView),
    /// A new passkey.
    EnrolPasskey(EnrolPasskeyView),
    /// The recovery codes, shown once.
    RecoveryCodes(RecoveryCodesView),
    /// A second factor is activated by mail.
    Blocked(BlockedView),
    /// The second-factor duty is announced.
    Notice(NoticeView),
    /// What the application may have.
    Consent(ConsentView),
    /// The account that is signed in, or another.
    ChooseAccount(ChooseAccountView),
    /// Sign out?
    ConfirmSignOut(ConfirmSignOutView),
    /// Signed out.
    SignedOut(SignedOutView),
    /// Asked, and still signed in.
    SignedIn(SignedInView),
    /// Too many attempts.
    Wait(WaitView),
    /// A login that is over.
    Expired(ExpiredView),
    /// Something that cannot be done.
    Refused(RefusedView),
    /// The answer to the application, posted by the browser.
    FormPost(FormPostView),
    /// The password is forgotten.
    Forgotten(ForgottenView),
    /// A mail was sent, if there is anybody to send it to.
    ResetSent(ResetSentView),
    /// A new password.
    NewPassword(NewPasswordView),
    /// The new password counts.
    ResetDone(ResetDoneView),
    /// A link that opens nothing.
    ResetVoid(ResetVoidView),
    /// On to another site.
    Onward(OnwardView),
    /// Come again in a moment.
    Busy(BusyView),
}

impl Body {
    /// The name of the step: the value of `data-step`.
    pub const fn step(&self) -> &'static str {
        match self {
            Self::Identify(_) => "identify",
            Self::Link(_) => "link",
            Self::UpstreamProof(_) => "upstream_proof",
            Self::SecondFactor(_) => "second_factor",
            Self::Passkey(_) => "passkey",
            Self::Recovery(_) => "recovery",
            Self::Resync(_) => "resync",
            Self::Desktop(_) => "desktop",
            Self::ChooseMethod(_) => "choose_method",
            Self::Enrol(_) => "enrol",
            Self::Phone(_) => "phone",
            Self::Email(_) => "email",
            Self::ConfirmCode(_) => "confirm_code",
            Self::EnrolPasskey(_) => "enrol_passkey",
            Self::RecoveryCodes(_) => "recovery_codes",
            Self::Blocked(_) => "blocked",
            Self::Notice(_) => "notice",
            Self::Consent(_) => "consent",
            Self::ChooseAccount(_) => "choose_account",
            Self::ConfirmSignOut(_) => "confirm_sign_out",
            Self::SignedOut(_) => "signed_out",
            Self::SignedIn(_) => "signed_in",
            Self::Wait(_) => "wait",
            Self::Expired(_) => "expired",
            Self::Refused(_) => "refused",
            Self::FormPost(_) => "form_post",
            Self::Onward(_) => "onward",
            Self::Forgotten(_) => "forgotten",
            Self::ResetSent(_) => "reset_sent",
            Self::NewPassword(_) => "new_password",
            Self::ResetDone(_) => "reset_done",
            Self::ResetVoid(_) => "reset_void",
            Self::Busy(_) => "busy",
        }
    }

    /// The key of its title.
    const fn title(&self) -> &'static str {
        match self {
            Self::Identify(_) => "identify.title",
            Self::Link(_) => "link.title",
            Self::UpstreamProof(_) => "upstream_proof.title",
            Self::SecondFactor(_) | Self::Passkey(_) => "second_factor.title",
            Self::Recovery(_) => "recovery.title",
            Self::Resync(_) => "resync.title",
            Self::Desktop(_) => "desktop.title",
            Self::ChooseMethod(_) => "choose_method.title",
            Self::Enrol(_) => "enrol.title",
            Self::Phone(_) => "phone.title",
            Self::Email(_) => "email.title",
            Self::ConfirmCode(_) => "confirm_code.title",
            Self::EnrolPasskey(_) => "enrol_passkey.title",
            Self::RecoveryCodes(_) => "recovery_codes.title",
            Self::Blocked(_) => "blocked.title",
            Self::Notice(_) => "notice.title",
            Self::Consent(_) => "consent.title",
            Self::ChooseAccount(_) => "choose_account.title",
            Self::ConfirmSignOut(_) => "confirm_sign_out.title",
            Self::SignedOut(_) => "signed_out.title",
            Self::SignedIn(_) => "signed_in.title",
            Self::Wait(_) => "wait.title",
            Self::Expired(_) => "expired.title",
            Self::Refused(RefusedView { refusal, .. }) => refusal.title(),
            Self::FormPost(_) | Self::Onward(_) => "form_post.title",
            Self::Forgotten(_) => "forgotten.title",
            Self::ResetSent(_) => "reset_sent.title",
            Self::NewPassword(_) => "new_password.title",
            Self::ResetDone(_) => "reset_done.title",
            Self::ResetVoid(_) => "reset_void.title",
            Self::Busy(_) => "busy.title",
        }
    }

    /// What an administrator can explain.
    pub const fn reference(&self) -> Option<&Reference> {
        match self {
            Self::Wait(WaitView { reference, .. })
            | Self::Refused(RefusedView { reference, .. })
            | Self::ResetVoid(ResetVoidView { reference, .. })
            | Self::Expired(ExpiredView { reference, .. }) => reference.as_ref(),
            _ => match self.form() {
                Some(form) => form.reference.as_ref(),
                None => None,
            },
        }
    }

    /// The image of the application's, if the page shows one: the content security policy must let it through.
    pub fn foreign_image(&self) -> Option<&str> {
        match self {
            Self::Identify(IdentifyView { application, .. })
            | Self::Consent(ConsentView { application, .. }) => application.logo.as_deref(),
            _ => None,
        }
    }

    /// The form, where there is one that can have mistakes in it.
    pub const fn form(&self) -> Option<&Form> {
        match self {
            Self::Identify(IdentifyView { form, .. })
            | Self::Link(LinkView { form, .. })
            | Self::UpstreamProof(UpstreamProofView { form, .. })
            | Self::SecondFactor(SecondFactorView { form, .. })
            | Self::Passkey(PasskeyView { form, .. })
            | Self::Recovery(RecoveryView { form, .. })
            | Self::Resync(ResyncView { form, .. })
            | Self::Desktop(DesktopView { form, .. })
            | Self::ChooseMethod(ChooseMethodView { form, .. })
            | Self::Enrol(EnrolView { form, .. })
            | Self::Phone(PhoneView { form, .. })
            | Self::Email(EmailView { form, .. })
            | Self::ConfirmCode(ConfirmCodeView { form, .. })
            | Self::EnrolPasskey(EnrolPasskeyView { form, .. })
            | Self::RecoveryCodes(RecoveryCodesView { form, .. })
            | Self::Blocked(BlockedView { form, .. })
            | Self::Notice(NoticeView { form, .. })
            | Self::Consent(ConsentView { form, .. })
            | Self::ChooseAccount(ChooseAccountView { form, .. })
            | Self::ConfirmSignOut(ConfirmSignOutView { form, .. })
            | Self::Forgotten(ForgottenView { form, .. })
            | Self::NewPassword(NewPasswordView { form, .. }) => Some(form),
            Self::SignedOut(_)
            | Self::SignedIn(_)
            | Self::Wait(_)
            | Self::Expired(_)
            | Self::Refused(_)
            | Self::FormPost(_)
            | Self::Onward(_)
            | Self::ResetSent(_)
            | Self::ResetDone(_)
            | Self::ResetVoid(_)
            | Self::Busy(_) => None,
        }
    }
}

/// HTML that is safe to send: made by a template that escapes, or vouched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// Vouches for HTML made by hand: everything in it that a user, a tenant or a client chose is escaped.
    pub fn trusted(html: impl Into<String>) -> Self {
        Self(html.into())
    }

    /// The document.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The document, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// How pages look. Replace it to replace them all.
pub trait Theme: Send + Sync + 'static {
    /// Draws a page. The content security policy forbids inline scripts and styles.
    fn render(&self, page: &Page) -> Html;
}
