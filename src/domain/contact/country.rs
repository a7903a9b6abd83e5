//! Countries with telephone numbers.

use phonenumber::country;

/// A country or territory with its own telephone numbers, by its ISO 3166-1 alpha-2 code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Country(pub(super) country::Id);

/// The text is not a country code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the two letters of a country, for example DE")]
pub struct CountryError;

impl Country {
    /// Parses a two-letter code in any case.
    pub fn parse(text: &str) -> Result<Self, CountryError> {
        text.trim().to_ascii_uppercase().parse().map(Self).map_err(|_| CountryError)
    }

    /// The two-letter code.
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }

    /// The calling code with its plus: `+49`.
    pub fn dialled(&self) -> String {
        let known = phonenumber::metadata::DATABASE.by_id(self.as_str());
        known.map_or_else(String::new, |metadata| format!("+{}", metadata.country_code()))
    }
}

impl std::fmt::Display for Country {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_have_two_letters() {
        assert_eq!(Country::parse(" fr").unwrap().to_string(), "FR");
        for text in ["", "D", "DEU", "49", "XX", "ÄÖ"] {
            assert!(Country::parse(text).is_err(), "{text}");
        }
    }
}
