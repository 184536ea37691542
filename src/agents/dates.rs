//! Which day somebody means: "by the 22nd", "next friday", "1 Oct", "2 weeks out".
//!
//! Read on the group's own calendar, from the day on which it was said. A day
//! without a year or month is the next such day; what names no day is `None`,
//! never a guess.

use std::sync::LazyLock;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Weekday};
use regex::{Captures, Regex};

use crate::domain::chat::{Event, Message};

/// When something was said, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said {
    /// The moment on the group's own clock.
    pub at: DateTime,
    /// The day on which the event begins, if that is known.
    pub event: Option<Date>,
    /// Whether `5/9` is the ninth of May, as in the United States.
    pub month_first: bool,
}

impl Said {
    /// What a message of an event's chat says was said then, as its group writes dates.
    pub(crate) fn by(event: &Event, message: &Message) -> Self {
        Self {
            at: message.sent_at.to_zoned(event.zone()).datetime(),
            event: event.first_day(),
            month_first: event.locale.trim().to_lowercase().ends_with("-us"),
        }
    }

    fn day(&self) -> Date {
        self.at.date()
    }
}

/// The last day on which it is in time.
pub(crate) fn read(due: &str, said: &Said) -> Option<Date> {
    let due = due.to_lowercase();
    READERS.iter().find_map(|reader| {
        let found = reader.pattern.captures(&due)?;
        (reader.day)(&found, said)
    })
}

