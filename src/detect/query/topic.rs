//! The topic of a question.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::super::findings::Findings;
use super::super::text::Text;

/// What the records of an event are kept under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::detect) enum Topic {
    Polls,
    Spending,
    People,
    Schedule,
    Tasks,
    Other,
}

impl Topic {
    const ALL: [Self; 6] =
        [Self::Polls, Self::Spending, Self::People, Self::Schedule, Self::Tasks, Self::Other];

    /// The topic of that name.
    pub(in crate::detect) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }

    /// The topic's name as callers know it.
    pub(in crate::detect) fn name(self) -> &'static str {
        match self {
            Self::Polls => "polls",
            Self::Spending => "spending",
            Self::People => "people",
            Self::Schedule => "schedule",
            Self::Tasks => "tasks",
            Self::Other => "other",
        }
    }
}

/// Words that speak for a topic, and how loudly.
const WORDS: &[(Topic, u8, &str)] = &[
    (
        Topic::Polls,
        18,
        "vote votes voted voting poll polls winner landslide ballot tally majority standings \
         verdict runoff voters doodle",
    ),
    (
        Topic::Polls,
        12,
        "won win recount unanimous thumbs jeeta winning leading chose chosen picked",
    ),
    (
        Topic::Polls,
        7,
        "choose pick lead hands decide decided agreed settled favourite popular ahead beat \
         option choices",
    ),
    (
        Topic::Spending,
        9,
        "paid spent spend spending cost costs costing owe owes owed budget money bill bills \
         deposit deposits expenses expense kitty unpaid kharcha pesewa invoice invoices \
         refund price tab cash advance contribution contributions fronted funds overspent \
         reimbursed treasurer spends receipt receipts invoiced quid pot purse damage prepaid \
         payment paying pay diya spendings collected raised pence dollars float euros forking \
         burned ambag bought costed splurged contingency bled moneywise checkbook payee \
         leftover ledger",
    ),
    (
        Topic::Spending,
        5,
        "balance square squared settled chipped coughed total totals share bust blown sunk \
         sink half covered settle tip committed ceiling sum figure account swiping grand \
         breakdown tips subs even remaining remains fees fee coughing dues pricey instalment \
         each overall covering skint broke ballpark wiggle shelled forked charge charged",
    ),
    (
        Topic::People,
        9,
        "rsvp rsvps rsvp'd rsvpd headcount guests attending dietary veggies vegans vegan \
         vegetarian vegetarians veggie veggos allergies allergic allergy coeliac bridesmaids \
         ushers invited attendance yeses attendees gluten groomsmen halal seated sharing \
         sleeping rsvped replied readers sleeps chaperones organiser designated crickets \
         expecting kitne",
    ),
    (
        Topic::People,
        5,
        "coming people ppl pax guest kids children heads adults marshals volunteers numbers \
         maybe yes confirmed drivers driving cousins families family staying side log babies \
         under-fives attend seats beds rooms table crew members folks nuts joining names \
         counted count room cars seat mc reply answer pulled lot party squashed bunking",
    ),
    (
        Topic::Schedule,
        9,
        "when when's whens time times timing timings schedule deadline itinerary agenda kab \
         baje hora hour hours cutoff rundown checkin checkout curfew soundcheck run-through \
         o'clock tym",
    ),
    (
        Topic::Schedule,
        5,
        "date day dates arrive arrives arriving leave leaves leaving start starts starting \
         begin begins finish finishes open opens opening order before after until till doors \
         early late land depart departs kickoff plan programme morning ends end tomorrow \
         weekend pickup boarding rehearsal carriages slot closes close reach happening latest \
         runs",
    ),
    (
        Topic::Tasks,
        7,
        "job jobs task tasks todo outstanding overdue unassigned assigned chased status \
         charge sorted booked ordered arranged organised organized pending plate hook \
         handling responsible sort bringing collecting fetching volunteered signed rung \
         called emailed progress baaki arrange",
    ),
    (
        Topic::Tasks,
        2,
        "anyone anybody somebody someone still yet ever did has have is are list get got on \
         who any anything",
    ),
    (
        Topic::Schedule,
        3,
        "friday saturday sunday monday tuesday wednesday thursday fri sat sun ferry flight \
         bus train gates ceremony lands lock oras 10 11 7 9 service",
    ),
    (
        Topic::Tasks,
        4,
        "who's whos whose doing done finished finish picking told taken drives happen gone \
         missing turn measured fallen claimed making baking printed sent ready ring taking \
         bring news word update forms form waivers loose left holding",
    ),
    (
        Topic::Other,
        12,
        "address wifi wi-fi password pw postcode link hashtag pin terminal url passcode zoom \
         eircode iban folder dresscode called sort-code",
    ),
    (
        Topic::Other,
        8,
        "code theme colour color menu parking where where's wheres number name reference \
         photos dress size rule rules policy hymns map spreadsheet doc flavour contact",
    ),
];

