//! The subject of a question: what the records are asked for as a whole, else the thing, the noun or the person asked about.

use super::super::findings::Findings;
use super::super::text::Text;
use super::super::words::{self, DAYS};
use super::topic::Topic;

/// Subjects that are no things, with the words that ask for them; the first that is met wins.
const WHOLES: &[(Topic, &str, &[&str])] = &[
    (
        Topic::Spending,
        "budget remaining",
        &[
            " left in the ",
            " remaining ",
            " remains ",
            " wiggle room ",
            " left to spend ",
            " breathing room ",
            " how much left ",
            " how much is left ",
            " still got to spend ",
        ],
    ),
    (
        Topic::Spending,
        "budget",
        &[" budget ", " bust ", " over ", " overspent ", " crossed ", " in the red "],
    ),
    (
        Topic::Spending,
        "per head",
        &[" per head ", " a head ", " per person ", " per player ", " each "],
    ),
    (
        Topic::Spending,
        "unpaid",
        &[
            " unpaid ",
            " hasn't paid ",
            " hasnt paid ",
            " haven't paid ",
            " coughed up ",
            " not paid ",
            " open still ",
            " who still owes ",
            " yet to pay ",
        ],
    ),
    (
        Topic::Spending,
        "balance",
        &[
            " i owe ",
            " owes me ",
            " owe me ",
            " am i square ",
            " i'm square ",
            " owe anyone ",
            " owe anything ",
            " owe anybody ",
        ],
    ),
    (Topic::Spending, "kitty", &[" kitty ", " the pot "]),
    (
        Topic::Spending,
        "per person",
        &[
            " who's put ",
            " who has put ",
            " put in the most ",
            " put in the least ",
            " who's spent ",
        ],
    ),
    (Topic::Tasks, "overdue", &[" overdue ", " late on "]),
    (
        Topic::Tasks,
        "unassigned",
        &[" unassigned ", " no name ", " nobody's name ", " without a name ", " without an owner "],
    ),
    (
        Topic::Tasks,
        "outstanding",
        &[
            " outstanding ",
            " left to do ",
            " still to do ",
            " still needs doing ",
            " still open ",
            " needs doing ",
            " pending ",
            " baaki ",
            " to do list ",
            " still to be done ",
            " is left ",
        ],
    ),
    (Topic::People, "dietary", &[" dietary ", " can't eat ", " dietaries "]),
    (
        Topic::People,
        "rsvp",
        &[
            " rsvp ",
            " rsvps ",
            " rsvpd ",
            " said yes ",
            " not answered ",
            " haven't answered ",
            " hasn't answered ",
            " yes or no ",
            " replied ",
        ],
    ),
    (
        Topic::People,
        "headcount",
        &[
            " headcount ",
            " final number ",
            " final numbers ",
            " how many people ",
            " how many are coming ",
            " how many coming ",
            " how many of us ",
            " how many are we ",
            " are we now ",
            " how many ppl ",
            " how many heads ",
        ],
    ),
    (Topic::Other, "dress code", &[" dress code "]),
    (Topic::Other, "door code", &[" door code "]),
    (Topic::Other, "gate code", &[" gate code "]),
    (Topic::Other, "wifi", &[" wifi ", " wi fi "]),
];

/// Words of asking and of common verbs: never a subject by themselves.
const ASKING: &str = "
    anyone anybody someone somebody everyone everybody nobody whats what's who's whos whose where's wheres when's whens how's hows
    remind tell give know again pls please guys folks lads hi hey hello morning good evening thanks ok okay right sorry quick question
    much many time day date hour get got getting go going gone come coming came done doing sort sorted booked book ordered order
    paid pay spent spend cost costs owe owes say said says think remember check need needs want wants make making made put
    still ever yet again already actually exactly so far now today total altogether list one ones two three thing things
    number people ppl confirmed yes no maybe left open status update news word latest any hear heard back bring bringing brought
    meant supposed down name names asking asks lost track keep keeping forgot forgotten idea sure see look looking find
    first last next per between us me mine myself u ur r wat wot plz abt about re lot bit kind way end start starts begin finish
    vote votes voted voting poll won win winning result results tally decide decided settle settled agreed agree chose pick picked
    leave leaves leaving arrive arrives arriving open opens close closes happening happen plan timing timings schedule
    answer answered reply replied sent send chased chase call called ring rung told tell ask asked up over under
    money budget deposit balance bill share much damage running current currently exact person somewhere written anywhere
    can't didn't don't hasn't haven't isn't wasn't won't we've i've i'm i'll you've they've that's it's there's there
    had hath being be does did done kindly could would should can will may might must shall
    wait just like really very also even maybe well oh erm um eh lol haha abeg na ya ah la lah sef bhai ji uncle aunty
    finished ready job jobs task tasks charge responsible on hook plate doing handling taking care
    which what when where who how why whether if because since when until before after at in on for of to from with by
    most feeling memory boss treasurer husband gentle items agenda sheet notes thread scroll summary recap anything everything
    something nothing choices options personally point final count hand handy moment min mind head gonna gotta roughly rough
    kitne log kitna kitni baaki hai hua tak abhi kya tha kab baje anong oras nga wise whole moneywise biggest per week days
    put together stand stands standing fixed fix work working works out came come off
