//! Resynchronization of a device whose clock or counter has drifted, by two consecutive codes (RFC 4226 §7.4, RFC 6238
//! §6).
//!
//! One code is not enough: in so wide a window a random code matches once in 350 times, a random pair once in 10^8. If
//! a pair matches at two positions, the result is `None`, and the user enters the next two codes.

use std::ops::RangeInclusive;

use super::{OtpSecret, hotp, step_at, totp};
use crate::domain::authenticator::TotpParameters;
use crate::domain::time::Time;
use crate::domain::typed;

/// Seconds before and after now that are searched: a device may be twelve hours off.
const WINDOW: i64 = 12 * 3600;
/// Unused codes of a counter-based device that are searched.
const AHEAD: i64 = 1000;

/// The time step of the second code, which must be later than the last accepted one.
pub(crate) fn find_step_pair(
    parameters: &TotpParameters,
    secret: &OtpSecret,
    codes: (&str, &str),
    now: Time,
    last_accepted: i64,
) -> Option<i64> {
    let generator = totp(parameters, secret)?;
    let (now, period) = (step_at(parameters, now)?, i64::try_from(parameters.period).ok()?);
    let around = (WINDOW / period).max(1);
    let first = now.saturating_sub(around).max(last_accepted.saturating_add(1)).max(0);
    find_pair(first..=now.saturating_add(around), codes, |step| {
        let time = u64::try_from(step).ok()?.checked_mul(parameters.period)?;
        Some(generator.generate(time).to_string())
    })
}

/// The counter of the second code, searched from `next` on.
pub(crate) fn find_counter_pair(
    digits: u32,
    secret: &OtpSecret,
    codes: (&str, &str),
    next: i64,
) -> Option<i64> {
    find_pair(next..=next.saturating_add(AHEAD), codes, |counter| hotp::code_of(digits, secret, counter))
}

/// The position of the second code directly after the first, if there is exactly one. `range` bounds the first.
fn find_pair(
    range: RangeInclusive<i64>,
    (first, second): (&str, &str),
    code: impl Fn(i64) -> Option<String>,
) -> Option<i64> {
    let [first, second] = [first, second].map(|text| typed::code(text, 16));
    if first == second {
        return None;
    }
    let (from, to) = (*range.start(), range.end().checked_add(1)?);
    let mut found = (from..=to).scan(false, |after_first, at| {
        let shown = code(at)?;
        let hit = *after_first && shown == *second;
        *after_first = shown == *first;
        Some((at, hit))
    });
    let place = found.find(|(_, hit)| *hit).map(|(at, _)| at);
    place.filter(|_| !found.any(|(_, hit)| hit))
}

#[cfg(test)]
mod tests {
    use super::super::code_at;
    use super::*;

    const NOW: Time = Time::from_unix(1_800_000_015);
    const STEP: i64 = 60_000_000;

    fn secret() -> OtpSecret {
        OtpSecret::from_bytes(b"12345678901234567890").unwrap()
    }

    fn find(first: i64, second: i64, last: i64) -> Option<i64> {
        let parameters = TotpParameters::default();
        let codes = [first, second].map(|step| code_at(&parameters, &secret(), step).unwrap());
        find_step_pair(&parameters, &secret(), (&codes[0], &codes[1]), NOW, last)
    }

    #[test]
    fn twelve_hours_to_either_side() {
        for (drift, found) in
            [(-1441, false), (-1440, true), (-720, true), (0, true), (1440, true), (1441, false)]
        {
            let at = STEP + drift;
            assert_eq!(find(at, at + 1, 0), found.then_some(at + 1), "{drift}");
        }
    }

    #[test]
    fn only_exactly_one_after_the_other_and_not_used_before() {
        assert_eq!(find(STEP, STEP, 0), None);
        assert_eq!(find(STEP, STEP + 2, 0), None);
        assert_eq!(find(STEP + 1, STEP, 0), None);
        assert_eq!(find(STEP, STEP + 1, STEP), None);
        assert_eq!(find(STEP, STEP + 1, STEP - 1), Some(STEP + 1));
    }

    #[test]
    fn a_thousand_presses_of_the_button() {
        let codes = |at: i64| [at, at + 1].map(|at| hotp::code_of(6, &secret(), at).unwrap());
        for (at, next, found) in [(0, 0, true), (1000, 0, true), (1001, 0, false), (4, 5, false)] {
            let [first, second] = codes(at);
            let pair = (first.as_str(), second.as_str());
            assert_eq!(find_counter_pair(6, &secret(), pair, next), found.then_some(at + 1), "{at} {next}");
        }
    }

    #[test]
    fn a_pair_that_fits_twice_is_no_place() {
        let shown =
            |at: i64| Some(["1", "2", "3", "1", "2", "4", "2"][usize::try_from(at).unwrap()].to_owned());
        assert_eq!(find_pair(0..=5, ("1", "2"), shown), None);
        assert_eq!(find_pair(0..=5, ("2", "4"), shown), Some(5));
        assert_eq!(find_pair(0..=5, ("4", "2"), shown), Some(6));
    }
}
