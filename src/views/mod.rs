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

pub use codes::{CodeSource, ConfirmCode, Email, Phone, Resync, SentCode};
pub use form::{Field, Form, Problem};
pub use frame::{Application, Brand, Frame, WayBack};
pub use notices::{Busy, Expired, FormPost, Onward, Refusal, Refused, SignedIn, SignedOut, Wait};
pub use resets::{Forgotten, NewPassword, ResetDone, ResetSent, ResetVoid};
pub use steps::{
    Blocked, ChooseAccount, ChooseMethod, ConfirmSignOut, Consent, Desktop, Duty, Enrol, EnrolPasskey,
    Identify, Link, Notice, NoticeUpstream, Passkey, PasskeySignIn, Recovery, RecoveryCodes, SecondFactor,
    UpstreamChoice, UpstreamProof,
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
        let refused = Refused { refusal: Refusal::NotFound, detail: None, reference: None, back: None };
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
    Identify(Identify),
    /// Signed in upstream, and linked with no account.
    Link(Link),
    /// A second factor is needed, and is proved upstream.
    UpstreamProof(UpstreamProof),
    /// The code of the authenticator.
    SecondFactor(SecondFactor),
    /// A passkey or security key.
    Passkey(Passkey),
    /// A recovery code instead.
    Recovery(Recovery),
    /// Two codes of a device that has run away.
    Resync(Resync),
    /// The name of the office computer.
    Desktop(Desktop),
    /// Which second factor it shall be.
    ChooseMethod(ChooseMethod),
    /// A new authenticator.
    Enrol(Enrol),
    /// The number of a telephone that gets codes.
    Phone(Phone),
    /// The mailbox that gets codes.
    Email(Email),
    /// The first code that was sent there.
    ConfirmCode(ConfirmCode),
    /// A new passkey.
    EnrolPasskey(EnrolPasskey),
    /// The recovery codes, shown once.
    RecoveryCodes(RecoveryCodes),
    /// A second factor is activated by mail.
    Blocked(Blocked),
    /// The second-factor duty is announced.
    Notice(Notice),
    /// What the application may have.
    Consent(Consent),
    /// The account that is signed in, or another.
    ChooseAccount(ChooseAccount),
    /// Sign out?
    ConfirmSignOut(ConfirmSignOut),
    /// Signed out.
    SignedOut(SignedOut),
    /// Asked, and still signed in.
    SignedIn(SignedIn),
    /// Too many attempts.
    Wait(Wait),
    /// A login that is over.
    Expired(Expired),
    /// Something that cannot be done.
    Refused(Refused),
    /// The answer to the application, posted by the browser.
    FormPost(FormPost),
    /// The password is forgotten.
    Forgotten(Forgotten),
    /// A mail was sent, if there is anybody to send it to.
    ResetSent(ResetSent),
    /// A new password.
    NewPassword(NewPassword),
    /// The new password counts.
    ResetDone(ResetDone),
    /// A link that opens nothing.
    ResetVoid(ResetVoid),
    /// On to another site.
    Onward(Onward),
    /// Come again in a moment.
    Busy(Busy),
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
            Self::Refused(Refused { refusal, .. }) => refusal.title(),
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
            Self::Wait(Wait { reference, .. })
            | Self::Refused(Refused { reference, .. })
            | Self::ResetVoid(ResetVoid { reference, .. })
            | Self::Expired(Expired { reference, .. }) => reference.as_ref(),
            _ => match self.form() {
                Some(form) => form.reference.as_ref(),
                None => None,
            },
        }
    }

    /// The image of the application's, if the page shows one: the content security policy must let it through.
    pub fn foreign_image(&self) -> Option<&str> {
        match self {
            Self::Identify(Identify { application, .. }) | Self::Consent(Consent { application, .. }) => {
                application.logo.as_deref()
            }
            _ => None,
        }
    }

    /// The form, where there is one that can have mistakes in it.
    pub const fn form(&self) -> Option<&Form> {
        match self {
            Self::Identify(Identify { form, .. })
            | Self::Link(Link { form, .. })
            | Self::UpstreamProof(UpstreamProof { form, .. })
            | Self::SecondFactor(SecondFactor { form, .. })
            | Self::Passkey(Passkey { form, .. })
            | Self::Recovery(Recovery { form, .. })
            | Self::Resync(Resync { form, .. })
            | Self::Desktop(Desktop { form, .. })
            | Self::ChooseMethod(ChooseMethod { form, .. })
            | Self::Enrol(Enrol { form, .. })
            | Self::Phone(Phone { form, .. })
            | Self::Email(Email { form, .. })
            | Self::ConfirmCode(ConfirmCode { form, .. })
            | Self::EnrolPasskey(EnrolPasskey { form, .. })
            | Self::RecoveryCodes(RecoveryCodes { form, .. })
            | Self::Blocked(Blocked { form, .. })
            | Self::Notice(Notice { form, .. })
            | Self::Consent(Consent { form, .. })
            | Self::ChooseAccount(ChooseAccount { form, .. })
            | Self::ConfirmSignOut(ConfirmSignOut { form, .. })
            | Self::Forgotten(Forgotten { form, .. })
            | Self::NewPassword(NewPassword { form, .. }) => Some(form),
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
