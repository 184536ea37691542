//! The summary as a person likes to read it, and the progress bar.
//!
//! A page is a number of columns with or without colour; the text is made as a
//! whole and returned, so that tests read it as people do. What came out of a chat
//! is stripped of control characters first: a message must not steer a terminal.

pub(in crate::cli) mod budgets;
pub mod figures;
pub mod outcomes;

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::columns::{self, fit, pad, plain, wrap};
use crate::domain::chat::Event;
use crate::domain::enrichment::ExpenseStatus;
use crate::domain::projection::TaskStatus;
use crate::domain::suggestion::SuggestionStatus;
use crate::domain::usage::NanoUsd;
use crate::monitor::summary::{Amount, ExpenseLine, PollLine, SuggestionLine, Summary, TaskLine};

/// The narrowest page that is laid out; a narrower terminal wraps by itself.
const NARROWEST: usize = 44;
/// Wider lines are hard to read.
const WIDEST: usize = 100;
/// How many lines of one kind are shown; `--json` has them all.
const MOST_LINES: usize = 40;
/// The longest bar of an intent.
const BAR: usize = 24;

/// Where a text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    width: usize,
    colour: bool,
}

impl Page {
    /// A page of that many columns, within what can be read.
    pub fn new(width: usize, colour: bool) -> Self {
        Self { width: width.clamp(NARROWEST, WIDEST), colour }
    }

    /// Standard output: `COLUMNS` wide, else 80; in colour when it is a terminal and `NO_COLOR` is not set.
    pub fn of_stdout() -> Self {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let width = set("COLUMNS").and_then(|columns| columns.parse().ok()).unwrap_or(80);
        let dumb = set("TERM").is_some_and(|terminal| terminal == "dumb");
        let colour = std::io::stdout().is_terminal() && set("NO_COLOR").is_none() && !dumb;
        Self::new(width, colour)
    }
}

/// A bar on standard error that counts settled messages; silent when that is no terminal.
pub fn progress_bar(total: u64) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(total), target);
    let style = ProgressStyle::with_template(
        "{bar:32.green/dim} {pos}/{len} messages  {elapsed}  {msg:.dim}",
    );
    if let Ok(style) = style {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar
}

/// The summary of an event, as text that ends with a line end.
pub fn summary(summary: &Summary, event: &Event, page: Page) -> String {
    let mut sheet = Sheet { page, text: String::new() };
    sheet.title(event);
    sheet.messages(summary);
    sheet.tasks(&summary.tasks);
    sheet.expenses(summary);
    sheet.transfers(summary);
    sheet.polls(&summary.polls);
    sheet.answers(summary);
    sheet.suggestions(&summary.suggestions);
    sheet.bill(summary);
    sheet.text
}

#[derive(Clone, Copy)]
enum Ink {
    Bold,
    Dim,
    Green,
    Yellow,
    Cyan,
}

struct Sheet {
    page: Page,
    text: String,
}

