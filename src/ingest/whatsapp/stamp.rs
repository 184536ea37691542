//! The stamp before a WhatsApp message: date styles and clocks.
//!
//! Android writes `12/31/24, 9:41 PM - `, iOS `[31/12/2024, 21:41:05] `; both in
//! the phone's own date order. A single stamp may not tell day from month, so
//! stamps are read as bare numbers first and the whole file decides.

use std::str::FromStr;
use std::sync::LazyLock;

use jiff::civil::{Date, DateTime, Time};
use regex::Regex;

/// In which order a date's numbers stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// 31/12/2024, `dmy`.
    DayFirst,
    /// 12/31/2024, `mdy`.
    MonthFirst,
    /// 2024-12-31, `ymd`.
    YearFirst,
}

/// A date order that is none of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a date order is dmy, mdy or ymd")]
pub struct BadDateOrder;

impl FromStr for DateOrder {
    type Err = BadDateOrder;

    fn from_str(text: &str) -> Result<Self, BadDateOrder> {
        match text.trim().to_ascii_lowercase().as_str() {
            "dmy" => Ok(Self::DayFirst),
            "mdy" => Ok(Self::MonthFirst),
            "ymd" => Ok(Self::YearFirst),
            _ => Err(BadDateOrder),
        }
    }
}

/// Marks of writing direction that WhatsApp puts before its own words.
pub(super) const MARKS: [char; 6] =
    ['\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{feff}'];

/// Which phone wrote the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `12/31/24, 9:41 PM - `
    Android,
    /// `[31/12/2024, 21:41:05] `
    Ios,
}

/// A stamp as its numbers stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) style: Style,
    numbers: [i16; 3],
    separator: char,
    short_year: bool,
    year_leads: bool,
    twelve_hours: bool,
    time: Time,
}

static STAMP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^(?P<open>\[)?
        (?P<a>[0-9]{1,4})(?P<sep>[./-])\s?(?P<b>[0-9]{1,2})[./-]\s?(?P<c>[0-9]{1,4})\.?
        ,?\s+(?:(?:at|um|kl\.?|à|alle|às)\s+)?
        (?P<h>[0-9]{1,2})[:.](?P<m>[0-9]{2})(?:[:.](?P<s>[0-9]{2}))?
        (?:\s*(?P<half>[AaPp])\.?\s?[Mm]\.?)?
        (?:(?P<close>\])|\s+[-\u{2013}])(?:\s|$)(?P<rest>.*)$",
    )
    .expect("the pattern is a constant, and every test of this module compiles it")
});

impl Stamp {
    /// Reads the stamp that a line begins with, and what stands behind it.
    pub(super) fn read(line: &str) -> Option<(Self, &str)> {
        let line = line.trim_start_matches(MARKS);
        // Most lines of a long message are no stamp; this spares them the pattern.
        line.starts_with(|c: char| c == '[' || c.is_ascii_digit()).then_some(())?;
        let found = STAMP.captures(line)?;
        let (open, close) = (found.name("open").is_some(), found.name("close").is_some());
        let number = |name| found.name(name)?.as_str().parse::<i16>().ok();
        let digits = |name| found.name(name).map_or(0, |number| number.len());
        let year_leads = digits("a") == 4;
        let plausible =
            open == close && matches!((digits("a"), digits("c")), (4, 1 | 2) | (1 | 2, 2 | 4));
        plausible.then_some(())?;
        let half = found.name("half").map(|half| half.as_str().to_ascii_lowercase());
        let hour = clock_hour(number("h")?, half.as_deref())?;
        let second = number("s").unwrap_or(0) as i8;
        let stamp = Self {
            style: if open { Style::Ios } else { Style::Android },
            numbers: [number("a")?, number("b")?, number("c")?],
            separator: found.name("sep")?.as_str().chars().next()?,
            short_year: !year_leads && digits("c") == 2,
            year_leads,
            twelve_hours: half.is_some(),
            time: Time::new(hour, number("m")? as i8, second, 0).ok()?,
        };
        Some((stamp, found.name("rest").map_or("", |rest| rest.as_str())))
    }

    /// The local time, if there is such a date.
    pub(super) fn local(&self, order: DateOrder) -> Option<DateTime> {
        let [year, month, day] = self.date_numbers(order);
        let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
        Some(date.to_datetime(self.time))
    }

    fn date_numbers(&self, order: DateOrder) -> [i16; 3] {
        let [a, b, c] = self.numbers;
        let order = if self.year_leads { DateOrder::YearFirst } else { order };
        let [year, month, day] = match order {
            DateOrder::YearFirst => [a, b, c],
            DateOrder::DayFirst => [c, b, a],
            DateOrder::MonthFirst => [c, a, b],
        };
        [if year < 100 { 2000 + year } else { year }, month, day]
    }

    /// The stamp as a text that is the same whichever order and clock it is read in, so that a
    /// longer export, which may decide the order, still gives the same message IDs.
    pub(super) fn key(&self) -> String {
        let mut numbers = self.date_numbers(DateOrder::DayFirst);
        numbers.sort_unstable();
        format!("{numbers:?} {}", self.time)
    }
}

fn clock_hour(hour: i16, half: Option<&str>) -> Option<i8> {
    let hour = match half {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some("p") => hour % 12 + 12,
        Some(_) => hour % 12,
    };
    i8::try_from(hour).ok()
}

/// The date order of a file's stamps, and what had to be assumed for it.
pub(super) fn decide(stamps: &[&Stamp]) -> (DateOrder, Option<String>) {
    let open: Vec<&&Stamp> = stamps.iter().filter(|stamp| !stamp.year_leads).collect();
    let Some(first) = open.first() else { return (DateOrder::YearFirst, None) };
    let over = |place: usize| open.iter().filter(|stamp| stamp.numbers[place] > 12).count();
    let (days_first, days_second) = (over(0), over(1));
    if days_first != days_second {
        let day_first = days_first > days_second;
        return (if day_first { DateOrder::DayFirst } else { DateOrder::MonthFirst }, None);
    }
    if open.iter().all(|stamp| stamp.numbers[0] == stamp.numbers[1]) {
        return (DateOrder::DayFirst, None);
    }
    let backwards = |order| {
        open.windows(2)
            .filter(|two| two[1].date_numbers(order) < two[0].date_numbers(order))
            .count()
    };
    let (by_day, by_month) = (backwards(DateOrder::DayFirst), backwards(DateOrder::MonthFirst));
    let american = first.twelve_hours && first.separator == '/' && first.short_year;
    let (order, because) = match by_day.cmp(&by_month) {
        std::cmp::Ordering::Less => (DateOrder::DayFirst, "else time runs backwards"),
        std::cmp::Ordering::Greater => (DateOrder::MonthFirst, "else time runs backwards"),
        std::cmp::Ordering::Equal if american => {
            (DateOrder::MonthFirst, "as phones with a 12-hour clock and short years write them")
        }
        std::cmp::Ordering::Equal => (DateOrder::DayFirst, "as most phones write them"),
    };
    let (said, other) = match order {
        DateOrder::MonthFirst => ("month first", "dmy"),
        DateOrder::DayFirst | DateOrder::YearFirst => ("day first", "mdy"),
    };
    let note = format!(
        "no date tells day from month; they were read {said}, {because} (--date-order {other} reads them the other way)"
    );
    (order, Some(note))
}
