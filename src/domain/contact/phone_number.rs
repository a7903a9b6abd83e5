//! Mobile telephone numbers, validated by `phonenumber` (Google's metadata for every country).
//!
//! Premium-rate numbers and numbers that cannot receive texts are rejected.

use phonenumber::Metadata;
use phonenumber::metadata::{DATABASE, Descriptor};
use serde::{Deserialize, Serialize};

use super::Country;
use crate::domain::typed;

/// A telephone number that can receive texts, in E.164 format: `+4915112345678`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber {
    e164: String,
    country: Country,
}

/// The text is not a telephone number that can receive texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the number of a mobile telephone with its country code, for example +49 151 12345678")]
pub struct PhoneNumberError;

impl PhoneNumber {
    /// Exceeds any number with all its spaces.
    const MAX_TYPED: usize = 40;

    /// Parses typed or pasted text: with the country code, or as dialled in `home`.
    pub fn parse(text: &str, home: Option<Country>) -> Result<Self, PhoneNumberError> {
        let typed: String = typed::folded(text).collect();
        let (code, national) = read(typed.trim(), home).ok_or(PhoneNumberError)?;
        // "+48 0518 619 922": the trunk prefix zero, written in addition to the country code.
        let without_zero = || Self::mobile(code, national.trim_start_matches('0'));
        Self::mobile(code, &national).or_else(without_zero).ok_or(PhoneNumberError)
    }

    /// The number, if it can receive texts.
    fn mobile(code: u16, national: &str) -> Option<Self> {
        let metadata = region(code, national)?;
        let country = Country::parse(metadata.id()).ok()?;
        let e164 = format!("+{code}{national}");
        (is_e164(&e164) && takes_texts(metadata, national)).then_some(Self { e164, country })
    }

    /// A stored number, accepted without validation: numbering plans change, and rows must stay readable.
    fn stored(e164: &str) -> Option<Self> {
        let mut codes = (2..=4).filter_map(|end| e164.get(1..end)?.parse().ok());
        let region = codes.find_map(|code: u16| DATABASE.region(&code)?.first().copied())?;
        let country = Country::parse(region).ok()?;
        is_e164(e164).then(|| Self { e164: e164.to_owned(), country })
    }

    /// The number in E.164 format.
    pub fn as_str(&self) -> &str {
        &self.e164
    }

    /// The country of the number.
    pub const fn country(&self) -> Country {
        self.country
    }

    /// The block of 1000 numbers that it belongs to, as their common prefix (SMS pumping uses such blocks).
    pub fn block(&self) -> &str {
        self.e164.len().checked_sub(3).and_then(|end| self.e164.get(..end)).unwrap_or_default()
    }

    /// The masked number for pages: `+49 •••78`.
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
        Self::parse(&text, None).or_else(|_| Self::stored(&text).ok_or(PhoneNumberError))
    }
}

/// Returns whether the text has the format of E.164 §6: a plus and at most 15 digits, the first of them not zero.
fn is_e164(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.chars().all(|c| c.is_ascii_digit())
}

impl From<PhoneNumber> for String {
    fn from(number: PhoneNumber) -> Self {
        number.e164
    }
}

/// The country calling code and the national number. A leading zero of the latter is part of the number in some
/// countries, as Côte d'Ivoire and Congo; the trunk prefix is not.
fn read(typed: &str, home: Option<Country>) -> Option<(u16, String)> {
    let dialled = |c: char| c.is_ascii_digit() || "+-./() ".contains(c);
    let plus_within = typed.char_indices().any(|(at, c)| c == '+' && at > 0);
    if typed.len() > PhoneNumber::MAX_TYPED || plus_within || !typed.chars().all(dialled) {
        return None;
    }
    // "+49 (0)151 …": the zero is for callers within the country.
    let digits: String =
        typed.replace("(0)", "").chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    // `phonenumber` takes the trunk prefix from `home`, also for numbers of other countries.
    let number = match abroad(&digits, home) {
        Some(international) => phonenumber::parse(None, international),
        None => phonenumber::parse(home.map(|home| home.0), digits),
    };
    let number = number.ok()?;
    let (code, national) = (number.code().value(), number.national().to_string());
    Some((code, without_mexicos_one(code, &national).map_or_else(|| national.clone(), str::to_owned)))
}