impl Sheet {
    fn ink(&self, ink: Ink, text: &str) -> String {
        let code = match ink {
            Ink::Bold => "1",
            Ink::Dim => "2",
            Ink::Green => "32",
            Ink::Yellow => "33",
            Ink::Cyan => "36",
        };
        if self.page.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn heading(&mut self, name: &str, figures: &str) {
        let room = self.page.width.saturating_sub(name.len() + 3);
        let figures = self.ink(Ink::Dim, &fit(figures, room));
        let name = self.ink(Ink::Bold, name);
        self.line("");
        self.line(&format!(" {name}  {figures}"));
    }

    /// A line of a list: a sign, the thing, and what is known of it, which gives way first.
    /// Both are plain already: a column of figures must keep its spaces.
    fn item(&mut self, sign: &str, ink: Ink, thing: &str, about: &str) {
        let room = self.page.width - 5;
        let thing = fit(thing, room);
        let left = room.saturating_sub(columns::width(&thing) + 2);
        let about = fit(about, left);
        let sign = self.ink(ink, sign);
        let about = if about.is_empty() { about } else { self.ink(Ink::Dim, &about) };
        self.line(&format!("   {sign} {thing}  {about}"));
    }

    fn left_out(&mut self, count: usize) {
        if count > MOST_LINES {
            let more = format!("     … and {} more, all of them with --json", count - MOST_LINES);
            let more = self.ink(Ink::Dim, &more);
            self.line(&more);
        }
    }

    fn title(&mut self, event: &Event) {
        let name = fit(&plain(&event.name), self.page.width - 2);
        let rule = "─".repeat(columns::width(&name));
        let (name, rule) = (self.ink(Ink::Bold, &name), self.ink(Ink::Dim, &rule));
        self.line("");
        self.line(&format!(" {name}"));
        self.line(&format!(" {rule}"));
    }

    fn messages(&mut self, summary: &Summary) {
        let counts = &summary.by_intent.0;
        let figures = format!("{} in {}", grouped(summary.messages), duration(summary.duration_ms));
        self.heading("Messages", &figures);
        let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
        let longest = self.page.width.saturating_sub(30).clamp(4, BAR) as u64;
        for (intent, count) in counts {
            let cells = (count * longest).div_ceil(most) as usize;
            let name = pad(&intent.replace('_', " "), 16);
            let bar = self.ink(Ink::Cyan, &"▇".repeat(cells));
            self.line(&format!("   {name} {:>5}  {bar}", grouped(*count)));
        }
    }

    fn tasks(&mut self, tasks: &[TaskLine]) {
        if tasks.is_empty() {
            return;
        }
        let count = |status| tasks.iter().filter(|task| task.status == status).count();
        let figures = [TaskStatus::Open, TaskStatus::Done, TaskStatus::Cancelled]
            .map(|status| (count(status), status.name()))
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, name)| format!("{count} {name}"))
            .collect::<Vec<_>>()
            .join(" · ");
        self.heading("Tasks", &figures);
        let by_status = |status| tasks.iter().filter(move |task| task.status == status);
        let ordered = by_status(TaskStatus::Open)
            .chain(by_status(TaskStatus::Done))
            .chain(by_status(TaskStatus::Cancelled));
        for task in ordered.take(MOST_LINES) {
            let (sign, ink) = match task.status {
                TaskStatus::Open => ("○", Ink::Yellow),
                TaskStatus::Done => ("✓", Ink::Green),
                TaskStatus::Cancelled => ("✗", Ink::Dim),
            };
            self.item(sign, ink, &plain(&task.title), &plain(&about_task(task)));
        }
        self.left_out(tasks.len());
    }

    fn expenses(&mut self, summary: &Summary) {
        let expenses = &summary.expenses;
        if expenses.is_empty() {
            return;
        }
        let mut figures = vec![format!("{} spent", with_code(summary.total_spent))];
        if summary.total_outstanding.minor != 0 {
            figures.push(format!("{} due", with_code(summary.total_outstanding)));
        }
        let others = summary.other_currencies.0.iter();
        figures.extend(others.map(|(_, amount)| format!("{} apart", with_code(*amount))));
        self.heading("Expenses", &figures.join(" · "));
        let shown = &expenses[..expenses.len().min(MOST_LINES)];
        let amounts: Vec<String> = shown.iter().map(|it| with_code(it.amount)).collect();
        let widest = amounts.iter().map(String::len).max().unwrap_or(0);
        for (expense, amount) in shown.iter().zip(&amounts) {
            let (sign, ink) = match expense.status {
                ExpenseStatus::Paid => ("✓", Ink::Green),
                ExpenseStatus::Due => ("○", Ink::Yellow),
                ExpenseStatus::Cancelled => ("✗", Ink::Dim),
            };
            let thing = format!("{amount:>widest$}  {}", plain(&expense.what));
            self.item(sign, ink, &thing, &plain(&about_expense(expense)));
        }
        self.left_out(expenses.len());
    }

    fn transfers(&mut self, summary: &Summary) {
        if !summary.transfers.is_empty() {
            self.heading("Who owes whom", "the fewest payments that make everybody even");
            for transfer in &summary.transfers {
                let people = format!("{} → {}", plain(&transfer.from), plain(&transfer.to));
                let thing = format!("{people}  {}", with_code(transfer.amount));
                self.item("•", Ink::Cyan, &thing, "");
            }
        } else if summary.total_spent.minor != 0 {
            self.heading("Who owes whom", "nobody owes anybody anything");
        }
    }

    fn polls(&mut self, polls: &[PollLine]) {
        if polls.is_empty() {
            return;
        }
        self.heading("Polls", &polls.len().to_string());
        for poll in polls.iter().take(MOST_LINES) {
            self.item("?", Ink::Cyan, &plain(&poll.question), "");
            let votes = poll.options.iter().zip(&poll.votes);
            let votes: Vec<String> = votes.map(|(option, n)| format!("{option} {n}")).collect();
            let result = poll.result.as_deref().unwrap_or("undecided");
            self.item(" ", Ink::Dim, &plain(&format!("→ {result}")), &plain(&votes.join(", ")));
        }
        self.left_out(polls.len());
    }

    fn answers(&mut self, summary: &Summary) {
        if summary.answers.is_empty() {
            return;
        }
        self.heading("Answers", &summary.answers.len().to_string());
        for answer in summary.answers.iter().take(MOST_LINES) {
            self.item("?", Ink::Cyan, &plain(&answer.question), "");
            for line in wrap(&plain(&answer.answer), self.page.width - 6) {
                self.line(&format!("     {line}"));
            }
        }
        self.left_out(summary.answers.len());
    }

    fn suggestions(&mut self, suggestions: &[SuggestionLine]) {
        let is_open = |it: &&SuggestionLine| it.status == SuggestionStatus::Open;
        let open: Vec<&SuggestionLine> = suggestions.iter().filter(is_open).collect();
        if open.is_empty() {
            return;
        }
        self.heading("What next", &open.len().to_string());
        for suggestion in open.iter().take(MOST_LINES) {
            let due = suggestion.due.map(|date| format!("by {}", date.strftime("%-d %b %Y")));
            self.item("→", Ink::Cyan, &plain(&suggestion.title), &due.unwrap_or_default());
            for line in wrap(&plain(&suggestion.reason), self.page.width - 6) {
                let line = self.ink(Ink::Dim, &line);
                self.line(&format!("     {line}"));
            }
        }
        self.left_out(open.len());
    }

    fn bill(&mut self, summary: &Summary) {
        self.heading("The bill", "");
        let total = dollars(summary.total_cost.0);
        let naive = summary.naive_cost.map_or("no price known".into(), |cost| dollars(cost.0));
        let rows = [
            ("answered from cache", grouped(summary.cache_hits)),
            ("model calls", grouped(summary.model_calls)),
            ("tokens", grouped(summary.total_tokens)),
            ("cost", total),
            ("avoided by the cache", dollars(summary.avoided_cost.0)),
            ("one full call a message", naive),
        ];
        for (name, figure) in rows {
            self.line(&format!("   {} {figure:>14}", pad(name, 24)));
        }
        let saved = summary.naive_cost.and_then(|naive| saving(summary.total_cost.0, naive.0));
        if let Some(saved) = saved {
            let saved = self.ink(Ink::Green, &format!("{saved:>14}"));
            self.line(&format!("   {} {saved}", pad("saved", 24)));
        }
    }
}

