//! Random values: the one place that asks the generator.

use zeroize::Zeroizing;

use crate::domain::ids::Reference;
use crate::domain::typed;

/// Digits without letters that are mistaken for others (Crockford's base 32).
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// This many random bytes.
///
/// A generator that fails ends the process: nothing that this house does is safe without it.
#[expect(clippy::disallowed_methods, reason = "this is the source that everything else asks")]
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        std::process::abort();
    }
    bytes
}

/// A random UUID (version 4), for ids that may be seen.
pub(crate) fn uuid() -> String {
    uuid::Builder::from_random_bytes(bytes()).into_uuid().to_string()
}

/// This many random digits of Crockford's base 32: five bits each, for people to read and type.
pub(crate) fn crockford<const N: usize>() -> String {
    let digit = |byte: u8| CROCKFORD.get(usize::from(byte % 32)).copied().map(char::from);
    bytes::<N>().into_iter().filter_map(digit).collect()
}

/// Six random digits, for a code that is sent.
pub(crate) fn digits() -> Zeroizing<String> {
    // Of the remainder, the likeliest value is one in 10^13 more likely than the others.
    Zeroizing::new(format!("{:06}", u64::from_le_bytes(bytes()) % 1_000_000))
}

/// Such digits as people type them ([`typed::code`]): any case, O for 0, I and L for 1.
pub(crate) fn crockford_typed(typed: &str) -> Zeroizing<String> {
    let digits = typed::code(typed, 64);
    let read = digits.chars().map(|c| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    });
    Zeroizing::new(read.collect())
}

/// A code under which a refusal can be explained: `K7QF-2MPX`.
pub(crate) fn reference() -> Reference {
    Reference::new(format!("{}-{}", crockford::<4>(), crockford::<4>()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn values_differ() {
        let values: HashSet<[u8; 16]> = (0..1000).map(|_| bytes()).collect();
        assert_eq!(values.len(), 1000);
        assert_ne!(uuid(), uuid());
    }

    #[test]
    fn ids_are_uuids_of_version_4() {
        assert_eq!(uuid::Uuid::parse_str(&uuid()).unwrap().get_version_num(), 4);
    }

    #[test]
    fn every_digit_occurs_and_none_that_is_mistaken() {
        let digits: HashSet<char> =
            (0..100).flat_map(|_| crockford::<32>().chars().collect::<Vec<_>>()).collect();
        assert_eq!(digits.len(), 32);
        assert!(!digits.iter().any(|digit| "ILOU".contains(*digit)));
    }

    #[test]
    fn codes_have_six_digits_each_of_them_any() {
        let codes: Vec<_> = (0..500).map(|_| digits()).collect();
        assert!(codes.iter().all(|code| code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit())));
        for digit in "0123456789".chars() {
            assert!(codes.iter().any(|code| code.starts_with(digit)), "{digit}");
        }
    }

    #[test]
    fn digits_are_read_however_they_are_copied() {
        for typed in [
            "01XYZ-ABCDE",
            " o1xyz abcde ",
            "0LXYZABCDE",
            "oixyz-abcde",
            "01XYZ–ABCDE",
            "\u{200e}０１ＸＹＺ－ＡＢＣＤＥ\u{feff}",
        ] {
            assert_eq!(crockford_typed(typed).as_str(), "01XYZABCDE", "{typed}");
        }
    }

    #[test]
    fn a_reference_is_two_groups_of_four() {
        let reference = reference();
        let (left, right) = reference.as_str().split_once('-').unwrap();
        assert_eq!((left.len(), right.len()), (4, 4));
    }
}
