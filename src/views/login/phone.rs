//! The page that asks for the telephone number that codes go to. Posts `country` and `phone_number`, or `another` to
//! choose another method.

use unicode_normalization::UnicodeNormalization;

use super::duty::Duty;
use crate::domain::contact::Country;
use crate::i18n::Texts;
use crate::views::form::{Field, Form, Problem};
use crate::views::samples;
use crate::views::view::View;

/// Asks for a telephone number.
pub struct PhoneView {
    /// The form.
    pub form: Form,
    /// The reason.
    pub duty: Duty,
    /// The countries that texts go to.
    pub countries: Vec<Country>,
    /// The chosen country.
    pub country: Option<Country>,
    /// The content of the number field.
    pub number: String,
    /// Whether there is another method to choose.
    pub others: bool,
}

impl PhoneView {
    /// The countries by their names: the two letters, the name, the dialling code, and whether it is the chosen one.
    pub(in crate::views) fn choices(&self, l: &Texts) -> Vec<(String, String, String, bool)> {
        let choice = |country: &Country| {
            let chosen = self.country.as_ref() == Some(country);
            (country.to_string(), l.country(country.as_str()).to_owned(), country.dialled(), chosen)
        };
        let mut all: Vec<_> = self.countries.iter().map(choice).collect();
        // É is sorted like E.
        all.sort_by_cached_key(|(_, name, ..)| {
            name.nfd().filter(char::is_ascii).collect::<String>().to_ascii_lowercase()
        });
        all
    }

    fn sample(number: &str, problems: &[Problem]) -> Self {
        let countries =
            ["DE", "AT", "CH", "FR", "US"].into_iter().filter_map(|code| Country::parse(code).ok());
        let countries: Vec<_> = countries.collect();
        Self {
            form: samples::form(problems),
            duty: Duty::Tenant,
            country: countries.first().copied(),
            countries,
            number: number.to_owned(),
            others: true,
        }
    }
}

impl View for PhoneView {
    fn step(&self) -> &'static str {
        "phone"
    }

    fn title(&self) -> &'static str {
        "phone.title"
    }

    fn form(&self) -> Option<&Form> {
        Some(&self.form)
    }

    fn samples() -> Vec<(&'static str, Self)> {
        use Problem::{DestinationVoid, Invalid, Missing};
        vec![
            ("phone", Self::sample("", &[])),
            ("phone-missing", Self::sample("", &[Missing(Field::Country), Missing(Field::PhoneNumber)])),
            ("phone-invalid", Self::sample("110", &[Invalid(Field::PhoneNumber)])),
            ("phone-again", Self::sample("0151 12345678", &[DestinationVoid])),
        ]
    }
}
