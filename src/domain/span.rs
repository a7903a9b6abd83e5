//! Durations as text: `90s`, `5m`, `8h`, `30d`. Used by `apply` and the settings.

use std::time::Duration;

/// Maximum: ten years.
const LONGEST: u64 = 3650 * 24 * 60 * 60;
const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];

/// The text is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a duration such as 90s, 5m, 8h or 30d")]
pub struct SpanError;

/// Parses a duration of at least one second and at most ten years.
pub fn parse(text: &str) -> Result<Duration, SpanError> {
    let seconds = UNITS.iter().find_map(|(unit, seconds)| {
        let number = text.strip_suffix(unit)?.parse::<u64>().ok()?;
        number.checked_mul(*seconds).filter(|span| (1..=LONGEST).contains(span))
    });
    seconds.map(Duration::from_secs).ok_or(SpanError)
}

/// Formats whole seconds in the largest unit that is exact; [`parse`] reads it back.
pub fn show(span: Duration) -> String {
    let seconds = span.as_secs();
    let unit = UNITS.iter().find(|(_, unit)| seconds.is_multiple_of(*unit));
    unit.map_or_else(String::new, |(name, unit)| format!("{}{name}", seconds / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_shown_reads_back() {
        for text in ["1s", "90s", "5m", "8h", "30d", "3650d"] {
            assert_eq!(show(parse(text).unwrap()), text);
        }
        assert_eq!(show(Duration::from_hours(1)), "1h");
    }

    #[test]
    fn what_is_no_length_of_time_is_refused() {
        for text in ["", "s", "0s", "5", "-5m", "5 m", "5M", "1.5h", "3651d", "99999999999999999999d", "5é"]
        {
            assert_eq!(parse(text), Err(SpanError), "{text}");
        }
    }
}
