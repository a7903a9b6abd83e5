//! The page that asks whether the application may have what it asks for. Posts `allow`, or `cancel` to deny.

use std::collections::BTreeMap;

use crate::domain::locale::Locale;
use crate::domain::own_scopes::Title;
use crate::domain::scope::{self, Scope};
use crate::i18n::Texts;
use crate::views::form::Form;
use crate::views::frame::ApplicationInfo;
use crate::views::samples;
use crate::views::view::View;

/// Asks for consent.
pub struct ConsentView {
    /// The form.
    pub form: Form,
    /// The application that asks.
    pub application: ApplicationInfo,
    /// The host that the answer goes to.
    pub host: String,
    /// The scopes that it asks for.
    pub scope: Scope,
    /// The titles of the installation's own scopes among these, by their words.
    pub titles: BTreeMap<String, Title>,
    /// The user name of who allows it.
    pub account: String,
}

impl ConsentView {
    /// The scopes as texts, in the order of [`scope::SUPPORTED`]; the installation's own come last.
    pub(in crate::views) fn scopes(&self, l: &Texts, locale: Locale) -> Vec<&str> {
        let known = scope::SUPPORTED.into_iter().filter(|word| self.scope.contains(word));
        let others = self.scope.iter().filter(|word| !scope::SUPPORTED.contains(word));
        known.chain(others).map(|word| self.text(word, l, locale)).collect()
    }

    /// A scope as text; one without a text stands for itself.
    fn text<'a>(&'a self, word: &'a str, l: &Texts, locale: Locale) -> &'a str {
        match word {
            scope::OPENID => l.t("scope.openid"),
            scope::OFFLINE_ACCESS => l.t("scope.offline_access"),
            "profile" => l.t("scope.profile"),
            "email" => l.t("scope.email"),
            "address" => l.t("scope.address"),
            scope::ACCOUNT_SESSIONS => l.t("scope.account_sessions"),
            "phone" => l.t("scope.phone"),
            scope::ROLES => l.t("scope.roles"),
            scope::GROUPS => l.t("scope.groups"),
            other => self.titles.get(other).map_or(other, |title| title.text(locale)),
        }
    }
}

impl View for ConsentView {
    fn step(&self) -> &'static str {
        "consent"
    }

    fn title(&self) -> &'static str {
        "consent.title"
    }

    fn form(&self) -> Option<&Form> {
        Some(&self.form)
    }

    fn foreign_image(&self) -> Option<&str> {
        self.application.logo.as_deref()
    }

    fn samples() -> Vec<(&'static str, Self)> {
        let title = Title {
            en: "see your orders".to_owned(),
            de: Some("Ihre Bestellungen sehen".to_owned()),
            fr: Some("voir vos commandes".to_owned()),
        };
        let consent = Self {
            form: samples::form(&[]),
            application: samples::application(),
            host: "shop.example.test".to_owned(),
            scope: Scope::parse(
                "openid profile email address phone roles groups account:sessions orders:read warehouse:read",
            ),
            titles: [("orders:read".to_owned(), title)].into(),
            account: "anna".to_owned(),
        };
        vec![("consent", consent)]
    }
}
