//! The group itself, and the event's own day.

use super::{Found, Records};

impl Records<'_> {
    pub(super) fn participants(&self) -> Option<Found> {
        let names = self.names()?;
        Some(Found::new(format!("In this group: {names}."), Vec::new()))
    }

    pub(super) fn headcount(&self) -> Option<Found> {
        let names = self.names()?;
        let count = self.event.participants.len();
        Some(Found::new(format!("{count} in this group: {names}."), Vec::new()))
    }

    fn names(&self) -> Option<String> {
        let names: Vec<&str> = self.event.participants.iter().map(|it| it.name.as_str()).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    pub(super) fn event_start(&self) -> Option<Found> {
        let starts = self.event.starts_at?.to_zoned(self.event.zone());
        let said = format!("It begins on {}.", starts.strftime("%A, %-d %B %Y at %H:%M %Z"));
        Some(Found::new(said, Vec::new()))
    }

    pub(super) fn days_left(&self) -> Option<Found> {
        let starts = self.event.first_day()?;
        let days = self.today.until(starts).ok()?.get_days();
        let said = match days {
            0 => "It is today".to_owned(),
            1 => "1 day left".to_owned(),
            days if days < 0 => "It has begun already".to_owned(),
            days => format!("{days} days left"),
        };
        Some(Found::new(format!("{said}: it begins on {}.", super::day(starts)), Vec::new()))
    }
}
