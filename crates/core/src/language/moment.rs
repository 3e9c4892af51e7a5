//! Moments in time, as a policy writes them (RFC 3339), in whole seconds since the epoch.
//!
//! The day of a date is found as in Howard Hinnant's `days_from_civil` (2013), with integers only.

use crate::language::invalid::{Code, Invalid};

/// Seconds of a day.
const DAY: u64 = 86_400;
/// The last year that four digits can write.
const LAST_YEAR: u64 = 9999;
/// Days from 1 March of the year 0 to the epoch, 1 January 1970.
const TO_EPOCH: u64 = 719_468;
/// Days of 400 years.
const ERA: u64 = 146_097;
/// How a moment is written, for schemas.
#[cfg(any(test, feature = "describe"))]
pub const PATTERN: &str =
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}([Zz]|[+-][0-9]{2}:[0-9]{2})$";
/// Bytes of a moment with an offset.
#[cfg(any(test, feature = "describe"))]
pub(crate) const LENGTH: usize = 25;

/// Reads a moment such as `2026-12-01T12:00:00+01:00`: seconds since the epoch. A time without an offset
/// is refused: it would mean another moment in each place.
pub(crate) fn read(text: &str) -> Result<u64, Invalid> {
    parse(text).ok_or_else(|| {
        let bytes = text.as_bytes();
        let is_local = parse(&[text, "Z"].concat()).is_some();
        let has_fraction = bytes.get(19) == Some(&b'.');
        let (what, help) = match () {
            () if is_local => (
                "has no offset: it would be another moment in each place",
                format!("write {text:?} with \"Z\" for UTC at its end, or with an offset such as \"+01:00\""),
            ),
            () if has_fraction => {
                ("has parts of a second", "write whole seconds: proxies look at no finer time".to_owned())
            }
            () => (
                "is not a moment from 1970 to 9999",
                "write it as \"2026-12-01T09:00:00Z\" or \"2026-12-01T10:00:00+01:00\"".to_owned(),
            ),
        };
        Invalid::new(Code::BadValue, format!("{text:?} {what}"), help)
    })
}

/// The same for tools, which have words of their own for what is not a moment.
pub fn parse(text: &str) -> Option<u64> {
    let mut reader = Reader(text.as_bytes());
    let year = reader.number(4, 1970, LAST_YEAR)?;
    let month = reader.after(b"-", 1, 12)?;
    let day = reader.after(b"-", 1, days_of(year, month))?;
    let hour = reader.after(b"Tt", 0, 23)?;
    let minute = reader.after(b":", 0, 59)?;
    let second = reader.after(b":", 0, 59)?;
    let day = days(year, month, day)?;
    let of_day = hour.checked_mul(3600)?.checked_add(minute.checked_mul(60)?)?.checked_add(second)?;
    let local = day.checked_mul(DAY)?.checked_add(of_day)?;
    let (sign, rest) = reader.0.split_first()?;
    let mut rest = Reader(rest);
    let offset = match sign {
        b'Z' | b'z' => 0,
        b'+' | b'-' => {
            let hours = rest.number(2, 0, 23)?;
            hours.checked_mul(3600)?.checked_add(rest.after(b":", 0, 59)?.checked_mul(60)?)?
        }
        _ => return None,
    };
    let moment = if *sign == b'-' { local.checked_add(offset) } else { local.checked_sub(offset) };
    moment.filter(|_| rest.0.is_empty())
}

