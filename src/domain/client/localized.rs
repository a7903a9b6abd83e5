//! Client metadata in the language of the page (RFC 7591 §2.2, OpenID Connect Registration §2.1).

use super::{Client, ClientMetadata};
use crate::domain::locale::Locale;

impl Client {
    /// The client's name on a page in this language.
    pub fn name_in(&self, locale: Locale) -> &str {
        let plain = self.metadata.client_name.as_deref();
        self.metadata.in_language("client_name", plain, locale).unwrap_or_else(|| self.id.as_str())
    }
}

impl ClientMetadata {
    /// The client's logo.
    pub fn logo_uri_in(&self, locale: Locale) -> Option<&str> {
        self.in_language("logo_uri", self.logo_uri.as_deref(), locale)
    }

    /// The page about the client.
    pub fn client_uri_in(&self, locale: Locale) -> Option<&str> {
        self.in_language("client_uri", self.client_uri.as_deref(), locale)
    }

    /// The client's privacy policy.
    pub fn policy_uri_in(&self, locale: Locale) -> Option<&str> {
        self.in_language("policy_uri", self.policy_uri.as_deref(), locale)
    }

    /// The client's terms of service.
    pub fn tos_uri_in(&self, locale: Locale) -> Option<&str> {
        self.in_language("tos_uri", self.tos_uri.as_deref(), locale)
    }

    /// A member's value for this language: by its tag, else for any region of the language (`de-AT` for German), else
    /// without a tag, else the first value.
    fn in_language<'a>(&'a self, member: &str, plain: Option<&'a str>, locale: Locale) -> Option<&'a str> {
        let tagged = || {
            self.localized.iter().filter_map(|(name, value)| {
                let tag = name.strip_prefix(member)?.strip_prefix('#')?;
                Some((tag, value.as_str()))
            })
        };
        let exact = tagged().find(|(tag, _)| tag.eq_ignore_ascii_case(locale.tag()));
        let regional = || tagged().find(|(tag, _)| Locale::from_tag(tag) == Some(locale));
        let spoken = exact.or_else(regional).map(|(_, value)| value);
        spoken.or(plain).or_else(|| tagged().next().map(|(_, value)| value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(plain: Option<&str>, tagged: &[(&str, &str)], locale: Locale) -> Option<String> {
        let localized = tagged.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let metadata = ClientMetadata { localized: localized.collect(), ..ClientMetadata::default() };
        metadata.in_language("client_name", plain, locale).map(str::to_owned)
    }

    #[test]
    fn the_language_of_the_page_decides() {
        let tagged = [
            ("client_name#DE-at", "Trafik"),
            ("client_name#De", "Laden"),
            ("client_name#fr-CA", "Magasin"),
            ("client_name#ja", "店"),
            ("client_uri#en", "https://shop.test/en"),
        ];
        let named = |plain, locale| name(plain, &tagged, locale);
        assert_eq!(named(Some("Shop"), Locale::De).as_deref(), Some("Laden"));
        assert_eq!(named(Some("Shop"), Locale::Fr).as_deref(), Some("Magasin"));
        assert_eq!(named(Some("Shop"), Locale::En).as_deref(), Some("Shop"));
        assert_eq!(named(None, Locale::En).as_deref(), Some("Trafik"), "better a name than the client_id");
        assert_eq!(name(None, &tagged[4..], Locale::En), None);
    }
}