";

/// What is asked about.
pub(super) fn of(findings: &Findings<'_, '_>, topic: Topic) -> Option<String> {
    let text = findings.text;
    let line = line(text);
    let has = |phrases: &[&str]| phrases.iter().any(|phrase| line.contains(phrase));
    let whole = WHOLES.iter().find(|(of, _, phrases)| *of == topic && has(phrases));
    let specific = |name: &str| {
        matches!(name, "per head" | "budget" | "unpaid" | "outstanding" | "rsvp" | "per person")
    };
    let noun = noun(findings);
    if let Some((_, name, _)) = whole
        && !(specific(name) && noun.is_some() && findings.things.first().is_some())
    {
        return Some((*name).to_owned());
    }
    let thing = findings.things.first().map(|thing| around(text, thing.span.clone()));
    let name = findings.names.first().map(|name| name.said.clone());
    let noun = if topic == Topic::Spending && whole.is_none() {
        noun_after(findings, &["on", "for", "to"])
            .or(noun.filter(|_| !line.contains(" far ") && !line.contains(" total ")))
    } else {
        noun
    };
    let noun = if topic == Topic::People && thing.is_none() && counts(&line) { None } else { noun };
    let own = whole.map(|(_, name, _)| (*name).to_owned());
    let all = || match topic {
        Topic::Spending => Some("total".to_owned()),
        Topic::People => Some("headcount".to_owned()),
        Topic::Polls | Topic::Schedule | Topic::Tasks | Topic::Other => None,
    };
    thing.or(own).or(name).or(noun).or_else(all)
}

fn line(text: &Text<'_>) -> String {
    let mut line = String::from(" ");
    for at in 0..text.words().len() {
        line.push_str(text.word(at));
        line.push(' ');
    }
    line
}

fn tells(word: &str) -> bool {
    word.len() > 2
        && !words::is_function(word)
        && !ASKING.split_ascii_whitespace().any(|it| it == word)
        && !word.starts_with(|c: char| c.is_ascii_digit())
}

/// A thing as it was said, with the noun right behind it: "raffle licence".
fn around(text: &Text<'_>, span: std::ops::Range<usize>) -> String {
    let next = text.word_from(span.end);
    let end = match text.words().get(next) {
        Some(word)
            if text.folded().get(span.end..word.start) == Some(" ") && tells(text.word(next)) =>
        {
            word.end
        }
        _ => span.end,
    };
    text.said(span.start..end).to_lowercase()
}

/// "are we 64 or 67", "final count": a question for how many there are in all.
fn counts(line: &str) -> bool {
    let mut before = "";
    let either = line.split_ascii_whitespace().any(|word| {
        let hit = before == "or" && word.bytes().all(|byte| byte.is_ascii_digit());
        before = word;
        hit
    });
    either
        || [" final count ", " numbers ", " how many in total ", " total number "]
            .iter()
            .any(|phrase| line.contains(phrase))
}

/// The telling words right behind one of these words.
fn noun_after(findings: &Findings<'_, '_>, leads: &[&str]) -> Option<String> {
    let text = findings.text;
    let at = (1..text.words().len()).find(|at| {
        let before = text.word(at - 1);
        let led = if matches!(before, "the" | "a" | "our" | "my") {
            at.checked_sub(2).map_or("", |at| text.word(at))
        } else {
            before
        };
        tells(text.word(*at)) && leads.contains(&led)
    })?;
    let word = text.words().get(at)?.clone();
    Some(text.said(word).to_lowercase())
}

/// The telling words behind an article or a preposition, else the first telling ones.
fn noun(findings: &Findings<'_, '_>) -> Option<String> {
    let text = findings.text;
    let len = text.words().len();
    let fits = |at: usize| tells(text.word(at)) && !DAYS.contains(&text.word(at));
    let led = (1..len).find(|at| fits(*at) && is_lead(text.word(at - 1)));
    let first = led
        .or_else(|| (0..len).find(|at| fits(*at)))
        .or_else(|| (0..len).find(|at| DAYS.contains(&text.word(*at))))?;
    let glued = |at: usize| {
        let gap = text
            .words()
            .get(at)
            .zip(text.words().get(at + 1))
            .and_then(|(one, two)| text.folded().get(one.end..two.start));
        matches!(gap, Some(" " | "-"))
    };
    let mut last = first;
    while last < first + 2 && glued(last) && fits(last + 1) {
        last += 1;
    }
    let (start, end) = (text.words().get(first)?.start, text.words().get(last)?.end);
    Some(text.said(start..end).to_lowercase())
}

fn is_lead(word: &str) -> bool {
    matches!(
        word,
        "the"
            | "our"
            | "my"
            | "for"
            | "on"
            | "of"
            | "that"
            | "those"
            | "about"
            | "a"
            | "an"
            | "his"
            | "her"
            | "their"
            | "with"
    )
}
