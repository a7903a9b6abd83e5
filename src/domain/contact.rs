//! Where a user can be reached: email addresses and telephone numbers, each in the one form in which it is stored,
//! compared and handed to a gateway.
//!
//! Why so strict: whatever is accepted here is later put into an envelope or a gateway's request by machines. Quoted
//! local parts, comments, address literals and letters beyond ASCII before the `@` are allowed by RFC 5321 or RFC 6531,
//! used by nobody who signs in, and a door to header injection. Names of hosts may be in any script: they become ASCII.
//! Numbers that cost the sender a premium, or cannot take a text, are none.

use phonenumber::{Mode, Type, country};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// An email address, the host in lower-case ASCII (`anna@xn--bcher-kva.example`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// The text is not an email address that mail can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an email address, for example anna@example.com")]
pub struct EmailAddressError;

impl EmailAddress {
    /// RFC 5321 §4.5.3.1.3: a path is at most 256 octets, its angle brackets included.
    const MAX: usize = 254;
    /// RFC 5321 §4.5.3.1.1
    const MAX_LOCAL: usize = 64;

    /// Reads what a user typed.
    pub fn parse(text: &str) -> Result<Self, EmailAddressError> {
        let (local, host) = text.trim().rsplit_once('@').ok_or(EmailAddressError)?;
        let host = match url::Host::parse(host) {
            Ok(url::Host::Domain(host)) if !host.ends_with('.') => host,
            _ => return Err(EmailAddressError),
        };
        let address = format!("{local}@{host}");
        let shaped = address.len() <= Self::MAX && is_dot_atom(local) && is_host_name(&host);
        // The last word has the library that writes the envelope.
        if shaped && address.parse::<lettre::Address>().is_ok() {
            Ok(Self(address))
        } else {
            Err(EmailAddressError)
        }
    }

    /// The address, all ASCII.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which addresses are compared and counted. Upper and lower case differ before the `@` in theory only.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// What may stand on a page: `a•••@example.test`.
    pub fn masked(&self) -> String {
        let (local, host) = self.0.split_once('@').unwrap_or_default();
        format!("{}•••@{host}", local.chars().next().unwrap_or_default())
    }
}

/// RFC 5322 §3.2.3, at most 64 octets.
fn is_dot_atom(local: &str) -> bool {
    let atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    local.len() <= EmailAddress::MAX_LOCAL
        && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(atext))
}

/// RFC 1123 §2.1, as far as it goes beyond what a URL's host may be.
fn is_host_name(host: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    host.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(inner)
    })
}

impl std::fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = EmailAddressError;

    fn try_from(text: String) -> Result<Self, EmailAddressError> {
        Self::parse(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

/// A telephone number that can take a text, in the form of E.164: `+4915112345678`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber {
    e164: String,
    country: Country,
}

/// The text is not a telephone number that a text can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the number of a mobile telephone with its country code, for example +49 151 12345678")]
pub struct PhoneNumberError;

impl PhoneNumber {
    /// Longer than any number with all its spaces.
    const MAX_TYPED: usize = 40;

    /// Reads what a user typed: with the country code, or as it is dialled in `home`.
    pub fn parse(text: &str, home: Option<Country>) -> Result<Self, PhoneNumberError> {
        let text: String = text.trim().nfkc().collect();
        let dialled = |c: char| c.is_ascii_digit() || "+-./() \u{2010}\u{2011}\u{2013}".contains(c);
        let plus_within = text.char_indices().any(|(at, c)| c == '+' && at > 0);
        if text.len() > Self::MAX_TYPED || plus_within || !text.chars().all(dialled) {
            return Err(PhoneNumberError);
        }
        // "+49 (0)151 …": the zero is for callers from within.
        let text: String =
            text.replace("(0)", "").chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
        let home = home.map(|country| country.0);
        let number = phonenumber::parse(home, &text).map_err(|_| PhoneNumberError)?;
        let takes_texts = matches!(
            number.number_type(&phonenumber::metadata::DATABASE),
            Type::Mobile | Type::FixedLineOrMobile
        );
        let country = number.country().id().map(Country).ok_or(PhoneNumberError)?;
        let e164 = number.format().mode(Mode::E164).to_string();
        let shaped = e164.strip_prefix('+').is_some_and(|digits| {
            (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
        });
        if takes_texts && shaped { Ok(Self { e164, country }) } else { Err(PhoneNumberError) }
    }

    /// The number in the form of E.164.
    pub fn as_str(&self) -> &str {
        &self.e164
    }

    /// The country that gave it out.
    pub const fn country(&self) -> Country {
        self.country
    }

    /// The thousand numbers that this one lies among: what they share. Who pumps texts for money owns such blocks.
    pub fn block(&self) -> &str {
        self.e164.len().checked_sub(3).and_then(|end| self.e164.get(..end)).unwrap_or_default()
    }

    /// What may stand on a page: `+49 •••78`.
    pub fn masked(&self) -> String {
        let last = self.e164.len().checked_sub(2).and_then(|start| self.e164.get(start..));
        format!("{} •••{}", self.country.dialled(), last.unwrap_or_default())
    }
}

impl std::fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.e164)
    }
}

