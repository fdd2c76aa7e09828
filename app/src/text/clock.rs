//! Times and durations in words.
//!
//! Server and browser must print the same, so the clock that the reader sees is
//! a fixed offset from UTC that travels with the page ([`Zone`]), never the
//! process's or the browser's own zone; and "now" is always the server's.

use super::Texts;
use leptos::prelude::*;
use padis_domain::words::UnixMs;

/// Minutes east of UTC in which times are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(pub i32);

impl Default for Zone {
    /// China Standard Time.
    fn default() -> Self {
        Self(480)
    }
}

impl Zone {
    /// The zone of this page.
    pub fn here() -> Self {
        use_context::<Self>().unwrap_or_default()
    }
    /// `UTC+8`, `UTC-3:30`.
    pub fn name(self) -> String {
        let (sign, m) = (if self.0 < 0 { '-' } else { '+' }, self.0.unsigned_abs());
        if m % 60 == 0 { format!("UTC{sign}{}", m / 60) } else { format!("UTC{sign}{}:{:02}", m / 60, m % 60) }
    }
}

/// A moment taken apart in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// Year.
    pub year: i64,
    /// Month 1 to 12.
    pub month: u32,
    /// Day 1 to 31.
    pub day: u32,
    /// Hour.
    pub hour: u32,
    /// Minute.
    pub minute: u32,
    /// Second.
    pub second: u32,
    /// Days since Sunday.
    pub weekday: u32,
}

/// The date and time of `at` in `zone`. Algorithm: H. Hinnant, "chrono-compatible
/// low-level date algorithms", `civil_from_days`.
pub fn civil(at: UnixMs, zone: Zone) -> Civil {
    let s = at.div_euclid(1000) + i64::from(zone.0) * 60;
    let (days, rest) = (s.div_euclid(86_400), s.rem_euclid(86_400));
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    Civil {
        year: yoe + era * 400 + i64::from(month <= 2),
        month: month as u32,
        day: (doy - (153 * mp + 2) / 5 + 1) as u32,
        hour: (rest / 3600) as u32,
        minute: (rest % 3600 / 60) as u32,
        second: (rest % 60) as u32,
        weekday: (days + 4).rem_euclid(7) as u32,
    }
}

/// `2026-11-22 14:03:22 UTC+8`: what stands on hover.
pub fn exact(at: UnixMs) -> String {
    let (zone, c) = (Zone::here(), civil(at, Zone::here()));
    format!("{:04}-{:02}-{:02} {:02}:{:02}:{:02} {}", c.year, c.month, c.day, c.hour, c.minute, c.second, zone.name())
}
/// `14:03:22`.
pub fn clock_time(at: UnixMs) -> String {
    let c = civil(at, Zone::here());
    format!("{:02}:{:02}:{:02}", c.hour, c.minute, c.second)
}
/// `14:03`.
pub fn short_time(at: UnixMs) -> String {
    let c = civil(at, Zone::here());
    format!("{:02}:{:02}", c.hour, c.minute)
}
/// `2026-11-22`.
pub fn date(at: UnixMs) -> String {
    let c = civil(at, Zone::here());
    format!("{:04}-{:02}-{:02}", c.year, c.month, c.day)
}
/// RFC 3339 in UTC, for `<time datetime>`.
pub fn machine(at: UnixMs) -> String {
    let c = civil(at, Zone(0));
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second)
}
/// `00:41`, `1:02:03`: a stopwatch.
pub fn stopwatch(ms: i64) -> String {
    let s = (ms.max(0) + 500) / 1000;
    if s < 3600 {
        format!("{:02}:{:02}", s / 60, s % 60)
    } else {
        format!("{}:{:02}:{:02}", s / 3600, s % 3600 / 60, s % 60)
    }
}

