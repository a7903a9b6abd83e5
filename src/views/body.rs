//! The list of pages: each is one line with its name, its struct and its template.
//!
//! Why a macro: the closed list that themes match on, the dispatch to each struct's [`View`] and to its template, and the
//! samples all follow from the one list, so that none can miss a page.

use askama::Template;

use super::form::{Field, Form};
use super::frame::Frame;
use super::layout::Layout;
use super::login::{self, CodeSource, Duty};
use super::view::View;
use crate::domain::ids::Reference;
use crate::i18n::Texts;

macro_rules! pages {
    ($($(#[$doc:meta])* $name:ident($view:ty): $template:tt;)*) => {
        /// The content of a page.
        #[non_exhaustive]
        pub enum Body {
            $($(#[$doc])* $name($view),)*
        }

        impl Body {
            /// The number of pages.
            #[cfg(test)]
            pub(super) const COUNT: usize = [$(stringify!($name)),*].len();

            fn view(&self) -> &dyn View {
                match self {
                    $(Self::$name(view) => view,)*
                }
            }

            /// The page as HTML, by its template.
            pub(super) fn draw(&self, frame: &Frame) -> askama::Result<String> {
                match self {
                    $(Self::$name(view) => view.draw(frame),)*
                }
            }

            /// Every page in every state, by name.
            pub(crate) fn samples() -> Vec<(&'static str, Self)> {
                let mut all = Vec::new();
                $(all.extend(<$view>::samples().into_iter().map(|(name, view)| (name, Self::$name(view))));)*
                all
            }
        }

        $(
            impl $view {
                fn draw(&self, frame: &Frame) -> askama::Result<String> {
                    #[derive(Template)]
                    #[template(path = $template)]
                    struct PageTemplate<'a> {
                        frame: &'a Frame,
                        l: Texts,
                        layout: Layout<'a>,
                        view: &'a $view,
                    }
                    let l = Texts::of(frame.locale);
                    PageTemplate { frame, l, layout: Layout { frame, l, view: self }, view: self }.render()
                }
            }
        )*
    };
}

pages! {
    /// Asks for the user's name and password.
    Identify(login::IdentifyView): "login/identify.html";
    /// Says that no account is linked with the user who is signed in upstream.
    Link(login::LinkView): "login/link.html";
    /// Asks for a second factor that is proved upstream.
    UpstreamProof(login::UpstreamProofView): "login/upstream_proof.html";
    /// Asks for the code of the authenticator.
    SecondFactor(login::SecondFactorView): "login/second_factor.html";
    /// Asks for a passkey or security key.
    Passkey(login::PasskeyView): "login/passkey.html";
    /// Asks for a recovery code.
    Recovery(login::RecoveryView): "login/recovery.html";
    /// Asks for two codes of a device whose clock or counter has drifted.
    Resync(login::ResyncView): "login/resync.html";
    /// Asks for the name of the office computer.
    Desktop(login::DesktopView): "login/desktop.html";
    /// Asks which second factor to enrol.
    ChooseMethod(login::ChooseMethodView): "login/choose_method.html";
    /// Shows the secret of a new authenticator.
    Enrol(login::EnrolView): "login/enrol.html";
    /// Asks for the telephone number that codes go to.
    Phone(login::PhoneView): "login/phone.html";
    /// Asks for the email address that codes go to.
    Email(login::EmailView): "login/email.html";
    /// Asks for the first code that was sent there.
    ConfirmCode(login::ConfirmCodeView): "login/confirm_code.html";
    /// Creates a passkey.
    EnrolPasskey(login::EnrolPasskeyView): "login/enrol_passkey.html";
    /// Shows the recovery codes, once.
    RecoveryCodes(login::RecoveryCodesView): "login/recovery_codes.html";
    /// Says that a second factor is activated by mail.
    Blocked(login::BlockedView): "login/blocked.html";
    /// Announces the second-factor duty.
    Notice(login::NoticeView): "login/notice.html";
    /// Asks whether the application may have what it asks for.
    Consent(login::ConsentView): "login/consent.html";
    /// Asks whether to go on with the account that is signed in.
    ChooseAccount(login::ChooseAccountView): "login/choose_account.html";
    /// Asks whether to sign out.
    ConfirmSignOut(login::ConfirmSignOutView): "login/confirm_sign_out.html";
    /// Says that the user is signed out.
    SignedOut(login::SignedOutView): "login/signed_out.html";
    /// Says that the user is still signed in.
    SignedIn(login::SignedInView): "login/signed_in.html";
    /// Says until when nothing is checked, after too many attempts.
    Wait(login::WaitView): "login/wait.html";
    /// Says that the login is over.
    Expired(login::ExpiredView): "login/expired.html";
    /// Says why something cannot be done.
    Refused(login::RefusedView): "login/refused.html";
    /// Posts the answer to the application.
    FormPost(login::FormPostView): "login/form_post.html";
    /// Asks whose password is forgotten.
    Forgotten(login::ForgottenView): "login/forgotten.html";
    /// Says that a mail was sent, if the account exists.
    ResetSent(login::ResetSentView): "login/reset_sent.html";
    /// Asks for a new password.
    NewPassword(login::NewPasswordView): "login/new_password.html";
    /// Says that the password is changed.
    ResetDone(login::ResetDoneView): "login/reset_done.html";
    /// Says that the link is not valid.
    ResetVoid(login::ResetVoidView): "login/reset_void.html";
    /// Leads to another site.
    Onward(login::OnwardView): "login/onward.html";
    /// Asks to try again in a moment.
    Busy(login::BusyView): "login/busy.html";
}

impl Body {
    /// The name of the step: the value of `data-step`.
    pub fn step(&self) -> &'static str {
        self.view().step()
    }

    /// The reference code under which an administrator finds the page explained.
    pub fn reference(&self) -> Option<&Reference> {
        self.view().reference()
    }

    /// The address of the application's image, which the content security policy must allow.
    pub fn foreign_image(&self) -> Option<&str> {
        self.view().foreign_image()
    }

    /// The form, if the page has one that can have problems.
    pub fn form(&self) -> Option<&Form> {
        self.view().form()
    }
}
