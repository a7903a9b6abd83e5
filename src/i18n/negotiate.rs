//! Chooses the language of a page: the first of `ui_locales`, the language cookie, the user's, the browser's and the
//! tenant's language that has a catalogue; else English.

use crate::domain::header::trim_ows;
use crate::domain::locale::Locale;

/// The language preferences of a request, each `None` if unknown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LanguagePreferences<'a> {
    /// The request parameter, reduced to languages with a catalogue.
    pub(crate) ui_locales: &'a [Locale],
    /// The cookie set by the language switch.
    pub(crate) cookie: Option<Locale>,
    /// The user's language, once the user is known.
    pub(crate) user: Option<Locale>,
    /// The header `Accept-Language`.
    pub(crate) accept_language: Option<&'a str>,
    /// The tenant's language.
    pub(crate) tenant: Option<Locale>,
}

/// Chooses the language of the page.
pub(crate) fn negotiate(wishes: &LanguagePreferences<'_>) -> Locale {
    let asked = wishes.ui_locales.first().copied();
    let browser = || wishes.accept_language.and_then(accepted);
    let chosen = asked.or(wishes.cookie).or(wishes.user).or_else(browser).or(wishes.tenant);
    chosen.unwrap_or_default()
}

/// Maximum number of languages read from the header, whose length the sender controls.
const LANGUAGES_READ: usize = 16;

/// The available language with the highest weight in `Accept-Language` (RFC 9110 §12.5.4); of equals the first.
fn accepted(header: &str) -> Option<Locale> {
    let ranges = header.split(',').take(LANGUAGES_READ);
    let wanted = ranges.filter_map(|range| {
        let (tag, weight) = range.split_once(';').map_or((range, 1000), |(tag, q)| (tag, thousandths(q)));
        Locale::from_tag(trim_ows(tag)).filter(|_| weight > 0).map(|locale| (weight, locale))
    });
    wanted.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, locale)| locale)
}

/// Parses `q=0.7` to thousandths; an invalid weight is 0.
fn thousandths(parameter: &str) -> u32 {
    let Some(value) = trim_ows(parameter).strip_prefix("q=") else { return 0 };
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let shaped =
        matches!(whole, "0" | "1") && fraction.len() <= 3 && fraction.bytes().all(|b| b.is_ascii_digit());
    if !shaped {
        return 0;
    }
    format!("{whole}{fraction:0<3}").parse::<u32>().unwrap_or(0).min(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_names_what_it_wants_most() {
        let table = [
            ("de-AT,de;q=0.9,en;q=0.8", Some(Locale::De)),
            ("en;q=0.5, fr;q=0.7", Some(Locale::Fr)),
            ("es, pt;q=0.9", None),
            ("de;q=0, fr;q=0.001", Some(Locale::Fr)),
            ("fr, de", Some(Locale::Fr)),
            ("*", None),
            ("de;q=NaN,en;q=9,fr;q=0.1", Some(Locale::Fr)),
            ("", None),
            (",;,=;q", None),
        ];
        for (header, expected) in table {
            assert_eq!(accepted(header), expected, "{header}");
        }
    }

    #[test]
    fn a_long_header_is_not_read_to_its_end() {
        let header = "es,".repeat(16) + "de";
        assert_eq!(accepted(&header), None);
    }

    #[test]
    fn each_wish_gives_way_to_the_one_before() {
        let mut wishes = LanguagePreferences::default();
        assert_eq!(negotiate(&wishes), Locale::En);
        wishes.tenant = Some(Locale::De);
        assert_eq!(negotiate(&wishes), Locale::De);
        wishes.accept_language = Some("fr");
        assert_eq!(negotiate(&wishes), Locale::Fr);
        wishes.user = Some(Locale::De);
        assert_eq!(negotiate(&wishes), Locale::De);
        wishes.cookie = Some(Locale::Fr);
        assert_eq!(negotiate(&wishes), Locale::Fr);
        wishes.ui_locales = &[Locale::En];
        assert_eq!(negotiate(&wishes), Locale::En);
    }
}