fn about_task(task: &TaskLine) -> String {
    let due = match (&task.due, &task.due_said) {
        (Some(date), _) => Some(format!("by {}", date.strftime("%-d %b %Y"))),
        (None, Some(said)) => Some(said.clone()),
        (None, None) => None,
    };
    task.assignee.clone().into_iter().chain(due).collect::<Vec<_>>().join(" · ")
}

fn about_expense(expense: &ExpenseLine) -> String {
    let who = match (&expense.paid_by, expense.status) {
        (_, ExpenseStatus::Cancelled) => "cancelled".to_owned(),
        (Some(payer), ExpenseStatus::Paid) => format!("{payer} paid"),
        (None, ExpenseStatus::Paid) => "paid".to_owned(),
        (Some(payer), ExpenseStatus::Due) => format!("due from {payer}"),
        (None, ExpenseStatus::Due) => "due".to_owned(),
    };
    match &expense.split_between {
        Some(people) => format!("{who}, for {}", people.join(", ")),
        None => who,
    }
}

fn with_code(amount: Amount) -> String {
    format!("{} {}", amount.currency.format(amount.minor), amount.currency)
}

/// `12,345`
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn duration(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{:.1} s", millis as f64 / 1e3),
        60_000.. => format!("{} min {} s", millis / 60_000, millis / 1_000 % 60),
    }
}

/// With as many decimals as a small sum needs to be told from nothing.
fn dollars(cost: NanoUsd) -> String {
    let amount = cost.dollars();
    match cost.0.unsigned_abs() {
        0 => "$0.00".into(),
        1_000_000_000.. => format!("${amount:.2}"),
        10_000_000.. => format!("${amount:.4}"),
        1_000.. => format!("${amount:.6}"),
        _ => "under $0.000001".into(),
    }
}

/// What was saved against the naive cost; `None` where there is nothing to compare with.
fn saving(total: NanoUsd, naive: NanoUsd) -> Option<String> {
    if naive.0 <= 0 {
        return None;
    }
    let share = 100.0 * (1.0 - total.0 as f64 / naive.0 as f64);
    Some(format!("{share:.1} %"))
}

#[cfg(test)]
mod tests;
