//! The figures of an evaluation, as tables for people and as one JSON object.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::domain::intent::Intent;
use crate::evaluation::{Figures, IntentFigures, Rate};

/// How messages were judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By the weights as they are, which did not learn from these messages.
    AsShipped,
    /// Each by weights trained on other conversations.
    Crossed,
    /// By the rules alone.
    RulesAlone,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::AsShipped => "weights as they are; none of these messages was learnt from",
            Self::Crossed => "cross-validated by conversation",
            Self::RulesAlone => "rules alone",
        }
    }
}

/// One JSON object.
///
/// # Errors
/// Never for figures of ours: they are numbers and lists.
pub fn json(figures: &Figures, method: Method) -> serde_json::Result<Value> {
    let mut value = serde_json::to_value(figures)?;
    value["method"] = method.name().into();
    value["entities"] =
        figures.entities.iter().map(|(name, rate)| ((*name).to_owned(), json!(rate))).collect();
    Ok(value)
}

/// Tables for people.
pub fn text(figures: &Figures, method: Method) -> String {
    let mut page = String::new();
    let out = &mut page;
    let percent = |rate: &Rate| format!("{:.1} %", rate.share * 100.0);
    line(out, &format!("{} messages, {}", figures.messages, method.name()));
    line(out, "");
    line(out, &format!("{:<28}{:>8}", "accuracy", percent(&figures.accuracy)));
    line(out, &format!("{:<28}{:>8}", "most confident 75 %", percent(&figures.most_confident_75)));
    line(out, &format!("{:<28}{:>8.3}", "macro F1", figures.macro_f1));
    let sure = format!("sure (confidence >= {:.2})", figures.threshold);
    line(out, &format!("{sure:<28}{:>8}", percent(&figures.coverage)));
    line(
        out,
        &format!("{:<28}{:>8}", "  of these right", percent(&figures.accuracy_over_threshold)),
    );
    line(
        out,
        &format!("{:<28}{:>8}", "none, surely taken for more", percent(&figures.false_alarms)),
    );
    let micros = figures.micros;
    line(out, &format!("{:<28}{:>8.1} / {:.1}", "µs a message, p50 / p99", micros.p50, micros.p99));
    found(out, "intent", &figures.intents);
    confusion(out, figures);
    calibration(out, figures);
    if figures.follow_ups.iter().any(|it| it.recall.all > 0) {
        found(out, "follow-up", &figures.follow_ups);
    }
    line(out, "");
    line(out, &format!("{:<28}{:>8}", "entity, where the intent is right", "as labelled"));
    for (name, rate) in &figures.entities {
        line(out, &format!("{name:<28}{:>8}  {} of {}", percent(rate), rate.right, rate.all));
    }
    page
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("a string takes all that is written to it");
}

fn found(out: &mut String, what: &str, rows: &[IntentFigures]) {
    line(out, "");
    line(out, &format!("{what:<16}{:>10}{:>8}{:>8}{:>8}", "precision", "recall", "F1", "there"));
    for row in rows {
        let (precision, recall) = (row.precision.share * 100.0, row.recall.share * 100.0);
        let (name, f1, there) = (row.name, row.f1, row.recall.all);
        line(out, &format!("{name:<16}{precision:>8.1} %{recall:>6.1} %{f1:>8.3}{there:>8}"));
    }
}

fn confusion(out: &mut String, figures: &Figures) {
    line(out, "");
    let short = |intent: Intent| intent.name().split('_').next().unwrap_or_default();
    let heads: String = Intent::ALL.map(|intent| format!("{:>9}", short(intent))).concat();
    line(out, &format!("{:<16}{heads}", "labelled \\ found"));
    for (intent, row) in Intent::ALL.iter().zip(figures.confusion) {
        let cells: String = row.map(|count| format!("{count:>9}")).concat();
        line(out, &format!("{:<16}{cells}", short(*intent)));
    }
}

fn calibration(out: &mut String, figures: &Figures) {
    line(out, "");
    line(out, &format!("{:<16}{:>10}{:>8}{:>8}", "confidence", "said", "was", "there"));
    for band in figures.calibration.iter().filter(|band| band.was.all > 0) {
        let (said, was) = (band.said * 100.0, band.was.share * 100.0);
        let from = format!("from {:.2}", band.from);
        line(out, &format!("{from:<16}{said:>8.1} %{was:>6.1} %{:>8}", band.was.all));
    }
}