type DayOf = fn(&Captures<'_>, &Said) -> Option<Date>;

struct Reader {
    pattern: Regex,
    day: DayOf,
}

/// What the capitals in the patterns stand for. A day that is named right after "before" is
/// itself too late.
const PARTS: [(&str, &str); 6] = [
    ("BEFORE", r"(?<before>\bbefore (?:the )?)?\b"),
    ("MONTH", r"(?<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"),
    ("WEEKDAY", r"(?<weekday>mon|tue|wed|thu|fri|sat|sun)(?:s|rs|ur|urs|nes|r)?(?:day)?"),
    ("DAY", r"(?<day>\d{1,2})(?:st|nd|rd|th)?"),
    ("COUNT", r"(?<count>\d{1,3}|an?|one|two|three|four|five|six|a couple of)"),
    ("UNIT", r"(?<unit>day|week|month)s?"),
];

/// Dates with a month; in order, what is said more exactly is read first.
const DATED: [(&str, DayOf); 6] = [
    (r"BEFORE(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})\b", iso),
    (r"BEFOREDAY(?: of)?[ -]MONTH(?:,?[ -](?<year>\d{4}))?\b", named_month),
    (r"BEFOREMONTH (?:the )?DAY(?:,? (?<year>\d{4}))?\b", named_month),
    (r"BEFORE(?<one>\d{1,2})/(?<two>\d{1,2})(?:/(?<year>\d{4}|\d{2}))?\b", numeric),
    // With the second full stop: "2.10" alone is an hour.
    (r"BEFORE(?<one>\d{1,2})\.(?<two>\d{1,2})\.(?<year>\d{4})?", numeric),
    (
        r"\b(?<part>early|start of|beginning of|mid|middle of|late|end of)[ -]+MONTH\b",
        part_of_month,
    ),
];

/// Days counted from today, from the event, or by their place in week and month.
const RELATIVE: [(&str, DayOf); 7] = [
    (r"\bday after tomorrow\b", |_, said| ahead(said, 2)),
    (r"\b(?:tomorrow|tmrw|tmr|tomoz|tmw|2moro)\b", |_, said| ahead(said, 1)),
    (
        r"\bCOUNT UNIT (?:out|ahead|prior|before(?: the (?:event|wedding|party|big day|day|date|trip|offsite))?)$",
        before_event,
    ),
    (r"\b(?:in|within) (?:the next )?COUNT UNIT\b", within),
    (r"BEFORE(?<which>next|this|last)? ?\bWEEKDAY\b", weekday_said),
    (r"\b(?<which>this|next|the|end of)(?: the)? (?<unit>weekend|week|month)\b", this_or_next),
    (r"BEFORE(?<day>\d{1,2})(?:st|nd|rd|th)\b", day_alone),
];

/// Hours and parts of a day.
const TODAY: [(&str, DayOf); 3] = [
    (
        r"\b(?:today|tonight|tonite|now|asap|right away|immediately|straight away|eod|end of (?:the )?day|this (?:morning|afternoon|arvo|evening)|midnight|lunchtime)\b",
        |_, said| ahead(said, 0),
    ),
    (r"\bin the (?<part>morning|afternoon|evening)\b", part_of_day),
    (r"\b(?<hour>\d{1,2})(?::\d{2}|\.\d{2})? ?(?<half>am|pm)\b|\bnoon\b", hour),
];

static READERS: LazyLock<Vec<Reader>> = LazyLock::new(|| {
    let all = DATED.iter().chain(&RELATIVE).chain(&TODAY);
    all.map(|(pattern, day)| {
        let mut whole = (*pattern).to_owned();
        for (name, part) in PARTS {
            whole = whole.replace(name, part);
        }
        let pattern = Regex::new(&whole).expect("a test compiles every pattern");
        Reader { pattern, day: *day }
    })
    .collect()
});

fn ahead(said: &Said, days: i64) -> Option<Date> {
    said.day().checked_add(days.days()).ok()
}

fn number<T: std::str::FromStr>(found: &Captures<'_>, name: &str) -> Option<T> {
    found.name(name)?.as_str().parse().ok()
}

/// The day itself, or the one before it where that was said.
fn in_time(found: &Captures<'_>, day: Date) -> Option<Date> {
    if found.name("before").is_some() { day.yesterday().ok() } else { Some(day) }
}

fn iso(found: &Captures<'_>, _: &Said) -> Option<Date> {
    let month: u8 = number(found, "month")?;
    let day: u8 = number(found, "day")?;
    in_time(found, Date::new(number(found, "year")?, month as i8, day as i8).ok()?)
}

/// The day of that month in that year, or the next one from the day it was said.
fn dated(year: Option<i16>, month: i8, day: i8, said: &Said) -> Option<Date> {
    if let Some(year) = year {
        return Date::new(if year < 100 { year + 2000 } else { year }, month, day).ok();
    }
    let this = said.day().year();
    // Four years on there was a 29 February for sure.
    (this..=this + 4).filter_map(|year| Date::new(year, month, day).ok()).find(|d| *d >= said.day())
}

fn named_month(found: &Captures<'_>, said: &Said) -> Option<Date> {
    let month = month_number(found.name("month")?.as_str())?;
    in_time(found, dated(number(found, "year"), month, number(found, "day")?, said)?)
}

fn numeric(found: &Captures<'_>, said: &Said) -> Option<Date> {
    let (one, two): (i8, i8) = (number(found, "one")?, number(found, "two")?);
    let (day, month) = match (said.month_first, one, two) {
        (true, month, day) if month <= 12 => (day, month),
        (_, day, month) => (day, month),
    };
    in_time(found, dated(number(found, "year"), month, day, said)?)
}

fn month_number(name: &str) -> Option<i8> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let place = MONTHS.iter().position(|month| name.starts_with(month))?;
    i8::try_from(place + 1).ok()
}

fn part_of_month(found: &Captures<'_>, said: &Said) -> Option<Date> {
    let month = month_number(found.name("month")?.as_str())?;
    let day = match &found["part"] {
        "early" | "start of" | "beginning of" => 7,
        "mid" | "middle of" => 15,
        _ => return dated(None, month, 1, &month_start(said)).map(|first| first.last_of_month()),
    };
    dated(None, month, day, said)
}

/// As if it had been said on the first of the month: the end of this month is still ahead.
fn month_start(said: &Said) -> Said {
    Said { at: said.day().first_of_month().to_datetime(said.at.time()), ..*said }
}

