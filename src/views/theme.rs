//! The house's own look: one askama template for the page, one included file for each step.

use askama::Template;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::assets::Asset;
use super::{
    Body, CodeSource, ConfirmCodeView, ConsentView, Duty, Field, Html, IdentifyView, Page, RecoveryCodesView,
    SecondFactorView, Theme,
};
use crate::domain::locale::Locale;
use crate::domain::scope;
use crate::i18n::Texts;

/// Plain and quiet, light and dark; a tenant's name, logo and accent come in as data.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultTheme;

impl Theme for DefaultTheme {
    fn render(&self, page: &Page) -> Html {
        let document = Document { page, l: Texts::of(page.frame.locale) };
        // Writing into a String cannot fail, and no filter of ours can.
        Html::trusted(document.render().unwrap_or_default())
    }
}

#[derive(Template)]
#[template(path = "base.html")]
struct Document<'a> {
    page: &'a Page,
    /// The texts; short because templates say it so often.
    l: Texts,
}

impl Document<'_> {
    /// The `h1`.
    fn heading(&self) -> &str {
        self.l.t(self.page.body.title())
    }

    /// The `title`: what is wrong first (WCAG 2.2, 3.3.1 as the GOV.UK design system reads it), then what, then where.
    fn title(&self) -> String {
        let heading = self.heading();
        let wrong = self.page.body.form().is_some_and(|form| !form.problems.is_empty());
        let title = if wrong { self.l.with("page.error", &[("title", heading)]) } else { heading.to_owned() };
        match &self.page.frame.tenant {
            Some(brand) => format!("{title} – {}", brand.name),
            None => title,
        }
    }

    fn style(&self) -> String {
        let frame = &self.page.frame;
        Asset::style_address(&frame.base, frame.tenant.as_ref().and_then(|brand| brand.accent))
    }

    fn icon(&self) -> String {
        Asset::ICON.address(&self.page.frame.base)
    }

    fn scripts(&self) -> impl Iterator<Item = String> {
        let assets: &[Asset] = match &self.page.body {
            Body::Identify(IdentifyView { passkey: Some(_), .. }) => &[Asset::PAGE, Asset::PASSKEY],
            Body::Identify(_)
            | Body::SecondFactor(
                SecondFactorView { source: CodeSource::Sent(_), .. }
                | SecondFactorView { trust: Some(_), .. },
            )
            | Body::ConfirmCode(_)
            | Body::NewPassword(_)
            | Body::Enrol(_)
            | Body::RecoveryCodes(_)
            | Body::Wait(_) => &[Asset::PAGE],
            Body::Passkey(_) | Body::EnrolPasskey(_) => &[Asset::PASSKEY],
            Body::FormPost(_) => &[Asset::SUBMIT],
            _ => &[],
        };
        assets.iter().map(|asset| asset.address(&self.page.frame.base))
    }

    /// The language switch: each language and the address that changes to it.
    fn languages(&self) -> [(Locale, String); 3] {
        let frame = &self.page.frame;
        Locale::ALL.map(|locale| {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("to", locale.tag())
                .append_pair("back", &frame.here)
                .finish();
            (locale, format!("{}/language?{query}", frame.base))
        })
    }

    /// A scope in words; one without words stands for itself.
    fn scope<'s>(&'s self, step: &'s ConsentView, word: &'s str) -> &'s str {
        match word {
            scope::OPENID => self.l.t("scope.openid"),
            scope::OFFLINE_ACCESS => self.l.t("scope.offline_access"),
            "profile" => self.l.t("scope.profile"),
            "email" => self.l.t("scope.email"),
            "address" => self.l.t("scope.address"),
            scope::ACCOUNT_SESSIONS => self.l.t("scope.account_sessions"),
            "phone" => self.l.t("scope.phone"),
            scope::ROLES => self.l.t("scope.roles"),
            scope::GROUPS => self.l.t("scope.groups"),
            other => step.titles.get(other).map_or(other, |title| title.text(self.page.frame.locale)),
        }
    }

    /// Does the typing start in the code field? On the enrolment page there is something to read and scan before.
    fn starts_at_code(&self) -> bool {
        match &self.page.body {
            Body::SecondFactor(SecondFactorView { form, .. })
            | Body::ConfirmCode(ConfirmCodeView { form, .. }) => form.problems.is_empty(),
            _ => false,
        }
    }

    /// The codes as a text file that never travels: a `data:` address works without script and under the policy.
    fn download(&self, step: &RecoveryCodesView) -> String {
        let of = self.l.with("recovery_codes.of", &[("account", &step.account)]);
        let file = format!("{of}\r\n\r\n{}\r\n", step.codes.join("\r\n"));
        // Soft hyphens are for lines that break.
        format!("data:text/plain;charset=utf-8;base64,{}", BASE64_STANDARD.encode(file.replace('\u{ad}', "")))
    }
}
