//! Random values. The only module that calls the system's generator.

use zeroize::Zeroizing;

use crate::domain::ids::Reference;
use crate::domain::typed;

/// The digits of Crockford's base 32, without letters that are easily mistaken.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Returns `N` random bytes.
///
/// Aborts the process if the generator fails, because nothing can be done securely without it.
#[expect(clippy::disallowed_methods, reason = "this is the source that everything else asks")]
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        std::process::abort();
    }
    bytes
}

/// A random UUID (version 4), for public ids.
pub(crate) fn uuid() -> String {
    uuid::Builder::from_random_bytes(bytes()).into_uuid().to_string()
}

/// `N` random digits of Crockford's base 32, five bits each, for people to read and type.
pub(crate) fn crockford<const N: usize>() -> String {
    let digit = |byte: u8| CROCKFORD.get(usize::from(byte % 32)).copied().map(char::from);
    bytes::<N>().into_iter().filter_map(digit).collect()
}

/// Six random digits, for a delivered code.
pub(crate) fn digits() -> Zeroizing<String> {
    // Modulo bias: the likeliest value is more likely than the others by one in 10^13.
    Zeroizing::new(format!("{:06}", u64::from_le_bytes(bytes()) % 1_000_000))
}

/// Normalizes such digits as typed ([`typed::code`]): any case, O for 0, I and L for 1.
pub(crate) fn crockford_typed(typed: &str) -> Zeroizing<String> {
    let digits = typed::code(typed, 64);
    let read = digits.chars().map(|c| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    });
    Zeroizing::new(read.collect())
}

/// A reference code by which a refusal can be looked up in the log: `K7QF-2MPX`.
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