/// What an input for date and time holds: `2026-11-22T14:03`.
pub fn input(at: UnixMs) -> String {
    let c = civil(at, Zone::here());
    format!("{:04}-{:02}-{:02}T{:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute)
}

/// The moment that a text names in `zone`: `2026-11-22`, with `T14:03` or ` 14:03`
/// behind it, with seconds or without. `end`: its last millisecond, so that the
/// minute or day that is named is included. `None`: no such moment. Algorithm: H.
/// Hinnant, `days_from_civil`.
pub fn moment(text: &str, zone: Zone, end: bool) -> Option<UnixMs> {
    let text = text.trim();
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, ""));
    let number = |s: &str| s.bytes().all(|b| b.is_ascii_digit()).then(|| s.parse::<i64>().ok()).flatten();
    let of = |s: &str, sep: char| s.split(sep).map(number).collect::<Option<Vec<i64>>>();
    let &[year, month, day] = of(date, '-')?.as_slice() else { return None };
    let (hour, minute, second, width) = match of(time, ':') {
        None if time.is_empty() => (0, 0, 0, 86_400),
        Some(t) => match *t.as_slice() {
            [h, m] => (h, m, 0, 60),
            [h, m, s] => (h, m, s, 1),
            _ => return None,
        },
        None => return None,
    };
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (y, shifted) = (year - i64::from(month <= 2), (month + 9) % 12);
    let (era, doy) = (y.div_euclid(400), (153 * shifted + 2) / 5 + day - 1);
    let yoe = y.rem_euclid(400);
    let days = era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468;
    let at = (days * 86_400 + hour * 3600 + minute * 60 + second - i64::from(zone.0) * 60) * 1000;
    // A day that its month does not have would come out in another month.
    let c = civil(at, zone);
    let same = (c.year, i64::from(c.month), i64::from(c.day)) == (year, month, day);
    same.then_some(if end { at + width * 1000 - 1 } else { at })
}

