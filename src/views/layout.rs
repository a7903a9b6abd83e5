//! What surrounds the content of every page: its title, its files, the language switch.

use super::assets::Asset;
use super::frame::Frame;
use super::view::View;
use crate::domain::locale::Locale;
use crate::i18n::Texts;

/// The surroundings of one page; `base.html` reads them.
pub(super) struct Layout<'a> {
    pub(super) frame: &'a Frame,
    /// The texts; the name is short because templates use it so often.
    pub(super) l: Texts,
    pub(super) view: &'a dyn View,
}

impl Layout<'_> {
    /// The `h1`.
    pub(super) fn heading(&self) -> &str {
        self.l.t(self.view.title())
    }

    /// The `title`: what is wrong first (WCAG 2.2, 3.3.1 as the GOV.UK design system reads it), then what, then where.
    pub(super) fn title(&self) -> String {
        let heading = self.heading();
        let wrong = self.view.form().is_some_and(|form| !form.problems.is_empty());
        let title = if wrong { self.l.with("page.error", &[("title", heading)]) } else { heading.to_owned() };
        match &self.frame.tenant {
            Some(brand) => format!("{title} – {}", brand.name),
            None => title,
        }
    }

    pub(super) fn style(&self) -> String {
        Asset::style_address(&self.frame.base, self.frame.tenant.as_ref().and_then(|brand| brand.accent))
    }

    pub(super) fn icon(&self) -> String {
        Asset::ICON.address(&self.frame.base)
    }

    pub(super) fn scripts(&self) -> impl Iterator<Item = String> {
        self.view.scripts().iter().map(|asset| asset.address(&self.frame.base))
    }

    /// The language switch: each language and the address that changes to it.
    pub(super) fn languages(&self) -> [(Locale, String); 3] {
        Locale::ALL.map(|locale| {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("to", locale.tag())
                .append_pair("back", &self.frame.here)
                .finish();
            (locale, format!("{}/language?{query}", self.frame.base))
        })
    }
}
