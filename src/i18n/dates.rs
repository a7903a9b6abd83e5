//! Dates and times of day as people write them, in the reader's time zone.

use chrono::{DateTime, Datelike, Offset, TimeZone, Timelike, Utc};

use super::Texts;
use crate::domain::locale::Locale;
use crate::domain::time::Time;
use crate::domain::zone::Zone;

impl Texts {
    /// `23 November 2026`
    pub(crate) fn date(&self, time: Time, zone: Zone) -> String {
        let date = utc(time).with_timezone(&zone.rules());
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

    /// `14:05 UTC+1`
    pub(crate) fn time_of_day(&self, time: Time, zone: Zone) -> String {
        let time = utc(time).with_timezone(&zone.rules());
        let two_digits = |number: u32| format!("{number:02}");
        let (hour, minute) = (two_digits(time.hour()), two_digits(time.minute()));
        let values = [("hour", hour.as_str()), ("minute", &minute), ("zone", &distance(&time))];
        self.with("date.time", &values)
    }
}

/// The offset from UTC, written the same in every language: `UTC`, `UTC+1`, `UTC-3:30`.
fn distance<Z: TimeZone>(time: &DateTime<Z>) -> String {
    let minutes = time.offset().fix().local_minus_utc() / 60;
    let (sign, ahead) = (if minutes < 0 { '-' } else { '+' }, minutes.abs());
    match (ahead / 60, ahead % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}

/// The machine-readable form: `2026-11-23T14:05:00Z`.
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
            (texts.date(time, Zone::UTC), texts.time_of_day(time, Zone::UTC))
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
    fn stand_in_the_calendar_of_their_reader() {
        let texts = Texts::of(Locale::En);
        let (winter, summer) = (1_767_223_800, 1_782_864_000); // 2025-12-31T23:30:00Z, 2026-07-01T00:00:00Z
        for (zone, at, date, time) in [
            ("Europe/Berlin", winter, "1 January 2026", "00:30 UTC+1"),
            ("Europe/Berlin", summer, "1 July 2026", "02:00 UTC+2"),
            ("America/St_Johns", winter, "31 December 2025", "20:00 UTC-3:30"),
            ("Asia/Kolkata", summer, "1 July 2026", "05:30 UTC+5:30"),
        ] {
            let (zone, at) = (Zone::parse(zone).unwrap(), Time::from_unix(at));
            assert_eq!((texts.date(at, zone).as_str(), texts.time_of_day(at, zone).as_str()), (date, time));
        }
    }

    #[test]
    fn a_time_beyond_all_calendars_is_not_a_panic() {
        assert_eq!(Texts::of(Locale::En).date(Time::from_unix(i64::MAX), Zone::UTC), "1 January 1970");
    }
}
