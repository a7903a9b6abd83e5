//! The names of countries. They have a table of their own because a missing name is not an error.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::Texts;
use crate::domain::locale::Locale;

/// Country names in the order of [`Locale::ALL`], by the country's two-letter code.
static COUNTRIES: LazyLock<BTreeMap<String, [String; 3]>> = LazyLock::new(|| {
    toml::from_str(include_str!("../../templates/locales/countries.toml")).unwrap_or_default()
});

impl Texts {
    /// The name of a country, or its two-letter code if it has no name here.
    pub(crate) fn country<'a>(&self, letters: &'a str) -> &'a str {
        let at = Locale::ALL.iter().position(|locale| *locale == self.locale);
        let names = COUNTRIES.get(letters);
        names.zip(at).and_then(|(names, at)| names.get(at)).map_or(letters, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::contact::Country;

    #[test]
    fn every_country_has_a_name_in_every_language_and_numbers() {
        assert!(COUNTRIES.len() > 100, "{}", COUNTRIES.len());
        for (letters, names) in &*COUNTRIES {
            let country = Country::parse(letters).unwrap();
            assert!(country.dialled().len() > 1, "{letters} has no numbers");
            assert!(names.iter().all(|name| name.trim() == name && name.len() > 2), "{letters}");
        }
        let germany = Locale::ALL.map(|locale| Texts::of(locale).country("DE"));
        assert_eq!(germany, ["Germany", "Deutschland", "Allemagne"]);
        assert_eq!(Texts::of(Locale::De).country("AQ"), "AQ");
    }
}