impl TryFrom<String> for PhoneNumber {
    type Error = PhoneNumberError;

    fn try_from(text: String) -> Result<Self, PhoneNumberError> {
        Self::parse(&text, None)
    }
}

impl From<PhoneNumber> for String {
    fn from(number: PhoneNumber) -> Self {
        number.e164
    }
}

/// A country or territory with telephone numbers of its own, by its two letters in ISO 3166-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Country(country::Id);

/// The text does not name a country.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the two letters of a country, for example DE")]
pub struct CountryError;

impl Country {
    /// Reads two letters, in any case.
    pub fn parse(text: &str) -> Result<Self, CountryError> {
        text.trim().to_ascii_uppercase().parse().map(Self).map_err(|_| CountryError)
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }

    /// What is dialled before its numbers: `+49`.
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hosts_become_lower_case_ascii_and_names_stay() {
        let table = [
            (" Anna@Example.TEST ", "Anna@example.test"),
            ("anna@Bücher.example", "anna@xn--bcher-kva.example"),
            ("a.b+c@localhost", "a.b+c@localhost"),
            ("o'brien@example.test", "o'brien@example.test"),
        ];
        for (typed, stored) in table {
            assert_eq!(EmailAddress::parse(typed).unwrap().as_str(), stored);
        }
        assert_eq!(EmailAddress::parse("Anna@example.test").unwrap().key(), "anna@example.test");
    }

    /// Attack 160 and its kin.
    #[test]
    fn refuses_what_an_envelope_could_misread() {
        let long = format!("{}@example.test", "x".repeat(65));
        for text in [
            "",
            "anna",
            "@",
            "anna@",
            "@example.test",
            "a b@example.test",
            "a@b@example.test",
            ".a@b.test",
            "a..b@c.test",
            "a.@b.test",
            "\"a b\"@example.test",
            "anna@[127.0.0.1]",
            "anna@127.0.0.1",
            "anna@exa mple.test",
            "anna@example.test\r\nBcc: eve@example.test",
            "anna\r\n@example.test",
            "anna@example.test.",
            "anna@-a.test",
            "anna@a_b.test",
            "a\0@b.test",
            "jürgen@example.test",
            "<anna@example.test>",
            "Anna <anna@example.test>",
            "a,b@c.test",
            "a;b@c.test",
            "anna@example.test,eve@example.test",
            &long,
        ] {
            assert!(EmailAddress::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_page_shows_a_hint_of_the_address() {
        assert_eq!(EmailAddress::parse("anna@example.test").unwrap().masked(), "a•••@example.test");
        assert_eq!(PhoneNumber::parse("+4915112345678", None).unwrap().masked(), "+49 •••78");
    }

    #[test]
    fn one_form_of_a_number() {
        let germany = Country::parse("de").ok();
        for text in [
            "+4915112345678",
            "+49 151 12345678",
            "+49 (0)151/123456-78",
            " 0151 12345678",
            "０１５１１２３４５６７８",
        ] {
            let number = PhoneNumber::parse(text, germany).unwrap();
            assert_eq!((number.as_str(), number.country().as_str()), ("+4915112345678", "DE"), "{text}");
            assert_eq!(number.block(), "+4915112345");
        }
        let french = PhoneNumber::parse("+33612345678", germany).unwrap();
        assert_eq!(french.country(), Country::parse("FR").unwrap());
        assert!(PhoneNumber::parse("+12025550123", None).is_ok());
    }

    /// Attack 133: what costs the sender, and what cannot take a text.
    #[test]
    fn refuses_what_is_no_mobile_telephone() {
        for text in [
            "",
            "+",
            "0151 12345678",
            "+49 900 1234567",
            "+49 800 1234567",
            "+49 30 901820",
            "110",
            "+999123456789",
            "+4915112345678 ext. 5",
            "+4915112345678;phone-context=x",
            "tel:+4915112345678",
            "+49151123456789012345",
            "+49151A2345678",
            "+882 16 12345678",
            "+",
            "++4915112345678",
            "+1 900 555 0123",
        ] {
            let typed = PhoneNumber::parse(text, None);
            assert!(typed.is_err(), "{text:?} gave {typed:?}");
        }
    }

    #[test]
    fn countries_have_two_letters() {
        assert_eq!(Country::parse(" fr").unwrap().to_string(), "FR");
        for text in ["", "D", "DEU", "49", "XX", "ÄÖ"] {
            assert!(Country::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_was_accepted_is_accepted_again(text in "[A-Za-z.@+ -]{1,12}@[a-zäöü.-]{1,12}") {
            if let Ok(address) = EmailAddress::parse(&text) {
                prop_assert_eq!(EmailAddress::parse(address.as_str()), Ok(address));
            }
        }

        #[test]
        fn no_text_makes_a_number_panic(text in "[+0-9() ./-]{0,20}|\\PC{0,20}") {
            if let Ok(number) = PhoneNumber::parse(&text, Country::parse("DE").ok()) {
                prop_assert_eq!(PhoneNumber::parse(number.as_str(), None), Ok(number));
            }
        }
    }
}
