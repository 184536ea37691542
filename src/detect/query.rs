//! What a question is about: its topic among the records, and its subject.

use std::sync::LazyLock;

use regex::Regex;

use super::findings::Findings;
use crate::domain::intent::QueryEntities;

fn fixed(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of ours compiles")
}

/// Topics with the words that give them away; the first that is met wins.
static TOPICS: LazyLock<[(&str, Regex); 6]> = LazyLock::new(|| {
    [
        (
            "polls",
            fixed(
                r"\b(?:vote[sd]?|poll|won|winner|win|decide[d]?|agreed? on|score|settled? on the|landslide)\b",
            ),
        ),
        (
            "spending",
            fixed(
                r"\b(?:paid|pay|spent|spend|cost(?:s|ing)?|owe[sd]?|budget|total|money|bill|deposit|per head|expenses?|tally|kitty|put in|fronted|bought|unpaid|square with|in the red|split|damage|kharcha|blown|bust|under \d+|advance|how much|running)\b",
            ),
        ),
        (
            "people",
            fixed(
                r"\b(?:rsvp'?s?|coming|guest list|headcount|how many people|how many|said yes|attending|guests?|invited|veggies?|vegans?|dietar\w+|mcing|who did we say|driver on|final number)\b",
            ),
        ),
        (
            "schedule",
            fixed(
                r"\b(?:when(?:'s|s)?|what time|time|date|day|timings?|schedule|deadline|expire|arriv\w+|plan for|order)\b",
            ),
        ),
        (
            "tasks",
            fixed(
                r"\b(?:who(?:'s|s| is| was)|still to do|to do|todo|left|status|done|booked|sorted|assigned|unassigned|jobs?|outstanding|overdue|chased|confirmed|doing|bringing|on the list|is any(?:one|body) on|list|yet|set up|form|told|mine|on me|waivers?|signed)\b",
            ),
        ),
        ("other", fixed(r"\b(?:address|wifi|number|code|link|where)\b")),
    ]
});
static FACTS: LazyLock<Regex> = LazyLock::new(|| {
    fixed(r"\b(?:wifi|address|contact number|phone number|door code|postcode|password|link)\b")
});

/// Subjects that are no things: what the records are asked for as a whole.
static SUBJECTS: LazyLock<[(&str, &str, Regex); 14]> = LazyLock::new(|| {
    [
        ("spending", "budget remaining", fixed(r"\bleft in the (?:budget|kitty|pot)\b")),
        ("spending", "budget", fixed(r"\bbudget\b|\bunder \d|\bbust\b|\bover\b")),
        ("spending", "unpaid vendors", fixed(r"\bunpaid\b")),
        ("spending", "per head", fixed(r"\bper head\b")),
        (
            "spending",
            "per person",
            fixed(r"\bwho(?:'s| has|s)? (?:put|paid|spent)|\bput in the (?:most|least)"),
        ),
        ("spending", "balance", fixed(r"\bi owe\b|\bowe me\b")),
        ("tasks", "overdue", fixed(r"\boverdue\b")),
        ("tasks", "unassigned", fixed(r"\bunassigned\b")),
        ("tasks", "outstanding", fixed(r"\boutstanding\b|\bleft to do\b")),
        ("people", "rsvp", fixed(r"\brsvp|\bsaid yes\b")),
        ("people", "dietary", fixed(r"\bveggie|\bvegan|\bdietary")),
        ("people", "headcount", fixed(r"\bheadcount\b|\bhow many\b|\bfinal number")),
        ("other", "address", fixed(r"\baddress\b")),
        ("other", "wifi code", fixed(r"\bwifi\b")),
    ]
});

/// Reads a question.
pub(super) fn read(findings: &Findings<'_, '_>) -> QueryEntities {
    let folded = findings.text.folded();
    let topic = if FACTS.is_match(folded) {
        "other"
    } else {
        TOPICS.iter().find(|(_, words)| words.is_match(folded)).map_or("other", |(topic, _)| topic)
    };
    let whole = SUBJECTS
        .iter()
        .find(|(of, _, words)| *of == topic && words.is_match(folded))
        .map(|(_, subject, _)| (*subject).to_owned());
    let thing = || {
        findings.things.first().map(|thing| findings.text.said(thing.span.clone()).to_lowercase())
    };
    let name = || findings.names.first().map(|name| name.said.clone());
    let all = || (topic == "spending").then(|| "total".to_owned());
    let subject = whole.or_else(thing).or_else(name).or_else(all);
    QueryEntities { topic: topic.to_owned(), subject }
}