impl Texts {
    /// `12 s ago`, `yesterday, 22:10`, `16 days ago`.
    pub fn ago(&self, at: UnixMs, now: UnixMs) -> String {
        let s = (now - at) / 1000;
        if s < 0 {
            return self.until(at, now);
        }
        match s {
            0..=1 => self.pick("刚刚", "just now").to_owned(),
            2..=59 => self.pick_with(|| format!("{s} 秒前"), || format!("{s} s ago")),
            60..=3599 => self.pick_with(|| format!("{} 分钟前", s / 60), || format!("{} min ago", s / 60)),
            3600..=86_399 => self.pick_with(|| format!("{} 小时前", s / 3600), || format!("{} h ago", s / 3600)),
            86_400..=172_799 => {
                self.pick_with(|| format!("1 天前 {}", short_time(at)), || format!("1 day ago, {}", short_time(at)))
            }
            _ => self.pick_with(|| format!("{} 天前", s / 86_400), || format!("{} days ago", s / 86_400)),
        }
    }
    /// `in 12 s`.
    pub fn until(&self, at: UnixMs, now: UnixMs) -> String {
        let d = self.lasting((at - now).max(0));
        self.pick_with(|| format!("{d}后"), || format!("in {d}"))
    }
    /// `40 s`, `2 h 16 min`, `9 days`: how long something has lasted.
    pub fn lasting(&self, ms: i64) -> String {
        let s = ms.max(0) / 1000;
        match s {
            0..=119 => self.pick_with(|| format!("{s} 秒"), || format!("{s} s")),
            120..=3599 => self.pick_with(|| format!("{} 分钟", s / 60), || format!("{} min", s / 60)),
            3600..=172_799 => {
                let (h, m) = (s / 3600, s % 3600 / 60);
                if m == 0 {
                    self.pick_with(|| format!("{h} 小时"), || format!("{h} h"))
                } else {
                    self.pick_with(|| format!("{h} 小时 {m} 分"), || format!("{h} h {m} min"))
                }
            }
            _ => self.pick_with(|| format!("{} 天", s / 86_400), || format!("{} days", s / 86_400)),
        }
    }
    /// `0.1 s`, `21.8 s`, `2 min 5 s`: how long a step took.
    pub fn took(&self, ms: i64) -> String {
        let ms = ms.max(0);
        if ms < 100_000 {
            let t = (ms + 50) / 100;
            return self.pick_with(|| format!("{}.{} 秒", t / 10, t % 10), || format!("{}.{} s", t / 10, t % 10));
        }
        let s = ms / 1000;
        self.pick_with(|| format!("{} 分 {} 秒", s / 60, s % 60), || format!("{} min {} s", s / 60, s % 60))
    }
    /// `Sunday 22 November 2026, 14:03`.
    pub fn long_date(&self, at: UnixMs) -> String {
        const DAYS: [(&str, &str); 7] = [
            ("星期日", "Sunday"),
            ("星期一", "Monday"),
            ("星期二", "Tuesday"),
            ("星期三", "Wednesday"),
            ("星期四", "Thursday"),
            ("星期五", "Friday"),
            ("星期六", "Saturday"),
        ];
        const MONTHS: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        let c = civil(at, Zone::here());
        let day = DAYS[(c.weekday % 7) as usize];
        let month = MONTHS[((c.month + 11) % 12) as usize];
        self.pick_with(
            || format!("{} 年 {} 月 {} 日 {} {:02}:{:02}", c.year, c.month, c.day, day.0, c.hour, c.minute),
            || format!("{} {} {month} {}, {:02}:{:02}", day.1, c.day, c.year, c.hour, c.minute),
        )
    }
    /// `<time>` with the relative words and the exact time on hover.
    pub fn when(&self, at: UnixMs, now: UnixMs) -> AnyView {
        view! { <time datetime=machine(at) title=exact(at)>{self.ago(at, now)}</time> }.into_any()
    }
    /// `<time>` for how long something has lasted, with its beginning on hover.
    pub fn since(&self, at: UnixMs, now: UnixMs) -> AnyView {
        view! { <time datetime=machine(at) title=exact(at)>{self.lasting(now - at)}</time> }.into_any()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{EN, ZH};

    #[test]
    fn civil_time_matches_known_moments() {
        // 2026-11-22T06:03:22Z is a Sunday; 2000-02-29 exists.
        let c = civil(1_795_327_402_000, Zone(480));
        assert_eq!((c.year, c.month, c.day, c.hour, c.minute, c.second, c.weekday), (2026, 11, 22, 14, 3, 22, 0));
        let c = civil(951_782_400_000, Zone(0));
        assert_eq!((c.year, c.month, c.day), (2000, 2, 29));
        assert_eq!(machine(0), "1970-01-01T00:00:00Z");
        assert_eq!(civil(-1, Zone(0)).second, 59);
    }

    #[test]
    fn a_typed_moment_is_read_in_the_zone_and_an_end_includes_what_it_names() {
        let z = Zone(480);
        assert_eq!(moment("2026-11-22T14:03:22", z, false), Some(1_795_327_402_000));
        assert_eq!(moment(" 2026-11-22 14:03 ", z, false), Some(1_795_327_380_000));
        assert_eq!(moment("2026-11-22T14:03", z, true), Some(1_795_327_439_999));
        let day = moment("2026-11-22", z, false).unwrap_or_default();
        assert_eq!(moment("2026-11-22", z, true), Some(day + 86_399_999));
        assert_eq!(moment("2000-02-29", Zone(0), false), Some(951_782_400_000));
        for bad in [
            "",
            "now",
            "2026-02-30",
            "2026-13-01",
            "2026-1",
            "2026-11-22T25:00",
            "2026-11-22T1",
            "2026-11-22T-1:00",
            "99999-01-01",
        ] {
            assert_eq!(moment(bad, z, false), None, "{bad}");
        }
        // Every day of four centuries comes back as it went.
        for d in 0..146_097 {
            let c = civil(d * 86_400_000, Zone(0));
            let text = format!("{:04}-{:02}-{:02}", c.year, c.month, c.day);
            assert_eq!(moment(&text, Zone(0), false), Some(d * 86_400_000), "{text}");
        }
    }

    #[test]
    fn durations_keep_their_unit() {
        assert_eq!(EN.ago(0, 12_000), "12 s ago");
        assert_eq!(ZH.ago(0, 3_600_000), "1 小时前");
        assert_eq!(EN.ago(30_000, 0), "in 30 s");
        assert_eq!(EN.took(21_840), "21.8 s");
        assert_eq!(stopwatch(40_600), "00:41");
        assert_eq!(EN.lasting(8_160_000), "2 h 16 min");
        assert_eq!(Zone(-210).name(), "UTC-3:30");
    }
}
