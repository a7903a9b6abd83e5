//! Normalization of typed and pasted text: digits of any script, dashes of any kind, invisible characters.
//!
//! A code or number copied from a page, a mail or an address book may contain directional marks, no-break spaces and
//! typographic dashes; Japanese and Arabic keyboards type their own digits. They are normalized here for one-time
//! codes, recovery codes and telephone numbers.

use icu_properties::props::{Dash, DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// Folds typed text: compatibility forms, digits and dashes to ASCII, all spaces to the plain one. Invisible characters
/// are dropped (Unicode's `Default_Ignorable_Code_Point`, which includes the directional marks).
pub(crate) fn folded(text: &str) -> impl Iterator<Item = char> {
    text.nfkc().filter(|c| !is_ignorable(*c)).map(plain)
}

/// Normalizes a code: removes the spaces and hyphens that group it, and keeps at most `longest` characters.
pub(crate) fn code(text: &str, longest: usize) -> Zeroizing<String> {
    Zeroizing::new(folded(text).filter(|c| !matches!(c, ' ' | '-')).take(longest).collect())
}

/// Returns whether the character is invisible (`Default_Ignorable_Code_Point`).
pub(crate) fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

fn plain(c: char) -> char {
    match c {
        _ if c.is_ascii_graphic() => c,
        _ if c.is_whitespace() => ' ',
        // Japanese keyboards have the vowel-lengthening mark in place of the hyphen.
        'ー' => '-',
        _ if CodePointSetData::new::<Dash>().contains(c) => '-',
        _ => decimal_digit(c).unwrap_or(c),
    }
}

/// The ASCII digit with the same value. Unicode encodes the decimal digits of each script in order from zero; some runs
/// of ten are adjacent.
fn decimal_digit(c: char) -> Option<char> {
    let is_digit =
        |c: char| CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::DecimalNumber;
    if !is_digit(c) {
        return None;
    }
    let before = |n: u32| u32::from(c).checked_sub(n).and_then(char::from_u32).is_some_and(is_digit);
    // No script has more than five adjacent runs.
    let value = (1..60).take_while(|n| before(*n)).count() % 10;
    u32::try_from(value).ok().and_then(|value| char::from_digit(value, 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_grouped() {
        for typed in [
            "123456",
            " 123 456\u{a0}",
            "123-456",
            "123\u{2011}456",
            "123–456",
            "１２３４５６",
            "１２３ー４５６",
            "\u{202d}123456\u{202c}",
            "\u{2066}123\u{200b}456\u{2069}",
            "\u{feff}12\u{ad}3456",
            "١٢٣٤٥٦",
            "۱۲۳۴۵۶",
            "१२३४५६",
            "๑๒๓๔๕๖",
            "𝟏𝟐𝟑𝟒𝟓𝟔",
            "①②③④⑤⑥",
        ] {
            assert_eq!(*code(typed, 16), "123456", "{typed}");
        }
        assert_eq!(*code("12a4.56+", 16), "12a4.56+", "letters and signs stay, so that they are refused");
        assert_eq!(*code(&"1".repeat(99), 16), "1".repeat(16));
    }

    /// Every decimal digit of Unicode is in a run of ten.
    #[test]
    fn the_digits_of_every_script_are_read() {
        let digits: Vec<char> = (0x80..=0x10_ffff)
            .filter_map(char::from_u32)
            .filter_map(|c| folded(&c.to_string()).next().filter(|_| decimal_digit(c).is_some()))
            .collect();
        assert!(digits.len() >= 700, "{}", digits.len());
        for run in digits.chunks(10) {
            assert_eq!(run, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
        }
    }
}
