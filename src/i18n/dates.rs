//! Dates and times of day as people write them. The pages' script turns them into the browser's time zone; without
//! it they stand in UTC and say so.

use chrono::{DateTime, Datelike, Timelike, Utc};

use super::Texts;
use crate::domain::locale::Locale;
use crate::domain::time::Time;

impl Texts {
    /// `23 November 2026`
    pub(crate) fn date(&self, time: Time) -> String {
        let date = utc(time);
        let day = match (self.locale, date.day()) {
            (Locale::Fr, 1) => "1er".to_owned(),
            (_, day) => day.to_string(),
        };
        let month = format!("month.m{}", date.month());
        self.with(
            "date.long",
            &[("day", &day), ("month", self.t(&month)), ("year", &date.year().to_string())],
        )
    }

    /// `14:05 UTC`
    pub(crate) fn time_of_day(&self, time: Time) -> String {
        let time = utc(time);
        let two_digits = |number: u32| format!("{number:02}");
        self.with("date.time", &[("hour", &two_digits(time.hour())), ("minute", &two_digits(time.minute()))])
    }
}

/// For `<time datetime>`: `2026-11-23T14:05:00Z`
pub(crate) fn machine(time: Time) -> String {
    utc(time).format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn utc(time: Time) -> DateTime<Utc> {
    DateTime::from_timestamp(time.unix(), 0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_written_as_people_write_them() {
        let time = Time::from_unix(1_796_137_500); // 2026-12-01T15:05:00Z
        let written = Locale::ALL.map(|locale| {
            let texts = Texts::of(locale);
            (texts.date(time), texts.time_of_day(time))
        });
        let expected = [
            ("1 December 2026", "15:05 UTC"),
            ("1. Dezember 2026", "15:05 Uhr (UTC)"),
            ("1er décembre 2026", "15\u{a0}h\u{a0}05 (UTC)"),
        ];
        assert_eq!(written, expected.map(|(date, time)| (date.to_owned(), time.to_owned())));
        assert_eq!(machine(time), "2026-12-01T15:05:00Z");
    }

    #[test]
    fn a_time_beyond_all_calendars_is_not_a_panic() {
        assert_eq!(Texts::of(Locale::En).date(Time::from_unix(i64::MAX)), "1 January 1970");
    }
}
