//! `gleaner suggestions`: what groups may do next, and what they do not want to hear again.

use clap::{Args, Subcommand};
use uuid::Uuid;

use super::columns::plain;
use crate::domain::ids::EventId;
use crate::domain::suggestion::SuggestionStatus;
use crate::monitor::suggestions::SuggestionListing;
use crate::store::Store;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct SuggestionsArgs {
    #[command(subcommand)]
    action: Option<Action>,
    /// Only those of one event; else the newest of all.
    #[arg(long, value_name = "ID", value_parser = EventId::parse)]
    event: Option<EventId>,
    /// Print them as one JSON list, dismissed ones too.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Dismiss a suggestion for good.
    Dismiss {
        /// Its ID, as the list names it.
        id: Uuid,
        /// Who dismisses it; the user's name otherwise.
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
}

pub(super) async fn run(store: &dyn Store, args: SuggestionsArgs) -> anyhow::Result<()> {
    match args.action {
        Some(Action::Dismiss { id, by }) => {
            let known = store.dismiss_suggestion(id, &super::who(by)).await?;
            anyhow::ensure!(known, "no suggestion has the ID {id}");
            println!("dismissed {id}");
        }
        None => {
            let rows = store.suggestions(args.event.as_ref()).await?;
            let listed: Vec<SuggestionListing> = rows.into_iter().map(Into::into).collect();
            if args.json {
                println!("{}", serde_json::to_string(&listed)?);
            } else {
                print!("{}", list(&listed));
            }
        }
    }
    Ok(())
}

/// The open ones, event by event, for people.
fn list(listed: &[SuggestionListing]) -> String {
    let mut open: Vec<&SuggestionListing> =
        listed.iter().filter(|it| it.status == SuggestionStatus::Open).collect();
    // Stable: within an event they stay in their order.
    open.sort_by(|one, other| one.event_id.cmp(&other.event_id));
    let mut text = String::new();
    let mut event = None;
    for it in &open {
        if event != Some(&it.event_id) {
            event = Some(&it.event_id);
            text.push_str(&format!("{}\n", it.event_id));
        }
        let due = it.due.map(|date| format!(", by {}", date.strftime("%-d %b %Y")));
        let (title, due) = (plain(&it.title), due.unwrap_or_default());
        text.push_str(&format!("  {}  {title}{due}\n", it.id));
        text.push_str(&format!("  {:36}  {}\n", "", plain(&it.reason)));
    }
    let dismissed = listed.len() - open.len();
    text.push_str(&format!("{} open, {dismissed} dismissed\n", open.len()));
    text
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn listing(event: &str, title: &str, status: SuggestionStatus) -> SuggestionListing {
        SuggestionListing {
            id: Uuid::nil(),
            event_id: EventId::parse(event).unwrap(),
            title: title.into(),
            object: "florist".into(),
            action: "book".into(),
            reason: "it is\nlate\u{1b}[2J".into(),
            due: Some("2026-07-01".parse().unwrap()),
            status,
            model: None,
            created_at: Timestamp::UNIX_EPOCH,
            dismissed_at: None,
            dismissed_by: None,
        }
    }

    #[test]
    fn open_suggestions_are_listed_by_event_with_what_dismisses_them() {
        let rows = [
            listing("wedding", "Book a florist", SuggestionStatus::Open),
            listing("offsite", "Book a bus", SuggestionStatus::Open),
            listing("wedding", "Book a band", SuggestionStatus::Dismissed),
        ];
        let id = Uuid::nil();
        let gap = " ".repeat(40);
        let expected = format!(
            "offsite\n  {id}  Book a bus, by 1 Jul 2026\n{gap}it is late [2J\n\
             wedding\n  {id}  Book a florist, by 1 Jul 2026\n{gap}it is late [2J\n\
             2 open, 1 dismissed\n"
        );
        assert_eq!(list(&rows), expected);
    }
}