/// A moment in UTC, as `2026-12-01T09:00:00Z`.
pub fn utc(seconds: u64) -> String {
    let of = |number: u64, by: u64| number.checked_div(by).unwrap_or_default();
    let rest = |number: u64, by: u64| number.checked_rem(by).unwrap_or_default();
    let (day, time) = (of(seconds, DAY), rest(seconds, DAY));
    let shifted = day.saturating_add(TO_EPOCH);
    let (era, of_era) = (of(shifted, ERA), rest(shifted, ERA));
    // Leap days are left out of the days of the era, so that all years have 365.
    let leaps = of(of_era, 1460).saturating_sub(of(of_era, 36_524)).saturating_add(of(of_era, 146_096));
    let year = of(of_era.saturating_sub(leaps), 365);
    let before = year.saturating_mul(365).saturating_add(of(year, 4)).saturating_sub(of(year, 100));
    let of_year = of_era.saturating_sub(before);
    let from_march = of(of_year.saturating_mul(5).saturating_add(2), 153);
    let date = of_year.saturating_sub(until_month(from_march)).saturating_add(1);
    let is_next_year = from_march >= 10;
    let month = if is_next_year { from_march.saturating_sub(9) } else { from_march.saturating_add(3) };
    let year = era.saturating_mul(400).saturating_add(year).saturating_add(is_next_year.into());
    let (hour, minute, second) = (of(time, 3600), of(rest(time, 3600), 60), rest(time, 60));
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Days since the epoch.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    // Years begin in March here, so that a leap day is the last of its year.
    let (year, from_march) =
        if month > 2 { (year, month.checked_sub(3)?) } else { (year.checked_sub(1)?, month.checked_add(9)?) };
    let leaps =
        year.checked_div(4)?.checked_sub(year.checked_div(100)?)?.checked_add(year.checked_div(400)?)?;
    let before = year.checked_mul(365)?.checked_add(leaps)?.checked_add(until_month(from_march))?;
    before.checked_add(day)?.checked_sub(1)?.checked_sub(TO_EPOCH)
}

/// Days of a year from 1 March to the first of a month, from 0 for March.
fn until_month(from_march: u64) -> u64 {
    from_march.saturating_mul(153).saturating_add(2).checked_div(5).unwrap_or_default()
}

fn days_of(year: u64, month: u64) -> u64 {
    let divides = |by| year.checked_rem(by) == Some(0);
    match month {
        2 if divides(4) && (!divides(100) || divides(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The rest of a text.
struct Reader<'t>(&'t [u8]);

impl Reader<'_> {
    /// A number of so many digits.
    fn number(&mut self, digits: usize, low: u64, high: u64) -> Option<u64> {
        let (written, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        let number = written.iter().try_fold(0u64, |number, byte| {
            let digit = byte.is_ascii_digit().then(|| byte.saturating_sub(b'0'))?;
            number.checked_mul(10)?.checked_add(digit.into())
        })?;
        (low..=high).contains(&number).then_some(number)
    }

    /// A number of two digits after one of these characters.
    fn after(&mut self, marks: &[u8], low: u64, high: u64) -> Option<u64> {
        let (mark, rest) = self.0.split_first()?;
        self.0 = rest;
        if marks.contains(mark) { self.number(2, low, high) } else { None }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{parse, read, utc};

    #[test]
    fn moments_of_rfc_3339() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59z", 951_868_799),
            ("2026-12-01T09:00:00Z", 1_796_115_600),
            ("2026-12-01t12:00:00+01:00", 1_796_122_800),
            ("2026-11-30T22:30:00-10:30", 1_796_115_600),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(parse(text), Some(seconds), "{text}");
        }
    }

    #[test]
    fn every_day_of_five_centuries_comes_back() {
        let mut day = 0;
        while day < 200_000 {
            let moment = day * 86_400 + 3_723;
            assert_eq!(parse(&utc(moment)), Some(moment), "{}", utc(moment));
            day += 1;
        }
    }

    #[test]
    fn what_is_no_moment() {
        for text in [
            "",
            "2026-12-01",
            "2026-12-01 09:00:00Z",
            "2026-02-29T09:00:00Z",
            "2026-13-01T09:00:00Z",
            "2026-12-01T24:00:00Z",
            "2026-12-01T09:00:60Z",
            "2026-12-01T09:00:00+1:00",
            "2026-12-01T09:00:00+01:00Z",
            "2026-12-01T09:00:00Zulu",
            "1970-01-01T00:00:00+00:01",
            "1969-12-31T23:59:59Z",
            "٢٠٢٦-12-01T09:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        let refused = |text: &str| read(text).unwrap_err().to_string();
        assert!(refused("2026-12-01T09:00:00").contains("has no offset"));
        assert!(refused("2026-12-01T09:00:00.5Z").contains("parts of a second"));
        assert!(refused("tomorrow").contains("is not a moment"));
    }
}