/// The number with `+`, if it was written with the plus or with the international prefix of `home`.
fn abroad(digits: &str, home: Option<Country>) -> Option<String> {
    if digits.starts_with('+') {
        return Some(digits.to_owned());
    }
    let metadata = DATABASE.by_id(home?.as_str())?;
    let found = metadata.international_prefix()?.find(digits).filter(|found| found.start() == 0)?;
    let number = digits.get(found.end()..).filter(|number| !number.starts_with('0'))?;
    Some(format!("+{number}"))
}

/// Removes the 1 that preceded Mexican mobile numbers until 2019; address books still contain it.
fn without_mexicos_one(code: u16, national: &str) -> Option<&str> {
    national.strip_prefix('1').filter(|rest| code == 52 && rest.len() == 10)
}

/// The region of the number, since several share a calling code. (`phonenumber` determines it without leading zeros of
/// the number.)
fn region(code: u16, national: &str) -> Option<&'static Metadata> {
    let regions = DATABASE.region(&code)?;
    let alone = regions.len() == 1;
    regions.into_iter().filter_map(|region| DATABASE.by_id(region)).find(|metadata| {
        match metadata.leading_digits() {
            _ if alone => true,
            Some(leading) => leading.find(national).is_some_and(|found| found.start() == 0),
            None => takes_texts(metadata, national),
        }
    })
}

