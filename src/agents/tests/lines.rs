//! Which lines are shown to people, and which are sent back.

use super::*;

#[test]
fn a_line_that_leads_somewhere_is_refused_however_it_is_written() {
    for line in [
        "Pay at https://evil.example/pay",
        "Go to evil.example/pay first",
        "Claim it back at bit.ly/3xEvil",
        "Pay at \u{435}v\u{456}l.\u{435}xample",
        "Open \u{ff48}\u{ff54}\u{ff54}\u{ff50}\u{ff1a}\u{ff0f}\u{ff0f}evil",
        "Write to mallory (at) evil (dot) example",
        "[Click](javascript:alert)",
        "Call +44 7700 900123",
        "Call 07700.900.123",
        "Call \u{660}\u{667}\u{667}\u{660}\u{660}\u{669}\u{660}\u{660}\u{661}",
        "Wire it to MT84MALT011000012345MTLCAST001S",
        "Refunds go to bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "Decode aHR0cDovL2V2aWwuZXhhbXBsZS9wYXk",
        "Open ht\u{200b}tps in it",
        "Visit \u{202e}moc.live\u{202c} before",
        "Print them\u{e0070}\u{e0061}",
    ] {
        assert!(one_line("line", line).is_err(), "{line}");
    }
}

#[test]
fn a_line_about_money_or_with_a_figure_is_refused() {
    for line in [
        "Pay \u{a3}45 now",
        "It costs 20 \u{20ac}",
        "Ana owes Ben 5000",
        "Tip 45,000",
        "Pay 999999",
    ] {
        assert!(figureless("line", line).is_err(), "{line}");
    }
}

#[test]
fn usual_lines_pass() {
    for line in [
        "Book 12 to 18 months ahead, e.g. for June 2027",
        "Ask for a deposit of 20 % and the balance 14 days before",
        "Doors open at 5.30pm; 3 sets of 45 min.",
        "Vereinbart z.B. eine Probe, inkl. Anfahrt u.a.",
        "Is the caf\u{e9}'s terrace covered, and/or heated?",
        "\u{1f469}\u{200d}\u{1f373} agrees on 2-3 dishes",
        "Plan for 150 guests (10 tables)",
        "It is due 2026-06-20 10:00, or 20.06.2026",
        "\u{65e5}\u{7a0b}\u{3092}\u{6c7a}\u{3081}\u{308b}\u{3002}\u{6b21}\u{306b}\u{4f1a}\u{5834}",
    ] {
        assert!(figureless("line", line).is_ok(), "{line}");
    }
}
