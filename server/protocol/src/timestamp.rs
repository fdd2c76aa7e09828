//! Marathon's timestamps: ISO 8601 with milliseconds and `Z`.
//!
//! App versions are such timestamps and are compared as text by clients, so the
//! width must never vary (`…:50.000Z`, not `…:50Z`): that is the way to get it wrong.

use time::format_description::FormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

const WIRE: &[FormatItem<'static>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// Milliseconds since 1970-01-01T00:00:00Z now, by the wall clock.
pub fn now_ms() -> i64 {
    let nanos = OffsetDateTime::now_utc().unix_timestamp_nanos();
    i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX)
}

/// The wire form of milliseconds since the epoch; a moment that a calendar
/// can't show (before year 0, after 9999) is shown as the epoch.
pub fn format(unix_ms: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(unix_ms) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    moment.format(&WIRE).unwrap_or_else(|_| String::from("1970-01-01T00:00:00.000Z"))
}

/// The wire form of now.
pub fn now() -> String {
    format(now_ms())
}

/// Milliseconds since the epoch of a wire timestamp; RFC 3339 with an offset is
/// understood too. `None` if it is neither.
pub fn parse(text: &str) -> Option<i64> {
    let moment = OffsetDateTime::parse(text, &Rfc3339)
        .or_else(|_| PrimitiveDateTime::parse(text, &WIRE).map(|t| t.assume_utc()))
        .ok()?
        .to_offset(UtcOffset::UTC);
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn width_never_varies() {
        assert_eq!(format(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(parse("2015-09-25T15:13:48.343Z").map(format).as_deref(), Some("2015-09-25T15:13:48.343Z"));
        assert_eq!(parse("2015-09-25T17:13:48.3+02:00").map(format).as_deref(), Some("2015-09-25T15:13:48.300Z"));
        assert_eq!(parse("yesterday"), None);
    }

    proptest! {
        #[test]
        fn round_trip_and_text_order(a in 0_i64..253_402_300_799_999, b in 0_i64..253_402_300_799_999) {
            prop_assert_eq!(parse(&format(a)), Some(a));
            prop_assert_eq!(a.cmp(&b), format(a).cmp(&format(b)));
        }
    }
}