/// Returns whether it is a mobile number that is not premium-rate.
fn takes_texts(metadata: &Metadata, national: &str) -> bool {
    let kinds = metadata.descriptors();
    let special = [
        kinds.premium_rate(),
        kinds.toll_free(),
        kinds.shared_cost(),
        kinds.voip(),
        kinds.personal_number(),
        kinds.pager(),
        kinds.uan(),
        kinds.voicemail(),
    ];
    let is = |kind: Option<&Descriptor>| kind.is_some_and(|kind| kind.is_match(national));
    kinds.general().is_match(national) && is(kinds.mobile()) && !special.into_iter().any(is)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_shows_a_hint_of_the_number() {
        assert_eq!(PhoneNumber::parse("+4915112345678", None).unwrap().masked(), "+49 •••78");
    }

    /// Earlier versions kept the trunk prefix, and numbering plans change.
    #[test]
    fn a_stored_number_stays_readable() {
        let stored = |text: &str| serde_json::from_str::<PhoneNumber>(&format!("\"{text}\""));
        for (text, read) in [
            ("+480518619922", "+48518619922"),
            ("+3903471234567", "+393471234567"),
            ("+6085653194", "+6085653194"),
            ("+4930123456", "+4930123456"),
        ] {
            let number = stored(text).unwrap();
            assert_eq!((number.as_str(), stored(number.as_str()).unwrap().as_str()), (read, read));
        }
        assert_eq!(stored("+4930123456").unwrap().country().as_str(), "DE");
        for text in ["", "+", "+49301", "4930123456", "+49301234567890123", "+49 30 123456", "+0123456789"] {
            assert!(stored(text).is_err(), "{text}");
        }
        assert_eq!(PhoneNumber::parse("+48 0518 619 922", None).unwrap().as_str(), "+48518619922");
        assert!(PhoneNumber::parse("+4930123456", None).is_err(), "a landline is not accepted anew");
    }

    #[test]
    fn one_form_of_a_number() {
        let germany = Country::parse("de").ok();
        for text in [
            "+4915112345678",
            "+49 151 12345678",
            "+49 (0)151/123456-78",
            " 0151 12345678",
            "0049 151 12345678",
            "０１５１１２３４５６７８",
            "＋４９（１５１）１２３４５６７８",
            "+49\u{a0}151\u{2011}123\u{2013}456\u{2212}78",
            "\u{202a}+49 151 12345678\u{202c}",
            "\u{200e}\u{2066}+49\u{200b}151\u{ad}12345678\u{2069}\u{feff}",
            "+٤٩١٥١١٢٣٤٥٦٧٨",
        ] {
            let number = PhoneNumber::parse(text, germany).unwrap();
            assert_eq!((number.as_str(), number.country().as_str()), ("+4915112345678", "DE"), "{text}");
            assert_eq!(number.block(), "+4915112345");
        }
        let french = PhoneNumber::parse("+33612345678", germany).unwrap();
        assert_eq!(french.country(), Country::parse("FR").unwrap());
        assert!(PhoneNumber::parse("+12025550123", None).is_ok());
    }

    #[test]
    fn a_zero_that_is_part_of_the_number_stays() {
        let table = [
            ("+225 07 01 23 45 67", "+2250701234567", "CI"),
            ("+225 0501234567", "+2250501234567", "CI"),
            ("00225 0101234567", "+2250101234567", "CI"),
            ("+242 06 612 3456", "+242066123456", "CG"),
            ("+242 05 512 3456", "+242055123456", "CG"),
        ];
        for (typed, stored, country) in table {
            for home in ["DE", country, "US", "IT"] {
                let home = Country::parse(home).ok();
                if typed.starts_with("00") && home == Country::parse("US").ok() {
                    continue;
                }
                let number = PhoneNumber::parse(typed, home).unwrap();
                assert_eq!(
                    (number.as_str(), number.country().as_str()),
                    (stored, country),
                    "{typed} {home:?}"
                );
            }
        }
        let home = Country::parse("CI").ok();
        assert_eq!(PhoneNumber::parse("07 01 23 45 67", home).unwrap().as_str(), "+2250701234567");
        assert!(PhoneNumber::parse("+225 27 20 12 34 56", None).is_err(), "a landline");
        assert!(PhoneNumber::parse("+225 01 23 45 67", None).is_err(), "eight digits, as before 2021");
    }

    #[test]
    fn mexicos_former_one_is_left_out() {
        let mexico = Country::parse("MX").ok();
        for (typed, home) in [
            ("+52 1 55 1234 5678", None),
            ("+52 55 1234 5678", None),
            ("+5215512345678", mexico),
            ("55 1234 5678", mexico),
            ("0052 1 55 1234 5678", mexico),
        ] {
            let number = PhoneNumber::parse(typed, home).unwrap();
            assert_eq!((number.as_str(), number.country().as_str()), ("+525512345678", "MX"), "{typed}");
        }
    }

    /// Uses the metadata's example numbers for every country.
    #[test]
    fn the_mobile_numbers_of_every_country_are_read() {
        let mut read = 0;
        for metadata in DATABASE.iter().filter(|metadata| metadata.id() != "001") {
            let Some(example) = metadata.descriptors().mobile().and_then(Descriptor::example) else {
                continue;
            };
            let (typed, home) =
                (format!("+{}{example}", metadata.country_code()), Country::parse(metadata.id()));
            for home in [None, home.ok(), Country::parse("DE").ok()] {
                let number = PhoneNumber::parse(&typed, home);
                assert_eq!(number.map(String::from), Ok(typed.clone()), "{} {home:?}", metadata.id());
            }
            read += 1;
        }
        assert!(read > 200, "{read}");
    }

    /// Premium-rate numbers, and numbers that cannot receive texts.
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
            "+4915112345678;ext=5",
            "tel:+4915112345678",
            "+49151123456789012345",
            "+49151A2345678",
            "+882 16 12345678",
            "++4915112345678",
            "+1 900 555 0123",
            "+\u{200b}",
        ] {
            let typed = PhoneNumber::parse(text, None);
            assert!(typed.is_err(), "{text:?} gave {typed:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_number_panic(text in "[+0-9() ./-]{0,20}|\\PC{0,20}") {
            if let Ok(number) = PhoneNumber::parse(&text, Country::parse("DE").ok()) {
                prop_assert_eq!(PhoneNumber::parse(number.as_str(), None), Ok(number));
            }
        }
    }
}
