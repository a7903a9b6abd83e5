//! Counter-based codes (RFC 4226), computed as TOTP with a clock that ticks once per code.

use super::{OtpSecret, builder};
use crate::domain::authenticator::{OtpAlgorithm, TotpParameters};
use crate::domain::typed;

/// Look-ahead window: codes generated but not used, for example by a button pressed in a pocket (RFC 4226 §7.2).
const LOOK_AHEAD: i64 = 10;

/// The counter that this code belongs to, searched from `next` to the end of the look-ahead window.
pub(crate) fn find_counter(digits: u32, secret: &OtpSecret, code: &str, next: i64) -> Option<i64> {
    let typed = typed::code(code, 16);
    let generator = generator(digits, secret)?;
    (0..=LOOK_AHEAD).filter_map(|ahead| next.checked_add(ahead)).find(|counter| {
        u64::try_from(*counter).is_ok_and(|counter| generator.check(&typed, counter).is_some())
    })
}

/// The code for a counter; `None` if the counter is out of range.
pub(crate) fn code_of(digits: u32, secret: &OtpSecret, counter: i64) -> Option<String> {
    let counter = u64::try_from(counter).ok()?;
    Some(generator(digits, secret)?.generate(counter).to_string())
}

fn generator(digits: u32, secret: &OtpSecret) -> Option<totp_rs::Totp> {
    let parameters = TotpParameters { algorithm: OtpAlgorithm::Sha1, digits, period: 30 };
    Some(builder(&parameters, secret)?.with_step_duration(1).build_noncompliant())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> OtpSecret {
        OtpSecret::from_bytes(b"12345678901234567890").unwrap()
    }

    /// RFC 4226, appendix D.
    #[test]
    fn the_test_vectors_of_rfc_4226() {
        let codes = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
            "520489",
        ];
        for (counter, code) in (0..).zip(codes) {
            assert_eq!(code_of(6, &secret(), counter).as_deref(), Some(code));
            assert_eq!(find_counter(6, &secret(), code, counter), Some(counter));
        }
    }

    #[test]
    fn looks_ten_ahead_and_never_back() {
        for (next, found) in [(0, true), (9, true), (10, true), (11, false)] {
            let code = code_of(6, &secret(), 10).unwrap();
            assert_eq!(find_counter(6, &secret(), &code, next).is_some(), found, "{next}");
        }
        let code = code_of(8, &secret(), 11).unwrap();
        assert_eq!(find_counter(8, &secret(), &format!(" {code}"), 1), Some(11));
        assert_eq!(find_counter(8, &secret(), &code, 0), None);
    }

    #[test]
    fn odd_counters_and_texts_give_nothing() {
        for next in [i64::MIN, -20, i64::MAX] {
            assert_eq!(find_counter(6, &secret(), "755224", next), None, "{next}");
        }
        for text in ["", "75522", "7552244", "abcdef", "-55224"] {
            assert_eq!(find_counter(6, &secret(), text, 0), None, "{text}");
        }
        assert_eq!(code_of(7, &secret(), 0), None);
    }
}