/// Words that stand together, set apart by bars.
const PHRASES: &[(Topic, u8, &str)] = &[
    (
        Topic::Polls,
        12,
        "which way did|came out on top|come out on top|how did the vote|did we land on| \
         go for in the end|edge it|in favour|hands up|get a winner|the most thumbs| \
         vote result|by a mile|got it|took it|got the most|what's ahead|ever agreed| \
         final answer|we choose|decide on|decide between|we settle on|who voted|most hands| \
         went with|did everyone pick|end up picking|what came out|end up a yes|did we go with| \
         did we go for",
    ),
    (
        Topic::Spending,
        12,
        "how much|hw much|per head|put in|even stevens|in the red|in the budget|set us back| \
         the damage|laid out|on my tab|square with|into the account|their share|her share| \
         his share|my share|given the|who paid|left in the|in for|all in|are we under| \
         still under|are we over|up to 1|squared up|we sitting at|their money|his money| \
         her money|our money|out of pocket|from us|off us|run us|do we stand|put down for| \
         so far under|even with|the split on|up to date with|wiggle room|breathing room| \
         who fronted|come to|how far over|gone over|crossed the|what did the| \
         picked up the tab|per person|money off|kitna",
    ),
    (
        Topic::People,
        12,
        "how many|final number|final numbers|a yes|plus one|plus ones|who's coming| \
         who is coming|guest list|said yes|said no|who all|is coming|are coming|coming or not| \
         staying over|kitne log|on table|at table|yes or no|or a no|who are the|who's in| \
         still coming|dey come|who's at|sitting with",
    ),
    (
        Topic::Schedule,
        14,
        "what time|wat time|which day|what day|what hour|which hour|which weekend|which date| \
         what date|how late|how early|running order|hour by hour|walk me through| \
         run me through|last date|the plan for|due date|last day|what's the plan|how long| \
         at what",
    ),
    (
        Topic::Tasks,
        10,
        "who's doing|who is doing|who's on|who's got|who's bringing|who is bringing|to do| \
         left to do|has anyone|has anybody|did anyone|did anybody|has somebody|has someone| \
         is anyone|is anybody|is someone|any news|any word|in charge|am i on|my name|down for| \
         still open|hear back|who has|where are we on|where are we with|any movement| \
         needs doing|what am i|who's handling|turned in|the latest|still doing|got round to| \
         any update|did we ever|do we have a|do we have an|ended up with|who said they'd| \
         meant to be bringing|who's making|who's taking|supposed to",
    ),
    (
        Topic::Other,
        14,
        "dress code|door code|gate code|account number|phone number|contact number| \
         driver's number|where is|where's|what's it called|place called|room number|gift list| \
         room name|whats the address|'s number|sort code|colour code",
    ),
];

/// What a word says by itself, and the phrases that begin with it.
#[derive(Debug, Default)]
struct Spoken {
    points: [u8; Topic::ALL.len()],
    /// Each phrase with its place among all, its topic and how loudly it speaks.
    phrases: Vec<(&'static str, usize, Topic, u8)>,
}

/// What each word says, so that no question walks the lists.
static SPOKEN: LazyLock<FxHashMap<&str, Spoken>> = LazyLock::new(|| {
    let mut spoken: FxHashMap<&str, Spoken> = FxHashMap::default();
    for (topic, weight, words) in WORDS {
        for word in words.split_ascii_whitespace() {
            spoken.entry(word).or_default().points[*topic as usize] += weight;
        }
    }
    let phrases = PHRASES.iter().flat_map(|(topic, weight, phrases)| {
        phrases.split('|').map(move |phrase| (phrase.trim(), *topic, *weight))
    });
    for (place, (phrase, topic, weight)) in phrases.enumerate() {
        let first = phrase.split(' ').next().unwrap_or(phrase);
        spoken.entry(first).or_default().phrases.push((phrase, place, topic, weight));
    }
    spoken
});

/// The topic that most of the words speak for.
pub(in crate::detect) fn of(findings: &Findings<'_, '_>) -> Topic {
    let text = findings.text;
    let mut points = [0_u32; Topic::ALL.len()];
    let mut heard: Vec<usize> = Vec::new();
    for at in 0..text.words().len() {
        let Some(spoken) = SPOKEN.get(text.word(at)) else { continue };
        for (sum, own) in points.iter_mut().zip(spoken.points) {
            *sum += u32::from(own);
        }
        for (phrase, place, topic, weight) in &spoken.phrases {
            if stands(text, at, phrase) && !heard.contains(place) {
                heard.push(*place);
                points[*topic as usize] += u32::from(*weight);
            }
        }
    }
    if !findings.amounts.is_empty() && findings.amounts.iter().any(|amount| amount.sure) {
        points[Topic::Spending as usize] += 6;
    }
    if clock(text.folded()) {
        points[Topic::Schedule as usize] += 6;
    }
    let mut best = Topic::Tasks;
    for topic in Topic::ALL {
        if points[topic as usize] > points[best as usize] {
            best = topic;
        }
    }
    if points[best as usize] == 0 { Topic::Other } else { best }
}

/// Whether the words of the phrase stand here, one after the other.
fn stands(text: &Text<'_>, at: usize, phrase: &str) -> bool {
    phrase.split(' ').enumerate().all(|(offset, word)| text.word(at + offset) == word)
}

/// Whether a time of day stands in the text: "7:30", "8pm".
fn clock(folded: &str) -> bool {
    folded.as_bytes().windows(3).any(|window| {
        let [one, two, three] = window else { return false };
        one.is_ascii_digit()
            && (matches!(two, b':' | b'.') && three.is_ascii_digit()
                || matches!(two, b'a' | b'p') && *three == b'm')
    })
}
