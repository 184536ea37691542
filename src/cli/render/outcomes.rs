//! Outcomes beside their truth, as a table for people.

use std::fmt::Write as _;

use serde::Serialize;

use crate::cli::columns::{fit, pad, plain};
use crate::evaluation::Rate;
use crate::evaluation::outcome::{Comparison, CurrencyFigures, Rows, Sum};

/// A chat that was run and judged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// Its file.
    pub chat: String,
    /// How many messages it has.
    pub messages: usize,
    /// How many of them failed.
    pub failed: usize,
    /// The floors that are missed, a sentence each.
    pub missed_floors: Vec<String>,
    /// What came of it, beside the truth.
    #[serde(flatten)]
    pub comparison: Comparison,
}

/// How wide the names of figures are.
const NAME: usize = 18;
/// The longest line about a row.
const LINE: usize = 110;

/// All chats, then one line each.
pub fn text(judged: &[Judged]) -> String {
    let mut page = Page(String::new());
    for one in judged {
        page.chat(one);
    }
    page.overview(judged);
    page.0
}

struct Page(String);

impl Page {
    fn line(&mut self, text: &str) {
        writeln!(self.0, "{}", text.trim_end()).expect("a string takes all that is written to it");
    }

    fn figure(&mut self, name: &str, said: &str) {
        self.line(&format!("  {} {said}", pad(name, NAME)));
    }

    fn chat(&mut self, judged: &Judged) {
        let Comparison { tasks, expenses, polls, money, repayments_not_judged, answers } =
            &judged.comparison;
        self.line(&format!("{}, {} messages", plain(&judged.chat), judged.messages));
        if judged.failed > 0 {
            self.figure("failed", &judged.failed.to_string());
        }
        for (name, rows) in [("tasks", tasks), ("expenses", expenses), ("polls", polls)] {
            self.rows(name, rows);
        }
        for figures in &money.currencies {
            self.money(figures);
        }
        if *repayments_not_judged > 0 {
            self.figure(
                "repayments",
                &format!("{repayments_not_judged} found, the truth tells none"),
            );
        }
        if let Some(answers) = answers {
            self.figure("questions", &format!("{} of {} right", answers.right, answers.all));
        }
        for (name, rows) in [("task", tasks), ("expense", expenses), ("poll", polls)] {
            self.items(&format!("{name} missed"), &rows.missed);
            self.items(&format!("{name} not in truth"), &rows.invented);
            self.items(&format!("{name} differs"), &rows.differences);
        }
        for cause in &money.causes {
            let said = format!("{}: {} [{}]", cause.row, cause.why, cause.by.join(", "));
            self.item("money differs", &said);
        }
        for wrong in answers.iter().flat_map(|it| &it.wrong) {
            let answer = wrong.answer.as_deref().unwrap_or("");
            let said = format!("{} {}: {}: {answer}", wrong.message_id, wrong.question, wrong.why);
            self.item("question", &said);
        }
        self.items("FLOOR MISSED", &judged.missed_floors);
        self.line("");
    }

    fn rows(&mut self, name: &str, rows: &Rows) {
        let agree: Vec<String> =
            rows.agree.iter().map(|it| format!("{} {}", it.what, of(&it.rate))).collect();
        let found = format!("{} found, {} invented", of(&rows.found), rows.invented.len());
        self.figure(name, &format!("{}  {}", pad(&found, 28), agree.join(", ")));
    }

    fn money(&mut self, figures: &CurrencyFigures) {
        let code = &figures.currency;
        self.figure(&format!("spent {code}"), &beside(&figures.spent));
        self.figure(&format!("outstanding {code}"), &beside(&figures.outstanding));
        let said = if figures.paid_differs.is_empty() { "exact" } else { "differs" };
        self.figure("paid per person", said);
        for it in &figures.paid_differs {
            self.figure("", &format!("{} {}", plain(&it.name), beside(&it.sum)));
        }
        let transfers = figures.true_transfers.len();
        let same =
            figures.balance_differs.is_empty() && figures.true_transfers == figures.found_transfers;
        let said = if same { "exact" } else { "differs" };
        self.figure("who owes whom", &format!("{transfers} transfers, {said}"));
        for it in &figures.balance_differs {
            self.figure("", &format!("{} {}", plain(&it.name), beside(&it.sum)));
        }
    }

    fn items(&mut self, name: &str, items: &[String]) {
        for item in items {
            self.item(name, item);
        }
    }

    fn item(&mut self, name: &str, said: &str) {
        self.line(&format!("    {} {}", pad(name, NAME), fit(&plain(said), LINE)));
    }

    fn overview(&mut self, judged: &[Judged]) {
        let heads = ["tasks", "invented", "expenses", "invented", "money", "questions", ""];
        let heads: String = heads.map(|head| format!("{head:>12}")).concat();
        self.line(&format!("{}{heads}", pad("chat", NAME)));
        for one in judged {
            let Comparison { tasks, expenses, money, answers, .. } = &one.comparison;
            let questions =
                answers.as_ref().map_or("-".into(), |it| format!("{}/{}", it.right, it.all));
            let cells = [
                of(&tasks.found),
                tasks.invented.len().to_string(),
                of(&expenses.found),
                expenses.invented.len().to_string(),
                if money.exact() { "exact" } else { "differs" }.to_owned(),
                questions,
                if one.missed_floors.is_empty() { "good" } else { "not good" }.to_owned(),
            ];
            let cells: String = cells.map(|cell| format!("{cell:>12}")).concat();
            let name = one.chat.rsplit('/').next().unwrap_or(&one.chat);
            self.line(&format!("{}{cells}", pad(&fit(&plain(name), NAME), NAME)));
        }
    }
}

fn of(rate: &Rate) -> String {
    format!("{}/{}", rate.right, rate.all)
}

fn beside(sum: &Sum) -> String {
    if sum.exact {
        format!("{} exact", sum.found)
    } else {
        format!("{}, not {}", sum.found, sum.truth)
    }
}