fn days_of(found: &Captures<'_>) -> Option<i64> {
    let count = match &found["count"] {
        "a" | "an" | "one" => 1,
        "two" | "a couple of" => 2,
        "three" => 3,
        "four" => 4,
        "five" => 5,
        "six" => 6,
        digits => digits.parse().ok()?,
    };
    let unit = match &found["unit"] {
        "day" => 1,
        "week" => 7,
        _ => 30,
    };
    Some(count * unit)
}

fn before_event(found: &Captures<'_>, said: &Said) -> Option<Date> {
    said.event?.checked_sub(days_of(found)?.days()).ok()
}

fn within(found: &Captures<'_>, said: &Said) -> Option<Date> {
    ahead(said, days_of(found)?)
}

fn weekday_said(found: &Captures<'_>, said: &Said) -> Option<Date> {
    let wanted = match &found["weekday"] {
        "mon" => Weekday::Monday,
        "tue" => Weekday::Tuesday,
        "wed" => Weekday::Wednesday,
        "thu" => Weekday::Thursday,
        "fri" => Weekday::Friday,
        "sat" => Weekday::Saturday,
        _ => Weekday::Sunday,
    };
    let today = said.day();
    let which = found.name("which").map(|which| which.as_str());
    let day = match which {
        Some("last") => return None,
        Some("next") => {
            let monday = ahead(said, 7 - i64::from(today.weekday().to_monday_zero_offset()))?;
            monday.checked_add(i64::from(wanted.to_monday_zero_offset()).days()).ok()?
        }
        // On a Thursday, "this thursday" is today and "thursday" the next one.
        Some(_) if today.weekday() == wanted => today,
        Some(_) | None => today.nth_weekday(1, wanted).ok()?,
    };
    in_time(found, day)
}

fn this_or_next(found: &Captures<'_>, said: &Said) -> Option<Date> {
    let weeks = if &found["which"] == "next" { 1 } else { 0 };
    match &found["unit"] {
        "month" if weeks == 1 => Some(said.day().checked_add(1.month()).ok()?.last_of_month()),
        "month" => Some(said.day().last_of_month()),
        _ => {
            let to_sunday = 6 - i64::from(said.day().weekday().to_monday_zero_offset());
            ahead(said, to_sunday + 7 * weeks)
        }
    }
}

/// The next such day of a month that has one.
fn day_alone(found: &Captures<'_>, said: &Said) -> Option<Date> {
    let day: i8 = number(found, "day")?;
    let first = said.day().first_of_month();
    let next = (0..3)
        .filter_map(|months| first.checked_add(i64::from(months).months()).ok())
        .filter_map(|first| Date::new(first.year(), first.month(), day).ok())
        .find(|date| *date >= said.day())?;
    in_time(found, next)
}

/// That part of today while it is ahead, else of tomorrow.
fn part_of_day(found: &Captures<'_>, said: &Said) -> Option<Date> {
    let ends = match &found["part"] {
        "morning" => 10,
        "afternoon" => 16,
        _ => 22,
    };
    ahead(said, i64::from(said.at.hour() >= ends))
}

/// That hour of today while it is ahead, else of tomorrow.
fn hour(found: &Captures<'_>, said: &Said) -> Option<Date> {
    let hour = match number::<i8>(found, "hour") {
        Some(hour) if &found["half"] == "pm" => hour % 12 + 12,
        Some(hour) => hour % 12,
        None => 12,
    };
    ahead(said, i64::from(said.at.hour() >= hour))
}

