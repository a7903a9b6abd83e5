//! The first page of a login: who are you? Posts `tenant`, `username`, `password`.

use crate::views::assets::Asset;
use crate::views::form::{Field, Form, Problem};
use crate::views::frame::ApplicationInfo;
use crate::views::samples;
use crate::views::view::View;

/// Asks for tenant, user name and password.
pub struct IdentifyView {
    /// The form.
    pub form: Form,
    /// The application that asks.
    pub application: ApplicationInfo,
    /// The content of the tenant field; `None` if the tenant is fixed and there is no such field.
    pub tenant: Option<String>,
    /// The content of the name field.
    pub username: String,
    /// The page that replaces a forgotten password; `None` if no mail can be sent.
    pub forgotten: Option<String>,
    /// The providers that users may sign in at instead.
    pub upstreams: Vec<UpstreamChoice>,
    /// The provider that this browser's user signed in at last; it is not among the others.
    pub remembered: Option<UpstreamChoice>,
    /// The sign-in with a passkey; `None` if that is not allowed.
    pub passkey: Option<PasskeyOffer>,
}

/// An upstream provider that users may sign in at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamChoice {
    /// The provider's title.
    pub title: String,
    /// The link that leads there.
    pub address: String,
}

/// The sign-in with a passkey alone. Posts `credential`; only a script can fill that.
pub struct PasskeyOffer {
    /// The address that it is posted to, with the `csrf` of the page's form.
    pub action: String,
    /// The argument of `navigator.credentials.get`, its bytes in base64url.
    pub options: String,
}

impl IdentifyView {
    /// Whether the focus is in this field: the first empty one, unless there are problems to read before, or another way
    /// was taken last time.
    pub(in crate::views) fn starts_at(&self, field: Field) -> bool {
        let first = match &self.tenant {
            Some(tenant) if tenant.is_empty() => Field::Tenant,
            _ if self.username.is_empty() => Field::Username,
            _ => Field::Password,
        };
        self.form.problems.is_empty() && self.remembered.is_none() && first == field
    }

    fn sample(tenant: Option<&str>, username: &str, problems: &[Problem]) -> Self {
        Self {
            form: samples::form(problems),
            application: samples::application(),
            tenant: tenant.map(str::to_owned),
            username: username.to_owned(),
            forgotten: Some("/reset?client_id=shop".to_owned()),
            upstreams: Vec::new(),
            remembered: None,
            passkey: None,
        }
    }

    fn upstream_sample(is_remembered: bool, problems: &[Problem]) -> Self {
        let choice = |title: &str| UpstreamChoice {
            title: title.to_owned(),
            address: "/t/example.works/login/8f3a/with/north".to_owned(),
        };
        let mut upstreams = vec![choice("North Systems account"), choice("Southern Networks account")];
        let remembered = is_remembered.then(|| upstreams.remove(0));
        Self { upstreams, remembered, ..Self::sample(Some(""), "", problems) }
    }

    fn passkey_sample(problems: &[Problem]) -> Self {
        let options = r#"{"publicKey":{"challenge":"c2FtcGxl","rpId":"id.test"}}"#.to_owned();
        let passkey = Some(PasskeyOffer { action: "passkey_sign_in".to_owned(), options });
        Self { passkey, ..Self::sample(None, "", problems) }
    }
}

impl View for IdentifyView {
    fn step(&self) -> &'static str {
        "identify"
    }

    fn title(&self) -> &'static str {
        "identify.title"
    }

    fn form(&self) -> Option<&Form> {
        Some(&self.form)
    }

    fn scripts(&self) -> &'static [Asset] {
        if self.passkey.is_some() { &[Asset::PAGE, Asset::PASSKEY] } else { &[Asset::PAGE] }
    }

    fn foreign_image(&self) -> Option<&str> {
        self.application.logo.as_deref()
    }

    fn samples() -> Vec<(&'static str, Self)> {
        use Problem::{
            Missing, PasskeySignInFailed, SignInFailed, StartedAgain, UpstreamRefused, UpstreamUnavailable,
        };
        let all_missing = [Missing(Field::Tenant), Missing(Field::Username), Missing(Field::Password)];
        vec![
            ("identify", Self::sample(Some(""), "", &[])),
            ("identify-fixed", Self::sample(None, "", &[])),
            ("identify-hinted", Self::sample(None, "anna", &[])),
            ("identify-failed", Self::sample(Some("example.works"), "anna", &[SignInFailed])),
            ("identify-missing", Self::sample(Some(""), "", &all_missing)),
            ("identify-again", Self::sample(None, "anna", &[StartedAgain])),
            ("identify-passkey", Self::passkey_sample(&[])),
            ("identify-passkey-failed", Self::passkey_sample(&[PasskeySignInFailed])),
            ("identify-upstream", Self::upstream_sample(false, &[])),
            ("identify-upstream-remembered", Self::upstream_sample(true, &[])),
            ("identify-upstream-away", Self::upstream_sample(true, &[UpstreamUnavailable])),
            ("identify-upstream-refused", Self::upstream_sample(false, &[UpstreamRefused])),
        ]
    }
}