/// Whole days from one day to another; negative when the other is earlier.
pub(super) fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, datetime};

    use super::*;

    /// Monday, 2 March 2026, six in the evening; the event is on 6 June.
    fn monday() -> Said {
        Said {
            at: datetime(2026, 3, 2, 18, 0, 0, 0),
            event: Some(date(2026, 6, 6)),
            month_first: false,
        }
    }

    #[test]
    fn days_are_read_from_the_day_on_which_they_were_said() {
        for (said, month, day) in [
            ("today", 3, 2),
            ("tonight", 3, 2),
            ("ASAP", 3, 2),
            ("NOW", 3, 2),
            ("by EOD", 3, 2),
            ("tomorrow", 3, 3),
            ("tmrw", 3, 3),
            ("day after tomorrow", 3, 4),
            ("before it goes to the printer tomorrow", 3, 3),
            ("in the morning", 3, 3),
            ("7am", 3, 3),
            ("by 10pm", 3, 2),
            ("by noon", 3, 3),
            ("in 3 days", 3, 5),
            ("in two weeks", 3, 16),
            ("2 weeks out", 5, 23),
            ("a month before the wedding", 5, 7),
            ("this week", 3, 8),
            ("this weekend", 3, 8),
            ("next week", 3, 15),
            ("end of the week", 3, 8),
            ("by end of month", 3, 31),
            ("next month", 4, 30),
        ] {
            assert_eq!(read(said, &monday()), Some(date(2026, month, day)), "{said}");
        }
    }

    #[test]
    fn weekdays_are_the_next_ones() {
        for (said, day) in [
            ("thursday", 5),
            ("by Thursday", 5),
            ("thurs arvo", 5),
            ("fri", 6),
            ("friday 2.40pm", 6),
            ("friday 2.10pm", 6),
            ("by Weds", 4),
            ("by Wednesday EOD", 4),
            ("tues", 3),
            ("tuesday midnight", 3),
            ("monday", 9),
            ("this monday", 2),
            ("next friday", 13),
            ("next thurs", 12),
            ("before Saturday", 6),
            ("before 9am Monday", 9),
            ("sunday at the latest", 8),
            ("by noon Sunday", 8),
            ("saturday morning", 7),
            ("11am sat", 7),
        ] {
            assert_eq!(read(said, &monday()), Some(date(2026, 3, day)), "{said}");
        }
    }

    #[test]
    fn dates_without_a_year_are_the_next_ones() {
        for (said, year, month, day) in [
            ("by the 22nd", 2026, 3, 22),
            ("by the 30th", 2026, 3, 30),
            ("on the 1st", 2026, 4, 1),
            ("2nd", 2026, 3, 2),
            ("before the 15th", 2026, 3, 14),
            ("before 20th April", 2026, 4, 19),
            ("by 15th May", 2026, 5, 15),
            ("before the sale ends the 20th", 2026, 3, 20),
            ("by 1 Oct", 2026, 10, 1),
            ("Oct 1st", 2026, 10, 1),
            ("14th of May, 2027", 2027, 5, 14),
            ("by 1 Feb", 2027, 2, 1),
            ("29 Feb", 2028, 2, 29),
            ("by mid April", 2026, 4, 15),
            ("end of March", 2026, 3, 31),
            ("early June", 2026, 6, 7),
            ("2026-05-14", 2026, 5, 14),
            ("14/5", 2026, 5, 14),
            ("14.05.2026", 2026, 5, 14),
        ] {
            assert_eq!(read(said, &monday()), Some(date(year, month, day)), "{said}");
        }
    }

    #[test]
    fn in_the_united_states_the_month_comes_first() {
        let said = Said { month_first: true, ..monday() };
        assert_eq!(read("5/9", &said), Some(date(2026, 5, 9)));
        assert_eq!(read("5/9", &monday()), Some(date(2026, 9, 5)));
        assert_eq!(read("25/5", &said), Some(date(2026, 5, 25)));
    }

    #[test]
    fn what_names_no_day_is_not_guessed() {
        for said in [
            "by doors",
            "after the disco",
            "By next standup",
            "before half term",
            "a week before half term",
            "",
            "soon",
            "30/30",
            "last friday",
            "99th",
        ] {
            assert_eq!(read(said, &monday()), None, "{said}");
        }
    }

    #[test]
    fn the_thirty_first_skips_the_months_that_lack_it() {
        let said = Said { at: datetime(2026, 4, 2, 9, 0, 0, 0), ..monday() };
        assert_eq!(read("by the 31st", &said), Some(date(2026, 5, 31)));
    }
}
